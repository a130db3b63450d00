"""The text rule: no row is lost because of what is in it, and no row comes back other than it should."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from cuewire.model.errors import InvalidInput
from cuewire.model.executions import Failure
from tests.support.stores import CALL, KINDS, Stores, closing, failed, opened, opening, published

BAD = ["a\0b", "a\ud800b", "\udfff"]


@pytest.fixture(params=KINDS)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with opened(request.param, tmp_path) as stores:
        yield stores


@pytest.mark.parametrize("text", BAD)
async def test_bad_text_of_a_user_is_refused_with_its_place(stores: Stores, text: str) -> None:
    version_id = await published(stores)
    for part in ("inputs", "metadata"):
        data = json.dumps({"a": {"b/c": ["x", text]}}).encode()

        with pytest.raises(InvalidInput) as refused:
            stores.recorder.open(opening(version_id, **{part: data}))

        assert refused.value.field == f"/{part}/a/b~1c/1"


@pytest.mark.parametrize("data", [b'{"a": "\xed\xa0\x80"}', b"\xff", b'{"a": "\x00"}'])
async def test_bytes_that_are_no_storable_json_are_refused(stores: Stores, data: bytes) -> None:
    with pytest.raises(InvalidInput):
        stores.recorder.open(opening(await published(stores), inputs=data))


@pytest.mark.parametrize("text", ["\\u0000 spelled out", "\\\\ud800", "😀 in two halves", "tab\t and \x1b"])
async def test_escapes_that_stand_for_good_text_pass_unchanged(stores: Stores, text: str) -> None:
    row = opening(await published(stores), inputs=json.dumps({"text": text}).encode())
    stores.recorder.open(row)
    await stores.recorder.close(closing(row.id, value=json.dumps(text).encode()))

    found = await stores.executions.get(row.id)

    assert (found.inputs, found.value, found.sanitised) == ({"text": text}, text, 0)


@pytest.mark.parametrize("text", BAD)
async def test_bad_text_of_a_model_is_stored_with_replacements_and_counted(stores: Stores, text: str) -> None:
    good = text.replace("\0", "\ufffd").replace("\ud800", "\ufffd").replace("\udfff", "\ufffd")
    row = opening(await published(stores))
    stores.recorder.open(row)
    await stores.recorder.close(
        closing(
            row.id,
            text=text,
            value=json.dumps({text: [text]}).encode(),
            messages=json.dumps([{"role": "user", "content": text}]).encode(),
            tool_calls=json.dumps([{"id": "1", "name": "f", "arguments": text}]).encode(),
            model=text,
            finish_reason=text,
            calls=(replace(CALL, provider_request_id=text, model=text),),
            sanitised=10,
        )
    )

    found = await stores.executions.get(row.id)

    assert (found.text, found.value, found.model, found.finish_reason) == (good, {good: [good]}, good, good)
    assert found.messages is not None
    assert (found.messages[0].content, found.tool_calls[0].arguments) == (good, good)
    assert found.calls[0].provider_request_id == good
    assert found.sanitised == 10 + 5 * sum(before != after for before, after in zip(text, good, strict=True))


@pytest.mark.parametrize("text", BAD)
async def test_bad_text_in_a_failure_loses_no_record(stores: Stores, text: str) -> None:
    row = opening(await published(stores))
    stores.recorder.open(row)
    await stores.recorder.close(
        failed(row.id, failure=Failure(code="network_error", message=text, hint=text, field=text, detail=text))
    )

    found = await stores.executions.get(row.id)

    assert found.error_message is not None
    assert "\ufffd" in found.error_message
    assert found.failure is not None
    assert found.failure.detail == found.error_message


@pytest.mark.parametrize("value", [b"\xed\xa0\x80", b'"\x00"', b"[" * 5_000 + b'"\\u0000"' + b"]" * 5_000])
async def test_what_is_no_json_at_all_still_loses_no_record(stores: Stores, value: bytes) -> None:
    row = opening(await published(stores))
    stores.recorder.open(row)

    await stores.recorder.close(closing(row.id, value=value))

    found = await stores.executions.get(row.id)
    assert found.status == "succeeded"
    assert found.sanitised > 0 or isinstance(found.value, str)


async def test_one_bad_text_among_many_harms_no_other_record(stores: Stores) -> None:
    version_id = await published(stores)
    rows = [opening(version_id) for _ in range(20)]
    for row in rows:
        stores.recorder.open(row)

    await asyncio.gather(*(stores.recorder.close(closing(row.id, text=f"{BAD[n % 3]}")) for n, row in enumerate(rows)))

    page = await stores.executions.list(limit=100)
    assert {one.status for one in page.items} == {"succeeded"}
    assert len(page.items) == 20
