"""How much one may ask of this process: requests a minute of a key, open requests and wrong keys of an address.

Each server counts for itself. Behind a proxy all clients come from the proxy's address.
"""

from __future__ import annotations

from collections import Counter
from types import TracebackType

from cuewire.model.values import Value
from cuewire.ports import Clock
from cuewire.wire.problems import Refused

WRONG_KEYS = 30
"""Wrong keys that an address may send in a minute, if they have the form of a key, so that the database is asked."""
_MINUTE_S = 60.0
_ROUNDING_S = 1e-6


class Limits(Value, frozen=True):
    """What the operator allows; 0 requests a minute is as many as there come."""

    requests_per_minute: int = 0
    open_per_address: int = 1_000


class Rate:
    """At most so many a minute for each name: all at once, or spread (the generic cell rate algorithm)."""

    def __init__(self, per_minute: int, *, clock: Clock, max_names: int = 100_000) -> None:
        """`max_names` is how many names are remembered at most."""
        self.per_minute = per_minute
        self._max_names = max_names
        self._interval = _MINUTE_S / per_minute
        self._clock = clock
        self._used_up_to: dict[str, float] = {}

    def wait(self, name: str) -> float:
        """Return the seconds until there is one more for the name, 0 if there is one now."""
        until = self._used_up_to.get(name)
        if until is None:
            return 0.0
        wait = until + self._interval - _MINUTE_S - self._clock.monotonic()
        return wait if wait > _ROUNDING_S else 0.0

    def take(self, name: str) -> float:
        """Take one, or return the seconds until there is one."""
        if wait := self.wait(name):
            return wait
        now = self._clock.monotonic()
        if len(self._used_up_to) >= self._max_names:
            self._forget(now)
        self._used_up_to[name] = max(now, self._used_up_to.get(name, now)) + self._interval
        return 0.0

    def left(self, name: str) -> int:
        """Return how many there are now."""
        now = self._clock.monotonic()
        return int((now + _MINUTE_S - max(now, self._used_up_to.get(name, now))) / self._interval + _ROUNDING_S)

    def _forget(self, now: float) -> None:
        """Forget who has a full minute's again, or everyone if there are too many others."""
        self._used_up_to = {name: until for name, until in self._used_up_to.items() if until > now}
        if len(self._used_up_to) >= self._max_names:
            self._used_up_to.clear()


class Crowd:
    """Counts what each address has open."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: Counter[str] = Counter()

    def joined(self, address: str) -> _Place:
        """Count one more for as long as the place is held. Raises Refused if there are too many."""
        if self._open[address] >= self._limit:
            raise Refused(
                "too_many_open_requests",
                f"this address has {self._limit} requests open",
                hint="wait for some to end; behind a proxy raise: cuewire serve --max-open",
                retry_after_s=1.0,
            )
        return _Place(self._open, address)


class _Place:
    def __init__(self, taken: Counter[str], address: str) -> None:
        self._taken = taken
        self._address = address

    def __enter__(self) -> None:
        self._taken[self._address] += 1

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._taken[self._address] -= 1
        if not self._taken[self._address]:
            del self._taken[self._address]
