"""Requirements are pinned and hashed, name no host, stay few, and each direct one has its decision."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator
from importlib.metadata import distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.ratchets.sources import ROOT

MAX_CORE_PACKAGES = 44
FILES = ("requirements.txt", "requirements-dev.txt", "requirements-model.txt", "requirements-embedding.txt")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def pins(text: str) -> dict[str, str]:
    """Return the pinned version of each package of a requirements file."""
    return dict(re.findall(r"^([\w.-]+)==([\w.+!-]+)", text, re.MULTILINE))


def faults(text: str) -> Iterator[str]:
    """Yield each entry that is not pinned or not hashed, and each line that sets an option or names a host."""
    for entry in re.split(r"(?<!\\)\n", re.sub(r"(?m)^\s*#.*\n", "", text).rstrip()):
        name = entry.split(" ", 1)[0]
        if "://" in entry or entry.startswith("-"):
            yield f"{name} is an option or names a host"
        elif not re.search(r"^[\w.-]+==", entry) or not re.search(r"--hash=sha256:[0-9a-f]{64}", entry):
            yield f"{name} is not pinned, or has no hash"


def closure(direct: Iterable[str], requires: Callable[[str], Iterable[str]]) -> set[str]:
    """Return all packages that the direct ones bring along on this machine, themselves included."""
    found: set[str] = set()
    waiting = [Requirement(text) for text in direct]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name not in found and (wanted.marker is None or wanted.marker.evaluate({"extra": ""})):
            found.add(name)
            waiting += [Requirement(text) for text in requires(name)]
    return found


def undecided(direct: Iterable[str], decisions: Collection[str]) -> list[str]:
    """Return the direct dependencies that no decision names."""
    names = [Requirement(text).name for text in direct]
    return [name for name in names if not any(name.lower() in decision.lower() for decision in decisions)]


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_pinned_and_hashed_and_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text()

    assert pins(text)
    assert list(faults(text)) == []


def test_both_environments_pin_the_same_versions() -> None:
    runtime, dev = (pins((ROOT / name).read_text()) for name in FILES[:2])

    assert runtime.items() <= dev.items()


def test_every_direct_dependency_is_pinned() -> None:
    direct = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["local"]]

    assert {canonicalize_name(Requirement(text).name) for text in direct} <= pins((ROOT / FILES[0]).read_text()).keys()


def test_the_core_brings_few_packages() -> None:
    packages = closure(PROJECT["dependencies"], lambda name: distribution(name).requires or ())

    assert len(packages) <= MAX_CORE_PACKAGES, sorted(packages)


def test_every_direct_dependency_has_a_decision() -> None:
    decisions = [path.read_text() for path in (ROOT / "docs/adr").glob("*.md")]

    extras = [text for extra in ("local", "vectors") for text in PROJECT["optional-dependencies"][extra]]
    assert undecided([*PROJECT["dependencies"], *extras], decisions) == []


def test_a_faulty_requirement_is_found() -> None:
    digest = "--hash=sha256:" + "0" * 64
    text = f"--{'extra'} https://example.com\na==1 \\\n    {digest}\n    # via b\nb==2\nc>=3 \\\n    {digest}\n"

    assert [fault.split(" ", 1)[0] for fault in faults(text)] == ["--extra", "b==2", "c>=3"]


def test_the_closure_follows_requirements_and_leaves_extras_out() -> None:
    graph = {"a": ["b>=1", "d; extra == 'x'"], "b": ["c; python_version < '3'", "a"], "e": []}

    assert closure(["a", "e"], lambda name: graph[name]) == {"a", "b", "e"}


def test_a_dependency_without_a_decision_is_found() -> None:
    assert undecided(["aiohttp>=3", "left-pad"], ["we take aiohttp"]) == ["left-pad"]
