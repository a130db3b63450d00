"""Where the time of one call goes: our engine run with the stage timer around each step."""

from __future__ import annotations

from bench.kit.sides import Broken, Side, measure
from bench.kit.stub import stub_server

LEAST_US = 0.05


def main(*, seconds: float) -> int:
    """Run the plain and the timed process, print the stages in the order of the trip."""
    load = ("call", "--in-flight", "64", "--cpu-s", str(seconds), "--wall-s", str(seconds * 5))
    with stub_server() as base_url:
        plain = measure(Side("plain", "ours.py", load), base_url=base_url)
        timed = measure(Side("timed", "ours_stages.py", load), base_url=base_url)
    for run in (plain, timed):
        if isinstance(run, Broken):
            print(f"the run failed: {run.reason}")
            return 2
    assert not isinstance(plain, Broken)
    assert not isinstance(timed, Broken)
    figures = timed.figures.items()
    stages = {name: spent for name, spent in figures if not name.startswith("(") and spent >= LEAST_US}
    whole = sum(stages.values())
    print("\nOne call, 64 in flight: CPU microseconds by stage, each without the stages inside it\n")
    for name, spent in stages.items():
        print(f"  {name:<32}{spent:8.1f} us {spent / whole:7.1%}")
    print(f"  {'all stages':<32}{whole:8.1f} us")
    print(f"  {'the same call without the timer':<32}{plain.figures['us_each']:8.1f} us")
    return 0
