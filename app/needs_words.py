"""What a person is told of an entry of their needs-you list. Pure; no Qt."""

from __future__ import annotations

from datetime import tzinfo
from typing import Final

from app.outcome_words import Situation, Told, bare, outcome_told, overruled_told
from app.plain_words import Language
from sync.client.needs_you import NeedsYou, NeedsYouKind
from sync.contract.operations import Assign, Reason
from sync.contract.orders import Order

_CONTEXT: Final = "NeedsYou"
_REASONS: Final = {
    NeedsYouKind.QUARANTINED: Reason.QUARANTINED,
    NeedsYouKind.UPGRADE: Reason.UPGRADE_REQUIRED,
}


def needs_told(entry: NeedsYou, number: str, order: Order | None, zone: tzinfo, language: Language) -> Told:
    """Return the message of ``entry``; ``order`` is how the order is shown now, None when it is not here."""
    if entry.problem is not None:
        return Told(entry.problem.sentence, entry.problem.what_to_do)
    if entry.kind is NeedsYouKind.OVERRULED:
        return _overruled(entry, number, zone, language)
    verdict = entry.verdict
    reason = _REASONS.get(entry.kind) or (Reason.NONE if verdict is None else verdict.reason)
    by, at_ms = ("", 0) if verdict is None else (verdict.by, verdict.at_ms)
    return outcome_told(Situation(number, reason, by, at_ms, entry.operation, order), zone, language)


def _overruled(entry: NeedsYou, number: str, zone: tzinfo, language: Language) -> Told:
    change = None if entry.other is None else entry.other.change
    assignee = change.assignee if isinstance(change, Assign) else ""
    at_ms = entry.at_ms if entry.verdict is None else entry.verdict.at_ms
    return overruled_told(bare(number), assignee, entry.other_name, at_ms, zone, language)
