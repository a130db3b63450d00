"""The tables of this suite: which sides run, and what is claimed of them."""

from __future__ import annotations

from bench.kit.goals import Ceiling, Ratio, Table
from bench.kit.sides import Side

OURS = "cuewire"
LITELLM, OPENAI, LLM = "litellm 1.106.2", "openai 3.52.0", "llm 0.36"
PROTOCOL = "floor: hand-written protocol"
PYREQWEST = "floor: pyreqwest, line split"
AIOHTTP = "floor: aiohttp, line split"
LOOP = "cuewire, 12-item loop template"
ARMED, CACHED = "cuewire, all guards set", "cuewire, and an exact cache that finds nothing"
DISK_BYTES_PER_ROW = 11_000
"""What our database sends towards the disk for one record at 256 in flight: log frames, then pages."""
CLIENTS = ("per_cpu_s", "us_each", "per_s", "rss_mb")


def calls(*, cpu_s: float) -> Table:
    """P1: one plain call, 64 in flight."""
    load = ("--in-flight", "64", "--cpu-s", str(cpu_s))
    return Table(
        key="p1",
        title="Calls, 64 in flight, prompt under 0.2 KB: requests per CPU-second of the client process",
        figures=CLIENTS,
        sides=(
            Side(OURS, "ours.py", ("call", *load)),
            Side(LOOP, "ours.py", ("loop", *load)),
            Side(ARMED, "ours.py", ("armed", *load)),
            Side(CACHED, "ours.py", ("cached", *load)),
            Side(LITELLM, "with_litellm.py", ("call", *load), "litellm"),
            Side(OPENAI, "with_openai.py", ("call", *load), "openai"),
            Side(AIOHTTP, "floor_aiohttp.py", ("call", *load), "floor"),
            Side(PYREQWEST, "floor_pyreqwest.py", ("call", *load), "floor"),
            Side(PROTOCOL, "floor_protocol.py", ("call", *load), "floor"),
        ),
        claims=(
            Ratio(OURS, LITELLM, "per_cpu_s", 40),
            Ratio(LOOP, LITELLM, "per_cpu_s"),
            Ratio(ARMED, OURS, "per_cpu_s", 0.9),
            Ratio(CACHED, OURS, "per_cpu_s"),
            Ratio(OURS, OPENAI, "per_cpu_s"),
            Ratio(OURS, AIOHTTP, "per_cpu_s"),
            Ratio(OURS, PYREQWEST, "per_cpu_s"),
            Ratio(OURS, PROTOCOL, "per_cpu_s"),
        ),
    )


def streams(*, cpu_s: float) -> Table:
    """P2: streams of 67 events that arrive back to back, 64 at once."""
    load = ("--in-flight", "64", "--cpu-s", str(cpu_s))
    return Table(
        key="p2",
        title="Streams of 67 events, 64 at once: events per CPU-second of the client process",
        figures=CLIENTS,
        sides=(
            Side(OURS, "ours.py", ("stream", *load)),
            Side(LITELLM, "with_litellm.py", ("stream", *load), "litellm"),
            Side(OPENAI, "with_openai.py", ("stream", *load), "openai"),
            Side(AIOHTTP, "floor_aiohttp.py", ("stream", *load), "floor"),
            Side(PYREQWEST, "floor_pyreqwest.py", ("stream", *load), "floor"),
            Side(PROTOCOL, "floor_protocol.py", ("stream", *load), "floor"),
        ),
        claims=(
            Ratio(OURS, LITELLM, "per_cpu_s", 80),
            Ratio(OURS, OPENAI, "per_cpu_s", 25),
            Ratio(OURS, PYREQWEST, "per_cpu_s", round(1 / 2.3, 3)),
            Ratio(OURS, AIOHTTP, "per_cpu_s"),
            Ratio(OURS, PROTOCOL, "per_cpu_s"),
        ),
    )


