"""Prompts to files and back: a team's own version control holds what the registry does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from cuewire.model.errors import InvalidInput, NotFound, TemplateError
from cuewire.model.prompt_files import Change, FileChange, PromptFile
from cuewire.model.references import DEFAULT_LABEL, LATEST
from cuewire.ports import PromptFolder, PromptsFace
from cuewire.registry.statements import change_of, check, describes, file_of, live_prompt, live_prompts, publish, says


async def pull(
    prompts: PromptsFace, folder: PromptFolder, *, names: Sequence[str] = (), label: str = DEFAULT_LABEL
) -> AsyncIterator[FileChange]:
    """Write the versions that carry a label into a folder, of all prompts unless names are given.

    Raises NotFound for a name that has none, InvalidInput if a file cannot be written.
    """
    async for prompt in live_prompts(prompts, names):
        if names or label in prompt.labels:
            version = await prompts.get(f"{prompt.id}@{label}")
            found = await prompts.variables(version.messages)
            file = file_of(version, found, of=prompt)
            is_changed = folder.write(file)
            yield change_of(file, "changed" if is_changed else "unchanged", version.number)


async def push(
    prompts: PromptsFace,
    folder: PromptFolder,
    *,
    labels: Sequence[str] = (),
    release: bool = False,
    dry: bool = False,
) -> AsyncIterator[FileChange]:
    """Publish what the files of a folder say where it differs from the newest version. Nothing is ever deleted.

    All files are looked through before the first is published. With `dry` nothing is. Raises InvalidInput that lists
    everything that is wrong with them, TemplateError.
    """
    files = folder.read()
    await _check(prompts, files)
    for file in files:
        change: Change = "new"
        number = 0
        if prompt := await live_prompt(prompts, file):
            newest = await prompts.get(f"{prompt.id}@{LATEST}")
            found = await prompts.variables(file.messages)
            is_same = says(file, newest, found) and describes(file, prompt)
            change, number = "unchanged" if is_same else "changed", newest.number
        if not dry:
            number = (await publish(prompts, file, labels=labels, release=release)).number
        yield change_of(file, change, number)


async def add(
    prompts: PromptsFace, files: Sequence[PromptFile], *, labels: Sequence[str] = ()
) -> AsyncIterator[FileChange]:
    """Publish prompts that come ready-made, each unless some version of the name says the same already.

    So a second time adds nothing, also when there are newer versions by then. Production moves only if it is among the
    labels. Raises InvalidInput, TemplateError, both before the first is published.
    """
    await _check(prompts, files)
    for file in files:
        prompt, found = await live_prompt(prompts, file), await prompts.variables(file.messages)
        versions = await prompts.versions(str(prompt.id)) if prompt else ()
        same = next((version for version in versions if says(file, version, found)), None)
        if prompt and same:
            for label in labels:
                await prompts.label(str(prompt.id), label, same.number)
            yield change_of(file, "unchanged", same.number)
        else:
            version = await publish(prompts, file, labels=labels)
            yield change_of(file, "changed" if versions else "new", version.number)


async def _check(prompts: PromptsFace, files: Sequence[PromptFile]) -> None:
    """Find what is wrong with any of the files before the first is published."""
    problems = []
    for file in files:
        try:
            check(file)
            await prompts.variables(file.messages)
        except (InvalidInput, NotFound, TemplateError) as error:
            problems.append((file.prompt, error.message))
    if problems:
        raise InvalidInput("; ".join(f"{name}: {what}" for name, what in problems), problems=tuple(problems))
