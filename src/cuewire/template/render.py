"""The Renderer: in this process where the cost is provably bounded, else in a pool of killable ones."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from math import inf
from typing import NamedTuple

from jinja2.exceptions import TemplateSyntaxError

from cuewire.model.analyses import Marked, Report
from cuewire.model.errors import TemplateLimitExceeded
from cuewire.model.includes import NOTHING, Includes, Mention
from cuewire.model.prompts import Inputs, Variable
from cuewire.ports import Clock, WhenMissing
from cuewire.template.analysis import input_variables, report
from cuewire.template.bounds import MAX_INPUTS, bound_of
from cuewire.template.compiled import CompiledTemplate, compile_all, render_all
from cuewire.template.cost import MAX_COST, Bound, cost
from cuewire.template.environment import prompt_environment
from cuewire.template.linked import Linked, linked, mentions
from cuewire.template.parse import MAX_SOURCE_BYTES, for_each, parse, takes_in
from cuewire.template.plain import plain
from cuewire.template.pool import RenderPool

SMALL_TOKENS = 1_500
"""Up to so many tokens in all, templates are compiled in this process, which takes about 40 ms then."""

FEW_TOKENS, FEW_CHARS = 300, 20_000
"""Up to so many tokens and characters a template is analysed in this process: with twenty errors it takes 50 ms."""


class _Prepared(NamedTuple):
    """The templates of one version, compiled here, with what they cost."""

    templates: Sequence[CompiledTemplate]
    bounds: Sequence[Bound]
    max_inputs: float

    def cost(self, inputs: Inputs) -> float:
        """Return an upper bound of what rendering costs."""
        return sum(cost(bound, inputs) for bound in self.bounds) if len(inputs) <= self.max_inputs else inf


class TemplateRenderer:
    """Implements `ports.Renderer`. Belongs to one event loop."""

    def __init__(self, *, clock: Clock | None = None, pool: RenderPool | None = None, versions: int = 512) -> None:
        """`clock` tells the instant of renders that are given none; `versions` is how many stay compiled."""
        self._clock = clock
        self._pool = pool or RenderPool()
        self._versions = versions
        self._prepared: OrderedDict[tuple[str, str], _Prepared | None] = OrderedDict()

    async def render(
        self,
        templates: tuple[str, ...],
        inputs: Inputs,
        *,
        key: str,
        at: datetime | None = None,
        includes: Includes = NOTHING,
        missing: WhenMissing = "raise",
    ) -> tuple[str, ...]:
        """Render the templates of one version, in order."""
        known = key, missing
        try:
            prepared = self._prepared[known]
            self._prepared.move_to_end(known)
        except KeyError:
            prepared = self._remember(known, _prepared(templates, includes, missing))
        if at is None and self._clock is not None:
            at = self._clock.now()
        values = plain(inputs)
        if prepared is not None and prepared.cost(values) <= MAX_COST:
            return render_all(prepared.templates, values, at=at)
        return await self._pool.render(templates, values, key=key, at=at, includes=includes, missing=missing)

    async def preview(
        self, templates: tuple[str, ...], inputs: Inputs, *, at: datetime | None = None, includes: Includes = NOTHING
    ) -> Marked:
        """Render the templates with marks for what is missing: in the pool, since nothing bounds what marks cost."""
        if at is None and self._clock is not None:
            at = self._clock.now()
        return await self._pool.preview(templates, inputs, at=at, includes=includes)

    async def references(self, templates: tuple[str, ...]) -> Sequence[Mention]:
        """Return where the templates take in other prompts."""
        if not any(takes_in(source) for source in templates):
            return ()
        if _is_small(templates):
            return mentions(for_each(parse, templates))
        return await self._pool.references(templates)

    async def variables(self, templates: tuple[str, ...], *, includes: Includes = NOTHING) -> Mapping[str, Variable]:
        """Return the inputs that the templates read, in order of appearance, with what is known of them."""
        if not any(takes_in(source) for source in templates):
            includes = NOTHING
        if _is_small(_all_texts(templates, includes)):
            version = linked(templates, includes)
            if _compiled_if_bounded(version) is not None:
                return input_variables(version)
        return await self._pool.variables(templates, includes=includes)

    async def analyse(self, template: str, *, includes: Includes | None = NOTHING) -> Report:
        """Return all that is known of a template."""
        texts = _all_texts((template,), includes or NOTHING)
        if sum(map(len, texts)) <= FEW_CHARS and _is_small(texts, FEW_TOKENS):
            return report(template, includes)
        return await self._pool.analyse(template, includes=includes)

    async def close(self) -> None:
        """Stop the worker processes."""
        await self._pool.close()

    def _remember(self, known: tuple[str, str], prepared: _Prepared | None) -> _Prepared | None:
        self._prepared[known] = prepared
        while len(self._prepared) > self._versions:
            self._prepared.popitem(last=False)
        return prepared


def _prepared(templates: tuple[str, ...], includes: Includes, missing: WhenMissing) -> _Prepared | None:
    """Compile the templates if that may happen here and their cost has a bound. Raises TemplateError."""
    if not _is_small(_all_texts(templates, includes)):
        return None
    return _compiled_if_bounded(linked(templates, includes), missing)


def _compiled_if_bounded(version: Linked, missing: WhenMissing = "raise") -> _Prepared | None:
    bounds = [bound for each in version.templates if (bound := bound_of(each, version.texts)) is not None]
    if len(bounds) < len(version.templates):
        return None
    return _Prepared(compile_all(version, missing=missing), bounds, MAX_INPUTS if version.texts else inf)


def _all_texts(templates: tuple[str, ...], includes: Includes) -> tuple[str, ...]:
    return (*templates, *(included.text for included in includes.texts.values()))


def _is_small(templates: tuple[str, ...], room: int = SMALL_TOKENS) -> bool:
    """Tell whether parsing and compiling takes little time: it goes by tokens, a long text is one token."""
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
