from __future__ import annotations

import re
from pathlib import Path

import pytest

from cuewire.config import Settings, load, with_program_database
from cuewire.model.errors import ConfigError


def settings(tmp_path: Path, environment: dict[str, str] | None = None, file: str = "", **flags: object) -> Settings:
    if file:
        (tmp_path / "cuewire.toml").write_text(file)
    home = {"CUEWIRE_DATA_FOLDER": str(tmp_path)}
    return load(flags, environment=home | (environment or {}), folder=tmp_path)


def test_a_flag_wins_over_environment_over_file_over_default(tmp_path: Path) -> None:
    file = 'database_url = "sqlite:///file.db"\n[timeouts]\nconnect_s = 1\nidle_s = 2\n'
    environment = {"CUEWIRE_DATABASE_URL": "sqlite:///environment.db", "CUEWIRE_TIMEOUTS__CONNECT_S": "3"}

    resolved = settings(tmp_path, environment, file, database_url="sqlite:///flag.db")

    assert resolved.database_url == "sqlite:///flag.db"
    assert (resolved.timeouts.connect_s, resolved.timeouts.idle_s, resolved.timeouts.total_s) == (3, 2, 120)
    assert resolved.origins["database_url"] == "flag"
    assert resolved.origins["timeouts.connect_s"] == "CUEWIRE_TIMEOUTS__CONNECT_S"
    assert resolved.origins["timeouts.idle_s"].endswith("cuewire.toml")
    assert "timeouts.total_s" not in resolved.origins


def test_the_database_is_in_the_data_folder_unless_said(tmp_path: Path) -> None:
    assert settings(tmp_path).database_url == f"sqlite:///{tmp_path}/cuewire.db"
    assert load({}, environment={}, folder=tmp_path).database_url.endswith("cuewire/cuewire.db")


@pytest.mark.contract("S2-44")
@pytest.mark.parametrize(
    ("environment", "field", "words"),
    [
        ({"CUEWIRE_DATABSE_URL": "x"}, "CUEWIRE_DATABSE_URL", "did you mean CUEWIRE_DATABASE_URL?"),
        ({"CUEWIRE_XYZZY": "x"}, "CUEWIRE_XYZZY", "known settings: database_url"),
        ({"CUEWIRE_TIMEOUTS__TOTAL_S": "soon"}, "timeouts.total_s", "set in CUEWIRE_TIMEOUTS__TOTAL_S"),
        ({"CUEWIRE_TIMEOUTS__TOTAL": "1"}, "timeouts", "unknown field `total`"),
        ({"CUEWIRE_MAX_CONNECTIONS": "-"}, "max_connections", "Expected `int`"),
        ({"CUEWIRE_CONFIG": "/no/such/file"}, "CUEWIRE_CONFIG", "not a file"),
        ({"OPENAI_BASE_URL": "ftp://x"}, "providers.openai.base_url", "not a plain http(s) address"),
        ({"OPENAI_BASE_URL": "https://user:canary@x/v1"}, "providers.openai.base_url", "without user"),
    ],
)
def test_a_wrong_environment_variable_is_refused_clearly(
    tmp_path: Path, environment: dict[str, str], field: str, words: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, environment)

    assert caught.value.field == field
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("database_url = ", "not valid TOML"),
        ("colour = 1", "unknown field `colour`"),
        ("[providers.prompt]\nbase_url = 'https://x'", "reserved"),
        ("[providers.mine]\nkey = 'k'", "has no base_url"),
        ("[providers.mine]\nbase_url = 'https://x/v1?a=b'", "not a plain"),
        ("[providers.mine]\nbase_url = 'https://x'\nkey = 'file:/no/such/key'", "cannot be read"),
        ("timeouts = 3", "timeouts: Expected `object`"),
    ],
)
def test_a_wrong_file_is_refused_clearly(tmp_path: Path, file: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words.replace("(", r"\(")):
        settings(tmp_path, file=file)


