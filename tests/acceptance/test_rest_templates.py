"""Templates over REST, before they are published: validated, previewed, and what their authors write from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.support.access import known_as
from tests.support.served_databases import serving_on
from tests.support.serving import Reply, Serving
from tests.support.stores import KINDS

BLOCKS = """\
{% block head %}{% if rsi > 70 %}Hot{% else %}Cool{% endif %}{% endblock %}{% for p in peers %} {{ p }}{% endfor %}"""


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving_on(request.param, tmp_path_factory.mktemp("templates")) as running:
        yield running


def validate(server: Serving, **body: object) -> Any:
    reply = server.ask("POST", "/api/v1/prompts/validate", body)
    assert reply.status == 200, reply.json
    return reply.json


def render(server: Serving, **body: object) -> Reply:
    return server.ask("POST", "/api/v1/prompts/render", body)


def text_of(server: Serving, template: str, **context: object) -> str:
    reply = render(server, template_text=template, context=context)
    assert reply.status == 200, reply.json
    return str(reply.json["rendered_text"])


@pytest.mark.contract("S3-043")
def test_a_client_of_the_origin_learns_whether_a_template_is_valid(server: Serving) -> None:
    good = validate(server, template_text="Hi {{ name }}")
    bad = validate(server, template_text="Hi\n{% if %}")

    assert (good["is_valid"], good["error_message"], good["undefined_variables"]) == (True, None, ["name"])
    assert (bad["is_valid"], bad["undefined_variables"]) == (False, [])
    assert bad["error_message"].startswith("line 2: ")


def test_all_that_is_wrong_is_told_at_once_with_its_place(server: Serving) -> None:
    content = [
        {"role": "system", "content": "{{ a | nofilter }}\n{{ b | nofilter2 }}"},
        {"role": "user", "content": "{% for %}"},
    ]

    found = validate(server, content=content)

    assert found["is_valid"] is False
    assert [(each["index"], each["line"]) for each in found["problems"]] == [(0, 1), (0, 2), (1, 1)]
    assert all(each["column"] > 0 and each["message"] and each["hint"] for each in found["problems"])


def test_warnings_tell_what_the_author_should_know(server: Serving) -> None:
    content = "{{ today }} {{ typo }} {{ rsi | round(1) }}"
    found = validate(server, content=content, template_type="analysis", variables={"gone": {"type": "string"}})

    assert {each["code"]: each["name"] for each in found["warnings"]} == {
        "volatile": "",
        "unused": "gone",
        "undefined": "typo",
    }
    assert (found["undefined_variables"], found["filters"]) == (["typo"], ["round"])
    assert [*found["variables"]] == ["typo", "rsi"]
    assert found["tokens"] >= 0


@pytest.mark.contract("S3-044")
def test_a_preview_shows_the_text_marks_what_is_missing_and_counts_tokens(server: Serving) -> None:
    shown = render(server, template_text="Hi {{ name }}, {{ user.age }}", context={"name": "Ada", "more": 1})

    assert shown.status == 200
    assert shown.json["rendered_text"] == "Hi Ada, ⟦user.age⟧"
    assert {(each["code"], each["name"]) for each in shown.json["warnings"]} == {
        ("missing", "user"),
        ("surplus", "more"),
    }
    assert shown.json["tokens"] > 0


@pytest.mark.contract("S3-044")
@pytest.mark.parametrize("template", ["{{ ", "{% if %}", "{{ x | nofilter }}", "{{ ''.__class__ }}", "{{ 1 / 0 }}"])
def test_an_error_of_the_template_is_400_with_its_place(server: Serving, template: str) -> None:
    refused = render(server, template_text=template)

    assert (refused.status, refused.headers["content-type"]) == (400, "application/problem+json")
    assert refused.json["status"] == 400
    assert refused.json["code"].startswith("template_")
    assert refused.json["line"] == 1
    assert refused.json["field"] == "/content/0"


def test_a_strict_preview_refuses_all_inputs_that_are_wrong(server: Serving) -> None:
    variables = {"number": {"type": "integer"}}
    body = {"content": "{{ number }} {{ word }}", "variables": variables, "strict": True}

    refused = render(server, inputs={"number": "x", "extra": 1}, **body)
    shown = render(server, inputs={"number": 3, "word": "x"}, **body)

    assert refused.status == 422
    assert {each["pointer"] for each in refused.json["problems"]} == {"/inputs/number", "/inputs/word", "/inputs/extra"}
    assert (shown.status, shown.json["rendered_text"], shown.json["warnings"]) == (200, "3 x", [])


def test_a_version_is_previewed_by_number_or_label_and_with_its_examples(server: Serving) -> None:
    for text in ("One {{ who }}", "Two {{ who }}"):
        variables = {"who": {"type": "string", "examples": ["Ada"]}}
        assert server.publish("previewed", text, variables=variables).status == 200

    first = render(server, prompt="previewed", use_examples=True).json
    second = render(server, prompt="previewed", version=2, inputs={"who": "Bob"}).json
    newest = render(server, prompt="previewed", label="latest").json

    assert first["rendered_text"] == "One Ada"
    assert first["inputs"] == {"who": "Ada"}
    assert (second["rendered_text"], newest["rendered_text"]) == ("Two Bob", "Two ⟦who⟧")
    assert render(server, prompt="previewed", version=3).status == 404
    assert render(server, prompt="previewed", version=1, label="latest").status == 422


def test_examples_come_from_the_catalogue_of_the_type(server: Serving) -> None:
    shown = render(server, content="{{ symbol }} {{ odd }}", template_type="analysis", use_examples=True)

    assert shown.json["rendered_text"] == "AAPL ⟦odd⟧"


@pytest.mark.contract("S3-053")
def test_the_types_of_templates_are_listed_and_can_be_added_to(server: Serving) -> None:
    variables = [{"name": "subject", "json_schema": {"type": "string", "examples": ["Hello"]}, "aliases": ["title"]}]

    put = server.ask("PUT", "/api/v1/prompts/types/mail", {"description": "A letter.", "variables": variables})
    names = [kind["name"] for kind in server.ask("GET", "/api/v1/prompts/types").json["items"]]
    found = validate(server, content="{{ title }} {{ body }}", template_type="mail")

    assert put.status == 200
    assert (put.json["variables"][0]["type"], put.json["variables"][0]["example"]) == ("string", "Hello")
    assert {"analysis", "consolidation", "system_message", "mail"} <= {*names}
    assert names == sorted(names)
    assert found["undefined_variables"] == ["body"]
    assert server.ask("POST", "/api/v1/prompts/validate", {"content": "x", "template_type": "none"}).status == 404


@pytest.mark.contract("S3-076")
@pytest.mark.contract("S3-077")
def test_the_catalogue_names_the_variables_with_type_example_and_description(server: Serving) -> None:
    kinds = {kind["name"]: kind for kind in server.ask("GET", "/api/v1/prompts/types").json["items"]}
    of_analysis = {each["name"]: each for each in kinds["analysis"]["variables"]}

    assert {"symbol", "current_price", "timeframe", "now", "today", "exchange"} <= of_analysis.keys()
    assert {"rsi", "atr", "macd", "ma20", "strategy"} <= of_analysis.keys()
    assert all(each["type"] and each["description"] and each["example"] is not None for each in of_analysis.values())
    consolidation = {each["name"]: each["aliases"] for each in kinds["consolidation"]["variables"]}
    assert consolidation["daily_analysis"] == ["analysis_daily"]


@pytest.mark.contract("S3-078")
@pytest.mark.contract("S3-087")
def test_every_word_that_is_listed_exists_and_gives_what_its_example_says(server: Serving) -> None:
    listed = server.ask("GET", "/api/v1/prompts/filters").json
    words = [*listed["filters"], *listed["functions"], *listed["tests"]]
    examples: Mapping[str, str] = {each["example"]: each["result"] for each in words}
    content = [{"role": "user", "content": example} for example in examples]
    timed = {each["index"] for each in validate(server, content=content)["warnings"] if each["code"] == "volatile"}

    shown = render(server, content=content).json["messages"]

    assert {"round", "percent", "currency", "upper", "date"} <= {each["name"] for each in listed["filters"]}
    assert len(listed["filters"]) >= 34
    assert {each["name"] for each in listed["functions"]} >= {"now", "today"}
    wrong = [
        (example, told["text"], result)
        for index, ((example, result), told) in enumerate(zip(examples.items(), shown, strict=True))
        if told["text"] != result and index not in timed
    ]
    assert wrong == []
    assert len(timed) < 5


@pytest.mark.contract("S3-054")
def test_prompts_are_counted_by_what_is_said_of_them_as_far_as_one_sees_them(server: Serving) -> None:
    narrow = known_as(server, name="counter", prompts=["counted/*"])
    assert server.ask("POST", "/api/v1/strategies", {"name": "counting"}).status == 201
    for name, more in (
        ("counted/a", {"template_type": "analysis", "tags": ["x", "y"]}),
        ("counted/b", {"language": "de", "tags": ["x"]}),
        ("counted/c", {"strategy": "counting"}),
        ("counted/d", {}),
        ("uncounted", {}),
    ):
        assert server.ask("POST", "/api/v1/prompts/", {"name": name, "content": "1", **more}).status == 201
    server.publish("counted%2Fa", "2")
    server.ask("PUT", "/api/v1/prompts/counted%2Fb?language=de", {"is_active": False})
    server.ask("DELETE", "/api/v1/prompts/counted%2Fd")

    counted = narrow.ask("GET", "/api/v1/prompts/stats").json
    whole = server.ask("GET", "/api/v1/prompts/stats").json

    assert counted == {
        "prompts": 3,
        "versions": 4,
        "by_type": {"analysis": 1, "general": 2},
        "by_language": {"de": 1, "en": 2},
        "by_status": {"active": 2, "archived": 1, "inactive": 1},
        "by_scope": {"global": 2, "strategy": 1},
        "by_strategy": {"counting": 1},
        "tags": {"x": 2, "y": 1},
    }
    assert whole["prompts"] > counted["prompts"]


@pytest.mark.contract("S3-083")
def test_a_preview_fills_in_variables(server: Serving) -> None:
    assert text_of(server, "{{ symbol }} at {{ price }}", symbol="AAPL", price=1.5) == "AAPL at 1.5"


@pytest.mark.contract("S3-084")
def test_a_preview_follows_conditions_loops_and_blocks(server: Serving) -> None:
    assert text_of(server, BLOCKS, rsi=80, peers=["A", "B"]) == "Hot A B"
    assert text_of(server, BLOCKS, rsi=20, peers=[]) == "Cool"


@pytest.mark.contract("S3-085")
def test_a_preview_formats_numbers_and_dates(server: Serving) -> None:
    template = "{{ a | round(2) }} {{ b | percent }} {{ c | currency }} {{ d | upper }} {{ e | date }}"

    assert text_of(server, template, a=2.345, b=0.055, c=1234.5, d="x", e="2026-11-21T10:00:00Z") == (
        "2.35 5.50% $1,234.50 X 2026-11-21"
    )


@pytest.mark.contract("S3-086")
def test_now_and_today_are_values_and_calls_of_one_instant(server: Serving) -> None:
    first, second, third, fourth = text_of(server, "{{ now }}|{{ now() }}|{{ today }}|{{ today() }}").split("|")

    assert (first, third) == (second, fourth)
    assert first.startswith(third)


@pytest.mark.contract("S3-088")
def test_a_preview_reaches_nothing_of_the_server(server: Serving) -> None:
    refused = render(server, template_text="{{ ().__class__.__bases__[0].__subclasses__() }}")

    assert (refused.status, refused.json["code"]) == (400, "template_forbidden")


@pytest.mark.contract("S3-004")
def test_what_is_previewed_is_what_is_stored_and_run(server: Serving) -> None:
    template = "{% for n in numbers %}{{ n | signed }};{% endfor %}"
    numbers = {"numbers": [1, -2.5]}

    stored = server.publish("as-shown", template, model="scripted/echo").json["version"]
    ran = server.run("as-shown", numbers)

    assert stored["messages"] == [{"type": "message", "role": "user", "content": template}]
    assert ran.json["text"] == text_of(server, template, **numbers) == "+1.00;-2.50;"
