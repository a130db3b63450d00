"""The Renderer: in this process where the cost is provably bounded, else in a pool of killable ones."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple

from jinja2.exceptions import TemplateSyntaxError

from cuewire.model.errors import TemplateLimitExceeded
from cuewire.model.prompts import Inputs
from cuewire.ports import Clock
from cuewire.template.bounds import bound_of
from cuewire.template.compiled import CompiledTemplate, render_all
from cuewire.template.cost import MAX_COST, Bound, cost
from cuewire.template.environment import prompt_environment
from cuewire.template.names import input_names
from cuewire.template.parse import MAX_SOURCE_BYTES, Parsed, for_each, parse
from cuewire.template.plain import plain
from cuewire.template.pool import RenderPool

SMALL_TOKENS = 1_500
"""Up to so many tokens in all, templates are compiled in this process, which takes about 40 ms then."""


class _Prepared(NamedTuple):
    """The templates of one version, compiled here, with what they cost."""

    templates: Sequence[CompiledTemplate]
    bounds: Sequence[Bound]


class TemplateRenderer:
    """Implements `ports.Renderer`. Belongs to one event loop."""

    def __init__(self, *, clock: Clock | None = None, pool: RenderPool | None = None, versions: int = 512) -> None:
        """`clock` tells the instant of renders that are given none; `versions` is how many stay compiled."""
        self._clock = clock
        self._pool = pool or RenderPool()
        self._versions = versions
        self._prepared: OrderedDict[str, _Prepared | None] = OrderedDict()

    async def render(
        self, templates: tuple[str, ...], inputs: Inputs, *, key: str, at: datetime | None = None
    ) -> tuple[str, ...]:
        """Render the templates of one version, in order."""
        try:
            prepared = self._prepared[key]
            self._prepared.move_to_end(key)
        except KeyError:
            prepared = self._remember(key, _prepared(templates))
        if at is None and self._clock is not None:
            at = self._clock.now()
        values = plain(inputs)
        if prepared is not None and _cost(prepared.bounds, values) <= MAX_COST:
            return render_all(prepared.templates, values, at=at)
        return await self._pool.render(templates, values, key=key, at=at)

    async def variables(self, templates: tuple[str, ...]) -> Mapping[str, bool]:
        """Return the names that the templates read, in order of appearance, each with whether it must be given."""
        if _is_small(templates):
            parsed = for_each(parse, templates)
            if _compiled_if_bounded(parsed) is not None:
                return input_names(parsed)
        return await self._pool.variables(templates)

    async def close(self) -> None:
        """Stop the worker processes."""
        await self._pool.close()

    def _remember(self, key: str, prepared: _Prepared | None) -> _Prepared | None:
        self._prepared[key] = prepared
        while len(self._prepared) > self._versions:
            self._prepared.popitem(last=False)
        return prepared


def _prepared(templates: tuple[str, ...]) -> _Prepared | None:
    """Compile the templates if that may happen here and their cost has a bound. Raises TemplateError."""
    return _compiled_if_bounded(for_each(parse, templates)) if _is_small(templates) else None


def _compiled_if_bounded(templates: Sequence[Parsed]) -> _Prepared | None:
    bounds = [bound for template in templates if (bound := bound_of(template)) is not None]
    if len(bounds) < len(templates):
        return None
    return _Prepared(for_each(CompiledTemplate, templates), bounds)


def _is_small(templates: tuple[str, ...]) -> bool:
    """Tell whether parsing and compiling takes little time: it goes by tokens, a long text is one token."""
    room = SMALL_TOKENS
    for source in templates:
        if len(source) > MAX_SOURCE_BYTES:
            return True  # the parser refuses it at once
        if len(source) <= room:
            room -= len(source)
            continue
        with suppress(TemplateSyntaxError, TemplateLimitExceeded):  # the parser explains it
            for _ in prompt_environment().lexer.tokeniter(source, None):
                room -= 1
                if room < 0:
                    return False
    return True


def _cost(bounds: Sequence[Bound], inputs: Mapping[str, Any]) -> int:
    return sum(cost(bound, inputs) for bound in bounds)
