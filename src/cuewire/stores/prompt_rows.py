"""Finding prompts and versions, and turning their rows into values."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Select, bindparam, func, or_, select

from cuewire.model.errors import PromptNotFound, ScopeNotFound, VersionNotFound
from cuewire.model.includes import Includes
from cuewire.model.outputs import OutputKind
from cuewire.model.policies import PLAIN, Policy
from cuewire.model.prompts import MessageTemplate, Prompt, PromptVersion, Variable
from cuewire.model.references import (
    DEFAULT_LANGUAGE,
    LATEST,
    Reference,
    archived_prompt,
    languages_for,
    no_label,
    no_prompt,
)
from cuewire.model.text import check_json
from cuewire.stores.schema import PROJECT, is_live, labels, prompt_tags, prompts, scopes, versions

_messages = msgspec.json.Decoder(tuple[MessageTemplate, ...])
_variables = msgspec.json.Decoder(dict[str, Variable])
_parameters = msgspec.json.Decoder(dict[str, Any])
_output = msgspec.json.Decoder(OutputKind)
_includes = msgspec.json.Decoder(Includes)
_policies = msgspec.json.Decoder(Policy)
_LARGEST_ID = 2**63 - 1


@cache
def select_prompts() -> Select[Any]:
    """Select prompts, each with the name of its strategy."""
    return (
        select(prompts, scopes.c.name.label("strategy"))
        .outerjoin(scopes, scopes.c.id == prompts.c.strategy_id)
        .where(prompts.c.project_id == PROJECT)
    )


@cache
def select_versions() -> Select[Any]:
    """Select versions, each with its prompt's name, strategy and language, and the labels it carries, with commas."""
    carried = (
        select(func.aggregate_strings(labels.c.label, ","))
        .where(
            labels.c.project_id == PROJECT,
            labels.c.prompt_id == versions.c.prompt_id,
            labels.c.version_id == versions.c.id,
        )
        .scalar_subquery()
        .correlate(versions)
    )
    return (
        select(
            versions,
            prompts.c.name.label("prompt"),
            prompts.c.language,
            scopes.c.name.label("strategy"),
            carried.label("labels"),
        )
        .join(prompts, prompts.c.id == versions.c.prompt_id)
        .outerjoin(scopes, scopes.c.id == prompts.c.strategy_id)
        .where(versions.c.project_id == PROJECT, prompts.c.project_id == PROJECT)
    )


# What is asked all the time is put together once, which takes as long as asking it.
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_PROMPT = select_prompts().where(prompts.c.id == bindparam("id"))
_VERSION = select_versions().where(versions.c.prompt_id == bindparam("id"), versions.c.number == bindparam("number"))
_LABELLED = (
    select_versions()
    .join(
        labels,
        (labels.c.project_id == PROJECT)
        & (labels.c.prompt_id == prompts.c.id)
        & (labels.c.version_id == versions.c.id),
    )
    .where(labels.c.label == bindparam("label"), prompts.c.id.in_(_IDS))
)
_CARRIED = (
    select(labels.c.prompt_id, labels.c.label, versions.c.number)
    .join(versions, versions.c.id == labels.c.version_id)
    .where(labels.c.project_id == PROJECT, labels.c.prompt_id.in_(_IDS))
    .order_by(labels.c.prompt_id, labels.c.label)
)
_TAGGED = (
    select(prompt_tags.c.prompt_id, prompt_tags.c.tag)
    .where(prompt_tags.c.project_id == PROJECT, prompt_tags.c.prompt_id.in_(_IDS))
    .order_by(prompt_tags.c.prompt_id, prompt_tags.c.tag)
)


def newest_first(prompt_id: int) -> Select[Any]:
    """Select the versions of a prompt, newest first."""
    return select_versions().where(versions.c.prompt_id == prompt_id).order_by(versions.c.number.desc())


def find_strategy(connection: Connection, strategy: str | None) -> int | None:
    """Return the id of a strategy that is given by name or id. Raises ScopeNotFound."""
    if strategy is None:
        return None
    check_json(strategy, pointer="/strategy")
    is_it = scopes.c.id == id_of(strategy) if strategy.isdigit() else scopes.c.name == strategy
    query = select(scopes.c.id).where(scopes.c.project_id == PROJECT, scopes.c.kind == "strategy", is_it)
    found: int | None = connection.scalar(query)
    if found is None:
        raise ScopeNotFound(f"there is no strategy {strategy[:128]!r}", field="/strategy")
    return found


def find_prompt(
    connection: Connection, name: str, *, strategy: str | None = None, language: str | None = None
) -> Row[Any]:
    """Return the prompt of this name, or id, in exactly this scope; an archived one only if there is no other.

    Without a language it is the one in English, else the oldest. Raises PromptNotFound, ScopeNotFound.
    """
    if name.isdigit():
        found = connection.execute(_PROMPT, {"id": id_of(name)}).all()
    else:
        strategy_id = find_strategy(connection, strategy)
        query = select_prompts().where(_is_named(name), prompts.c.strategy_id.is_not_distinct_from(strategy_id))
        if language is not None:
            query = query.where(prompts.c.language == language)
        found = connection.execute(query).all()
    if not found:
        raise no_prompt(name)
    return min(found, key=lambda row: (row.archived_at is not None, row.language != DEFAULT_LANGUAGE, row.id))


