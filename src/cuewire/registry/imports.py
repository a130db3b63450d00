"""Bundles into the registry and out of it. What is there already is not added again, and `production` stays put."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from cuewire.model.bundles import Bundle, BundledVersion, Loss, histories
from cuewire.model.errors import InvalidInput, NotFound
from cuewire.model.includes import Includes
from cuewire.model.prompt_files import Change, FileChange, PromptFile
from cuewire.model.prompts import BUILT_IN, Prompt, PromptVersion, Variable
from cuewire.model.references import DEFAULT_LABEL, LATEST, check_label
from cuewire.ports import PromptsFace
from cuewire.registry.arrivals import Arrivals, in_order
from cuewire.registry.contents import declared
from cuewire.registry.details import declarations
from cuewire.registry.statements import change_of, file_of, live_prompt, live_prompts, publish


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
    own = [history for history in found if history[0].file.prompt not in BUILT_IN]
    wanted = in_order(own, lambda history: [version.file for version in history])
    run = _Import(prompts, labels)
    await run.check(wanted)
    for history in wanted:
        change = await (run.foresee(history) if dry else run.carry_out(history))
        for loss in run.losses:
            yield loss
        run.losses.clear()
        yield change


class _Import:
    def __init__(self, prompts: PromptsFace, labels: Sequence[str]) -> None:
        self._prompts = prompts
        self._labels = labels
        self._arrivals = Arrivals(prompts)
        self.losses: dict[Loss, None] = {}

    async def check(self, wanted: Sequence[Sequence[BundledVersion]]) -> None:
        """Find what is wrong with any version before the first is published. Raises InvalidInput with all of it."""
        files = ((_title(version), version.file) for history in wanted for version in history)
        await self._arrivals.check(files, declare=_declare)

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
            self._arrivals.published(name)
            self._compare(name, version.includes, stored.includes)
            known = [stored, *known]
            added, number = added + 1, stored.number
        change: Change = "new" if prompt is None else "changed" if added else "unchanged"
        return change_of(history[0].file, change, number)

    async def _known(self, file: PromptFile) -> tuple[Prompt | None, Sequence[PromptVersion]]:
        prompt = await live_prompt(self._prompts, file)
        return prompt, await self._prompts.versions(str(prompt.id)) if prompt else ()

    async def _same(self, file: PromptFile, known: Sequence[PromptVersion]) -> PromptVersion | None:
        return await self._arrivals.same(await self._readable(file), known)

    async def _readable(self, file: PromptFile) -> PromptFile:
        """Return the file without declarations of variables that its messages do not read, as far as that is known."""
        try:
            found = await self._arrivals.variables(file)
        except NotFound:
            return file  # what it includes is still to come
        kept = _read(found, file.variables)
        for name in file.variables.keys() - kept.keys():
            self.losses[Loss(place=file.prompt, what=f"variable {name}", why="no message reads it")] = None
        return msgspec.structs.replace(file, variables=kept)

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


def _title(version: BundledVersion) -> str:
    return f"{version.file.prompt} {version.number}" if version.number else version.file.prompt


def _read(found: Mapping[str, Variable], said: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {name: each for name, each in said.items() if name in found}


def _declare(found: Mapping[str, Variable], said: Mapping[str, Mapping[str, Any]]) -> None:
    declared(found, _read(found, said))