def test_known_providers_read_the_variables_of_their_own_clients(tmp_path: Path) -> None:
    environment = {
        "OPENAI_API_KEY": "sk-canary",
        "OPENAI_ORG_ID": "org-1",
        "OPENROUTER_API_KEY": "or-canary",
        "ANTHROPIC_API_KEY": "sk-ant-canary",
        "ANTHROPIC_BASE_URL": "https://gateway.example/anthropic/",
        "OLLAMA_HOST": "127.0.0.1:4000",
    }

    resolved = settings(tmp_path, environment)

    endpoints = resolved.endpoints
    assert endpoints["openai"].headers == {"OpenAI-Organization": "org-1"}
    assert endpoints["openrouter"].base_url == "https://openrouter.ai/api/v1"
    assert endpoints["anthropic"].kind == "anthropic"
    assert endpoints["anthropic"].base_url == "https://gateway.example/anthropic"
    assert endpoints["anthropic"].key is not None
    assert endpoints["ollama"].base_url == "http://127.0.0.1:4000/v1"
    assert endpoints["groq"].key is None
    assert endpoints["groq"].needs_key
    assert not endpoints["vllm"].needs_key
    assert "canary" not in repr(resolved)


@pytest.mark.parametrize(
    ("file", "origin"),
    [
        ("", "https://api.openai.com:443"),
        ("[providers.openai]\nheaders = {x = 'y'}", "https://api.openai.com:443"),
        ("[providers.openai]\nbase_url = 'https://other.example/v1'", None),
        (
            "[providers.openai]\nbase_url = 'https://other.example/v1'\nkey = 'env:OPENAI_API_KEY'",
            "https://other.example:443",
        ),
    ],
)
def test_a_key_goes_to_the_origin_that_it_was_given_for(tmp_path: Path, file: str, origin: str | None) -> None:
    key = settings(tmp_path, {"OPENAI_API_KEY": "sk-canary"}, file).endpoints["openai"].key

    assert (key.origin if key else None) == origin


def test_a_key_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sk-filed\n")
    file = f"[providers.mine]\nbase_url = 'https://mine.example'\nkey = 'file:{tmp_path}/key'"

    key = settings(tmp_path, file=file).endpoints["mine"].key

    assert key is not None
    assert key.reveal(to_origin="https://mine.example:443") == "sk-filed"


def test_a_provider_of_the_users_own_may_be_scripted(tmp_path: Path) -> None:
    assert settings(tmp_path, file="[providers.double]\nkind = 'scripted'").endpoints["double"].kind == "scripted"


@pytest.mark.parametrize(
    ("environment", "source"),
    [
        ({}, "GEMINI_API_KEY"),
        ({"GEMINI_API_KEY": "a"}, "GEMINI_API_KEY"),
        ({"GOOGLE_API_KEY": "b"}, "GOOGLE_API_KEY"),
        ({"GEMINI_API_KEY": "a", "GOOGLE_API_KEY": "b"}, "GEMINI_API_KEY"),
        ({"GEMINI_API_KEY": "", "GOOGLE_API_KEY": "b"}, "GOOGLE_API_KEY"),
    ],
)
def test_the_key_of_gemini_is_read_from_either_variable(
    tmp_path: Path, environment: dict[str, str], source: str
) -> None:
    gemini = settings(tmp_path, environment).endpoints["gemini"]

    assert (gemini.kind, gemini.key_source, gemini.needs_key) == ("gemini", source, True)
    assert (gemini.key is not None) == bool(environment)
    assert gemini.key is None or gemini.key.reveal(to_origin=gemini.key.origin) == environment[source]


