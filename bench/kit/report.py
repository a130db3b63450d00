"""Runs a table's sides in turn, prints it, and stores what was measured."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.kit.environments import BENCH
from bench.kit.goals import Rounds, Table, Verdict, judge, middle
from bench.kit.sides import Broken, Measured, measure

RESULTS = BENCH / "results"


def run_rounds(table: Table, *, rounds: int, base_url: str) -> Rounds:
    """Run every side once per round, beginning each round with another side."""
    runs: dict[str, list[Measured | Broken]] = {side.name: [] for side in table.sides}
    for turn in range(rounds):
        shift = turn % len(table.sides)
        for side in table.sides[shift:] + table.sides[:shift]:
            print(
                f"  {table.key} round {turn + 1}/{rounds}: {side.name:<40}",
                end="\r",
                file=sys.stderr,
                flush=True,
            )
            runs[side.name].append(measure(side, base_url=base_url))
    print(" " * 70, end="\r", file=sys.stderr, flush=True)
    return runs


def print_table(table: Table, rounds: Rounds) -> list[Verdict]:
    """Print the figures of every side and the verdict on every claim; give the verdicts."""
    print(f"\n{table.key.upper()}  {table.title}\n")
    rows = [["side", *table.figures]]
    for side in table.sides:
        found = (middle(rounds, side.name, figure) for figure in table.figures)
        rows.append([side.name, *(_number(value) for value in found)])
    _print_rows([list(column) for column in zip(*rows, strict=True)] if table.is_turned else rows)
    verdicts = [judge(claim, rounds) for claim in table.claims]
    print()
    _print_rows([["claim", "measured", "goal", ""], *(_verdict_row(verdict) for verdict in verdicts)])
    for side in table.sides:
        broken = next((run for run in rounds[side.name] if isinstance(run, Broken)), None)
        if broken:
            print(f"\n  {side.name} did not run: {broken.reason[:600]}")
    return verdicts


def store(table: Table, rounds: Rounds, verdicts: list[Verdict]) -> Path:
    """Write everything measured to bench/results."""
    now = datetime.now(UTC)
    found = {
        "table": table.key,
        "title": table.title,
        "at": now.isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "rounds": {name: [asdict(run) for run in runs] for name, runs in rounds.items()},
        "verdicts": [asdict(verdict) for verdict in verdicts],
    }
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{table.key}-{now:%Y%m%d-%H%M%S}.json"
    path.write_text(json.dumps(found, indent=1), encoding="utf-8")
    return path


def _verdict_row(verdict: Verdict) -> list[str]:
    if verdict.value is None:
        word = "not measured"
    elif verdict.is_met is None:
        word = ""
    else:
        word = "met" if verdict.is_met else "not met"
    unit = "" if verdict.goal.startswith(("<=", "at least")) or verdict.value is None else "x"
    return [verdict.text, _number(verdict.value) + unit, verdict.goal, word]


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _print_rows(rows: list[list[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            row[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]
        print("  " + "  ".join(cells).rstrip())
