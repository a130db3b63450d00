"""Files, functions, parameter lists and ports stay small enough to read at once."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.ratchets.sources import Source, functions, python_files, violations

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 6
"""Keyword-only parameters with a default are free; so are `self` and `cls`."""
ANY_PARAMETERS = ("src/cuewire/compat/", "src/cuewire/cli/")
"""Signatures that others fix, and options of the command line."""
MAX_PORT_METHODS = 7

CODE = python_files("src/", "tests/", "bench/", "checks/")


def long_files(file: Source) -> Iterator[str]:
    if (lines := file.text.count("\n")) > MAX_FILE_LINES:
        yield f"{file.path} has {lines} lines"


def long_functions(file: Source) -> Iterator[str]:
    for function in functions(file.tree):
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > MAX_FUNCTION_LINES:
            yield f"{file.path}:{function.lineno} {function.name} has {lines} lines"


def wide_functions(file: Source) -> Iterator[str]:
    if file.path.startswith(ANY_PARAMETERS):
        return
    for function in functions(file.tree):
        if (count := _parameters(function.args)) > MAX_PARAMETERS:
            yield f"{file.path}:{function.lineno} {function.name} has {count} parameters"


def wide_ports(file: Source) -> Iterator[str]:
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ClassDef) and "Protocol" in map(ast.unparse, node.bases):
            methods = [
                item
                for item in node.body
                if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)
                and "property" not in map(ast.unparse, item.decorator_list)  # names another port
            ]
            if len(methods) > MAX_PORT_METHODS:
                yield f"{file.path}:{node.lineno} {node.name} has {len(methods)} methods"


def _parameters(args: ast.arguments) -> int:
    positional = [arg.arg for arg in (*args.posonlyargs, *args.args)]
    required_keywords = [default for default in args.kw_defaults if default is None]
    return len(positional) + len(required_keywords) - (positional[:1] in (["self"], ["cls"]))


def test_no_file_is_longer_than_the_cap() -> None:
    assert violations(long_files, CODE) == []


def test_no_function_is_longer_than_the_cap() -> None:
    assert violations(long_functions, CODE) == []


def test_no_function_takes_more_parameters_than_the_cap() -> None:
    assert violations(wide_functions, CODE) == []


def test_no_port_asks_for_more_methods_than_the_cap() -> None:
    assert violations(wide_ports, python_files("src/cuewire/ports/")) == []


def test_a_long_file_is_found() -> None:
    assert list(long_files(Source("src/a.py", "x = 1\n" * 401))) == ["src/a.py has 401 lines"]


def test_a_long_function_is_found_also_inside_a_class() -> None:
    file = Source("src/a.py", "class A:\n    async def f(self):\n" + "        x = 1\n" * 60)

    assert list(long_functions(file)) == ["src/a.py:2 f has 61 lines"]


def test_too_many_parameters_are_found_and_keywords_with_a_default_are_free() -> None:
    wide = Source("src/a.py", "def f(a, b, c, d, e, *, g, h): ...\n")
    free = Source("src/a.py", "class A:\n    def f(self, a, b, c, d, e, *, g, h=1, i=2): ...\n")

    assert list(wide_functions(wide)) == ["src/a.py:1 f has 7 parameters"]
    assert list(wide_functions(free)) == []


def test_the_command_line_may_have_any_number_of_options() -> None:
    assert list(wide_functions(Source("src/cuewire/cli/run.py", "def f(a, b, c, d, e, g, h): ...\n"))) == []


def test_a_wide_port_is_found() -> None:
    methods = "".join(f"    def m{n}(self): ...\n" for n in range(8))

    assert list(wide_ports(Source("src/a.py", f"class A(Protocol):\n{methods}"))) == ["src/a.py:1 A has 8 methods"]
