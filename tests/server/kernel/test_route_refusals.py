"""Every route, without exception, refuses whoever is not allowed to use it.

The routes are read off the running application: a new one is tested here without anybody thinking of it,
and a new public one fails until it is named below.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert
from starlette.routing import Route as StarletteRoute

from server.kernel.auth import ACCESS_MS
from server.kernel.records import SiteRow
from server.kernel.routes import PublicRoute, Route
from server.modules import MODULES
from server.modules.exports.tables import export_jobs
from server.telling.tables import webhook_deliveries
from server.telling.targets import Targets
from support.http_bench import HttpBench
from sync.contract.permissions import ALLOWED, Role

PUBLIC = {
    *("/health", "/ready", "/.well-known/fulfillment-kanban", "/sign-in", "/refresh"),
    # A shop cannot sign in: it signs what it sends.
    *("/webhooks/shopify/{source_id}", "/webhooks/woocommerce/{source_id}"),
}
BODIES: dict[str, object] = {
    "PUT /cut-offs": {},
    "POST /orders": [],
    "POST /operations": [],
    "POST /exports": {"format": "csv"},
}
"""What a route is sent to answer those who may; without an entry nothing."""
GUARDED = [route for module in MODULES for route in module.routes if isinstance(route, Route)]
IDS = [f"{route.method} {route.path}" for route in GUARDED]


class TwoOrganizations(HttpBench):
    """The application over two organisations, each with orders."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.stranger = self.crowd("Other organization", "Main")
        self.import_orders(2)
        self.import_orders(2, self.stranger, first=10)
        for site, number in ((self.site, 0), (self.stranger, 10)):
            self._export(site, f"{site.key.site_id}-A-{number}")
            self._delivery(site, f"{site.key.site_id}-A-{number}")

    def _export(self, site: SiteRow, export_id: str) -> None:
        """Put a finished export there: it has the id of an order, so that one id fills every path."""
        ana = self.principal(site).person
        with self.database.engine.begin() as connection:
            connection.execute(
                insert(export_jobs).values(
                    id=export_id,
                    organization_id=site.key.organization_id,
                    site_id=site.key.site_id,
                    user_id=ana.id,
                    format="csv",
                    filter="{}",
                    has_bom=False,
                    state="finished",
                    problem="",
                    orders_done=1,
                    orders_total=1,
                    bytes=1,
                    leased_until=0,
                    created_at=self.clock.wall_ms(),
                )
            )
        (self.folder / "exports").mkdir(exist_ok=True)
        (self.folder / "exports" / f"{export_id}.csv").write_text(export_id)

    def _delivery(self, site: SiteRow, delivery_id: str) -> None:
        """Put a dead letter there, likewise."""
        targets = Targets(self.database.engine, self.clock, self.ids)
        target_id = targets.add(site.key, "Shop", "http://127.0.0.1:1/", ("moved",), "secret of nobody")
        with self.database.engine.begin() as connection:
            connection.execute(
                insert(webhook_deliveries).values(
                    id=delivery_id,
                    organization_id=site.key.organization_id,
                    site_id=site.key.site_id,
                    target_id=target_id,
                    place=10,
                    event="moved",
                    order_id=delivery_id,
                    body=b"{}",
                    state="dead",
                    attempts=1,
                    next_at=0,
                    answer="HTTP 500",
                    created_at=0,
                    settled_at=self.clock.wall_ms(),
                )
            )

    def somebody(self, role: Role) -> dict[str, str]:
        """Return the header of a user with this role."""
        self.database.identities.add_user(self.site.key, "Somebody", role)
        return self.bearer(self.desk.sign_in("here", self.device(user="Somebody")).access_token)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[TwoOrganizations]:
    """Two organisations and the application."""
    with TwoOrganizations(tmp_path / "data") as bench:
        yield bench


def own_order(bench: TwoOrganizations) -> str:
    """Return the id of an order of the first organisation."""
    return f"{bench.site.key.site_id}-A-0"


def foreign_order(bench: TwoOrganizations) -> str:
    """Return the id of an order of the other organisation."""
    return f"{bench.stranger.key.site_id}-A-10"


def filled(route: Route, order_id: str) -> str:
    """Return a route's path with every parameter filled in."""
    path = re.sub(r"\{(order|export|delivery)_id\}", order_id, route.path)
    assert "{" not in path, f"say how to fill {route.path} in, and whose id that is"
    return path


