"""Runs the tables and prints our figure beside each peer, each floor and each goal."""

from __future__ import annotations

import argparse

from bench import tables
from bench.kit.environments import python_of
from bench.kit.goals import Table
from bench.kit.report import print_table, run_rounds, store
from bench.kit.stub import stub_server


def main() -> int:
    """Run what the command line asks for; 0 unless a goal was measured and not met."""
    options = _options()
    if options.stages:
        from bench import stages

        return stages.main(seconds=2.0 if options.quick else 8.0)
    chosen = [_tables(quick=options.quick)[key] for key in options.tables]
    for environment in sorted({side.environment for table in chosen for side in table.sides}):
        python_of(environment)
    rounds = options.rounds or (1 if options.quick else 5)
    failed = False
    with stub_server() as base_url:
        for table in chosen:
            found = run_rounds(table, rounds=rounds, base_url=base_url)
            verdicts = print_table(table, found)
            print(f"\n  all figures: {store(table, found, verdicts)}")
            failed = failed or any(verdict.is_met is False for verdict in verdicts)
    return int(failed)


def _tables(*, quick: bool) -> dict[str, Table]:
    cpu_s, wall_s = (0.7, 1.5) if quick else (2.0, 3.0)
    made = (
        tables.calls(cpu_s=cpu_s),
        tables.streams(cpu_s=cpu_s),
        tables.starts(),
        tables.records(wall_s=wall_s),
    )
    return {table.key: table for table in made}


def _options() -> argparse.Namespace:
    keys = ("p1", "p2", "p5", "p7")
    parser = argparse.ArgumentParser(prog="bench/run.py", description=__doc__)
    names = ", ".join(keys)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"{names}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="one short round: shows that all runs, no more")
    parser.add_argument("--rounds", type=int, help="how often each side runs, 5 unless said")
    parser.add_argument("--stages", action="store_true", help="show where the time of one call of ours goes")
    options = parser.parse_args()
    unknown = set(options.tables) - set(keys)
    if unknown:
        parser.error(f"no such table: {', '.join(sorted(unknown))}; there are {names}")
    options.tables = options.tables or list(keys)
    return options
