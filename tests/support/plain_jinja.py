"""Plain Jinja2 without a sandbox, as a program: renders the templates that it reads, and writes what came of each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment


class Outcome(NamedTuple):
    """What a template gave, "" for an error, and whether the file was written."""

    text: str
    is_written: bool


def outcomes(
    templates: Sequence[str], inputs: Mapping[str, object], *, canary: Path, environment: Mapping[str, str]
) -> list[Outcome]:
    """Render templates in a process of its own, with these variables in its environment."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__)), str(canary)],
        input=json.dumps([templates, inputs]),
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=60,
        check=True,
    )
    return [Outcome(*each) for each in json.loads(done.stdout)]


def _rendered(template: str, inputs: dict[str, Any]) -> str:
    try:
        return Environment().from_string(template).render(inputs)
    except Exception:  # noqa: BLE001  # whatever a payload does
        return ""


def _main(canary: Path) -> None:
    templates, inputs = json.load(sys.stdin)
    found = []
    for template in templates:
        canary.unlink(missing_ok=True)
        found.append((_rendered(template, json.loads(json.dumps(inputs))), canary.exists()))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
