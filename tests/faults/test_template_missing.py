"""Where what is missing is no error, payloads that begin at something missing get out no more than others."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from cuewire.model.errors import TemplateError
from cuewire.template.pool import RenderPool
from tests.data.ssti import SECRET, VARIABLE, families, is_leak, payloads

AT = datetime(2026, 1, 31, tzinfo=UTC)


async def outcomes(pool: RenderPool, template: str) -> list[str]:
    told = []
    for make in (
        lambda: pool.preview((template,), {}, at=AT),
        lambda: pool.render((template,), {}, key="", at=AT, missing="empty"),
    ):
        try:
            told.append(str(await make()))
        except TemplateError as error:
            told.append(str(error))
    return told


@pytest.mark.contract("S3-088")
@pytest.mark.parametrize("family", families())
async def test_no_payload_gets_out_without_inputs(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, SECRET)
    canary = tmp_path / "canary"
    pool = RenderPool()

    found = {
        template: text
        for template in [*payloads(family, canary=canary)][::8]
        for text in await outcomes(pool, template)
        if is_leak(text)
    }

    await pool.close()
    assert found == {}
    assert not canary.exists()
