"""How long a program waits for ``POST /orders`` with 1,000 orders: new ones, and the same again.

The installed server in a process of its own, over loopback, nobody else on it. Each run posts 1,000 orders
that the server has never seen, three lines each, and then the same bytes once more. Floor: the same bytes to
a handler that does nothing but put each order into one SQLite table, in one durable commit.
"""

from __future__ import annotations

import json
import sqlite3
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx

from bench.shape import percentile, report
from support.orders import make_orders
from support.real_server import started_server
from sync.contract.orders import Order

ORDERS = 1_000
RUNS = 7
WARM_UP = 1


def main() -> None:
    """Post new orders and the same again."""
    bodies = [_body(run) for run in range(RUNS + WARM_UP)]
    with tempfile.TemporaryDirectory(prefix="fk-bench-") as folder:
        floor = round(percentile(_bare(Path(folder), bodies)[WARM_UP:], 50), 3)
        new, again = _served(Path(folder), bodies)
    report("api.post_1000_orders_ms", new[WARM_UP:], "ms", floor=floor)
    report("api.post_1000_unchanged_orders_ms", again[WARM_UP:], "ms", floor=floor)


def _served(folder: Path, bodies: list[bytes]) -> tuple[list[float], list[float]]:
    """Return the times in ms of new orders and of unchanged ones."""
    with started_server(folder) as server:
        token = server.sign_in()["access_token"]
        with httpx.Client(base_url=server.url, timeout=60) as client:
            client.headers["Authorization"] = f"Bearer {token}"
            new, again = [], []
            for body in bodies:
                new.append(_post(client, body, "created"))
                again.append(_post(client, body, "unchanged"))
    return new, again


def _post(client: httpx.Client, body: bytes, result: str) -> float:
    started_ns = time.monotonic_ns()
    answer = client.post("/orders", content=body)
    taken_ms = (time.monotonic_ns() - started_ns) / 1e6
    assert {order["result"] for order in answer.json()["orders"]} == {result}, answer.text[:200]
    return taken_ms


def _bare(folder: Path, bodies: list[bytes]) -> list[float]:
    """Return the times in ms of a handler that only stores what it gets."""
    server = HTTPServer(("127.0.0.1", 0), _handler(folder / "bare.sqlite"))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    samples = []
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}") as client:
            for body in bodies:
                started_ns = time.monotonic_ns()
                assert client.post("/", content=body).status_code == 200
                samples.append((time.monotonic_ns() - started_ns) / 1e6)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    return samples


def _handler(path: Path) -> type[BaseHTTPRequestHandler]:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE orders (ref TEXT PRIMARY KEY, body TEXT NOT NULL)")
    connection.close()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            orders = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            rows = [(order["external_ref"], json.dumps(order)) for order in orders]
            with sqlite3.connect(path) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                connection.executemany("INSERT INTO orders VALUES (?, ?)", rows)
            connection.close()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Say nothing: the measurements are on standard output."""

    return Handler


def _body(run: int) -> bytes:
    """Return 1,000 orders that no other run has."""
    return json.dumps([_plain(run, order) for order in make_orders(ORDERS)]).encode()


def _plain(run: int, order: Order) -> dict[str, object]:
    """Return an order as a web shop sends it."""
    return {
        "external_ref": f"{run}-{order.number}",
        "source": "webshop",
        "number": order.number,
        "placed_at": order.placed_ms,
        "ship_method": order.ship_method,
        "customer": order.customer,
        "ship_to": {"name": order.customer, "street": order.ship_to.street, "city": order.ship_to.city},
        "lines": [
            {"sku": line.sku, "name": line.name, "quantity": line.quantity_ordered, "location": line.location}
            for line in order.lines[:3]
        ],
    }


if __name__ == "__main__":
    main()
