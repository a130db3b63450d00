"""The reference of variables says what the catalogue says, from which editor, validation and preview read too.

After a change of the catalogue, write it anew: python -m tests.acceptance.test_variable_reference
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

import cuewire
from cuewire.model.template_types import CatalogueVariable
from cuewire.registry.schemas import compiled
from cuewire.template.catalogue import TEMPLATE_TYPES
from tests.acceptance.test_template_reference import code
from tests.support.command_line import CommandLine
from tests.support.serving import serving

REFERENCE = Path(__file__).parents[2] / "docs/variables.md"
INTRODUCTION = """\
# Variables

A variable is a name that a template reads, and an input is the value that a run gives for it. `cuewire prompts
variables FILE` lists those of a template. A template may read any name; what its author says of one stands in the
prompt file, as JSON Schema:

```yaml
variables:
  text: {type: string, description: what a user wrote, examples: [It crashes on save]}
  tone: {type: string, default: kind}
```

A run whose inputs are missing, surplus or of another type is refused before anything is spent, unless the version is
`lenient`. `default` makes an input optional. `cuewire prompts render FILE --examples` takes the first of `examples` for
what is not given.

**Types.** A prompt has a type (`--type`, or `type:` in its file; `general` if nothing is said), and a type knows the
variables that its templates usually read, listed here. The editor offers them, `cuewire prompts validate FILE --type
TYPE` warns of others, and previews have their examples. `GET /api/v1/prompts/types` and `app.templates.types()` return
the same list; with `PUT /api/v1/prompts/types/{name}` and `app.templates.set_type(...)` you add types and variables of
your own.

`now` and `today` are given by Cuewire, as variables and as functions: [templates](template-reference.md).

| type | what its templates do |
|---|---|
"""
HEAD = "\n| variable | type | what it is | example | known to |\n|---|---|---|---|---|\n"


def reference() -> str:
    """Return the whole reference, made from the catalogue."""
    types = "".join(f"| `{kind.name}` | {kind.description} |\n" for kind in TEMPLATE_TYPES.values())
    return INTRODUCTION + types + HEAD + "".join(rows())


def rows() -> Iterator[str]:
    """Yield a row for each variable, in the order of the catalogue."""
    for variable in variables():
        holders = [kind.name for kind in TEMPLATE_TYPES.values() if kind.find(variable.name)]
        known = "all" if len(holders) == len(TEMPLATE_TYPES) else ", ".join(holders)
        names = ", ".join(f"`{name}`" for name in (variable.name, *variable.aliases))
        example = code(msgspec.json.encode(variable.example).decode())
        yield f"| {names} | {variable.json_schema['type']} | {variable.description} | {example} | {known} |\n"


def variables() -> list[CatalogueVariable]:
    return [*{each.name: each for kind in TEMPLATE_TYPES.values() for each in kind.variables}.values()]


@pytest.mark.contract("S3-131")
def test_the_reference_says_what_the_catalogue_says() -> None:
    assert REFERENCE.read_text() == reference(), __doc__


@pytest.mark.contract("S3-131")
def test_every_variable_is_described_once_and_its_example_is_of_its_type() -> None:
    described = [(each.name, each.json_schema) for kind in TEMPLATE_TYPES.values() for each in kind.variables]

    assert len(variables()) > 20
    assert all(each.description and each.example is not None for each in variables())
    assert all(compiled(each.json_schema, pointer="").is_valid(each.example) for each in variables())
    assert len({msgspec.json.encode(each) for each in described}) == len(variables())


@pytest.mark.contract("S3-131")
def test_every_variable_renders_with_its_example(tmp_path: Path) -> None:
    given = [each for each in variables() if not each.json_schema.get("readOnly")]
    template = "\n".join(f"{{{{ {each.name} }}}}" for each in variables())

    with cuewire.open(f"sqlite:///{tmp_path}/cue.db") as app:
        shown = app.templates.preview(template, examples=True, template_type="decision")

    assert [problem for problem in shown.warnings if problem.code == "missing"] == []
    assert {each.name: shown.inputs[each.name] for each in given} == {each.name: each.example for each in given}


def test_the_server_gives_the_same_catalogue(tmp_path: Path) -> None:
    with serving(CommandLine(tmp_path)) as server:
        found = server.ask("GET", "/api/v1/prompts/types").json["items"]

    assert {kind["name"]: [each["name"] for each in kind["variables"]] for kind in found} == {
        kind.name: [each.name for each in kind.variables] for kind in TEMPLATE_TYPES.values()
    }


if __name__ == "__main__":
    REFERENCE.write_text(reference())
