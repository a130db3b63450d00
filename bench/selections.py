"""Whether asking several times helps: ways to select an answer, on sixty labelled sentences and the local model.

    python bench/selections.py              all ways, about seven minutes
    python bench/selections.py --sentences 6    a short run: shows that all runs, no more

Needs `cuewire[local]` and its model. Nothing leaves the machine, so the cost is 0; the tokens say what it would be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)

import cuewire  # noqa: E402 - the project's folder is found above
from cuewire.model.errors import CuewireError  # noqa: E402
from cuewire.model.statistics import Interval, paired_difference, wilson  # noqa: E402

SENTENCES = Path(__file__).parent / "data" / "sentences.tsv"
MODEL = "local/smollm2-135m"
LABELS = ("positive", "negative")
JUDGE = "selections/judge"
SYSTEM = "You classify the sentiment of a sentence. Answer with exactly one word: positive or negative."
EXAMPLES = (
    ("The garden is a joy, even in the rain.", "positive"),
    ("They thought of everything, down to the spare key.", "positive"),
    ("The zip broke on the first day.", "negative"),
)
QUESTION = "Sentence: {{ text }}\nSentiment:"
FEW_SHOT = (
    cuewire.Message("system", SYSTEM),
    *(
        message
        for text, label in EXAMPLES
        for message in (
            cuewire.Message("user", f"Sentence: {text}\nSentiment:"),
            cuewire.Message("assistant", label),
        )
    ),
    cuewire.Message("user", QUESTION),
)
ZERO_SHOT = (FEW_SHOT[0], FEW_SHOT[-1])
JUDGING = """Task: {{ task }}

{{ fenced }}

{% if fault %}Your last ranking could not be used: {{ fault }}.
{% endif %}
Rank the answers {{ labels | join(', ') }}, the best first, each label once and each rank once.
Answer with {"ranking": [{"label": ..., "reason": a few words, "score": 0 to 10, "rank": 1 for the best}, ...]}"""
DRAWN = {"temperature": 1.0, "max_tokens": 4}


def times(count: int, method: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Give a policy of so many candidates."""
    return {"parallel": {"mode": "static_count", "count": count}, "selection": method, **more}


@dataclass(frozen=True, slots=True)
class Way:
    """A way to get an answer."""

    name: str
    policy: Mapping[str, Any]
    parameters: Mapping[str, Any]
    messages: Sequence[cuewire.Message]


CONSENSUS = {"method": "consensus"}
SURE = {**DRAWN, "temperature": 0, "seed": 0}
WAYS = (
    Way("one answer, drawn", {}, {**DRAWN, "seed": 0}, FEW_SHOT),
    Way("one answer, temperature 0", {}, SURE, FEW_SHOT),
    Way("the same without examples", {}, SURE, ZERO_SHOT),
    Way("consensus of 3 seeds", times(3, CONSENSUS), DRAWN, FEW_SHOT),
    Way("consensus of 5 seeds", times(5, CONSENSUS), DRAWN, FEW_SHOT),
    Way("consensus of 5 temperatures", times(5, CONSENSUS, diversity="temperature"), SURE, FEW_SHOT),
    Way("shortest of 5 seeds", times(5, {"method": "metric", "metric": "shortest"}), DRAWN, FEW_SHOT),
    Way("judge of 3 seeds", times(3, {"method": "judge", "prompt": JUDGE}), DRAWN, FEW_SHOT),
)


@dataclass(slots=True)
class Found:
    """What a way came to, sentence by sentence: of the answer, and of all candidates, selected or not."""

    is_right: list[bool] = field(default_factory=list)
    candidates: list[list[bool]] = field(default_factory=list)
    durations_ms: list[float] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    failed: int = 0