def find_live(connection: Connection, name: str, strategy_id: int | None, language: str) -> Row[Any] | None:
    """Return the live prompt of exactly this name, scope and language, locked until the transaction ends."""
    return connection.execute(
        select_prompts()
        .where(
            _is_named(name),
            prompts.c.strategy_id.is_not_distinct_from(strategy_id),
            prompts.c.language == language,
            is_live,
        )
        .with_for_update(of=prompts)
    ).one_or_none()


def find_version(connection: Connection, prompt: Row[Any], number: int) -> PromptVersion:
    """Return a version of a prompt. Raises VersionNotFound."""
    found = connection.execute(_VERSION, {"id": prompt.id, "number": number}).one_or_none()
    if found is None:
        raise VersionNotFound(
            f"prompt {prompt.name!r} has no version {number}",
            field="/prompt",
            hint=f"list them with: cuewire prompts versions {prompt.id}",
        )
    return version_of(found)


def resolve(connection: Connection, reference: Reference) -> PromptVersion:
    """Return the version that is meant: of the strategy if it has one, else the global one, in the nearest language.

    A label counts where it is: a prompt without it gives way to the next. Raises NotFound.
    """
    candidates = _candidates(connection, reference)
    if reference.number is not None:
        return find_version(connection, candidates[0], reference.number)
    asked = {"label": reference.label, "ids": [row.id for row in candidates]}
    found = {row.prompt_id: row for row in connection.execute(_LABELLED, asked)}
    for candidate in candidates:
        if candidate.id in found:
            return version_of(found[candidate.id])
    raise no_label(candidates[0].name, reference.label)


def _candidates(connection: Connection, reference: Reference) -> list[Row[Any]]:
    """Return the prompts that may be meant, the best first. Raises PromptNotFound, ScopeNotFound."""
    if (prompt_id := reference.id) is not None:
        found = connection.execute(_PROMPT, {"id": id_of(str(prompt_id))}).all()
    else:
        strategy_id = find_strategy(connection, reference.strategy)
        in_scope = or_(prompts.c.strategy_id.is_(None), prompts.c.strategy_id == strategy_id)
        found = connection.execute(select_prompts().where(_is_named(reference.name), in_scope)).all()
    usable = [row for row in found if row.status == "active"]
    if usable:
        order = languages_for(reference.language or DEFAULT_LANGUAGE)

        def rank(row: Row[Any]) -> tuple[int, bool, int]:
            place = order.index(row.language) if row.language in order else len(order)
            return place, row.strategy_id is None, row.id

        return sorted(usable, key=rank)
    if not found:
        raise no_prompt(reference.name)
    if all(row.status == "archived" for row in found):
        raise PromptNotFound(
            f"prompt {reference.name!r} is archived",
            field="/prompt",
            hint=f"bring it back with: cuewire prompts restore {reference.name}",
        )
    raise PromptNotFound(
        f"prompt {reference.name!r} is inactive",
        field="/prompt",
        hint=f"activate it with: cuewire prompts edit {reference.name} --active",
    )


def prompts_of(connection: Connection, rows: Sequence[Row[Any]]) -> tuple[Prompt, ...]:
    """Return prompts with their labels, tags and numbers of versions, in the order of the rows."""
    if not rows:
        return ()
    of_these = {"ids": [row.id for row in rows]}
    carried: dict[int, dict[str, int]] = {row.id: {} for row in rows}
    for prompt_id, label, number in connection.execute(_CARRIED, of_these):
        carried[prompt_id][label] = number
    tags: dict[int, list[str]] = {row.id: [] for row in rows}
    for prompt_id, tag in connection.execute(_TAGGED, of_these):
        tags[prompt_id].append(tag)
    return tuple(
        Prompt(
            id=row.id,
            name=row.name,
            strategy=row.strategy,
            language=row.language,
            description=row.description,
            template_type=row.template_type,
            category=row.category,
            tags=tuple(tags[row.id]),
            status=row.status,
            labels=carried[row.id],
            versions=carried[row.id].get(LATEST, 0),
            revision=row.revision,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )
        for row in rows
    )


def version_of(row: Row[Any]) -> PromptVersion:
    """Return a version that `select_versions` selected."""
    return PromptVersion(
        id=row.id,
        prompt_id=row.prompt_id,
        prompt=row.prompt,
        number=row.number,
        messages=_messages.decode(row.messages),
        variables=_variables.decode(row.variables),
        model=row.model,
        parameters=_parameters.decode(row.parameters),
        output=_output.decode(row.output),
        content_hash=row.content_hash,
        note=row.note,
        created_at=row.created_at,
        includes=_includes.decode(row.includes),
        lenient=row.lenient,
        policy=_policy(row.policy),
        parent=row.parent,
        author=row.author,
        strategy=row.strategy,
        language=row.language,
        labels=tuple(sorted(row.labels.split(","))) if row.labels else (),
    )


def _policy(text: str) -> Policy:
    return PLAIN if text == "{}" else _policies.decode(text)


def refuse_archived(prompt: Row[Any]) -> None:
    """Raise PromptArchived if the prompt is."""
    if prompt.archived_at is not None:
        raise archived_prompt(prompt.name)


def id_of(digits: str) -> int:
    """Return an id; one that is too large for any row becomes one that no row has."""
    number = int(digits[:20])
    return number if number <= _LARGEST_ID else 0


def _is_named(name: str) -> ColumnElement[bool]:
    check_json(name, pointer="/prompt")  # or the databases would disagree
    return prompts.c.name == name
