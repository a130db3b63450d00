"""The templates of one version together with the texts that they take in, parsed and joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from jinja2 import nodes

from cuewire.model.errors import TemplateError, TemplateForbidden
from cuewire.model.includes import NOTHING, Includes, Mention, check_includes
from cuewire.template.parse import Parsed, for_each, parse
from cuewire.template.references import written_in

_ALONE = "-"
"""Begins the number of a text that is taken in without the names around it."""


class Included(NamedTuple):
    """A text that is taken in, and the reference that errors name it by."""

    reference: str
    parsed: Parsed


Texts = Mapping[str, Included]
"""By number: what users call their prompts reaches no generated code."""
NO_TEXTS: Texts = {}


class Linked(NamedTuple):
    """Templates in which each name of another prompt is replaced by the number of its text."""

    templates: Sequence[Parsed]
    texts: Texts = NO_TEXTS


def linked(templates: Sequence[str], includes: Includes = NOTHING) -> Linked:
    """Parse templates and what they include, and join them. Raises TemplateError."""
    parsed = for_each(parse, templates)
    try:
        check_includes(includes)
        numbers = {reference: str(number) for number, reference in enumerate(includes.texts)}
        texts: dict[str, Included] = {}
        for reference, included in includes.texts.items():
            with named(reference):
                texts[numbers[reference]] = Included(reference, _joined(parse(included.text), included.pins, numbers))
    except TemplateError as error:
        error.field = error.field or "/templates"
        raise
    return Linked(for_each(lambda template: _joined(template, includes.pins, numbers), parsed), texts)


def mentions(templates: Iterable[Parsed]) -> tuple[Mention, ...]:
    """Return where templates take in other prompts, in order."""
    return tuple(use.mention for template in templates for use in template.uses)


@contextmanager
def named(reference: str) -> Iterator[None]:
    """Say of a template error that it arose in the text of a reference."""
    try:
        yield
    except TemplateError as error:
        name_text(error, reference)
        raise


def name_text(error: TemplateError, reference: str) -> None:
    """Say of an error that it arose in the text of a reference; line and column are of that text."""
    error.message = f"in '{reference}': {error.message}"


def chain(tree: nodes.Template, texts: Texts) -> list[nodes.Template]:
    """Return a template and those that it extends, the most general last."""
    trees = [tree]
    while extends := [node for node in trees[-1].body if isinstance(node, nodes.Extends)]:
        trees.append(text_of(extends[0], texts).parsed.tree)
    return trees


def text_of(node: nodes.Node, texts: Texts) -> Included:
    """Return the text that an `include`, `extends` or call of `prompt` takes in."""
    return texts[written_in(node).removeprefix(_ALONE)]


def is_alone(node: nodes.Include) -> bool:
    """Tell whether the text that is taken in sees no names around it."""
    return written_in(node).startswith(_ALONE)


def alone(number: str) -> str:
    """Return the number by which a text is taken in without the names around it."""
    return _ALONE + number


def _joined(template: Parsed, pins: Mapping[str, str], numbers: Mapping[str, str]) -> Parsed:
    for use in template.uses:
        written, line, column = use.mention.written, use.mention.line, use.mention.column
        if pins.get(written) not in numbers:
            raise TemplateForbidden(
                f"the text of '{written}' is not known", hint="publish the template", line=line, column=column
            )
        use.name.value = numbers[pins[written]]
    for include in template.tree.find_all(nodes.Include) if template.uses else ():
        if not include.with_context:
            # Jinja2 would keep what it renders without context for all renders to come, whatever the time.
            include.template = nodes.Const(alone(written_in(include)), lineno=include.lineno)
            include.with_context = True
    return template
