"""Options that commands about prompts share, and what they say in the words of the library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from cuewire.cli.inputs import parse_json, parse_output_kind, parse_parameters
from cuewire.model.prompts import Home, Prompt, PromptVersion
from cuewire.model.references import DEFAULT_LANGUAGE

Name = Annotated[str, typer.Argument(help="the prompt, by name or id")]
Template = Annotated[
    str, typer.Argument(help="the template, - for stdin; .json holds a list of messages, .prompt is a prompt file")
]
System = Annotated[str | None, typer.Option(metavar="FILE", help="the template of a system message before it")]
Labels = Annotated[list[str] | None, typer.Option(metavar="LABEL", help="move this label to it; may be repeated")]
Model = Annotated[str | None, typer.Option(metavar="MODEL", help="provider/model, as in openai/gpt-4o-mini")]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model", metavar="MODEL", help="provider/model, instead of the version's; several are asked side by side"
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        metavar="KIND",
        help="what the answer must be: bug,idea or number, boolean, date, json, or a .json file (a schema, an example)",
    ),
]
Param = Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="a model parameter, such as temperature=0")]
Note = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="why this version exists")]
Lenient = Annotated[bool, typer.Option("--lenient", help="take what inputs come: missing and surplus ones too")]
Policy = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="how runs go about it: a JSON file, - for stdin, or the JSON itself"),
]
Configuration = Annotated[
    str | None, typer.Option(metavar="NAME", help="a configuration, whose parameters and models count")
]
Description = Annotated[str | None, typer.Option(metavar="TEXT", help="what it is for")]
Type = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="the type of template, such as analysis")]
Category = Annotated[str | None, typer.Option(metavar="TEXT", help="what it belongs to")]
Tags = Annotated[list[str] | None, typer.Option(metavar="TAG", help="a tag; may be repeated, and '' is none")]
Strategy = Annotated[
    str | None, typer.Option(metavar="NAME", help="the strategy that has the prompt; without it the global one")
]
Language = Annotated[str | None, typer.Option(metavar="TAG", help="the language of the prompt, as in de or pt-BR")]
Variables = Annotated[
    list[str] | None,
    typer.Option("-v", "--var", metavar="NAME=VALUE", help="an input: name=text, name=@file or name:=json"),
]
InputsFile = Annotated[
    str | None, typer.Option(metavar="FILE", help="all inputs as a JSON object in a file, - for stdin")
]


def home_of(strategy: str | None, language: str | None) -> Home:
    """Return where a prompt belongs, as far as that is said."""
    home: Home = {}
    if strategy is not None:
        home["strategy"] = strategy
    if language is not None:
        home["language"] = language
    return home


def flags(found: Prompt | PromptVersion) -> str:
    """Return the options that say where a prompt belongs, to be copied behind a command that names it."""
    language = None if found.language == DEFAULT_LANGUAGE else found.language
    given = {"--strategy": found.strategy, "--language": language}
    return "".join(f" {flag} {value}" for flag, value in given.items() if value is not None)


def details(
    *, description: str | None, template_type: str | None, category: str | None, tags: Sequence[str] | None
) -> dict[str, Any]:
    """Return what is said of a prompt, without what is not."""
    kept = None if tags is None else [tag for tag in tags if tag]
    given = {"description": description, "template_type": template_type, "category": category, "tags": kept}
    return {name: value for name, value in given.items() if value is not None}


def version_options(
    *,
    model: str | None,
    output: str | None,
    param: Sequence[str] | None,
    note: str | None,
    lenient: bool,
    policy: str | None,
) -> dict[str, Any]:
    """Return what is said of a version beside its content, without what is not. Raises InvalidInput."""
    given = {
        "model": model,
        "output": parse_output_kind(output),
        "parameters": parse_parameters(param) if param else None,
        "note": note,
        "lenient": lenient or None,
        "policy": parse_json(policy, field="/policy") if policy is not None else None,
    }
    return {name: value for name, value in given.items() if value is not None}
