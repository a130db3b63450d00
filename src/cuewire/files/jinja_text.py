"""Jinja2 as text: putting templates together from parts, and taking them apart, without compiling any.

`{% %}` takes its line with it here (trim_blocks, lstrip_blocks), and a template its last line end. What comes from a
language that trims nothing is written so that all of it stays, and what goes to one without what is trimmed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal, NamedTuple, TypeAlias

_MARK = re.compile(r"\{\{|\{%|\{#")
_ENDRAW = re.compile(r"\{%[-+]?\s*endraw")
_SIGNS = re.compile(r"\A(\{[{%#])[-+]|[-+]([%}#]\})\Z")
_LINE_END = re.compile(r"\r\n?")
_SEEN_BACK = 200
"""Characters of what was written so far that are looked at: indentation that is longer gets its sign in any case."""
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
            made += _literal(part, before=made[-_SEEN_BACK:], is_before_mark=bool(after))
        elif isinstance(part, Expression):
            made += f"{{{{ {part.body} }}}}"
        else:
            tag = f"{{% {part.body} %}}"
            made += tag if part.takes_line else kept(tag, before=made, after=after if isinstance(after, str) else "")
    return with_last_line_end(made)


def kept(mark: str, *, before: str, after: str) -> str:
    """Return a tag or comment with the plus signs that keep the indentation before it and the line end after it."""
    begin = "+" if mark[2] not in "+-" and _is_indented(before) else ""
    end = "+" if mark[-3] not in "+-" and after.startswith(("\n", "\r")) else ""
    return f"{mark[:2]}{begin}{mark[2:-2]}{end}{mark[-2:]}"


def with_last_line_end(template: str) -> str:
    """Return a template that keeps the line end in which it ends."""
    return f"{template}\n" if template.endswith(("\n", "\r")) else template


def _is_indented(before: str) -> bool:
    return before[-_SEEN_BACK:].rpartition("\n")[2].isspace()


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
    return f"{text[:start]}{kept(raw(inner), before=before + text[:start], after=text[end:])}{text[end:]}"


def raw(text: str) -> str:
    """Return a text that holds no `{% endraw %}` between the marks that have it read as it is."""
    return f"{{% raw %}}{text}{{%{'+' if _is_indented(text) else ''} endraw %}}"


class Piece(NamedTuple):
    """A part of a template: its source, what stands between its marks, and the line where it begins."""

    kind: Literal["text", "expression", "tag", "comment"]
    source: str
    inner: str
    line: int

    @property
    def is_raw(self) -> bool:
        """Tell whether it is a text between `{% raw %}` and `{% endraw %}`."""
        return self.kind == "text" and self.source != self.inner

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


def untrimmed(template: str) -> Iterator[Piece]:
    """Yield the parts of a template as a language has them that trims nothing: without signs and what is trimmed."""
    found = [*pieces(_LINE_END.sub("\n", template).removesuffix("\n"))]
    for before, piece, after in zip([None, *found], found, [*found[1:], None], strict=False):
        if piece.is_raw:
            begin, end = _raw_marks(piece)
            text = _trimmed(piece.inner, behind="-" if begin[-3] == "-" else "+", ahead=_sign(end[2]))
            yield piece._replace(source=f"{{% raw %}}{text}{{% endraw %}}", inner=text)
        elif piece.kind == "text":
            behind, ahead = _sign_of(before, -3), _sign_of(after, 2)
            text = _trimmed(piece.inner, behind=behind, ahead=ahead, is_first=before is None)
            yield piece._replace(source=text, inner=text)
        else:
            yield piece._replace(source=_SIGNS.sub(r"\1\2", piece.source))


def _raw_marks(piece: Piece) -> tuple[str, str]:
    size = piece.source.index("%}") + 2
    return piece.source[:size], piece.source[size + len(piece.inner) :]


def _sign_of(mark: Piece | None, at: int) -> str:
    """Return `-`, or `+` where nothing is trimmed beside the mark, or nothing."""
    if mark is None or (mark.kind == "text" and not mark.is_raw):
        return "+"
    return _sign(mark.source[at]) or ("+" if mark.kind == "expression" else "")


def _sign(character: str) -> str:
    return character if character in "+-" else ""


def _trimmed(text: str, *, behind: str, ahead: str, is_first: bool = False) -> str:
    """Return what Jinja2 leaves of a text between two marks; `behind` and `ahead` are the signs that look at it."""
    is_line_start = is_first or (not behind and text.startswith("\n"))
    if not behind:
        text = text.removeprefix("\n")
    elif behind == "-":
        text = text.lstrip()
    last = text.rpartition("\n")[2]
    if ahead == "-":
        return text.rstrip()
    return text.removesuffix(last) if not ahead and last.isspace() and (is_line_start or last != text) else text


def included(template: str) -> Iterator[Piece]:
    """Yield the includes of a template."""
    return (piece for piece in pieces(template) if piece.include is not None)
