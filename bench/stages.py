"""Where the time of one call, and of one request at the server, goes: run with the stage timer around each step."""

from __future__ import annotations

from collections.abc import Collection

from bench.kit.sides import Broken, Side, measure
from bench.kit.stub import stub_server

LEAST_US = 0.05


def main(tables: Collection[str], *, seconds: float) -> int:
    """Print the stages of a call for table p1, of a request at the server for p3."""
    call = ("call", "--in-flight", "64", "--cpu-s", str(seconds), "--wall-s", str(seconds * 5))
    request = ("raw", "--seconds", str(seconds))
    failed = False
    with stub_server() as base_url:
        if "p1" in tables:
            sides = Side("plain", "ours.py", call), Side("timed", "ours_stages.py", call)
            failed |= not _print_stages("One call, 64 in flight", *sides, base_url=base_url)
        if "p3" in tables:
            sides = Side("plain", "gateway_ours.py", request), Side("timed", "server_stages.py", request)
            failed |= not _print_stages("One request at the server, 64 connections", *sides, base_url=base_url)
    return 2 if failed else 0


def _print_stages(title: str, plain: Side, timed: Side, *, base_url: str) -> bool:
    """Run the plain and the timed process, print the stages in the order of the trip, and tell whether both ran."""
    bare, found = measure(plain, base_url=base_url), measure(timed, base_url=base_url)
    if isinstance(bare, Broken) or isinstance(found, Broken):
        for run in (bare, found):
            if isinstance(run, Broken):
                print(f"the run failed: {run.reason}")
        return False
    figures = found.figures.items()
    stages = {name: spent for name, spent in figures if not name.startswith("(") and spent >= LEAST_US}
    whole = sum(stages.values())
    print(f"\n{title}: CPU microseconds by stage, each without the stages inside it\n")
    for name, spent in stages.items():
        print(f"  {name:<32}{spent:8.1f} us {spent / whole:7.1%}")
    print(f"  {'all stages':<32}{whole:8.1f} us")
    print(f"  {'the same without the timer':<32}{bare.figures['us_each']:8.1f} us")
    return True
