"""Which numbered contracts have a passing test.

A test names what it proves: `@pytest.mark.contract("S1-08")`. An id that docs/contracts.tsv does not list is a
collection error. `--contract-report` prints the tally after the run, `--contract-report=PATH` writes it to a file.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import pytest

_PROPERTY = "contracts"
_ALL_PHASES = frozenset({"setup", "call", "teardown"})

Tests = Mapping[str, Mapping[str, set[str]]]


def read_titles(path: Path) -> dict[str, str]:
    """Return the title of each contract, in the order of the file: one `id<TAB>title` a line."""
    return dict(line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())


def report_text(titles: Mapping[str, str], tests: Tests) -> str:
    """Return the report: the count, per group, what is proven by which tests, what failed, and what has no test.

    `tests` maps contract to test to the phases of it that passed; a test passed if all three did.
    """
    failing = {c: [t for t, phases in tests[c].items() if phases != _ALL_PHASES] for c in titles if c in tests}
    failing = {contract: names for contract, names in failing.items() if names}
    proven = [contract for contract in titles if contract in tests and contract not in failing]
    untested = [contract for contract in titles if contract not in tests]
    lines = [f"{len(proven)} of {len(titles)} contracts proven by a passing test", ""]
    for group, members in groupby(titles, key=_group):
        ids = list(members)
        lines.append(f"  {group}: {sum(_group(contract) == group for contract in proven)} of {len(ids)}")
    lines += _section("proven", [f"{c} {titles[c]}{_names(tests[c])}" for c in proven])
    lines += _section("failing", [f"{c} {titles[c]}{_names(names)}" for c, names in failing.items()])
    lines += _section("without a test", _ranges(list(titles), set(untested)))
    return "\n".join(lines) + "\n"


def _group(contract: str) -> str:
    return contract.partition("-")[0]


def _section(heading: str, entries: Sequence[str]) -> list[str]:
    return ["", heading, *(f"  {entry}" for entry in entries)] if entries else []


def _names(tests: Iterable[str]) -> str:
    """Return the tests' names, one a line; the cases of a parametrised test count as one."""
    return "".join(f"\n      {name}" for name in dict.fromkeys(test.partition("[")[0] for test in tests))


def _ranges(ordered: Sequence[str], wanted: set[str]) -> list[str]:
    """Return one line a group, in which neighbours are joined: `S0-01..S0-04, S0-09`."""
    runs: dict[str, list[str]] = {}
    for (group, is_wanted), members in groupby(ordered, key=lambda contract: (_group(contract), contract in wanted)):
        ids = list(members)
        if is_wanted:
            runs.setdefault(group, []).append(ids[0] if len(ids) == 1 else f"{ids[0]}..{ids[-1]}")
    return [", ".join(run) for run in runs.values()]


class Contracts:
    """One run: refuses unknown ids while tests are collected, and gathers how the tests of each contract ended."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._titles = titles
        self._tests: dict[str, dict[str, set[str]]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        report = yield
        items = [node for node in report.result or () if isinstance(node, pytest.Item)]
        unknown = [(item, contract) for item in items for contract in _marked(item) if contract not in self._titles]
        if unknown:
            report.outcome = "failed"
            report.longrepr = "\n".join(f"{item.nodeid}: no contract has the id {wrong!r}" for item, wrong in unknown)
            report.result = []
        return report

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Note the ids on the item: what is noted travels with its reports, also from another process."""
        if ids := list(dict.fromkeys(_marked(item))):
            item.user_properties.append((_PROPERTY, ids))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        passed = report.passed and not hasattr(report, "wasxfail")
        for name, ids in report.user_properties:
            if name == _PROPERTY and isinstance(ids, list):
                for contract in ids:
                    phases = self._tests.setdefault(contract, {}).setdefault(report.nodeid, set())
                    phases.update({report.when} if passed else ())

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
    ) -> None:
        target = config.getoption("contract_report")
        if target is None:
            return
        text = report_text(self._titles, self._tests)
        if exitstatus:
            text += f"\nthe run ended with exit status {int(exitstatus)}: tests may be missing here\n"
        terminalreporter.section("contracts")
        if target == "-":
            terminalreporter.write(text)
        else:
            path = config.rootpath / target
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            terminalreporter.write_line(f"{text.splitlines()[0]}; the list is in {target}")


def _marked(item: pytest.Item) -> Iterator[object]:
    for mark in item.iter_markers("contract"):
        yield from mark.args or ("",)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("contracts")
    group.addoption("--contract-report", nargs="?", const="-", metavar="PATH", help="tell which contracts are proven")
    parser.addini("contracts_file", "the list of contracts", default="docs/contracts.tsv")


def pytest_configure(config: pytest.Config) -> None:
    path = config.rootpath / str(config.getini("contracts_file"))
    config.pluginmanager.register(Contracts(read_titles(path)), "contracts")
