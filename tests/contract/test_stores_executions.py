"""The record of executions: written, read back and listed, on every database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Connection, func, select

from cuewire.model.errors import ExecutionNotFound, InvalidInput, StoreError
from cuewire.model.executions import Execution, Status
from cuewire.model.pages import Page
from cuewire.model.requests import ChatMessage, TextContent, ToolCall
from cuewire.model.usage import Usage
from cuewire.stores.schema import executions
from tests.support.stores import (
    CALL,
    KINDS,
    NOON,
    Stores,
    closing,
    draft,
    execution_id,
    failed,
    opened,
    opening,
    published,
    recorded,
)


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with opened(request.param, tmp_path) as stores:
        yield stores


async def listed(
    stores: Stores,
    limit: int = 100,
    after: str | None = None,
    prompt: str | None = None,
    status: Status | None = None,
) -> Page[Execution]:
    return await stores.executions.list(limit=limit, after=after, prompt=prompt, status=status)


@pytest.mark.contract("S1-07", "S1-15")
async def test_a_record_comes_back_whole(stores: Stores) -> None:
    row = opening(await published(stores), metadata=b'{"user":"u-17"}')
    stores.recorder.open(row)
    end = closing(row.id)
    await stores.recorder.close(end)

    found = await stores.executions.get(row.id)

    assert (found.id, found.prompt, found.version, found.label) == (row.id, "greet", 1, "production")
    assert (found.model, found.status, found.success) == ("scripted/echo", "succeeded", True)
    assert (found.started_at, found.ended_at) == (row.started_at, end.ended_at)
    assert (found.duration_ms, found.first_token_ms) == (250.0, 80.5)
    assert (found.input_tokens, found.output_tokens, found.total_tokens) == (12, 5, 17)
    assert (found.cost_usd, found.cost_basis, found.finish_reason) == (0.00123, "prices of 2026-11-01", "stop")
    assert (found.inputs, found.metadata) == ({"name": "Ada"}, {"user": "u-17"})
    assert found.messages == (ChatMessage(role="user", content="Hello Ada"),)
    assert (found.text, found.value, found.tool_calls) == ("Hello Ada", "Hello Ada", ())
    assert found.calls == (CALL,)
    assert (found.failure, found.error_code, found.error_message, found.sanitised) == (None, None, None, 0)


async def test_a_failure_keeps_its_detail_and_the_calls_that_were_made(stores: Stores) -> None:
    row = opening(await published(stores))
    stores.recorder.open(row)
    end = failed(row.id, calls=(CALL, replace(CALL, number=2, status="failed")))
    await stores.recorder.close(end)

    found = await stores.executions.get(row.id)

    assert (found.status, found.success) == ("failed", False)
    assert (found.error_code, found.error_message) == ("rate_limited", "the provider said no")
    assert found.failure == end.failure
    assert [call.number for call in found.calls] == [1, 2]
    assert (found.text, found.value) == (None, None)


async def test_an_execution_that_ended_elsewhere_is_stored_whole_or_not_at_all(stores: Stores) -> None:
    row = opening(await published(stores))
    await stores.recorder.add(row, closing(row.id))
    other = opening(99)  # a version that is not there

    for wrong, end in ((row, failed(row.id)), (other, closing(other.id))):
        with pytest.raises(StoreError):
            await stores.recorder.add(wrong, end)
    await stores.database.settle()

    assert [one.status for one in (await listed(stores)).items] == ["succeeded"]
    assert (await stores.executions.get(row.id)).text == "Hello Ada"
    assert stores.database.open_rows.unended == {}


async def test_messages_with_parts_and_tool_calls_come_back(stores: Stores) -> None:
    row = opening(await published(stores))
    stores.recorder.open(row)
    messages = b'[{"role":"user","content":[{"type":"text","text":"See"},{"type":"image","url":"data:,"}]}]'
    tool_calls = b'[{"id":"c1","name":"f","arguments":"{\\"a\\": 1}"}]'
    await stores.recorder.close(closing(row.id, messages=messages, tool_calls=tool_calls, value=b'{"a":[1,null]}'))

    found = await stores.executions.get(row.id)

    assert found.messages is not None
    assert found.messages[0].content is not None
    assert found.messages[0].content[0] == TextContent("See")
    assert found.tool_calls == (ToolCall(id="c1", name="f", arguments='{"a": 1}'),)
    assert found.value == {"a": [1, None]}


@pytest.mark.parametrize(
    ("stored", "value"), [(None, "Hello Ada"), (b"null", None), (b'"other"', "other"), (b"0", 0), (b"[]", [])]
)
async def test_a_value_that_is_not_stored_is_the_text(stores: Stores, stored: bytes | None, value: object) -> None:
    row = opening(await published(stores))
    stores.recorder.open(row)
    await stores.recorder.close(closing(row.id, value=stored))

    assert (await stores.executions.get(row.id)).value == value


async def test_a_failure_has_no_value_even_if_some_text_had_arrived(stores: Stores) -> None:
    row = opening(await published(stores))
    stores.recorder.open(row)
    await stores.recorder.close(failed(row.id, text="Hello A"))

    found = await stores.executions.get(row.id)

    assert (found.text, found.value) == ("Hello A", None)


@pytest.mark.contract("S1-12")
@pytest.mark.parametrize(
    ("input_tokens", "output_tokens", "total"), [(3, 4, 7), (3, None, 3), (None, 4, 4), (None, None, None), (0, 0, 0)]
)
async def test_total_tokens_are_the_sum_and_null_only_when_both_are_missing(
    stores: Stores, input_tokens: int | None, output_tokens: int | None, total: int | None
) -> None:
    row = opening(await published(stores))
    stores.recorder.open(row)
    await stores.recorder.close(closing(row.id, usage=Usage(input_tokens=input_tokens, output_tokens=output_tokens)))

    found = await stores.executions.get(row.id)

    assert (found.input_tokens, found.output_tokens, found.total_tokens) == (input_tokens, output_tokens, total)


@pytest.mark.contract("S1-13")
async def test_a_minimal_record_has_nulls_and_empty_metadata(stores: Stores) -> None:
    row = opening(await published(stores), label=None)
    stores.recorder.open(row)
    nothing = closing(row.id, usage=Usage(), cost_usd=None, finish_reason=None, first_token_ms=None, calls=())
    await stores.recorder.close(nothing)

    found = await stores.executions.get(row.id)

    assert [found.label, found.input_tokens, found.output_tokens, found.total_tokens, found.cost_usd] == [None] * 5
    assert [found.error_code, found.error_message, found.finish_reason, found.first_token_ms] == [None] * 4
    assert (found.metadata, found.calls) == ({}, ())


@pytest.mark.contract("S1-14")
async def test_nested_metadata_can_be_queried(stores: Stores) -> None:
    version_id = await published(stores)
    await recorded(stores, version_id, metadata=b'{"shop":{"country":"NO","tags":["a","b"]}}')
    wanted = await recorded(stores, version_id, metadata=b'{"shop":{"country":"SE","tags":["b"]}}')

    def from_sweden(connection: Connection) -> Sequence[str]:
        if connection.dialect.name == "sqlite":
            country = func.json_extract(executions.c.metadata, "$.shop.country")
        else:
            country = func.json_extract_path_text(executions.c.metadata, "shop", "country")
        return connection.execute(select(executions.c.id).where(country == "SE")).scalars().all()

    assert await stores.database.read(from_sweden) == [wanted]


@pytest.mark.contract("S1-08")
@pytest.mark.parametrize("length", [1_000, 1_001, 50_000])
async def test_an_error_message_keeps_its_first_thousand_characters(stores: Stores, length: int) -> None:
    message = ("é😀" + "x" * length)[:length]
    row = opening(await published(stores))
    stores.recorder.open(row)
    end = failed(row.id)
    assert end.failure is not None
    failure = replace(end.failure, message=message)
    await stores.recorder.close(failed(row.id, failure=failure))

    found = await stores.executions.get(row.id)

    assert found.error_message == message[:1_000]
    assert found.failure == failure


async def test_an_execution_that_runs_can_be_read_at_once(stores: Stores) -> None:
    row = opening(await published(stores))
    stores.recorder.open(row)

    found = await stores.executions.get(row.id)

    assert (found.status, found.ended_at, found.duration_ms, found.model) == ("running", None, None, "scripted/echo")
    assert (found.inputs, found.messages, found.calls) == ({"name": "Ada"}, None, ())
    await stores.recorder.close(closing(row.id))
    assert (await stores.executions.get(row.id)).status == "succeeded"


async def test_a_record_is_closed_once_and_only_where_it_was_opened(stores: Stores) -> None:
    row = opening(await published(stores))
    stores.recorder.open(row)
    await stores.recorder.close(closing(row.id))

    for wrong in (row.id, execution_id()):
        with pytest.raises(StoreError, match="is not open in this process"):
            await stores.recorder.close(failed(wrong))
    assert (await stores.executions.get(row.id)).status == "succeeded"


async def test_an_id_that_is_taken_is_not_overwritten(stores: Stores) -> None:
    version_id = await published(stores)
    taken = await recorded(stores, version_id)
    stores.recorder.open(opening(version_id, id=taken))

    with pytest.raises(StoreError):
        await stores.recorder.close(failed(taken))

    assert (await stores.executions.get(taken)).status == "succeeded"


async def test_a_record_of_an_unknown_version_is_refused_and_harms_no_other(stores: Stores) -> None:
    version_id = await published(stores)
    rows = [opening(version_id if number != 3 else 999) for number in range(8)]
    for row in rows:
        stores.recorder.open(row)

    ends = await asyncio.gather(*(stores.recorder.close(closing(row.id)) for row in rows), return_exceptions=True)

    assert [type(end) for end in ends] == [*[type(None)] * 3, StoreError, *[type(None)] * 4]
    assert len((await listed(stores)).items) == 7


async def test_what_does_not_exist_is_not_found(stores: Stores) -> None:
    with pytest.raises(ExecutionNotFound):
        await stores.executions.get(execution_id())
    with pytest.raises(InvalidInput, match="is not an execution id"):
        await stores.executions.get("7")


async def test_executions_are_listed_newest_first_in_pages(stores: Stores) -> None:
    version_id = await published(stores)
    ids = [await recorded(stores, version_id) for _ in range(5)]

    first = await listed(stores, limit=2)
    second = await listed(stores, limit=2, after=first.next)
    third = await listed(stores, limit=2, after=second.next)

    assert [one.id for page in (first, second, third) for one in page.items] == ids[::-1]
    assert third.next is None
    assert first.items[0].version == 1


async def test_a_page_that_ends_with_the_list_has_no_next(stores: Stores) -> None:
    version_id = await published(stores)
    for _ in range(2):
        await recorded(stores, version_id)

    assert (await listed(stores, limit=2)).next is None
    assert (await listed(stores, prompt="absent")) == Page((), None)


async def test_executions_are_filtered_by_prompt_and_status(stores: Stores) -> None:
    greet = await published(stores)
    other = (await stores.prompts.publish(draft("other"))).id
    good = await recorded(stores, greet)
    elsewhere = await recorded(stores, other, prompt="other")
    bad = opening(greet)
    stores.recorder.open(bad)
    await stores.recorder.close(failed(bad.id))

    async def ids(prompt: str | None = None, status: Status | None = None) -> list[str]:
        return [one.id for one in (await listed(stores, prompt=prompt, status=status)).items]

    assert await ids(prompt="greet") == [bad.id, good]
    assert await ids(status="succeeded") == [elsewhere, good]
    assert await ids(status="failed") == [bad.id]
    assert await ids(prompt="greet", status="succeeded") == [good]
    assert await ids(prompt="other", status="failed") == []


async def test_a_cursor_serves_only_the_list_that_it_was_made_for(stores: Stores) -> None:
    version_id = await published(stores)
    for _ in range(3):
        await recorded(stores, version_id)
    cursor = (await listed(stores, limit=1, prompt="greet")).next
    assert cursor is not None

    altered = [cursor[:-1], cursor + "A", "x" + cursor[1:], "", "🤖", "'; DROP TABLE executions; --", "A" * 10_000]
    for wrong in altered:
        with pytest.raises(InvalidInput, match="not made for this list"):
            await listed(stores, limit=1, prompt="greet", after=wrong)
    for status in (None, "failed"):
        with pytest.raises(InvalidInput, match="not made for this list"):
            await listed(stores, limit=1, status=status, after=cursor)


@pytest.mark.parametrize("prompt", ["'; DROP TABLE executions; --", "%", "*", ""])
async def test_a_filter_is_a_value_and_never_sql(stores: Stores, prompt: str) -> None:
    await recorded(stores, await published(stores))

    assert (await listed(stores, prompt=prompt)).items == ()
    assert len((await listed(stores)).items) == 1


@pytest.mark.parametrize("prompt", ["a\0b", "\ud800"])
async def test_a_filter_that_no_database_can_hold_is_refused(stores: Stores, prompt: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await listed(stores, prompt=prompt)

    assert refused.value.field == "/prompt"


@pytest.mark.parametrize(
    "instant",
    [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), NOON.astimezone(timezone(timedelta(hours=5)))],
)
async def test_instants_from_the_first_year_to_the_last_come_back(stores: Stores, instant: datetime) -> None:
    execution = await recorded(stores, await published(stores), started_at=instant)

    found = await stores.executions.get(execution)

    assert found.started_at == instant
    assert found.started_at.tzinfo is UTC


@pytest.mark.parametrize(
    "instant",
    [datetime(2026, 1, 1), datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))],  # noqa: DTZ001
)
async def test_an_instant_without_a_place_in_utc_is_refused(stores: Stores, instant: datetime) -> None:
    row = opening(await published(stores), started_at=instant)

    with pytest.raises(InvalidInput, match="time"):
        stores.recorder.open(row)


async def test_figures_that_no_column_holds_are_unknown(stores: Stores) -> None:
    row = opening(await published(stores))
    stores.recorder.open(row)
    usage = Usage(input_tokens=2**63, output_tokens=-1)
    await stores.recorder.close(closing(row.id, usage=usage, cost_usd=float("nan"), first_token_ms=float("inf")))

    found = await stores.executions.get(row.id)

    assert (found.input_tokens, found.output_tokens, found.cost_usd, found.first_token_ms) == (None,) * 4


async def test_ten_megabytes_of_text_come_back(stores: Stores) -> None:
    text = "äbc😀" * 2_500_000
    row = opening(await published(stores))
    stores.recorder.open(row)
    await stores.recorder.close(closing(row.id, text=text))

    assert (await stores.executions.get(row.id)).text == text
