"""Prompts to files and back: a team's own version control holds what the registry does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from cuewire.model.errors import InvalidInput, PromptNotFound, TemplateError
from cuewire.model.outputs import (
    BooleanOutput,
    ChoiceOutput,
    JsonOutput,
    NumberOutput,
    OutputKind,
    TextOutput,
    parse_output,
)
from cuewire.model.pages import MAX_PAGE
from cuewire.model.prompt_files import Change, FileChange, PromptFile
from cuewire.model.prompts import BUILT_IN, DEFAULT_LABEL, LATEST, PromptVersion, Variable
from cuewire.ports import PromptFolder, PromptsFace


async def pull(
    prompts: PromptsFace, folder: PromptFolder, *, names: Sequence[str] = (), label: str = DEFAULT_LABEL
) -> AsyncIterator[FileChange]:
    """Write the versions that carry a label into a folder, of all prompts but the built-in ones unless names are given.

    Raises NotFound for a name that has none, InvalidInput if a file cannot be written.
    """
    async for name in _named(prompts, names, label):
        version = await prompts.get(f"{name}@{label}")
        is_changed = folder.write(await file_of(version, prompts))
        yield FileChange(prompt=name, change="changed" if is_changed else "unchanged", number=version.number)


async def push(
    prompts: PromptsFace, folder: PromptFolder, *, labels: Sequence[str] = (), publish: bool = False, dry: bool = False
) -> AsyncIterator[FileChange]:
    """Publish what the files of a folder say where it differs from the newest version. Nothing is ever deleted.

    All files are looked through before the first is published. With `dry` nothing is. Raises InvalidInput that lists
    everything that is wrong with them, TemplateError.
    """
    files = folder.read()
    await _check(prompts, files)
    for file in files:
        newest = await _newest(prompts, file.prompt)
        change: Change = "new"
        if newest:
            change = "unchanged" if _says(file, await file_of(newest, prompts)) else "changed"
        number = newest.number if newest else 0
        if not dry:
            number = (await _published(prompts, file, labels, publish)).number
        yield FileChange(prompt=file.prompt, change=change, number=number)


async def file_of(version: PromptVersion, prompts: PromptsFace) -> PromptFile:
    """Return a version as a file says it: of its variables only what is not found in the templates anyway."""
    found = await prompts.variables(version.messages)
    declared = {
        name: _declared(variable) for name, variable in version.variables.items() if variable != found.get(name)
    }
    return PromptFile(
        prompt=version.prompt,
        messages=version.messages,
        model=version.model,
        output=_output(version.output),
        parameters=version.parameters,
        variables=declared,
        note=version.note,
    )


async def _named(prompts: PromptsFace, names: Sequence[str], label: str) -> AsyncIterator[str]:
    for name in names:
        yield name
    after: str | None = None
    while not names:
        page = await prompts.list(limit=MAX_PAGE, after=after)
        for prompt in page.items:
            if label in prompt.labels and prompt.name not in BUILT_IN:
                yield prompt.name
        if (after := page.next) is None:
            return


async def _check(prompts: PromptsFace, files: Sequence[PromptFile]) -> None:
    """Find what is wrong with any of the files before the first is published."""
    problems = []
    for file in files:
        try:
            parse_output(file.output)
            await prompts.variables(file.messages)
        except (InvalidInput, TemplateError) as error:
            problems.append((file.prompt, error.message))
    if problems:
        raise InvalidInput("; ".join(f"{name}: {what}" for name, what in problems), problems=tuple(problems))


async def _newest(prompts: PromptsFace, name: str) -> PromptVersion | None:
    try:
        return await prompts.get(f"{name}@{LATEST}")
    except PromptNotFound:
        return None


async def _published(prompts: PromptsFace, file: PromptFile, labels: Sequence[str], publish: bool) -> PromptVersion:
    return await prompts.publish(
        file.prompt,
        file.messages,
        labels=labels,
        publish=publish,
        model=file.model,
        output=file.output,
        parameters=file.parameters,
        variables=file.variables,
        note=file.note,
    )


def _says(file: PromptFile, known: PromptFile) -> bool:
    """Tell whether publishing a file would add no version. The note is no part of what a version says."""
    same = all(getattr(file, name) == getattr(known, name) for name in ("messages", "model", "parameters", "variables"))
    return same and parse_output(file.output) == parse_output(known.output)


def _output(kind: OutputKind) -> str | list[str] | dict[str, Any] | None:
    """Return an output kind as `publish` takes it."""
    match kind:
        case TextOutput():
            return None
        case ChoiceOutput():
            return [*kind.choices]
        case JsonOutput():
            return kind.json_schema or "json"
        case NumberOutput():
            return "number"
        case BooleanOutput():
            return "boolean"


def _declared(variable: Variable) -> dict[str, Any]:
    """Return what an author says of a variable to make it what it is."""
    return variable.json_schema | ({} if variable.required else {"default": variable.default})
