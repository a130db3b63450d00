"""Mustache turned into Jinja2: variables, sections, inverted sections, partials, comments and other delimiters.

Texts are never escaped for HTML. A section is what its value makes it: nothing, once, or once for each item, and a
name inside is looked up in the item first, then outside (mustache(5)). So its Jinja2 is a loop that says just that; a
section that reads nothing of an item is most often a condition and becomes a plain `if`, which is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cuewire.files.jinja_text import Expression, Part, Tag, joined
from cuewire.files.losses import Losses
from cuewire.files.names import PromptNames, input_name
from cuewire.model.errors import InvalidInput

MAX_SECTIONS = 10
"""Sections inside each other. A name in the innermost is looked up in each."""
_ITEM = "item"
_NAME = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_BLANK = re.compile(r"[ \t]*")


class _Text(NamedTuple):
    text: str


class _Variable(NamedTuple):
    name: str
    line: int


class _Partial(NamedTuple):
    name: str
    line: int


class _Section(NamedTuple):
    name: str
    is_inverted: bool
    takes_line: bool
    ends_line: bool
    line: int
    body: Sequence[_Node]


_Node = _Text | _Variable | _Partial | _Section


def from_mustache(text: str, *, losses: Losses, names: PromptNames) -> str:
    """Return the text as a Jinja2 template. Raises InvalidInput if a section is not closed, or one that is not open."""
    tree = _Parser(text, losses).parse()
    return joined(_Writer(losses, names, taken=set(_names(tree))).parts(tree, ()))


class _Frame(NamedTuple):
    """A section that is open: its name and marks, where it began, and what it holds so far."""

    name: str
    is_inverted: bool
    takes_line: bool
    line: int
    body: list[_Node]


class _Parser:
    def __init__(self, text: str, losses: Losses) -> None:
        self._text = text
        self._losses = losses
        self._at = 0
        self._line = 1
        self._open, self._close = "{{", "}}"
        self._frames = [_Frame("", False, False, 1, [])]

    def parse(self) -> list[_Node]:
        """Return the nodes of the text."""
        while (start := self._text.find(self._open, self._at)) >= 0:
            self._add(self._text[self._at : start])
            self._read_tag(start)
        self._add(self._text[self._at :])
        frame = self._frames.pop()
        if self._frames:
            raise InvalidInput(f"line {frame.line}: the section {frame.name[:80]!r} is not closed")
        return frame.body

    def _read_tag(self, start: int) -> None:
        kind, name, end = self._tag(start)
        is_alone, next_line = self._alone(start, end)
        body, line = self._frames[-1].body, self._line
        self._line += self._text.count("\n", start, end)
        self._at = end
        match kind:
            case "#" | "^":
                if len(self._frames) > MAX_SECTIONS:
                    raise InvalidInput(f"line {line}: sections are nested deeper than {MAX_SECTIONS}")
                self._frames.append(_Frame(name, kind == "^", is_alone, line, []))
            case "/":
                frame = self._frames.pop()
                if not self._frames or frame.name != name:
                    raise InvalidInput(f"line {line}: {name[:80]!r} is closed and is not open")
                section = _Section(name, frame.is_inverted, frame.takes_line, is_alone, frame.line, frame.body)
                self._frames[-1].body.append(section)
            case ">" if name:
                body.append(_Partial(name, line))
            case "!" | "=":
                if kind == "=":
                    self._delimit(name, line)
                if is_alone:  # its line goes with it
                    if body and isinstance(before := body[-1], _Text):
                        body[-1] = _Text(before.text.rstrip(" \t"))
                    self._at, self._line = next_line, self._line + 1
            case "" if name == "." or _NAME.fullmatch(name):
                body.append(_Variable(name, line))
            case _:
                self._losses.add(self._text[start:end], "it is no plain name; it stays as it is", line=line)
                body.append(_Text(self._text[start:end]))

    def _add(self, text: str) -> None:
        if text:
            self._frames[-1].body.append(_Text(text))
            self._line += text.count("\n")

    def _tag(self, start: int) -> tuple[str, str, int]:
        """Return kind, name and end of a tag. Raises InvalidInput if nothing closes it."""
        inner = start + len(self._open)
        first = self._text[inner : inner + 1]
        close = {"{": "}" + self._close, "=": "=" + self._close}.get(first, self._close)
        end = self._text.find(close, inner)
        if end < 0:
            raise InvalidInput(f"line {self._line}: nothing closes this tag")
        body = self._text[inner:end].strip()
        kind = first if first in ("#", "^", "/", ">", "!", "=") else "<" if first in ("<", "$") else ""
        name = body.removeprefix(first).strip() if kind or first in ("{", "&") else body
        return kind, name, end + len(close)

    def _alone(self, start: int, end: int) -> tuple[bool, int]:
        """Tell whether a tag stands alone in its line, and return where the next line begins."""
        begin = start
        while begin and self._text[begin - 1] in " \t":
            begin -= 1
        after = _BLANK.match(self._text, end)
        assert after is not None, "it matches nothing too"
        ends = after.end() == len(self._text) or self._text[after.end()] == "\n"
        begins = begin == 0 or self._text[begin - 1] == "\n"
        return begins and ends, min(after.end() + 1, len(self._text))

    def _delimit(self, name: str, line: int) -> None:
        marks = name.split()
        if len(marks) != 2 or any("=" in mark for mark in marks):
            raise InvalidInput(f"line {line}: {name[:80]!r} are no two delimiters")
        self._open, self._close = marks


def _names(nodes: Sequence[_Node]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, _Variable | _Section):
            yield node.name.partition(".")[0]
        if isinstance(node, _Section):
            yield from _names(node.body)


class _Writer:
    def __init__(self, losses: Losses, names: PromptNames, *, taken: set[str]) -> None:
        self._losses = losses
        self._names = names
        self._taken = taken

    def parts(self, nodes: Sequence[_Node], items: tuple[str, ...]) -> Iterator[Part]:
        """Yield the nodes as parts of a template; `items` are the names of the loops around them, outermost first."""
        for node in nodes:
            match node:
                case _Text(text):
                    yield text
                case _Variable(name, line):
                    found = self._looked_up(name, items, line)
                    yield Expression(found) if found else f"{{{{{name}}}}}"
                case _Partial(name, line):
                    if items:
                        self._losses.add(f"{{{{> {name}}}}}", "an included prompt sees inputs, not the item", line=line)
                    yield Tag(f'include "{self._names.of(name)}"')
                case _Section():
                    yield from self._section(node, items)

    def _section(self, node: _Section, items: tuple[str, ...]) -> Iterator[Part]:
        value = self._looked_up(node.name, items, node.line)
        if value is None:
            raise InvalidInput(f"line {node.line}: {node.name[:80]!r} is no name of a section")
        reads = set(_names(node.body)) - {node.name.partition(".")[0]}
        if not (node.is_inverted or reads):
            why = "taken for a condition: nothing in it reads an item, so it stands there once, also for a list"
            self._losses.add(f"{{{{#{node.name}}}}}", why, line=node.line)
        if node.is_inverted or not reads:
            yield Tag(f"if {f'not ({value})' if node.is_inverted else value}", node.takes_line)
            yield from self.parts(node.body, items)
            yield Tag("endif", node.ends_line)
            return
        item = next(name for size in range(100) if (name := f"{_ITEM}{size or ''}") not in self._taken | {*items})
        if items:  # what is long is said once
            yield Tag(f"with {item}_in = {value}", node.takes_line)
            value = f"{item}_in"
        many = f"{value} is sequence and {value} is not string and {value} is not mapping"
        yield Tag(f"for {item} in ({value} if {many} else [{value}] if {value} else [])", node.takes_line)
        yield from self.parts(node.body, (*items, item))
        yield Tag("endfor", node.ends_line)
        if items:
            yield Tag("endwith", node.ends_line)

    def _looked_up(self, name: str, items: tuple[str, ...], line: int) -> str | None:
        """Return the expression of a name: of the innermost item that has it, else of the input."""
        if name == ".":
            return items[-1] if items else None
        first, *others = name.split(".")
        found = input_name(first, losses=self._losses, line=line)
        if found is None:
            return None
        if items:
            found += ' | default("")'
        for item in items:
            found = f"{item}{_field(first)} | default({found})"
        path = "".join(map(_field, others))
        if items and path:
            return f'({found}){path} | default("")'
        return found + path


def _field(key: str) -> str:
    return f".{key}" if key.isidentifier() else f'["{key}"]'
