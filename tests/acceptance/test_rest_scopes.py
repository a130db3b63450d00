"""Strategies and configurations over REST, and the prompts that a strategy has beside the global ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.support.served_databases import serving_on
from tests.support.serving import Serving
from tests.support.stores import KINDS

_numbers = count(1)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving_on(request.param, tmp_path_factory.mktemp("scopes")) as running:
        yield running


@pytest.fixture
def own(server: Serving) -> str:
    """Return the name of a new strategy."""
    name = f"strategy-{next(_numbers)}"
    assert server.ask("POST", "/api/v1/strategies", {"name": name}).status == 201
    return name


def create(server: Serving, strategy: str, name: str, **more: object) -> Any:
    body = {"name": name, "content": "Own {{ x }}", "model": "scripted/echo", **more}
    reply = server.ask("POST", f"/api/v1/strategies/{strategy}/prompts", body)
    assert reply.status == 201, reply.json
    return reply.json


def listed(server: Serving, strategy: str, query: str = "") -> Any:
    return server.ask("GET", f"/api/v1/strategies/{strategy}/prompts{query}").json


@pytest.mark.contract("S3-049")
def test_a_strategy_lists_its_prompts_with_the_global_ones_unless_asked_otherwise(server: Serving, own: str) -> None:
    other = f"{own}-other"
    assert server.ask("POST", "/api/v1/strategies", {"name": other}).status == 201
    create(server, own, f"{own}/mine")
    create(server, other, f"{own}/theirs")
    assert server.publish(f"{own}%2Fglobal", "Global").status == 200

    both = listed(server, own, f"?name={own}/*")
    alone = listed(server, own, "?with_global=false")

    assert [(each["name"], each["strategy"]) for each in both["items"]] == [
        (f"{own}/global", None),
        (f"{own}/mine", own),
    ]
    assert (both["total"], both["page"], both["page_size"]) == (2, 1, 10)
    assert [each["name"] for each in alone["items"]] == [f"{own}/mine"]


@pytest.mark.contract("S3-049")
def test_the_prompts_of_a_strategy_are_paged_and_filtered_as_all_prompts_are(server: Serving, own: str) -> None:
    for number in range(5):
        create(server, own, f"p{number}", tags=["even" if number % 2 == 0 else "odd"])

    pages = [listed(server, own, f"?with_global=false&page={page}&page_size=2") for page in (1, 2, 3, 4)]
    first = listed(server, own, "?with_global=false&limit=3")
    rest = listed(server, own, f"?with_global=false&limit=3&after={first['next']}")

    assert [[each["name"] for each in page["items"]] for page in pages] == [["p0", "p1"], ["p2", "p3"], ["p4"], []]
    assert [each["name"] for each in [*first["items"], *rest["items"]]] == [f"p{number}" for number in range(5)]
    assert listed(server, own, "?with_global=false&tag=even&sort=-name")["total"] == 3


@pytest.mark.contract("S3-050")
def test_a_prompt_is_created_in_a_strategy_beside_a_global_one_of_the_name(server: Serving, own: str) -> None:
    assert server.publish("beside", "Global {{ x }}").status == 200

    made = create(server, own, "beside", description="ours", language="de")
    again = server.ask(
        "POST", f"/api/v1/strategies/{own}/prompts", {"name": "beside", "content": "x", "language": "de"}
    )

    assert (made["prompt"]["strategy"], made["prompt"]["language"], made["published"]) == (own, "de", True)
    assert (again.status, again.json["code"]) == (409, "prompt_exists")
    assert server.ask("GET", "/api/v1/prompts/beside").json["strategy"] is None


@pytest.mark.contract("S3-051")
def test_a_prompt_of_a_strategy_gets_a_new_version_by_its_id_or_name(server: Serving, own: str) -> None:
    prompt_id = create(server, own, "changed")["prompt"]["id"]

    by_id = server.ask("PUT", f"/api/v1/strategies/{own}/prompts/{prompt_id}", {"content": "Second {{ x }}"})
    by_name = server.ask("PUT", f"/api/v1/strategies/{own}/prompts/changed", {"description": "said"})
    stale = server.ask("PUT", f"/api/v1/strategies/{own}/prompts/{prompt_id}", {"content": "Third"}, If_Match='"1"')

    assert (by_id.status, by_id.json["version"]["number"], by_id.json["published"]) == (200, 2, True)
    assert (by_name.json["version"]["number"], by_name.json["prompt"]["description"]) == (2, "said")
    assert stale.status == 412


@pytest.mark.contract("S3-052")
def test_a_prompt_of_a_strategy_is_archived(server: Serving, own: str) -> None:
    prompt_id = create(server, own, "ended")["prompt"]["id"]

    ended = server.ask("DELETE", f"/api/v1/strategies/{own}/prompts/{prompt_id}")

    assert (ended.status, ended.json["status"]) == (200, "archived")
    assert listed(server, own, "?with_global=false")["items"] == []
    assert server.ask("GET", f"/api/v1/prompts/{prompt_id}").status == 404


@pytest.mark.contract("S3-051")
@pytest.mark.contract("S3-052")
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_global_prompts_and_those_of_others_are_not_there_to_be_changed(server: Serving, own: str, method: str) -> None:
    other = f"{own}-other"
    assert server.ask("POST", "/api/v1/strategies", {"name": other}).status == 201
    theirs = create(server, other, "theirs")["prompt"]["id"]
    everybodys = server.publish(f"{own}-global", "Global").json["prompt"]["id"]

    replies = [
        server.ask(method, f"/api/v1/strategies/{own}/prompts/{which}", {"content": "taken over"})
        for which in (theirs, everybodys, f"{own}-global", "theirs", "absent", 10**17)
    ]

    assert [(reply.status, reply.json["code"]) for reply in replies] == [(404, "prompt_not_found")] * 6
    assert server.ask("GET", f"/api/v1/prompts/{theirs}").json["versions"] == 1


@pytest.mark.contract("S3-035")
def test_the_strategys_own_prompt_is_found_first_and_else_the_global_one_and_the_answer_says_which(
    server: Serving, own: str
) -> None:
    assert server.publish(f"{own}-both", "Global {{ x }}").status == 200
    assert server.publish(f"{own}-only", "Global {{ x }}").status == 200
    create(server, own, f"{own}-both")

    def found(name: str, query: str) -> tuple[str | None, str]:
        version = server.ask("GET", f"/api/v1/prompts/{name}/versions/production{query}").json
        shown = server.ask("POST", "/api/v1/prompts/render", {"prompt": name, "strategy": own, "inputs": {"x": "!"}})
        return version["strategy"], shown.json["rendered_text"]

    assert found(f"{own}-both", f"?strategy={own}") == (own, "Own !")
    assert found(f"{own}-only", f"?strategy={own}") == (None, "Global !")
    assert server.ask("GET", f"/api/v1/prompts/{own}-both/versions/production").json["strategy"] is None


def test_a_strategy_is_added_changed_and_removed_once_it_has_no_prompts(server: Serving) -> None:
    added = server.ask("POST", "/api/v1/strategies", {"name": "whole", "parameters": {"risk": 0.02}})
    changed = server.ask("PUT", f"/api/v1/strategies/{added.json['id']}", {"description": "all of it"})
    create(server, "whole", "part")
    kept = server.ask("DELETE", "/api/v1/strategies/whole")

    assert (added.status, added.json["effective"]) == (201, {"risk": 0.02})
    assert (changed.json["description"], changed.json["parameters"]) == ("all of it", {"risk": 0.02})
    assert (kept.status, kept.json["code"]) == (409, "still_in_use")
    assert server.ask("POST", "/api/v1/strategies", {"name": "gone"}).status == 201
    assert server.ask("DELETE", "/api/v1/strategies/gone").json["name"] == "gone"
    assert server.ask("GET", "/api/v1/strategies/gone").status == 404
    assert server.ask("POST", "/api/v1/strategies", {"name": "whole"}).status == 409


def test_a_configuration_has_its_own_parameters_over_those_of_its_parents(server: Serving) -> None:
    for name, parent, parameters in (
        ("base", None, {"a": 1, "b": 1, "c": {"x": 1}}),
        ("middle", "base", {"b": 2}),
        ("top", "middle", {"c": {"y": 3}}),
    ):
        body = {"name": name, "parent": parent, "parameters": parameters}
        assert server.ask("POST", "/api/v1/configurations", body).status == 201

    top = server.ask("GET", "/api/v1/configurations/top").json
    circle = server.ask("PUT", "/api/v1/configurations/base", {"parent": "top"})
    alone = server.ask("PUT", "/api/v1/configurations/top", {"parent": None})

    assert (top["parameters"], top["effective"]) == ({"c": {"y": 3}}, {"a": 1, "b": 2, "c": {"y": 3}})
    assert (circle.status, circle.json["field"]) == (422, "/parent")
    assert alone.json["effective"] == {"c": {"y": 3}}
    assert server.ask("DELETE", "/api/v1/configurations/base").status == 409


def test_one_configuration_is_the_default(server: Serving) -> None:
    for name in ("staging", "live"):
        body = {"name": name, "is_default": True}
        assert server.ask("POST", "/api/v1/configurations", body).status == 201

    found = server.ask("GET", "/api/v1/configurations").json["items"]

    assert [each["name"] for each in found if each["is_default"]] == ["live"]
    assert [each["name"] for each in found] == sorted(each["name"] for each in found)
