"""Jinja2 as text: putting templates together from parts, and taking them apart, without compiling any.

`{% %}` takes its line with it here (trim_blocks, lstrip_blocks); a part of another language that does not is written
with the plus signs that keep line ends and indentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal, NamedTuple, TypeAlias

_MARK = re.compile(r"\{\{|\{%|\{#")
_ENDRAW = re.compile(r"\{%[-+]?\s*endraw")
_BLANK_LINE_START = re.compile(r"(?:\A|\n)[ \t]+\Z")
_INCLUDE = re.compile(r"include\s+(?P<quote>['\"])(?P<name>[^'\"]*)(?P=quote)")


class Expression(NamedTuple):
    """`{{ body }}`."""

    body: str


class Tag(NamedTuple):
    """`{% body %}`, which takes its line with it if it stands alone there."""

    body: str
    takes_line: bool = False


Part: TypeAlias = str | Expression | Tag


def joined(parts: Iterable[Part]) -> str:
    """Return the template of parts; a text among them comes out as it is, whatever it looks like."""
    merged: list[Part] = []
    for is_text, run in groupby(parts, key=lambda part: isinstance(part, str)):
        found = list(run)
        merged += ["".join(map(str, found))] if is_text else found
    made = ""
    for at, part in enumerate(merged):
        after = merged[at + 1] if at + 1 < len(merged) else ""
        if isinstance(part, str):
            made += _literal(part, before=made, is_before_mark=bool(after))
        elif isinstance(part, Expression):
            made += f"{{{{ {part.body} }}}}"
        else:
            keeps_indent = not part.takes_line and _BLANK_LINE_START.search(made[-200:])
            keeps_end = not part.takes_line and isinstance(after, str) and after.startswith("\n")
            made += f"{{%{'+' if keeps_indent else ''} {part.body} {'+' if keeps_end else ''}%}}"
    return made


def literal(text: str) -> str:
    """Return a template that renders as the text, whatever the text looks like."""
    return joined([text])


def _literal(text: str, *, before: str, is_before_mark: bool) -> str:
    marks = [found.span() for found in _MARK.finditer(text)]
    if is_before_mark and text.endswith("{") and not (marks and marks[-1][1] == len(text)):
        marks.append((len(text) - 1, len(text)))
    if not marks:
        return text
    start, end = marks[0][0], marks[-1][1]
    if closed := re.match(r"[^\n{}%#]*[%#}]\}", text[end:]):
        end += closed.end()
    inner = text[start:end]
    if _ENDRAW.search(text) or end - start == 1:
        spans = [0, *(at for span in marks for at in span), len(text)]
        pieces = [text[begin:stop] for begin, stop in zip(spans, spans[1:], strict=False)]
        return "".join(f'{{{{ "{piece}" }}}}' if at % 2 else piece for at, piece in enumerate(pieces))
    indent = "+" if _BLANK_LINE_START.search((before + text[:start])[-200:]) else ""
    line_end = "+" if text[end:].startswith("\n") else ""
    return f"{text[:start]}{{%{indent} raw %}}{inner}{{% endraw {line_end}%}}{text[end:]}"


class Piece(NamedTuple):
    """A part of a template: its source, what stands between its marks, and the line where it begins."""

    kind: Literal["text", "expression", "tag", "comment"]
    source: str
    inner: str
    line: int

    @property
    def include(self) -> str | None:
        """The name that it includes, if it does nothing else."""
        found = _INCLUDE.fullmatch(self.inner) if self.kind == "tag" else None
        return found["name"] if found else None


_KINDS: dict[str, tuple[Literal["expression", "tag", "comment"], str]] = {
    "{{": ("expression", "}}"),
    "{%": ("tag", "%}"),
    "{#": ("comment", "#}"),
}


def pieces(template: str) -> Iterator[Piece]:
    """Yield the parts of a template in order. A mark that nothing closes is text, and so is all behind it."""
    at = line = 0
    while found := _MARK.search(template, at):
        kind, close = _KINDS[found[0]]
        end = _end(template, found.end(), close, quotes=kind != "comment")
        if end is None:
            break
        if found.start() > at:
            yield _text(template[at : found.start()], line)
            line += template.count("\n", at, found.start())
        inner = template[found.end() : end - 2].strip("-+ \t\r\n") if kind != "comment" else ""
        if inner == "raw":
            closing = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}").search(template, end)
            if closing is None:
                at = found.start()
                break
            yield Piece("text", template[found.start() : closing.end()], template[end : closing.start()], line + 1)
            end = closing.end()
        else:
            yield Piece(kind, template[found.start() : end], inner, line + 1)
        line += template.count("\n", found.start(), end)
        at = end
    if at < len(template):
        yield _text(template[at:], line)


def _text(source: str, line: int) -> Piece:
    return Piece("text", source, source, line + 1)


def _end(template: str, start: int, close: str, *, quotes: bool) -> int | None:
    """Return where a mark's close ends; one in quotes is none."""
    if not quotes:
        at = template.find(close, start)
        return at + 2 if at >= 0 else None
    step = re.compile(rf"\"(?:[^\"\\]|\\.)*(?:\"|\Z)|'(?:[^'\\]|\\.)*(?:'|\Z)|{re.escape(close)}", re.DOTALL)
    while found := step.search(template, start):
        start = found.end()
        if found[0] == close:
            return start
    return None


def included(template: str) -> Iterator[Piece]:
    """Yield the includes of a template."""
    return (piece for piece in pieces(template) if piece.include is not None)
