"""Files that come together: in an order in which they can be published, and looked through before the first of them is.

What they take from each other is not there before, so a file may name what comes before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

from cuewire.model.errors import InvalidInput, NotFound, TemplateError
from cuewire.model.policies import judges_of, parse_policy
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import MessageTemplate, PromptVersion, Variable
from cuewire.model.references import Reference, parse_reference
from cuewire.ports import PromptsFace
from cuewire.registry.contents import declared
from cuewire.registry.statements import check, home_of, says
from cuewire.registry.texts import templates_of

Item = TypeVar("Item")
Declare: TypeAlias = Callable[[Mapping[str, Variable], Mapping[str, Mapping[str, Any]]], object]
_TAKES_IN = re.compile(r"(?:include\s*|extends\s*|prompt\s*\(\s*(?:name\s*=\s*)?)['\"]([^'\"@]{1,200})")


def in_order(found: Sequence[Item], files: Callable[[Item], Iterable[PromptFile]]) -> list[Item]:
    """Return what holds files of one prompt each so that what is included, or judges, comes before what names it.

    Otherwise it stays as it was.
    """
    of_name: dict[str, list[Item]] = {}
    needed: dict[str, set[str]] = {}
    for item in found:
        for file in files(item):
            needed.setdefault(file.prompt, set()).update(
                _taken_in(file.messages), (judge.name for judge in _judges(file))
            )
        of_name.setdefault(file.prompt, []).append(item)
    ordered: list[Item] = []
    begun: set[str] = set()

    # A stack of its own: there may be a chain of any length.
    for first in of_name:
        stack = [(first, False)]
        while stack:
            name, is_ready = stack.pop()
            if is_ready:
                ordered += of_name[name]
            elif name not in begun:
                begun.add(name)
                stack.append((name, True))
                stack += [(each, False) for each in sorted(needed[name] & of_name.keys() - begun, reverse=True)]
    return ordered


class Arrivals:
    """Holds what the messages of files read, which is asked of the registry once as long as it cannot have changed."""

    def __init__(self, prompts: PromptsFace) -> None:
        self._prompts = prompts
        self._found: dict[tuple[MessageTemplate, ...], Mapping[str, Variable]] = {}
        self._takers: dict[str, set[tuple[MessageTemplate, ...]]] = {}

    async def check(self, files: Iterable[tuple[str, PromptFile]], *, declare: Declare = declared) -> None:
        """Find what is wrong with any of the files, each with its title, before the first is published.

        `declare` is asked what it says to the variables of each with what is said of them. Raises one InvalidInput with
        all that is wrong.
        """
        problems = []
        before: set[str] = set()
        for title, file in files:
            try:
                check(file)
                declare(await self._foreseen(file, before), file.variables)
                for judge in _judges(file):
                    if judge.name not in before:
                        await self._prompts.get(str(judge), **home_of(file))
            except (InvalidInput, NotFound, TemplateError) as error:
                problems.append((title, error.message))
            before.add(file.prompt)
        if problems:
            raise InvalidInput("; ".join(f"{title}: {what}" for title, what in problems), problems=tuple(problems))

    async def variables(self, file: PromptFile) -> Mapping[str, Variable]:
        """Return the variables that the messages of a file read. Raises NotFound while what they include is to come."""
        if file.messages not in self._found:
            found = await self._prompts.variables(file.messages)
            self._found[file.messages] = found
            for name in _taken_in(file.messages):
                self._takers.setdefault(name, set()).add(file.messages)
        return self._found[file.messages]

    async def same(self, file: PromptFile, versions: Iterable[PromptVersion]) -> PromptVersion | None:
        """Return the first of the versions that says what a file says."""
        alike = [version for version in versions if version.messages == file.messages]
        if alike:
            with suppress(NotFound):
                found = await self.variables(file)
                return next((version for version in alike if says(file, version, found)), None)
        return None

    def published(self, name: str) -> None:
        """Note that the prompt has changed: what takes it in may read something else now."""
        for messages in self._takers.pop(name, ()):
            self._found.pop(messages, None)

    async def _foreseen(self, file: PromptFile, before: set[str]) -> Mapping[str, Variable]:
        """Return the variables of a file; where they cannot be known before others are published, those it tells of."""
        try:
            return await self.variables(file)
        except NotFound:
            if not _taken_in(file.messages) & before:
                raise
            return {name: Variable() for name in file.variables}


def _judges(file: PromptFile) -> list[Reference]:
    return [parse_reference(judge) for judge, _ in judges_of(parse_policy(file.policy))]


def _taken_in(messages: Sequence[MessageTemplate]) -> set[str]:
    return {name for text in templates_of(messages) for name in _TAKES_IN.findall(text)}
