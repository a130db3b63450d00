"""Prompts over REST: change, archive, bring back, clone; and which of them a run takes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.support.access import known_as
from tests.support.rest_prompts import PROMPTS, create, post, put, shown
from tests.support.served_databases import serving_on
from tests.support.serving import Serving
from tests.support.stores import KINDS

_numbers = count(1)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving_on(request.param, tmp_path_factory.mktemp("prompts")) as running:
        yield running


@pytest.fixture
def name() -> str:
    """Return a name that no other test has."""
    return f"prompt-{next(_numbers)}"


@pytest.mark.contract("S3-005", "S3-041", "S3-094")
def test_a_change_of_content_is_a_new_version_that_goes_to_production(server: Serving, name: str) -> None:
    create(server, name)

    changed = put(server, name, {"content": "Good day {{ x }}", "model": "scripted/echo", "note": "politer"})
    held = put(server, name, {"content": "Hi {{ x }}", "model": "scripted/echo", "publish": False})

    assert (changed.json["version"]["number"], changed.json["published"]) == (2, True)
    assert changed.json["prompt"]["labels"] == {"latest": 2, "production": 2}
    assert (held.json["version"]["number"], held.json["published"], held.json["reviews"]) == (3, False, {})
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

    for label in ("production", "candidate"):
        rule = {"label": label, "needs_review": True}
        assert server.ask("PUT", f"/api/v1/label-rules?prompt={name}", rule).status == 200
    guarded = put(server, name, {"content": "By an admin {{ x }}", "labels": ["candidate", "free"]}).json
    drafted = server.ask("POST", f"{PROMPTS}/{name}/versions", {"parent": 1, "labels": ["candidate"]}).json

    assert (by_editor["version"]["number"], by_editor["published"], by_editor["reviews"]) == (2, False, {})
    assert (guarded["version"]["number"], guarded["published"]) == (3, False)
    waiting = {
        (label, review): server.ask("GET", f"/api/v1/reviews/{review}").json
        for label, review in [*guarded["reviews"].items(), *drafted["reviews"].items()]
    }
    asked = sorted((review["label"], review["number"]) for review in waiting.values())
    assert asked == [("candidate", 3), ("candidate", 4), ("production", 3)]
    assert all(review["label"] == label for (label, _), review in waiting.items())
    assert shown(server, name)["labels"] == {"latest": 4, "production": 1, "free": 3}


def test_who_may_only_write_is_told_what_was_written(server: Serving, name: str) -> None:
    writer = known_as(server, name=f"writer-{name}", role="editor", scopes=["prompts:write"])

    made, changed = create(writer, name), put(writer, name, {"content": "Other {{ x }}"})

    assert (made["prompt"]["name"], made["version"]["number"]) == (name, 1)
    assert (changed.status, changed.json["version"]["number"]) == (200, 2)
    assert writer.ask("GET", f"{PROMPTS}/{name}").status == 403


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


def test_a_prompt_that_must_have_a_state_is_not_created_by_a_change(server: Serving, name: str) -> None:
    refused = put(server, name, {"content": "New {{ x }}"}, If_Match='"1"')

    assert (refused.status, refused.json["code"]) == (404, "prompt_not_found")
    assert name in refused.json["detail"]


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


def test_new_content_says_its_language_where_it_might_be_meant_for_another(server: Serving, name: str) -> None:
    create(server, name, "Hallo {{ x }}", language="de")

    unsaid = put(server, name, {"content": "Hello {{ x }}"})
    limited = known_as(server, name=f"limited-{name}", role="editor", prompts=["others/*"])
    of_others = put(limited, name, {"content": "Hello {{ x }}"})
    german = put(server, f"{name}?language=de", {"content": "Guten Tag {{ x }}"})
    english = put(server, f"{name}?language=en", {"content": "Hello {{ x }}"})
    then = put(server, name, {"content": "Good day {{ x }}"})

    assert (unsaid.status, unsaid.json["field"]) == (422, "/language")
    assert of_others.status == 404
    assert b"'de'" not in of_others.body
    published = [
        (reply.json["prompt"]["language"], reply.json["version"]["number"]) for reply in (german, english, then)
    ]
    assert published == [("de", 2), ("en", 1), ("en", 2)]
