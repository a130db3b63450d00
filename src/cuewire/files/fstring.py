"""Texts of Python's `str.format`, as LangChain calls them f-strings, turned into Jinja2: `{name}`, `{{` and `}}`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cuewire.files.jinja_text import Expression, Part, joined
from cuewire.files.losses import Losses
from cuewire.files.names import input_name

_STEP = re.compile(
    r"\{\{|\}\}|\{(?P<name>[A-Za-z0-9_]*)(?P<path>(?:\.[A-Za-z_]\w*|\[[^\[\]{}\n]{1,64}\])*)"
    r"(?P<conversion>![rsa])?(?P<form>:[^{}\n]*(?:\{\w*\}[^{}\n]*)*)?\}|[{}]",
    re.ASCII,
)
_PATH = re.compile(r"\.(\w+)|\[([^\]]+)\]")


def from_fstring(text: str, *, losses: Losses) -> str:
    """Return the text as a Jinja2 template. A brace that means nothing in Python either stays as it is, with a loss."""
    return joined(_parts(text, losses))


def _parts(text: str, losses: Losses) -> Iterator[Part]:
    at = fields = 0
    line = 1
    for found in _STEP.finditer(text):
        yield text[at : found.start()]
        line += text.count("\n", at, found.start())
        at = found.end()
        if found[0] in ("{{", "}}"):
            yield found[0][0]
        elif found["name"] is None:
            losses.add(found[0], "a single brace is no field; it stays as it is", line=line)
            yield found[0]
        else:
            yield _field(found, fields, losses=losses, line=line)
            fields += not found["name"]
    yield text[at:]


def _field(found: re.Match[str], position: int, *, losses: Losses, line: int) -> Part:
    source = found["name"] or str(position)
    name = input_name(f"input_{source}" if source.isdigit() else source, losses=losses, line=line)
    if name is None:
        losses.add(found[0], "it is no name; it stays as it is", line=line)
        return found[0]
    if source.isdigit():
        losses.add(found[0], f"inputs have names; this one is called {name!r} here", line=line)
    if found["conversion"] or found["form"]:
        losses.add(found[0], "the value is written without conversion and format", line=line)
    steps = (_step(dotted, index) for dotted, index in _PATH.findall(found["path"]))
    return Expression(name + "".join(steps))


def _step(dotted: str, index: str) -> str:
    if dotted:
        return f".{dotted}"
    key = index if index.isascii() and index.isdigit() else '"' + index.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"[{key}]"