def test_the_table_is_what_is_served(bench: TwoOrganizations) -> None:
    """No route reaches the application beside the table of modules."""
    served = {
        (route.path, method)
        for route in bench.app.routes
        if isinstance(route, StarletteRoute)
        for method in (route.methods or ())
        if method != "HEAD"
    }
    assert served == {(route.path, route.method) for module in MODULES for route in module.routes}
    assert len(served) == len(bench.app.routes)


def test_only_these_routes_are_public() -> None:
    """Whoever adds one has to say so here."""
    public = {route.path for module in MODULES for route in module.routes if isinstance(route, PublicRoute)}
    assert public == PUBLIC


@pytest.mark.parametrize("route", GUARDED, ids=IDS)
@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer nobody",
        "Basic QW5hOng=",
        "Token {token}",
        "{token}",
        "Bearer {token}x",
        "Bearer {refresh}",
        "Bearer {device}",
    ],
)
def test_a_route_refuses_whoever_is_not_signed_in(
    bench: TwoOrganizations, route: Route, header: str | None
) -> None:
    """No token, a wrong one, the right one in the wrong place, and tokens that are for something else."""
    device = bench.device()
    signed_in = bench.desk.sign_in("here", device)
    words = {"token": signed_in.access_token, "refresh": signed_in.refresh_token, "device": device}
    headers = {} if header is None else {"Authorization": header.format(**words)}
    answer = bench.client.request(route.method, filled(route, own_order(bench)), headers=headers)
    assert answer.status_code == 401
    assert answer.json()["code"] == "SIGN_IN_NEEDED"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert bench.commands == []


@pytest.mark.parametrize("route", GUARDED, ids=IDS)
def test_a_token_in_the_address_does_not_count(bench: TwoOrganizations, route: Route) -> None:
    """Addresses end up in logs."""
    token = bench.bearer()["Authorization"].removeprefix("Bearer ")
    path = filled(route, own_order(bench))
    answer = bench.client.request(route.method, path, params={"access_token": token, "token": token})
    assert answer.status_code == 401


@pytest.mark.parametrize("route", GUARDED, ids=IDS)
@pytest.mark.parametrize("end", ["expired", "signed out", "device revoked", "user disabled"])
def test_a_route_refuses_whoever_was_signed_in(bench: TwoOrganizations, route: Route, end: str) -> None:
    """From the moment on at which it is over."""
    signed_in = bench.desk.sign_in("here", bench.device())
    headers = {"Authorization": f"Bearer {signed_in.access_token}"}
    identities = bench.database.identities
    if end == "expired":
        bench.clock.advance(ACCESS_MS)
    elif end == "signed out":
        bench.desk.sign_out(signed_in.principal.person.sign_in_id)
    elif end == "device revoked":
        identities.revoke_device(bench.site.key, signed_in.principal.enrolment_id)
    else:
        identities.disable_user(bench.site.key, "Ana")
    answer = bench.client.request(route.method, filled(route, own_order(bench)), headers=headers)
    assert answer.status_code == 401


@pytest.mark.parametrize("route", GUARDED, ids=IDS)
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SYSTEM])
def test_a_route_answers_exactly_the_roles_with_its_right(
    bench: TwoOrganizations, route: Route, role: Role
) -> None:
    """The matrix of roles and routes, read off the permission table."""
    headers = bench.somebody(role)
    answer = bench.client.request(
        route.method,
        filled(route, own_order(bench)),
        headers=headers,
        json=BODIES.get(f"{route.method} {route.path}"),
    )
    if route.right in ALLOWED[role]:
        assert answer.status_code in {200, 202, 204}
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("route", GUARDED, ids=IDS)
def test_a_route_never_shows_another_organisation(bench: TwoOrganizations, route: Route) -> None:
    """Its ids are unknown here, in the path and in the query; nothing of it is in any answer."""
    foreign = foreign_order(bench)
    headers = bench.somebody(next(role for role, rights in ALLOWED.items() if route.right in rights))
    if "{" in route.path:
        answer = bench.client.request(route.method, filled(route, foreign), headers=headers)
        assert answer.status_code == 404
    asked = {"stage": "confirmed", "after": foreign, "site_id": foreign, "organization_id": foreign}
    for name, value in asked.items():
        query = {"stage": "confirmed", name: value}
        answer = bench.client.request(
            route.method, filled(route, own_order(bench)), params=query, headers=headers
        )
        assert "A-10" not in answer.text.replace(foreign, "")
        assert bench.stranger.key.site_id not in answer.text.replace(foreign, "")
