"""The tables of the registry: finding, writing and trying prompts, and what a run does with one before its call."""

from __future__ import annotations

from bench.kit.goals import Ceiling, Ratio, Table
from bench.kit.sides import Side

TARGETS_MS = {
    "first page": 100,
    "page in the middle": 100,
    "page of a tag": 100,
    "page of a type": 100,
    "page of a strategy": 100,
    "page of a status": 100,
    "page by time": 100,
    "text search": 300,
    "prompt by id": 50,
    "prompt by name": 50,
    "version by label": 50,
    "validate": 200,
    "validate, 4 KB": 200,
    "render": 300,
    "render, 12-item loop": 300,
    "types": 300,
    "stats": 300,
    "diff": 300,
    "new version": 300,
    "new prompt": 300,
}
"""What each request may take, at the 95th percentile."""
LARGE, SMALL = "10000x20", "1000x20"
OURS, FEWER, ON_SERVER = "ours, 10,000", "ours, 1,000", "ours, 10,000, PostgreSQL"
MLFLOW, HTTP, SQLITE = "mlflow 3.17.2, 10,000", "floor: granian", "floor: sqlite3"
ASKED_OF_MLFLOW = (
    "first page",
    "page in the middle",
    "page of a tag",
    "text search",
    "prompt by name",
    "version by label",
    "new version",
    "new prompt",
)
RENDERED = ("small", "loop", "extends")


def registry(*, count: int) -> Table:
    """Requests to the registry, one after another."""
    each, ours = ("--count", str(count)), "registry_ours.py"
    return Table(
        key="registry",
        title="The registry over REST, prompts of 20 versions, one request at a time: median and 95th percentile",
        figures=tuple(f"{name}{of}" for name in TARGETS_MS for of in (" ms", ", p95 ms")),
        sides=(
            Side(OURS, ours, ("sqlite", LARGE, *each), timeout_s=600),
            Side(FEWER, ours, ("sqlite", SMALL, *each), timeout_s=600),
            Side(ON_SERVER, ours, ("postgres", LARGE, *each), timeout_s=600),
            Side(MLFLOW, "with_mlflow_registry.py", (LARGE, *each), "mlflow", 600),
            Side(HTTP, "registry_floor.py", ("http", LARGE, *each)),
            Side(SQLITE, "registry_floor.py", ("sqlite3", LARGE, *each), timeout_s=600),
        ),
        claims=(
            *(
                Ceiling(side, f"{name}, p95 ms", target)
                for side in (OURS, FEWER, ON_SERVER)
                for name, target in TARGETS_MS.items()
            ),
            *(Ratio(OURS, MLFLOW, f"{name} ms", 10) for name in ASKED_OF_MLFLOW),
            Ratio(OURS, HTTP, "prompt by id ms"),
            *(Ratio(OURS, SQLITE, f"{name} ms") for name in ("first page", "prompt by id", "version by label")),
        ),
        is_turned=True,
    )


def renders(*, cpu_s: float) -> Table:
    """What a run does before it calls a model: look its version up, and render."""
    load, resolve = ("--cpu-s", str(cpu_s)), "cuewire, version by label, cached"
    ours, floor = {kind: f"cuewire, {kind}" for kind in RENDERED}, {kind: f"floor: Jinja2, {kind}" for kind in RENDERED}
    return Table(
        key="renders",
        title="Renders and look-ups in this process: CPU microseconds of each",
        figures=("us_each", "per_cpu_s"),
        sides=(
            *(Side(name, "renders.py", ("ours", kind, *load)) for kind, name in ours.items()),
            *(Side(name, "renders.py", ("jinja", kind, *load)) for kind, name in floor.items()),
            Side(resolve, "renders.py", ("resolve", "label", *load)),
        ),
        claims=(
            *(Ratio(ours[kind], floor[kind], "us_each", round(1 / 1.15, 3)) for kind in RENDERED),
            Ceiling(resolve, "us_each", 5),
        ),
    )
