"""Limits as the settings say them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cuewire.config import Settings, load, usable
from cuewire.model.errors import ConfigError
from cuewire.model.limits import Limit, Limits, SpendCaps

FILE = """
max_calls_at_once = 100
redis_url = "redis://:canary@localhost/0"
[limits]
max_wait_s = 30
[spend]
usd_per_day = 20
prompts = { triage = 2.5, "team/greet" = 0 }
actors = { "key:ci" = 1 }
[providers.openai]
max_concurrency = 20
requests_per_minute = 500
[providers.mine]
base_url = "https://llm.example.com/v1"
tokens_per_minute = 200_000
[models."openai/gpt-4o"]
power = 9
requests_per_minute = 50
[models."openai/gpt-4o-mini"]
power = 5
"""


def settings(folder: Path, file: str = "", **environment: str) -> Settings:
    (folder / "cuewire.toml").write_text(file)
    return load(environment={"CUEWIRE_DATA_FOLDER": str(folder), **environment}, folder=folder)


def test_limits_of_providers_models_all_calls_and_money_are_read(tmp_path: Path) -> None:
    read = settings(tmp_path, FILE)

    assert read.limits == Limits(
        max_calls_at_once=100,
        max_wait_s=30,
        providers={
            "openai": Limit(max_concurrency=20, requests_per_minute=500),
            "mine": Limit(tokens_per_minute=200_000),
        },
        models={"openai/gpt-4o": Limit(requests_per_minute=50)},
    )
    assert read.spend == SpendCaps(usd_per_day=20, prompts={"triage": 2.5, "team/greet": 0}, actors={"key:ci": 1})
    assert read.redis_url == "redis://:canary@localhost/0"


def test_without_a_word_there_are_none(tmp_path: Path) -> None:
    read = settings(tmp_path)

    assert (read.limits, read.spend, read.redis_url) == (Limits(max_wait_s=120), SpendCaps(), "")


def test_the_environment_sets_them_too(tmp_path: Path) -> None:
    read = settings(
        tmp_path,
        CUEWIRE_PROVIDERS__OPENAI__REQUESTS_PER_MINUTE="60",
        CUEWIRE_MAX_CALLS_AT_ONCE="7",
        CUEWIRE_SPEND__USD_PER_DAY="1.5",
    )

    assert read.limits == Limits(max_calls_at_once=7, providers={"openai": Limit(requests_per_minute=60)})
    assert read.spend.usd_per_day == 1.5


def test_a_limit_alone_does_not_set_a_provider_up(tmp_path: Path) -> None:
    limited = settings(tmp_path, "[providers.openai]\nmax_concurrency = 3")
    named = settings(tmp_path, '[providers.openai]\nmax_concurrency = 3\nheaders = { X-Team = "a" }')

    assert "openai" not in usable(limited)
    assert "openai" in usable(named)


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ("max_calls_at_once = 0", "max_calls_at_once"),
        ("[providers.openai]\nmax_concurrency = -1", "providers"),
        ("[providers.openai]\nrequests_per_minute = 1.5", "providers"),
        ('[models."openai/x"]\ntokens_per_minute = 0', "models"),
        ("[spend]\nusd_per_day = -1", "spend.usd_per_day"),
        ('[spend.prompts]\n"Not A Name" = 1', "spend.prompts"),
        ("[spend]\nusd_per_month = 1", "spend"),
        ("[limits]\nmax_wait_s = -1", "limits.max_wait_s"),
    ],
)
def test_what_cannot_be_a_limit_is_refused_clearly(tmp_path: Path, file: str, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, file)

    assert caught.value.field.startswith(field)
