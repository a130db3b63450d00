"""All syntax errors of a template instead of the first: a broken tag is mended or taken out, and reading goes on.

A tag that opens a block is mended so that its end still finds it. Only the first error of each tag is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError as JinjaSyntaxError
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from cuewire.model.errors import TemplateError, TemplateLimitExceeded, TemplateSyntaxError
from cuewire.template.environment import prompt_environment
from cuewire.template.lexer import Place, column_of
from cuewire.template.parse import explained

MAX_ERRORS = 20
"""Errors of one template that are told."""
MAX_READ = 24_000
"""Tokens that are read in all: each error means to read again."""

Token: TypeAlias = tuple[int, str, str]
_MENDED = {
    "block": "{% block _ %}",
    "call": "{% call range() %}",
    "elif": "{% elif 0 %}",
    "filter": "{% filter string %}",
    "for": "{% for _ in [] %}",
    "if": "{% if 0 %}",
    "macro": "{% macro _() %}",
    "with": "{% with %}",
}
_OPENING = _MENDED.keys() - {"elif"} | {"set"}
_UNCLOSED = re.compile(r"innermost block that needs to be closed is '(\w+)'")
_BEGIN = re.compile(r"\{[{%#]")
_INSIDE = re.compile(r"[^\n]")


class _Tag(NamedTuple):
    """A tag among the tokens: where it begins and ends, and its first word if it is no print statement."""

    start: int
    end: int
    word: str


class _GaveUpError(Exception):
    """There are more errors than are told."""


def recovered(source: str) -> tuple[nodes.Template, list[TemplateError]]:
    """Return the syntax tree of what can be read, and the errors. Raises TemplateLimitExceeded."""
    reading = _Reading(source.replace("\r\n", "\n").replace("\r", "\n"))
    try:
        reading.read()
        tree = reading.parsed()
    except _GaveUpError:
        tree = nodes.Template([], lineno=1)
    except RecursionError:
        raise TemplateLimitExceeded("the template is nested too deep", hint="split expressions with set") from None
    except ValueError:
        reading.errors.append(TemplateSyntaxError("a number has too many digits", hint="use a smaller number"))
        tree = nodes.Template([], lineno=1)
    tree.set_environment(prompt_environment())
    return tree, reading.errors


class _Reading:
    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens: list[Token] = []
        self._told: set[tuple[int, int]] = set()
        self._mended: set[tuple[int, int]] = set()
        self._read = 0
        self.errors: list[TemplateError] = []

    def read(self) -> None:
        """Split the text into tokens; where that fails, the rest of the tag becomes white space."""
        while True:
            self._tokens = []
            try:
                for token in prompt_environment().lexer.tokeniter(self._source, None):
                    self._tokens.append(token)
            except JinjaSyntaxError as error:
                self._blank(error)
                self._spend()
            else:
                return

    def parsed(self) -> nodes.Template:
        """Return the tree; a tag that cannot be understood is mended, and taken out if that does not help."""
        environment = prompt_environment()
        while True:
            self._spend()
            parser = Parser(environment, "")
            parser.stream = TokenStream(environment.lexer.wrap(self._tokens), None, None)
            try:
                return parser.parse()
            except JinjaSyntaxError as error:
                unclosed = _UNCLOSED.search(error.message or "")
                if unclosed and "nexpected end of template" in str(error.message):
                    self._close(unclosed[1], error)
                else:
                    self._mend(error)

    def _spend(self) -> None:
        self._read += len(self._tokens)
        if self._read > MAX_READ:
            raise _GaveUpError

    def _tell(self, error: JinjaSyntaxError, tag: int | None = None) -> None:
        """Note an error, unless one of its tag was told; `tag` is the place where that begins."""
        place = error.lineno if tag is None else tag
        if _where(place) not in self._told:
            self._told.add(_where(place))
            self.errors.append(explained(error))
        if len(self.errors) >= MAX_ERRORS:
            raise _GaveUpError

    def _blank(self, error: JinjaSyntaxError) -> None:
        """Make white space of the tag, up to its end or the next one, whichever comes first."""
        at = self._offset(error.lineno)
        begun = self._begun()
        start = at if begun is None else self._offset(begun)
        self._tell(error, begun)
        following = _BEGIN.search(self._source, max(at, start + 2))
        ends = [place + 2 for mark in ("}}", "%}") if (place := self._source.find(mark, at)) >= 0]
        end = min([*ends, *([following.start()] if following else [])], default=len(self._source))
        self._source = self._source[:start] + _blanked(self._source[start:end]) + self._source[end:]

    def _begun(self) -> int | None:
        """Return the place of the tag that has not ended yet."""
        begun = None
        for place, kind, _ in self._tokens:
            if kind.endswith("_begin"):
                begun = place
            elif kind.endswith("_end"):
                begun = None
        return begun

    def _offset(self, place: int) -> int:
        start = 0
        for _ in range(int(place) - 1):
            start = self._source.index("\n", start) + 1
        return start + max(column_of(place), 1) - 1

    def _close(self, word: str, error: JinjaSyntaxError) -> None:
        """Close the innermost block that is open, and tell the error where it begins."""
        open_tags: list[_Tag] = []
        for tag in self._tags():
            if tag.word in _OPENING and not (tag.word == "set" and self._holds(tag, "=")):
                open_tags.append(tag)
            elif tag.word.startswith("end") and open_tags:
                open_tags.pop()
        place = self._tokens[open_tags[-1].start][0] if open_tags else error.lineno
        error.lineno = place
        self._tell(error)
        self._tokens += _placed(f"{{% end{word} %}}", self._tokens[-1][0])

    def _mend(self, error: JinjaSyntaxError) -> None:
        # Text alone cannot be wrong, so there is a tag before each error.
        found = [tag for tag in self._tags() if _where(self._tokens[tag.start][0]) <= _where(error.lineno)][-1]
        place = self._tokens[found.start][0]
        self._tell(error, place)
        is_first = _where(place) not in self._mended
        self._mended.add(_where(place))
        text = _MENDED.get(found.word, "") or (f"{{% {found.word} %}}" if found.word.startswith("end") else "")
        if found.word == "set" and not self._holds(found, "="):
            text = "{% set _ %}"
        self._tokens[found.start : found.end] = _placed(text, place) if is_first else []

    def _holds(self, tag: _Tag, sign: str) -> bool:
        return any(text == sign for _, _, text in self._tokens[tag.start : tag.end])

    def _tags(self) -> Iterator[_Tag]:
        start, word = -1, ""
        for index, (_, kind, text) in enumerate(self._tokens):
            if kind in ("variable_begin", "block_begin"):
                start, word = index, ""
            elif kind == "name" and start >= 0 and not word and self._tokens[start][1] == "block_begin":
                word = text
            elif kind in ("variable_end", "block_end") and start >= 0:
                yield _Tag(start, index + 1, word)
                start = -1
        if start >= 0:
            yield _Tag(start, len(self._tokens), word)


def _where(place: int) -> tuple[int, int]:
    return int(place), column_of(place)


def _blanked(text: str) -> str:
    """Make a tag white space of the same length and lines; of one that opens or ends a block its word stays."""
    found = re.match(r"\{%[-+]?\s*(\w+)", text)
    if found and text.endswith("%}") and (found[1] in _MENDED or found[1].startswith("end")):
        return found[0] + _INSIDE.sub(" ", text[found.end() : -2]) + "%}"
    return _INSIDE.sub(" ", text)


def _placed(text: str, place: int) -> list[Token]:
    """Return the tokens of a tag of ours, all at one place."""
    there = Place(int(place), column_of(place))
    return [(there, kind, value) for _, kind, value in prompt_environment().lexer.tokeniter(text, None)]
