"""Whether the inputs are those that a version reads: none missing, none surplus, each of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cuewire.model.errors import InvalidInput
from cuewire.model.prompts import Inputs, PromptVersion, Variable
from cuewire.model.requests import ChatMessage
from cuewire.registry.schemas import compiled

_SCHEMES = ("https://", "http://", "data:image/")


def check_inputs(version: PromptVersion, inputs: Inputs) -> Mapping[str, Any]:
    """Return the inputs with defaults filled in.

    Raises one InvalidInput that lists everything that is wrong with them.
    """
    variables = version.variables
    problems = [(f"/inputs/{name}", "is not read by this version") for name in inputs if name not in variables]
    filled = dict(inputs)
    for name, variable in variables.items():
        if name not in inputs:
            if variable.required:
                problems.append((f"/inputs/{name}", "is missing"))
            elif variable.default is not None:
                filled[name] = variable.default
        elif problem := _wrong(variable, inputs[name]):
            problems.append((f"/inputs/{name}", problem))
    if problems:
        listed = ", ".join(f"{pointer.rpartition('/')[2]!r} {problem}" for pointer, problem in problems)
        known = ", ".join(variables) or "no inputs"
        raise InvalidInput(
            f"prompt {version.prompt!r} version {version.number}: {listed}",
            problems=tuple(problems),
            hint=f"it reads: {known}",
        )
    return filled


def history(value: Any) -> tuple[ChatMessage, ...]:
    """Read the messages given for a placeholder. Raises msgspec.ValidationError if they are not messages."""
    return msgspec.convert(value, tuple[ChatMessage, ...])


def _wrong(variable: Variable, value: Any) -> str:
    if variable.kind == "image":
        is_address = isinstance(value, str) and value.startswith(_SCHEMES)
        return "" if is_address else "must be an image: an http(s) address or a data:image/ URI"
    if variable.kind == "messages":
        try:
            history(value)
        except msgspec.ValidationError as error:
            return f"must be a list of messages: {error}"
        return ""
    if variable.json_schema:
        for fault in compiled(variable.json_schema).iter_errors(value):
            place = "".join(f"/{step}" for step in fault.instance_path)
            return f"is wrong{' at ' + place if place else ''}: {fault.message[:120]}"
    return ""
