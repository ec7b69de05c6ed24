"""Deliveries over HTTP, for whoever administers the site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.modules.webhooks_out import JOB
from server.telling import outbox as outbox_module
from support.telling_bench import TellingBench
from sync.contract.operations import Move
from sync.contract.stages import Stage


class Desk(TellingBench):
    """Ivo of IT asks."""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder, url)
        self.database.identities.add_user(self.site.key, "Ivo", "it")
        self.ivo = self.bearer(self.desk.sign_in("here", self.device(user="Ivo")).access_token)
        target = self.target()
        for place in range(3):
            self.do(Move(Stage.PICKING), place)
        self.collect(target)
        for claimed, answer in zip(self.outbox.claim(target, 2), ("HTTP 500", ""), strict=True):
            self.outbox.settle(claimed, answer)


@pytest.fixture
def bench(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """One delivery each: dead, done, waiting."""
    monkeypatch.setattr(outbox_module, "ATTEMPTS", 1)
    with Desk(tmp_path / "data", database_url) as bench:
        yield bench


@pytest.mark.expects_log_warnings
def test_deliveries_are_listed(bench: Desk) -> None:
    """The newest first, all or those of one state; nothing of the body."""
    get = bench.client.get
    everything = get("/webhooks/deliveries", headers=bench.ivo).json()["deliveries"]
    assert [each["state"] for each in everything] == ["waiting", "done", "dead"]
    (dead,) = get("/webhooks/deliveries", params={"state": "dead"}, headers=bench.ivo).json()["deliveries"]
    assert (dead["target"], dead["event"], dead["answer"]) == ("Shop", "moved", "HTTP 500")
    assert dead["order_id"].endswith("A-0")


@pytest.mark.expects_log_warnings
def test_a_dead_letter_is_sent_again(bench: Desk) -> None:
    """Now, not at the job's next time; one that is not dead is left alone."""
    path = f"/webhooks/deliveries/{bench.dead()[0].id}/retry"
    assert bench.client.post(path, headers=bench.ivo).json()["state"] == "waiting"
    assert bench.woken == [JOB]
    assert bench.dead() == []
    path = f"/webhooks/deliveries/{bench.done()[0].id}/retry"
    assert bench.client.post(path, headers=bench.ivo).json()["state"] == "done"
    for nobody in ("nobody", "%00", "x" * 3_000):
        answer = bench.client.post(f"/webhooks/deliveries/{nobody}/retry", headers=bench.ivo)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.expects_log_warnings
def test_a_state_that_there_is_not_is_refused(bench: Desk) -> None:
    """With what there is."""
    answer = bench.client.get("/webhooks/deliveries?state=gone", headers=bench.ivo)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
