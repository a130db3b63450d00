"""Limits of model calls: how many at once, how many requests and tokens a minute, how much money a day.

The arithmetic of rates is here and nowhere else (the generic cell rate algorithm); the script for Redis says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, TypeAlias

from msgspec import Meta
from msgspec.structs import force_setattr

from cuewire.model.values import Value

Count: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Usd: TypeAlias = Annotated[float, Meta(ge=0)]
MINUTE_S = 60.0
ROOM_S = 5.0
"""So many seconds' worth of a rate may be used at once."""
KEPT_S = 1.0
"""What was booked is used within this time, or given back."""


class Limit(Value, frozen=True):
    """What calls to a provider or a model are held to; None is as many as there come."""

    max_concurrency: Count | None = None
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None


class Limits(Value, frozen=True):
    """The limits of all calls. `models` are by `provider/model`; no call waits longer than `max_wait_s` for any."""

    max_calls_at_once: Count | None = None
    max_wait_s: float = 120.0
    providers: Mapping[str, Limit] = {}
    models: Mapping[str, Limit] = {}


class SpendCaps(Value, frozen=True):
    """USD that executions may cost in a day of UTC: all together, those of a prompt, and those of an actor, by name."""

    usd_per_day: Usd | None = None
    prompts: Mapping[str, Usd] = {}
    actors: Mapping[str, Usd] = {}


class Rate(Value, frozen=True):
    """So much a minute of something, spread over the minute: in any time t no more than t's worth and one burst.

    A burst is what `ROOM_S` and `KEPT_S` bring together, or at least one unit beside what `KEPT_S` brings.
    """

    name: str
    per_minute: float
    interval_s: float = 0.0
    """The time that brings one unit; follows from the rate, as all below."""
    room: float = 0.0
    """How much may be used at once."""
    burst: float = 0.0
    """How much more than its time's worth may be used in any time."""

    def __post_init__(self) -> None:
        interval_s = MINUTE_S / self.per_minute
        room = max(ROOM_S / interval_s, 1.0)
        force_setattr(self, "interval_s", interval_s)
        force_setattr(self, "room", room)
        force_setattr(self, "burst", room + KEPT_S / interval_s)

    def share(self, processes: int) -> Rate:
        """Return what one of several processes may use."""
        return Rate(name=self.name, per_minute=self.per_minute / max(processes, 1))


class Booking(NamedTuple):
    """An amount that is wanted of a rate, and what is to be said of earlier ones.

    `owed` is what calls used beyond what was booked for them or, negative, what they did not. `back` was booked and is
    not wanted after all: it counts if nobody has booked since, who would have had it, so if the rate is used up to
    `mark` still.
    """

    rate: Rate
    amount: float
    owed: float = 0.0
    back: float = 0.0
    mark: float = 0.0


class Booked(NamedTuple):
    """When there is room for a booking: after how long, which of its rates has it last, and among how many processes.

    If the wait is longer than was allowed, nothing was taken but what was owed. `marks` are the times up to which the
    rates are used now.
    """

    wait_s: float
    last: int = 0
    processes: int = 1
    marks: Sequence[float] = ()


def book(used: Sequence[float], bookings: Sequence[Booking], *, now: float, within_s: float) -> Booked:
    """Book amounts of several rates for the first moment that has room for all of them.

    `used` is, of each rate, the time up to which it is used, on the clock of `now`; one in the past is as good as now.
    What is owed or given back counts at once; the amounts do only if that moment is `within_s` away.
    """
    corrected = [_corrected(until, each, now) for until, each in zip(used, bookings, strict=True)]
    starts = [
        until + (each.amount - each.rate.room) * each.rate.interval_s if each.amount else now
        for until, each in zip(corrected, bookings, strict=True)
    ]
    start = max(now, *starts)
    last = starts.index(max(starts))
    if start - now > within_s:
        return Booked(start - now, last, marks=corrected)
    marks = [
        max(until, start) + each.amount * each.rate.interval_s if each.amount else until
        for until, each in zip(corrected, bookings, strict=True)
    ]
    return Booked(start - now, last, marks=marks)


def _corrected(until: float, booking: Booking, now: float) -> float:
    """Return the time up to which a rate is used, once what is said of earlier bookings counts."""
    interval_s = booking.rate.interval_s
    if booking.back and until == booking.mark:
        until -= booking.back * interval_s
    return max(until, now) + booking.owed * interval_s


Hold: TypeAlias = Literal["none", "paused", "slowed", "key_refused"]
"""Why calls are held up: they are not; the provider asked to wait; it has too many; it does not accept the key."""
Counted: TypeAlias = Literal["here", "shared", "share"]
"""Where rates are counted: in this process; with all others; or, as their common place is away, each has its share."""


class LimitState(Value, frozen=True):
    """A limit as it is now, of a provider, a model (`provider/model`) or, as `all`, of all calls.

    So many calls are `running` and `waiting`, and `refused` counts those that were not made since the process began.
    `at_once` is how many may run, which while `slowed` is fewer than `max_concurrency`. `held_for_s` is how long a
    pause still lasts, or until a refused key is tried again; `reason` says what is wrong with it.
    """

    name: str
    hold: Hold
    running: int
    waiting: int
    refused: int
    at_once: int | None
    max_concurrency: int | None
    requests_per_minute: int | None
    tokens_per_minute: int | None
    counted: Counted
    held_for_s: float = 0.0
    reason: str = ""
