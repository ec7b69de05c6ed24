"""Serves the web boards on loopback: one page a board, their scripts, the font, and the orders.

``/virtual?count=1000`` is a board; ``/click?to=/virtual?count=1000`` is one large link to it, so that
opening can be timed from a click in a browser that is up already. Nothing leaves the machine.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from widgets.theme.icons import LucideFile

MAX_ORDERS = 1_000_000
_FONT = "Inter[opsz,wght].ttf"
_ICON = re.compile(r"<svg[^>]*>(.*?)</svg>", re.DOTALL)
_ICONS = (
    "ban", "chevrons-up", "circle", "circle-check", "circle-pause", "gift", "message-square", "octagon-alert",
    "package-open", "package-x", "refresh-cw", "tag", "triangle-alert",
)  # fmt: skip
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>
<link rel="preload" href="/inter.ttf" as="font" crossorigin><link rel="stylesheet" href="/board.css">
<svg style="position:absolute" width="0" height="0">{icons}</svg><div id="board"></div>
<script src="/{name}.js"></script></html>"""
_LINK = """<!doctype html><html lang="en"><meta charset="utf-8"><title>click</title>
<body style="margin:0;background:#fff"><a href="{to}" style="position:fixed;inset:0"></a></html>"""


@dataclass(frozen=True)
class Answer:
    """What one address gives. What never changes may be kept by the browser, as a real page's would be."""

    kind: str
    body: bytes
    is_kept: bool = False


class Pages:
    """The answers by path.

    ``built`` holds the scripts, ``sources`` the style sheet, and ``orders`` makes the orders of a count.
    """

    def __init__(self, built: Path, sources: Path, orders: Callable[[int], bytes]) -> None:
        self._built = built
        self._css = sources / "board.css"
        self._orders = cache(orders)
        self._font = cache((resources.files("fontpkg_inter") / "files" / _FONT).read_bytes)

    def answer(self, address: str) -> Answer | None:
        """Return what a path and its query give, None when there is no such thing."""
        parts = urlsplit(address)
        query = parse_qs(parts.query)
        name = parts.path.removeprefix("/")
        if name == "orders.json":
            count = query.get("count", [""])[0]
            is_number = count.isdigit() and 0 < int(count) <= MAX_ORDERS
            return Answer("application/json", self._orders(int(count))) if is_number else None
        if name == "inter.ttf":
            return Answer("font/ttf", self._font(), is_kept=True)
        if name == "board.css":
            return Answer("text/css", self._css.read_bytes(), is_kept=True)
        if name == "click":
            # Everything after the name: the address of the board has a query of its own.
            return Answer("text/html", _LINK.format(to=parts.query.removeprefix("to=")).encode())
        return self._board(name)

    def _board(self, name: str) -> Answer | None:
        """Return a board's page or script, if it was built."""
        stem = name.removesuffix(".js")
        if not re.fullmatch(r"[a-z-]+", stem) or not (self._built / f"{stem}.js").is_file():
            return None
        if name != stem:
            return Answer("text/javascript", (self._built / name).read_bytes(), is_kept=True)
        return Answer("text/html", _PAGE.format(name=stem, icons=icons_svg()).encode())


@cache
def icons_svg() -> str:
    """Return the icons of a card as symbols, each to be used by its name."""
    read = LucideFile(_ICONS)
    symbols = []
    for name in _ICONS:
        found = _ICON.search(read(name).decode())
        assert found is not None, name
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{found[1].strip()}</symbol>')
    return "".join(symbols)


@contextlib.contextmanager
def served(pages: Pages) -> Iterator[str]:
    """Serve on a free port of loopback until the block ends; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        """Answers one request, and keeps the connection for the next."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Give what the pages have at the path."""
            answer = pages.answer(self.path)
            if answer is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", f"{answer.kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Cache-Control", "max-age=86400, immutable" if answer.is_kept else "no-store")
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # a browser that was ended in the middle
                self.wfile.write(answer.body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the library's name
            """Say nothing: a line a request would only hide what was measured."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="peers-http", daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
