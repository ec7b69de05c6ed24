"""Answers that cost nothing when the board has not changed: its epoch and seq are their tag."""

from __future__ import annotations

from starlette.requests import Request

from server.kernel.records import Head


def board_headers(head: Head) -> dict[str, str]:
    """Return the headers of an answer about the board: kept, and asked for anew each time."""
    # Whatever changes an order raises the seq, so the seq says whether anything changed.
    return {
        "ETag": f'"{head.epoch}-{head.seq}"',
        "Cache-Control": "no-cache",
        "Vary": "Authorization",
    }


def is_known(request: Request, headers: dict[str, str]) -> bool:
    """Say whether the caller has the answer with this tag."""
    given = request.headers.get("if-none-match", "")
    return headers["ETag"] in {tag.strip().removeprefix("W/") for tag in given.split(",")}
