"""Ours: a stored prompt run by the whole engine, recorded: `call`, `loop` (12-item template) or `stream`.

`armed` is `call` with retries, failover, limits and the budget of calls set; `cached` also looks into the exact cache,
finds nothing, and keeps the answer.
"""

from __future__ import annotations

import os

import cuewire
from bench.sides.meter import (
    EVENTS_PER_STREAM,
    ITEMS,
    QUESTION,
    TEXT,
    drive,
    folder,
    load_from_arguments,
    must_be_answer,
    run_on_uvloop,
)

MODEL = "openai/gpt-4o-mini"
PLAIN = QUESTION.replace("{number}", "{{ number }}").replace("{text}", "{{ text }}")
LOOP = """Message {{ number }}. Which step fails?
{% for item in items %}{{ loop.index }}. {{ item }}
{% endfor %}"""


ARMED = {
    "retry": {"max_retries": 3},
    "failover": {"strategy": "next_by_priority"},
    "models": [{"model": MODEL, "priority": 2}, {"model": "openai/gpt-4o", "priority": 1}],
    "candidate_timeout_s": 60,
    "max_calls": 9,
}
LIMITS = {"MAX_CONCURRENCY": "1000", "REQUESTS_PER_MINUTE": "100000000", "TOKENS_PER_MINUTE": "1000000000"}


class Client:
    """One open app for the whole run."""

    def __init__(self, app: cuewire.App) -> None:
        self._app = app

    async def publish(self) -> None:
        """Store the prompts."""
        await self._app.prompts.publish("bench/plain", PLAIN, model=MODEL)
        await self._app.prompts.publish("bench/loop", LOOP, model=MODEL)
        await self._app.prompts.publish("bench/armed", PLAIN, policy=ARMED)
        await self._app.prompts.publish("bench/cached", PLAIN, policy={**ARMED, "cache": {"ttl_s": 600}})

    async def call(self, number: int) -> int:
        """Run the small template."""
        result = await self._app.run("bench/plain", {"number": number, "text": TEXT})
        must_be_answer(result.text)
        return 1

    async def armed(self, number: int) -> int:
        """Run it with all that guards a call."""
        result = await self._app.run("bench/armed", {"number": number, "text": TEXT})
        must_be_answer(result.text)
        return 1

    async def cached(self, number: int) -> int:
        """Run it so, and keep the answer."""
        result = await self._app.run("bench/cached", {"number": number, "text": TEXT})
        must_be_answer(result.text)
        return 1

    async def loop(self, number: int) -> int:
        """Run the template with a loop."""
        result = await self._app.run("bench/loop", {"number": number, "items": list(ITEMS)})
        must_be_answer(result.text)
        return 1

    async def stream(self, number: int) -> int:
        """Read one stream to its end."""
        pieces = self._app.stream("bench/plain", {"number": number, "text": TEXT})
        text = [piece.text async for piece in pieces]
        must_be_answer("".join(text))
        return EVENTS_PER_STREAM


async def main() -> None:
    """Drive the kind of request that the command line names."""
    load = load_from_arguments()
    if load.kind in ("armed", "cached"):
        os.environ.update({f"CUEWIRE_PROVIDERS__OPENAI__{name}": value for name, value in LIMITS.items()})
    async with cuewire.open(f"sqlite:///{folder()}/bench.db") as app:
        client = Client(app)
        await client.publish()
        kinds = (client.call, client.armed, client.cached, client.loop, client.stream)
        await drive(load, {kind.__name__: kind for kind in kinds}[load.kind])


if __name__ == "__main__":
    run_on_uvloop(main())
