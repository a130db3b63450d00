"""Outcomes: what became of an execution, reported any time later."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

from cuewire.model.errors import InvalidInput
from cuewire.model.text import check_json
from cuewire.model.values import Value

OutcomeValue: TypeAlias = bool | int | float | str
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Outcome(Value, frozen=True):
    """One named fact about an execution, such as correct=True or stars=4; the last report of a name counts."""

    execution_id: str
    name: str
    value: OutcomeValue
    reported_at: datetime


def check_outcome(name: str, value: object) -> OutcomeValue:
    """Return the value of an outcome if name and value are usable, else raise InvalidInput."""
    field = f"/outcomes/{name}"
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{name[:80]!r} is not an outcome name", field="/outcomes", hint="use a-z 0-9 _")
    if not isinstance(value, bool | int | float | str):
        raise InvalidInput(f"outcome {name!r} must be a boolean, a number or a text", field=field)
    check_json(value, pointer=field)
    return value


def check_outcomes(outcomes: Mapping[str, object]) -> dict[str, OutcomeValue]:
    """Check what is to be reported of one execution. Raises InvalidInput, also if it is nothing."""
    if not outcomes:
        raise InvalidInput("no outcome was given", field="/outcomes", hint="write report(id, correct=True)")
    return {name: check_outcome(name, value) for name, value in outcomes.items()}
