"""Caps on what executions cost in a day, looked at before the first call of each.

What is spent is what the record says, asked now and then, and what ended here since; what runs here counts with the
most that it can cost, where that is known. Other processes are seen when the record is asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from math import inf
from typing import NamedTuple, TypeAlias

from cuewire.model.errors import BudgetExceeded
from cuewire.model.executions import Opening
from cuewire.model.limits import SpendCaps
from cuewire.ports import Clock, SpendStore

KEPT_S = 5.0
"""For how long the record's word is taken for true."""
_SHARE = 20
"""It is kept for so many times as long as it took to ask, so that asking stays a twentieth of the work."""


Worst: TypeAlias = Callable[[], tuple[float | None, str]]
"""Tells what an execution can cost at most, or None and why that is not known."""


def unknown_worst() -> tuple[float | None, str]:
    """Tell that nobody knows."""
    return None, "it depends on what the provider counts"


class Spending:
    """Looks at the caps for all executions of this process."""

    def __init__(self, caps: SpendCaps, store: SpendStore, *, clock: Clock) -> None:
        def made(of: _Of, usd: float) -> _Cap:
            return _Cap(of, usd, store=store, clock=clock)

        self._total = () if caps.usd_per_day is None else (made(_Of(), caps.usd_per_day),)
        self._of_prompts = {name: (made(_Of(prompt=name), usd),) for name, usd in caps.prompts.items()}
        self._of_actors = {name: (made(_Of(actor=name), usd),) for name, usd in caps.actors.items()}

    @property
    def is_capped(self) -> bool:
        """Whether there are caps at all."""
        return bool(self._total or self._of_prompts or self._of_actors)

    async def reserve(self, opening: Opening, worst: Worst) -> Reserved | None:
        """Set aside what an execution can cost at most, if there are caps that count for it.

        Raises BudgetExceeded, StoreError.
        """
        of_prompt, of_actor = self._of_prompts.get(opening.prompt, ()), self._of_actors.get(opening.actor, ())
        caps = (*self._total, *of_prompt, *of_actor)
        if not caps:
            return None
        for cap in caps:
            await cap.refresh()
        most_usd, _ = worst()
        for cap in caps:
            cap.check(most_usd)
        return Reserved(caps, most_usd or 0.0)


class Reserved:
    """What is set aside for one execution."""

    def __init__(self, caps: tuple[_Cap, ...], usd: float) -> None:
        self._caps = caps
        self._usd = usd
        for cap in caps:
            cap.reserved_usd += usd

    def settle(self, cost_usd: float | None) -> None:
        """Put what the execution cost in the place of that; where nobody knows, it stays until the record is asked."""
        for cap in self._caps:
            cap.reserved_usd -= self._usd
            cap.settled_usd += self._usd if cost_usd is None else cost_usd


class _Of(NamedTuple):
    """Which executions a cap counts: all, those of a prompt, or those of an actor."""

    prompt: str | None = None
    actor: str | None = None

    @property
    def setting(self) -> str:
        """Where the cap is set."""
        if self.prompt is not None:
            return f'spend.prompts."{self.prompt}"'
        return "spend.usd_per_day" if self.actor is None else f'spend.actors."{self.actor}"'

    def __str__(self) -> str:
        if self.prompt is not None:
            return f"executions of prompt {self.prompt!r}"
        return "executions" if self.actor is None else f"executions asked for by {self.actor!r}"


class _Cap:
    """One cap. `settled_usd` is what ended here since the record was asked, `reserved_usd` what runs here can cost."""

    def __init__(self, of: _Of, usd: float, *, store: SpendStore, clock: Clock) -> None:
        self.reserved_usd = 0.0
        self.settled_usd = 0.0
        self._of = of
        self._usd = usd
        self._store = store
        self._clock = clock
        self._spent_usd = 0.0
        self._day: datetime | None = None
        self._asks_again_at = 0.0
        self._asking = asyncio.Lock()

    async def refresh(self) -> None:
        """Ask the record what was spent today, unless that was asked just now; those who come meanwhile do not wait."""
        day = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        if day != self._day:
            async with self._asking:
                if day != self._day:
                    await self._ask(day)
        elif self._clock.monotonic() >= self._asks_again_at:
            self._asks_again_at = inf
            await self._ask(day)

    async def _ask(self, day: datetime) -> None:
        began, before_usd, kept_s = self._clock.monotonic(), self.settled_usd, 0.0
        try:
            self._spent_usd = await self._store.spent_usd(since=day, prompt=self._of.prompt, actor=self._of.actor)
            self.settled_usd -= before_usd
            self._day = day
            kept_s = max(KEPT_S, (self._clock.monotonic() - began) * _SHARE)
        finally:
            self._asks_again_at = began + kept_s

    def check(self, most_usd: float | None) -> None:
        """Raise BudgetExceeded if the cap is reached, or could be by what an execution can cost at most."""
        spent_usd = self._spent_usd + self.settled_usd
        left_usd = self._usd - spent_usd - self.reserved_usd
        if most_usd == 0 or (left_usd > 0 and left_usd >= (most_usd or 0.0)):
            return
        running = f", and what runs can cost ${self.reserved_usd:.4f}" if self.reserved_usd else ""
        this = f"; this one can cost ${most_usd:.4f}" if most_usd and left_usd > 0 else ""
        midnight = (self._day or self._clock.now()) + timedelta(days=1)
        raise BudgetExceeded(
            f"{self._of} may cost ${self._usd:g} a day, ${spent_usd:.4f} is spent{running}{this}",
            hint=f"raise {self._of.setting}, or wait until {midnight:%Y-%m-%d %H:%M} UTC",
        )
