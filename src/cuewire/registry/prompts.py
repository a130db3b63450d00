"""The registry as its users see it: publish, look up, label, edit, archive. Each step asks whether the actor may."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal, Unpack, cast

import msgspec

from cuewire.model.actors import Actor, common
from cuewire.model.diffs import Diff
from cuewire.model.errors import InvalidInput, PromptExists, PromptNotFound
from cuewire.model.events import Event
from cuewire.model.live import OnChange
from cuewire.model.outputs import stated
from cuewire.model.pages import Page, check_limit
from cuewire.model.prompts import (
    EVERY_PROMPT,
    Content,
    Details,
    EditOptions,
    Home,
    Inputs,
    Prompt,
    PromptFilter,
    PromptStats,
    PromptStatus,
    PromptVersion,
    PublishOptions,
    Variable,
    VersionOptions,
)
from cuewire.model.references import (
    DEFAULT_LABEL,
    DEFAULT_LANGUAGE,
    LATEST,
    Reference,
    archived_prompt,
    check_label,
    check_name,
    check_new_name,
    check_number,
    no_prompt,
    parse_reference,
)
from cuewire.model.text import check_json
from cuewire.ports import EventStore, PromptStore, Renderer
from cuewire.registry.access import authorize
from cuewire.registry.details import checked_home, declarations, sorted_out
from cuewire.registry.diffs import compare, rendered
from cuewire.registry.drafts import find_variables, make_draft
from cuewire.registry.includes import Find
from cuewire.registry.labels import LabelGuard
from cuewire.registry.live import Live
from cuewire.registry.resolver import Resolver
from cuewire.registry.scopes import TemplateTypes
from cuewire.registry.subscriptions import Reader, Subscription, subscription


class RegistryParts(msgspec.Struct, frozen=True, kw_only=True):
    """What the registry is made of."""

    store: PromptStore
    events: EventStore
    guard: LabelGuard
    types: TemplateTypes
    resolver: Resolver
    renderer: Renderer
    live: Live


class Registry:
    """Implements `PromptsFace` over a store, for one actor."""

    def __init__(self, parts: RegistryParts, *, actor: Actor) -> None:
        self._parts = parts
        self._store = parts.store
        self._resolver = parts.resolver
        self._actor = actor
        self._provided: set[str] = set()

    def by(self, actor: Actor) -> Registry:
        """Return the registry as another actor may use it."""
        return Registry(self._parts, actor=actor)

    async def provide(self, name: str, content: Content, **options: Unpack[VersionOptions]) -> None:
        """Publish a prompt of our own at its first use, unless there is one of the name, archived or not."""
        if name in self._provided:
            return
        try:
            await self._store.get(name)
        except PromptNotFound:
            draft = await make_draft(name, content, renderer=self._parts.renderer, find=self._find, **options)
            with suppress(PromptExists):
                await self._store.publish(draft, is_new=True)
            self._resolver.forget()
        self._provided.add(name)

    async def publish(
        self,
        name: str,
        content: Content,
        *,
        labels: Sequence[str] = (),
        publish: bool = False,
        new: bool = False,
        revision: int | None = None,
        status: Literal["active", "inactive"] | None = None,
        **options: Unpack[PublishOptions],
    ) -> PromptVersion:
        """Store a new immutable version; see `PromptsFace.publish`. `status` is set in the same step."""
        wanted = [_free_label(label) for label in labels]
        if publish:
            wanted.append(DEFAULT_LABEL)
        home, details, of_version = sorted_out(options)
        known = None if new and check_new_name(name) else await self._known(name, home)
        if known is None and name.isdigit():
            raise no_prompt(name)
        authorize(self._actor, "prompts:write", known.name if known else check_new_name(name), said=name)
        if known and not name.isdigit():
            _refuse_other_language(known, home)
        if status is not None:
            authorize(self._actor, "prompts:publish")
        guard = self._parts.guard
        free, guarded = await guard.sorted_out(self._actor, known, wanted)
        first = () if known else (await guard.sorted_out(self._actor, None, [DEFAULT_LABEL]))[0]
        near = self.near({"strategy": known.strategy, "language": known.language} if known else home)
        draft = await make_draft(
            known.name if known else name, content, renderer=self._parts.renderer, find=near, **of_version
        )
        version = await self._store.publish(
            msgspec.structs.replace(draft, prompt=str(known.id) if known else name),
            labels=free,
            first=first,
            details=details,
            status=status,
            is_new=new,
            by=self._actor.name,
            revision=revision,
            **home,
        )
        self._resolver.forget()
        for label in guarded:
            if label not in version.labels:
                await guard.ask(self._actor, version, label)
        return version

    async def draft(
        self,
        name: str,
        number: int,
        content: Content | None = None,
        *,
        labels: Sequence[str] = (),
        **options: Unpack[PublishOptions],
    ) -> PromptVersion:
        """Store a version made from an earlier one; see `PromptsFace.draft`."""
        home, details, given = sorted_out(options)
        base = await self.version(name, number, **home)
        inherited: VersionOptions = {
            "model": base.model,
            "output": stated(base.output),
            "parameters": base.parameters,
            "lenient": base.lenient,
            "policy": base.policy,
            "parent": base.number,
        }
        if content is None:
            inherited["variables"] = declarations(base)
        whole = cast(PublishOptions, {**details, **inherited, **given})
        return await self.publish(
            str(base.prompt_id), base.messages if content is None else content, labels=labels, **whole
        )

    async def variables(self, content: Content) -> dict[str, Variable]:
        """Return the variables that a version of this content would have."""
        authorize(self._actor, "prompts:read")
        return await find_variables(content, renderer=self._parts.renderer, find=self._find)

    async def get(self, reference: str, **home: Unpack[Home]) -> PromptVersion:
        """Return a version by `name`, `name@label` or `name@7`, as a run would find it."""
        return await self._read(parse_reference(reference, **home), self._resolver.resolve)

    async def version(self, name: str, number: int, **home: Unpack[Home]) -> PromptVersion:
        """Return a version of exactly the prompt that is named, archived or not. Raises NotFound."""
        prompt = await self.find(name, **home)
        return (await self._store.versions(str(prompt.id), numbers=[check_number(number)]))[0]

    async def current(self, prompt: Prompt) -> PromptVersion:
        """Return the version in production of a prompt that was found here, else its newest one."""
        number = prompt.labels.get(DEFAULT_LABEL, prompt.versions)
        return (await self._store.versions(str(prompt.id), numbers=[number]))[0]

    async def find(self, name: str, **home: Unpack[Home]) -> Prompt:
        """Return a prompt by its name or id."""
        check_name(name)
        if not name.isdigit():
            authorize(self._actor, "prompts:read", name)
        prompt = await self._store.get(name, **checked_home(home))
        authorize(self._actor, "prompts:read", prompt.name, said=name)
        return prompt

    async def list(
        self,
        *,
        limit: int = 100,
        after: str | None = None,
        page: int | None = None,
        wanted: PromptFilter = EVERY_PROMPT,
    ) -> Page[Prompt]:
        """Return the prompts that are wanted."""
        authorize(self._actor, "prompts:read")
        if page is not None and not 1 <= page <= 10**9:
            raise InvalidInput("page must be 1 or more", field="/page")
        return await self._store.list(self._seen(wanted), limit=limit, after=after, page=page)

    def subscribe(
        self,
        *,
        limit: int = 100,
        wanted: PromptFilter = EVERY_PROMPT,
        after: str | None = None,
        on_change: OnChange[Prompt] | None = None,
    ) -> Subscription[Prompt]:
        """Follow the prompts that are wanted; see `LiveFace.subscribe`."""
        return subscription(self.follow(limit=limit, wanted=wanted, after=after), after=after, on_change=on_change)

    def follow(
        self, *, limit: int = 100, wanted: PromptFilter = EVERY_PROMPT, after: str | None = None
    ) -> Reader[Prompt]:
        """Return what reads the same changes, for who has many to tell."""
        authorize(self._actor, "prompts:read")
        return self._parts.live.follow(self._seen(wanted), limit=check_limit(limit), after=after)

    async def versions(self, name: str, **home: Unpack[Home]) -> builtins.list[PromptVersion]:
        """Return all versions of a prompt, newest first."""
        prompt = await self.find(name, **home)
        return [*await self._store.versions(str(prompt.id))]

    async def label(
        self, name: str, label: str, number: int, *, expected: int | None = None, **home: Unpack[Home]
    ) -> PromptVersion:
        """Move a label to a version; see `PromptsFace.label`."""
        _free_label(label)
        check_number(number)
        version = await self.version(name, number, **home)
        authorize(self._actor, "prompts:publish", version.prompt)
        await self._parts.guard.refuse(self._actor, version, label)
        moved = await self._store.label(str(version.prompt_id), label, number, by=self._actor.name, expected=expected)
        self._resolver.forget()
        return moved

    async def diff(
        self, name: str, first: int, second: int, *, inputs: Inputs | None = None, **home: Unpack[Home]
    ) -> Diff:
        """Compare two versions; see `PromptsFace.diff`."""
        prompt = await self.find(name, **home)
        numbers = [check_number(number) for number in (first, second)]
        one, other = await self._store.versions(str(prompt.id), numbers=numbers)
        texts = None
        if inputs is not None:
            at, renderer = other.created_at, self._parts.renderer  # or what reads the time would differ by itself
            texts = [await rendered(version, inputs, renderer, at=at) for version in (one, other)]
        return await asyncio.to_thread(compare, one, other, texts)

    async def stats(self) -> PromptStats:
        """Return how many prompts there are, of those that the actor sees."""
        authorize(self._actor, "prompts:read")
        return await self._store.stats(among=self._actor.prompts)

    async def edit(self, name: str, **changes: Unpack[EditOptions]) -> Prompt:
        """Change what is said of a prompt, or whether it is active."""
        status, revision = changes.pop("status", None), changes.pop("revision", None)
        home, details, _ = sorted_out(changes)
        return await self._change(name, home, details=details, status=status, revision=revision)

    async def archive(self, name: str, *, revision: int | None = None, **home: Unpack[Home]) -> Prompt:
        """Archive a prompt."""
        return await self._change(name, home, status="archived", revision=revision)

    async def restore(self, name: str, **home: Unpack[Home]) -> Prompt:
        """Bring an archived prompt back."""
        return await self._change(name, home, status="active")

    async def clone(self, name: str, to: str, *, source: Home | None = None, **home: Unpack[Home]) -> PromptVersion:
        """Publish what a prompt says as a new prompt; see `PromptsFace.clone`."""
        prompt = await self.find(name, **(source or {}))
        version = await self.current(prompt)
        return await self.publish(
            to,
            version.messages,
            new=True,
            model=version.model,
            output=stated(version.output),
            parameters=version.parameters,
            variables=declarations(version),
            lenient=version.lenient,
            policy=version.policy,
            note=f"from {prompt.name}@{version.number}",
            description=prompt.description,
            template_type=prompt.template_type,
            category=prompt.category,
            tags=prompt.tags,
            **home,
        )

    async def history(self, name: str, *, limit: int = 100, after: int = 0, **home: Unpack[Home]) -> Sequence[Event]:
        """Return what happened to a prompt, oldest first."""
        prompt = await self.find(name, **home)
        return await self._parts.events.list(limit=check_limit(limit), after=after, prompt_id=prompt.id)

    def near(self, home: Home) -> Find:
        """Return the way to find what a prompt of this home includes: of its strategy and language first."""

        async def find(reference: Reference) -> PromptVersion:
            return await self._find(msgspec.structs.replace(reference, **checked_home(home)))

        return find

    async def _change(
        self,
        name: str,
        home: Home,
        *,
        details: Details | None = None,
        status: PromptStatus | None = None,
        revision: int | None = None,
    ) -> Prompt:
        prompt = await self.find(name, **home)
        authorize(self._actor, "prompts:publish" if status else "prompts:write", prompt.name)
        if details is not None and prompt.archived:
            raise archived_prompt(prompt.name)
        changed = await self._store.change(
            str(prompt.id), details=details or {}, status=status, by=self._actor.name, revision=revision
        )
        self._resolver.forget()
        return changed

    def _seen(self, wanted: PromptFilter) -> PromptFilter:
        """Return the filter for what the actor may see of what is wanted. Raises InvalidInput."""
        check_json(msgspec.structs.asdict(wanted), pointer="")
        if wanted.strategy is not None:
            check_name(wanted.strategy, field="/strategy")
        mine = self._actor.prompts
        if mine is None:
            return wanted
        return msgspec.structs.replace(wanted, names=mine if wanted.names is None else common(wanted.names, mine))

    async def _known(self, name: str, home: Home) -> Prompt | None:
        """Return the prompt that `publish` means, None if there is none: an archived one is meant by its id only."""
        try:
            prompt = await self._store.get(check_name(name, field="/name"), **home)
        except PromptNotFound:
            return None
        return prompt if name.isdigit() or not prompt.archived else None

    async def _find(self, reference: Reference) -> PromptVersion:
        return await self._read(reference, self._store.resolve)

    async def _read(self, reference: Reference, resolve: Find) -> PromptVersion:
        if reference.id is None:
            authorize(self._actor, "prompts:read", reference.name)
        else:
            await self.find(reference.name)  # first, because other errors would tell the prompt's name
        return await resolve(reference)


def _refuse_other_language(known: Prompt, home: Home) -> None:
    """Raise InvalidInput for content of no language, where the prompt found is not of the one that would be meant."""
    if home.get("language") is None and known.language != DEFAULT_LANGUAGE:
        raise InvalidInput(
            f"there is prompt {known.name!r} in {known.language!r}, and none in {DEFAULT_LANGUAGE!r}",
            field="/language",
            hint=f"say {known.language} for a new version of that one, {DEFAULT_LANGUAGE} for a new prompt",
        )


def _free_label(label: str) -> str:
    if check_label(label) == LATEST:
        raise InvalidInput("label 'latest' always names the newest version and cannot be moved", field="/label")
    return label
