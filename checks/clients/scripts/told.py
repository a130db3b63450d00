"""What the scripts share: each check is a function, and a line of JSON says how it went."""

from __future__ import annotations

import json
import os
import shlex
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias
from urllib.request import Request, urlopen

from checks.clients.processes import run

CUE = os.environ["CUE"]
KEY = os.environ["KEY"]
INPUTS = {"text": "It crashes"}
ANSWER = "Bug or idea? It crashes"
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
VECTOR = (0.6, 0.8, 0.0)
"""What the model behind embeds every text as."""
ENDS_WITHIN_S = 120

Check: TypeAlias = Callable[[], None]
_checks: list[tuple[str, Check]] = []


def check(name: str) -> Callable[[Check], Check]:
    """Name a check; those of a script run in its order."""

    def add(function: Check) -> Check:
        _checks.append((name, function))
        return function

    return add


def main(*, version_of: str = "", version_is: str = "") -> None:
    """Run the checks; print the client's version, then how each check went."""
    print(json.dumps({"version": version_is or version(version_of)}), flush=True)
    for name, function in _checks:
        fault = ""
        try:
            function()
        except Exception as error:  # noqa: BLE001  # whatever a client raises is what this is to find out
            last = traceback.extract_tb(error.__traceback__)[-1]
            fault = f"{type(error).__name__}: {error} ({last.name}, line {last.lineno})"
        print(json.dumps({"check": name, "fault": fault}), flush=True)


def must_be(found: object, expected: object) -> None:
    """Refuse anything but what is expected."""
    assert found == expected, f"{found!r} is not {expected!r}"


def must_be_vectors(found: Sequence[Sequence[float]], *, count: int) -> None:
    """Refuse anything but so many vectors as the model gives."""
    must_be([[round(number, 6) for number in vector] for vector in found], [[*VECTOR]] * count)


def raises(kind: type[Exception], function: Callable[[], object]) -> Exception:
    """Return the error that the function raises, which must be of the kind."""
    try:
        found = function()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}, but {found!r}")


def recorded(execution_id: str) -> dict[str, Any]:
    """Return what Cuewire recorded of an execution."""
    asked = Request(f"{CUE}/api/v1/executions/{execution_id}", headers={"Authorization": f"Bearer {KEY}"})
    with urlopen(asked, timeout=ENDS_WITHIN_S) as reply:
        found = json.load(reply)
    assert isinstance(found, dict)
    return found


def command(line: str, *, code: int = 0, environment: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return all that it said; its exit code must be as expected."""
    whole = {**os.environ, **(environment or {})}
    ended = run(shlex.split(line), folder=Path.cwd(), environment=whole, within_s=ENDS_WITHIN_S)
    assert ended.code == code, ended.fault or "exit code 0"
    return ended.out + ended.err
