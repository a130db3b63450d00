"""Ours: the record alone, through the Recorder port: opened, closed, awaited until it is durable.

Each row carries the same text as the other sides' rows; building and encoding it is part of what is timed.
The kind is `row`, into SQLite, or `postgres`.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

import cuewire
from bench.sides.meter import drive, folder, load_from_arguments, run_on_uvloop
from bench.sides.rows import ANSWER_TEXT, MODEL, prompt_of
from cuewire.clock import SystemClock
from cuewire.model.executions import CallRecord, Closing, Opening
from cuewire.model.ids import uuid7
from cuewire.model.prompts import PromptVersion
from cuewire.model.requests import ChatMessage
from cuewire.model.usage import Usage
from cuewire.ports import Clock, Recorder
from cuewire.stores.places import place_of
from cuewire.stores.record_writer import RecordWriter

encode = msgspec.json.Encoder().encode
USAGE = Usage(input_tokens=450, output_tokens=260)


class Calls:
    """Records one finished model call after another."""

    def __init__(self, recorder: Recorder, version: PromptVersion, clock: Clock) -> None:
        self._recorder = recorder
        self._version = version
        self._clock = clock

    async def record(self, number: int) -> int:
        """Open and close one record; returns when it is durable."""
        now = self._clock.now()
        execution_id = uuid7(unix_ms=int(now.timestamp() * 1_000), random_bits=self._clock.random_bits())
        self._recorder.open(self._opening(execution_id, number, now))
        await self._recorder.close(self._closing(execution_id, number, now))
        return 1

    def _opening(self, execution_id: str, number: int, now: datetime) -> Opening:
        return Opening(
            id=execution_id,
            version_id=self._version.id,
            prompt=self._version.prompt,
            version=self._version.number,
            label="production",
            model=MODEL,
            started_at=now,
            inputs=encode({"number": number}),
            metadata=encode({"user": f"user-{number % 97}", "tier": "gold"}),
        )

    def _closing(self, execution_id: str, number: int, now: datetime) -> Closing:
        call = CallRecord(
            number=1,
            purpose="first",
            model=MODEL,
            status="ok",
            duration_ms=812.4,
            usage=USAGE,
            cost_usd=0.000_2235,
            provider_request_id=f"req_{number}",
        )
        return Closing(
            id=execution_id,
            status="succeeded",
            ended_at=now,
            duration_ms=812.4,
            model=MODEL,
            usage=USAGE,
            cost_usd=0.000_2235,
            cost_basis="bench",
            finish_reason="stop",
            first_token_ms=203.1,
            messages=encode((ChatMessage(role="user", content=prompt_of(number)),)),
            text=ANSWER_TEXT,
            value=None,
            tool_calls=None,
            calls=(call,),
        )


async def main(url: str) -> None:
    """Record from as many tasks as the command line asks for."""
    clock = SystemClock()
    async with cuewire.open(url) as app:
        version = await app.prompts.publish("bench", "Message {{ number }}", model=MODEL)
    database = await place_of(url).open(clock=clock)
    try:
        await drive(load_from_arguments(), Calls(RecordWriter(database), version, clock).record)
    finally:
        await database.close()


if __name__ == "__main__":
    if load_from_arguments().kind == "postgres":
        from bench.sides.postgres import postgres_server

        with postgres_server() as found:
            run_on_uvloop(main(found))
    else:
        run_on_uvloop(main(f"sqlite:///{folder()}/bench.db"))
