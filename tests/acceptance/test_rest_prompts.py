"""Prompts over REST: list, look up, create, change, archive, bring back, clone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.support.access import known_as
from tests.support.served_databases import serving_on
from tests.support.serving import Reply, Serving
from tests.support.stores import KINDS

PROMPTS = "/api/v1/prompts"
SORTS = ("name", "created_at", "updated_at", "template_type", "language", "id")
_numbers = count(1)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving_on(request.param, tmp_path_factory.mktemp("prompts")) as running:
        yield running


@pytest.fixture
def name() -> str:
    """Return a name that no other test has."""
    return f"prompt-{next(_numbers)}"


def post(server: Serving, name: str, content: object = "Hello {{ x }}", **more: object) -> Reply:
    return server.ask("POST", f"{PROMPTS}/", {"name": name, "content": content, "model": "scripted/echo", **more})


def create(server: Serving, name: str, content: object = "Hello {{ x }}", **more: object) -> Any:
    reply = post(server, name, content, **more)
    assert reply.status == 201, reply.json
    return reply.json


def put(server: Serving, name: str, body: object, **headers: str) -> Reply:
    return server.ask("PUT", f"{PROMPTS}/{name}", body, **headers)


def shown(server: Serving, name: str, query: str = "") -> Any:
    return server.ask("GET", f"{PROMPTS}/{name}{query}").json


def listed(server: Serving, query: str) -> Any:
    reply = server.ask("GET", f"{PROMPTS}/?{query}")
    assert reply.status == 200, reply.json
    return reply.json


def names(page: Any) -> list[str]:
    return [each["name"] for each in page["items"]]


@pytest.mark.contract("S3-038")
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

    assert (reply.status, reply.json["published"], reply.json["review"]) == (201, True, None)
    assert reply.headers["location"] == f"{PROMPTS}/{reply.json['prompt']['id']}"
    assert reply.headers["etag"] == f'"{reply.json["prompt"]["revision"]}"'
    assert server.ask("GET", reply.headers["location"]).json["current"] == reply.json["version"]
    assert reply.json["prompt"]["labels"] == {"candidate": 1, "latest": 1, "production": 1}
    assert (reply.json["version"]["number"], reply.json["version"]["note"]) == (1, "the first")


@pytest.mark.contract("S3-040")
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


@pytest.mark.contract("S3-005", "S3-041", "S3-094")
def test_a_change_of_content_is_a_new_version_that_goes_to_production(server: Serving, name: str) -> None:
    create(server, name)

    changed = put(server, name, {"content": "Good day {{ x }}", "model": "scripted/echo", "note": "politer"})
    held = put(server, name, {"content": "Hi {{ x }}", "model": "scripted/echo", "publish": False})

    assert (changed.json["version"]["number"], changed.json["published"]) == (2, True)
    assert changed.json["prompt"]["labels"] == {"latest": 2, "production": 2}
    assert (held.json["version"]["number"], held.json["published"], held.json["review"]) == (3, False, None)
    assert held.json["prompt"]["labels"] == {"latest": 3, "production": 2}
    assert server.run(name, {"x": "Ada"}).json["text"] == "Good day Ada"
    assert shown(server, name)["current"]["note"] == "politer"


@pytest.mark.contract("S3-041")
def test_the_same_content_and_a_change_of_details_make_no_version(server: Serving, name: str) -> None:
    before = create(server, name)["prompt"]

    same = put(server, name, {"content": "Hello {{ x }}", "model": "scripted/echo"})
    details = put(server, name, {"description": "Greets", "category": "c", "tags": ["t"], "template_type": "analysis"})

    assert (same.json["prompt"], same.json["published"]) == (before, True)
    after = details.json["prompt"]
    assert (after["versions"], after["revision"], details.headers["etag"]) == (1, 2, '"2"')
    said = {"description": "Greets", "category": "c", "tags": ["t"], "template_type": "analysis"}
    assert after == before | said | {"revision": 2, "updated_at": after["updated_at"]}
    assert after["updated_at"] >= before["updated_at"]


@pytest.mark.contract("S3-041")
def test_a_change_says_so_if_it_does_not_go_to_production(server: Serving, name: str) -> None:
    create(server, name)
    editor = known_as(server, name=f"editor-{name}", role="editor")
    by_editor = put(editor, name, {"content": "By an editor {{ x }}", "model": "scripted/echo"}).json

    rule = {"label": "production", "needs_review": True}
    assert server.ask("PUT", f"/api/v1/label-rules?prompt={name}", rule).status == 200
    guarded = put(server, name, {"content": "By an admin {{ x }}", "model": "scripted/echo"}).json

    assert (by_editor["version"]["number"], by_editor["published"], by_editor["review"]) == (2, False, None)
    assert (guarded["version"]["number"], guarded["published"]) == (3, False)
    assert server.ask("GET", f"/api/v1/reviews/{guarded['review']}").json["number"] == 3
    assert shown(server, name)["labels"] == {"latest": 3, "production": 1}


def test_of_two_who_change_one_state_the_second_is_told(server: Serving, name: str) -> None:
    tag = post(server, name).headers["etag"]
    first = put(server, name, {"description": "the first"}, If_Match=tag)

    late = [
        put(server, name, {"description": "the second"}, If_Match=tag),
        put(server, name, {"content": "Other {{ x }}"}, If_Match=tag),
        server.ask("DELETE", f"{PROMPTS}/{name}", If_Match=tag),
    ]
    still = put(server, name, {"content": "Other {{ x }}"}, If_Match=first.headers["etag"])

    assert first.status == still.status == 200
    assert [(reply.status, reply.json["code"]) for reply in late] == [(412, "outdated")] * 3
    after = shown(server, name)
    assert (after["description"], after["versions"], after["status"]) == ("the first", 2, "active")


def test_any_state_will_do_for_a_star_and_a_weak_tag_counts(server: Serving, name: str) -> None:
    tag = post(server, name).headers["etag"]

    weak = put(server, name, {"description": "a"}, If_Match=f"W/{tag}")
    star = put(server, name, {"description": "b"}, If_Match="*")
    wrong = put(server, name, {"description": "c"}, If_Match="nonsense")

    assert [weak.status, star.status, wrong.status] == [200, 200, 422]
    assert shown(server, name)["description"] == "b"


@pytest.mark.contract("S3-006", "S3-036")
def test_an_inactive_prompt_does_not_run_until_it_is_active_again(server: Serving, name: str) -> None:
    create(server, name)

    off = put(server, name, {"is_active": False})
    refused = server.run(name, {"x": "Ada"})
    seen = server.ask("GET", f"{PROMPTS}/{name}")
    on = put(server, name, {"is_active": True})

    assert (off.status, off.json["prompt"]["status"]) == (200, "inactive")
    assert (refused.status, refused.json["code"]) == (404, "prompt_not_found")
    assert "inactive" in refused.json["detail"]
    assert (seen.status, on.json["prompt"]["status"]) == (200, "active")
    assert server.run(name, {"x": "Ada"}).status == 200


def test_a_body_says_whether_the_prompt_is_active_but_never_its_version(server: Serving, name: str) -> None:
    create(server, name)

    numbered = put(server, name, {"content": "New {{ x }}", "version": 7})
    both = put(server, name, {"content": "New {{ x }}", "model": "scripted/echo", "is_active": False})

    assert (numbered.status, numbered.json["problems"][0]["pointer"]) == (422, "")
    assert "version" in numbered.json["detail"]
    assert (both.json["version"]["number"], both.json["prompt"]["status"]) == (2, "inactive")


@pytest.mark.parametrize("role", ["viewer", "runner", "editor"])
def test_who_may_not_set_a_prompt_active_changes_nothing_at_all(server: Serving, name: str, role: str) -> None:
    before = create(server, name)["prompt"]
    them = known_as(server, name=f"{role}-{name}", role=role)

    replies = [
        put(them, name, {"content": "New {{ x }}", "is_active": False}),
        put(them, name, {"content": "New {{ x }}", "is_active": True, "description": "new"}),
        put(them, name, {"is_active": False, "description": "new"}),
    ]

    assert [(reply.status, reply.json["code"]) for reply in replies] == [(403, "forbidden")] * 3
    assert {**shown(server, name)} == before | {"current": shown(server, name)["current"]}


@pytest.mark.contract("S3-042")
def test_an_archived_prompt_no_longer_runs_and_keeps_its_history_until_it_is_brought_back(
    server: Serving, name: str
) -> None:
    made = create(server, name)["prompt"]
    put(server, name, {"content": "Good day {{ x }}", "model": "scripted/echo"})

    archived = server.ask("DELETE", f"{PROMPTS}/{name}")
    gone = [server.run(name, {"x": "Ada"}), server.ask("GET", f"{PROMPTS}/{name}")]
    versions = server.ask("GET", f"{PROMPTS}/{made['id']}/versions").json["items"]
    restored = server.ask("POST", f"{PROMPTS}/{made['id']}/restore")
    told = [event["action"] for event in server.ask("GET", f"{PROMPTS}/{name}/history").json["items"]]

    assert (archived.status, archived.json["status"]) == (200, "archived")
    assert [(reply.status, reply.json["code"]) for reply in gone] == [(404, "prompt_not_found")] * 2
    assert [version["number"] for version in versions] == [2, 1]
    assert (restored.status, restored.json["status"], restored.json["labels"]["production"]) == (200, "active", 2)
    assert server.run(name, {"x": "Ada"}).json["text"] == "Good day Ada"
    assert (told[0], told[-2:]) == ("prompt.created", ["prompt.archived", "prompt.activated"])


@pytest.mark.contract("S3-042")
def test_what_a_prompt_ran_stays_on_record_when_it_is_archived(server: Serving, name: str) -> None:
    create(server, name)
    ran = server.run(name, {"x": "Ada"}).json["id"]

    assert server.ask("DELETE", f"{PROMPTS}/{name}").status == 200

    record = server.ask("GET", f"/api/v1/executions/{ran}")
    assert (record.status, record.json["prompt"], record.json["version"]) == (200, name, 1)
    assert record.json["messages"][0]["content"] == "Hello Ada"


@pytest.mark.contract("S3-042")
def test_an_archived_prompt_gives_its_name_free_and_is_not_brought_back_beside_another(
    server: Serving, name: str
) -> None:
    old = create(server, name)["prompt"]["id"]
    assert server.ask("DELETE", f"{PROMPTS}/{name}").status == 200
    new = create(server, name, "Anew {{ x }}")["prompt"]["id"]

    refused = server.ask("POST", f"{PROMPTS}/{old}/restore")

    assert (refused.status, refused.json["code"]) == (409, "prompt_exists")
    assert (shown(server, name)["id"], shown(server, old, "?archived=true")["status"]) == (new, "archived")


@pytest.mark.contract("S3-055")
def test_a_clone_says_what_its_model_says_in_production(server: Serving, name: str) -> None:
    said = {"description": "Greets", "category": "c", "tags": ["t"], "template_type": "analysis"}
    variables = {"x": {"type": "string", "default": "you", "description": "whom"}}
    create(server, name, variables=variables, output=["Hello you", "Bye"], parameters={"temperature": 0}, **said)
    put(server, name, {"content": "Not in production", "publish": False})

    clone = server.ask("POST", f"{PROMPTS}/{name}/clone", {"name": f"{name}-copy"})
    again = server.ask("POST", f"{PROMPTS}/{name}/clone", {"name": f"{name}-copy"})

    assert (clone.status, clone.headers["location"]) == (201, f"{PROMPTS}/{clone.json['prompt']['id']}")
    first, copy = server.ask("GET", f"{PROMPTS}/{name}/versions/1").json, clone.json["version"]
    kept = ("messages", "variables", "model", "parameters", "output", "lenient", "content_hash", "language")
    assert {field: copy[field] for field in kept} == {field: first[field] for field in kept}
    assert (copy["number"], copy["note"], clone.json["published"]) == (1, f"from {name}@1", True)
    assert {field: clone.json["prompt"][field] for field in said} == said
    assert (again.status, again.json["code"]) == (409, "prompt_exists")
    assert server.run(f"{name}-copy", {}).json["value"] == "Hello you"


@pytest.mark.contract("S3-055")
def test_a_clone_goes_to_the_strategy_and_language_it_is_meant_for(server: Serving, name: str) -> None:
    strategy = server.ask("POST", "/api/v1/strategies", {"name": name}).json["id"]
    create(server, name)

    own = server.ask("POST", f"{PROMPTS}/{name}/clone", {"name": name, "strategy": strategy, "language": "de-at"})
    back = server.ask("POST", f"{PROMPTS}/{name}/clone?strategy={name}", {"name": f"{name}-back"})

    assert (own.status, own.json["prompt"]["strategy"], own.json["prompt"]["language"]) == (201, name, "de-AT")
    assert (back.status, back.json["prompt"]["strategy"], back.json["prompt"]["language"]) == (201, None, "en")


@pytest.mark.contract("S3-007", "S3-008", "S3-035")
def test_a_run_takes_the_prompt_of_its_strategy_first_and_says_which_it_took(server: Serving, name: str) -> None:
    for strategy in (f"{name}-a", f"{name}-b"):
        assert server.ask("POST", "/api/v1/strategies", {"name": strategy}).status == 201
    create(server, name, "Global {{ x }}")
    create(server, name, "Weltweit {{ x }}", language="de")
    create(server, name, "Own {{ x }}", strategy=f"{name}-a")

    homes: list[dict[str, Any]] = [
        {},
        {"strategy": f"{name}-a"},
        {"strategy": f"{name}-b"},
        {"language": "de-AT"},
        {"strategy": f"{name}-a", "language": "de"},
        {"language": "fr"},
    ]
    ran = [server.run(name, {"x": "Ada"}, **home).json for home in homes]

    assert [(each["text"], each["strategy"], each["language"]) for each in ran] == [
        ("Global Ada", None, "en"),
        ("Own Ada", f"{name}-a", "en"),
        ("Global Ada", None, "en"),
        ("Weltweit Ada", None, "de"),
        ("Weltweit Ada", None, "de"),
        ("Global Ada", None, "en"),
    ]
    recorded = server.ask("GET", f"/api/v1/executions/{ran[1]['id']}").json
    assert (recorded["strategy"], recorded["language"]) == (f"{name}-a", "en")


@pytest.mark.parametrize("literal", ["types", "filters", "stats", "subscribe", "validate", "render", "variables"])
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
    ("literal", "field"), [("types", "items"), ("filters", "filters"), ("stats", "by_type")], ids=lambda each: each
)
def test_a_route_is_not_shadowed_by_a_prompt_of_its_name(server: Serving, literal: str, field: str) -> None:
    post(server, literal)

    reply = server.ask("GET", f"{PROMPTS}/{literal}")

    assert (reply.status, field in reply.json, "current" in reply.json) == (200, True, False)
