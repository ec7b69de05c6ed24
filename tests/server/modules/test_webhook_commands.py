"""``webhook`` and ``folder``: what IT types, in words and as JSON; no secret is ever shown again."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from server.commands.setup import First, set_up
from server.database import Database, create_database, open_database
from server.folders import DATABASE_VARIABLE, database_url
from server.main import main
from server.modules.webhooks_in.sources import Sources
from server.system import SystemClock
from server.telling import outbox as outbox_module
from server.telling.outbox import Outbox
from support.clocks import CountingIds
from support.receivers import Receiver
from support.server_bench import fresh_order
from sync.contract.operations import Import, Operation

SECRET = "canary-of-the-secret"


class Typed:
    """Types commands on a data folder."""

    def __init__(self, data: Path, capsys: pytest.CaptureFixture[str], patch: pytest.MonkeyPatch) -> None:
        self.data = data
        self._capsys = capsys
        self._patch = patch

    def __call__(self, *words: str | Path, typed: str = "", code: int = 0) -> str:
        """Run one; return what it printed, or its complaint."""
        self._patch.setattr(sys, "stdin", io.StringIO(typed))
        found = main([*map(str, words), "--data", str(self.data)])
        said = self._capsys.readouterr()
        assert found == code, said
        assert SECRET not in said.out + said.err
        return said.out if code == 0 else said.err

    def opened(self) -> Database:
        """Open the data."""
        return open_database(self.data, SystemClock(), CountingIds(5_000), url=database_url(None))


@pytest.fixture
def typed(
    tmp_path: Path,
    database_url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Typed:
    """A data folder that setup made, on either database."""
    monkeypatch.setenv(DATABASE_VARIABLE, database_url)
    with create_database(tmp_path / "data", SystemClock(), CountingIds(), url=database_url) as database:
        set_up(database, First())
    return Typed(tmp_path / "data", capsys, monkeypatch)


def test_a_source_from_its_first_day_to_its_last(typed: Typed) -> None:
    """Added, listed, given a second secret, which ends, removed."""
    source = ("webhook", "source")
    out = typed(*source, "add", "--kind", "shopify", "--name", "Shop", "--secret-stdin", typed=SECRET + "\n")
    listed = typed(*source, "list")
    path = listed.split()[1].rstrip(",")
    assert listed == f"Shop: {path}, orders of 'shopify'\n"
    assert path.startswith("/webhooks/shopify/")
    assert f"{path} of this server" in out
    typed(*source, "rotate", "--name", "Shop", "--secret-stdin", typed="another secret\n")
    assert "two secrets count" in typed(*source, "list")
    with typed.opened() as database:
        sources = Sources(database.engine, SystemClock(), CountingIds())
        (found,) = sources.of_site(database.identities.choose_site().key)
        assert found.secrets == ("another secret", SECRET)
    typed(*source, "remove", "--name", "Shop")
    assert typed(*source, "list") == ""


@pytest.mark.parametrize(
    ("words", "typed_in", "problem", "code"),
    [
        (("source", "add", "--kind", "shopify", "--name", "S", "--secret-stdin"), "", "SECRET_TOO_SHORT", 2),
        (("source", "add", "--kind", "shopify", "--name", " ", "--secret-stdin"), SECRET, "NAME_NEEDED", 2),
        (("source", "rotate", "--name", "S", "--secret-stdin"), SECRET, "WEBHOOK_SOURCE_UNKNOWN", 1),
        (("source", "remove", "--name", "S"), "", "WEBHOOK_SOURCE_UNKNOWN", 1),
        (("target", "add", "--name", "T", "--url", "ftp://x"), "", "WEBHOOK_URL_INVALID", 1),
        (("target", "add", "--name", "T", "--url", "http://"), "", "WEBHOOK_URL_INVALID", 1),
        (("target", "add", "--name", "T", "--url", f"http://u:{SECRET}@[x"), "", "WEBHOOK_URL_INVALID", 1),
        (("target", "add", "--name", "T", "--url", "http://x:99999"), "", "WEBHOOK_URL_INVALID", 1),
        (
            ("target", "add", "--name", "T", "--url", "http://x", "--events", "lost"),
            "",
            "WEBHOOK_EVENT_UNKNOWN",
            1,
        ),
        (
            ("target", "add", "--name", "T", "--url", "http://x", "--events", ","),
            "",
            "WEBHOOK_EVENT_UNKNOWN",
            1,
        ),
        (("target", "remove", "--name", "T"), "", "WEBHOOK_TARGET_UNKNOWN", 1),
        (("target", "test", "--name", "T"), "", "WEBHOOK_TARGET_UNKNOWN", 1),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    typed: Typed, words: tuple[str, ...], typed_in: str, problem: str, code: int
) -> None:
    """With what helps."""
    line = typed("webhook", *words, typed=typed_in, code=code)
    assert f"[{problem}]" in line
    assert line.count("\n") == 1


def test_a_name_is_one_sources_and_a_word_one_shops(typed: Typed) -> None:
    """Else the orders of two shops would be taken for each other."""
    add: Callable[..., str] = typed
    words = ("webhook", "source", "add", "--kind", "woocommerce", "--secret-stdin")
    add(*words, "--name", "A", typed=SECRET)
    assert "WEBHOOK_SOURCE_EXISTS" in add(*words, "--name", "A", "--label", "b", typed=SECRET, code=1)
    assert "WEBHOOK_LABEL_TAKEN" in add(*words, "--name", "B", typed=SECRET, code=1)
    add(*words, "--name", "B", "--label", "shop b", typed=SECRET)
    first, second = typed("webhook", "source", "list").splitlines()
    assert first.endswith("orders of 'woocommerce'")
    assert second.endswith("orders of 'shop b'")


def test_a_target_from_its_first_day_to_its_last(typed: Typed) -> None:
    """Its address is shown without what may be secret in it."""
    with Receiver() as receiver:
        url = receiver.url.replace("//", f"//me:{SECRET}@") + f"?key={SECRET}"
        add = ("webhook", "target", "add", "--name", "Shop", "--url", url)
        out = typed(*add, "--events", "shipped, moved", "--secret-stdin", typed=SECRET)
        assert out == "Shop is told: moved, shipped.\n"
        listed = typed("webhook", "target", "list")
        assert listed == f"Shop: {receiver.url}?…, moved, shipped; 0 waiting, 0 dead\n"
        assert typed("webhook", "target", "test", "--name", "Shop") == "Shop took the ping.\n"
        assert receiver.got[0].told["event"] == "ping"
        receiver.answer = lambda _: 401
        assert "HTTP 401" in typed("webhook", "target", "test", "--name", "Shop", code=1)
        typed("webhook", "target", "remove", "--name", "Shop")
        assert typed("webhook", "target", "list") == ""
        out = typed("webhook", "target", "add", "--name", "Shop", "--url", receiver.url)
        told = "moved, shipped, held, cancelled, reinstated"
        assert out.startswith(f"Shop is told: {told}.\nIts secret, shown only now: ")


@pytest.mark.expects_log_warnings
def test_dead_letters_are_listed_retried_and_dropped(typed: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one or all."""
    monkeypatch.setattr(outbox_module, "ATTEMPTS", 1)
    typed("webhook", "target", "add", "--name", "Shop", "--url", "http://x", "--events", "created")
    with typed.opened() as database:
        outbox = Outbox(database.engine, SystemClock(), CountingIds(9_000))
        site = database.identities.choose_site().key
        orders = [Operation(f"op-{n}", f"order-{n}", Import(fresh_order(n))) for n in range(3)]
        database.store.import_orders(site, orders, "batch")
        (target,) = outbox.behind()
        outbox.collect(target)
        for claimed in outbox.claim(target, 10):
            outbox.settle(claimed, "HTTP 500")
    lines = typed("webhook", "dead", "list").splitlines()
    assert ["created of order order-2 at" in lines[0], len(lines)] == [True, 3]
    assert lines[0].endswith("1 attempts, HTTP 500")
    dead = [line.partition(":")[0] for line in lines]
    assert "3 dead" in typed("webhook", "target", "list")
    assert typed("webhook", "dead", "retry", "--id", dead[0]) == "1 will be sent again.\n"
    assert typed("webhook", "dead", "drop", "--id", dead[1], "--id", "x") == "1 forgotten.\n"
    assert typed("webhook", "dead", "retry", "--all") == "1 will be sent again.\n"
    assert typed("webhook", "dead", "drop", "--all") == "0 forgotten.\n"
    assert "DEAD_LETTER_UNKNOWN" in typed("webhook", "dead", "drop", "--id", "nobody", code=1)


