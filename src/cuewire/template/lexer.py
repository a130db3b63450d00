"""Text to tokens with places, in time and memory linear in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jinja2 import Environment
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import TOKEN_FLOAT, TOKEN_INTEGER, TOKEN_NAME, TOKEN_STRING, Lexer

from cuewire.model.errors import TemplateLimitExceeded

MAX_TOKENS = 8_000
"""Tokens of one template; they bound the nodes, and so the time that compiling takes."""
MAX_NAME = 200
MAX_BRACKETS = 24
"""Depth of brackets in an expression; each level costs the parser a dozen frames."""

_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")
# As Jinja2's, but possessive: its own keep a hundred bytes for each digit or escape of a long number or text.
_POSSESSIVE = {
    TOKEN_FLOAT: re.compile(
        r"(?<!\.)\d++(?:_\d++)*+(?:(?:\.\d++(?:_\d++)*+)?e[+\-]?\d++(?:_\d++)*+|\.\d++(?:_\d++)*+)", re.IGNORECASE
    ),
    TOKEN_INTEGER: re.compile(
        r"0b(?:_?[0-1])++|0o(?:_?[0-7])++|0x(?:_?[\da-f])++|[1-9](?:_?\d)*+|0(?:_?0)*+", re.IGNORECASE
    ),
    TOKEN_STRING: re.compile(r"""'[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+\"""", re.DOTALL),
}


class Place(int):
    """A line number that also knows its column, both from 1; syntax trees and errors of Jinja2 carry it through."""

    column: int

    def __new__(cls, line: int, column: int) -> Place:
        """Make the place."""
        place = super().__new__(cls, line)
        place.column = column
        return place


def column_of(place: object) -> int:
    """Return the column of a place that the parser noted, 0 if it is a bare line."""
    return place.column if isinstance(place, Place) else 0


class PlacingLexer(Lexer):
    """Gives each token its column, and stops a template that is too large before it is parsed."""

    def __init__(self, environment: Environment) -> None:
        """Make the lexer of an environment."""
        super().__init__(environment)
        self.rules = {
            state: [rule._replace(pattern=_POSSESSIVE.get(str(rule.tokens), rule.pattern)) for rule in rules]
            for state, rules in self.rules.items()
        }

    def tokeniter(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> Iterator[tuple[int, str, str]]:
        """Yield (place, token, text)."""
        text = source.replace("\r\n", "\n").replace("\r", "\n")
        position = line_start = depth = 0
        line = 1
        tokens = super().tokeniter(source, name, filename, state)
        for _ in range(MAX_TOKENS):
            try:
                kind, value = next(tokens)[1:]
            except StopIteration:
                return
            except TemplateSyntaxError as error:
                while text[position : position + 1].isspace() and "at" not in (error.message or "").split():
                    position += 1
                raise _placed(error, text, position) from None
            if kind == TOKEN_NAME and len(value) > MAX_NAME:
                # Errors quote names, and nobody reads such a one.
                raise TemplateLimitExceeded(
                    f"a name is longer than {MAX_NAME} characters", hint="shorten it", line=line
                )
            # White space that a tag strips is yielded by no token: look for the token from here on.
            start = text.find(value, position)
            skipped = text.count("\n", position, start)
            if skipped:
                line, line_start = line + skipped, text.rfind("\n", position, start) + 1
            yield Place(line, start - line_start + 1), kind, value
            position = start + len(value)
            breaks = value.count("\n")
            if breaks:
                line, line_start = line + breaks, text.rfind("\n", start, position) + 1
            if kind == "operator" and value in _OPEN:
                depth += 1
                if depth > MAX_BRACKETS:
                    raise TemplateLimitExceeded(
                        f"brackets are nested deeper than {MAX_BRACKETS}",
                        hint="split the expression with set",
                        line=line,
                        column=start - line_start + 1,
                    )
            elif kind == "operator" and value in _CLOSE:
                depth -= 1
        raise TemplateLimitExceeded(f"the template has more than {MAX_TOKENS} tokens", hint="split it", line=line)


def _placed(error: TemplateSyntaxError, text: str, position: int) -> TemplateSyntaxError:
    error.lineno = Place(text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position))
    return error
