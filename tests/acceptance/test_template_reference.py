"""The template reference says what the code does: it is made from the catalogue of filters, functions and tests.

After a change of those, write it anew: python -m tests.acceptance.test_template_reference
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import pytest

from cuewire.model.includes import MAX_BYTES, MAX_TEXTS
from cuewire.model.includes import MAX_DEPTH as MAX_INCLUDES
from cuewire.template.compiled import CompiledTemplate
from cuewire.template.environment import REMOVED_FILTERS
from cuewire.template.filters import catalogue
from cuewire.template.functions import GUIDE
from cuewire.template.guards import MAX_CHARS, MAX_WIDTH
from cuewire.template.lexer import MAX_TOKENS
from cuewire.template.parse import MAX_DEPTH, MAX_SOURCE_BYTES, parse

REFERENCE = Path(__file__).parents[2] / "docs/template-reference.md"
AT = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)
INTRODUCTION = f"""\
# Templates

Prompts are [Jinja2](https://jinja.palletsprojects.com) templates in a sandbox: `{{{{ name }}}}` writes an input;
`{{% if %}}`, `{{% for %}}`, `{{% set %}}`, `{{% macro %}}` and `{{% block %}}` do what they do there; `{{# #}}` is a
comment. A line that holds a tag alone leaves no empty line behind. Nothing is escaped: prompts are no web pages.

**Missing values.** What is not defined is an error that names it; write `{{{{ name | default('') }}}}` where an input
may be absent. Filters of ours give their `missing` argument for none, NaN and the infinities: "N/A" where they write
numbers, null where they write JSON and YAML, nothing elsewhere.

**Numbers.** Numeric filters take numbers and texts that are numbers. They compute in exact decimals, as the number is
written, and round half up, so 2.675 becomes 2.68. This holds for `round` too, which in Jinja2 rounds half to even.
`percent` takes a fraction: `{{{{ 0.055 | percent(1) }}}}` is 5.5%.

**Times.** `now` and `today` are the instant at which the render begins, the same all through it. Texts in ISO 8601,
seconds since 1970, times and dates are read; a time without a zone is taken as UTC. Formats are those of `strftime`,
with English names, and `%-d` for a day without zero.

**Other prompts.** `{{% include "house-style" %}}` writes the text of another prompt, with the names known here;
`without context` hides them. `{{{{ prompt("house-style", version=7) }}}}` gives that text as a value, for filters and
`set`. A template that begins with `{{% extends "base" %}}` is that prompt with other blocks: each `{{% block name %}}`
of its own stands for the one of that name there, and `{{{{ super() }}}}` in it gives the text that it stands for. The
name is a constant: `"house-style"` (its version in production), `"house-style@candidate"` or `"house-style@7"`, in
`prompt` also with `version=` or `label=`. Only prompts of one text can be taken in.

Which version that is, is settled when the prompt is published, and its text kept with the new version: what happens to
the other prompt later changes nothing until this one is published again. What the texts read are inputs of the prompt
too. At most {MAX_TEXTS} prompts of {MAX_BYTES // 1024} KB in all, {MAX_INCLUDES} deep, none within itself. There is no
`import`, and no `ignore missing`: publishing fails if a prompt is missing.

**Limits.** {MAX_SOURCE_BYTES // 1024} KB of template with at most {MAX_TOKENS:,} words and signs, nested {MAX_DEPTH}
deep; {MAX_CHARS:,} characters of text; widths, repetitions and ranges up to {MAX_WIDTH:,}; a fifth of a second. Not
available are files, the insides of objects, and these filters: {", ".join(sorted(REMOVED_FILTERS))}.

In each row below, the template on the left gives the text on the right, on 31 January 2026 at 23:30 UTC.
"""


def reference() -> str:
    """Return the whole reference, made from the code."""
    filters = [
        (family, [entry[1:] for entry in entries])
        for family, entries in groupby(catalogue(), key=lambda entry: f"Filters: {entry.family}")
    ]
    parts = [*filters, ("Functions and tests", GUIDE)]
    return INTRODUCTION + "".join(f"\n## {title}\n\n{table(rows)}" for title, rows in parts)


def table(rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| | | template | text |", "|---|---|---|---|"]
    for _, signature, description, example, result in rows:
        words = re.sub(r"\n+", " ", description).replace("|", "\\|")
        lines.append(f"| `{signature}` | {words} | {code(example)} | {code(result)} |")
    return "\n".join(lines) + "\n"


def code(text: str) -> str:
    """Write text as code in a cell; it may hold signs of tables and lines."""
    marked = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "&#124;").replace("`", "&#96;")
    return f"<code>{marked.replace('*', '&#42;').replace('_', '&#95;').replace(chr(10), '<br>')}</code>"


def test_the_reference_says_what_the_code_says() -> None:
    assert REFERENCE.read_text() == reference(), __doc__


@pytest.mark.contract("S3-087")
def test_every_filter_that_is_shown_exists_and_gives_what_is_shown() -> None:
    shown = [(example, result) for *_, example, result in [*(entry[1:] for entry in catalogue()), *GUIDE]]

    assert len(shown) > 100
    for example, result in shown:
        assert CompiledTemplate(parse(example)).render({}, at=AT) == result


if __name__ == "__main__":
    REFERENCE.write_text(reference())
