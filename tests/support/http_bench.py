"""The server's HTTP application without a process: requests go in, answers come out."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from server.kernel.http import make_app
from server.kernel.services import Services
from server.modules import MODULES
from server.registration import Module
from support.server_bench import ServerBench

VERSION = "9.9.9"
SYNC_PORT = 4567


class AppClient:
    """Asks an application directly, one request after the other, each on a loop of its own."""

    def __init__(self, app: Any) -> None:  # noqa: ANN401 - httpx wants its own idea of the type
        self._app = app

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - as httpx
        """Send one request; relative addresses are those of ``http://board.example``."""
        return asyncio.run(self._request(method, url, more))

    def get(self, url: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - as httpx
        """Send a GET."""
        return self.request("GET", url, **more)

    def post(self, url: str, **more: Any) -> httpx.Response:  # noqa: ANN401 - as httpx
        """Send a POST."""
        return self.request("POST", url, **more)

    async def _request(self, method: str, url: str, more: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://board.example") as client:
            return await client.request(method, url, **more)


class HttpBench(ServerBench):
    """A data folder, and the application over it.

    ``commands`` is what the hub was told, ``woken`` which jobs were to run soon.
    """

    def __init__(
        self, folder: Path, modules: tuple[Module, ...] = MODULES, sync_url: str = "", url: str = ""
    ) -> None:
        """Serve ``modules`` on a new data folder, or on the database at ``url``."""
        super().__init__(folder, url=url)
        self.commands: list[object] = []
        self.woken: list[str] = []
        self.desk = self.sign_ins()
        self._threads = ThreadPoolExecutor(2)
        self.services = Services(
            self.database.engine,
            self.database.store,
            self.database.reader,
            self.desk,
            self._threads,
            folder,
            VERSION,
            lambda: SYNC_PORT,
            sync_url,
            self.commands.append,
            self.clock,
            self.ids,
            self.woken.append,
        )
        self.app = make_app([route for module in modules for route in module.routes], self.services)
        self.client = AppClient(self.app)

    def bearer(self, token: str = "") -> dict[str, str]:
        """Return the header of whoever ``token`` is, or of Ana on a new device."""
        return {"Authorization": f"Bearer {token or self.desk.sign_in('here', self.device()).access_token}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._threads.shutdown()
        self.close()
