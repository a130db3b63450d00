"""What files and versions say: a version as a file says it, and whether a file says the same as a version."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from cuewire.model import policies
from cuewire.model.errors import PromptNotFound
from cuewire.model.outputs import parse_output, stated
from cuewire.model.pages import MAX_PAGE
from cuewire.model.prompt_files import Change, FileChange, PromptFile
from cuewire.model.prompts import GENERAL, Details, Home, Prompt, PromptFilter, PromptVersion, Variable
from cuewire.model.references import check_new_name
from cuewire.ports import PromptsFace
from cuewire.registry.details import checked_details, checked_home, declarations
from cuewire.registry.drafts import begin_draft


async def live_prompts(prompts: PromptsFace, names: Sequence[str] = ()) -> AsyncIterator[Prompt]:
    """Yield the prompts that are not archived, by name: all, or those of the names. Raises PromptNotFound."""
    wanted = PromptFilter(names=tuple(names) or None)
    absent = dict.fromkeys(names)
    after: str | None = None
    while True:
        page = await prompts.list(limit=MAX_PAGE, after=after, wanted=wanted)
        for prompt in page.items:
            if not names or prompt.name in names:
                absent.pop(prompt.name, None)
                yield prompt
        if (after := page.next) is None:
            break
    for name in absent:
        raise PromptNotFound(f"there is no prompt {name!r}", field="/prompt")


async def live_prompt(prompts: PromptsFace, file: PromptFile) -> Prompt | None:
    """Return the prompt that a file is about, None if there is none, or only one that is archived."""
    try:
        prompt = await prompts.find(file.prompt, **home_of(file))
    except PromptNotFound:
        return None
    return None if prompt.archived else prompt


def file_of(version: PromptVersion, found: Mapping[str, Variable], *, of: Prompt | None = None) -> PromptFile:
    """Return a version as a file says it, with what is said of its prompt.

    Of its variables only what differs from those `found` in its messages.
    """
    inferred = _inferred(found, lenient=version.lenient)
    declared = {name: said for name, said in declarations(version).items() if said != inferred.get(name)}
    file = PromptFile(
        prompt=version.prompt,
        messages=version.messages,
        strategy=version.strategy,
        language=version.language,
        model=version.model,
        output=stated(version.output),
        parameters=version.parameters,
        variables=declared,
        lenient=version.lenient,
        policy=policies.stated(version.policy),
        note=version.note,
    )
    return msgspec.structs.replace(file, **_details(of)) if of else file


def says(file: PromptFile, version: PromptVersion, found: Mapping[str, Variable]) -> bool:
    """Tell whether publishing a file, in whose messages the variables are `found`, would give the version again.

    The note is no part of what a version says.
    """
    of_file, of_version = (policies.stated(each) for each in (policies.parse_policy(file.policy), version.policy))
    told = (file.messages, file.model, file.parameters, parse_output(file.output), file.lenient, of_file)
    known = (version.messages, version.model, version.parameters, version.output, version.lenient, of_version)
    if _bytes(told) != _bytes(known):
        return False
    optional = {name: {"default": None} for name, variable in found.items() if not variable.required}
    declared = {name: {**optional.get(name, {}), **said} for name, said in file.variables.items()}
    return _bytes(_inferred(found, lenient=file.lenient) | declared) == _bytes(declarations(version))


def describes(file: PromptFile, prompt: Prompt) -> bool:
    """Tell whether all that a file says of its prompt is so."""
    known = _details(prompt)
    return all(known[name] == value for name, value in details_of(file).items())


def home_of(file: PromptFile) -> Home:
    """Return where a file says that its prompt belongs."""
    return {"strategy": file.strategy, "language": file.language}


def details_of(file: PromptFile) -> Details:
    """Return what a file says of its prompt. Raises InvalidInput."""
    told = {name: value for name in Details.__annotations__ if (value := getattr(file, name))}
    return checked_details(told)  # type: ignore[arg-type]  # its names are those of Details


def check(file: PromptFile) -> None:
    """Refuse what `publish` would refuse of a file, as far as that needs no registry. Raises InvalidInput."""
    checked_home(home_of(file))
    details_of(file)
    begin_draft(
        check_new_name(file.prompt),
        file.messages,
        model=file.model,
        output=file.output,
        parameters=file.parameters,
        note=file.note,
        lenient=file.lenient,
        policy=file.policy,
    )


def change_of(file: PromptFile, change: Change, number: int) -> FileChange:
    """Return what became of the prompt of a file."""
    return FileChange(prompt=file.prompt, change=change, number=number, strategy=file.strategy, language=file.language)


async def publish(
    prompts: PromptsFace, file: PromptFile, *, labels: Sequence[str] = (), release: bool = False, describe: bool = True
) -> PromptVersion:
    """Publish what a file says; of its prompt only if that is wanted."""
    return await prompts.publish(
        file.prompt,
        file.messages,
        labels=labels,
        publish=release,
        model=file.model,
        output=file.output,
        parameters=file.parameters,
        variables=file.variables,
        lenient=file.lenient,
        policy=file.policy,
        note=file.note,
        **home_of(file),
        **(details_of(file) if describe else {}),
    )


def _details(prompt: Prompt) -> dict[str, Any]:
    kind = "" if prompt.template_type == GENERAL else prompt.template_type
    return {
        "description": prompt.description,
        "template_type": kind,
        "category": prompt.category,
        "tags": tuple(sorted(prompt.tags)),
    }


def _inferred(found: Mapping[str, Variable], *, lenient: bool) -> dict[str, dict[str, Any]]:
    """Return what a version says of variables of which a file says nothing; a lenient one says nothing either."""
    return {
        name: ({} if lenient else variable.json_schema) | ({} if variable.required else {"default": variable.default})
        for name, variable in found.items()
    }


def _bytes(value: object) -> bytes:
    """Return what the content hash is made of: 1 is not 1.0 there, and not true."""
    return msgspec.json.encode(value, order="deterministic")
