"""Counts of prompts by what is said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from cuewire.model.prompts import BUILT_IN, PromptStats
from cuewire.stores.patterns import name_fits
from cuewire.stores.schema import PROJECT, is_live, prompt_tags, prompts, scopes, versions

MOST_TAGS = 1_000


def count_prompts(connection: Connection, among: Sequence[str] | None) -> PromptStats:
    """Return how many prompts there are; with `among` only of such names. Of tags it is the most frequent ones."""
    counted = [prompts.c.project_id == PROJECT, prompts.c.name.not_in(sorted(BUILT_IN))]
    if among is not None:
        counted.append(name_fits(prompts.c.name, among))
    said = (prompts.c.status, prompts.c.template_type, prompts.c.language, scopes.c.name.label("strategy"))
    groups = connection.execute(
        select(*said, func.count().label("number"))
        .select_from(prompts.outerjoin(scopes, scopes.c.id == prompts.c.strategy_id))
        .where(*counted)
        .group_by(*said)
    ).all()
    by_status, by_type, by_language, by_scope, by_strategy = (Counter[str]() for _ in range(5))
    for group in groups:
        by_status[group.status] += group.number
        if group.status == "archived":
            continue
        by_type[group.template_type] += group.number
        by_language[group.language] += group.number
        by_scope["global" if group.strategy is None else "strategy"] += group.number
        if group.strategy is not None:
            by_strategy[group.strategy] += group.number
    live = select(prompts.c.id).where(*counted, is_live)
    number = func.count().label("number")
    tags = connection.execute(
        select(prompt_tags.c.tag, number)
        .where(prompt_tags.c.project_id == PROJECT, prompt_tags.c.prompt_id.in_(live))
        .group_by(prompt_tags.c.tag)
        .order_by(number.desc(), prompt_tags.c.tag)
        .limit(MOST_TAGS)
    )
    newest = (
        select(func.max(versions.c.number))
        .where(versions.c.project_id == PROJECT, versions.c.prompt_id == prompts.c.id)
        .scalar_subquery()
    )
    total = connection.scalar(select(func.sum(newest)).where(*counted, is_live))  # their numbers have no gaps
    return PromptStats(
        prompts=by_scope.total(),
        versions=int(total or 0),
        by_type=_sorted(by_type),
        by_language=_sorted(by_language),
        by_status=_sorted(by_status),
        by_scope={"global": by_scope["global"], "strategy": by_scope["strategy"]},
        by_strategy=_sorted(by_strategy),
        tags={row.tag: row.number for row in tags},
    )


def _sorted(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items()))
