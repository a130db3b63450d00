"""Versions and labels over REST: kept, compared, rolled back, made anew from old ones, by many at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

from tests.support.access import known_as
from tests.support.served_databases import serving_on
from tests.support.serving import Reply, Serving
from tests.support.stores import KINDS

PROMPTS = "/api/v1/prompts"
AT_ONCE = 20
_numbers = count(1)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving_on(request.param, tmp_path_factory.mktemp("versions")) as running:
        yield running


@pytest.fixture
def name(server: Serving) -> str:
    """Return the name of a new prompt with three versions, of which the last is in production."""
    name = f"prompt-{next(_numbers)}"
    for text in ("Hello {{ x }}", "Good day {{ x }}", "Dear {{ x }},\nhow are you?"):
        assert publish(server, name, text).json["published"]
    return name


def publish(server: Serving, name: str, text: str, **more: object) -> Reply:
    return server.ask("PUT", f"{PROMPTS}/{name}", {"content": text, "model": "scripted/echo", **more})


def draft(server: Serving, name: str, **said: object) -> Reply:
    return server.ask("POST", f"{PROMPTS}/{name}/versions", said)


def move(server: Serving, name: str, label: str, number: int, **more: object) -> Reply:
    return server.ask("POST", f"{PROMPTS}/{name}/labels", {"label": label, "number": number, **more})


def labels(server: Serving, name: str) -> Any:
    return server.ask("GET", f"{PROMPTS}/{name}").json["labels"]


def lines(texts: Any) -> list[tuple[str, str]]:
    return [(line["kind"], line["text"]) for text in texts for line in text["lines"]]


@pytest.mark.contract("S3-037", "S3-005", "S3-094")
def test_every_version_is_kept_and_found_by_number_and_label(server: Serving, name: str) -> None:
    kept = server.ask("GET", f"{PROMPTS}/{name}/versions").json["items"]
    by_number = [server.ask("GET", f"{PROMPTS}/{name}/versions/{number}").json for number in (3, 2, 1)]
    by_label = [server.ask("GET", f"{PROMPTS}/{name}/versions/{label}").json for label in ("latest", "production")]

    assert [(each["number"], each["parent"]) for each in kept] == [(3, 2), (2, 1), (1, None)]
    assert [each["messages"][0]["content"] for each in kept[1:]] == ["Good day {{ x }}", "Hello {{ x }}"]
    assert by_number == kept
    assert by_label == [kept[0]] * 2
    assert server.run(f"{name}@1", {"x": "Ada"}).json["text"] == "Hello Ada"


@pytest.mark.contract("S3-037")
def test_a_label_rolls_back_and_forth(server: Serving, name: str) -> None:
    back = move(server, name, "production", 1)
    then = server.run(name, {"x": "Ada"}).json
    forth = move(server, name, "production", 3)

    assert (back.json["number"], back.json["labels"]) == (1, ["production"])
    assert (then["text"], then["version"]) == ("Hello Ada", 1)
    assert (forth.json["number"], labels(server, name)) == (3, {"latest": 3, "production": 3})
    moved = [each["data"] for each in history(server, name) if each["action"] == "label.moved"]
    assert moved[-2:] == [
        {"label": "production", "from": 3, "to": 1},
        {"label": "production", "from": 1, "to": 3},
    ]


@pytest.mark.contract("S3-037")
def test_an_old_version_is_restored_as_a_new_one(server: Serving, name: str) -> None:
    old = server.ask("GET", f"{PROMPTS}/{name}/versions/1").json

    made = draft(server, name, parent=1, note="back to the roots", labels=["candidate"])

    assert (made.status, made.headers["location"]) == (201, f"{PROMPTS}/{old['prompt_id']}")
    new = made.json["version"]
    assert (new["number"], new["parent"], new["note"]) == (4, 1, "back to the roots")
    assert (new["messages"], new["content_hash"]) == (old["messages"], old["content_hash"])
    assert (made.json["published"], labels(server, name)) == (False, {"candidate": 4, "latest": 4, "production": 3})


@pytest.mark.contract("S3-037")
def test_a_version_made_from_another_keeps_what_is_not_said(server: Serving, name: str) -> None:
    variables = {"x": {"type": "string", "default": "you"}}
    publish(server, name, "One {{ x }}", variables=variables, parameters={"seed": 7}, lenient=True, output="json")

    made = draft(server, name, content="Two {{ x }}", model="scripted/other").json["version"]

    base = server.ask("GET", f"{PROMPTS}/{name}/versions/4").json
    kept = ("parameters", "output", "lenient")
    assert (made["number"], made["parent"], made["model"]) == (5, 4, "scripted/other")
    assert {field: made[field] for field in kept} == {field: base[field] for field in kept}
    assert made["messages"][0]["content"] == "Two {{ x }}"


@pytest.mark.contract("S3-141")
def test_two_versions_are_compared_side_by_side(server: Serving, name: str) -> None:
    publish(server, name, "Dear {{ x }},\nare you well?", parameters={"seed": 7})

    found = server.ask("POST", f"{PROMPTS}/{name}/diff", {"first": 3, "second": 4}).json

    assert (found["prompt"], found["first"], found["second"], found["is_empty"]) == (name, 3, 4, False)
    (text,) = found["messages"]
    assert [(each["kind"], each["first"], each["second"]) for each in text["lines"]] == [
        ("same", 1, 1),
        ("removed", 2, None),
        ("added", None, 2),
    ]
    assert lines([text]) == [("same", "Dear {{ x }},"), ("removed", "how are you?"), ("added", "are you well?")]
    assert found["fields"] == [{"field": "parameters", "first": {}, "second": {"seed": 7}}]
    assert found["rendered"] is None


@pytest.mark.contract("S3-141")
def test_two_versions_are_compared_as_they_come_out_with_the_same_inputs(server: Serving, name: str) -> None:
    path = f"{PROMPTS}/{name}/diff"

    found = server.ask("POST", path, {"first": 1, "second": 2, "inputs": {"x": "Ada"}}).json
    itself = server.ask("POST", path, {"first": 2, "second": 2, "inputs": {"x": "Ada"}}).json

    assert lines(found["rendered"]) == [("removed", "Hello Ada"), ("added", "Good day Ada")]
    assert (itself["is_empty"], lines(itself["rendered"])) == (True, [("same", "Good day Ada")])


def test_a_label_that_somebody_else_moved_meanwhile_stays(server: Serving, name: str) -> None:
    first = move(server, name, "production", 1, expected=3)
    late = move(server, name, "production", 2, expected=3)
    new = [move(server, name, "candidate", 2, expected=0), move(server, name, "candidate", 3, expected=0)]

    assert [first.status, new[0].status] == [200, 200]
    assert [(reply.status, reply.json["code"]) for reply in (late, new[1])] == [(409, "label_moved")] * 2
    assert labels(server, name) == {"candidate": 2, "latest": 3, "production": 1}


def test_of_many_who_move_a_label_from_one_place_one_does(server: Serving, name: str) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        replies = [*threads.map(lambda n: move(server, name, "production", n % 2 + 1, expected=3), range(AT_ONCE))]

    assert sorted(reply.status for reply in replies) == [200] + [409] * (AT_ONCE - 1)
    assert [reply.json["number"] for reply in replies if reply.status == 200] == [labels(server, name)["production"]]


def test_versions_published_at_once_have_numbers_without_gaps(server: Serving, name: str) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        replies = [*threads.map(lambda n: publish(server, name, f"{n}: {{{{ x }}}}"), range(AT_ONCE))]

    assert [reply.status for reply in replies] == [200] * AT_ONCE
    assert sorted(reply.json["version"]["number"] for reply in replies) == [*range(4, 4 + AT_ONCE)]
    assert labels(server, name) == {"latest": 3 + AT_ONCE, "production": 3 + AT_ONCE}
    told = [each["data"]["number"] for each in history(server, name) if each["action"] == "version.published"]
    assert told == [*range(1, 4 + AT_ONCE)]


def test_of_changes_of_one_state_at_once_one_is_made(server: Serving, name: str) -> None:
    tag = server.ask("GET", f"{PROMPTS}/{name}").headers["etag"]

    def change(number: int) -> Reply:
        return server.ask("PUT", f"{PROMPTS}/{name}", {"content": f"{number}: {{{{ x }}}}"}, If_Match=tag)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        replies = [*threads.map(change, range(AT_ONCE))]

    assert sorted(reply.status for reply in replies) == [200] + [412] * (AT_ONCE - 1)
    assert labels(server, name)["latest"] == 4


@pytest.mark.parametrize("creators", [2, AT_ONCE])
def test_of_creators_at_once_one_creates(server: Serving, name: str, creators: int) -> None:
    asked = {"name": f"{name}-raced", "content": "Hello {{ x }}"}

    with ThreadPoolExecutor(creators) as threads:
        replies = [*threads.map(lambda _: server.ask("POST", f"{PROMPTS}/", asked), range(creators))]

    assert sorted(reply.status for reply in replies) == [201] + [409] * (creators - 1)
    assert {reply.json["code"] for reply in replies if reply.status == 409} == {"prompt_exists"}
    assert labels(server, f"{name}-raced") == {"latest": 1, "production": 1}


def test_first_versions_published_at_once_are_of_one_prompt(server: Serving, name: str) -> None:
    with ThreadPoolExecutor(AT_ONCE) as threads:
        replies = [*threads.map(lambda n: publish(server, f"{name}-put", f"{n}: {{{{ x }}}}"), range(AT_ONCE))]

    assert [reply.status for reply in replies] == [200] * AT_ONCE
    assert len({reply.json["prompt"]["id"] for reply in replies}) == 1
    assert sorted(reply.json["version"]["number"] for reply in replies) == [*range(1, 1 + AT_ONCE)]


def test_a_prompt_archived_and_brought_back_by_many_is_in_one_of_both_states(server: Serving, name: str) -> None:
    made = server.ask("GET", f"{PROMPTS}/{name}").json["id"]
    steps = [("DELETE", f"{PROMPTS}/{made}"), ("POST", f"{PROMPTS}/{made}/restore")] * (AT_ONCE // 2)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        replies = [*threads.map(lambda step: server.ask(*step), steps)]

    assert {reply.status for reply in replies} == {200}
    told = [each["action"] for each in history(server, str(made)) if each["action"] != "label.moved"]
    turns = [action for action in told if action in ("prompt.archived", "prompt.activated")]
    assert turns == [("prompt.archived", "prompt.activated")[place % 2] for place in range(len(turns))]


def test_who_wrote_a_version_and_moved_a_label_is_told(server: Serving, name: str) -> None:
    editor = known_as(server, name=f"author-{name}", role="editor")

    written = publish(editor, name, "Mine {{ x }}", note="mine").json["version"]
    refused = move(editor, name, "production", 4)

    assert (written["author"], refused.status) == (f"key:author-{name}", 403)
    (told,) = [each for each in history(server, name) if each["data"] == {"number": 4, "note": "mine"}]
    assert told["actor"] == f"key:author-{name}"


def test_the_history_is_read_on_after_the_last_event_seen(server: Serving, name: str) -> None:
    whole = history(server, name)

    first = server.ask("GET", f"{PROMPTS}/{name}/history?limit=2").json["items"]
    rest = server.ask("GET", f"{PROMPTS}/{name}/history?after={first[-1]['id']}").json["items"]

    assert [*first, *rest] == whole
    assert len(whole) > 2


@pytest.mark.contract("S3-083")
def test_the_variables_of_content_are_told_before_it_is_published(server: Serving) -> None:
    asked = {"content": "{% for line in lines %}{{ line }}{% endfor %} {{ x | default('you') }}"}

    found = server.ask("POST", f"{PROMPTS}/variables", asked).json["variables"]

    assert [(name, found[name]["required"]) for name in found] == [("lines", True), ("x", False)]


def history(server: Serving, name: str) -> list[Any]:
    """Return all that happened to a prompt."""
    found: list[Any] = server.ask("GET", f"{PROMPTS}/{name}/history?limit=1000").json["items"]
    return found
