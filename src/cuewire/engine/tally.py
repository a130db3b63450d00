"""What the executions of this process came to: counted for the figures of a server, and told to the log."""

from __future__ import annotations

import logging
from collections import Counter

from cuewire.engine.call import CallPlace
from cuewire.engine.telling import is_told, tell
from cuewire.model.candidates import CandidateStatus, Work
from cuewire.model.executions import CallRecord, Cause, Closing, Opening, Status
from cuewire.model.requests import ModelRef

_BEGINS = {"retry": "call.retried", "failover": "call.failed_over", "repair": "call.repaired"}
_ENDS = {"ok": "call.ended", "cancelled": "call.cancelled", "failed": "call.failed", "timed_out": "call.failed"}
_AS_HOPED = frozenset({"ok", "valid", "skipped", "succeeded"})


class Tally:
    """Counts since the process began. What went as hoped is logged at DEBUG, anything else at INFO.

    `calls` are counted by cause and status, `candidates` (of executions with several) and `executions` by status,
    `hits` of the cache by whether the question was the same (`exact`) or `similar`. `cost_usd` is what is known of it.
    """

    def __init__(self) -> None:
        self.executions: Counter[Status] = Counter()
        self.calls: Counter[tuple[Cause, str]] = Counter()
        self.candidates: Counter[CandidateStatus] = Counter()
        self.hits: Counter[str] = Counter()
        self.cost_usd = 0.0

    def calling(self, execution_id: str, model: ModelRef, place: CallPlace) -> None:
        """Take note of a call that begins; the first of a candidate is told by its end alone."""
        if (event := _BEGINS.get(place.cause)) is not None:
            tell(
                logging.INFO,
                event,
                execution=execution_id,
                call=place.number,
                candidate=place.candidate,
                model=model,
                delay_ms=place.delay_ms,
            )

    def called(self, execution_id: str, call: CallRecord) -> None:
        """Take note of a call that ended."""
        self.calls[call.purpose, call.status] += 1
        self.cost_usd += call.cost_usd or 0.0
        if not is_told(level := _level(call.status)):
            return
        tell(
            level,
            _ENDS[call.status],
            execution=execution_id,
            call=call.number,
            candidate=call.candidate,
            cause=call.purpose,
            model=call.model,
            error=call.error_code,
            http_status=call.http_status,
            duration_ms=call.duration_ms,
            cost_usd=call.cost_usd,
        )

    def worked(self, execution_id: str, work: Work) -> None:
        """Take note of candidates that ended."""
        for end in work.candidates:
            self.candidates[end.status] += 1
            tell(
                _level(end.status),
                "candidate.ended",
                execution=execution_id,
                candidate=end.index,
                model=end.model,
                status=end.status,
                error=end.error_code,
                calls=end.calls,
                duration_ms=end.duration_ms,
                cost_usd=end.cost_usd,
            )

    def ended(self, opening: Opening, closing: Closing) -> None:
        """Take note of an execution that ended, whether or not its record could be written."""
        self.executions[closing.status] += 1
        if closing.cached_from is not None:
            self.hits["exact" if closing.similarity is None else "similar"] += 1
        if not is_told(level := _level(closing.status)):
            return
        tell(
            level,
            "execution.ended",
            execution=opening.id,
            purpose=opening.purpose,
            prompt=opening.prompt,
            version=opening.version,
            model=closing.model,
            status=closing.status,
            error=closing.failure and closing.failure.code,
            calls=len(closing.calls),
            cached_from=closing.cached_from,
            duration_ms=closing.duration_ms,
            cost_usd=closing.cost_usd,
        )


def _level(status: str) -> int:
    return logging.DEBUG if status in _AS_HOPED else logging.INFO
