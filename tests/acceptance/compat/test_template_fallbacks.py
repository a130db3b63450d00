"""Templates where the database does not give them: what stands in, what is said of it, and how they are rendered."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

import cuewire
from cuewire.compat.process_app import PATIENCE_S
from cuewire.compat.prompt_templates import (
    close_database,
    get_model_config,
    get_template,
    render_template,
)
from cuewire.model.errors import InvalidInput, TemplateError
from tests.support import postgres
from tests.support.loading_programs import LoadingProgram, loaded
from tests.support.logged_programs import TEMPLATE

pytestmark = [pytest.mark.contract("S1-55"), pytest.mark.parametrize("kind", ["sqlite"], indirect=True)]

SLACK = 3
CANARY = "canary-5d1e7a"


@pytest.fixture
def own_server() -> Iterator[postgres.OwnServer]:
    own = postgres.OwnServer()
    yield own
    own.remove()


@pytest.mark.parametrize(
    "entry",
    ["Hi {name}", {"template": "Hi {name}"}, {"template_text": "Hi {name}"}, {"template_content": "Hi {name}"}],
    ids=str,
)
def test_an_entry_of_the_environment_is_a_text_or_names_one(loading: LoadingProgram, entry: object) -> None:
    loading.told({"greet": entry})

    found = loaded("greet")
    assert (found["template"], found["format"], found["source"]) == ("Hi {name}", "fstring", "environment")
    assert (found["name"], found["version"]) == ("greet", None)


@pytest.mark.parametrize(
    "entry",
    [
        {"template": "x", "model_name": "gemini-2.5-flash", "temperature": 0.2, "max_output_tokens": 2048},
        {"template": "x", "model_config": {"model": "gemini-2.5-flash", "temperature": 0.2, "max_tokens": 2048}},
    ],
    ids=["as in the seed", "model_config"],
)
def test_the_model_of_an_entry_is_told_as_the_seed_tells_it(loading: LoadingProgram, entry: dict[str, Any]) -> None:
    loading.told({"greet": entry})

    assert get_model_config("greet") == {
        "model_name": "gemini-2.5-flash",
        "temperature": 0.2,
        "top_p": None,
        "top_k": None,
        "max_output_tokens": 2048,
    }


@pytest.mark.parametrize(
    "told",
    [
        "{",
        "[]",
        '"text"',
        "[" * 100_000,
        f'{{"{TEMPLATE}": null}}',
        f'{{"{TEMPLATE}": 5}}',
        f'{{"{TEMPLATE}": {{}}}}',
        f'{{"{TEMPLATE}": {{"template": " "}}}}',
        f'{{"{TEMPLATE}": {{"template": ["x"]}}}}',
        f'{{"{TEMPLATE}": {{"template": "x", "model_config": []}}}}',
        f'{{"{TEMPLATE}": {{"template": "x", "format": "mustache"}}}}',
        f'{{"{TEMPLATE}": {{"template": "x", "format": []}}}}',
    ],
    ids=lambda told: told[:60],
)
def test_an_environment_that_makes_no_sense_is_told_of_and_passed_over(loading: LoadingProgram, told: str) -> None:
    loading.told(told)

    assert loaded(TEMPLATE)["source"] == "file"
    assert (loading.failed, loading.warned) == ({"environment_unusable": 1}, ["template.unread"])
    assert "prompt_templates" in loading.lines[0]["problem"]


@pytest.mark.parametrize("text", ["no settings", "---\nmodel: [\n---\nx\n", "---\nunknown: 1\n---\nx\n"], ids=repr)
def test_a_file_that_makes_no_sense_is_told_of_and_passed_over(loading: LoadingProgram, text: str) -> None:
    loading.filed(TEMPLATE, text)
    loading.filed("greet")

    assert loaded(TEMPLATE)["template"].startswith("You turn what a user says")
    assert (loading.failed, loading.warned) == ({"folder_unusable": 1}, ["template.unread"])
    assert loaded("greet")["template"] == "Of the file: {{ text }}"


def test_a_file_gives_its_model_and_parameters(loading: LoadingProgram) -> None:
    loading.filed("support/greet")

    found = loaded("support/greet")
    assert (found["model_name"], found["temperature"], found["version"]) == ("of-the-file", 0.5, None)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "A B",
        "\ud800",
        "x\x00y",
        "greet@",
        "9" * 30,
        "x" * 1_000_000,
        "'; DROP TABLE prompts; --",
        "../secret",
        "a/../../secret",
        "/etc/passwd",
        "{{ 7 * 7 }}",
    ],
    ids=lambda key: repr(key[:30]),
)
def test_a_hostile_key_is_none_and_no_file_elsewhere_is_read(loading: LoadingProgram, key: str) -> None:
    loading.filed("greet")
    (loading.folder.parent / "secret.prompt").write_text((loading.folder / "greet.prompt").read_text())
    loading.told({"greet": "x"})

    assert get_template(key) is None
    assert (loading.failed, loading.warned) == ({"no_template": 1}, ["template.missing"])


@pytest.mark.parametrize("key", [None, 7, b"greet", ["greet"], {"a": 1}, object()], ids=lambda key: type(key).__name__)
def test_a_key_that_is_no_text_is_none(loading: LoadingProgram, key: Any) -> None:
    assert get_template(key) is None
    assert get_model_config(key) is None
    assert render_template(key, {}) is None
    assert loading.failed == {"invalid_input": 3}


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("sqlite:///{folder}/damaged", "store_damaged"),
        ("sqlite:////proc/cue.db", "store_error"),
        ("postgresql://ada:{canary}@127.0.0.1:1/cue", "store_unavailable"),
        ("mysql+pymysql://ada:{canary}@127.0.0.1/cue", "config_error"),
        ("host=127.0.0.1 password={canary}", "config_error"),
    ],
)
def test_without_a_database_that_can_be_had_the_environment_stands_in(
    loading: LoadingProgram, tmp_path: Path, place: str, reason: str
) -> None:
    (tmp_path / "damaged").write_text("not a database, " * 100)
    loading.told({"greet": "Hi {name}"})
    loading.move(place.format(folder=tmp_path, canary=CANARY))

    assert [loaded("greet")["source"] for _ in range(2)] == ["environment"] * 2
    assert render_template("greet", {"name": "Ada"}) == "Hi Ada"
    assert (loading.failed, loading.warned) == ({reason: 3}, ["template.unread"] * 3)
    assert CANARY not in loading.log.text


async def test_a_server_that_stops_is_stood_in_for_and_found_again(
    loading: LoadingProgram, own_server: postgres.OwnServer
) -> None:
    async with cuewire.open(own_server.url) as app:
        await app.prompts.publish(TEMPLATE, "Of the database")
    loading.told({TEMPLATE: "Of the environment"})
    loading.move(own_server.url)
    assert loaded(TEMPLATE)["template"] == "Of the database"

    own_server.kill()
    begun = monotonic()
    while loaded(TEMPLATE)["source"] == "database":  # for as long as what was read is fresh
        assert monotonic() - begun < PATIENCE_S
    assert loaded(TEMPLATE)["template"] == "Of the environment"
    assert loading.failed.keys() == {"store_unavailable"}

    own_server.start()
    begun = monotonic()
    while loaded(TEMPLATE)["source"] == "environment":
        assert monotonic() - begun < 10
    assert loaded(TEMPLATE)["template"] == "Of the database"


def test_a_server_that_stands_still_holds_only_the_first_up(
    loading: LoadingProgram, own_server: postgres.OwnServer
) -> None:
    loading.told({TEMPLATE: "Of the environment"})
    loading.move(own_server.url)

    with own_server.frozen():
        begun = monotonic()
        first = loaded(TEMPLATE)
        waited, begun = monotonic() - begun, monotonic()
        others = [loaded(TEMPLATE) for _ in range(20)]
        assert monotonic() - begun < PATIENCE_S / 2

    assert waited < PATIENCE_S * SLACK
    assert {one["template"] for one in [first, *others]} == {"Of the environment"}
    assert loading.failed == {"timeout": 21}


def test_settings_that_make_no_sense_leave_what_comes_with_cuewire(loading: LoadingProgram) -> None:
    loading.monkeypatch.setenv("CUEWIRE_MAX_CONNECTIONS", "many")
    close_database()

    assert loaded(TEMPLATE)["source"] == "file"
    assert loading.failed == {"config_error": 1, "environment_unusable": 1, "folder_unusable": 1}
    rendered = render_template(TEMPLATE, {"text": "wake me at six"})
    assert rendered is not None
    assert "wake me at six" in rendered


@pytest.mark.usefixtures("loading")
async def test_a_template_of_the_database_is_rendered_with_what_it_includes(app: cuewire.App) -> None:
    await app.prompts.publish("style", "Be {{ tone }}.")
    await app.prompts.publish("greet", "{% include 'style' %} Hello {{ name | upper }}")

    assert render_template("greet", {"tone": "kind", "name": "Ada", "unread": object()}) == "Be kind. Hello ADA"


def test_a_template_of_a_file_is_rendered_with_its_defaults(loading: LoadingProgram) -> None:
    loading.filed("greet", "---\nvariables:\n  tone:\n    type: string\n    default: kind\n---\nBe {{ tone }}.\n")

    assert render_template("greet", {}) == "Be kind."


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{x}", "a {y} {{ z }} {% raw %}"),
        ("{x}", 3.10),
        ("{x}", True),
        ("{x}", None),
        ("{x}", Path("a/b")),
        ("{x}", Fraction(1, 3)),
        ('<{x}> {{"json": {{{x}}}}} {{% if %}}', 7),
        ("Hi {x}\n", 1),
        ("{x}\n\n", "two lines"),
        ("{x[name]} of {x[list][0]}", {"name": "Ada", "list": ["a"]}),
    ],
    ids=repr,
)
def test_an_old_text_is_rendered_as_python_formats_it(loading: LoadingProgram, text: str, value: Any) -> None:
    loading.told({"old": text})

    assert render_template("old", {"x": value, "unread": object()}) == text.format(x=value)
    assert loading.warned == []


def test_what_an_old_text_says_of_the_form_of_a_value_is_left_out_with_a_warning(loading: LoadingProgram) -> None:
    loading.told({"old": "{x:.2f}"})

    assert render_template("old", {"x": 3.14159}) == "3.14159"
    assert loading.warned == ["template.altered"]
    assert loading.lines[-1]["losses"] == ["{x:.2f}: the value is written without conversion and format"]


def test_an_entry_that_says_so_is_a_text_of_ours(loading: LoadingProgram) -> None:
    loading.told({"new": {"template": "{% for x in xs %}<{{ x }}>{% endfor %}", "format": "jinja2"}})

    assert render_template("new", {"xs": [1, 2]}) == "<1><2>"


@pytest.mark.parametrize("form", ["fstring", "jinja2"])
def test_a_variable_that_is_missing_is_named(loading: LoadingProgram, form: str) -> None:
    loading.told({"greet": {"template": "{{ name }}" if form == "jinja2" else "{name}", "format": form}})

    with pytest.raises(InvalidInput, match="'name' is missing"):
        render_template("greet", {"nam": "Ada"})


@pytest.mark.parametrize(
    ("text", "form"), [("{{ ''.__class__.__mro__ }}", "jinja2"), ("{x.__class__.__mro__}", "fstring")]
)
def test_a_text_of_the_environment_is_rendered_in_the_sandbox(loading: LoadingProgram, text: str, form: str) -> None:
    loading.told({"evil": {"template": text, "format": form}})

    with pytest.raises((TemplateError, InvalidInput)):
        render_template("evil", {"x": "a"})
    with pytest.raises((TemplateError, InvalidInput)):
        render_template("evil", {"x": object})


@pytest.mark.usefixtures("loading")
async def test_a_chat_is_no_text_to_render(app: cuewire.App) -> None:
    await app.prompts.publish("chat", [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}])

    with pytest.raises(InvalidInput, match="several messages"):
        render_template("chat", {})


def test_what_no_source_has_is_not_rendered(loading: LoadingProgram) -> None:
    assert render_template("absent", {"a": 1}) is None
    assert loading.failed == {"no_template": 1}
