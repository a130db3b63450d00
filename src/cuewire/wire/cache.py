"""The result cache as JSON."""

from __future__ import annotations

from typing import Any

from cuewire.model.cache import CacheEntry, CacheMatch, CacheStats, Trust, Verdict
from cuewire.model.pages import Page
from cuewire.wire.shapes import Instant, Request, Shape, read, shown


class CacheEntryShape(Shape, frozen=True):
    """An answer to give again to whoever asks the same, as the execution `source_id` got it."""

    key: str
    version_id: int
    source_id: str
    value: Any
    text: str
    model: str
    finish_reason: str
    cost_usd: float | None
    created_at: Instant
    expires_at: Instant | None


class CachePage(Shape, frozen=True):
    """Entries, the newest first; `next` continues the list with `?after=`."""

    items: tuple[CacheEntryShape, ...]
    next: str | None

    @classmethod
    def of(cls, page: Page[CacheEntry]) -> CachePage:
        """Return the page as JSON."""
        return cls(items=tuple(shown(item, CacheEntryShape) for item in page.items), next=page.next)

    def page(self) -> Page[CacheEntry]:
        """Return the page that the JSON says."""
        return Page(items=tuple(read(item, CacheEntry) for item in self.items), next=self.next)


class CacheStatsShape(Shape, frozen=True):
    """What the cache holds, and what executions got from it; `saved_usd` leaves out what is not known."""

    entries: int
    expired: int
    hits: int
    saved_usd: float

    @classmethod
    def of(cls, stats: CacheStats) -> CacheStatsShape:
        """Return it as JSON."""
        return shown(stats, cls)

    def stats(self) -> CacheStats:
        """Return what the JSON says."""
        return read(self, CacheStats)


class CacheMatchShape(Shape, frozen=True):
    """An answer that would have been given again, and was got anew instead.

    The execution `execution_id` asked `text` and got `answer`; `source_id` had asked `matched_text` and got
    `matched_answer`. `verdict` says whether that would have been right, null where nobody has said.
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
    created_at: Instant
    verdict: Verdict | None
    decided_by: str | None
    decided_at: Instant | None
    answer: str | None
    matched_answer: str | None

    @classmethod
    def of(cls, match: CacheMatch) -> CacheMatchShape:
        """Return the match as JSON."""
        return shown(match, cls)

    def match(self) -> CacheMatch:
        """Return the match that the JSON says."""
        return read(self, CacheMatch)


class CacheMatchPage(Shape, frozen=True):
    """Matches, the oldest first; `next` continues the list with `?after=`."""

    items: tuple[CacheMatchShape, ...]
    next: str | None

    @classmethod
    def of(cls, page: Page[CacheMatch]) -> CacheMatchPage:
        """Return the page as JSON."""
        return cls(items=tuple(map(CacheMatchShape.of, page.items)), next=page.next)

    def page(self) -> Page[CacheMatch]:
        """Return the page that the JSON says."""
        return Page(items=tuple(item.match() for item in self.items), next=self.next)


class VerdictRequest(Request, frozen=True):
    """`PUT /api/v1/cache/matches/{execution_id}`: whether the earlier answer would have done."""

    verdict: Verdict


class TrustShape(Shape, frozen=True):
    """How often answers to similar questions would have been right, as far as that is decided.

    `most_wrong` is the share of wrong ones that is not exceeded, with 95 % confidence; where it `suffices`, versions
    whose policy says so give such answers.
    """

    right: int
    wrong: int
    undecided: int
    most_wrong: float
    suffices: bool

    @classmethod
    def of(cls, trust: Trust) -> TrustShape:
        """Return it as JSON."""
        return cls(
            right=trust.right,
            wrong=trust.wrong,
            undecided=trust.undecided,
            most_wrong=trust.most_wrong,
            suffices=trust.suffices,
        )

    def trust(self) -> Trust:
        """Return what the JSON says."""
        return Trust(right=self.right, wrong=self.wrong, undecided=self.undecided)


class ClearedShape(Shape, frozen=True):
    """How many entries were removed."""

    removed: int
