"""Parameters in OpenAI's names, told in Gemini's; what Gemini cannot be told is refused by name. Pure.

Source: Gemini API reference, GenerationConfig and ToolConfig, and Google's own table from `reasoning_effort` to budgets
and levels of thinking on the page "OpenAI compatibility" (November 2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cuewire.model.errors import InvalidInput
from cuewire.model.outputs import JsonOutput
from cuewire.model.requests import ModelRequest

_SAME = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "seed": "seed",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "logprobs": "responseLogprobs",
    "top_logprobs": "logprobs",
    # Gemini's own, in the spelling of parameters
    "thinking_config": "thinkingConfig",
    "media_resolution": "mediaResolution",
}
"""Parameters whose value needs no change, and their names in `generationConfig`."""
_BESIDE = {"safety_settings": "safetySettings", "cached_content": "cachedContent"}
"""Gemini's own that stand beside `generationConfig`."""
_TOLD_OTHERWISE = frozenset({"stop", "response_format", "reasoning_effort", "tools", "tool_choice", *_BESIDE})
_WITHOUT_EFFECT = frozenset({"user", "metadata", "store", "safety_identifier", "prompt_cache_key"})
"""Parameters that change no answer, only what OpenAI notes down."""

_BUDGETS = {"none": 0, "minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576}
_LEVELS = {level: level for level in ("minimal", "low", "medium", "high")}
_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY"}


def generation_config(request: ModelRequest) -> dict[str, Any]:
    """Return the `generationConfig` of a request. Raises InvalidInput for a parameter that Gemini does not know."""
    config: dict[str, Any] = {}
    parameters = {name: value for name, value in request.parameters.items() if value is not None}
    for name, value in parameters.items():
        if name in _SAME:
            config[_SAME[name]] = value
        elif name not in _TOLD_OTHERWISE and name not in _WITHOUT_EFFECT and not _is_neutral(name, value):
            raise _refusal(name, "Gemini has no equivalent")
    if (stop := parameters.get("stop")) is not None:
        config["stopSequences"] = [stop] if isinstance(stop, str) else stop
    if (effort := parameters.get("reasoning_effort")) is not None:
        config["thinkingConfig"] = _thinking(effort, request.model)
    if (form := parameters.get("response_format")) is not None:
        config.update(_form(form))
    elif isinstance(request.output, JsonOutput):
        config.update(_json(request.output.json_schema))
    return config


def tool_settings(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands beside `generationConfig`: tools, their use, and Gemini's own parameters."""
    settings = {_BESIDE[name]: value for name, value in parameters.items() if name in _BESIDE}
    if tools := parameters.get("tools"):
        settings["tools"] = _tools(tools)
    if (choice := parameters.get("tool_choice")) is not None:
        settings["toolConfig"] = {"functionCallingConfig": _choice(choice)}
    return settings


def _is_neutral(name: str, value: object) -> bool:
    """Tell whether a value changes nothing; calls of tools side by side are what Gemini does anyway."""
    return value is True if name == "parallel_tool_calls" else value in (0, False, [], {})


def _thinking(effort: object, model: str) -> dict[str, Any]:
    """Return how much to think: models before Gemini 3 take a number of tokens, later ones a level above none."""
    known: Mapping[str, int | str] = _BUDGETS if "gemini-2." in model else _LEVELS
    if not isinstance(effort, str) or effort not in known:
        raise _refusal("reasoning_effort", f"for this model it is one of {', '.join(known)}")
    return {"thinkingBudget" if known is _BUDGETS else "thinkingLevel": known[effort]}


def _form(form: object) -> dict[str, Any]:
    match form:
        case {"type": "text"}:
            return {}
        case {"type": "json_object"}:
            return _json({})
        case {"type": "json_schema", "json_schema": {"schema": dict() as schema}}:
            return _json(schema)
    raise _refusal("response_format", "its type is text, json_object, or json_schema with a schema")


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"responseMimeType": "application/json", **({"responseJsonSchema": schema} if schema else {})}


def _tools(tools: object) -> list[dict[str, Any]]:
    declared: list[dict[str, Any]] = []
    own: list[dict[str, Any]] = []
    for tool in tools if isinstance(tools, list) else [None]:
        match tool:
            case {"type": "function", "function": {"name": str() as name, **function}}:
                declaration = {"name": name, "description": function.get("description")}
                declaration["parametersJsonSchema"] = function.get("parameters")
                declared.append({key: value for key, value in declaration.items() if value is not None})
            case dict() if tool and "type" not in tool:
                own.append(tool)  # as in {"googleSearch": {}}
            case _:
                raise _refusal("tools", "each is a function, or one of Gemini's own as in {'googleSearch': {}}")
    return [*([{"functionDeclarations": declared}] if declared else []), *own]


def _choice(choice: object) -> dict[str, Any]:
    match choice:
        case str() if choice in _MODES:
            return {"mode": _MODES[choice]}
        case {"type": "function", "function": {"name": str() as name}}:
            return {"mode": "ANY", "allowedFunctionNames": [name]}
    raise _refusal("tool_choice", f"it is {', '.join(_MODES)} or a function")


def _refusal(name: str, reason: str) -> InvalidInput:
    return InvalidInput(
        f"parameter {name!r} cannot be sent to Gemini: {reason}",
        field=f"/parameters/{name}",
        hint="remove it, or choose a model of another provider",
    )