@pytest.mark.parametrize(
    ("said", "kind", "base_url", "has_key"),
    [
        ("headers = {a = 'b'}", "gemini", "https://generativelanguage.googleapis.com/v1beta", True),
        ("base_url = 'https://mine.example/v1beta/'", "gemini", "https://mine.example/v1beta", False),
        ("kind = 'openai'\nbase_url = 'https://mine.example/v1'", "openai", "https://mine.example/v1", False),
    ],
)
def test_a_known_provider_keeps_its_kind_unless_another_is_said(
    tmp_path: Path, said: str, kind: str, base_url: str, has_key: bool
) -> None:
    gemini = settings(tmp_path, {"GEMINI_API_KEY": "a"}, f"[providers.gemini]\n{said}").endpoints["gemini"]

    assert (gemini.kind, gemini.base_url, gemini.key is not None) == (kind, base_url, has_key)


def test_a_known_provider_of_another_kind_needs_an_address(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="provider 'gemini' has no base_url"):
        settings(tmp_path, file="[providers.gemini]\nkind = 'openai'")


@pytest.mark.parametrize("body", ["{ask = '{{prompt}}'}", """'{"ask": "{{prompt}}"}'"""])
def test_any_endpoint_may_be_described(tmp_path: Path, body: str) -> None:
    file = f"[providers.any]\nkind = 'http_json'\nbase_url = 'https://a.example/run/'\nbody = {body}\nmodels = ['m']"

    endpoint = settings(tmp_path, file=file).endpoints["any"]

    assert endpoint.base_url == "https://a.example/run/"
    assert endpoint.form is not None
    assert (endpoint.form.body, endpoint.form.models) == ({"ask": "{{prompt}}"}, ("m",))


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("kind = 'http_json'\nbase_url = 'https://a.example'", "providers.any.body"),
        ("kind = 'http_json'\nbase_url = 'https://a.example'\nbody = '{'", "providers.any.body"),
        ("base_url = 'https://a.example'\nanswer = ''", "providers.any.answer"),
        ("kind = 'gemini'\nbase_url = 'https://a.example'\nmodels = ['m']", "providers.any.models"),
        ("kind = 'xml'", "providers.kind"),
    ],
)
def test_a_description_that_cannot_be_meant_is_refused_by_its_name(tmp_path: Path, said: str, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, file=f"[providers.any]\n{said}")

    assert caught.value.field == field


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("postgres://a:b@h/d?x=1", "postgres://a:b@h/d?x=1"),
        ("postgresql+asyncpg://a:b@h/d", "postgresql://a:b@h/d"),
        (" sqlite+aiosqlite:////x/a+b.db\n", "sqlite:////x/a+b.db"),
        ("a+b", "a+b"),
    ],
)
def test_the_database_of_the_program_is_read_without_the_driver_that_its_url_names(
    tmp_path: Path, said: str, read: str
) -> None:
    found = with_program_database(settings(tmp_path), environment={"DATABASE_URL": said})

    assert found.database_url == read
    assert found.origins["database_url"] == "DATABASE_URL"


@pytest.mark.parametrize(
    ("named", "file"),
    [
        ({"CUEWIRE_SERVER": "https://a"}, ""),
        ({"CUEWIRE_DATABASE_URL": "sqlite:///x.db"}, ""),
        ({"CUEWIRE_DATABASE_URL": "sqlite:///x.db"}, 'server = "https://a"'),
        ({}, 'server = "https://a"\ndatabase_url = "sqlite:///x.db"'),
    ],
)
def test_where_the_settings_say_where_prompts_are_the_program_does_not(
    tmp_path: Path, named: dict[str, str], file: str
) -> None:
    found = settings(tmp_path, named, file)

    assert with_program_database(found, environment={"DATABASE_URL": "sqlite:///program.db"}) == found
    assert with_program_database(settings(tmp_path), environment={"DATABASE_URL": " "}) == settings(tmp_path)


def test_the_examples_of_the_documents_are_settings(tmp_path: Path) -> None:
    document = Path(__file__).parents[2] / "docs" / "providers.md"
    examples = re.findall(r"^```toml\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)

    nothing_set = settings(tmp_path, file="# none")
    for example in examples:
        told = settings(tmp_path, file=example)
        assert set(told.endpoints) > set(nothing_set.endpoints) or told.limits != nothing_set.limits
    assert len(examples) >= 3
