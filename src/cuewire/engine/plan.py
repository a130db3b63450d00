"""Which calls an execution may make: a pure function of the version and what the caller asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cuewire.model.errors import ModelNotFound
from cuewire.model.plans import Candidate, Group, Plan
from cuewire.model.prompts import PromptVersion
from cuewire.model.requests import parse_model


def make_plan(version: PromptVersion, *, model: str | None, parameters: Mapping[str, Any]) -> Plan:
    """Plan one candidate on the caller's model, else the version's. Raises ModelNotFound if neither names one."""
    chosen = model or version.model
    if chosen is None:
        raise ModelNotFound(
            f"prompt {version.prompt!r} version {version.number} names no model",
            hint="run it with model='provider/model', or publish a version with a model",
        )
    candidate = Candidate(
        index=0,
        model=parse_model(chosen),
        parameters={**version.parameters, **parameters} if parameters else version.parameters,
        reason="asked for by the caller" if model else "named by the version",
    )
    return Plan(groups=(Group(candidates=(candidate,)),), max_calls=1)
