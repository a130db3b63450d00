"""Where rates are counted is found out when Cuewire is opened; what is not used is not needed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import cuewire
from cuewire.config import load
from cuewire.model.errors import ConfigError, MissingExtra
from tests.support.command_line import CommandLine

RATE = {"CUEWIRE_PROVIDERS__OPENAI__REQUESTS_PER_MINUTE": "60"}
PASSWORD = "canary-5b1f"  # nobody's


async def opened(folder: Path, environment: Mapping[str, str]) -> None:
    settings = load(environment={"CUEWIRE_DATA_FOLDER": str(folder), **environment}, folder=folder)
    async with cuewire.open(settings=settings):
        pass


async def test_rates_in_redis_need_its_extra_and_say_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    for module in ("cuewire.limiters.redis", "cuewire.caches.redis_leases"):
        monkeypatch.delitem(sys.modules, module, raising=False)

    with pytest.raises(MissingExtra, match=r"pip install 'cuewire\[redis\]'"):
        await opened(tmp_path, {**RATE, "CUEWIRE_REDIS_URL": "redis://localhost"})


@pytest.mark.parametrize("url", ["localhost:6379", "http://localhost", f"ftp://:{PASSWORD}@localhost"])
async def test_what_is_no_address_of_redis_is_refused_without_showing_it(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        await opened(tmp_path, {**RATE, "CUEWIRE_REDIS_URL": url})

    assert refused.value.field == "redis_url"
    assert PASSWORD not in str(refused.value)


async def test_the_settings_are_shown_without_the_password(tmp_path: Path) -> None:
    (tmp_path / "cuewire.toml").write_text('[models."openai/gpt-4o"]\ntokens_per_minute = 9\n')
    more = {"CUEWIRE_REDIS_URL": f"redis://:{PASSWORD}@localhost/0", "CUEWIRE_SPEND__PROMPTS__TRIAGE": "2.5"}
    cue = CommandLine(tmp_path, {**RATE, **more, "CUEWIRE_SPEND__USD_PER_DAY": "20"})

    shown = (await cue("config", "show", "--json")).json

    assert PASSWORD not in str(shown)
    assert shown["redis_url"]["value"] == "redis://:****@localhost/0"
    assert shown["spend.usd_per_day"] == {"value": "20", "origin": "CUEWIRE_SPEND__USD_PER_DAY"}
    assert shown["spend.prompts.triage"]["value"] == "2.5"
    assert shown["limits.max_wait_s"] == {"value": "120", "origin": "default"}
    assert shown["providers.openai.requests_per_minute"]["value"] == "60"
    assert shown["models.openai/gpt-4o.tokens_per_minute"]["value"] == "9"
