"""Ours: a stored prompt run by the whole engine, recorded: `call`, `loop` (12-item template) or `stream`."""

from __future__ import annotations

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


class Client:
    """One open app for the whole run."""

    def __init__(self, app: cuewire.App) -> None:
        self._app = app

    async def publish(self) -> None:
        """Store the prompts."""
        await self._app.prompts.publish("bench/plain", PLAIN, model=MODEL)
        await self._app.prompts.publish("bench/loop", LOOP, model=MODEL)

    async def call(self, number: int) -> int:
        """Run the small template."""
        result = await self._app.run("bench/plain", {"number": number, "text": TEXT})
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
    async with cuewire.open(f"sqlite:///{folder()}/bench.db") as app:
        client = Client(app)
        await client.publish()
        await drive(load, {"call": client.call, "loop": client.loop, "stream": client.stream}[load.kind])


if __name__ == "__main__":
    run_on_uvloop(main())