def test_folders_are_added_listed_and_removed(typed: Typed, tmp_path: Path) -> None:
    """With what the importer would ask."""
    place = tmp_path / "in"
    assert "WATCHED_FOLDER_MISSING" in typed("folder", "add", "--path", place, code=1)
    place.mkdir()
    odd = tmp_path / "b\udcfccher"
    odd.mkdir()
    assert "WATCHED_FOLDER_NAME" in typed("folder", "add", "--path", odd, code=1)
    words = ("--mapping", "generic", "--date-format", "d/m/y", "--as-open", "--repair")
    assert str(place) in typed("folder", "add", "--path", place, *words)
    answers = "mapping generic, date_style d/m/y, repair True, as_open True"
    assert typed("folder", "list") == f"{place}: {answers}; no problem\n"
    assert "watched already" in typed("folder", "add", "--path", place, code=1)
    (place / "within").mkdir()
    assert f"{place} is in it, or it in that" in typed("folder", "add", "--path", place / "within", code=1)
    for wrong, why in (
        (("--delimiter", "ab"), "DELIMITER_WRONG"),
        (("--source", "manual"), "SOURCE_WRONG"),
        (("--mapping", "nobody"), "MAPPING_UNKNOWN"),
        (("--mapping", "nobody.toml"), "MAPPING_UNKNOWN"),
    ):
        assert why in typed("folder", "add", "--path", tmp_path / "other", *wrong, code=2)
    typed("folder", "remove", "--path", place)
    assert "WATCHED_FOLDER_UNKNOWN" in typed("folder", "remove", "--path", place, code=1)
