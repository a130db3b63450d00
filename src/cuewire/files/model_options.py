"""What other tools say of a model in one object: its name, parameters and the shape of its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from cuewire.files import names
from cuewire.files.losses import Losses
from cuewire.model.errors import InvalidInput
from cuewire.model.examples import date_schema
from cuewire.model.outputs import (
    BooleanOutput,
    ChoiceOutput,
    DateOutput,
    JsonOutput,
    NumberOutput,
    TextOutput,
    parse_output,
    stated_schema,
)
from cuewire.model.requests import check_parameters
from cuewire.model.values import Value

_KNOWN = frozenset(
    ["temperature", "top_p", "top_k", "min_p", "max_tokens", "max_completion_tokens", "stop", "seed"]
    + ["frequency_penalty", "presence_penalty", "repetition_penalty", "logit_bias", "logprobs", "top_logprobs"]
    + ["tools", "tool_choice", "parallel_tool_calls", "reasoning_effort", "verbosity", "service_tier"]
)
"""What goes to a model under the name that OpenAI gave it."""
_SECRET = re.compile(r"key|token|secret|password|auth|credential|cookie|header", re.IGNORECASE)
"""Names whose values are shown to nobody."""
_OTHER_NAMES = {
    "max_output_tokens": "max_tokens",
    "stop_sequences": "stop",
    "allow_multiple_tool_calls": "parallel_tool_calls",
}


class Options(Value, frozen=True):
    """The model, parameters and output of a prompt file."""

    model: str | None = None
    parameters: dict[str, Any] = {}
    output: str | list[str] | dict[str, Any] | None = None


def options(source: Mapping[str, Any], *, losses: Losses, provider: object = None) -> Options:
    """Return what an object says that can be said here; of all else a loss is told."""
    rest = dict(source)
    parameters: dict[str, Any] = {}
    model = names.model(rest.pop("model", rest.pop("model_name", None)), losses=losses, provider=provider)
    output = _output(rest.pop("response_format", None), losses)
    for name, value in rest.items():
        ours = re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()
        ours = _OTHER_NAMES.get(ours, ours)
        try:
            if ours not in _KNOWN:
                raise InvalidInput("it is no parameter of a model")
            check_parameters({ours: value})
            parameters[ours] = value
        except InvalidInput as error:
            losses.add(name if _SECRET.search(name) else f"{name}: {value}", error.message)
    return Options(model=model, parameters=parameters, output=output)


def response_format(output: str | list[str] | dict[str, Any] | None) -> dict[str, Any] | None:
    """Return an output as OpenAI's `response_format`, None if a plain text is meant."""
    found: dict[str, Any]
    match parse_output(output):
        case TextOutput():
            return None
        case JsonOutput(json_schema=schema):
            found = schema
        case ChoiceOutput(choices=choices):
            found = {"type": "string", "enum": [*choices]}
        case NumberOutput():
            found = {"type": "number"}
        case BooleanOutput():
            found = {"type": "boolean"}
        case DateOutput():
            found = date_schema()
    if not found:
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": found}}


def output_of(schema: Mapping[str, Any]) -> str | list[str] | dict[str, Any]:
    """Return what `response_format` made a schema of."""
    match schema:
        case {"type": "string", "enum": list(choices)} if len(schema) == 2 and len(choices) > 1:
            return choices
        case {"type": ("number" | "boolean") as kind} if len(schema) == 1:
            return str(kind)
    return "date" if schema == date_schema() else stated_schema(schema)


def _output(source: Any, losses: Losses) -> str | list[str] | dict[str, Any] | None:
    match source:
        case None | "text" | {"type": "text"}:
            return None
        case "json" | "json_object" | {"type": "json_object"}:
            return "json"
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}} | {
            "type": "json_schema",
            "schema": dict(schema),
        }:
            output = output_of(schema)
            try:
                parse_output(output)
            except InvalidInput as error:
                losses.add(f"response_format: {source}", error.message)
                return None
            return output
    losses.add(f"response_format: {source}", "it is not understood")
    return None
