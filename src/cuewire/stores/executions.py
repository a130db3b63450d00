"""Reading the record. Executions are listed newest first, which is the order of their ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, select

from cuewire.model.candidates import Work
from cuewire.model.executions import CallRecord, Execution, ExecutionDetail, Failure, Status
from cuewire.model.ids import no_execution
from cuewire.model.pages import Page, check_limit
from cuewire.model.requests import ChatMessage, ToolCall
from cuewire.model.text import check_json
from cuewire.model.usage import Usage
from cuewire.stores.cursors import make_cursor, read_cursor
from cuewire.stores.database import Database
from cuewire.stores.patterns import name_fits
from cuewire.stores.schema import PROJECT, calls, did_not_succeed, executions, payloads, prompts, scopes, versions

_object = msgspec.json.Decoder(dict[str, Any])
_messages = msgspec.json.Decoder(tuple[ChatMessage, ...])
_tool_calls = msgspec.json.Decoder(tuple[ToolCall, ...])
_failure = msgspec.json.Decoder(Failure)
_work = msgspec.json.Decoder(Work)


class SqlExecutionStore:
    """Implements `ExecutionStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, execution_id: str) -> ExecutionDetail:
        """Return the execution, also one that began a moment ago."""
        found = await self._database.read(lambda connection: _get(connection, execution_id))
        if found is None:
            await self._database.settle()
            found = await self._database.read(lambda connection: _get(connection, execution_id))
        if found is None:
            raise no_execution(execution_id)
        return found

    async def list(
        self,
        *,
        limit: int,
        after: str | None = None,
        prompt: str | None = None,
        status: Status | None = None,
        among: Sequence[str] | None = None,
    ) -> Page[Execution]:
        """Return executions, newest first; those that began a moment ago may be missing."""
        this = f"executions {status} {prompt}"
        last = read_cursor(after, of=this) if after is not None else None
        size = check_limit(limit)
        check_json(prompt, pointer="/prompt")
        query = list_query(limit=size + 1, last=last, prompt=prompt, status=status)
        if among is not None:
            query = query.where(name_fits(executions.c.prompt_name, among))
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        found = tuple(Execution(**_listed(row)) for row in rows[:size])
        return Page(found, make_cursor(found[-1].id, of=this) if len(rows) > size else None)


_OF_PROMPT = (versions.c.number.label("version"), scopes.c.name.label("strategy"), prompts.c.language)


def list_query(*, limit: int, last: str | None, prompt: str | None, status: Status | None) -> Select[Any]:
    """Return the query of a page of executions that come after the id `last`."""
    query = (
        select(executions, *_OF_PROMPT)
        .join(versions, versions.c.id == executions.c.version_id)
        .join(prompts, prompts.c.id == versions.c.prompt_id)
        .outerjoin(scopes, scopes.c.id == prompts.c.strategy_id)
        .where(executions.c.project_id == PROJECT)
        .order_by(executions.c.id.desc())
        .limit(limit)
    )
    if last is not None:
        query = query.where(executions.c.id < last)
    if prompt is not None:
        query = query.where(executions.c.prompt_name == prompt)
    if status is not None:
        query = query.where(executions.c.status == status)
        if status != "succeeded":
            query = query.where(did_not_succeed)
    return query


def detail_query(execution_id: str) -> Select[Any]:
    """Return the query of one execution with its payload."""
    ours = (payloads.c.project_id == PROJECT) & (payloads.c.execution_id == executions.c.id)
    return (
        select(
            executions,
            *_OF_PROMPT,
            payloads.c.inputs,
            payloads.c.messages,
            payloads.c.text,
            payloads.c.value,
            payloads.c.tool_calls,
            payloads.c.failure,
            payloads.c.sanitised,
            payloads.c.work,
            payloads.c.matched_text,
        )
        .join(versions, versions.c.id == executions.c.version_id)
        .join(prompts, prompts.c.id == versions.c.prompt_id)
        .outerjoin(scopes, scopes.c.id == prompts.c.strategy_id)
        .join(payloads, ours)
        .where(executions.c.project_id == PROJECT, executions.c.id == execution_id)
    )


def calls_query(execution_id: str) -> Select[Any]:
    """Return the query of the calls of one execution, in order."""
    return (
        select(calls)
        .where(calls.c.project_id == PROJECT, calls.c.execution_id == execution_id)
        .order_by(calls.c.number)
    )


def _get(connection: Connection, execution_id: str) -> ExecutionDetail | None:
    row = connection.execute(detail_query(execution_id)).one_or_none()
    if row is None:
        return None
    return ExecutionDetail(
        **_listed(row),
        inputs=_object.decode(row.inputs),
        messages=_messages.decode(row.messages) if row.messages is not None else None,
        text=row.text,
        value=_value(row),
        tool_calls=_tool_calls.decode(row.tool_calls) if row.tool_calls is not None else (),
        calls=tuple(_call(call) for call in connection.execute(calls_query(execution_id))),
        failure=_failure.decode(row.failure) if row.failure is not None else None,
        sanitised=row.sanitised,
        idempotency_key=row.idempotency_key,
        request_hash=row.request_hash,
        work=_work.decode(row.work) if row.work is not None else None,
        matched_text=row.matched_text,
    )


def _listed(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "prompt": row.prompt_name,
        "strategy": row.strategy,
        "language": row.language,
        "version": row.version,
        "label": row.label,
        "model": row.model,
        "status": row.status,
        "started_at": row.executed_at,
        "ended_at": row.completed_at,
        "duration_ms": row.response_time_ms,
        "first_token_ms": row.first_token_ms,
        "input_tokens": row.input_token_count,
        "output_tokens": row.output_token_count,
        "total_tokens": row.total_token_count,
        "cost_usd": row.cost_usd,
        "cost_basis": row.cost_basis,
        "finish_reason": row.finish_reason,
        "error_code": row.error_code,
        "error_message": row.error_message,
        "valid": row.error_code is None if row.status == "succeeded" else None,
        "metadata": _object.decode(row.metadata),
        "purpose": row.purpose,
        "parent_id": row.parent_id,
        "cached_from": row.cached_from,
        "saved_usd": row.saved_usd,
        "similarity": row.similarity,
        "actor": row.actor,
    }


def _value(row: Row[Any]) -> Any:
    """Return the value of an answer; one that is its text, character for character, is stored once, as text."""
    if row.value is None:
        return row.text if row.status == "succeeded" else None
    return msgspec.json.decode(row.value)


def _call(row: Row[Any]) -> CallRecord:
    return CallRecord(
        number=row.number,
        purpose=row.purpose,
        model=row.model,
        status=row.status,
        duration_ms=row.duration_ms,
        usage=Usage(
            input_tokens=row.input_token_count,
            output_tokens=row.output_token_count,
            cached_tokens=row.cached_token_count,
            reasoning_tokens=row.reasoning_token_count,
            cache_write_tokens=row.cache_write_token_count,
            cache_write_1h_tokens=row.cache_write_1h_token_count,
        ),
        cost_usd=row.cost_usd,
        http_status=row.http_status,
        error_code=row.error_code,
        provider_request_id=row.provider_request_id,
        delay_ms=row.delay_ms,
        candidate=row.candidate,
        started_ms=row.started_ms,
    )
