"""Programs that render themselves get their templates: from the database, else the environment, else files."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

import cuewire
from cuewire.compat.orm import PromptTemplate
from cuewire.compat.prompt_templates import (
    close_database,
    get_model_config,
    get_template,
    log_prompt_execution,
)
from cuewire.model.reviews import LabelRule
from tests.support.loading_programs import LoadingProgram, loaded
from tests.support.logged_programs import TEMPLATE, stored

pytestmark = [pytest.mark.contract("S1-55"), pytest.mark.usefixtures("loading")]

on_a_file = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
SEEN_WITHIN_S = 1.0
SLACK = 3
OF_THE_DATABASE = "What is meant? {{ text }}"


async def row_of(url: str, name: str, version: int) -> PromptTemplate:
    """Return a version as a program sees it that reads the table with SQLAlchemy."""
    query = select(PromptTemplate).filter_by(name=name, version=version)
    if url.startswith("sqlite"):
        engine = create_engine(url)
        with Session(engine) as session:
            found = session.scalars(query).one()
        engine.dispose()
        return found
    server = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    async with AsyncSession(server) as reading:
        row = (await reading.scalars(query)).one()
    await server.dispose()
    return row


@pytest.mark.contract("S1-18")
@pytest.mark.usefixtures("app")
def test_the_text_comes_from_the_database(loading: LoadingProgram) -> None:
    assert get_template(TEMPLATE) == {
        "name": TEMPLATE,
        "description": "",
        "template": OF_THE_DATABASE,
        "model_name": None,
        "temperature": None,
        "top_p": None,
        "top_k": None,
        "max_output_tokens": None,
        "model_config": dict.fromkeys(["model_name", "temperature", "top_p", "top_k", "max_output_tokens"]),
        "version": 1,
        "source": "database",
        "format": "jinja2",
    }
    assert loading.lines == [{"event": "template.loaded", "source": "database", "template_key": TEMPLATE, "version": 1}]
    assert loading.failed == {}


@pytest.mark.contract("S1-18")
async def test_the_database_comes_first_then_the_environment_then_files_then_the_seeds(
    app: cuewire.App, loading: LoadingProgram
) -> None:
    loading.told({TEMPLATE: "Of the environment"})
    loading.filed(TEMPLATE)
    found = [loaded(TEMPLATE)]
    await app.prompts.archive(TEMPLATE)
    close_database()
    found.append(loaded(TEMPLATE))
    loading.told({"another": "text"})
    found.append(loaded(TEMPLATE))
    (loading.folder / f"{TEMPLATE}.prompt").unlink()
    found.append(loaded(TEMPLATE))

    assert [one["source"] for one in found] == ["database", "environment", "file", "file"]
    texts = [one["template"] for one in found]
    assert texts[:3] == [OF_THE_DATABASE, "Of the environment", "Of the file: {{ text }}"]
    assert texts[3].startswith("You turn what a user says into data")
    assert (loading.failed, loading.warned) == ({}, [])


async def absent(app: cuewire.App) -> None:
    await app.prompts.publish("another", "text")


async def inactive(app: cuewire.App) -> None:
    await app.prompts.publish("greet", "Of the database")
    await app.prompts.edit("greet", status="inactive")


async def archived(app: cuewire.App) -> None:
    await app.prompts.publish("greet", "Of the database")
    await app.prompts.archive("greet")


async def of_a_strategy(app: cuewire.App) -> None:
    await app.strategies.add("momentum")
    await app.prompts.publish("greet", "Of the database", strategy="momentum")


@pytest.mark.parametrize("state", [absent, inactive, archived, of_a_strategy])
async def test_a_prompt_that_is_not_there_for_all_is_taken_from_the_environment(
    app: cuewire.App, loading: LoadingProgram, state: Callable[[cuewire.App], Awaitable[None]]
) -> None:
    await state(app)
    loading.told({"greet": "Of the environment"})

    assert loaded("greet")["template"] == "Of the environment"
    assert (loading.failed, loading.warned) == ({}, [])


async def test_a_prompt_of_which_nothing_is_in_production_is_taken_from_the_environment_with_a_warning(
    app: cuewire.App, loading: LoadingProgram
) -> None:
    await app.reviews.protect(LabelRule(label="production", needs_review=True))
    await app.prompts.publish("greet", "Of the database")
    loading.told({"greet": "Of the environment"})

    assert loaded("greet")["template"] == "Of the environment"
    assert (loading.failed, loading.warned) == ({"label_not_found": 1}, ["template.unread"])


@pytest.mark.parametrize("state", [absent, inactive, archived])
async def test_what_no_source_has_is_none_with_a_warning(
    app: cuewire.App, loading: LoadingProgram, state: Callable[[cuewire.App], Awaitable[None]]
) -> None:
    await state(app)

    assert get_template("greet") is None
    assert (loading.failed, loading.warned) == ({"no_template": 1}, ["template.missing"])
    assert loading.lines[0]["template_key"] == "greet"


async def test_a_newer_version_is_loaded_when_it_is_in_production_and_not_before(app: cuewire.App) -> None:
    await app.prompts.publish(TEMPLATE, "Second", labels=["candidate"])
    before = loaded(TEMPLATE)
    await app.prompts.label(TEMPLATE, "production", 2)
    close_database()

    assert (before["version"], before["template"]) == (1, OF_THE_DATABASE)
    assert (loaded(TEMPLATE)["version"], loaded(TEMPLATE)["template"]) == (2, "Second")


async def test_a_roll_back_brings_the_older_text_back(app: cuewire.App) -> None:
    await app.prompts.publish(TEMPLATE, "Second", publish=True)
    assert loaded(TEMPLATE)["version"] == 2

    await app.prompts.label(TEMPLATE, "production", 1)
    close_database()
    assert loaded(TEMPLATE)["template"] == OF_THE_DATABASE


async def test_a_label_or_a_number_behind_the_key_is_understood_as_in_logging(app: cuewire.App) -> None:
    await app.prompts.publish(TEMPLATE, "Second", labels=["candidate"])

    assert loaded(f"{TEMPLATE}@candidate")["template"] == "Second"
    assert loaded(f"{TEMPLATE}@1")["template"] == OF_THE_DATABASE


async def test_a_label_that_another_process_moves_is_seen_within_a_second(app: cuewire.App, url: str) -> None:
    await app.prompts.publish(TEMPLATE, "Second")
    assert loaded(TEMPLATE)["version"] == 1
    code = "import cuewire, sys\nwith cuewire.open(sys.argv[1]) as app: app.prompts.label(sys.argv[2], 'production', 2)"
    await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code, url, TEMPLATE], check=True)

    begun = monotonic()
    while loaded(TEMPLATE)["version"] == 1:
        assert monotonic() - begun < SEEN_WITHIN_S * SLACK


@pytest.mark.contract("S1-18")
async def test_model_and_parameters_are_those_of_the_database(app: cuewire.App, loading: LoadingProgram) -> None:
    parameters = {"temperature": 0.7, "top_p": 0.9, "top_k": 20, "max_tokens": 900, "seed": 7}
    await app.prompts.publish(TEMPLATE, "Second", model="google/gemini-2.5-pro", parameters=parameters, publish=True)
    loading.told({TEMPLATE: {"template": "x", "model_name": "of-the-environment", "temperature": 0.1}})
    usual = {
        "model_name": "gemini-2.5-pro",
        "temperature": 0.7,
        "top_p": 0.9,
        "top_k": 20,
        "max_output_tokens": 900,
    }

    found = loaded(TEMPLATE)
    assert (found["source"], {name: found[name] for name in usual}) == ("database", usual)
    assert get_model_config(TEMPLATE) == found["model_config"] == usual | {"seed": 7}


async def test_the_description_is_that_of_the_prompt(app: cuewire.App) -> None:
    await app.prompts.edit(TEMPLATE, description="What a user wants")

    assert loaded(TEMPLATE)["description"] == "What a user wants"


async def test_of_a_name_in_two_languages_the_english_one_is_loaded(app: cuewire.App) -> None:
    await app.prompts.publish("greet", "Hallo", language="de")
    await app.prompts.publish("greet", "Hello", language="en")

    assert loaded("greet")["template"] == "Hello"


async def test_a_strategy_of_the_name_does_not_hide_the_global_prompt(app: cuewire.App) -> None:
    await app.strategies.add("momentum")
    await app.prompts.publish(TEMPLATE, "Of momentum", strategy="momentum")

    assert loaded(TEMPLATE)["template"] == OF_THE_DATABASE


@pytest.mark.contract("S1-16")
async def test_the_row_of_the_table_shows_the_same(app: cuewire.App, url: str) -> None:
    await app.prompts.publish(TEMPLATE, "Second {{ text }}\n  with \u2028 and 'quotes'", publish=True)
    found = loaded(TEMPLATE)

    row = await row_of(url, TEMPLATE, found["version"])
    assert row.template_content == found["template"]  # type: ignore[attr-defined]
    assert row.is_active  # type: ignore[attr-defined]
    assert not (await row_of(url, TEMPLATE, 1)).is_active  # type: ignore[attr-defined]


async def test_a_chat_is_its_messages_in_json_as_in_the_table(app: cuewire.App, url: str) -> None:
    messages = [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "{{ text }}"}]
    await app.prompts.publish("chat", messages)

    shown = json.loads(loaded("chat")["template"])
    assert [{name: one[name] for name in ("role", "content")} for one in shown] == messages
    assert json.loads((await row_of(url, "chat", 1)).template_content) == shown  # type: ignore[attr-defined]


async def test_what_is_logged_is_logged_under_the_version_that_was_loaded(app: cuewire.App) -> None:
    await app.prompts.publish(TEMPLATE, "Second", publish=True)

    found = loaded(TEMPLATE)
    assert (await stored(app, log_prompt_execution(TEMPLATE, True, 5.0))).version == found["version"] == 2


@pytest.mark.usefixtures("app")
def test_sixteen_threads_get_the_same_template_at_once(loading: LoadingProgram) -> None:
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(lambda _: loaded(TEMPLATE), range(400)))

    assert {(one["template"], one["version"], one["source"]) for one in found} == {(OF_THE_DATABASE, 1, "database")}
    assert (len(loading.lines), loading.failed, loading.warned) == (400, {}, [])


@on_a_file
async def test_what_a_caller_does_to_a_template_no_other_sees(app: cuewire.App) -> None:
    await app.prompts.publish("greet", "Hello", parameters={"stop": ["a"]})
    found = get_template("greet")
    assert found is not None
    found["template"] = "changed"
    found["model_config"]["stop"].append("b")

    assert loaded("greet")["template"] == "Hello"
    assert loaded("greet")["model_config"]["stop"] == ["a"]


@on_a_file
@pytest.mark.usefixtures("app")
def test_the_key_may_be_left_out_as_in_the_seed() -> None:
    assert get_template() == get_template(TEMPLATE)
    assert get_model_config() == get_model_config(TEMPLATE)


@on_a_file
@pytest.mark.usefixtures("app")
async def test_it_may_be_called_in_an_event_loop_and_from_its_threads() -> None:
    assert loaded(TEMPLATE) == await asyncio.to_thread(loaded, TEMPLATE)
