"""Setting up and looking after: `init`, `config show`, `doctor`, `db`, `models`, `providers`."""

from __future__ import annotations

import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.model_server import ModelServer, plain


@pytest.fixture
def cue(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


async def make_database(cue: CommandLine) -> Path:
    """Make the database by publishing a prompt, and return its file."""
    (cue.folder / "a.j2").write_text("{{ text }}")
    assert (await cue("prompts", "publish", "a", "a.j2", "--model", "scripted/echo")).code == 0
    return cue.folder / "cuewire.db"


async def test_init_writes_settings_that_hold_and_never_over_others(cue: CommandLine) -> None:
    first, second = await cue("init"), await cue("init")
    forced, shown = await cue("init", "--force"), await cue("config", "show", "--json")

    assert (first.out, second.code, forced.code) == ("wrote cuewire.toml\n", 5, 0)
    assert shown.json["database_url"] == {"value": "sqlite:///cue.db", "origin": str(cue.folder / "cuewire.toml")}


async def test_each_setting_that_init_explains_is_one(cue: CommandLine) -> None:
    await cue("init")
    path = cue.folder / "cuewire.toml"
    lines = [line.removeprefix("# ") for line in path.read_text().splitlines()]
    path.write_text("\n".join(line for line in lines if line.startswith("[") or " = " in line))
    cue.environment |= {"MY_LLM_KEY": "sk-canary-12", "CUE_KEY": "cw_canary-12"}

    shown = await cue("config", "show", "--json")

    assert len(tomllib.loads(path.read_text())) == 14
    assert shown.json["providers.mine.base_url"]["value"] == "https://llm.example.com/v1"
    assert shown.json["local_model"]["value"] == "models/mine.gguf"
    assert shown.json["local_embeddings"]["value"] == "models/minilm"


async def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(cue: CommandLine) -> None:
    async def found(*arguments: str) -> tuple[str, str]:
        setting = (await cue("config", "show", "--json", *arguments)).json["database_url"]
        return setting["value"], Path(setting["origin"]).name

    origins = [await found()]
    (cue.folder / "cuewire.toml").write_text('database_url = "sqlite:///file.db"')
    origins.append(await found())
    cue.environment["CUEWIRE_DATABASE_URL"] = "sqlite:///variable.db"
    origins.append(await found())
    origins.append(await found("--database", "sqlite:///flag.db"))

    assert origins == [
        (f"sqlite:///{cue.folder}/cuewire.db", "default"),
        ("sqlite:///file.db", "cuewire.toml"),
        ("sqlite:///variable.db", "CUEWIRE_DATABASE_URL"),
        ("sqlite:///flag.db", "--database"),
    ]


async def test_config_and_doctor_show_where_a_key_is_from_and_never_the_key(cue: CommandLine) -> None:
    cue.environment |= {"OPENAI_API_KEY": "sk-canary-11", "CUEWIRE_DATABASE_URL": "postgresql://me:pw-canary@db/x"}
    (cue.folder / "cuewire.toml").write_text(
        '[providers.mine]\nbase_url = "https://a.example/v1"\nkey = "sk-canary-13"\n'
        'headers = { X-Key = "sk-canary-14" }\n'
    )

    outputs = [await cue(*command, *form) for command in COMMANDS for form in ((), ("--json",))]

    assert "OPENAI_API_KEY" in outputs[0].out
    assert "postgresql://me:****@db/x" in outputs[0].out
    assert "canary" not in "".join(ended.out + ended.err for ended in outputs)


COMMANDS = (("config", "show"), ("doctor",))


async def test_config_shows_how_an_endpoint_is_asked_without_what_looks_like_a_key(cue: CommandLine) -> None:
    (cue.folder / "cuewire.toml").write_text(
        '[providers.house]\nkind = "http_json"\nbase_url = "https://a.example/ask"\nanswer = "/said"\n'
        'body = { text = "{{prompt}}", key = "sk-canary-15" }\n'
    )

    shown = (await cue("config", "show", "--json")).json

    file = str(cue.folder / "cuewire.toml")
    assert shown["providers.house.answer"] == {"value": "/said", "origin": file}
    assert shown["providers.house.body"] == {"value": '{"text":"{{prompt}}","key":"[redacted]"}', "origin": file}
    assert shown["providers.house.method"] == {"value": "POST", "origin": "default"}
    assert shown["providers.house.usage_input"]["value"] == "-"


async def test_doctor_finds_nothing_wrong_with_a_sound_database(cue: CommandLine) -> None:
    await make_database(cue)

    ended = await cue("doctor", "--json")

    states = {item["name"]: item["state"] for item in ended.json["items"]}
    assert ended.code == 0
    assert {states[name] for name in ("python", "sqlite", "database", "integrity", "permissions", "trip")} == {"ok"}
    assert states["keys"] == "note"


async def test_doctor_names_a_damaged_database_and_what_to_do(cue: CommandLine) -> None:
    database = await make_database(cue)
    with database.open("r+b") as file:
        file.seek(4 * 16_384)  # the head of a page that only a thorough look reads
        file.write(b"\xff" * 64)

    ended = await cue("doctor", "--json")

    faults = {item["name"]: item for item in ended.json["items"] if item["state"] == "fault"}
    assert ended.code == 1
    assert "integrity" in faults
    assert faults["integrity"]["advice"]


async def test_doctor_notes_that_others_may_read_the_database(cue: CommandLine) -> None:
    database = await make_database(cue)
    database.chmod(0o644)

    ended = await cue("doctor")

    assert ended.code == 0
    assert f"chmod 600 {database}" in ended.out


async def test_doctor_goes_on_when_the_settings_are_wrong(cue: CommandLine) -> None:
    cue.environment["CUEWIRE_MAX_CONNECTIONS"] = "many"

    ended = await cue("doctor")

    assert ended.code == 1
    assert "max_connections" in ended.out


async def test_db_status_tells_an_absent_database_from_one_that_fits(cue: CommandLine) -> None:
    absent = (await cue("db", "status", "--json")).json
    await make_database(cue)
    present = (await cue("db", "status", "--json")).json

    assert (absent["exists"], absent["pending"]) == (False, [])
    assert (present["exists"], present["revision"]) == (True, present["head"])


async def test_db_upgrade_keeps_a_backup_and_says_where(cue: CommandLine) -> None:
    database = await make_database(cue)
    with closing(sqlite3.connect(database)) as connection, connection:
        things = "SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY type DESC"
        for kind, name in connection.execute(things).fetchall():
            if name not in ("alembic_version", "sqlite_sequence"):
                connection.execute(f'DROP {kind} "{name}"')
        connection.execute("DELETE FROM alembic_version")

    refused, upgraded = await cue("prompts", "list"), await cue("db", "upgrade", "--json")

    assert (refused.code, "cuewire db upgrade" in refused.err) == (6, True)
    assert upgraded.json["backup"] in map(str, cue.folder.iterdir())
    assert (await cue("prompts", "list")).code == 0


async def test_db_upgrade_does_nothing_to_a_database_that_fits(cue: CommandLine) -> None:
    await make_database(cue)

    ended = await cue("db", "upgrade")

    assert "is up to date" in ended.out
    assert list(cue.folder.glob("*.backup-*")) == []


async def test_providers_check_and_models_list_ask_the_providers(cue: CommandLine) -> None:
    async with ModelServer() as server:
        cue.environment |= {"OPENAI_API_KEY": "sk-canary-15", "OPENAI_BASE_URL": server.url}
        server.script(plain({"data": [{"id": "tiny-1"}, {"id": "tiny-2"}]}))
        checked = await cue("providers", "check", "openai")
        models = await cue("models", "list", "openai", "--json")

    assert checked.out.splitlines()[1].split() == ["openai", "ok", "OPENAI_API_KEY", "2", "models"]
    assert models.json == {"items": ["openai/tiny-1", "openai/tiny-2"], "faults": {}}


async def test_a_provider_that_does_not_answer_is_a_fault_with_its_reason(cue: CommandLine) -> None:
    async with ModelServer() as server:
        cue.environment |= {"OPENAI_API_KEY": "sk-canary-16", "OPENAI_BASE_URL": server.url}
        server.script(plain({"error": {"message": "no"}}, 401))
        checked = await cue("providers", "check", "openai", "scripted", "groq", "--json")

    faults = {item["name"]: item["fault"] for item in checked.json["items"]}
    assert checked.code == 1
    assert faults["scripted"] == ""
    assert "OPENAI_API_KEY" in faults["openai"]
    assert "GROQ_API_KEY" in faults["groq"]
