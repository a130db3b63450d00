"""Answers to give again, and questions by what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from cuewire.model.cache import CacheEntry, CacheMatch, CacheStats, Neighbour, Question, Trust, Verdict
from cuewire.model.embeddings import Vector
from cuewire.model.pages import Page


class CacheStore(Protocol):
    """Answers to give again."""

    async def find(self, key: str, *, now: datetime) -> CacheEntry | None:
        """Return the entry of a key, unless it has expired."""
        ...

    async def put(self, entry: CacheEntry, *, question: Question | None = None) -> None:
        """Store an entry in place of the one with its key, and return when it is durable.

        With the question that it answers it can be found by who asks something similar.
        """
        ...

    async def list(self, *, limit: int, after: str | None = None) -> Page[CacheEntry]:
        """Return entries, the newest first."""
        ...

    async def clear(self, *, version_ids: Sequence[int] | None = None) -> int:
        """Remove entries, with their questions, and count them: of some versions or of all."""
        ...

    async def sweep(self, *, now: datetime, limit: int) -> int:
        """Remove so many entries that have expired, with their questions, and count them."""
        ...

    async def stats(self, *, now: datetime, among: Sequence[str] | None = None) -> CacheStats:
        """Return what there is, and what it was good for; with `among` only of prompts of such names."""
        ...


class Leases(Protocol):
    """Which of all processes asks for an answer while the others wait for it. A process holds a lease once at most."""

    async def take(self, key: str) -> bool:
        """Take the lease of a key; false if another process has it. Never raises: who cannot tell asks."""
        ...

    async def wait(self, key: str) -> None:
        """Return when nobody has the lease of a key, be it that its holder has died."""
        ...

    def give_back(self, key: str) -> None:
        """Give back the lease of a key, soon; nothing if it is not held here."""
        ...

    async def close(self) -> None:
        """Give back all leases."""
        ...


class Signs(NamedTuple):
    """The number of a stored question, and the signs of its vector as `model.embeddings.signs` gives them."""

    id: int
    signs: bytes


class QuestionStore(Protocol):
    """Questions with their vectors; each came with a cache entry, and goes with it."""

    async def since(self, partition: str, *, after: int, limit: int) -> Sequence[Signs]:
        """Return the signs of a partition's questions with higher numbers, by number."""
        ...

    async def near(self, ids: Sequence[int], question: Question, *, threshold: float, now: datetime) -> Near:
        """Return which of the numbered questions have a cosine of at least the threshold, the nearest first."""
        ...


class Near(NamedTuple):
    """Of how many questions the entry is there and has not expired, and those of them that are near enough."""

    answered: int
    found: Sequence[Neighbour]


class Cosines(Protocol):
    """Compares a vector of length 1 with many others."""

    def __call__(self, vector: Vector, others: Sequence[bytes]) -> Sequence[float]:
        """Return the cosine of each to the vector; the others are packed, and of the same dimensions."""
        ...


class SignIndex(Protocol):
    """Numbered rows of bits, all of one length, in memory. Not for several threads at once."""

    def __len__(self) -> int:
        """Return how many rows there are."""
        ...

    def add(self, rows: Sequence[Signs]) -> None:
        """Add rows."""
        ...

    def near(self, signs: bytes, *, within: int, limit: int) -> Sequence[int]:
        """Return the numbers of the rows that differ in at most so many bits, those that differ least first."""
        ...


class MatchStore(Protocol):
    """Answers that would have been given again, and whether that would have been right."""

    async def add(self, match: CacheMatch) -> None:
        """Store a match."""
        ...

    async def get(self, execution_id: str) -> CacheMatch:
        """Return the match of an execution, with both answers. Raises NotFound."""
        ...

    async def list(
        self, *, limit: int, after: str | None = None, version_ids: Sequence[int] | None = None, undecided: bool = False
    ) -> Page[CacheMatch]:
        """Return matches with both answers, the oldest first; of some versions, or only undecided ones, if said."""
        ...

    async def decide(self, execution_id: str, verdict: Verdict, *, by: str, at: datetime) -> None:
        """Store what somebody decided, in place of what was decided before."""
        ...

    async def trust(self, subject: str) -> Trust:
        """Return how the matches of a subject were decided."""
        ...
