"""What a version takes from other prompts, looked up once, when it is published: later changes elsewhere pass it by."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias

from cuewire.model.errors import InvalidInput, NotFound, TemplateError
from cuewire.model.includes import NOTHING, IncludedText, Includes, Mention, Ways, check_includes, check_way
from cuewire.model.prompts import MessageTemplate, PromptVersion
from cuewire.model.references import DEFAULT_LANGUAGE, Reference, parse_reference
from cuewire.ports import Renderer
from cuewire.registry.texts import templates_of

Find: TypeAlias = Callable[[Reference], Awaitable[PromptVersion]]
"""Looks up a version. Raises PromptNotFound, LabelNotFound, VersionNotFound."""


async def nowhere(reference: Reference) -> PromptVersion:
    """Find nothing: where content stands on its own. Raises InvalidInput."""
    raise InvalidInput(f"'{reference.name}' cannot be included here", hint="write its text into this template")


async def find_includes(
    prompt: str, messages: Sequence[MessageTemplate], *, renderer: Renderer, find: Find
) -> Includes:
    """Look up what the messages of a new version of the prompt include, directly or through others.

    Raises TemplateError, what `find` raises, InvalidInput for a version that is not one text, and TemplateLimitExceeded
    if prompts include each other, too deep, or too much. Errors point to the message in `field`.
    """
    pins: dict[str, str] = {}
    texts: dict[str, IncludedText] = {}
    ways: dict[str, Ways] = {}
    for place in await _places(messages, renderer):
        if place.mention.written in pins:
            continue
        version = await _found(place, find)
        pins[place.mention.written] = reference = _reference(version)
        texts |= version.includes.texts
        texts[reference] = IncludedText(text=_text(version, place), pins=version.includes.pins)
        includes = Includes(pins=pins, texts=texts)
        try:
            check_way(reference, includes, prompt=prompt, known=ways)
            check_includes(includes)
        except TemplateError as error:
            error.field, error.line, error.column = place.field, place.mention.line, place.mention.column
            raise
    return Includes(pins=pins, texts=texts) if pins else NOTHING


class _Place(NamedTuple):
    """Where another prompt is named: in which message, and where in its text."""

    field: str
    mention: Mention

    def __str__(self) -> str:
        return f"line {self.mention.line}, column {self.mention.column}"


async def _places(messages: Sequence[MessageTemplate], renderer: Renderer) -> list[_Place]:
    places: list[_Place] = []
    for index, message in enumerate(messages):
        field = f"/content/{index}"
        try:
            found = await renderer.references(templates_of([message]))
        except TemplateError as error:
            error.field = field
            raise
        places += [_Place(field, mention) for mention in found]
    return places


async def _found(place: _Place, find: Find) -> PromptVersion:
    try:
        return await find(parse_reference(place.mention.written))
    except (NotFound, InvalidInput) as error:
        error.message = f"{error.message} ({place} includes it)"
        error.field = place.field
        raise


def _reference(version: PromptVersion) -> str:
    """Name a version by its prompt and number, and by what else tells it from others of that name and number."""
    others = [version.strategy] if version.strategy is not None else []
    others += [version.language] if version.language != DEFAULT_LANGUAGE else []
    return f"{version.prompt}@{version.number}" + (f" ({', '.join(others)})" if others else "")


def _text(version: PromptVersion, place: _Place) -> str:
    if version.text is None:
        raise InvalidInput(
            f"'{place.mention.written}' is not one text, but has messages of its own ({place} includes it)",
            field=place.field,
            hint="include prompts that were published as one text",
        )
    return version.text
