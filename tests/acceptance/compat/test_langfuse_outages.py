"""The client that programs know from Langfuse when its server moves, goes and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest

import cuewire
from cuewire.compat.langfuse import Langfuse
from cuewire.model.errors import PromptNotFound, ServerUnavailable
from tests.support.cuewire_server import CuewireServer
from tests.support.langfuse_programs import black_hole, client, eventually, program
from tests.support.model_server import Hang, ModelServer, Reset, plain
from tests.support.scripted_cuewire import TOKEN, version

PROMISED_S = 0.1
SLACK = 3
TTL_S = 0.2
CHAT = [{"role": "system", "content": "You are {{ who }}"}, {"type": "placeholder", "name": "history"}]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CuewireServer]:
    folder = tmp_path / "server"
    folder.mkdir()
    with CuewireServer(folder) as running:
        yield running


@pytest.fixture
def langfuse(server: CuewireServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Langfuse]:
    made = client(server, tmp_path / "client", monkeypatch)
    made.create_prompt(name="greet", prompt="Hello {{ you }}")
    yield made
    made.shutdown()


@pytest.fixture
def environment(server: CuewireServer, tmp_path: Path) -> dict[str, str]:
    """Return the environment of another process on the same machine."""
    return {
        "CUEWIRE_SERVER": server.url,
        "CUEWIRE_TOKEN": server.key,
        "CUEWIRE_DATA_FOLDER": str(tmp_path / "client"),
        "HOME": str(tmp_path),
    }


def publish(server: CuewireServer, folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Publish as somebody else does, of whom the client knows nothing."""
    elsewhere = client(server, folder / "elsewhere", monkeypatch)
    elsewhere.create_prompt(name="greet", prompt=text, labels=["production"])
    elsewhere.shutdown()


