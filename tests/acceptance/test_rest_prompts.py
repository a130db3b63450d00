"""Prompts over REST: list them page by page, filtered and sorted; look one up; create one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.support.rest_prompts import PROMPTS, create, listed, names, post, put, shown
from tests.support.served_databases import serving_on
from tests.support.serving import Serving
from tests.support.stores import KINDS

SORTS = ("name", "created_at", "updated_at", "template_type", "language", "id")
LITERALS = ("types", "filters", "stats", "subscribe", "validate", "render", "variables", "import", "export")
_numbers = count(1)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving_on(request.param, tmp_path_factory.mktemp("prompts")) as running:
        yield running


@pytest.fixture
def name() -> str:
    """Return a name that no other test has."""
    return f"prompt-{next(_numbers)}"


@pytest.mark.contract("S3-038", "S3-096")
def test_prompts_are_listed_ten_on_a_page_unless_asked_otherwise(server: Serving, name: str) -> None:
    made = [create(server, f"{name}/{number:02}", tags=[name])["prompt"]["name"] for number in range(12)]

    pages = [listed(server, f"tag={name}&page={page}") for page in (1, 2, 3)]
    bare = server.ask("GET", f"{PROMPTS}?tag={name}").json
    wide = listed(server, f"tag={name}&page_size=100")

    assert [names(page) for page in pages] == [made[:10], made[10:], []]
    assert [(page["total"], page["page"], page["page_size"]) for page in pages] == [(12, n, 10) for n in (1, 2, 3)]
    assert bare == pages[0]
    assert names(wide) == made
    assert (pages[0]["next"] is None, pages[1]["next"]) == (False, None)


@pytest.mark.contract("S3-038")
def test_a_list_is_continued_after_its_cursor_whatever_came_in_between(server: Serving, name: str) -> None:
    made = [create(server, f"{name}/{number}", tags=[name])["prompt"]["name"] for number in range(1, 6)]

    first = listed(server, f"tag={name}&limit=2")
    create(server, f"{name}/0", tags=[name])
    second = listed(server, f"tag={name}&limit=2&after={first['next']}")
    third = listed(server, f"tag={name}&limit=2&after={second['next']}")

    assert [*names(first), *names(second), *names(third)] == made
    assert (second["page"], third["next"], third["total"]) == (None, None, 6)


@pytest.mark.contract("S3-038")
@pytest.mark.parametrize("sort", [*SORTS, *(f"-{each}" for each in SORTS)])
def test_a_list_is_sorted_as_asked_on_pages_and_after_cursors(server: Serving, name: str, sort: str) -> None:
    for number, (kind, language) in enumerate((("general", "de"), ("analysis", "en"), ("analysis", "fr"))):
        create(server, f"{name}/{number * 7 % 3}", tags=[name], template_type=kind, language=language)
    put(server, f"{name}%2F1?language=fr", {"description": "changed last"})
    field, is_descending = sort.removeprefix("-"), sort.startswith("-")

    whole = listed(server, f"tag={name}&sort={sort}")["items"]
    first = listed(server, f"tag={name}&sort={sort}&limit=2")
    rest = listed(server, f"tag={name}&sort={sort}&limit=2&after={first['next']}")

    assert whole == sorted(whole, key=lambda each: (each[field], each["id"]), reverse=is_descending)
    assert [*first["items"], *rest["items"]] == whole
    assert len(whole) == 3


@pytest.mark.contract("S3-038", "S3-006", "S3-007")
@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "global inactive german own"),
        ("type=analysis", "own"),
        ("language=de", "german"),
        ("strategy={name}-s", "own"),
        ("strategy={name}-s&with_global=true", "global inactive german own"),
        ("scope=global", "global inactive german"),
        ("scope=strategy", "own"),
        ("status=active", "global german own"),
        ("status=inactive", "inactive"),
        ("status=archived", "gone"),
        ("category=letters", "german"),
        ("q=GREETS", "global"),
        ("q=LETTERS", "german"),
        ("q={name}%2Fin", "inactive"),
        ("q=%25", ""),
        ("name={name}/g*", "german global"),
        ("type=analysis&language=de", ""),
    ],
)
def test_a_list_holds_what_was_filtered_for(server: Serving, query: str, found: str) -> None:
    name = "shelf"
    if server.ask("POST", "/api/v1/strategies", {"name": f"{name}-s"}).status == 201:
        create(server, f"{name}/global", tags=[name], description="It greets people")
        create(server, f"{name}/inactive", tags=[name])
        create(server, f"{name}/german", tags=[name], language="de", category="Letters")
        create(server, f"{name}/own", tags=[name], strategy=f"{name}-s", template_type="analysis")
        create(server, f"{name}/gone", tags=[name])
        assert put(server, f"{name}%2Finactive", {"is_active": False}).status == 200
        assert server.ask("DELETE", f"{PROMPTS}/{name}%2Fgone").status == 200

    page = listed(server, f"tag={name}&" + query.format(name=name).replace("letters", "Letters"))

    assert sorted(names(page)) == sorted(f"{name}/{each}" for each in found.split())
    assert page["total"] == len(page["items"])


@pytest.mark.contract("S3-039")
def test_a_prompt_is_looked_up_by_id_and_by_name(server: Serving, name: str) -> None:
    made = create(server, f"{name}/deep", description="Greets", tags=["b", "a"], category="c", template_type="analysis")

    by_name = server.ask("GET", f"{PROMPTS}/{name}%2Fdeep")
    by_id = server.ask("GET", f"{PROMPTS}/{made['prompt']['id']}")

    assert (by_name.status, by_name.json) == (200, made["prompt"] | {"current": made["version"]})
    assert by_id.json == by_name.json
    assert by_id.headers["etag"] == by_name.headers["etag"] == f'"{made["prompt"]["revision"]}"'
    assert (made["prompt"]["description"], made["prompt"]["tags"]) == ("Greets", ["a", "b"])
    assert made["version"]["messages"] == [{"type": "message", "role": "user", "content": "Hello {{ x }}"}]


@pytest.mark.contract("S3-039")
def test_a_prompt_that_is_not_there_is_404_and_an_archived_one_is_unless_it_is_asked_for(
    server: Serving, name: str
) -> None:
    made = create(server, name)["prompt"]["id"]
    assert server.ask("DELETE", f"{PROMPTS}/{name}").status == 200

    missing = [server.ask("GET", f"{PROMPTS}/{which}") for which in (f"{name}-absent", "999999999", name, made)]
    kept = [shown(server, which, "?archived=true") for which in (name, made)]

    assert [(reply.status, reply.json["code"]) for reply in missing] == [(404, "prompt_not_found")] * 4
    assert [(each["id"], each["status"]) for each in kept] == [(made, "archived")] * 2


@pytest.mark.contract("S3-040", "S3-094")
def test_a_prompt_is_created_with_its_first_version_in_production(server: Serving, name: str) -> None:
    reply = post(server, name, tags=["x"], labels=["candidate"], note="the first")

    assert (reply.status, reply.json["published"], reply.json["reviews"]) == (201, True, {})
    assert reply.headers["location"] == f"{PROMPTS}/{reply.json['prompt']['id']}"
    assert reply.headers["etag"] == f'"{reply.json["prompt"]["revision"]}"'
    assert server.ask("GET", reply.headers["location"]).json["current"] == reply.json["version"]
    assert reply.json["prompt"]["labels"] == {"candidate": 1, "latest": 1, "production": 1}
    assert (reply.json["version"]["number"], reply.json["version"]["note"]) == (1, "the first")


@pytest.mark.contract("S3-040", "S3-096")
def test_a_prompt_is_created_once_in_each_strategy_and_language(server: Serving, name: str) -> None:
    strategy = server.ask("POST", "/api/v1/strategies", {"name": name}).json["id"]
    homes: list[dict[str, Any]] = [{}, {"language": "de"}, {"strategy": name}, {"strategy": strategy, "language": "de"}]

    made = [post(server, name, **home) for home in homes]
    again = [post(server, name, **home) for home in homes]

    assert [reply.status for reply in made] == [201] * 4
    assert [(reply.status, reply.json["code"]) for reply in again] == [(409, "prompt_exists")] * 4
    homes = [
        {"strategy": each.json["prompt"]["strategy"], "language": each.json["prompt"]["language"]} for each in made
    ]
    assert homes == [{"strategy": own, "language": tag} for own in (None, name) for tag in ("en", "de")]


@pytest.mark.parametrize("literal", LITERALS)
def test_a_prompt_with_the_name_of_a_route_is_reached_by_its_id(server: Serving, literal: str) -> None:
    made = create(server, literal)["prompt"]["id"]

    by_id = server.ask("GET", f"{PROMPTS}/{made}")
    changed = put(server, str(made), {"description": "reached"})
    labelled = server.ask("POST", f"{PROMPTS}/{made}/labels", {"label": "seen", "number": 1})
    versions = server.ask("GET", f"{PROMPTS}/{literal}/versions")

    assert (by_id.status, by_id.json["name"], by_id.json["id"]) == (200, literal, made)
    assert [reply.status for reply in (changed, labelled, versions)] == [200] * 3
    assert literal in names(listed(server, "page_size=100&q=" + literal))


@pytest.mark.parametrize(
    ("literal", "field"),
    [("types", "items"), ("filters", "filters"), ("stats", "by_type"), ("export", "prompts")],
    ids=lambda each: each,
)
def test_a_route_is_not_shadowed_by_a_prompt_of_its_name(server: Serving, literal: str, field: str) -> None:
    post(server, literal)

    reply = server.ask("GET", f"{PROMPTS}/{literal}")

    assert (reply.status, field in reply.json, "current" in reply.json) == (200, True, False)
