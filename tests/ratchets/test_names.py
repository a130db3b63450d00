"""Names say what a thing is: no drawer names, one word per idea, and the public names are the ones declared."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import make_dataclass
from pathlib import PurePosixPath

import cuewire
from tests.ratchets.sources import PACKAGE, ROOT, Source, python_files, violations

DRAWERS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "base", "misc"}
MAX_PUBLIC_NAMES = 24
FOREIGN_WORDS_ALLOWED = ("src/cuewire/compat/", "src/cuewire/wire/", "src/cuewire/providers/")
"""Where others choose the words."""


def drawer_names(file: Source) -> Iterator[str]:
    for part in PurePosixPath(file.path).with_suffix("").parts:
        if words := DRAWERS & set(part.split("_")):
            yield f"{file.path} is named {', '.join(sorted(words))}"


def glossary(text: str) -> dict[str, list[str]]:
    """Return each word of the glossary with the words that it replaces."""
    lines = [line.strip("|") for line in text.splitlines() if line.startswith("| **")]
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return {word.strip("*"): [other for other in others.split(", ") if other] for word, _, others in rows}


def replaced_words(file: Source, words: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Yield classes and functions whose name holds a word that the glossary replaces by another."""
    if file.path.startswith(FOREIGN_WORDS_ALLOWED):
        return
    replacements = [(other, word) for word, others in words.items() for other in others]
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = f" {' '.join(_words(node.name))} "
            for other, word in replacements:
                if f" {other} " in name:
                    yield f"{file.path}:{node.lineno} {node.name}: say {word!r}, not {other!r}"


def nouns_without_a_word(modules: Collection[str], words: Collection[str]) -> list[str]:
    """Return the noun modules that no word of the glossary explains; a module is named for one word or its plural."""
    plurals = ((r"$", "s"), (r"$", "es"), (r"y$", "ies"), (r"is$", "es"))
    forms = {form for word in words for form in (word, *(re.sub(end, plural, word) for end, plural in plurals))}
    return sorted(module for module in modules if module.replace("_", " ") not in forms)


def exported_names(file: Source) -> set[str]:
    """Return the public names that a module defines or takes from our own modules, for type checkers or for real."""
    names: set[str] = set()
    for node in file.tree.body:
        inner = node.body if isinstance(node, ast.If) else [node]
        for item in inner:
            if isinstance(item, ast.ImportFrom) and (item.module or "").startswith("cuewire"):
                names.update(alias.asname or alias.name for alias in item.names)
            elif isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(item.name)
            elif isinstance(item, ast.Assign):
                names.update(target.id for target in item.targets if isinstance(target, ast.Name))
    return {name for name in names if not name.startswith("_")}


def public_name_faults(exported: set[str], declared: Sequence[str]) -> list[str]:
    """Return how the names that a module exports differ from its `__all__`."""
    faults = [f"{name} is exported but not in __all__" for name in sorted(exported - set(declared))]
    faults += [f"{name} is in __all__ but not exported" for name in sorted(set(declared) - exported)]
    if list(declared) != sorted(declared):
        faults.append("__all__ is not sorted")
    if len(declared) > MAX_PUBLIC_NAMES:
        faults.append(f"__all__ holds {len(declared)} names")
    return faults


def undocumented(values: Mapping[str, object]) -> list[str]:
    """Return the classes and functions without a docstring; what `dataclass` writes by itself is none."""
    things = {name: value for name, value in values.items() if inspect.isclass(value) or inspect.isroutine(value)}
    return [name for name, value in things.items() if not value.__doc__ or value.__doc__.startswith(f"{name}(")]


def _words(identifier: str) -> list[str]:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", identifier).lower().strip("_").split("_")


def test_no_module_is_named_like_a_drawer() -> None:
    assert violations(drawer_names, python_files("src/", "tests/", "bench/", "checks/")) == []


def test_no_name_uses_a_word_that_the_glossary_replaces() -> None:
    words = glossary((ROOT / "docs/glossary.md").read_text())

    assert words
    assert violations(lambda file: replaced_words(file, words), python_files("src/")) == []


def test_every_noun_has_its_word_in_the_glossary() -> None:
    modules = {path.stem for path in (ROOT / PACKAGE / "model").glob("*.py")} - {"__init__"}

    assert modules
    assert nouns_without_a_word(modules, glossary((ROOT / "docs/glossary.md").read_text())) == []


def test_the_package_exports_what_it_declares() -> None:
    source = Source("cuewire", (ROOT / PACKAGE / "__init__.py").read_text())

    assert public_name_faults(exported_names(source), cuewire.__all__) == []


def test_every_public_name_can_be_had_and_is_documented() -> None:
    assert undocumented({name: getattr(cuewire, name) for name in cuewire.__all__}) == []


def test_a_drawer_name_is_found_in_a_file_and_in_a_folder() -> None:
    assert list(drawer_names(Source("src/cuewire/text_utils.py", ""))) == ["src/cuewire/text_utils.py is named utils"]
    assert list(drawer_names(Source("src/cuewire/base/a.py", ""))) == ["src/cuewire/base/a.py is named base"]


def test_a_replaced_word_is_found() -> None:
    words = glossary("| **provider** | who serves models | vendor, model host |\n| **call** | one request | |\n")
    code = "class VendorTable: ...\ndef open_model_host(): ...\ndef provider(): ...\n"
    file = Source("src/cuewire/engine/a.py", code)

    assert [found.split(" ", 1)[1] for found in replaced_words(file, words)] == [
        "VendorTable: say 'provider', not 'vendor'",
        "open_model_host: say 'provider', not 'model host'",
    ]


def test_a_noun_without_a_word_is_found() -> None:
    assert nouns_without_a_word({"batches", "queries", "gadgets"}, {"batch", "query"}) == ["gadgets"]


def test_public_name_faults_are_found() -> None:
    code = "from typing import Any\nif TYPE_CHECKING:\n    from cuewire.model.a import B as B\ndef c(): ...\n_d = 1\n"
    exported = exported_names(Source("cuewire", code))

    assert exported == {"B", "c"}
    assert public_name_faults(exported, ["z", "B"]) == [
        "c is exported but not in __all__",
        "z is in __all__ but not exported",
        "__all__ is not sorted",
    ]
    assert public_name_faults({str(n) for n in range(30)}, sorted(map(str, range(30)))) == ["__all__ holds 30 names"]


def test_an_undocumented_name_is_found() -> None:
    made = make_dataclass("made", [("a", int)])

    assert undocumented({"made": made, "open": open, "exported": lambda: None}) == ["made", "exported"]