def starts() -> Table:
    """P5: what it costs to begin: an import, a first answer, a command."""
    first, command = "first answer", "one prompt by command"
    return Table(
        key="p5",
        title="Starting: CPU milliseconds of a fresh process, byte code warm",
        figures=("cpu_ms", "rss_mb"),
        sides=(
            Side(f"{OURS}, import", "import_cost.py", ("cuewire",)),
            Side(f"{LITELLM}, import", "import_cost.py", ("litellm",), "litellm"),
            Side(f"{OPENAI}, import", "import_cost.py", ("openai",), "openai"),
            Side(f"{OURS}, {first}", "first_answer.py", ("prepared",)),
            Side(f"{LITELLM}, {first}", "first_answer.py", ("litellm",), "litellm"),
            Side(f"{OPENAI}, {first}", "first_answer.py", ("openai",), "openai"),
            Side(f"{OURS}, {command}", "command_cost.py", ("ours",)),
            Side(f"{LLM}, {command}", "command_cost.py", ("llm",), "llm"),
        ),
        claims=(
            Ratio(f"{OURS}, import", f"{LITELLM}, import", "cpu_ms", 20),
            Ceiling(f"{OURS}, import", "rss_mb", 40),
            Ratio(f"{OURS}, {command}", f"{LLM}, {command}", "cpu_ms", 4),
            Ratio(f"{OURS}, {first}", f"{LITELLM}, {first}", "cpu_ms"),
            Ratio(f"{OURS}, {first}", f"{OPENAI}, {first}", "cpu_ms"),
        ),
    )


def records(*, wall_s: float) -> Table:
    """P7: one call's record made durable, awaited by the caller."""
    few = ("--in-flight", "8", "--cpu-s", "1000", "--wall-s", str(wall_s))
    many = ("--in-flight", "256", "--cpu-s", "1000", "--wall-s", str(wall_s))
    ours, floor = f"{OURS}, {{}} in flight", "floor: append and sync, {} in flight"
    phoenix, awaited, queued = (
        "phoenix 20.26.1, 8 threads",
        "mlflow 3.17.2 sync, 8 threads",
        "mlflow 3.17.2 async",
    )
    filled = f"{floor.format(256)}, {DISK_BYTES_PER_ROW // 1_000} KB rows"
    on_server, copied = f"{ours} on PostgreSQL", "floor: asyncpg, copy, {} in flight"
    at_once = {count: ("--in-flight", str(count), *few[2:]) for count in (8, 64)}
    postgres = (
        side
        for count, load in at_once.items()
        for side in (
            Side(on_server.format(count), "ours_record.py", ("postgres", *load)),
            Side(copied.format(count), "floor_asyncpg.py", ("row", *load)),
        )
    )
    return Table(
        key="p7",
        title="Durable records of 3 KB: rows per second of wall clock until they are synced",
        figures=("per_s", "us_each", "disk_kb_per_row"),
        sides=(
            Side(ours.format(8), "ours_record.py", ("row", *few)),
            Side(floor.format(8), "floor_file.py", ("row", *few), "floor"),
            Side(phoenix, "with_phoenix.py", ("batch", "--in-flight", "8"), "phoenix", 300),
            Side(awaited, "with_mlflow.py", ("sync", "--in-flight", "8"), "mlflow"),
            Side(queued, "with_mlflow.py", ("async", "--in-flight", "8"), "mlflow"),
            Side(ours.format(256), "ours_record.py", ("row", *many)),
            Side(floor.format(256), "floor_file.py", ("row", *many), "floor"),
            Side(filled, "floor_file.py", (str(DISK_BYTES_PER_ROW), *many), "floor"),
            *postgres,
        ),
        claims=(
            Ratio(ours.format(8), phoenix, "per_s", 30),
            Ratio(ours.format(8), awaited, "per_s", 100),
            Ratio(ours.format(8), queued, "per_s", 100),
            Ratio(ours.format(256), floor.format(256), "per_s", 0.85),
            Ratio(ours.format(256), filled, "per_s"),
            Ratio(ours.format(8), floor.format(8), "per_s"),
            *(Ratio(on_server.format(count), copied.format(count), "per_s") for count in at_once),
        ),
    )


def candidates(*, cpu_s: float) -> Table:
    """Five candidates of one run against five runs."""
    load = ("--in-flight", "16", "--cpu-s", str(cpu_s))
    together, apart = f"{OURS}, 5 candidates of one run", f"{OURS}, 5 runs"
    return Table(
        key="candidates",
        title="Five answers to one prompt, 16 times at once: CPU microseconds of each call",
        figures=CLIENTS,
        sides=(
            Side(together, "candidates.py", ("together", *load)),
            Side(apart, "candidates.py", ("apart", *load)),
        ),
        claims=(Ratio(together, apart, "us_each", round(1 / 1.15, 3)),),
    )
