"""The description is made of the routes, complete, and true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from server.modules import MODULES
from support.http_bench import VERSION, HttpBench

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What a running application says of itself."""
    with HttpBench(tmp_path_factory.mktemp("openapi") / "data") as bench:
        answer = bench.client.get("/openapi.json", headers=bench.bearer())
        assert answer.status_code == 200
        yield answer.json()


def references(value: object) -> Iterator[str]:
    """Give every reference in nested plain values."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def operations(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return every operation by method and path."""
    return {
        f"{method.upper()} {path}": said
        for path, item in description["paths"].items()
        for method, said in item.items()
    }


def test_it_holds_every_route_and_nothing_else(description: dict[str, Any]) -> None:
    """Whoever adds a route adds it here without thinking of it."""
    assert set(operations(description)) == {
        f"{route.method} {route.path}" for module in MODULES for route in module.routes
    }
    assert (description["openapi"], description["info"]["version"]) == ("3.1.0", VERSION)


@pytest.mark.parametrize("route", [r for module in MODULES for r in module.routes], ids=lambda r: r.path)
def test_every_route_describes_itself(route: Any) -> None:  # noqa: ANN401 - of either kind
    """A summary always, an answer whenever there is one."""
    assert route.about.summary, "give the route an About"
    assert route.about.answer is not None or route.about.status == 204


def test_every_operation_is_whole(description: dict[str, Any]) -> None:
    """Its name is its own, its parameters are those of its path, its answers are described."""
    said = operations(description)
    names = [each["operationId"] for each in said.values()]
    assert len(set(names)) == len(names)
    for name, each in said.items():
        path = name.partition(" ")[2]
        in_path = {parameter["name"] for parameter in each["parameters"] if parameter["in"] == "path"}
        assert in_path == {part[1:-1] for part in path.split("/") if part.startswith("{")}
        assert all(answer["description"] for answer in each["responses"].values())
        assert "default" in each["responses"]
        assert (
            name.startswith("GET")
            or "requestBody" in each
            or "{" in path
            or each["operationId"] == "sign_out"
        )


def test_who_needs_no_token_is_said(description: dict[str, Any]) -> None:
    """Everything else needs one."""
    public = {name for name, each in operations(description).items() if each.get("security") == []}
    assert {"GET /health", "POST /sign-in"} <= public
    assert not public & {"GET /orders", "POST /orders", "GET /openapi.json"}


def test_its_schemas_are_schemas_and_its_references_lead_somewhere(description: dict[str, Any]) -> None:
    """By the dialect of OpenAPI 3.1."""
    schemas = description["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    prefix = "#/components/schemas/"
    assert {reference.removeprefix(prefix) for reference in references(description)} <= set(schemas)


def test_what_the_server_takes_is_what_it_describes(description: dict[str, Any]) -> None:
    """A good order passes the schema, a misspelt one does not."""
    content = operations(description)["POST /orders"]["requestBody"]["content"]["application/json"]
    schema = {**content["schema"], "components": description["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    good = {"external_ref": "1", "lines": [{"sku": "A", "quantity": 1}]}
    validator.validate(good)
    validator.validate([good])
    for wrong in ({**good, "quanttiy": 1}, {"external_ref": "1"}, [good] * 1_001):
        assert not validator.is_valid(wrong)
