"""The project's own files, as the ratchets read them: text, syntax tree, and the outside names that code uses."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "src/cuewire/"


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its path from the root of the project, with slashes, and its text."""

    path: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return _parsed(self.text)


@cache
def project_files() -> tuple[Source, ...]:
    """Return every text file that is, or is about to be, under version control."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    paths = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    contents = {path: (ROOT / path).read_bytes() for path in paths if path and (ROOT / path).is_file()}
    return tuple(Source(path, data.decode()) for path, data in contents.items() if b"\0" not in data[:8192])


def python_files(*folders: str) -> list[Source]:
    """Return the Python files below the folders."""
    return [file for file in project_files() if file.path.startswith(folders) and file.path.endswith(".py")]


def violations(check: Callable[[Source], Iterable[str]], files: Iterable[Source]) -> list[str]:
    """Return what a check finds in all the files."""
    return [violation for file in files for violation in check(file)]


def crossings(file: Source, borders: Mapping[str, tuple[str, ...]], *, below: str) -> list[str]:
    """Return each use of a guarded name outside the places allowed for it.

    `borders` maps an outside name to the paths, relative to `below`, where it and all inside it may be used.
    """
    place = file.path.removeprefix(below)
    return [
        f"{file.path}:{line} uses {name}, allowed in {', '.join(allowed) or 'no file'}"
        for name, line in sorted(set(outside_names(file.tree)), key=lambda use: use[1])
        for guarded, allowed in borders.items()
        if f"{name}.".startswith(f"{guarded}.") and not place.startswith(allowed or ("\0",))
    ]


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return every function, also inner ones and methods."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def outside_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield, with its line, each imported name and each attribute reached through one, in full and without aliases."""
    known: dict[str, str] = {}
    nodes = list(ast.walk(tree))
    for node in nodes:
        for local, name in _imported(node):
            known[local] = name
            yield name, getattr(node, "lineno", 0)
    for node in nodes:
        if isinstance(node, ast.Attribute) and (name := _dotted(node, known)):
            yield name, node.lineno
        if isinstance(node, ast.Call) and (name := _imported_by_call(node, known)):
            yield name, node.lineno


def _imported(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield the full name of each thing that an import statement brings, after the local name that leads to it."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name, alias.name
            if not alias.asname and "." in alias.name:
                top = alias.name.partition(".")[0]
                yield top, top
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        for alias in node.names:
            yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _dotted(node: ast.expr, known: Mapping[str, str]) -> str:
    if isinstance(node, ast.Name):
        return known.get(node.id, "")
    if isinstance(node, ast.Attribute) and (owner := _dotted(node.value, known)):
        return f"{owner}.{node.attr}"
    return ""


def _imported_by_call(node: ast.Call, known: Mapping[str, str]) -> str:
    is_import = isinstance(node.func, ast.Name) and node.func.id == "__import__"
    if is_import or _dotted(node.func, known) == "importlib.import_module":
        for argument in node.args[:1]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                return argument.value
    return ""


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)
