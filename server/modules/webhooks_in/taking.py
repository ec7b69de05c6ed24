"""What becomes of one request of a shop: checked, read, taken in. Blocking; a worker thread runs it.

Nothing of a body is kept, logged or said but what the mapping of its vendor names. A shop that gets no 200
sends again and in the end stops sending, so what is signed is answered with 200 whatever it says; what
could not be used is logged.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import logging
import re
from typing import TYPE_CHECKING, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import select

from databases.schema import order_sources
from intake.arrival import Arrival
from server.arrivals import Arrivals, Fate
from server.kernel.services import Services
from server.modules.webhooks_in.sources import Kind, Source, Sources
from sync.contract.orders import order_from_bytes
from sync.contract.problems import ProblemError

if TYPE_CHECKING:
    from intake.mapping import Mapping

IGNORED: Final = "ignored"
REASONS: Final = 20
"""Most reasons of one request that are logged."""
_NOBODY: Final = "the secret of a source that is not there"
_ID: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
_LOG: Final = logging.getLogger(__name__)


class Vendor(NamedTuple):
    """How a vendor speaks: names of its headers, its topics, and the mapping of its orders."""

    signature: str
    topic: str
    mapping: str
    orders: frozenset[str]
    """Topics whose body is an order as it is now."""
    deleted: str
    """The topic whose body is only the id of an order that is gone."""


VENDORS: Final = {
    Kind.SHOPIFY: Vendor(
        "x-shopify-hmac-sha256",
        "x-shopify-topic",
        "shopify-json",
        frozenset(
            f"orders/{what}"
            for what in ("create", "updated", "cancelled", "fulfilled", "partially_fulfilled", "paid")
        ),
        "orders/delete",
    ),
    Kind.WOOCOMMERCE: Vendor(
        "x-wc-webhook-signature",
        "x-wc-webhook-topic",
        "woocommerce",
        frozenset({"order.created", "order.updated", "order.restored"}),
        "order.deleted",
    ),
}


class Sent(NamedTuple):
    """One request: which source it names, and what it brings."""

    kind: Kind
    source_id: str
    signature: str
    topic: str
    body: bytes


class Gone(msgspec.Struct, forbid_unknown_fields=True):
    """The whole body of a topic that says that an order was deleted."""

    id: int | str


def signature_of(body: bytes, secret: str) -> str:
    """Return the signature that both vendors put beside a body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


def take(services: Services, sent: Sent) -> str | None:
    """Take a request in and return what became of it; None when its signature does not count."""
    sources = Sources(services.engine, services.clock, services.ids)
    source = sources.find(sent.source_id, sent.kind) if _ID.fullmatch(sent.source_id) else None
    if not _is_signed(sent, source.secrets if source else (_NOBODY,)) or source is None:
        _LOG.info("webhook with a wrong signature", extra={"source": source.name if source else ""})
        return None
    vendor = VENDORS[sent.kind]
    if sent.topic in vendor.orders:
        return _take_orders(services, source, sent)
    if sent.topic == vendor.deleted:
        return _take_gone(services, source, sent)
    _LOG.info("webhook of an unknown topic", extra={"source": source.name, "topic": sent.topic[:100]})
    return IGNORED


def _is_signed(sent: Sent, secrets: tuple[str, ...]) -> bool:
    given = sent.signature.encode()
    matches = [hmac.compare_digest(given, signature_of(sent.body, each).encode()) for each in secrets]
    return any(matches)


def _take_orders(services: Services, source: Source, sent: Sent) -> str:
    # Not before a shop has sent something: most servers hear of none.
    from intake.order_maker import Wish
    from intake.single import read_orders

    wish = Wish(ZoneInfo(source.zone), services.clock.wall_ms(), source=source.label)
    try:
        read = read_orders(sent.body, _mapping(sent.kind), wish, "The webhook")
    except ProblemError as error:
        _tell(source, sent, "", [error.problem.sentence])
        return str(Fate.REFUSED)
    refused = [f"line {each.line}: {each.reason}" for each in read.refused]
    if not refused and not read.arrivals:
        refused.append("there is no order in it")
    ref, outcome = "", Fate.REFUSED
    wanted = [each for each in read.arrivals if "\0" not in each.order.external_ref]
    if len(wanted) < len(read.arrivals):
        refused.append("the order's reference holds a character that is no text")
    arrived = list(Arrivals(services.store, services.ids).take(source.site, wanted))
    for arrival, (_, fate, why) in zip(wanted, arrived, strict=True):
        ref, outcome = arrival.order.external_ref, fate
        if fate is Fate.REFUSED:
            refused.append(why)
    if refused:
        _tell(source, sent, ref, refused)
    return str(outcome)


def _tell(source: Source, sent: Sent, ref: str, reasons: list[str]) -> None:
    """Put into the log what of a request is not used: whose, which order, why; nothing else of it."""
    facts = {"source": source.name, "topic": sent.topic, "ref": ref, "why": reasons[:REASONS]}
    _LOG.warning("webhook not used", extra=facts)


def _take_gone(services: Services, source: Source, sent: Sent) -> str:
    """Cancel an order that the shop deleted: what the shop said last, with that."""
    try:
        ref = str(msgspec.json.decode(sent.body, type=Gone).id)
    except (msgspec.MsgspecError, UnicodeError):
        return IGNORED
    table, site = order_sources, source.site
    with services.engine.execution_options(is_reading=True).begin() as connection:
        said = connection.execute(
            select(table.c.body, table.c.said_at).where(
                table.c.organization_id == site.organization_id,
                table.c.source == source.label,
                table.c.external_ref == ref.replace("\0", ""),
            )
        ).one_or_none()
    if said is None:
        return IGNORED
    order = order_from_bytes(said.body)
    if order.cancelled_ms is None:
        order = msgspec.structs.replace(order, cancelled_ms=0)
    # It does not say when: not older than what was known, and no newer word is shut out by it.
    (arrived,) = Arrivals(services.store, services.ids).take(site, [Arrival(order, said.said_at)])
    return str(arrived.fate)


@functools.cache
def _mapping(kind: Kind) -> Mapping:
    from intake.mapping import Shelf

    return Shelf.shipped().choose(VENDORS[kind].mapping)
