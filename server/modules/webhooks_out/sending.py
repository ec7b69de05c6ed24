"""The job that sends what stands in the outbox.

Every target is served on its own, so one that hangs holds nobody up; a target that does not answer is left
alone for a moment after a few tries. httpx is loaded when there is something to send.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from server import VERSION
from server.registration import JobContext
from server.telling.outbox import NO_ANSWER, Delivery, Outbox
from server.telling.targets import Target
from sync.contract.ports import Clock

if TYPE_CHECKING:
    import httpx

TIMEOUT_S: Final = 10.0
"""How long one attempt may take in all."""
AT_ONCE: Final = 4
FAILURES: Final = 3
REST_S: Final = 5.0
"""How long a target is left alone that did not answer several times in a row."""
LOOK_S: Final = 0.5
"""How often is looked for more while anything is on its way."""
_READ_BYTES: Final = 16 * 1024
_HEADER: Final = "X-Fulfillment-Kanban-"


def signature_of(secret: str, timestamp: str, body: bytes) -> str:
    """Return what stands in the header Signature: the time belongs to what is signed, against replays."""
    signed = hmac.digest(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={signed.hex()}"


def headers_of(secret: str, event: str, delivery_id: str, timestamp: str, body: bytes) -> dict[str, str]:
    """Return the headers of one attempt."""
    return {
        "Content-Type": "application/json",
        "User-Agent": f"fulfillment-kanban-server/{VERSION}",
        f"{_HEADER}Event": event,
        f"{_HEADER}Delivery": delivery_id,
        f"{_HEADER}Timestamp": timestamp,
        f"{_HEADER}Signature": signature_of(secret, timestamp, body),
    }


def new_client() -> httpx.AsyncClient:
    """Return the client for all targets; it follows no redirects, which would take the body elsewhere."""
    import httpx

    limits = httpx.Limits(max_connections=100, max_keepalive_connections=20)
    return httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, limits=limits)


async def post(
    client: httpx.AsyncClient, target: Target, event: str, delivery_id: str, body: bytes, clock: Clock
) -> str:
    """Make one attempt and return why it failed, "" when it did not. Names no address."""
    import httpx

    headers = headers_of(target.secret, event, delivery_id, str(clock.wall_ms() // 1000), body)
    try:
        # The client's own limit begins anew with every byte.
        async with asyncio.timeout(TIMEOUT_S):
            request = client.stream("POST", target.url, content=body, headers=headers)
            async with request as response:
                status = response.status_code
                await _read_a_little(response)
    except (TimeoutError, httpx.TimeoutException):
        return f"{NO_ANSWER} within {TIMEOUT_S:g} s"
    except httpx.ConnectError:
        return f"{NO_ANSWER}: no connection"
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError, OSError) as error:
        return f"{NO_ANSWER}: {type(error).__name__}"
    return "" if 200 <= status < 300 else f"HTTP {status}"


async def _read_a_little(response: httpx.Response) -> None:
    """Read a short answer to its end, so that the connection serves again; leave a long one."""
    length = 0
    async for part in response.aiter_raw():
        length += len(part)
        if length > _READ_BYTES:
            break


def send(context: JobContext) -> None:
    """Collect what happened and send what is due (the job)."""
    services = context.services
    outbox = Outbox(services.engine, services.clock, services.ids)
    _collect(outbox, context)
    if outbox.due():
        asyncio.run(_send_all(outbox, context))


def prune(context: JobContext) -> None:
    """Forget old deliveries (the job)."""
    services = context.services
    Outbox(services.engine, services.clock, services.ids).prune()


def _collect(outbox: Outbox, context: JobContext) -> None:
    for target_id in outbox.behind():
        while outbox.collect(target_id) and not context.stopping.is_set():
            pass


async def _send_all(outbox: Outbox, context: JobContext) -> None:
    """Serve targets side by side until nothing is due."""
    loop = asyncio.get_running_loop()
    serving: dict[str, asyncio.Task[bool]] = {}
    resting: dict[str, float] = {}
    async with new_client() as client:
        while not context.stopping.is_set():
            for target in outbox.due():
                if target.id not in serving and resting.get(target.id, 0.0) <= loop.time():
                    task = _serve(client, outbox, target, context)
                    serving[target.id] = asyncio.create_task(task)
            if not serving:
                return
            await asyncio.wait(serving.values(), timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
            for target_id, served in list(serving.items()):
                if served.done():
                    del serving[target_id]
                    resting[target_id] = loop.time() + (LOOK_S if served.result() else REST_S)
            _collect(outbox, context)
        # What is cut off here is sent again once its claim has ended.
        for served in serving.values():
            served.cancel()
        await asyncio.gather(*serving.values(), return_exceptions=True)


async def _serve(client: httpx.AsyncClient, outbox: Outbox, target: Target, context: JobContext) -> bool:
    """Send what is due to one target; False: it does not answer."""
    failures = 0
    while failures < FAILURES:
        claimed = outbox.claim(target.id, AT_ONCE)
        if not claimed:
            return True
        answers = await asyncio.gather(
            *(_attempt(client, outbox, target, delivery, context) for delivery in claimed)
        )
        failures = failures + len(answers) if all(answers) else 0
    return False


async def _attempt(
    client: httpx.AsyncClient, outbox: Outbox, target: Target, delivery: Delivery, context: JobContext
) -> str:
    answer = await post(client, target, delivery.event, delivery.id, delivery.body, context.services.clock)
    outbox.settle(delivery, answer)
    return answer
