"""What a custom filter is: a pure function, the rule for missing values around it, and what is known of its cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import Parameter, signature
from math import isfinite
from typing import Any, NamedTuple, TypeAlias

from jinja2 import Undefined
from jinja2.runtime import Context
from jinja2.utils import pass_context

from cuewire.model.errors import TemplateError, TemplateLimitExceeded

MISSING: Any = object()
"""What a filter returns when it has nothing to say; the template gets its `missing` argument instead."""
REQUIRED: Any = Parameter.empty
MAX_GIVEN = 1_000
"""Characters of constant arguments beyond which nobody tells how a result grows."""


class Growth(NamedTuple):
    """The result has at most `factor` times the length of the value plus `more` characters.

    `passes` is what making it costs, in passes over the value.
    """

    factor: int = 1
    more: int = 0
    passes: int = 1


Constants: TypeAlias = "Mapping[str, Any]"
"""The arguments of a filter by name: what is written in the template, and the defaults of the others."""
Rule: TypeAlias = "Growth | Callable[[Constants], Growth | None] | None"


class Filter(NamedTuple):
    """One custom filter. `free` are the arguments that may come from inputs without making the cost unknown."""

    name: str
    call: Callable[..., Any]
    rule: Rule
    free: frozenset[str]
    parameters: Mapping[str, Any]
    """Names and defaults, without the piped value; the last are given by name only."""
    positional: Sequence[str]
    text: str
    needs_time: bool = False

    def growth(self, given: Constants) -> Growth | None:
        """Return how the result grows with these constant arguments, None if nobody can tell."""
        if not given.keys() <= self.parameters.keys():
            return None
        constants = {**self.parameters, **given}
        growth = self.rule(constants) if callable(self.rule) else self.rule
        written = sum(len(str(value)) for value in given.values())
        return growth and growth._replace(more=growth.more + written) if written <= MAX_GIVEN else None


def prompt_filter(
    *,
    rule: Rule = None,
    takes: Callable[[Any], Any] = lambda value: value,
    missing: Any = "",
    free: Sequence[str] = (),
    name: str = "",
    needs_time: bool = False,
    sees_none: bool = False,
) -> Callable[[Callable[..., Any]], Filter]:
    """Make a function a custom filter: it is not called for what is missing, but gives its `missing` argument then.

    `missing` is its default. Missing are none, NaN and the infinities, what `takes` finds to be MISSING, and in
    lenient templates what is not defined, which raises otherwise. The function gets what `takes` makes of the value. A
    parameter that is a word of Python has an underscore after it. With `needs_time` the function gets the instant of
    the render as `at`; with `sees_none` it is called for what is missing too.
    """

    def make(function: Callable[..., Any]) -> Filter:
        _, *others = (each for each in signature(function).parameters.values() if each.name != "at")
        parameters = {each.name.rstrip("_"): each.default for each in others}
        if not sees_none:
            parameters["missing"] = missing
        own_name = function.__qualname__ = name or function.__name__  # errors about arguments tell it
        renamed = {each.name.rstrip("_"): each.name for each in others if each.name.endswith("_")}

        @wraps(function)
        def call(value: Any, *args: Any, missing: Any = missing, **kwargs: Any) -> Any:
            taken = MISSING if is_missing(value) else takes(value)
            if taken is MISSING:
                return missing
            for said in renamed.keys() & kwargs.keys():
                kwargs[renamed[said]] = kwargs.pop(said)
            result = function(taken, *args, **kwargs)
            return missing if result is MISSING else result

        @wraps(function)
        def call_at(context: Context, *args: Any, **kwargs: Any) -> Any:
            return call(*args, at=context.get(INSTANT), **kwargs)

        return Filter(
            name=own_name,
            call=pass_context(call_at) if needs_time else function if sees_none else call,
            rule=rule,
            free=frozenset(free),
            parameters=parameters,
            positional=[each.name.rstrip("_") for each in others],
            text=function.__doc__ or "",
            needs_time=needs_time,
        )

    return make


INSTANT = "the instant"
"""Where the context of a render keeps its instant: no template can write this name."""


def is_missing(value: Any) -> bool:
    """Tell whether a value counts as missing. Raises UndefinedError for what is not defined, unless lenient."""
    if isinstance(value, Undefined):
        str(value)  # a strict one raises
        return True
    return value is None or (isinstance(value, float) and not isfinite(value))


def choice(name: str, value: Any, known: Sequence[str]) -> str:
    """Return an argument that is one of a few words. Raises TemplateError."""
    if value not in known:
        raise TemplateError(f"{name} is {str(value)[:40]!r}", hint=f"it is one of {', '.join(known)}")
    return str(value)


def whole(name: str, value: Any, low: int, high: int) -> int:
    """Return an argument that is a whole number. Raises TemplateError, TemplateLimitExceeded beyond the range."""
    if type(value) is not int:
        raise TemplateError(f"{name} is no whole number", hint=f"write a number from {low} to {high}")
    if not low <= value <= high:
        raise TemplateLimitExceeded(f"{name} is not between {low} and {high}", hint="use a number in that range")
    return value