def test_a_label_that_somebody_moves_is_seen_when_its_time_has_passed(
    server: CuewireServer, langfuse: Langfuse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert langfuse.get_prompt("greet", cache_ttl_seconds=TTL_S).version == 1
    assert langfuse.get_prompt("greet", label="latest").version == 1

    publish(server, tmp_path, monkeypatch, "Good morning {{ you }}")

    assert langfuse.get_prompt("greet").version == 1, "it is not a minute old"
    eventually(lambda: langfuse.get_prompt("greet", cache_ttl_seconds=TTL_S).version == 2)
    assert langfuse.get_prompt("greet", version=1).prompt == "Hello {{ you }}"
    assert langfuse.get_prompt("greet", label="latest").version == 1, "each label has a time of its own"


def test_an_archived_prompt_is_an_error_when_its_time_has_passed_and_is_on_no_disk(
    server: CuewireServer, langfuse: Langfuse
) -> None:
    langfuse.get_prompt("greet")
    with cuewire.open(settings=server.settings()) as app:
        app.prompts.archive("greet")

    def is_gone() -> bool:
        try:
            langfuse.get_prompt("greet", cache_ttl_seconds=TTL_S)
        except PromptNotFound:
            return True
        return False

    eventually(is_gone)
    assert langfuse.get_prompt("greet", fallback="Hi").is_fallback
    server.kill()
    with pytest.raises(ServerUnavailable):
        langfuse.get_prompt("greet")


def test_a_server_that_goes_and_comes_back_is_not_noticed_but_by_what_is_new(
    server: CuewireServer, langfuse: Langfuse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert langfuse.get_prompt("greet", cache_ttl_seconds=TTL_S).compile(you="Bo") == "Hello Bo"
    server.kill()

    began = perf_counter()
    for ttl_s in (TTL_S, 0, 60):
        assert langfuse.get_prompt("greet", cache_ttl_seconds=ttl_s).compile(you="Bo") == "Hello Bo"
    took_s = perf_counter() - began
    server.start()
    publish(server, tmp_path, monkeypatch, "Good morning {{ you }}")

    assert took_s < 3 * PROMISED_S * SLACK
    eventually(lambda: langfuse.get_prompt("greet", cache_ttl_seconds=TTL_S).version == 2)


def test_a_process_that_starts_while_the_server_is_away_has_the_last_version_or_its_fallback_at_once(
    server: CuewireServer, langfuse: Langfuse, environment: dict[str, str]
) -> None:
    langfuse.get_prompt("greet")
    server.kill()

    known = program(environment, "get", "greet", "{}")
    fallback = program(environment, "get", "other", '{"fallback": "Hi {{ you }}"}')

    assert (known["prompt"], known["version"], known["is_fallback"]) == ("Hello {{ you }}", 1, False)
    assert (fallback["prompt"], fallback["is_fallback"]) == ("Hi {{ you }}", True)
    assert max(known["took_ms"], fallback["took_ms"]) < PROMISED_S * 1_000 * SLACK


def test_a_server_that_says_nothing_is_not_waited_for_where_a_version_is_known(
    server: CuewireServer, langfuse: Langfuse, environment: dict[str, str]
) -> None:
    langfuse.get_prompt("greet")
    server.kill()

    with black_hole(server.port):
        known = program(environment, "get", "greet", "{}")
        unknown = program(
            environment, "get", "other", '{"fallback": "Hi", "fetch_timeout_seconds": 0.3, "max_retries": 4}'
        )

    assert known["prompt"] == "Hello {{ you }}"
    assert known["took_ms"] < PROMISED_S * 1_000 * SLACK
    assert unknown["is_fallback"]
    assert 300 <= unknown["took_ms"] < 300 + PROMISED_S * 1_000 * SLACK


def test_a_database_that_cannot_be_opened_is_an_outage_too(tmp_path: Path) -> None:
    file = tmp_path / "cue.db"
    named = {"CUEWIRE_DATABASE_URL": f"sqlite:///{file}", "CUEWIRE_DATA_FOLDER": str(tmp_path), "HOME": str(tmp_path)}
    with cuewire.open(named["CUEWIRE_DATABASE_URL"]) as app:
        app.prompts.publish("greet", "Hello {{ you }}")
    known = program(named, "get", "greet", "{}")
    file.write_bytes(b"no database")

    assert program(named, "get", "greet", "{}")["prompt"] == known["prompt"] == "Hello {{ you }}"


def test_a_fallback_renders_as_strictly_as_a_version(server: CuewireServer, langfuse: Langfuse) -> None:
    server.kill()

    text = langfuse.get_prompt("nowhere", label="staging", fallback="Hi {{ you }}{% if loud %}!{% endif %}")
    chat = langfuse.get_prompt("nowhere-chat", type="chat", fallback=CHAT)
    history = [{"role": "user", "content": "Hey"}]

    assert (text.name, text.version, text.labels, text.config, text.tags) == ("nowhere", 0, ["staging"], {}, [])
    assert text.variables == ["you", "loud"]
    assert text.compile(you="Bo", loud=True) == "Hi Bo!"
    assert chat.variables == ["who"]
    assert chat.compile(who="Ada", history=history) == [{"role": "system", "content": "You are Ada"}, *history]
    with pytest.raises(ServerUnavailable):
        langfuse.get_prompt("nowhere", label="staging")


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (2, 3), (99, 5)])
async def test_a_lost_answer_is_asked_for_again_as_often_as_the_caller_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retries: int, tries: int
) -> None:
    monkeypatch.setenv("CUEWIRE_DATA_FOLDER", str(tmp_path))
    async with ModelServer() as server:
        server.script([Reset()])
        langfuse = Langfuse(host=server.origin, secret_key=TOKEN)

        with pytest.raises(ServerUnavailable):
            await asyncio.to_thread(langfuse.get_prompt, "triage", max_retries=retries)

        await asyncio.to_thread(langfuse.shutdown)
    assert len(server.received) == tries


async def test_a_try_takes_no_longer_than_the_caller_says_and_its_connection_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUEWIRE_DATA_FOLDER", str(tmp_path))
    async with ModelServer() as server:
        server.script([Hang()], plain(version(2)))
        langfuse = Langfuse(host=server.origin, secret_key=TOKEN)

        began = perf_counter()
        prompt = await asyncio.to_thread(langfuse.get_prompt, "triage", fetch_timeout_seconds=0.2)
        took_s = perf_counter() - began

        await asyncio.to_thread(langfuse.shutdown)
    assert prompt.version == 2
    assert 0.2 <= took_s < 0.2 + PROMISED_S * SLACK
    assert server.received[0].hung_up.is_set()


async def test_sixteen_threads_ask_a_server_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUEWIRE_DATA_FOLDER", str(tmp_path))
    async with ModelServer() as server:
        server.script(plain(version(2)))
        langfuse = Langfuse(host=server.origin, secret_key=TOKEN)

        prompts = await asyncio.gather(*(asyncio.to_thread(langfuse.get_prompt, "triage") for _ in range(16)))

        await asyncio.to_thread(langfuse.shutdown)
    assert {prompt.version for prompt in prompts} == {2}
    assert len(server.received) == 1
