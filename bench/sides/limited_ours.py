"""Ours at a limited model server: told the limit of `requests` or `tokens`, or `untold`, guided by 429 alone.

After the last run every record in the file is held against what the server answered and what callers were told.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from uuid import UUID

import cuewire
from bench.sides.limited import (
    PER_MINUTE,
    RETRIES,
    TOKENS,
    LimitedServer,
    limited_server,
    load_from_arguments,
    press,
    report,
)
from bench.sides.limited_server import TOKENS_OUT
from bench.sides.meter import TEXT, folder, must_be_answer, run_on_uvloop
from bench.sides.ours import MODEL, PLAIN
from cuewire.model.errors import CuewireError

PROMPT = "bench/limited"
SUCCEEDED, FAILED = ("succeeded",), ("failed", "timed_out")
SETTINGS = {
    "requests": {"CUEWIRE_PROVIDERS__OPENAI__REQUESTS_PER_MINUTE": str(PER_MINUTE)},
    "tokens": {"CUEWIRE_PROVIDERS__OPENAI__TOKENS_PER_MINUTE": str(PER_MINUTE * TOKENS)},
    "untold": {},
}


class Client:
    """One open app for the whole run; `told` is the statuses that fit what callers were told, by execution."""

    def __init__(self, app: cuewire.App) -> None:
        self._app = app
        self.asked = 0
        self.told: dict[str, tuple[str, ...]] = {}

    async def publish(self) -> None:
        """Store the prompt."""
        policy = {"retry": {"max_retries": RETRIES}}
        parameters = {"max_tokens": TOKENS_OUT}
        await self._app.prompts.publish(PROMPT, PLAIN, model=MODEL, parameters=parameters, policy=policy)

    async def ask(self, number: int) -> None:
        """Run the prompt."""
        self.asked += 1
        try:
            result = await self._app.run(PROMPT, {"number": number, "text": TEXT})
        except CuewireError as error:
            self.told[error.execution_id or ""] = FAILED
            raise
        self.told[result.id] = SUCCEEDED
        must_be_answer(result.text)


def compared(client: Client, answers: Mapping[str, int], file: Path) -> dict[str, float]:
    """Give how many records are lost or doubled.

    Lost is an answer of the server that no call in the file has, an answer in the file that the server never gave, and
    a run whose record is not there or says something else than its caller was told. Doubled is an answer that two calls
    have, a message that was answered twice, and a record beyond those of all runs.
    """
    with closing(sqlite3.connect(file)) as database:
        rows = database.execute("SELECT id, status FROM executions")
        ends: dict[str, str] = {str(UUID(bytes=each)): status for each, status in rows}
        named = "SELECT provider_request_id, count(*) FROM calls WHERE status = 'ok' GROUP BY 1"
        calls: dict[str, int] = dict(database.execute(named))
    untrue = sum(ends.get(each) not in fitting for each, fitting in client.told.items())
    twice = sum(count - 1 for count in Counter(answers.values()).values())
    return {
        "lost": len(answers.keys() ^ calls.keys()) + max(untrue, client.asked - len(ends)),
        "doubled": sum(calls.values()) - len(calls) + twice + max(0, len(ends) - client.asked),
        "records": len(ends),
    }


async def run(server: LimitedServer) -> None:
    """Run, close, and compare."""
    load, file = load_from_arguments(), Path(folder()) / "bench.db"
    async with cuewire.open(f"sqlite:///{file}") as app:
        client = Client(app)
        await client.publish()
        runs, meter = await press(client.ask, load, server)
    report(runs, server, meter, compared(client, server.tell("/answers"), file))


if __name__ == "__main__":
    with limited_server(load_from_arguments()) as found:
        os.environ.update(SETTINGS[load_from_arguments().kind], OPENAI_BASE_URL=found.url)
        run_on_uvloop(run(found))