async def tried(app: cuewire.App, way: Way, sentences: Sequence[tuple[str, str]]) -> Found:
    """Ask for every sentence, one after another."""
    name = "selections/" + way.name.replace(",", "").replace(" ", "-")
    await app.prompts.publish(
        name, way.messages, model=MODEL, parameters=way.parameters, policy=way.policy, output=list(LABELS)
    )
    found = Found()
    for label, text in sentences:
        values: list[Any] = []
        value = None
        try:
            result = await app.run(name, {"text": text})
        except CuewireError:
            found.failed += 1
        else:
            value = result.value
            values = [end.value for end in result.candidates] or [value]
            found.durations_ms.append(result.duration_ms)
            if result.selection is not None:
                found.reasons[result.selection.reason] += 1
        found.is_right.append(value == label)
        found.candidates.append([each == label for each in values])
    found.tokens = await tokens_of(app, name) + (await tokens_of(app, JUDGE) if JUDGE in str(way.policy) else 0)
    return found


async def tokens_of(app: cuewire.App, prompt: str) -> int:
    """Give the tokens of all executions of a prompt, in and out."""
    tokens, after = 0, None
    while True:
        page = await app.executions.list(limit=500, prompt=prompt, after=after)
        tokens += sum(execution.total_tokens or 0 for execution in page.items)
        if (after := page.next) is None:
            return tokens


def read() -> list[tuple[str, str]]:
    """Give the sentences with their labels."""
    lines = SENTENCES.read_text(encoding="utf-8").splitlines()[1:]
    return [(label, text) for label, text in (line.split("\t") for line in lines)]


def percent(interval: Interval) -> str:
    """Give an interval in words."""
    return f"{interval.estimate:.0%} ({interval.low:.0%} to {interval.high:.0%})"


def show(*cells: str) -> None:
    """Print a row."""
    widths = (28, 20, 28, 6, 6, 8, 8, 7)
    words, figures = zip(cells[:3], widths[:3], strict=True), zip(cells[3:], widths[3:], strict=True)
    aligned = (*(cell.ljust(width) for cell, width in words), *(cell.rjust(width) for cell, width in figures))
    print("  " + " ".join(aligned), flush=True)


def show_way(way: Way, found: Found, first: Found) -> None:
    """Print what came of a way, and of another one that it is held against."""
    n = len(found.is_right)
    more = paired_difference(first.is_right, found.is_right)
    show(
        way.name,
        percent(wilson(sum(found.is_right), n)),
        f"{more.estimate:+.0%} ({more.low:+.0%} to {more.high:+.0%})",
        f"{mean(each for some in found.candidates for each in some or [False]):.0%}",
        f"{mean(any(some) for some in found.candidates):.0%}",
        f"{found.tokens / n:,.0f}",
        f"{median(found.durations_ms):,.0f}" if found.durations_ms else "-",
        str(found.failed),
    )


async def main() -> None:
    """Try all ways, and print what came of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=0, help="only so many of them")
    parser.add_argument("--json", type=Path, help="also write what was found there")
    options = parser.parse_args()
    sentences = read()[: options.sentences or None]
    show("way", "right", f"against {WAYS[0].name!r}", "each", "any", "tokens", "ms", "failed")
    every: dict[str, Found] = {}
    with tempfile.TemporaryDirectory() as folder:
        async with cuewire.open(f"sqlite:///{folder}/selections.db") as app:
            await app.prompts.publish(
                JUDGE, JUDGING, model=MODEL, parameters={"temperature": 0, "max_tokens": 400, "seed": 0}
            )
            for way in WAYS:
                every[way.name] = await tried(app, way, sentences)
                show_way(way, every[way.name], every[WAYS[0].name])
    for name, found in every.items():
        if found.reasons:
            print(f"  {name}: {', '.join(f'{times} x {reason}' for reason, times in found.reasons.most_common(6))}")
    if options.json:
        written = {name: {field: getattr(found, field) for field in Found.__slots__} for name, found in every.items()}
        options.json.write_text(json.dumps(written, indent=1), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
