"""Whether the server lacks operations that are done here: it came back from a backup. Pure."""

from __future__ import annotations

from typing import NamedTuple

from sync.client.store_values import Kept
from sync.contract.messages import Welcome


class Offer(NamedTuple):
    """What is kept, and of which epoch the cached board is."""

    kept: Kept
    cache_epoch: str

    def is_due(self, welcome: Welcome, first_device_seq: int) -> bool:
        """Say whether what is kept has to be offered; ``first_device_seq`` is the first that is not done.

        Another epoch is another history. One that has decided less than what is done here is one too,
        whatever it calls itself: a copy was put in the place of the server's file by hand.
        """
        if self.kept.is_empty:
            return False
        is_other = (self.kept.epoch or self.cache_epoch) != welcome.epoch
        return is_other or (
            self.kept.first_device_seq > 0 and welcome.decided_device_seq < first_device_seq - 1
        )
