"""Source text to syntax tree, within limits, with errors that say where and what to do. Evaluates nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import NamedTuple, TypeVar

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError as JinjaSyntaxError

from cuewire.model.errors import (
    TemplateError,
    TemplateForbidden,
    TemplateLimitExceeded,
    TemplateSyntaxError,
)
from cuewire.template.environment import REMOVED_FILTERS, prompt_environment
from cuewire.template.lexer import column_of
from cuewire.template.references import WORDS, Use, find_uses

T = TypeVar("T")
U = TypeVar("U")

MAX_SOURCE_BYTES = 262_144
MAX_DEPTH = 64
"""Nesting of the syntax tree. Statements alone may nest less: Python compiles at most 20 loops inside each other."""

_TAGS = (
    "for",
    "if",
    "elif",
    "else",
    "endfor",
    "endif",
    "set",
    "endset",
    "block",
    "endblock",
    "macro",
    "endmacro",
    "include",
    "extends",
)
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Import: "'import' of another template is not available",
    nodes.FromImport: "'import' of another template is not available",
    nodes.ScopedEvalContextModifier: "'autoescape' has no meaning in a prompt",
}
_HINTS = (
    (r"'(for|if|block|macro|set|filter|call|with)'\.?$", "close it with {{% end{} %}}"),
    (
        r"^expected token 'end of print statement'",
        "write one expression between {{{{ and }}}}; join two with ~",
    ),
    (r"^expected token 'end of statement block'", "end the tag with %}}"),
    (
        r"^unexpected '\}'|^unexpected char|^unexpected '%'",
        "write {{{{ name }}}} for a variable, {{% if name %}} for a tag",
    ),
    (r"^missing end of comment", "close the comment with #}}"),
    (r"^missing end of raw", "close it with {{% endraw %}}"),
    (r"^expected an expression", "write an expression such as {{{{ name }}}}"),
)


class Parsed(NamedTuple):
    """A template that passed all checks that need no rendering; `uses` are where it takes in other prompts."""

    source: str
    tree: nodes.Template
    uses: tuple[Use, ...] = ()


def check_size(source: str) -> None:
    """Refuse a template that is too large. Raises TemplateLimitExceeded."""
    size = len(source) if source.isascii() else len(source.encode(errors="surrogatepass"))
    if size > MAX_SOURCE_BYTES:
        raise TemplateLimitExceeded(f"the template has {size} bytes, more than {MAX_SOURCE_BYTES}", hint="split it")


def parse(source: str) -> Parsed:
    """Parse a template.

    Raises TemplateSyntaxError, TemplateForbidden for what the sandbox will never do, and TemplateLimitExceeded.
    """
    check_size(source)
    try:
        tree = prompt_environment().parse(source)
    except JinjaSyntaxError as error:
        raise explained(error) from None
    except RecursionError:
        raise TemplateLimitExceeded("the template is nested too deep", hint="split expressions with set") from None
    except ValueError:
        raise TemplateSyntaxError("a number has too many digits", hint="use a smaller number") from None
    for fault in faults(tree):
        raise fault
    return Parsed(source, tree, find_uses(tree) if takes_in(source) else ())


def takes_in(source: str) -> bool:
    """Tell whether a template may take in other prompts; most do not, and need not be searched."""
    return any(word in source for word in WORDS)


def for_each(make: Callable[[T], U], templates: Iterable[T]) -> list[U]:
    """Treat the templates of one version in order; errors point to the template by `field`, as in `/templates/0`."""
    made: list[U] = []
    try:
        for template in templates:
            made.append(make(template))
    except TemplateError as error:
        error.field = error.field or f"/templates/{len(made)}"
        raise
    return made


def faults(tree: nodes.Template) -> Iterator[TemplateError]:
    """Yield what is never available, and names of filters and tests that do not exist; stop at what is too deep."""
    environment = prompt_environment()
    stack: list[tuple[nodes.Node, int]] = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH:
            message = f"the template is nested deeper than {MAX_DEPTH} levels"
            yield _fault(TemplateLimitExceeded, node, message, "split expressions with set")
            return
        if type(node) in _REFUSED:
            yield _fault(TemplateForbidden, node, _REFUSED[type(node)], "write the text into this template")
        if isinstance(node, nodes.Filter) and node.name in REMOVED_FILTERS:
            yield _fault(TemplateForbidden, node, f"filter '{node.name}' is not available in prompts", "leave it out")
        elif isinstance(node, nodes.Filter) and node.name not in environment.filters:
            yield _unknown(node, "filter", environment.filters)
        if isinstance(node, nodes.Test) and node.name not in environment.tests:
            yield _unknown(node, "test", environment.tests)
        stack.extend((child, depth + 1) for child in node.iter_child_nodes())


def _unknown(node: nodes.Filter | nodes.Test, kind: str, known: Iterable[str]) -> TemplateError:
    return _fault(TemplateSyntaxError, node, f"there is no {kind} '{_short(node.name)}'", _nearest(node.name, known))


def _fault(kind: type[TemplateError], node: nodes.Node, message: str, hint: str) -> TemplateError:
    return kind(message, hint=hint, line=int(node.lineno), column=column_of(node.lineno))


def explained(error: JinjaSyntaxError) -> TemplateSyntaxError:
    """Return the error of Jinja2 in our words."""
    message = (error.message or "the template is not valid").rstrip(".")
    message = re.sub(r" at \d+$", "", message[:1].lower() + message[1:])
    unknown = re.search(r"unknown tag '([^']*)'", message)
    hint = _nearest(unknown[1], _TAGS) if unknown else ""
    for pattern, advice in _HINTS:
        found = None if hint else re.search(pattern, message)
        if found:
            hint = advice.format(*found.groups())
    return TemplateSyntaxError(
        message[:300],
        hint=hint or "see the line; a template is plain text with {{ variables }} and {% tags %}",
        line=int(error.lineno),
        column=column_of(error.lineno),
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(_short(name), sorted(known), n=1)
    return f"did you mean '{near[0]}'" if near else "see the list of filters, tests and tags in the guide"


def _short(name: str) -> str:
    return name[:40]
