"""The application as a whole: it notices when a part of it ends by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from server.application import Application, Settings
from server.database import create_database
from server.modules import MODULES
from server.system import SystemClock
from support.clocks import CountingIds


def test_an_http_side_that_ends_by_itself_is_noticed(tmp_path: Path) -> None:
    """The process must not live on with half of it dead; a stop afterwards is orderly."""

    async def story() -> None:
        clock, ids = SystemClock(), CountingIds()
        with create_database(tmp_path, clock, ids) as database:
            settings = Settings(host="127.0.0.1", port=0)
            application = Application(database, MODULES, settings, tmp_path, clock, ids, "1")
            await application.start()
            watching = asyncio.create_task(application.failed())
            await asyncio.sleep(0)
            assert not watching.done()
            assert application._http is not None
            application._http.should_exit = True
            await asyncio.wait_for(watching, 10)
            await application.stop()

    asyncio.run(story())
