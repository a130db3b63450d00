"""Cache entries: answers that may be given again, to who asks the same, or what means the same."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal, Self, TypeAlias, cast, get_args

from msgspec.structs import replace

from cuewire.model.embeddings import Vector
from cuewire.model.errors import InvalidInput, NotFound
from cuewire.model.statistics import upper_bound
from cuewire.model.values import Value

MAX_WRONG_RATE = 0.01
"""An answer to a similar question is given where at most so many are wrong, with 95 % confidence."""

Verdict: TypeAlias = Literal["right", "wrong"]
"""Whether the answer to an earlier question would have done for a later one."""


class CacheEntry(Value, frozen=True):
    """An answer to give again to whoever asks the same, as the execution `source_id` got it.

    `cost_usd` is what that one cost, which a hit saves; None if it is not known. `expires_at` is None if it never does.
    """

    key: str
    version_id: int
    source_id: str
    value: Any
    text: str
    model: str
    finish_reason: str
    cost_usd: float | None
    created_at: datetime
    expires_at: datetime | None

    def holds(self, now: datetime) -> bool:
        """Tell whether it has not expired."""
        return self.expires_at is None or now < self.expires_at

    def is_stale(self, ttl_s: float | None, now: datetime) -> bool:
        """Tell whether it is older than that many seconds, if that matters."""
        return ttl_s is not None and self.created_at + timedelta(seconds=ttl_s) <= now


class CacheStats(Value, frozen=True):
    """What the cache holds, and what executions got from it: `saved_usd` leaves out what is not known."""

    entries: int
    expired: int
    hits: int
    saved_usd: float


class Question(Value, frozen=True):
    """What is compared by its meaning: a text and its vector, among those of the same partition.

    All that has to be equal is in `partition`, the embedding model and the dimensions of its vectors among it. What one
    trusts or not is the `subject`: a prompt with the settings that questions are compared with. `vector` has length 1.
    """

    partition: str
    subject: str
    text: str
    vector: Vector


class Neighbour(Value, frozen=True):
    """An earlier question near to one, by the cosine of their vectors, and the answer to it."""

    text: str
    similarity: float
    entry: CacheEntry


class CacheMatch(Value, frozen=True):
    """An answer that would have been given again, and was got anew instead: the execution `execution_id` got it.

    `text` is its question, `matched_text` the earlier one that `source_id` has answered. `answer` and `matched_answer`
    are what the two said; None where that is not kept, or not shown. `verdict` is None until it is decided.
    """

    execution_id: str
    version_id: int
    prompt: str
    version: int
    subject: str
    source_id: str
    similarity: float
    text: str
    matched_text: str
    created_at: datetime
    verdict: Verdict | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    answer: str | None = None
    matched_answer: str | None = None

    def without_bodies(self) -> Self:
        """Return it without what was asked and answered."""
        return replace(self, text="", matched_text="", answer=None, matched_answer=None)


class Trust(Value, frozen=True):
    """How often the answers to similar questions would have been right, as far as that is decided."""

    right: int
    wrong: int
    undecided: int

    @property
    def most_wrong(self) -> float:
        """The share of wrong ones that is not exceeded, with 95 % confidence."""
        return upper_bound(self.wrong, self.right + self.wrong)

    @property
    def suffices(self) -> bool:
        """Tell whether answers to similar questions may be given."""
        is_hopeless = self.wrong > MAX_WRONG_RATE * (self.right + self.wrong)  # and the bound of many takes long
        return not is_hopeless and self.most_wrong <= MAX_WRONG_RATE


def no_match(execution_id: str) -> NotFound:
    """Return the error that an execution was no match for an earlier one."""
    return NotFound(f"execution {execution_id} has no match in the cache", hint="list them with: cuewire cache matches")


def check_verdict(verdict: str) -> Verdict:
    """Return a verdict. Raises InvalidInput for any other text."""
    for known in get_args(Verdict):
        if verdict == known:
            return cast(Verdict, known)
    raise InvalidInput(f"{str(verdict)[:40]!r} is no verdict", field="/verdict", hint="say right or wrong")
