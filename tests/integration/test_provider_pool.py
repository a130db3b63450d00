"""Providers out of settings: each kind is made by what speaks to it, with its key and its address."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

import cuewire
from cuewire.config import load
from cuewire.model.errors import ConfigError
from cuewire.wiring import open_providers
from tests.support.anthropic_server import message
from tests.support.gemini_answers import gemini_answer
from tests.support.model_server import Action, ModelServer, completion, plain

SETTINGS = """
[providers.gemini]
base_url = "{origin}/v1beta"
key = "env:MY_KEY"

[providers.claude]
kind = "anthropic"
base_url = "{origin}/anthropic"
key = "env:MY_KEY"

[providers.chat]
base_url = "{origin}/v1"
key = "env:MY_KEY"

[providers.any]
kind = "http_json"
base_url = "{origin}/ask"
key = "env:MY_KEY"
key_header = "X-Key"
body = {{ question = "{{{{prompt}}}}", model = "{{{{model}}}}" }}
answer = "/said"
models = ["m-1"]
"""


class _Manifold(ModelServer):
    """A server that speaks every format, each at its path."""

    def choose(self, path: str, body: bytes) -> Sequence[Action]:
        if path.startswith("/v1beta/"):
            return plain(gemini_answer("of Gemini"))
        if path == "/anthropic/v1/messages":
            return plain(message("of Anthropic"))
        return plain(completion("of chat")) if path.startswith("/v1/") else plain({"said": "of any"})


@pytest.mark.contract("S2-12", "S2-18")
@pytest.mark.parametrize(
    ("model", "text", "header"),
    [
        ("gemini/m-1", "of Gemini", "x-goog-api-key"),
        ("claude/m-1", "of Anthropic", "x-api-key"),
        ("chat/m-1", "of chat", "authorization"),
        ("any/m-1", "of any", "x-key"),
    ],
)
async def test_a_prompt_runs_at_a_provider_of_any_kind(tmp_path: Path, model: str, text: str, header: str) -> None:
    async with _Manifold() as server:
        (tmp_path / "cuewire.toml").write_text(SETTINGS.format(origin=server.origin))
        own = {"CUEWIRE_DATA_FOLDER": str(tmp_path), "MY_KEY": "canary"}
        settings = load(environment=own, folder=tmp_path)
        async with cuewire.open(f"sqlite:///{tmp_path}/a.db", settings=settings) as app:
            await app.prompts.publish("triage", "Bug or idea? {{ text }}", model=model)
            result = await app.run("triage", {"text": "Add tabs"})

        assert (result.text, result.model) == (text, model)
        assert "canary" in server.received[0].headers[header]


async def test_models_of_an_endpoint_of_any_kind_are_those_of_the_settings(tmp_path: Path) -> None:
    (tmp_path / "cuewire.toml").write_text(SETTINGS.format(origin="https://a.example"))
    pool = open_providers(load(environment={"CUEWIRE_DATA_FOLDER": str(tmp_path)}, folder=tmp_path))

    try:
        assert await pool.get("any").models() == ("m-1",)
    finally:
        await pool.close()


async def test_gemini_without_a_key_says_which_variable_to_set(tmp_path: Path) -> None:
    pool = open_providers(load(environment={"CUEWIRE_DATA_FOLDER": str(tmp_path)}, folder=tmp_path))

    try:
        with pytest.raises(ConfigError, match="set GEMINI_API_KEY, or"):
            pool.get("gemini")
    finally:
        await pool.close()
