"""Whether an answer is of the kind that its version promises, and the value in it."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from cuewire.model.dates import canonical_date
from cuewire.model.errors import OutputError
from cuewire.model.outputs import (
    BooleanOutput,
    ChoiceOutput,
    DateOutput,
    JsonOutput,
    NumberOutput,
    OutputKind,
    TextOutput,
)
from cuewire.model.results import Answer
from cuewire.registry.schemas import compiled

_NUMBER = re.compile(r"[+-]?(\d+(\.\d+)?|\.\d+)([eE][+-]?\d+)?")
_TRUE, _FALSE = frozenset({"true", "yes", "1"}), frozenset({"false", "no", "0"})
_FENCED = re.compile(r"```[A-Za-z0-9_-]*\s*\n(.*?)\n?\s*```", re.DOTALL)
_AROUND = " \t\r\n\"'`*"
_WRAPPING = _AROUND + "."
_MAX_SHOWN = 120


def parse_answer(answer: Answer, output: OutputKind) -> Any:
    """Return the value of the answer. Raises OutputError, which holds the text, if it is not of the output kind."""
    if isinstance(output, TextOutput) or answer.tool_calls:
        return answer.text
    if isinstance(output, ChoiceOutput):
        return _choice(answer.text, output.choices)
    if isinstance(output, NumberOutput):
        return _number(answer.text)
    if isinstance(output, BooleanOutput):
        return _boolean(answer.text)
    if isinstance(output, DateOutput):
        return _date(answer.text)
    return _json(answer.text, output)


def asked_again(error: OutputError, output: OutputKind) -> str:
    """Return what a model is told whose answer was not of the output kind."""
    return f"This answer cannot be used: {error.message}. Answer again, with {_form(output)} and nothing else."


def _form(output: OutputKind) -> str:
    match output:
        case ChoiceOutput():
            return f"exactly one of these: {', '.join(output.choices)}"
        case NumberOutput():
            return "one number, of digits and at most one decimal point"
        case BooleanOutput():
            return "yes or no"
        case DateOutput():
            return "one ISO 8601 date or date-time, such as 2026-11-21 or 2026-11-21T14:30:00Z"
        case JsonOutput(json_schema=schema) if schema:
            return f"JSON that satisfies this schema: {json.dumps(schema, ensure_ascii=False)}"
        case JsonOutput():
            return "JSON"
    return "text"


def _choice(text: str, choices: tuple[str, ...]) -> str:
    wanted = text.strip(_WRAPPING).casefold()
    for choice in choices:
        if choice.casefold() == wanted or choice.casefold() == text.strip().casefold():
            return choice
    listed = ", ".join(choices[:10]) + (", ..." if len(choices) > 10 else "")
    raise OutputError(f"the answer {_shown(text)} is none of: {listed}", text=text, hint=_HINT)


def _number(text: str) -> int | float:
    """Return the number. What groups digits is refused, for it may be a decimal comma."""
    bare = text.strip(_AROUND).removesuffix(".").strip(_AROUND)
    if _NUMBER.fullmatch(bare):
        value = float(bare)
        if math.isfinite(value):
            is_whole = bare.lstrip("+-").isdigit() and len(bare) <= 18
            return int(bare) if is_whole else value
    raise OutputError(f"the answer {_shown(text)} is not a number", text=text, hint=_HINT)


def _boolean(text: str) -> bool:
    word = text.strip(_WRAPPING).casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise OutputError(f"the answer {_shown(text)} is neither yes nor no", text=text, hint=_HINT)


def _date(text: str) -> str:
    found = canonical_date(text.strip(_WRAPPING))
    if found is None:
        raise OutputError(f"the answer {_shown(text)} is not an ISO 8601 date", text=text, hint=_HINT)
    return found


def _json(text: str, output: JsonOutput) -> Any:
    fenced = _FENCED.fullmatch(text.strip())
    try:
        value = strict_json(fenced[1] if fenced else text)
    except ValueError as error:
        raise OutputError(f"the answer is not JSON: {error}", text=text, hint=_HINT) from None
    if output.json_schema:
        for fault in compiled(output.json_schema).iter_errors(value):
            place = "".join(f"/{step}" for step in fault.instance_path) or "/"
            raise OutputError(
                f"the answer does not satisfy the schema at {place}: {fault.message[:_MAX_SHOWN]}",
                text=text,
                field=place,
                hint=_HINT,
            )
    return value


_HINT = "say in the prompt what form the answer must have"


def strict_json(text: str) -> Any:
    """Decode JSON; raises ValueError for what is not strict JSON: NaN, doubled keys, nesting too deep to hold."""
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_unique)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object has the same key twice")
    for value in made.values():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("a number is too large")
    return made


def _shown(text: str) -> str:
    shown = repr(text.strip())
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}..."
