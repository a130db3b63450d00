"""Gates of model calls whose rates are counted in this process, and calls through them that take no real time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cuewire.engine.allowance import Allowance
from cuewire.engine.gate import Gate
from cuewire.limiters.local import LocalLimiter
from cuewire.model.limits import Limit, Limits, LimitState
from cuewire.model.requests import ModelRef, parse_model
from cuewire.model.results import Answer
from cuewire.model.usage import Usage
from cuewire.ports import Clock, Limiter
from tests.support.virtual_time import VirtualClock

MODEL = parse_model("openai/gpt-4o-mini")
OTHER = parse_model("openai/gpt-4o")
ELSEWHERE = parse_model("anthropic/claude")


def open_gate(limits: Limits | None = None, *, clock: Clock, limiter: Limiter | None = None) -> Gate:
    """Return a gate with these limits, or none."""
    local = LocalLimiter(clock)
    return Gate(limits or Limits(), allowance=Allowance(limiter or local, fallback=local, clock=clock), clock=clock)


def limited(max_wait_s: float = 120.0, *, at_once: int | None = None, **providers: Limit) -> Limits:
    """Return limits of providers."""
    return Limits(max_calls_at_once=at_once, max_wait_s=max_wait_s, providers=providers)


def answer(tokens: int | None) -> Answer:
    """Return an answer that took so many tokens."""
    usage = Usage() if tokens is None else Usage(input_tokens=tokens, output_tokens=0)
    return Answer(text="fine", finish_reason="stop", usage=usage)


@dataclass
class Bench:
    """A gate on virtual time, and what its calls did. `left` is when each call left, by its name."""

    gate: Gate
    clock: VirtualClock
    left: dict[str, float] = field(default_factory=dict)
    running: int = 0
    peak: int = 0

    @classmethod
    def make(cls, limits: Limits | None = None, *, limiter: Limiter | None = None) -> Bench:
        """Make one on the loop that runs."""
        clock = VirtualClock()
        return cls(open_gate(limits, clock=clock, limiter=limiter), clock)

    async def call(
        self,
        name: str = "call",
        *,
        model: ModelRef = MODEL,
        takes_s: float = 0.0,
        said: str = "",
        parameters: Mapping[str, Any] | None = None,
        tokens: int | None = None,
        patience_s: float | None = None,
        error: BaseException | None = None,
    ) -> float:
        """Make a call that takes so long and ends so; return for how many seconds it was held up."""
        passage = self.gate.passage(model, [said], parameters or {}, patience=lambda: patience_s)
        async with passage:
            waited_s = passage.leave() / 1_000
            self.left[name] = self.clock.monotonic()
            self.running += 1
            self.peak = max(self.peak, self.running)
            try:
                await asyncio.sleep(takes_s)
                if error is not None:
                    raise error
            finally:
                self.running -= 1
            passage.answered(answer(tokens))
        return waited_s

    def start(self, name: str = "call", **how: Any) -> asyncio.Task[float]:
        """Begin a call."""
        return asyncio.get_running_loop().create_task(self.call(name, **how))

    async def later(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    def state(self, name: str = "openai") -> LimitState:
        """Return the state of a limit."""
        return next(state for state in self.gate.states() if state.name == name)
