"""Templates as LangChain's f-strings: those that do no more than name variables can be."""

from __future__ import annotations

import re
from collections.abc import Mapping

from cuewire.model.errors import TemplateError

_VARIABLE = re.compile(r"\{\{-?\s*([A-Za-z_][A-Za-z0-9_]*)\s*-?\}\}")
_LOGIC = re.compile(r"\{[{%#]")


def as_fstring(template: str, values: Mapping[str, object]) -> str:
    """Return the template with single braces about its variables, and with the values that are given in their place.

    Raises TemplateError for a template with filters, blocks or comments, which an f-string has no words for.
    """
    parts = _VARIABLE.split(template)
    if any(_LOGIC.search(text) for text in parts[::2]):
        raise TemplateError(
            "the template has logic, which LangChain's f-strings cannot say",
            hint="give LangChain what compile() returns, as text that is no template",
        )
    for place in range(1, len(parts), 2):
        name = parts[place]
        parts[place] = escaped(str(values[name])) if name in values else f"{{{name}}}"
    parts[::2] = map(escaped, parts[::2])
    return "".join(parts)


def escaped(text: str) -> str:
    """Return text that stands for itself in an f-string."""
    return text.replace("{", "{{").replace("}", "}}")
