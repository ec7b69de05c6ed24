"""A terminal on a disk that fails: the real machine on the real stores, and a server that answers.

Jobs are carried out at once; what a store raises comes to the machine as text, as from the database thread.
The person remembers what the screen promised and what it said was undone.
"""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path
from typing import Final

from support.boards import ServerBoard
from support.clocks import CountingIds
from support.drafts import draft
from support.machine_bench import MachineBench
from support.orders import make_orders
from support.proofs_work import any_change
from sync.client.cache import Cache
from sync.client.machine import ClientMachine, Environment
from sync.client.news import ConnectionChanged, LinkState, OperationsNotSaved, OperationsSaved, ProblemArose
from sync.client.outbox import Outbox
from sync.client.stores.cache_delta import own_verdicts
from sync.contract.messages import Decided, Delta, SnapshotChunk, SnapshotEnd, Submit
from sync.contract.operations import operation_bytes
from sync.contract.problems import ProblemError
from sync.contract.steps import Job, JobDone

ORDERS: Final = 24
ACTIONS: Final = 40


class FloorDisk(MachineBench):
    """One terminal, from its start to the moment at which it is killed."""

    def __init__(self, folder: Path) -> None:
        """Start the program; raises ``ProblemError`` as that does."""
        super().__init__()
        self.folder = folder
        self.board = ServerBoard(make_orders(ORDERS), seq=1)
        self.decided = 0
        self._heard = 0
        self.real_outbox = Outbox.open(folder / "outbox.db", CountingIds(1_000)).outbox
        try:
            self.real_cache = Cache.open(folder / "cache.db").cache
        except ProblemError:
            self.real_outbox.close()
            raise
        environment = Environment(self.clock, CountingIds(900), self.jitter, "1.0")
        self.machine = ClientMachine(self.real_outbox.state(), self.real_cache.state(), environment)

    def carried_out(self, job: Job) -> JobDone:
        """Do the job on the real file."""
        store = self.real_outbox if job.store == "outbox" else self.real_cache
        try:
            return JobDone(job.ticket, getattr(store, job.method)(*job.arguments))
        except Exception as error:  # noqa: BLE001 - as the database thread does it
            return JobDone(job.ticket, None, f"{type(error).__name__}: {error}")

    def work(self, chance: random.Random) -> None:
        """Come online, and make moves that the server hears of."""
        self.connect()
        self._welcomed()
        for number in range(ACTIONS):
            drafts = [
                draft(f"op-{number}-{place}", chance.choice(list(self.board.orders)), any_change(chance))
                for place in range(chance.choice((1, 1, 3)))
            ]
            self.submit(*drafts)
            self._serve()

    def _welcomed(self) -> None:
        """Answer a hello with the whole board."""
        self.welcome("epoch-1", self.board.seq, self.decided)
        self.hear(self.board.begin(1, self.decided))
        self.hear(SnapshotChunk.of(0, list(self.board.orders.values())))
        self.hear(SnapshotEnd(self.board.seq))

    def _serve(self) -> None:
        """Decide what came over the link, tell it, and let a lost link come up again."""
        said = [message for message in self.said()[self._heard :] if isinstance(message, Submit)]
        self._heard = len(self.said())
        prev = self.board.seq
        for message in said:
            for operation in message.operations:
                if operation.device_seq == self.decided + 1:
                    self.board.decide(operation)
                    self.decided += 1
        entries = self.board.log[len(self.board.log) - (self.board.seq - prev) :]
        if entries:
            self.hear(Decided(list(own_verdicts(entries, entries[0].operation.device_id))))
            self.hear(Delta(prev, self.board.seq, list(entries)))
        if "retry" in self.timers:
            self.fire("retry")
            self.come_up()
            self._welcomed()

    def close(self) -> None:
        """Let go of the files, as the system does with those of a killed program."""
        for store in (self.real_outbox, self.real_cache):
            store.close()

    # ------------------------------------------------------------------ what must be true afterwards

    def broken(self) -> str:
        """Open the files on a disk that is well again, and say which promise is not kept."""
        saved = {each.op_id: each for news in self.news(OperationsSaved) for each in news.operations}
        denied = {op_id for news in self.news(OperationsNotSaved) for op_id in news.op_ids}
        said = [news.problem for news in self.news(ProblemArose)]
        if denied and not any(problem.code == "NOT_SAVED" for problem in said):
            return "moves were undone and nobody was told"
        opened = Outbox.open(self.folder / "outbox.db", CountingIds(5_000))
        with closing(opened.outbox) as outbox:
            if opened.salvage is not None:
                return f"the outbox is damaged: {opened.salvage.reason}"
            for op_id, operation in saved.items():
                found = outbox._operation(op_id)
                if found is None or operation_bytes(found) != operation_bytes(operation):
                    return f"{op_id} was promised and is lost"
            back = sorted(op_id for op_id in denied if outbox._operation(op_id) is not None)
            is_warned = any("after the next start" in problem.what_to_do for problem in said)
            if back and not is_warned:
                return f"{back} were said to be undone and are there"
        return self._broken_cache(bool(said))

    def _broken_cache(self, is_told: bool) -> str:
        opened = Cache.open(self.folder / "cache.db")
        with closing(opened.cache) as cache:
            if opened.put_aside:
                return f"the cache is damaged: {opened.reason}"
            after = 0
            while after := cache.check(after):
                pass
            if cache.is_suspect:
                return "orders of the cache are damaged"
            state = cache.state()
        is_offline = any(news.state is LinkState.OFFLINE for news in self.news(ConnectionChanged))
        if state.cursor != self.board.seq and not (is_told or is_offline):
            return f"the board stands at {state.cursor} of {self.board.seq} and nobody was told"
        return ""
