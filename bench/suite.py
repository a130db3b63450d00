"""Runs the tables and prints our figure beside each peer, each floor and each goal."""

from __future__ import annotations

import argparse
import sys

from bench import gateways, limits, registries, semantic, tables
from bench.kit.environments import prepare
from bench.kit.goals import Table
from bench.kit.report import print_table, run_rounds, store
from bench.kit.stub import stub_server


def main() -> int:
    """Run what the command line asks for; 0 unless a goal was measured and not met."""
    options = _options()
    if options.stages:
        from bench import stages

        return stages.main(options.tables, seconds=2.0 if options.quick else 8.0)
    chosen = [tables_by_key(quick=options.quick)[key].only(options.only) for key in options.tables]
    if not all(table.sides for table in chosen):
        sys.exit(f"no side of a table has {options.only!r} in its name")
    for environment in sorted({side.environment for table in chosen for side in table.sides}):
        prepare(environment)
    asked = options.rounds or (1 if options.quick else 5)
    failed = False
    for table in chosen:
        rounds = min(asked, table.most_rounds or asked)
        with stub_server(table.stub) as base_url:
            found = run_rounds(table, rounds=rounds, base_url=base_url)
        verdicts = print_table(table, found)
        print(f"\n  all figures: {store(table, found, verdicts)}")
        failed = failed or any(verdict.is_met is False for verdict in verdicts)
    return int(failed)


def tables_by_key(*, quick: bool) -> dict[str, Table]:
    """Give every table, in the order in which they run; `quick` makes them short."""
    cpu_s, wall_s = (0.7, 1.5) if quick else (2.0, 3.0)
    made = (
        tables.calls(cpu_s=cpu_s),
        tables.streams(cpu_s=cpu_s),
        gateways.gateways(seconds=wall_s),
        tables.starts(),
        limits.limits(seconds=3.0 if quick else 60.0),
        tables.records(wall_s=wall_s),
        gateways.slow_readers(seconds=0.1 if quick else 8.0),
        registries.registry(count=20 if quick else 100),
        registries.renders(cpu_s=cpu_s),
        tables.candidates(cpu_s=cpu_s),
        semantic.hits(sizes=("10k",) if quick else tuple(semantic.SIZES)),
        semantic.safety(thresholds=semantic.THRESHOLDS[:1] if quick else semantic.THRESHOLDS),
    )
    return {table.key: table for table in made}


def _options() -> argparse.Namespace:
    keys = tuple(tables_by_key(quick=True))
    parser = argparse.ArgumentParser(prog="bench/run.py", description=__doc__)
    names = ", ".join(keys)
    parser.add_argument("tables", nargs="*", metavar="TABLE", help=f"{names}; all when none is named")
    parser.add_argument("--quick", action="store_true", help="one short round: shows that all runs, no more")
    parser.add_argument("--rounds", type=int, help="how often each side runs, 5 unless said")
    parser.add_argument("--only", default="", metavar="TEXT", help="run the sides whose name has this text")
    parser.add_argument(
        "--stages", action="store_true", help="show where the time of ours goes: a call (p1), a request (p3)"
    )
    options = parser.parse_args()
    unknown = set(options.tables) - set(keys)
    if unknown:
        parser.error(f"no such table: {', '.join(sorted(unknown))}; there are {names}")
    options.tables = options.tables or list(keys)
    return options
