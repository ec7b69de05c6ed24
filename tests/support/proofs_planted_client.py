"""Planted faults of the terminal: what is durable, what is sent, what is believed, and what is let go of."""

from __future__ import annotations

from typing import Final

from support.proofs_planted import Change, Plant

_BISECTING: Final = "sync/client/bisecting.py"
_CACHE: Final = "sync/client/cache.py"
_CONVERSATION: Final = "sync/client/conversation.py"
_FOLLOWER: Final = "sync/client/follower.py"
_LINK: Final = "sync/client/link.py"
_OUTBOX: Final = "sync/client/outbox.py"
_HISTORY: Final = "sync/client/stores/outbox_history.py"
_NEEDS: Final = "sync/client/stores/outbox_needs.py"
_OVERLAY: Final = "sync/client/overlay.py"
_REBASE: Final = "sync/client/rebase.py"
_ROWS: Final = "sync/client/stores/outbox_schema.py"
_STAGING: Final = "sync/client/stores/cache_snapshot.py"
_WINDOW: Final = "sync/client/window.py"

OUTBOX: Final = (
    Plant(
        "the outbox does not wait for the disk",
        (Change(_OUTBOX, '"PRAGMA synchronous = FULL"', '"PRAGMA synchronous = NORMAL"'),),
    ),
    Plant(
        "the checksum of an outbox row is not looked at",
        (
            Change(
                _ROWS, "not isinstance(body, bytes) or crc(body) != body_crc", "not isinstance(body, bytes)"
            ),
            Change(
                _ROWS,
                "        if _row_crc(device_seq, op_id, tuple(rest)) != row_crc:\n            return None\n",
                "",
            ),
        ),
    ),
    Plant(
        "the checksum of the identity is not looked at",
        (Change(_ROWS, "row is None or identity_crc(row[0], row[1]) != row[2]", "row is None"),),
    ),
    Plant(
        "the checksum of the kept history is not looked at",
        (Change(_HISTORY, "row is None or _crc(*row[:3]) != row[3]", "row is None"),),
    ),
    Plant(
        "the mark beside the outbox stays behind, so an older copy of it passes for whole",
        (
            Change(
                _OUTBOX,
                "   numbered = self._numbered(drafts)\n        self._mark.write(*self._identity())\n",
                "   numbered = self._numbered(drafts)\n",
            ),
        ),
    ),
    Plant(
        "the next number of the device is not stored",
        (
            Change(
                _OUTBOX,
                "        schema.put_identity(self._connection, device_id, next_seq)\n        return tuple(",
                "        return tuple(",
            ),
        ),
    ),
    Plant(
        "what is saved twice is numbered twice",
        (Change(_OUTBOX, "known = self._operation(draft.op_id)", "known = self._operation(draft.boot_id)"),),
    ),
    Plant(
        "a verdict is not stored",
        (
            Change(
                _OUTBOX, "                self._connection.execute(schema.REPLACE, schema.row_of(own))\n", ""
            ),
        ),
    ),
    Plant(
        "a refused operation does not wait for a person",
        (
            Change(
                _NEEDS,
                "        elif not isinstance(operation.change, _QUIET):",
                "        elif verdict is operation:",
            ),
        ),
    ),
    Plant(
        "the checksum of an entry that waits for a person is not looked at",
        (
            Change(
                _NEEDS, "not isinstance(body, bytes) or crc(body) != checksum", "not isinstance(body, bytes)"
            ),
        ),
    ),
    Plant(
        "a quarantined operation leaves a hole in the sequence",
        (
            Change(
                _OUTBOX,
                "self._connection.execute(schema.REPLACE, schema.row_of(Held(skip, None)))",
                'self._connection.execute(f"DELETE FROM operations WHERE device_seq = {device_seq:d}")',
            ),
        ),
    ),
    Plant(
        "a quarantined operation is shown to nobody",
        (
            Change(
                _OUTBOX,
                "            change = outbox_needs.put(self._connection, (entry,))\n        return SetAside",
                "            change = outbox_needs.put(self._connection, ())\n        return SetAside",
            ),
        ),
    ),
    Plant(
        "a new identity begins with numbers that are taken",
        (
            Change(
                _OUTBOX,
                "schema.put_identity(self._connection, device_id, len(held) + 1)",
                "schema.put_identity(self._connection, device_id, 1)",
            ),
        ),
    ),
)
KEPT: Final = (
    Plant(
        "done operations are not kept for a restored server",
        (
            Change(
                _HISTORY,
                'f"INSERT OR REPLACE INTO kept ({schema.COLUMNS}) SELECT {schema.COLUMNS} FROM operations"\n'
                '        f" WHERE {condition} ORDER BY device_seq"',
                'f"INSERT OR REPLACE INTO kept ({schema.COLUMNS}) SELECT {schema.COLUMNS} FROM operations"\n'
                '        f" WHERE {condition} AND op_id IS NULL"',
            ),
        ),
    ),
    Plant(
        "kept operations are not offered to a server of another epoch",
        (
            Change(
                "sync/client/offer.py",
                "is_other = (self.kept.epoch or self.cache_epoch) != welcome.epoch",
                "is_other = not welcome.epoch",
            ),
        ),
    ),
    Plant(
        "a server that was set back by hand is not offered what it lacks",
        (
            Change(
                "sync/client/offer.py",
                "welcome.decided_device_seq < first_device_seq - 1",
                "welcome.decided_device_seq < 0",
            ),
        ),
    ),
    Plant(
        "only some of what is kept is offered again",
        (Change(_HISTORY, '"WHERE place < ? OR device_seq > ?"', '"WHERE place < ? AND device_seq > ?"'),),
    ),
    Plant(
        "verdicts of another epoch count",
        (
            Change(
                _WINDOW,
                "held.verdict is not None and (not is_same_epoch or device_seq > decided_device_seq)",
                "held.verdict is not None and device_seq > decided_device_seq",
            ),
        ),
    ),
    Plant(
        "durable_seq is ignored: nothing kept is ever let go of",
        (
            Change(
                _CONVERSATION,
                "if durable_seq and self._covered != (epoch, durable_seq):",
                "if durable_seq < 0:",
            ),
        ),
    ),
    Plant(
        "durable_seq of another epoch lets kept operations go",
        (Change(_OUTBOX, "if not place or epoch != history.epoch:", "if not place:"),),
    ),
    Plant(
        "what no backup covers is let go of",
        (Change(_HISTORY, "        if seq > durable_seq:", "        if seq > 2 * durable_seq + 1000:"),),
    ),
    Plant(
        "the epoch of what is kept is not stored",
        (Change(_OUTBOX, "            now = now._replace(epoch=epoch or now.epoch)\n", ""),),
    ),
)
SENDING: Final = (
    Plant(
        "the window is not reset when a link is lost",
        (
            Change(
                _WINDOW,
                "        self._to_send = self._faulted = None\n        for held in",
                "        for held in",
            ),
        ),
    ),
    Plant(
        "what has a verdict from the outbox is sent from the middle on",
        (
            Change(
                _WINDOW,
                "        self._to_send = next(undecided, self._next_device_seq)",
                "        self._to_send = max(undecided, default=self._next_device_seq)",
            ),
        ),
    ),
    Plant(
        "more than the window is sent",
        (
            Change(
                _WINDOW,
                "room = min(SUBMIT_OPERATIONS, SUBMIT_WINDOW - self._unanswered())",
                "room = SUBMIT_OPERATIONS",
            ),
        ),
    ),
    Plant(
        "behind an operation that the server failed on everything is sent on",
        (Change(_WINDOW, "room = int(self._to_send == self._faulted)", "room = SUBMIT_OPERATIONS"),),
    ),
    Plant(
        "an operation that the server fails on is never set aside",
        (
            Change(
                "sync/client/quarantine.py",
                "if count + 1 >= MOST_FAULTS and not is_skip:",
                "if count < 0 and not is_skip:",
            ),
        ),
    ),
    Plant(
        "a gap counts as a decision",
        (
            Change(
                _WINDOW, "return verdict.reason is Reason.DEVICE_SEQ_GAP", "return verdict.reason is Reason"
            ),
        ),
    ),
    Plant(
        "an operation is done before the board shows it",
        (
            Change(
                _WINDOW,
                "if held.verdict is not None and held.verdict.seq <= cursor",
                "if held.verdict is not None",
            ),
        ),
    ),
    Plant(
        "operations are done on a board of another epoch",
        (
            Change(
                _CONVERSATION,
                "return welcome if welcome is not None and welcome.epoch == self._follower.epoch else None",
                "return welcome",
            ),
        ),
    ),
    Plant(
        "a cloned installation keeps its identity",
        (
            Change(
                _CONVERSATION,
                "            self._sending.renew_identity()\n",
                "            self._offer = self._offer\n",
            ),
        ),
    ),
    Plant(
        "a queue that does not move is told to nobody",
        (
            Change(
                "sync/client/watchdog.py",
                "bool(self._oldest) and self._waited_ms > STUCK_QUEUE_MS",
                "not self._oldest and self._waited_ms < 0",
            ),
        ),
    ),
    Plant(
        "a link on which nothing is answered is kept",
        (Change(_LINK, "return max(oldest_sent_ms, self.live_ms) + STUCK_MS", "return None"),),
    ),
    Plant(
        "a silent server is waited for",
        (Change(_LINK, "if now_ms >= self.heard_ms + SILENCE_MS:", "if now_ms < self.heard_ms:"),),
    ),
    Plant(
        "a link that falls behind is kept",
        (Change(_LINK, "self.behind_at is not None and was_behind_at == received", "was_behind_at == -1"),),
    ),
    Plant(
        "the end of an older link ends the present one",
        (
            Change(
                "sync/client/machine.py",
                "        if self._current(number) is None:\n            return\n        if reason in SIGN_IN",
                "        if reason in SIGN_IN",
            ),
        ),
    ),
    Plant(
        "all terminals come back in the same instant",
        (
            Change(
                "sync/client/backoff.py",
                "int(ceiling * self._jitter.random())",
                "ceiling",
            ),
        ),
    ),
)
BOARD: Final = (
    Plant(
        "a page with a gap before it is applied",
        (
            Change(
                _CACHE,
                "if prev_seq != before.cursor or not _is_dense(prev_seq, seq, entries):",
                "if not _is_dense(prev_seq, seq, entries):",
            ),
        ),
    ),
    Plant(
        "a page with a gap in it is applied",
        (
            Change(
                _CACHE,
                "prev_seq != before.cursor or not _is_dense(prev_seq, seq, entries)",
                "prev_seq != before.cursor",
            ),
        ),
    ),
    Plant(
        "a delta that does not follow is handed to the cache",
        (
            Change(
                _FOLLOWER,
                "if self._snapshot is not None or delta.prev_seq != self.received:",
                "if self._snapshot is not None:",
            ),
        ),
    ),
    Plant(
        "the cursor is durable before the rows are",
        (
            Change(
                _CACHE,
                '        with self._transaction("apply_delta"):\n',
                '        with self._transaction("cursor"):\n'
                "            put_meta(self._connection, cursor=seq)\n"
                '        with self._transaction("apply_delta"):\n',
            ),
        ),
    ),
    Plant(
        "decided_device_seq is not stored with the cursor",
        (
            Change(
                _CACHE,
                "                decided_device_seq=decided,\n                orders=before.orders",
                "                orders=before.orders",
            ),
        ),
    ),
    Plant(
        "decided_device_seq of a snapshot is not stored",
        (Change(_CACHE, "                decided_device_seq=begin.decided_device_seq,\n", ""),),
    ),
    Plant(
        "a snapshot is swapped in without looking at its hash",
        (
            Change(
                _STAGING,
                'return None if self._hash == self.begin.state_hash else SnapshotRefused("hash")',
                "return None",
            ),
        ),
    ),
    Plant(
        "a snapshot that lacks a chunk is swapped in",
        (
            Change(
                _STAGING,
                "seq != self.begin.seq or self._chunks != self.begin.chunks",
                "seq != self.begin.seq",
            ),
            Change(_STAGING, "        if self._orders != self.begin.orders:", "        if self._orders < 0:"),
            Change(
                _STAGING,
                'return None if self._hash == self.begin.state_hash else SnapshotRefused("hash")',
                "return None",
            ),
        ),
    ),
    Plant(
        "the end of another snapshot ends this one",
        (
            Change(
                _FOLLOWER, "self._snapshot is None or end.seq != self._snapshot.seq", "self._snapshot is None"
            ),
        ),
    ),
    Plant(
        "a board that lacks many open orders is let in",
        (Change(_CACHE, "if not is_accepted and (held :=", "if is_accepted and (held :="),),
    ),
    Plant(
        "while a board is held back, what follows on it is applied to the old one",
        (Change(_FOLLOWER, "        if self.is_held:\n            return\n        match", "        match"),),
    ),
    Plant(
        "the first page replaces a board that is there",
        (Change(_CACHE, "        if state.epoch:\n", "        if state.epoch == orders:\n"),),
    ),
    Plant(
        "the state hash of the server is not compared",
        (
            Change(
                _FOLLOWER,
                "is_same = result.cursor != seq or result.state_hash == state_hash",
                "is_same = result.cursor >= 0",
            ),
        ),
    ),
    Plant(
        "the state hash is compared at another seq",
        (
            Change(
                _FOLLOWER,
                "self._snapshot is not None or seq != self.received:",
                "self._snapshot is not None:",
            ),
            Change(
                _FOLLOWER,
                "is_same = result.cursor != seq or result.state_hash == state_hash",
                "is_same = result.state_hash == state_hash",
            ),
        ),
    ),
    Plant(
        "a repair is not checked afterwards",
        (
            Change(
                _BISECTING,
                "            return Get(self._to_fetch.pop(0))\n",
                "            return Get(self._to_fetch.pop(0))\n        return Healed()\n",
            ),
        ),
    ),
    Plant(
        "a repair of another seq is applied",
        (
            Change(
                _CACHE,
                "        if seq != state.cursor:\n            return DeltaRefused",
                "        if seq < 0:\n            return DeltaRefused",
            ),
        ),
    ),
    Plant(
        "a repair keeps orders that the server does not have",
        (
            Change(
                "sync/client/stores/cache_ranges.py",
                "        if order_id in bodies and own.order is not None and own.hash",
                "        if order_id not in bodies or own.order is not None and own.hash",
            ),
        ),
    ),
    Plant(
        "a damaged order is trusted",
        (
            Change(
                "sync/client/stores/cache_ranges.py",
                "if not isinstance(body, bytes) or row_hash(body) != stored_hash:",
                "if not isinstance(body, bytes):",
            ),
        ),
    ),
    Plant(
        "an operation that the cache contains is counted twice",
        (
            Change(
                _REBASE,
                "return operation.device_id == device_id and 0 < operation.device_seq <= decided_device_seq",
                "return operation.device_id == device_id and operation.device_seq < 0",
            ),
        ),
    ),
    Plant(
        "operations of a former identity are taken for this one's",
        (
            Change(
                _REBASE,
                "return operation.device_id == device_id and 0 < operation",
                "return bool(device_id) and 0 < operation",
            ),
        ),
    ),
    Plant(
        "one refused operation undoes everything behind it",
        (
            Change(
                _REBASE,
                "            refused.append(operation.op_id)\n",
                "            refused.append(operation.op_id)\n            break\n",
            ),
        ),
    ),
    Plant(
        "a refusal takes the order's other operations along",
        (Change(_OVERLAY, "if entry.operation.op_id != op_id]", "if entry.operation.op_id == entry]"),),
    ),
    Plant(
        "what is offered again lies on top of what came later",
        (Change(_OVERLAY, "            self._by_order[order_id].sort(key=_place)\n", "            pass\n"),),
    ),
)
CLIENT: Final = (*OUTBOX, *KEPT, *SENDING, *BOARD)
