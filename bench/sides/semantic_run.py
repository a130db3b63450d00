"""Ours: whole runs at a cache of similar questions.

`miss SIZE`: by how much a question that none of so many is near to takes longer than one at an exact cache, in turn,
with vectors that are there. `local`: answers to reworded questions, with the embedding model on this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import cuewire
from bench.kit.environments import BENCH
from bench.sides.asked import figures_of
from bench.sides.many_questions import Crowd
from bench.sides.meter import folder, print_figures
from bench.sides.ours import MODEL
from bench.sides.question_shelf import EXACT, SEMANTIC, TEMPLATE, filled_file, floats, ready

REWORDINGS = BENCH.parent / "tests" / "data" / "rewordings.tsv"
LOCAL = "bench/local"
RUNS, WARM, ROUNDS = 300, 20, 4
ENOUGH = 299
"""Right matches after which answers are given."""
STUB_ANSWER = ("The quick brown fox jumps over the lazy dog while seven wizards boil jugs of tea. " * 2)[:128]


class Clock:
    """Wall and CPU milliseconds of one run."""

    def __init__(self, app: cuewire.App) -> None:
        self._app = app
        self.wall_ms: list[float] = []
        self.cpu_ms: list[float] = []

    async def run(self, prompt: str, text: str) -> Any:
        """Run a prompt."""
        cpu, wall = time.process_time(), time.perf_counter()
        result = await self._app.run(prompt, {"text": text})
        self.wall_ms.append((time.perf_counter() - wall) * 1_000)
        self.cpu_ms.append((time.process_time() - cpu) * 1_000)
        return result

    def forget(self) -> None:
        """Begin anew."""
        self.wall_ms, self.cpu_ms = [], []


def between(later: Sequence[float], earlier: Sequence[float]) -> float:
    """Give the median of what one takes longer than the other, pair by pair."""
    return median(b - a for a, b in zip(earlier, later, strict=True))


async def miss(size: int) -> None:
    """Run both in turn, each question once at each."""
    crowd = Crowd(size)
    asked = crowd.asked()
    vectors = {asked.held_texts[place]: floats(asked.held[place]) for place in asked.misses[: RUNS + WARM]}
    url = await filled_file(crowd, Path(folder()) / "questions.db")
    async with cuewire.open(url, providers=ready(vectors)) as app:
        exact, similar = Clock(app), Clock(app)
        for number, text in enumerate(vectors):
            if number == WARM:
                exact.forget()
                similar.forget()
            for clock, prompt in ((exact, EXACT), (similar, SEMANTIC))[:: 1 if number % 2 else -1]:
                if (await clock.run(prompt, text)).cached_from is not None:
                    raise SystemExit(f"{text!r} was answered from the cache")
    print_figures(
        {
            "exact miss ms": median(exact.wall_ms),
            "vector miss ms": median(similar.wall_ms),
            "more ms": between(similar.wall_ms, exact.wall_ms),
            "more cpu ms": between(similar.cpu_ms, exact.cpu_ms),
        }
    )


def rewordings() -> list[tuple[str, str]]:
    """Give pairs of questions that mean the same, in the same words."""
    lines = REWORDINGS.read_text(encoding="utf-8").splitlines()[1:]
    return [(one, other) for kind, one, other in (line.split("\t") for line in lines) if kind == "same"]


async def local() -> None:
    """Prove that answers may be given, then ask in other words."""
    semantic = {"on": ["text"], "model": "local/all-minilm-l6-v2", "mode": "serve"}
    async with cuewire.open(f"sqlite:///{folder()}/bench.db") as app:
        policy = {"cache": {"semantic": semantic}}
        await app.prompts.publish(LOCAL, TEMPLATE, model=MODEL, policy=policy, output=[STUB_ANSWER, "another"])
        await app.run(LOCAL, {"text": "how do I block my card"})
        for number in range(ENOUGH):
            pauses = f"{number:09b}".translate({ord("0"): ".", ord("1"): "!"})
            await app.run(LOCAL, {"text": f"how to block my card{pauses}"})
        pairs = rewordings()
        for one, _ in pairs:
            await app.run(LOCAL, {"text": one})
        results = [(other, await app.run(LOCAL, {"text": other})) for _, other in pairs]
        near = [text for text, result in results if result.similarity is not None]
        if not near:
            raise SystemExit("no reworded question was answered from the cache")
        clock, calls_ms = Clock(app), []
        for _ in range(ROUNDS):
            for text in near:
                calls_ms.append((await clock.run(LOCAL, text)).called_ms)
        exact = Clock(app)
        for _ in range(ROUNDS):
            for one, _ in pairs:
                await exact.run(LOCAL, one)
    figures = dict(figures_of("hit", clock.wall_ms))
    spent = {"embedding ms": median(calls_ms), "rest ms": between(clock.wall_ms, calls_ms)}
    exactly = {"exact hit ms": median(exact.wall_ms), "answered": len(near), "of": len(pairs)}
    print_figures({**figures, "hit cpu ms": sum(clock.cpu_ms) / len(clock.cpu_ms), **spent, **exactly})


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("miss", "local"))
    parser.add_argument("size", type=int, nargs="?", default=10_000)
    options = parser.parse_args()
    asyncio.run(local() if options.what == "local" else miss(options.size))


if __name__ == "__main__":
    main()
