"""Parameters of OpenAI's names, put into those of Anthropic's Messages API. Pure.

What has an equivalent is translated. What has none and would change the answer is refused by its name, unless its
value is the one that changes nothing. A `seed` is dropped: no seed reaches Anthropic's models, and the candidates of a
policy, which differ by it, differ there by chance. Dropped too is what concerns OpenAI's own storage and cache. Any
other name is taken for one of Anthropic's (`thinking`, `cache_control`, `service_tier`, ...) and sent as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cuewire.model.errors import InvalidInput

DEFAULT_MAX_TOKENS = 16_000
"""The API wants a bound. Every model that Anthropic serves can write this much, and it lies below the 21,333 tokens
from which their own clients insist on a stream. An answer that reaches it ends with the finish reason `length`."""

_DROPPED = frozenset({"seed", "store", "prompt_cache_key", "prompt_cache_retention"})
_WITHOUT_EQUIVALENT = frozenset(
    {
        *("frequency_penalty", "presence_penalty", "min_p", "logit_bias", "logprobs", "top_logprobs"),
        *("audio", "modalities", "prediction", "verbosity", "web_search_options", "functions", "function_call"),
    }
)
_TRANSLATED = frozenset(
    {
        *("max_tokens", "max_completion_tokens", "stop", "temperature", "tools", "tool_choice", "parallel_tool_calls"),
        *("user", "safety_identifier", "metadata", "reasoning_effort", "response_format"),
    }
)
_CHOICES = {"auto": "auto", "none": "none", "required": "any"}
_EFFORTS = {"minimal": "low", **{effort: effort for effort in ("low", "medium", "high", "xhigh", "max")}}


def translated(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters as the API takes them, all but `response_format`. Raises InvalidInput."""
    given = {name: value for name, value in parameters.items() if value is not None and name not in _DROPPED}
    for name in sorted(_WITHOUT_EQUIVALENT & given.keys()):
        if given.pop(name) not in (0, False, [], {}):
            raise _refused(name, "has no equivalent in Anthropic's API", "remove it for models of this provider")
    if not isinstance(given.get("output_config", {}), Mapping):
        raise _refused("output_config", "is not an object", "write it as Anthropic's API has it")
    if "system" in given:
        raise _refused("system", "is what the system messages become", "write a system message")
    body = {name: value for name, value in given.items() if name not in _TRANSLATED}
    body["max_tokens"] = given.get("max_completion_tokens") or given.get("max_tokens") or DEFAULT_MAX_TOKENS
    if "temperature" in given:
        body["temperature"] = _temperature(given["temperature"])
    if stop := given.get("stop"):
        body["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    if user := _user(given):
        body["metadata"] = {"user_id": user}
    _add_tools(body, given)
    _add_effort(body, given)
    return body


def wanted_schema(form: object) -> Mapping[str, Any] | None:
    """Return the schema of the JSON that a `response_format` asks for: an empty one for any, None for text."""
    match form:
        case {"type": "text"}:
            return None
        case {"type": "json_object"}:
            return {}
        case {"type": "json_schema", "json_schema": {"schema": Mapping() as schema}}:
            return schema
    raise _refused("response_format", "is not one that is known", "use text, json_object or json_schema")


def _temperature(value: object) -> object:
    if isinstance(value, int | float) and value > 1:
        raise _refused("temperature", f"is at most 1 in Anthropic's API, not {value:g}", "set it from 0 to 1")
    return value


def _user(given: Mapping[str, Any]) -> object:
    """Return the id of the user; what else OpenAI's `metadata` may hold is a label for OpenAI's own storage."""
    metadata = given.get("metadata")
    own = metadata.get("user_id") if isinstance(metadata, Mapping) else None
    return own or given.get("safety_identifier") or given.get("user")


def _add_tools(body: dict[str, Any], given: Mapping[str, Any]) -> None:
    if tools := given.get("tools"):
        body["tools"] = _tools(tools)
    choice = _tool_choice(given["tool_choice"]) if "tool_choice" in given else None
    if given.get("parallel_tool_calls") is False and tools:
        choice = choice or {"type": "auto"}
        if choice["type"] != "none":
            choice = {**choice, "disable_parallel_tool_use": True}
    if choice:
        body["tool_choice"] = choice


def _tools(tools: object) -> list[Any]:
    if not isinstance(tools, Sequence) or isinstance(tools, str):
        raise _refused("tools", "is not a list", "write a list of tools")
    return [_tool(tool) for tool in tools]


def _tool(tool: object) -> object:
    """Return a function as Anthropic describes it; a tool of another kind is Anthropic's own."""
    function = tool.get("function") if isinstance(tool, Mapping) else None
    if not isinstance(function, Mapping):
        return tool
    names = {"name": "name", "description": "description", "parameters": "input_schema", "strict": "strict"}
    made = {theirs: function[ours] for ours, theirs in names.items() if function.get(ours) is not None}
    return {"input_schema": {"type": "object", "properties": {}}, **made}


def _tool_choice(choice: object) -> dict[str, Any]:
    if isinstance(choice, str) and choice in _CHOICES:
        return {"type": _CHOICES[choice]}
    if isinstance(choice, Mapping):
        function = choice.get("function")
        if isinstance(function, Mapping):
            return {"type": "tool", "name": function.get("name")}
        if choice.get("type") in ("auto", "any", "tool", "none"):
            return dict(choice)
    raise _refused("tool_choice", "has no equivalent in Anthropic's API", "use auto, none, required or one function")


def _add_effort(body: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Say how much to think: without any, thinking is off, else it is as much as the model is given to."""
    effort = given.get("reasoning_effort")
    if effort is None:
        return
    if effort == "none":
        body.setdefault("thinking", {"type": "disabled"})
    elif isinstance(effort, str) and effort in _EFFORTS:
        body["output_config"] = {"effort": _EFFORTS[effort], **body.get("output_config", {})}
    else:
        raise _refused("reasoning_effort", "is not one that is known", f"use none, {', '.join(_EFFORTS)}")


def _refused(name: str, problem: str, hint: str) -> InvalidInput:
    return InvalidInput(f"parameter {name!r} {problem}", field=f"/parameters/{name}", hint=hint)
