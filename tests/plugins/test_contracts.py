"""The contract report counts a contract only if all its tests ran and passed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugins.contracts import report_text

TITLES = {"S0-01": "one", "S0-02": "two", "S0-03": "three", "S0-04": "four", "S1-01": "five"}
ALL = {"setup", "call", "teardown"}


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makefile(".tsv", contracts="\n".join(f"{contract}\t{title}" for contract, title in TITLES.items()))
    pytester.makeini(
        "[pytest]\ncontracts_file = contracts.tsv\nasyncio_default_fixture_loop_scope = function\n"
        "markers =\n    contract: what is proven\n    slow: left out\n"
    )
    return pytester


def run(project: pytest.Pytester, code: str, *arguments: str) -> pytest.RunResult:
    project.makepyfile(test_it="import pytest\n" + code)
    return project.runpytest("-p", "tests.plugins.contracts", "--contract-report", *arguments)


def test_a_contract_with_a_passing_test_is_proven(project: pytest.Pytester) -> None:
    result = run(project, "@pytest.mark.contract('S0-02', 'S1-01')\ndef test_a(): assert True\n")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["2 of 5 contracts proven by a passing test", "*S0: 1 of 4", "*S1: 1 of 1"])
    result.stdout.fnmatch_lines(["proven", "*S0-02 two", "*test_it.py::test_a", "*S1-01 five", "*test_it.py::test_a"])
    result.stdout.fnmatch_lines(["without a test", "*S0-01, S0-03..S0-04"])


@pytest.mark.parametrize(
    "body",
    [
        "def test_b(): assert False",
        "def test_b(): pytest.skip('later')",
        "@pytest.mark.xfail\ndef test_b(): assert False",
        "@pytest.mark.xfail\ndef test_b(): assert True",
        "@pytest.fixture\ndef broken(): raise OSError\n@pytest.mark.contract('S0-01')\ndef test_b(broken): assert True",
        "@pytest.fixture\ndef broken():\n    yield\n    raise OSError\n"
        "@pytest.mark.contract('S0-01')\ndef test_b(broken): assert True",
    ],
    ids=["fails", "is skipped", "is expected to fail", "passes against expectation", "cannot start", "cannot end"],
)
def test_a_contract_is_not_proven_when_one_of_its_tests(project: pytest.Pytester, body: str) -> None:
    mark = "@pytest.mark.contract('S0-01')\n"

    result = run(project, f"{mark}def test_a(): assert True\n{mark if 'fixture' not in body else ''}{body}\n")

    result.stdout.fnmatch_lines(["0 of 5 contracts*", "failing", "*S0-01 one", "*test_it.py::test_b"])
    result.stdout.no_fnmatch_line("*test_it.py::test_a")


def test_a_test_left_out_of_the_run_proves_nothing(project: pytest.Pytester) -> None:
    result = run(
        project, "@pytest.mark.slow\n@pytest.mark.contract('S0-01')\ndef test_a(): assert True\n", "-m", "not slow"
    )

    result.assert_outcomes(deselected=1)
    result.stdout.fnmatch_lines(["0 of 5 contracts*", "without a test", "*S0-01..S0-04"])


def test_marks_of_a_class_and_of_a_case_count(project: pytest.Pytester) -> None:
    case = "pytest.param(1, marks=pytest.mark.contract('S0-03'))"
    code = f"@pytest.mark.contract('S0-01')\nclass TestA:\n    @pytest.mark.parametrize('n', [{case}, 2])\n"

    result = run(project, code + "    def test_a(self, n): assert n\n")

    result.stdout.fnmatch_lines(
        ["2 of 5 contracts*", "*S0-01 one", "*::TestA::test_a", "*S0-03 three", "*::TestA::test_a"]
    )


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["one process", "two processes"])
def test_an_unknown_id_is_a_collection_error(project: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    result = run(project, "@pytest.mark.contract('S9-99')\ndef test_a(): assert True\n", *arguments)

    result.assert_outcomes(errors=1)
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*test_it.py::test_a: no contract has the id 'S9-99'*"])


def test_a_mark_without_an_id_is_a_collection_error(project: pytest.Pytester) -> None:
    result = run(project, "@pytest.mark.contract()\ndef test_a(): assert True\n")

    result.assert_outcomes(errors=1)


def test_outcomes_from_several_processes_are_gathered(project: pytest.Pytester) -> None:
    code = "".join(f"@pytest.mark.contract('S0-0{n}')\ndef test_{n}(): assert {n} != 3\n" for n in (1, 2, 3, 4))

    result = run(project, code, "-n", "2")

    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["3 of 5 contracts*", "*S0: 3 of 4", "failing", "*S0-03 three", "*exit status 1*"])


def test_the_report_can_go_to_a_file(project: pytest.Pytester) -> None:
    project.makepyfile("import pytest\n@pytest.mark.contract('S1-01')\ndef test_a(): assert True\n")

    result = project.runpytest("-p", "tests.plugins.contracts", "--contract-report=out/report.txt")

    result.stdout.fnmatch_lines(["1 of 5 contracts proven by a passing test; the list is in out/report.txt"])
    assert "S1-01 five" in Path(project.path, "out/report.txt").read_text()


def test_neighbours_without_a_test_are_joined_per_group() -> None:
    text = report_text(TITLES, {"S0-02": {"a.py::test_a": ALL}})

    assert text.endswith("without a test\n  S0-01, S0-03..S0-04\n  S1-01\n")


def test_a_test_that_never_reached_its_end_proves_nothing() -> None:
    text = report_text(TITLES, {"S0-01": {"a.py::test_a": {"setup"}}})

    assert text.startswith("0 of 5 contracts")
    assert "failing\n  S0-01 one\n      a.py::test_a\n" in text
