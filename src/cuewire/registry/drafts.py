"""From what an author writes to a complete draft of a version: checked, hashed, ready to store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Unpack

import msgspec
from msgspec.structs import replace

from cuewire.model.errors import InvalidInput, NotFound
from cuewire.model.outputs import JsonOutput, parse_output
from cuewire.model.policies import PLAIN, Policy, is_single, judges_of, parse_policy
from cuewire.model.prompts import Content, DraftOptions, Variable, VersionDraft
from cuewire.model.references import check_name, parse_reference
from cuewire.model.requests import check_parameters, parse_model
from cuewire.model.text import check_json
from cuewire.ports import Renderer
from cuewire.registry.contents import checked_messages, declared, read_variables
from cuewire.registry.includes import Find, find_includes, nowhere
from cuewire.registry.schemas import compiled

MAX_NOTE = 2_000

_NONE: Mapping[str, Any] = {}


async def make_draft(
    name: str,
    content: Content,
    *,
    renderer: Renderer,
    find: Find = nowhere,
    variables: Mapping[str, Mapping[str, Any]] = _NONE,
    **options: Unpack[DraftOptions],
) -> VersionDraft:
    """Check everything that an author gave and return the draft, with the texts that it includes.

    Raises InvalidInput, TemplateError, and what `find` raises for what is included.
    """
    draft = begin_draft(name, content, **options)
    includes = await find_includes(name, draft.messages, renderer=renderer, find=find)
    found = declared(await read_variables(draft.messages, renderer, includes), variables)
    if draft.lenient:
        found = {name: each if name in variables else _anything(each) for name, each in found.items()}
    await _check_judges(draft, find)
    _check_semantic(draft, found)
    further = [*([includes] if includes.texts else []), *(["lenient"] if draft.lenient else [])]
    further += [draft.policy] if draft.policy != PLAIN else []
    content_hash = _hash((draft.messages, found, draft.model, draft.parameters, draft.output, *further))
    return replace(draft, variables=found, includes=includes, content_hash=content_hash)


def begin_draft(
    name: str,
    content: Content,
    *,
    model: str | None = None,
    output: str | Sequence[str] | Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] = _NONE,
    note: str = "",
    lenient: bool = False,
    parent: int | None = None,
    policy: Mapping[str, Any] | Policy | None = None,
) -> VersionDraft:
    """Check what an author gave as far as that needs no template read, and return it as a draft without the rest.

    Raises InvalidInput.
    """
    check_name(name, field="/name")
    messages = checked_messages(content)
    chosen = dict(parameters)
    check_json(chosen, pointer="/parameters")
    check_parameters(chosen)
    model_name = str(parse_model(model)) if model is not None else None
    check_json(note, pointer="/note")
    if len(note) > MAX_NOTE:
        raise InvalidInput(f"note is longer than {MAX_NOTE} characters", field="/note")
    kind = parse_output(output)
    if isinstance(kind, JsonOutput):
        compiled(kind.json_schema, pointer="/output")
    return VersionDraft(
        prompt=name,
        messages=messages,
        variables={},
        model=model_name,
        parameters=chosen,
        output=kind,
        content_hash="",
        lenient=lenient,
        parent=parent,
        note=note,
        policy=parse_policy(policy),
    )


async def find_variables(content: Content, *, renderer: Renderer, find: Find = nowhere) -> dict[str, Variable]:
    """Return the variables that the content and what it includes read, in order. Raises as `make_draft`."""
    messages = checked_messages(content)
    includes = await find_includes("", messages, renderer=renderer, find=find)
    return await read_variables(messages, renderer, includes)


async def _check_judges(draft: VersionDraft, find: Find) -> None:
    """Refuse a judge that would have to be judged, so that no judging goes round. Raises InvalidInput, NotFound."""
    for judge, field in judges_of(draft.policy):
        reference = parse_reference(judge)
        if reference.name == draft.prompt:
            raise InvalidInput(f"prompt {judge!r} cannot judge itself", field=field, hint="name another prompt")
        try:
            version = await find(reference)
        except NotFound as error:
            error.field = field
            raise
        if not is_single(version.policy):
            raise InvalidInput(
                f"judge {judge!r} has several candidates itself", field=field, hint="name a prompt that has one"
            )


def _check_semantic(draft: VersionDraft, variables: Mapping[str, Variable]) -> None:
    """Refuse to compare the meaning of inputs that are no texts, or that no template reads. Raises InvalidInput."""
    semantic = draft.policy.cache.semantic if draft.policy.cache else None
    for place, name in enumerate(semantic.on if semantic else ()):
        field = f"/policy/cache/semantic/on/{place}"
        if name not in variables:
            raise InvalidInput(
                f"no template reads an input {name!r}", field=field, hint=f"they read: {', '.join(variables) or 'none'}"
            )
        if variables[name].kind != "value":
            raise InvalidInput(f"input {name!r} holds {variables[name].kind}, and no text", field=field)


def _hash(whole: tuple[object, ...]) -> str:
    return sha256(msgspec.json.encode(whole, order="deterministic")).hexdigest()


def _anything(variable: Variable) -> Variable:
    """Return a variable of which nothing is found: what a template asks, it asks of strict renders only."""
    return replace(variable, json_schema={})
