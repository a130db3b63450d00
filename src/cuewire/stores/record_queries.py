"""What the record asks and changes besides adding rows, and who may have an idempotency key, on either database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, bindparam, literal_column, null, select, update

from cuewire.model.errors import (
    BudgetExceeded,
    IdempotencyMismatch,
    LimitReached,
    ProviderError,
    StoreError,
    kinds_of,
)
from cuewire.stores.record_rows import OpenRow
from cuewire.stores.schema import PROJECT, UNENDED, did_not_succeed, executions


def _one_of(column: ColumnElement[str], values: Sequence[str]) -> ColumnElement[bool]:
    return column.in_([literal_column(f"'{value}'") for value in values])


_ours = executions.c.project_id == bindparam("project", PROJECT)
_one = and_(_ours, executions.c.id == bindparam("key"))
unended = _one_of(executions.c.status, UNENDED) & did_not_succeed

holder_of_key = select(
    executions.c.id,
    executions.c.request_hash,
    executions.c.status,
    executions.c.error_code,
    executions.c.owner_id,
).where(_ours, executions.c.idempotency_key == bindparam("key"))
free_key = update(executions).where(_one).values(idempotency_key=null())
abandoned = (
    update(executions)
    .where(_one, unended)
    .values(
        status=literal_column("'cancelled'"),
        completed_at=bindparam("now"),
        error_code=literal_column("'cancelled'"),
        error_message=literal_column("'the caller left before the execution began'"),
    )
)
unended_owners = select(executions.c.owner_id).distinct().where(_ours, unended)
interrupted = (
    update(executions)
    .where(_ours, unended)
    .values(
        status=literal_column("'interrupted'"),
        error_code=literal_column("'interrupted'"),
        error_message=literal_column("'the process that ran it ended before the execution did'"),
    )
)
"""All that has not ended; whose, has to be added."""

_GIVES_WAY = ("interrupted", "cancelled", "timed_out")
"""Statuses whose idempotency key the next request takes over, because another run may end better."""


_WORTH_ANOTHER_RUN = frozenset(
    {error.code for error in kinds_of(ProviderError) if getattr(error, "retriable", False)}
    | {error.code for error in kinds_of(StoreError)}
    | {LimitReached.code, BudgetExceeded.code}
)
"""Error codes of failures that are nobody's fault: the key of an execution that ended so is taken over as well."""


def check_request(opened: OpenRow, holder_hash: str | None) -> None:
    """Raise IdempotencyMismatch if the key was used for another request."""
    if holder_hash != opened.request_hash:
        raise IdempotencyMismatch(
            f"idempotency key {opened.idempotency_key!r} was used before with another request",
            hint="use a new key for a new request",
            field="/idempotency_key",
        )


def gives_way(status: str, error_code: str | None) -> bool:
    """Tell whether an execution that ended so gives its key to the next request."""
    return status in _GIVES_WAY or (status == "failed" and error_code in _WORTH_ANOTHER_RUN)
