"""Earlier questions near to one: their signs in memory, by partition, and what they say from the store."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from math import acos, ceil, inf, pi, sqrt

from cuewire.model.cache import Neighbour, Question
from cuewire.model.embeddings import signs
from cuewire.ports import Clock, QuestionStore, SignIndex, Signs

MAX_ROWS = 2_000_000
"""Questions that memory holds at most, 64 bytes each where vectors have 384 numbers; each partition counts as more."""
IN_THREAD = 50_000
"""Rows from which on a search would hold up the event loop by a millisecond."""
LOOK_S = 1.0
"""How long another process's questions may go unseen."""
RELOAD_S = 30.0
"""How long memory goes on with questions of which most have gone from the store."""
COMPARED = 64
"""Questions of which the vectors are compared, where so many have signs that are near."""
LATE = 256
"""Numbers below the newest that may still turn up: those of transactions that began earlier, and end later."""
PAGE = 50_000
"""Questions that are read at a time."""
_AROUND = 100
_SPREADS = 6.0


class Nearby:
    """Finds earlier questions. What memory holds of them may be behind the store: it only says where to look there."""

    def __init__(
        self,
        store: QuestionStore,
        *,
        make_index: Callable[[], SignIndex],
        clock: Clock,
        max_rows: int = MAX_ROWS,
        in_thread: int = IN_THREAD,
        page: int = PAGE,
    ) -> None:
        self._store = store
        self._make_index = make_index
        self._clock = clock
        self._max_rows = max_rows
        self._in_thread = in_thread
        self._page = page
        self._partitions: OrderedDict[str, _Partition] = OrderedDict()
        self._rows = 0

    async def find(self, question: Question, *, threshold: float) -> Sequence[Neighbour]:
        """Return earlier questions with a cosine of at least the threshold and an answer, the nearest first."""
        partition = await self._loaded(question.partition)
        within = most_apart(len(question.vector), threshold)
        wanted = signs(question.vector)
        if len(partition.index) > self._in_thread:
            async with partition.lock:  # nothing is added meanwhile
                near = await asyncio.to_thread(partition.index.near, wanted, within=within, limit=COMPARED)
        else:
            near = partition.index.near(wanted, within=within, limit=COMPARED)
        if not near:
            return ()
        found = await self._store.near(near, question, threshold=threshold, now=self._clock.now())
        if found.answered < len(near) / 2 and self._clock.monotonic() - partition.loaded_at >= RELOAD_S:
            partition.is_spoilt = True
        return found.found

    def added(self, question: Question) -> None:
        """Look into the store before the next search of the question's partition."""
        if (partition := self._partitions.get(question.partition)) is not None:
            partition.added += 1

    async def _loaded(self, key: str) -> _Partition:
        partition = self._partitions.get(key)
        if partition is None:
            partition = self._partitions[key] = _Partition(self._make_index())
        self._partitions.move_to_end(key)
        if self._is_behind(partition):
            async with partition.lock:
                if self._is_behind(partition):
                    await self._load(key, partition)
                    self._make_room(key, partition)
        return partition

    def _is_behind(self, partition: _Partition) -> bool:
        is_due = self._clock.monotonic() - partition.looked_at >= LOOK_S
        return is_due or partition.is_spoilt or partition.seen < partition.added

    async def _load(self, key: str, partition: _Partition) -> None:
        """Add what is new in the store, or read all anew."""
        now, added = self._clock.monotonic(), partition.added
        is_whole = partition.is_spoilt or partition.looked_at == -inf
        known = _Rows(self._make_index()) if is_whole else partition.known
        after = max(0, known.newest - LATE)
        while rows := await self._store.since(key, after=after, limit=self._page):
            known.add(rows)
            after = known.newest
            if len(rows) < self._page:
                break
        partition.known, partition.seen, partition.looked_at, partition.is_spoilt = known, added, now, False
        partition.loaded_at = now if is_whole else partition.loaded_at

    def _make_room(self, key: str, partition: _Partition) -> None:
        """Forget the partitions that were not asked for the longest."""
        if self._partitions.get(key) is partition:
            self._rows -= partition.size
            partition.size = len(partition.index) + _AROUND
            self._rows += partition.size
        while self._rows > self._max_rows and len(self._partitions) > 1:
            _, oldest = self._partitions.popitem(last=False)
            self._rows -= oldest.size


class _Rows:
    """Signs in memory, up to the newest number, and which of the latest numbers are among them."""

    def __init__(self, index: SignIndex) -> None:
        self.index = index
        self.newest = 0
        self._late: set[int] = set()

    def add(self, rows: Sequence[Signs]) -> None:
        self.index.add([row for row in rows if row.id not in self._late])
        self.newest = max(self.newest, rows[-1].id)
        late = (*self._late, *(row.id for row in rows[-LATE:]))
        self._late = {number for number in late if number > self.newest - LATE}


class _Partition:
    def __init__(self, index: SignIndex) -> None:
        self.known = _Rows(index)
        self.size = 0
        self.added = self.seen = 0
        self.looked_at = self.loaded_at = -inf
        self.is_spoilt = False
        self.lock = asyncio.Lock()

    @property
    def index(self) -> SignIndex:
        return self.known.index


def most_apart(dimensions: int, threshold: float) -> int:
    """Return in how many signs two vectors of a cosine of the threshold differ at most, but for one in many millions.

    Each sign differs with the chance of the angle over pi, as for planes through the origin at random (Charikar,
    "Similarity estimation techniques from rounding algorithms", STOC 2002).
    """
    share = acos(threshold) / pi
    return min(dimensions, ceil(dimensions * share + _SPREADS * sqrt(dimensions * share * (1 - share))))
