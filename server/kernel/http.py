"""HTTP: the routes of the modules behind one guard, with limits and headers around everything.

Deny by default: a :class:`Route` is reached only by whoever is signed in and has its right; what may be
asked without that is a :class:`PublicRoute`, and there are few. Organisation and site come from the token.
Every refusal and every fault is a Problem as JSON.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Final, TypeVar

import msgspec
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from server.kernel.auth import TooManyAttemptsError
from server.kernel.routes import PublicRoute, Route
from server.kernel.services import Services
from server.surroundings import Surroundings
from sync.contract.permissions import is_allowed
from sync.contract.problems import Problem, ProblemError

T = TypeVar("T")
_LOG: Final = logging.getLogger(__name__)
STATUS: Final = {
    "BAD_REQUEST": 400,
    "SIGN_IN_NEEDED": 401,
    "TOKEN_EXPIRED": 401,
    "TOKEN_REUSED": 401,
    "SIGNED_OUT": 401,
    "DEVICE_UNKNOWN": 401,
    "DEVICE_REVOKED": 401,
    "PASSWORD_WRONG": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "NOT_READY": 409,
    "CUT_OFFS_CHANGED": 409,
    "BODY_TOO_LARGE": 413,
    "TOO_MANY_ATTEMPTS": 429,
    "TOO_MANY_EXPORTS": 429,
}
"""The HTTP status of a problem; every other code is 400."""


def json_response(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer; structs, lists, dicts and encoded parts may be mixed."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


def make_app(routes: Iterable[Route | PublicRoute], services: Services) -> Starlette:
    """Return the application: every route behind its guard."""
    routes = tuple(routes)
    app = Starlette(
        routes=[
            StarletteRoute(route.path, _endpoint(route, services), methods=[route.method]) for route in routes
        ],
        exception_handlers={
            HTTPException: _on_http_error,
            ProblemError: _on_problem,
            OperationalError: _on_database_away,
        },
    )
    app.router.redirect_slashes = False
    app.state.routes = routes
    limits = {f"{route.method} {route.path}": route.about.body_bytes for route in routes}
    app.add_middleware(Surroundings, limits=limits)
    return app


Endpoint = Callable[[Request], Awaitable[Response]]


def _endpoint(route: Route | PublicRoute, services: Services) -> Endpoint:
    return _public(route, services) if isinstance(route, PublicRoute) else _guarded(route, services)


def _public(route: PublicRoute, services: Services) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await route.handler(request, services)

    return endpoint


def _guarded(route: Route, services: Services) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        token = bearer_token(request)
        principal = await services.blocking(services.reader.authenticate, token) if token else None
        if principal is None:
            raise ProblemError("SIGN_IN_NEEDED", "You are not signed in.", "Sign in again.")
        if not is_allowed(principal.role, route.right):
            raise ProblemError("FORBIDDEN", "Your role does not allow this.", "Ask a supervisor.")
        return await route.handler(request, principal, services)

    return endpoint


def bearer_token(request: Request) -> str:
    """Return the token of the Authorization header, empty when there is none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def json_body(request: Request, kind: type[T]) -> T:
    """Return the body as ``kind``; raises BAD_REQUEST."""
    body = await request.body()
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ProblemError(
            "BAD_REQUEST", "The request is not what this address takes.", "Update the program."
        ) from error


async def _on_problem(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    headers: dict[str, str] = {}
    status = STATUS.get(error.problem.code, 400)
    if isinstance(error, TooManyAttemptsError):
        headers["Retry-After"] = str(-(-error.wait_ms // 1000))
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return json_response(error.problem, status, headers)


async def _on_database_away(_request: Request, error: Exception) -> Response:
    """Answer while the database is away, full or locked: one line in the log, no trace for each request."""
    reason = str(getattr(error, "orig", error)).strip().partition("\n")[0]
    _LOG.warning("database cannot be used", extra={"reason": reason})
    problem = Problem(
        "DATABASE_AWAY", "The server cannot use its database now.", "Try again in a moment, then tell IT."
    )
    return json_response(problem, 503, {"Retry-After": "5"})


async def _on_http_error(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    problem = Problem("NOT_FOUND", "There is nothing at this address.", "Check the address.")
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        sentence = f"This address does not take {request.method}."
        problem = Problem("METHOD_NOT_ALLOWED", sentence, "GET /openapi.json lists what it takes.")
    elif error.status_code != HTTPStatus.NOT_FOUND:
        problem = Problem("BAD_REQUEST", "The request makes no sense.", "Correct it and send it again.")
    return json_response(problem, error.status_code, dict(error.headers or {}))
