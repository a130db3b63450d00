"""Nunjucks, of which promptfoo makes its prompts, and Jinja2: the same but for some words of JavaScript, and for white
space. Nunjucks trims none by itself, neither line ends behind tags nor indentation before them nor the last line end.
"""

from __future__ import annotations

import re

from cuewire.files.jinja_text import Piece, kept, pieces, raw, untrimmed, with_last_line_end
from cuewire.files.losses import Losses

_STEP = re.compile(
    r"(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')|(?P<same>===|!==)|\s{0,9}(?P<join>&&|\|\|)\s{0,9}"
    r"|\s{0,9}\|\s{0,9}(?P<filter>\w+)(?:\(\s{0,9}\))?"
    r"|(?<![\w.])(?P<word>null|undefined)\b",
    re.DOTALL,
)
_SAME = {"===": "==", "!==": "!=", "&&": " and ", "||": " or "}
_FILTERS = {"dump": "tojson", "safe": ""}
_ENVIRONMENT = re.compile(r"(?<![\w.\"'])env\s*[.\[]")
_UNKNOWN = re.compile(r"(end)?(asyncEach|asyncAll|ifAsync|switch|case|extends|import|from|include)\b")


def from_nunjucks(text: str, *, losses: Losses) -> str:
    """Return the text as a Jinja2 template. What Jinja2 has no word for stays as it is, with a loss."""
    found = [*pieces(text)]
    made = ""
    for piece, after in zip(found, [*found[1:], None], strict=False):
        source = _source(piece, losses)
        is_trimming = piece.kind in ("tag", "comment") or piece.is_raw
        made += kept(source, before=made, after=after.source if after else "") if is_trimming else source
    return with_last_line_end(made)


def to_nunjucks(template: str) -> str:
    """Return a Jinja2 template with the white space that is written, and no other."""
    return "".join(piece.source for piece in untrimmed(template))


def _source(piece: Piece, losses: Losses) -> str:
    if piece.is_raw:
        return raw(piece.inner)
    if piece.kind not in ("expression", "tag"):
        return piece.source
    if _ENVIRONMENT.search(piece.inner):
        losses.add(piece.source, "the environment is not read; `env` is an input here", line=piece.line)
    source = piece.source
    if piece.kind == "tag":
        if found := _UNKNOWN.match(piece.inner):
            losses.add(piece.source, f"there is no {found[0]!r} of Nunjucks here", line=piece.line)
        source = re.sub(r"\A(\{%[-+]?\s*)elseif\b", r"\1elif", source)
    return _STEP.sub(_said, source)


def _said(found: re.Match[str]) -> str:
    if word := found["same"] or found["join"]:
        return _SAME[word]
    if found["word"]:
        return "none"
    if found["filter"] in _FILTERS:
        return f" | {name}" if (name := _FILTERS[found["filter"]]) else ""
    return found[0]
