"""Prompts to files and back: a team's own version control holds what the registry does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence

from cuewire.model.errors import InvalidInput, NotFound, TemplateError
from cuewire.model.prompt_files import Change, FileChange, PromptFile
from cuewire.model.prompts import Prompt, PromptVersion, Variable
from cuewire.model.references import DEFAULT_LABEL, no_label
from cuewire.ports import PromptFolder, PromptsFace
from cuewire.registry.arrivals import Arrivals, in_order
from cuewire.registry.statements import change_of, describes, file_of, live_prompt, live_prompts, publish


async def pull(
    prompts: PromptsFace, folder: PromptFolder, *, names: Sequence[str] = (), label: str = DEFAULT_LABEL
) -> AsyncIterator[FileChange]:
    """Write the versions that carry a label into a folder, of all prompts unless names are given.

    Raises NotFound for a name that has none, InvalidInput if a file cannot be written.
    """
    async for prompt in live_prompts(prompts, names):
        if label in prompt.labels:
            file = await _file(prompts, prompt, prompt.labels[label])
            is_changed = folder.write(file)
            yield change_of(file, "changed" if is_changed else "unchanged", prompt.labels[label])
        elif names:
            raise no_label(prompt.name, label)


async def push(
    prompts: PromptsFace,
    folder: PromptFolder,
    *,
    labels: Sequence[str] = (),
    release: bool = False,
    dry: bool = False,
) -> AsyncIterator[FileChange]:
    """Publish what the files of a folder say where it differs from the newest version. Nothing is ever deleted.

    All files are looked through before the first is published; what a file includes may be among them. With `dry`
    nothing is. Raises InvalidInput that lists everything that is wrong with them.
    """
    files, arrivals = await _arrived(prompts, folder.read())
    for file in files:
        change: Change = "new"
        number = 0
        if prompt := await live_prompt(prompts, file):
            newest = (await prompts.versions(str(prompt.id)))[0]
            is_same = describes(file, prompt) and await arrivals.same(file, [newest]) is not None
            change, number = "unchanged" if is_same else "changed", newest.number
        if not dry:
            number = (await publish(prompts, file, labels=labels, release=release)).number
            arrivals.published(file.prompt)
        yield change_of(file, change, number)


async def add(
    prompts: PromptsFace, files: Sequence[PromptFile], *, labels: Sequence[str] = ()
) -> AsyncIterator[FileChange]:
    """Publish prompts that come ready-made, each unless some version of the name says the same already.

    So a second time adds nothing, also when there are newer versions by then. Production moves only if it is among the
    labels. Raises InvalidInput before the first is published.
    """
    files, arrivals = await _arrived(prompts, files)
    for file in files:
        prompt = await live_prompt(prompts, file)
        versions = await prompts.versions(str(prompt.id)) if prompt else ()
        same = await arrivals.same(file, versions)
        if prompt and same:
            for label in labels:
                await prompts.label(str(prompt.id), label, same.number)
            yield change_of(file, "unchanged", same.number)
        else:
            version = await publish(prompts, file, labels=labels)
            arrivals.published(file.prompt)
            yield change_of(file, "changed" if versions else "new", version.number)


async def _arrived(prompts: PromptsFace, files: Sequence[PromptFile]) -> tuple[list[PromptFile], Arrivals]:
    """Return files in the order in which they can be published, all of them looked through."""
    ordered = in_order(files, lambda file: (file,))
    arrivals = Arrivals(prompts)
    await arrivals.check((file.prompt, file) for file in ordered)
    return ordered, arrivals


async def _file(prompts: PromptsFace, prompt: Prompt, number: int) -> PromptFile:
    """Return a version as a file says it, also of a prompt that does not run."""
    version = next(each for each in await prompts.versions(str(prompt.id)) if each.number == number)
    return file_of(version, await _found(prompts, version), of=prompt)


async def _found(prompts: PromptsFace, version: PromptVersion) -> Mapping[str, Variable]:
    """Return the variables that publishing the version again would find: none if what it includes is gone by now."""
    try:
        return await prompts.variables(version.messages)
    except (NotFound, InvalidInput, TemplateError):
        return {}
