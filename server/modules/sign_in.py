"""Signing in over HTTP: device token to tokens, refresh, sign-out, and where the socket is."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.describing import About
from server.kernel.auth import SignedIn
from server.kernel.connections import SignInsEnded
from server.kernel.http import json_body, json_response
from server.kernel.records import Principal
from server.kernel.routes import PublicRoute, Route
from server.kernel.services import Services
from server.registration import Module
from sync.contract.messages import Site
from sync.contract.permissions import Right, Role


class SignInBody(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /sign-in`` takes."""

    device_token: str
    user: str = ""
    password: str = ""


class RefreshBody(msgspec.Struct, forbid_unknown_fields=True):
    """What ``POST /refresh`` takes."""

    refresh_token: str


class PersonBody(msgspec.Struct):
    """Who is signed in."""

    id: str
    name: str
    role: Role


class SignedInBody(msgspec.Struct):
    """Tokens, and whose they are: ``Authorization: Bearer <access_token>`` from now on."""

    access_token: str
    access_expires_ms: int
    refresh_token: str
    person: PersonBody
    site: Site
    sign_in_id: str


class SyncAddress(msgspec.Struct):
    """Where the socket is."""

    url: str


async def sign_in(request: Request, services: Services) -> Response:
    """Sign a device in, as its own user or as another by name and password."""
    body = await json_body(request, SignInBody)
    origin = request.client.host if request.client is not None else ""
    signed_in = await services.blocking(
        services.sign_ins.sign_in, origin, body.device_token, body.user, body.password
    )
    return _answer(signed_in)


async def refresh(request: Request, services: Services) -> Response:
    """Renew a sign-in; the refresh token is used up by it."""
    body = await json_body(request, RefreshBody)
    return _answer(await services.blocking(services.sign_ins.refresh, body.refresh_token))


async def sign_out(_request: Request, principal: Principal, services: Services) -> Response:
    """End the sign-in that this token belongs to, its live connections included."""
    await services.blocking(services.sign_ins.sign_out, principal.person.sign_in_id)
    services.send(SignInsEnded((principal.person.sign_in_id,)))
    return Response(status_code=204)


async def sync_address(request: Request, _principal: Principal, services: Services) -> Response:
    """Say where the socket is: people type one address, the program asks for the other."""
    url = services.sync_url
    if not url:
        scheme = "wss" if request.url.scheme == "https" else "ws"
        host = request.url.hostname or "127.0.0.1"
        url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{services.sync_port()}/"
    return json_response(SyncAddress(url))


def _answer(signed_in: SignedIn) -> Response:
    principal = signed_in.principal
    person = principal.person
    return json_response(
        SignedInBody(
            signed_in.access_token,
            principal.expires_ms,
            signed_in.refresh_token,
            PersonBody(person.id, person.name, Role(person.role)),
            principal.site.as_site(),
            person.sign_in_id,
        )
    )


_SIGN_IN: Final = About(
    "Sign a device in, as its own user or as another by name and password",
    SignInBody,
    SignedInBody,
    problems=("DEVICE_UNKNOWN", "DEVICE_REVOKED", "PASSWORD_WRONG", "TOO_MANY_ATTEMPTS"),
)
_REFRESH: Final = About(
    "Renew a sign-in; the refresh token is used up by it",
    RefreshBody,
    SignedInBody,
    problems=("TOKEN_EXPIRED", "TOKEN_REUSED"),
)
_SIGN_OUT: Final = About("End this sign-in and its live connections", status=204)
_ADDRESS: Final = About("Say where the socket of the boards is", None, SyncAddress)

MODULE: Final = Module(
    name="sign_in",
    routes=(
        PublicRoute("/sign-in", "POST", sign_in, _SIGN_IN),
        PublicRoute("/refresh", "POST", refresh, _REFRESH),
        Route("/sign-out", "POST", sign_out, Right.READ_BOARD, _SIGN_OUT),
        Route("/sync-address", "GET", sync_address, Right.READ_BOARD, _ADDRESS),
    ),
)
