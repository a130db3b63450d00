"""Tests run, wait for nothing, patch nothing of ours, and each asserts something."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.ratchets.sources import Source, crossings, functions, python_files, violations

NEVER: dict[str, tuple[str, ...]] = dict.fromkeys(
    [
        *("pytest.skip", "pytest.xfail", "pytest.importorskip"),
        *("pytest.mark.skip", "pytest.mark.skipif", "pytest.mark.xfail", "unittest.skip", "unittest.SkipTest"),
        *("unittest.mock", "time.sleep"),
    ],
    (),
)

TESTS = python_files("tests/")


def evasions(file: Source) -> list[str]:
    return crossings(file, NEVER, below="tests/")


def silent_tests(file: Source) -> Iterator[str]:
    """Yield the tests with no `assert`, no `raises` or `warns`, and no call of something named `assert...`."""
    for function in functions(file.tree):
        if function.name.startswith("test_") and not any(map(_asserts, ast.walk(function))):
            yield f"{file.path}:{function.lineno} {function.name} asserts nothing"


def _asserts(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        return name in {"raises", "warns", "fail"} or name.startswith(("assert", "fnmatch_line", "no_fnmatch_line"))
    return isinstance(node, ast.Assert)


def test_no_test_evades_its_question() -> None:
    assert violations(evasions, TESTS) == []


def test_every_test_asserts_something() -> None:
    assert violations(silent_tests, TESTS) == []


@pytest.mark.parametrize(
    "text",
    [
        "import pytest\n@pytest.mark.skip\ndef test_a(): ...",
        "import pytest\n@pytest.mark.skipif(True, reason='x')\ndef test_a(): ...",
        "from pytest import mark\n@mark.xfail\ndef test_a(): ...",
        "import pytest\nrows = pytest.importorskip('numpy')",
        "from time import sleep",
        "from unittest.mock import patch",
    ],
)
def test_an_evasion_is_found(text: str) -> None:
    assert len(evasions(Source("tests/test_a.py", text))) == 1


def test_a_test_without_an_assertion_is_found() -> None:
    silent = Source("tests/test_a.py", "def test_a():\n    f()\n")
    loud = Source("tests/test_a.py", "def test_a():\n    assert f()\ndef test_b(r):\n    r.assert_outcomes()\n")

    assert list(silent_tests(silent)) == ["tests/test_a.py:1 test_a asserts nothing"]
    assert list(silent_tests(loud)) == []
