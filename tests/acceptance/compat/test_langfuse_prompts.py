"""The client that programs know from Langfuse, over a real server: what it gets, renders, publishes and refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import cuewire
from cuewire.compat.langfuse import ChatPromptClient, Langfuse, TextPromptClient, get_client
from cuewire.model.errors import AccessDenied, ConfigError, InvalidInput, LabelNotFound, PromptNotFound, TemplateError
from tests.support.cuewire_server import CuewireServer
from tests.support.langfuse_programs import client, printed, program


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CuewireServer]:
    with CuewireServer(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def langfuse(server: CuewireServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Langfuse]:
    made = client(server, tmp_path, monkeypatch)
    yield made
    made.shutdown()


def test_a_text_prompt_has_the_parts_that_langfuse_gives_it(langfuse: Langfuse) -> None:
    langfuse.create_prompt(
        name="movie-critic",
        prompt="As a {{ level }} critic, do you like {{ movie }}?",
        labels=["production", "latest"],
        config={"model": "openai/gpt-4o-mini", "temperature": 0.5},
        commit_message="shorter",
        tags=["film"],
    )

    prompt = langfuse.get_prompt("movie-critic")

    assert isinstance(prompt, TextPromptClient)
    assert (prompt.name, prompt.version, prompt.type, prompt.is_fallback) == ("movie-critic", 1, "text", False)
    assert prompt.prompt == "As a {{ level }} critic, do you like {{ movie }}?"
    assert prompt.config == {"model": "openai/gpt-4o-mini", "temperature": 0.5}
    assert prompt.variables == ["level", "movie"]
    assert sorted(prompt.labels) == ["latest", "production"]
    assert (prompt.tags, prompt.commit_message) == (["film"], "shorter")
    assert prompt == langfuse.get_prompt("movie-critic", version=1, cache_ttl_seconds=0)
    assert prompt.compile(level="kind", movie="Dune 2") == "As a kind critic, do you like Dune 2?"
    assert prompt.get_langchain_prompt(level="{kind}") == "As a {{kind}} critic, do you like {movie}?"


def test_a_chat_prompt_takes_messages_for_its_placeholders_as_openai_writes_them(langfuse: Langfuse) -> None:
    written = [
        {"role": "system", "content": "You are {{ who }}."},
        {"type": "placeholder", "name": "history"},
        {"type": "chatmessage", "role": "user", "content": "{{ question }}"},
    ]
    calls = [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}]
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    history = [
        {"role": "user", "content": [{"type": "text", "text": "Look {{ there }}"}, image]},
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "content": "a cat", "tool_call_id": "c1"},
    ]
    langfuse.create_prompt(name="helper", type="chat", prompt=written)

    prompt = langfuse.get_prompt("helper", type="chat")

    assert isinstance(prompt, ChatPromptClient)
    assert prompt.prompt == [
        {"type": "message", "role": "system", "content": "You are {{ who }}."},
        {"type": "placeholder", "name": "history"},
        {"type": "message", "role": "user", "content": "{{ question }}"},
    ]
    assert prompt.variables == ["who", "question"]
    assert prompt.compile(who="Ada", question="What?", history=history) == [
        {"role": "system", "content": "You are Ada."},
        *history,
        {"role": "user", "content": "What?"},
    ]
    assert prompt.get_langchain_prompt(who="Ada") == [
        ("system", "You are Ada."),
        ("placeholder", "{history}"),
        ("user", "{question}"),
    ]
    assert prompt.get_langchain_prompt(history=[{"role": "user", "content": "{}"}])[1] == ("user", "{{}}")


def test_a_chat_of_one_message_is_a_chat_to_who_asks_for_one(langfuse: Langfuse) -> None:
    langfuse.create_prompt(name="single", type="chat", prompt=[{"role": "user", "content": "Hi {{ you }}"}])

    assert langfuse.get_prompt("single", type="chat").compile(you="Bo") == [{"role": "user", "content": "Hi Bo"}]
    assert langfuse.get_prompt("single").compile(you="Bo") == "Hi Bo"


def test_what_is_wrong_with_the_variables_is_told_of_all_of_them_at_once(langfuse: Langfuse) -> None:
    langfuse.create_prompt(name="strict", prompt="{{ one }} {{ two }} {{ three }}")
    prompt = langfuse.get_prompt("strict")

    with pytest.raises(InvalidInput) as caught:
        prompt.compile(two="2", four="4")

    assert {pointer for pointer, _ in caught.value.problems} == {"/inputs/one", "/inputs/three", "/inputs/four"}


def test_a_template_has_the_logic_of_our_own_renderer(langfuse: Langfuse) -> None:
    langfuse.create_prompt(name="logic", prompt="{% for x in xs %}{{ x | upper }};{% endfor %}")
    prompt = langfuse.get_prompt("logic")

    assert prompt.compile(xs=["a", "{{ b }}"]) == "A;{{ B }};"
    with pytest.raises(TemplateError, match="logic"):
        prompt.get_langchain_prompt()


def test_versions_are_found_by_label_and_number_and_labels_are_moved(langfuse: Langfuse) -> None:
    langfuse.create_prompt(name="rolled", prompt="one")
    langfuse.create_prompt(name="rolled", prompt="two", labels=["candidate"])

    found = [langfuse.get_prompt("rolled", label=label).prompt for label in ("production", "candidate", "latest")]
    moved = langfuse.update_prompt(name="rolled", version=2, new_labels=["production", "best"])

    assert found == ["one", "two", "two"]
    assert sorted(moved.labels) == ["best", "candidate", "latest", "production"]
    assert langfuse.get_prompt("rolled").prompt == "two", "the cache of this process is told"
    assert langfuse.get_prompt("rolled", version=1).prompt == "one"


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({"name": "nowhere"}, PromptNotFound),
        ({"name": "known", "label": "nowhere"}, LabelNotFound),
        ({"name": "known", "label": "production", "version": 1}, InvalidInput),
        ({"name": ""}, InvalidInput),
        ({"name": "Not A Name"}, InvalidInput),
        ({"name": "known", "label": "7"}, InvalidInput),
        ({"name": "known", "version": 0}, InvalidInput),
    ],
)
def test_what_cannot_be_got_is_told_as_what_it_is(langfuse: Langfuse, asked: dict[str, object], kind: type) -> None:
    langfuse.create_prompt(name="known", prompt="text")

    with pytest.raises(kind):
        langfuse.get_prompt(**asked)  # type: ignore[call-overload]  # as a program may


def test_a_prompt_that_is_no_list_for_a_chat_and_no_text_for_a_text_is_refused(langfuse: Langfuse) -> None:
    for wrong in ({"prompt": "text", "type": "chat"}, {"prompt": [{"role": "user", "content": "x"}]}):
        with pytest.raises(InvalidInput):
            langfuse.create_prompt(name="wrong", **wrong)
    with pytest.raises(InvalidInput, match="message"):
        langfuse.create_prompt(name="wrong", type="chat", prompt=[{"role": "narrator", "content": "x"}])


async def test_an_event_loop_is_not_blocked_by_the_asynchronous_form(langfuse: Langfuse) -> None:
    await asyncio.to_thread(langfuse.create_prompt, name="loop", prompt="text")

    assert (await langfuse.async_api.prompts.get("loop", label="latest")).prompt == "text"


def test_a_client_is_found_again_by_its_public_key(server: CuewireServer) -> None:
    first = Langfuse(public_key="pk-one", secret_key=server.key, base_url=server.url, flush_at=1, environment="x")
    Langfuse(public_key="pk-two", secret_key=server.key, host=server.url)

    assert get_client(public_key="pk-one") is first
    for unclear in (None, "pk-none"):
        with pytest.raises(ConfigError, match="public_key"):
            get_client(public_key=unclear)


def test_a_key_of_another_service_is_sent_nowhere_and_a_wrong_one_is_refused(server: CuewireServer) -> None:
    with pytest.raises(ConfigError, match="begin with cw_") as caught:
        Langfuse(host=server.url, secret_key="sk-lf-canary")
    assert "canary" not in str(caught.value)
    with pytest.raises(ConfigError):
        Langfuse(host="http://example.com", secret_key="cw_x")

    stranger = Langfuse(host=server.url, secret_key="cw_unknown")
    with pytest.raises(AccessDenied):
        stranger.get_prompt("secret")


def test_the_settings_say_where_prompts_are_and_langfuses_own_variables_say_nothing(
    server: CuewireServer, langfuse: Langfuse, tmp_path: Path
) -> None:
    langfuse.create_prompt(name="settled", prompt="text")
    named = {"CUEWIRE_SERVER": server.url, "CUEWIRE_TOKEN": server.key, "CUEWIRE_DATA_FOLDER": str(tmp_path)}
    other = {"LANGFUSE_HOST": "http://127.0.0.1:1", "LANGFUSE_SECRET_KEY": "sk-lf-x", "LANGFUSE_PUBLIC_KEY": "pk-lf-x"}

    assert program(named | other, "get", "settled", "{}")["prompt"] == "text"


@pytest.mark.parametrize("variable", ["DATABASE_URL", "CUEWIRE_DATABASE_URL"])
def test_a_server_wins_over_a_database_for_all_that_read_prompts(
    server: CuewireServer, langfuse: Langfuse, tmp_path: Path, variable: str
) -> None:
    langfuse.create_prompt(name="placed", prompt="of the server")
    database = f"sqlite:///{tmp_path}/cue.db"
    with cuewire.open(database) as app:
        app.prompts.publish("placed", "of the database")
    named = {"CUEWIRE_SERVER": server.url, "CUEWIRE_TOKEN": server.key, "CUEWIRE_DATA_FOLDER": str(tmp_path)}

    loaded = (
        "from cuewire.compat.prompt_templates import *; print(get_template('placed'), render_template('placed', {}))"
    )
    assert program(named | {variable: database}, "get", "placed", "{}")["prompt"] == "of the server"
    assert printed(loaded, **named, **{variable: database}).count("of the server") == 2


@pytest.mark.parametrize("variable", ["DATABASE_URL", "CUEWIRE_DATABASE_URL"])
def test_prompts_are_read_from_a_database_too_and_across_a_fork(tmp_path: Path, variable: str) -> None:
    url = f"sqlite:///{tmp_path}/cue.db"
    with cuewire.open(url) as app:
        app.prompts.publish("greet", "Hello, {{ text }}")
    named = {variable: url, "CUEWIRE_DATA_FOLDER": str(tmp_path), "HOME": str(tmp_path)}

    assert program(named, "fork", "greet") == ["Hello, before", "Hello, child", "Hello, after"]
