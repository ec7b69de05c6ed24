"""The description of the HTTP interface (OpenAPI 3.1), made of the routes themselves.

Only whoever is signed in gets it: what is public is a short list, and nobody needs this before signing in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.describing import About
from server.kernel.http import STATUS, json_response
from server.kernel.records import Principal
from server.kernel.routes import PublicRoute, Route
from server.kernel.services import Services
from server.registration import Module
from sync.contract.permissions import Right
from sync.contract.problems import Problem

PATH: Final = "/openapi.json"
_REFERENCE: Final = "#/components/schemas/{name}"
_PARAMETER: Final = re.compile(r"{(\w+)}")
_SIGNED_IN: Final = ("SIGN_IN_NEEDED", "FORBIDDEN")
_WITH_BODY: Final = ("BAD_REQUEST", "BODY_TOO_LARGE")

AnyRoute = Route | PublicRoute


async def show_description(request: Request, _principal: Principal, services: Services) -> Response:
    """Return the description."""
    answer = await services.blocking(describe, request.app.state.routes, services.version)
    return json_response(answer, headers={"Cache-Control": "private, max-age=300"})


def describe(routes: Iterable[AnyRoute], version: str) -> dict[str, Any]:
    """Return the OpenAPI document of these routes."""
    routes = tuple(routes)
    types = [kind for route in routes for kind in _types(route.about)]
    schemas, components = msgspec.json.schema_components(
        [Problem, *types], schema_hook=_anything, ref_template=_REFERENCE
    )
    schema_of = dict(zip(map(id, types), schemas[1:], strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Fulfillment Kanban",
            "version": version,
            "description": "Orders in and out. Organisation and site come from the token.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The access_token of POST /sign-in.",
                }
            },
        },
        "security": [{"token": []}],
    }


def _anything(kind: type) -> dict[str, Any]:
    """Describe what msgspec cannot: a field whose type says nothing may be anything."""
    if kind is object:
        return {"description": "Anything."}
    raise NotImplementedError(kind)


def _types(about: About) -> Iterator[Any]:
    """Give every type that a route takes or answers."""
    if about.body is not None:
        yield about.body
    if about.answer is not None:
        yield about.answer
    for parameter in about.parameters:
        yield parameter.kind


def _operation(route: AnyRoute, schema_of: dict[int, dict[str, Any]]) -> dict[str, Any]:
    about = route.about
    operation: dict[str, Any] = {
        "operationId": route.handler.__name__,
        "summary": about.summary,
        "parameters": _parameters(route, schema_of),
        "responses": _responses(route, schema_of),
    }
    if isinstance(route, PublicRoute):
        operation["security"] = []
    else:
        operation["description"] = f"Needs the right `{route.right}`."
    if about.body is not None:
        content = {"application/json": {"schema": schema_of[id(about.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _parameters(route: AnyRoute, schema_of: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(route.path)
    ]
    in_query = [
        {"name": each.name, "in": "query", "description": each.words, "schema": schema_of[id(each.kind)]}
        for each in route.about.parameters
    ]
    return in_path + in_query


def _responses(route: AnyRoute, schema_of: dict[int, dict[str, Any]]) -> dict[str, Any]:
    about = route.about
    answer: dict[str, Any] = {"description": HTTPStatus(about.status).phrase}
    if about.answer is not None:
        answer["content"] = {about.answer_kind: {"schema": schema_of[id(about.answer)]}}
    responses: dict[str, Any] = {str(about.status): answer}
    codes: dict[int, list[str]] = {}
    for code in dict.fromkeys(_codes(route)):
        codes.setdefault(STATUS.get(code, 400), []).append(code)
    for status, names in sorted(codes.items()):
        responses[str(status)] = _problem(", ".join(names))
    responses["default"] = _problem("What went wrong, and what to do about it")
    return responses


def _codes(route: AnyRoute) -> Iterator[str]:
    """Give the codes of the problems that a route can answer."""
    if isinstance(route, Route):
        yield from _SIGNED_IN
    if route.about.body is not None:
        yield from _WITH_BODY
    elif route.about.parameters:
        yield "BAD_REQUEST"
    yield from route.about.problems


def _problem(words: str) -> dict[str, Any]:
    reference = {"$ref": _REFERENCE.format(name=Problem.__name__)}
    return {"description": words, "content": {"application/json": {"schema": reference}}}


_ABOUT: Final = About("This description", None, dict[str, Any])

MODULE: Final = Module(
    name="openapi",
    routes=(Route(PATH, "GET", show_description, Right.READ_BOARD, _ABOUT),),
)
