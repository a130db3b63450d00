"""A process of its own that asks a prompt the same question many times at once, and says what it got.

`python -m tests.support.asking_process FOLDER PROMPT TIMES` opens the database as the environment says, says `ready`,
waits for a line, and then prints a JSON object: how many answers there were of each text.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from pathlib import Path

import cuewire
from cuewire.config import load


async def ask(folder: Path, prompt: str, times: int) -> Counter[str]:
    settings = load(environment=dict(os.environ), folder=folder)
    async with cuewire.open(settings=settings) as app:
        await app.prompts.get(prompt)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        results = await asyncio.gather(*(app.run(prompt, {"x": "the same"}) for _ in range(times)))
    return Counter(result.text for result in results)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(ask(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))), flush=True)
