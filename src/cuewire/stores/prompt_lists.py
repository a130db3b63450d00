"""Lists of prompts: filtered, sorted by what an index or a glance can sort, page by page or after a cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, Row, Select, and_, func, or_, select

from cuewire.model.errors import InvalidInput
from cuewire.model.pages import Page, check_limit
from cuewire.model.prompts import BUILT_IN, Prompt, PromptFilter
from cuewire.stores.cursors import make_cursor, read_cursor
from cuewire.stores.patterns import name_fits
from cuewire.stores.prompt_rows import find_strategy, prompts_of, select_prompts
from cuewire.stores.schema import PROJECT, is_live, prompt_tags, prompts

_SORTS: Mapping[str, Column[Any]] = {
    "name": prompts.c.name,
    "created_at": prompts.c.created_at,
    "updated_at": prompts.c.updated_at,
    "template_type": prompts.c.template_type,
    "language": prompts.c.language,
    "id": prompts.c.id,
}


def list_prompts(
    connection: Connection, wanted: PromptFilter, *, limit: int, after: str | None = None, page: int | None = None
) -> Page[Prompt]:
    """Return the prompts that are wanted: those after a cursor, or the page of a number, which begins with 1.

    Raises InvalidInput, ScopeNotFound.
    """
    size = check_limit(limit)
    conditions = _conditions(connection, wanted)
    column, shelf = _SORTS[wanted.sort], _shelf(wanted)
    query = _sorted(wanted, conditions)
    before = 0 if page is None else (page - 1) * size
    if after is not None:
        query = query.where(_beyond(column, read_cursor(after, of=shelf), wanted))
    elif before:
        query = query.offset(before)
    rows = connection.execute(query.limit(size + 1)).all()
    following = make_cursor(_key(rows[size - 1], wanted.sort), of=shelf) if len(rows) > size else None
    if after is None and len(rows) <= size and (rows or not before):
        total = before + len(rows)  # so nothing need be counted where a search found little
    else:
        total = connection.scalar(select(func.count()).select_from(prompts).where(*conditions)) or 0
    return Page(prompts_of(connection, rows[:size]), following, total)


def first_prompts(connection: Connection, wanted: PromptFilter, *, limit: int) -> tuple[Prompt, ...]:
    """Return the first of the prompts that are wanted. Raises InvalidInput, ScopeNotFound."""
    query = _sorted(wanted, _conditions(connection, wanted)).limit(check_limit(limit))
    return prompts_of(connection, connection.execute(query).all())


def _sorted(wanted: PromptFilter, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    column = _SORTS[wanted.sort]
    turned = [column.desc(), prompts.c.id.desc()] if wanted.descending else [column, prompts.c.id]
    return select_prompts().where(*conditions).order_by(*turned)


def _conditions(connection: Connection, wanted: PromptFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [prompts.c.project_id == PROJECT, prompts.c.name.not_in(sorted(BUILT_IN))]
    if wanted.status is None:
        found.append(is_live)
    else:
        found.append(prompts.c.status == wanted.status)
    if wanted.strategy is not None:
        own = prompts.c.strategy_id == find_strategy(connection, wanted.strategy)
        found.append(own | prompts.c.strategy_id.is_(None) if wanted.with_global else own)
    elif wanted.is_global is not None:
        found.append(prompts.c.strategy_id.is_(None) if wanted.is_global else prompts.c.strategy_id.is_not(None))
    for name, column in (
        ("template_type", prompts.c.template_type),
        ("language", prompts.c.language),
        ("category", prompts.c.category),
    ):
        value = getattr(wanted, name)
        if value is not None:
            found.append(column == value)
    if wanted.tag is not None:
        tagged = select(prompt_tags.c.prompt_id).where(
            prompt_tags.c.project_id == PROJECT, prompt_tags.c.tag == wanted.tag
        )
        found.append(prompts.c.id.in_(tagged))
    if wanted.text:
        found.append(or_(*(column.icontains(wanted.text, autoescape=True) for column in _SEARCHED)))
    if wanted.names is not None:
        found.append(name_fits(prompts.c.name, wanted.names))
    return found


_SEARCHED = (prompts.c.name, prompts.c.description, prompts.c.category)


def _shelf(wanted: PromptFilter) -> str:
    """Return what a cursor of this list is bound to: it continues no other one."""
    return "prompts " + msgspec.json.encode(wanted).decode()


def _key(row: Row[Any], sort: str) -> str:
    value = getattr(row, sort)
    return msgspec.json.encode([value, row.id]).decode()


def _beyond(column: Column[Any], key: str, wanted: PromptFilter) -> ColumnElement[bool]:
    """Return the condition of a row that comes after the one of the key."""
    try:
        said, row_id = msgspec.json.decode(key, type=tuple[str | int, int])
        value = _instant(str(said)) if wanted.sort.endswith("_at") else said
    except (msgspec.MsgspecError, ValueError):
        raise InvalidInput(
            "the cursor was not made for this list", field="/after", hint="take `next` of the page before, unchanged"
        ) from None
    if wanted.descending:
        return or_(column < value, and_(column == value, prompts.c.id < row_id))
    return or_(column > value, and_(column == value, prompts.c.id > row_id))


def _instant(text: str) -> datetime:
    """Return the instant, which is aware. Raises ValueError."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(text)
    return instant
