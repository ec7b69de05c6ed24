"""What is said before the first paint: kept in memory, because the log's file costs imports."""

from __future__ import annotations

import logging
from typing import Final

MAX_RECORDS: Final = 1_000


class EarlyLog(logging.Handler):
    """Keeps records until there is a log to pass them to."""

    def __init__(self) -> None:
        """Take everything from now on."""
        super().__init__()
        self._records: list[logging.LogRecord] = []
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record, up to a limit."""
        if len(self._records) < MAX_RECORDS:
            self._records.append(record)

    def pass_to(self, log: logging.Handler | None) -> None:
        """Hand over to the log, if there is one, and end."""
        logging.getLogger().removeHandler(self)
        records, self._records = self._records, []
        for record in records:
            if log is not None and record.levelno >= logging.getLogger().level:
                log.handle(record)
