"""The tables of the semantic cache: how fast an answer is found, and how often it would be a wrong one."""

from __future__ import annotations

from bench.kit.goals import Ceiling, Floor, Ratio, Table
from bench.kit.sides import Side

SIZES = {"10k": 10_000, "100k": 100_000, "1M": 1_000_000}
THRESHOLDS = (0.95, 0.9, 0.8)
OURS, SCAN, ONE_THREAD = "cuewire, {}", "floor: numpy scan, {}", "floor: numpy scan, 1 thread, {}"
GPTCACHE = "gptcache 0.1.44, 10k"
MISS, LOCAL = "cuewire, whole run, 100k", "cuewire, whole run, local embedder"
DATA = {
    "banking77": "banking77, all neighbours",
    "intents": "banking77, other intents",
    "minimal": "minimal pairs",
    "rewordings": "rewordings",
}


def hits(*, sizes: tuple[str, ...]) -> Table:
    """P9: an answer to a similar question."""
    every = {name: str(SIZES[name]) for name in sizes}
    wanted = tuple(
        side
        for name, size in every.items()
        for side in (
            Side(OURS.format(name), "semantic_ours.py", (size,), timeout_s=1_800),
            Side(SCAN.format(name), "numpy_scan.py", (size,), timeout_s=600),
            Side(ONE_THREAD.format(name), "numpy_scan.py", (size, "--threads", "1"), timeout_s=600),
        )
    )
    largest = sizes[-1]
    return Table(
        key="p9",
        title="Semantic cache, vectors that are there: milliseconds of one search after another",
        figures=(
            *("hit ms", "hit, p95 ms", "hit cpu ms", "miss ms", "miss, p95 ms", "index MB", "per_s", "load s"),
            *("recall@1 at 0.95", "recall@1 at 0.9", "recall@1 at 0.8"),
            *("exact miss ms", "vector miss ms", "more ms", "more cpu ms"),
            *("exact hit ms", "embedding ms", "rest ms", "answered", "of"),
        ),
        sides=(
            *wanted,
            Side(GPTCACHE, "with_gptcache.py", ("10000",), "gptcache", 600),
            Side(MISS, "semantic_run.py", ("miss", str(SIZES["100k"] if "100k" in sizes else 10_000)), timeout_s=600),
            Side(LOCAL, "semantic_run.py", ("local",), timeout_s=600),
        ),
        claims=(
            Ratio(OURS.format("10k"), GPTCACHE, "hit ms", 100),
            Ratio(OURS.format("10k"), GPTCACHE, "hit cpu ms"),
            Ratio(OURS.format("10k"), GPTCACHE, "per_s"),
            Ratio(OURS.format(largest), SCAN.format(largest), "hit ms", 10),
            Ratio(OURS.format(largest), ONE_THREAD.format(largest), "hit ms", 10),
            Ratio(OURS.format(largest), ONE_THREAD.format(largest), "hit cpu ms"),
            Ratio(OURS.format(largest), SCAN.format(largest), "index MB", 20),
            *(Floor(OURS.format(name), "recall@1 at 0.95", 0.99) for name in sizes),
            Ceiling(MISS, "more ms", 1),
        ),
        is_turned=True,
    )


def safety(*, thresholds: tuple[float, ...]) -> Table:
    """Answers that one would get, and how many of them are wrong."""
    sides = {
        (data, threshold): Side(f"{name}, {threshold:g}", "semantic_safety.py", (data, f"{threshold:g}"), timeout_s=600)
        for data, name in DATA.items()
        for threshold in thresholds
    }
    ways = ("cosine", "words", "verifier")
    return Table(
        key="p9-safety",
        title="Answers by the cosine alone, by the words too, and what a verifier would be asked about: questions",
        figures=("asked", *(figure for way in ways for figure in (way, f"{way}, wrong"))),
        sides=tuple(sides.values()),
        claims=tuple(Ceiling(sides["minimal", threshold].name, "words, wrong", 0) for threshold in thresholds),
        most_rounds=1,
    )
