"""Bundles into the registry and out of it. What is there already is not added again, and `production` stays put."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence

import msgspec

from cuewire.model.bundles import Bundle, BundledVersion, Loss, histories
from cuewire.model.errors import InvalidInput, NotFound, TemplateError
from cuewire.model.includes import Includes
from cuewire.model.prompt_files import Change, FileChange, PromptFile
from cuewire.model.prompts import BUILT_IN, Message, MessageTemplate, Prompt, PromptVersion, Variable
from cuewire.model.references import DEFAULT_LABEL, LATEST, check_label
from cuewire.ports import PromptsFace
from cuewire.registry.details import declarations
from cuewire.registry.includes import texts_of
from cuewire.registry.statements import change_of, check, file_of, live_prompt, live_prompts, publish, says

_TAKES_IN = re.compile(r"(?:include\s+|extends\s+|prompt\s*\(\s*)['\"]([^'\"@]{1,200})")


async def export_prompts(prompts: PromptsFace, *, names: Sequence[str] = ()) -> list[BundledVersion]:
    """Return all versions of the prompts of the names, else of all, by name and then oldest first.

    Archived prompts stay out. Raises PromptNotFound.
    """
    bundled = []
    async for prompt in live_prompts(prompts, names):
        for version in reversed(await prompts.versions(str(prompt.id))):
            said = {name: said for name, said in declarations(version).items() if said}
            file = msgspec.structs.replace(file_of(version, {}, of=prompt), variables=said)
            bundled.append(
                BundledVersion(
                    file=file,
                    number=version.number,
                    labels=tuple(sorted({*version.labels} - {LATEST})),
                    created_at=version.created_at,
                    includes=version.includes,
                    inputs=version.variables,
                )
            )
    return sorted(bundled, key=_home)


async def import_prompts(
    prompts: PromptsFace, bundle: Bundle, *, labels: Sequence[str] = (), dry: bool = False
) -> AsyncIterator[Loss | FileChange]:
    """Add the versions that the registry does not have, and yield what was lost and what came of each prompt.

    Only a prompt that did not exist gets the labels of the bundle, `production` among them (its newest version if the
    bundle names none), and what the bundle says of it. `labels` move to the newest version of each prompt. All of it is
    looked through before the first is published; with `dry` nothing is. Raises InvalidInput, TemplateError, NotFound.
    """
    for label in labels:
        if check_label(label) in (DEFAULT_LABEL, LATEST):
            raise InvalidInput(
                f"an import moves no label {label!r}",
                field="/label",
                hint="look at what came, then: cuewire prompts label NAME production NUMBER",
            )
    for loss in bundle.losses:
        yield loss
    found = histories(bundle.versions)
    for name in BUILT_IN & {history[0].file.prompt for history in found}:
        yield Loss(place=name, what="the prompt", why="it is Cuewire's own, and nobody imports it")
    wanted = _in_order([history for history in found if history[0].file.prompt not in BUILT_IN])
    run = _Import(prompts, {history[0].file.prompt for history in wanted}, labels)
    await run.check(wanted)
    for history in wanted:
        change = await (run.foresee(history) if dry else run.carry_out(history))
        for loss in run.losses:
            yield loss
        run.losses.clear()
        yield change


class _Import:
    def __init__(self, prompts: PromptsFace, names: set[str], labels: Sequence[str]) -> None:
        self._prompts = prompts
        self._names = names
        self._labels = labels
        self._variables: dict[tuple[MessageTemplate, ...], Mapping[str, Variable]] = {}
        self.losses: dict[Loss, None] = {}

    async def check(self, wanted: Sequence[Sequence[BundledVersion]]) -> None:
        """Find what is wrong with any version before the first is published. Raises InvalidInput with all of it."""
        problems = []
        for version in (version for history in wanted for version in history):
            file = version.file
            try:
                check(file)
                await self._found(file)
            except (InvalidInput, NotFound, TemplateError) as error:
                title = f"{file.prompt} {version.number}" if version.number else file.prompt
                problems.append((title, error.message))
        if problems:
            listed = "; ".join(f"{name}: {what}" for name, what in problems)
            raise InvalidInput(listed, problems=tuple(problems))

    async def foresee(self, history: Sequence[BundledVersion]) -> FileChange:
        """Return what carrying out would do."""
        prompt, known = await self._known(history[0].file)
        if prompt is None:
            return change_of(history[0].file, "new", 0)
        same = [await self._same(version.file, known) for version in history]
        return change_of(history[0].file, "unchanged" if all(same) else "changed", known[0].number)

    async def carry_out(self, history: Sequence[BundledVersion]) -> FileChange:
        """Publish what is not there yet, the oldest first."""
        name = history[0].file.prompt
        prompt, known = await self._known(history[0].file)
        released = next((at for at, each in enumerate(history) if DEFAULT_LABEL in each.labels), len(history) - 1)
        added, number = 0, 0
        for at, version in enumerate(history):
            wanted = self._labels if at == len(history) - 1 else ()
            same = await self._same(version.file, known) if prompt else None
            if prompt and same:
                number = same.number
                for label in wanted:
                    await self._prompts.label(str(prompt.id), label, number)
                continue
            own = () if prompt else tuple(label for label in version.labels if label != DEFAULT_LABEL)
            file = await self._readable(version.file)
            stored = await publish(
                self._prompts,
                file,
                labels=(*own, *wanted),
                release=prompt is None and at == released > 0,
                describe=prompt is None,
            )
            self._variables.clear()  # some may read what this version changed
            self._compare(name, version.includes, stored.includes)
            known = [stored, *known]
            added, number = added + 1, stored.number
        change: Change = "new" if prompt is None else "changed" if added else "unchanged"
        return change_of(history[0].file, change, number)

    async def _known(self, file: PromptFile) -> tuple[Prompt | None, Sequence[PromptVersion]]:
        prompt = await live_prompt(self._prompts, file)
        return prompt, await self._prompts.versions(str(prompt.id)) if prompt else ()

    async def _same(self, file: PromptFile, known: Sequence[PromptVersion]) -> PromptVersion | None:
        alike = [version for version in known if version.messages == file.messages]
        if not alike:
            return None
        found, file = await self._found(file), await self._readable(file)
        return next((version for version in alike if says(file, version, found)), None)

    async def _readable(self, file: PromptFile) -> PromptFile:
        """Return the file without declarations of variables that its messages do not read."""
        found = await self._found(file)
        for name in file.variables.keys() - found.keys():
            self.losses[Loss(place=file.prompt, what=f"variable {name}", why="no message reads it")] = None
        kept = {name: said for name, said in file.variables.items() if name in found}
        return msgspec.structs.replace(file, variables=kept)

    async def _found(self, file: PromptFile) -> Mapping[str, Variable]:
        """Return the variables of the messages; those of prompts that are still to come are not known yet."""
        if file.messages not in self._variables:
            try:
                self._variables[file.messages] = await self._prompts.variables(file.messages)
            except NotFound:
                if not _taken_in(file) & self._names:
                    raise
                return {}
        return self._variables[file.messages]

    def _compare(self, name: str, there: Includes, here: Includes) -> None:
        """Tell of texts that are included and are others here."""
        for written, reference in there.pins.items():
            pinned = here.pins.get(written, "")
            if here.texts.get(pinned) != there.texts.get(reference) and pinned:
                told = Loss(
                    place=name, what=f"{reference}, included as {written}", why=f"it is {pinned} here, another text"
                )
                self.losses[told] = None


def _home(version: BundledVersion) -> tuple[str, str, str]:
    return version.file.prompt, version.file.strategy or "", version.file.language


def _taken_in(file: PromptFile) -> set[str]:
    texts = (text for message in file.messages if isinstance(message, Message) for text in texts_of(message))
    return {name for text in texts for name in _TAKES_IN.findall(text)}


def _in_order(found: Sequence[list[BundledVersion]]) -> list[list[BundledVersion]]:
    """Return the histories so that what is included comes before what includes it, and otherwise as they were."""
    of_name: dict[str, list[list[BundledVersion]]] = {}
    for history in found:
        of_name.setdefault(history[0].file.prompt, []).append(history)
    ordered: list[list[BundledVersion]] = []
    begun: set[str] = set()

    # A stack of its own: a bundle may hold a chain of any length.
    for first in of_name:
        stack = [(first, False)]
        while stack:
            name, is_ready = stack.pop()
            if is_ready:
                ordered += of_name[name]
            elif name not in begun:
                begun.add(name)
                stack.append((name, True))
                needed = {each for history in of_name[name] for version in history for each in _taken_in(version.file)}
                stack += [(each, False) for each in sorted(needed & of_name.keys() - begun, reverse=True)]
    return ordered
