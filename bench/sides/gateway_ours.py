"""Ours: `cuewire serve`, with an API key, every call priced and recorded: `raw` model or `stored` prompt."""

from __future__ import annotations

import asyncio
import sys

from bench.sides.gateway import MESSAGES, Target, free_port, load_from_arguments, measure, serving, stored_prompt_body
from bench.sides.meter import folder
from bench.sides.ours import MODEL, PLAIN
from cuewire.config import load as load_settings
from cuewire.wiring import connect

PROMPT = "bench/plain"
BODIES = {"raw": {**MESSAGES, "model": MODEL}, "stored": stored_prompt_body(f"prompt/{PROMPT}")}


async def prepared() -> str:
    """Publish the prompt and give a new API key."""
    app = await connect(database_url(), settings=load_settings())
    try:
        await app.prompts.publish(PROMPT, PLAIN, model=MODEL)
        return (await app.keys.issue("bench", by=app.actor)).text
    finally:
        await app.close()


def database_url() -> str:
    """Give the database that the server serves."""
    return f"sqlite:///{folder()}/bench.db"


def command(port: int) -> list[str]:
    """Give the command of the server."""
    return [sys.executable, "-m", "cuewire.cli", "serve", "--port", str(port)]


def main() -> None:
    """Serve, and load it."""
    load, port, key = load_from_arguments(), free_port(), asyncio.run(prepared())
    target = Target(port, "/v1/chat/completions", BODIES[load.kind], {"Authorization": f"Bearer {key}"})
    with serving(command(port), port, CUEWIRE_DATABASE_URL=database_url()) as pid:
        measure(pid, target, load)


if __name__ == "__main__":
    main()
