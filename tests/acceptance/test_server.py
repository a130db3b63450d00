"""The server does over HTTP what the library does: run, stream, look up, publish, report; and it says how."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.support.serving import Serving, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a database with one prompt."""
    with serving(CommandLine(tmp_path_factory.mktemp("server"))) as running:
        running.publish("triage", "Bug or idea? {{ text }}", model="scripted/echo")
        yield running


def test_a_run_replies_with_the_result_and_says_in_headers_what_it_cost(server: Serving) -> None:
    reply = server.run("triage", {"text": "It crashes"}, metadata={"user": "u1"})

    assert (reply.status, reply.json["value"]) == (200, "Bug or idea? It crashes")
    assert reply.headers["x-cuewire-execution-id"] == reply.json["id"]
    assert reply.headers["x-cuewire-cost-usd"] == "0.000000000"
    assert reply.headers["x-cuewire-cache"] == "miss"
    assert 0 <= float(reply.headers["x-cuewire-overhead-ms"]) < 30_000
    assert len(reply.headers["x-request-id"]) == 16


def test_the_readme_request_needs_no_content_type(server: Serving) -> None:
    body = {"prompt": "triage", "inputs": {"text": "It crashes"}}

    assert server.ask("POST", "/api/v1/executions", body, Content_Type=None).status == 200
    assert (
        server.ask("POST", "/api/v1/executions", body, Content_Type="application/x-www-form-urlencoded").status == 200
    )


def test_what_ran_is_listed_and_looked_up_with_what_was_reported_of_it(server: Serving) -> None:
    execution_id = server.run("triage", {"text": "Dark mode"}).json["id"]

    reported = server.ask("POST", f"/api/v1/executions/{execution_id}/outcomes", {"correct": True, "stars": 4})
    page = server.ask("GET", "/api/v1/executions?limit=1&prompt=triage&status=succeeded").json
    shown = server.ask("GET", f"/api/v1/executions/{execution_id}").json

    assert [(item["name"], item["value"]) for item in reported.json["items"]] == [("correct", True), ("stars", 4)]
    assert [item["id"] for item in page["items"]] == [execution_id]
    assert (shown["inputs"], shown["messages"][0]["role"]) == ({"text": "Dark mode"}, "user")
    assert shown["outcomes"] == reported.json["items"]


def test_a_list_goes_on_where_its_page_ended(server: Serving) -> None:
    ids = [server.run("triage", {"text": str(number)}).json["id"] for number in range(3)]

    first = server.ask("GET", "/api/v1/executions?limit=2").json
    second = server.ask("GET", f"/api/v1/executions?limit=1&after={first['next']}").json

    assert [item["id"] for item in [*first["items"], *second["items"]]] == ids[::-1]


def test_a_prompt_is_published_labelled_listed_and_archived(server: Serving) -> None:
    first = server.publish("team%2Fgreet", "Hello {{ name }}", model="scripted/echo")
    second = server.publish("team%2Fgreet", "Good day {{ name }}", model="scripted/echo", labels=["candidate"])
    moved = server.ask("POST", "/api/v1/prompts/team%2Fgreet/labels", {"label": "production", "number": 2})
    versions = server.ask("GET", "/api/v1/prompts/team%2Fgreet/versions").json["items"]
    listed = server.ask("GET", "/api/v1/prompts?limit=1000").json["items"]
    archived = server.ask("DELETE", "/api/v1/prompts/team%2Fgreet")

    assert (first.json["prompt"]["name"], first.json["version"]["labels"]) == ("team/greet", ["latest", "production"])
    assert (second.json["version"]["number"], second.json["version"]["labels"]) == (2, ["candidate", "latest"])
    assert (first.json["published"], second.json["published"]) == (True, False)
    assert moved.json["number"] == 2
    assert [version["number"] for version in versions] == [2, 1]
    assert {"candidate": 2, "latest": 2, "production": 2} in [prompt["labels"] for prompt in listed]
    assert archived.json["status"] == "archived"
    for path in ("team%2Fgreet", "team%2Fgreet/versions/production"):
        assert server.ask("GET", f"/api/v1/prompts/{path}").json["code"] == "prompt_not_found"


def test_figures_count_by_route_and_never_by_what_a_client_made_up(server: Serving) -> None:
    server.run("triage", {"text": "x"})
    server.ask("GET", "/made/up/path")
    server.ask("BREW", "/api/v1/executions")

    text = server.ask("GET", "/metrics").body.decode()

    assert 'cuewire_requests_total{route="run",status="200"}' in text
    assert 'cuewire_requests_total{route="unmatched",status="404"}' in text
    assert "made/up" not in text
    assert "BREW" not in text


def test_the_first_key_is_shown_once_and_a_file_has_one_server(tmp_path: Path) -> None:
    cue = CommandLine(tmp_path)
    with serving(cue) as first:
        assert first.key.startswith("cw_")
        with pytest.raises(AssertionError, match="another process serves"), serving(cue):
            pass
        assert first.end() == 0
    with serving(cue) as again:
        assert again.ask("GET", "/api/v1/prompts").status == 200
    secret = first.key.split("_")[2].encode()
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "first.key"]
    assert files
    assert [path.name for path in files if secret in path.read_bytes()] == []


async def test_the_command_line_says_the_same_json(tmp_path: Path) -> None:
    cue = CommandLine(tmp_path)
    with serving(cue) as server:
        server.publish("triage", "Bug or idea? {{ text }}", model="scripted/echo", output="json")
        failed = server.run("triage", {}).json["execution_id"]
        server.ask("POST", f"/api/v1/executions/{failed}/outcomes", {"correct": False})
        pairs = {
            ("executions", "show", failed): f"/api/v1/executions/{failed}",
            ("executions", "list", "--limit", "1"): "/api/v1/executions?limit=1",
            ("prompts", "list"): "/api/v1/prompts?limit=100",
        }

        for command, path in pairs.items():
            said = await cue("--json", *command)
            assert said.json == server.ask("GET", path).json, command
