"""docs/api.md tells every route, and its examples are what a running server answers.

Every example is sent in its order to a server process; what the page shows must be what comes back (a "…"
and times stand for anything), and what comes back must be what the server's own description says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jsonschema
import msgspec
import pytest

from server.kernel.http import STATUS
from server.kernel.routes import Route
from server.modules import MODULES
from support.real_server import started_server
from support.repository import ROOT
from support.waiting import eventually

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
ROUTES = [route for module in MODULES for route in module.routes]
TIMES = re.compile(r"_ms$|_at$|^bytes$")


class Example(NamedTuple):
    """A request of the page and the answer that it shows."""

    method: str
    path: str
    body: bytes
    status: int
    shown: Any


def examples() -> Iterator[Example]:
    """Read the examples off the page: blocks of ``http``, request and answer in turns."""
    blocks = re.findall(r"^```http\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for asked, answered in zip(blocks[::2], blocks[1::2], strict=True):
        head, _, body = asked.partition("\n\n")
        method, path = head.split()
        status, _, shown = answered.partition("\n\n")
        yield Example(method, path, body.encode(), int(status), msgspec.json.decode(shown) if shown else None)


class Conversation:
    """A signed-in program that fills the words of the page in."""

    def __init__(self, url: str, device_token: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=30)
        self.words = {"DEVICE_TOKEN": device_token}
        self.description: dict[str, Any] = {}

    def say(self, example: Example) -> httpx.Response:
        """Send the request of an example and remember what later ones need."""
        path, body = example.path, example.body.decode()
        for word, value in self.words.items():
            path, body = path.replace(word, value), body.replace(word, value)
        answer = self.client.request(example.method, path, content=body)
        if answer.headers.get("content-type") == "application/json" and answer.is_success:
            self._remember(example, answer.json())
        return answer

    def _remember(self, example: Example, answer: Any) -> None:  # noqa: ANN401 - JSON
        if example.path == "/sign-in":
            self.client.headers["Authorization"] = f"Bearer {answer['access_token']}"
            self.description = self.client.get("/openapi.json").json()
        elif (example.method, example.path) == ("POST", "/orders"):
            self.words["ORDER_ID"] = answer["orders"][0]["order_id"]
        elif (example.method, example.path) == ("POST", "/exports"):
            path = f"/exports/{answer['id']}"
            self.words["EXPORT_ID"] = answer["id"]
            eventually(lambda: self.client.get(path).json()["state"] == "finished", 30)

    def check(self, example: Example, answer: httpx.Response) -> None:
        """Hold an answer to what the description says of it."""
        path = example.path.partition("?")[0]
        path = path.replace("ORDER_ID", "{order_id}").replace("EXPORT_ID", "{export_id}")
        said = self.description["paths"][path][example.method.lower()]
        content = said["responses"][str(answer.status_code)].get("content", {})
        if "application/json" not in content:
            return
        schema = {**content["application/json"]["schema"], "components": self.description["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())
        if example.body and answer.is_success:
            wanted = said["requestBody"]["content"]["application/json"]["schema"]
            schema = {**wanted, "components": self.description["components"]}
            jsonschema.Draft202012Validator(schema).validate(msgspec.json.decode(example.body))


def assert_like(shown: Any, found: Any, place: str) -> None:  # noqa: ANN401 - JSON
    """Compare what the page shows with what came: the same keys, and values where they are told."""
    if isinstance(shown, dict):
        assert set(shown) == set(found), place
        for name, value in shown.items():
            if TIMES.search(name) and value:
                assert type(found[name]) is type(value), f"{place}.{name}"
            else:
                assert_like(value, found[name], f"{place}.{name}")
    elif isinstance(shown, list):
        assert len(shown) == len(found), place
        for number, pair in enumerate(zip(shown, found, strict=True)):
            assert_like(*pair, f"{place}[{number}]")
    elif isinstance(shown, str) and shown.startswith("/exports/"):
        assert found.startswith("/exports/")
    elif shown != "…":
        assert shown == found, place


def test_every_example_is_what_a_server_answers(tmp_path: Path) -> None:
    """From signing in to removing the export."""
    with started_server(tmp_path) as server:
        conversation = Conversation(server.url, server.device_token)
        with conversation.client:
            said = 0
            for example in examples():
                answer = conversation.say(example)
                assert answer.status_code == example.status, f"{example.path}: {answer.text}"
                if example.shown is not None:
                    assert_like(example.shown, answer.json(), example.path)
                conversation.check(example, answer)
                said += 1
            assert said >= 10


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_told_with_its_right(route: Any) -> None:  # noqa: ANN401 - of either kind
    """And what it is for."""
    right = f"`{route.right}`" if isinstance(route, Route) else "–"
    assert f"| `{route.method} {route.path}` | {right} | {route.about.summary.rstrip('.')} |" in PAGE


def test_no_other_route_is_told() -> None:
    """What was taken out of the program leaves the page, too."""
    told = set(re.findall(r"^\| `([A-Z]+ /[^`]*)`", PAGE, re.MULTILINE))
    assert told == {f"{route.method} {route.path}" for route in ROUTES}


def test_every_problem_is_told_with_its_status() -> None:
    """Those that have a status of their own."""
    rows = re.findall(r"^\| (\d{3}) \| (`[^|]*`) \|", PAGE, re.MULTILINE)
    told = {code: int(status) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    assert {code: told.get(code) for code in STATUS} == STATUS
