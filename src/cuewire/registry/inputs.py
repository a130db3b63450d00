"""Whether inputs are those that a version reads: none missing, none surplus, each of its kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from cuewire.model.errors import InvalidInput
from cuewire.model.prompts import Inputs, PromptVersion, Variable
from cuewire.model.requests import ChatMessage
from cuewire.registry.schemas import compiled

_SCHEMES = ("https://", "http://", "data:image/")
FaultCode: TypeAlias = Literal["missing", "surplus", "wrong_type"]


class Fault(NamedTuple):
    """What is wrong with one input."""

    code: FaultCode
    name: str
    message: str


def check_inputs(version: PromptVersion, inputs: Inputs) -> Mapping[str, Any]:
    """Return the inputs with defaults filled in; a lenient version leaves out what is surplus, and misses no value.

    Raises one InvalidInput that lists everything that is wrong with them.
    """
    wrong = [*faults(version.variables, inputs, lenient=version.lenient)]
    if wrong:
        refuse(wrong, version.variables, of=f"prompt {version.prompt!r} version {version.number}")
    return filled(version.variables, inputs)


def faults(variables: Mapping[str, Variable], inputs: Inputs, *, lenient: bool = False) -> Iterator[Fault]:
    """Yield everything that is wrong with inputs: what is surplus, then the others in the order of the variables.

    A lenient version minds neither what is surplus nor what is missing; but there is no empty image.
    """
    for name in inputs:
        if name not in variables and not lenient:
            yield Fault("surplus", name, "is not read by this version")
    for name, variable in variables.items():
        if name not in inputs:
            if variable.required and not (lenient and variable.kind != "image"):
                yield Fault("missing", name, "is missing")
        elif (variable.json_schema or variable.kind != "value") and (problem := _wrong(variable, inputs[name])):
            yield Fault("wrong_type", name, problem)


def refuse(wrong: Iterable[Fault], variables: Mapping[str, Variable], *, of: str) -> None:
    """Raise one InvalidInput that lists all faults, if there are any. `of` says whose inputs they are."""
    listed = [*wrong]
    if listed:
        raise InvalidInput(
            f"{of}: {', '.join(f'{fault.name!r} {fault.message}' for fault in listed)}",
            problems=tuple((f"/inputs/{fault.name}", fault.message) for fault in listed),
            hint=f"it reads: {', '.join(variables) or 'no inputs'}",
        )


def filled(variables: Mapping[str, Variable], inputs: Inputs) -> dict[str, Any]:
    """Return the inputs that are read, with defaults for those that are not given."""
    if inputs.keys() == variables.keys():
        return {**inputs}
    values = {name: value for name, value in inputs.items() if name in variables}
    for name, variable in variables.items():
        if name not in values and variable.has_default:
            values[name] = variable.default
    return values


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
