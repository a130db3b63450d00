"""Rules that protect labels, and reviews of what would move one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, delete, select, update

from cuewire.model.errors import ReviewDecided
from cuewire.model.reviews import Check, CheckResult, LabelRule, Review, ReviewStatus, no_review
from cuewire.model.text import check_json
from cuewire.ports import Refusal
from cuewire.stores.database import Database, insert_into
from cuewire.stores.events import add_event
from cuewire.stores.patterns import name_fits
from cuewire.stores.prompt_changes import inserted, lock_prompt, move_labels, tell, told_of_labels, touch
from cuewire.stores.prompt_rows import find_version, refuse_archived
from cuewire.stores.schema import PROJECT, label_rules, prompts, reviews, versions

_ALL = 0
"""In the place of a prompt's id: the rule is for all prompts."""
_checks = msgspec.json.Decoder(tuple[Check, ...])
_results = msgspec.json.Decoder(tuple[CheckResult, ...])


class SqlLabelRuleStore:
    """Implements `LabelRuleStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rules(self, prompt_id: int | None = None) -> Sequence[LabelRule]:
        """Return the rules by label."""
        query = _rules(prompt_id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return tuple({row.label: _rule(row) for row in rows}.values())

    async def set_rule(self, rule: LabelRule, *, by: str) -> None:
        """Store the rule."""
        plain = msgspec.to_builtins(rule)
        check_json(plain, pointer="")
        now = self._database.clock.now()
        values = {
            "role": rule.role,
            "needs_review": rule.needs_review,
            "checks": msgspec.json.encode(rule.checks).decode(),
        }

        def run(connection: Connection) -> None:
            statement = insert_into(connection, label_rules).values(
                project_id=PROJECT, prompt_id=rule.prompt_id or _ALL, label=rule.label, **values
            )
            connection.execute(
                statement.on_conflict_do_update(index_elements=["project_id", "prompt_id", "label"], set_=values)
            )
            add_event(connection, at=now, actor=by, action="rule.set", data=plain, prompt_id=rule.prompt_id)

        await self._database.write(run)

    async def drop_rule(self, label: str, *, prompt_id: int | None, by: str) -> bool:
        """Take the rule back."""
        check_json(label, pointer="/label")
        now = self._database.clock.now()
        of_rule = (
            label_rules.c.project_id == PROJECT,
            label_rules.c.prompt_id == (prompt_id or _ALL),
            label_rules.c.label == label,
        )

        def run(connection: Connection) -> bool:
            dropped = connection.execute(delete(label_rules).where(*of_rule)).rowcount > 0
            if dropped:
                add_event(
                    connection, at=now, actor=by, action="rule.dropped", data={"label": label}, prompt_id=prompt_id
                )
            return dropped

        return await self._database.write(run)


class SqlReviewStore:
    """Implements `ReviewStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, prompt_id: int, label: str, number: int, *, by: str, comment: str) -> Review:
        """Store the wish."""
        check_json([label, comment], pointer="")
        now = self._database.clock.now()

        def run(connection: Connection) -> Review:
            prompt = lock_prompt(connection, str(prompt_id))
            refuse_archived(prompt)
            version = find_version(connection, prompt, number)
            same = (reviews.c.label == label, reviews.c.version_id == version.id, reviews.c.status == "pending")
            waiting = connection.execute(_select().where(reviews.c.prompt_id == prompt_id, *same)).first()
            if waiting:
                return _review(waiting)
            values = {
                "project_id": PROJECT,
                "prompt_id": prompt_id,
                "label": label,
                "version_id": version.id,
                "status": "pending",
                "asked_by": by,
                "asked_at": now,
                "comment": comment,
                "checks": "[]",
            }
            review_id = inserted(connection, reviews, values)
            told = {"review": review_id, "label": label, "to": number}
            tell(connection, prompt, [("review.asked", told)], by=by, now=now)
            return _existing(connection, review_id)

        return await self._database.write(run)

    async def get(self, review_id: int) -> Review:
        """Return the review."""
        return await self._database.read(lambda connection: _existing(connection, review_id))

    async def list(
        self,
        *,
        limit: int,
        before: int | None = None,
        prompt_id: int | None = None,
        status: ReviewStatus | None = None,
        among: Sequence[str] | None = None,
    ) -> Sequence[Review]:
        """Return reviews, newest first."""
        query = _select().order_by(reviews.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(reviews.c.id < before)
        if among is not None:
            query = query.where(name_fits(prompts.c.name, among))
        if prompt_id is not None:
            query = query.where(reviews.c.prompt_id == prompt_id)
        if status is not None:
            query = query.where(reviews.c.status == status)
        return await self._database.read(lambda connection: tuple(map(_review, connection.execute(query))))

    async def check(self, review_id: int, results: Sequence[CheckResult]) -> Review:
        """Note the results."""
        text = msgspec.json.encode(list(results)).decode()

        def run(connection: Connection) -> Review:
            _pending(connection, review_id)
            connection.execute(_of_review(review_id).values(checks=text))
            return _existing(connection, review_id)

        return await self._database.write(run)

    async def decide(
        self, review_id: int, *, status: ReviewStatus, by: str, comment: str, refuse: Refusal | None = None
    ) -> Review:
        """Decide, and move the label if the review is approved."""
        check_json(comment, pointer="/comment")
        now = self._database.clock.now()

        def run(connection: Connection) -> Review:
            review = _existing(connection, review_id)
            prompt = lock_prompt(connection, str(review.prompt_id))
            _pending(connection, review_id)
            decided = {"status": status, "decided_by": by, "decided_at": now, "comment": comment or review.comment}
            connection.execute(_of_review(review_id).values(**decided))
            moved = {}
            if status == "approved":
                refuse_archived(prompt)
                moved = _move(connection, prompt, review, now)
            told = {"review": review_id, "label": review.label, "to": review.number}
            told_of_all = [(f"review.{status}", told), *told_of_labels(moved, review.number)]
            tell(connection, prompt, told_of_all, by=by, now=now)
            if refuse is not None:  # after the events, from which on who sets a rule waits for this transaction
                refuse(_rule_of(connection, review), _existing(connection, review_id))
            return _existing(connection, review_id)

        return await self._database.write(run)


def _move(connection: Connection, prompt: Row[Any], review: Review, now: datetime) -> dict[str, int]:
    version = find_version(connection, prompt, review.number)
    moved = move_labels(connection, prompt.id, [review.label], version.id, now)
    if moved:
        touch(connection, prompt.id, now)
    return moved


def _select() -> Select[Any]:
    return (
        select(reviews, prompts.c.name.label("prompt"), versions.c.number)
        .join(prompts, prompts.c.id == reviews.c.prompt_id)
        .join(versions, versions.c.id == reviews.c.version_id)
        .where(reviews.c.project_id == PROJECT)
    )


def _of_review(review_id: int) -> Any:
    return update(reviews).where(reviews.c.project_id == PROJECT, reviews.c.id == review_id)


def _existing(connection: Connection, review_id: int) -> Review:
    row = connection.execute(_select().where(reviews.c.id == review_id)).one_or_none()
    if row is None:
        raise no_review(review_id)
    return _review(row)


def _pending(connection: Connection, review_id: int) -> None:
    """Raise ReviewDecided unless the review waits; it is locked until the transaction ends."""
    query = select(reviews.c.status).where(reviews.c.project_id == PROJECT, reviews.c.id == review_id).with_for_update()
    status = connection.scalar(query)
    if status is None:
        raise no_review(review_id)
    if status != "pending":
        raise ReviewDecided(f"review {review_id} has been {status}", field="/review")


def _rule_of(connection: Connection, review: Review) -> LabelRule:
    query = _rules(review.prompt_id).where(label_rules.c.label == review.label)
    return next(map(_rule, reversed(connection.execute(query).all())), LabelRule(label=review.label))


def _rules(prompt_id: int | None) -> Select[Any]:
    """Select the rules for a prompt by label, one of its own after that of all, or only those of all."""
    of_prompts = [_ALL] if prompt_id is None else [_ALL, prompt_id]
    return (
        select(label_rules)
        .where(label_rules.c.project_id == PROJECT, label_rules.c.prompt_id.in_(of_prompts))
        .order_by(label_rules.c.prompt_id, label_rules.c.label)
    )


def _rule(row: Row[Any]) -> LabelRule:
    return LabelRule(
        label=row.label,
        prompt_id=row.prompt_id or None,
        role=row.role,
        needs_review=row.needs_review,
        checks=_checks.decode(row.checks),
    )


def _review(row: Row[Any]) -> Review:
    return Review(
        id=row.id,
        prompt_id=row.prompt_id,
        prompt=row.prompt,
        label=row.label,
        number=row.number,
        status=row.status,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        comment=row.comment,
        checks=_results.decode(row.checks),
    )
