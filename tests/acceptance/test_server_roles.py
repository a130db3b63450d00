"""Every operation of the server for every role: it does what the guide says that the role may, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from cuewire.model.actors import RANKS, ROLES, Role, check_role
from cuewire.registry.access import LEAST
from cuewire.server.pages import PAGES
from tests.support.access import GUIDE, known_as, operations, status_of, takes
from tests.support.command_line import CommandLine
from tests.support.serving import Serving, serving

ABSENT: Mapping[str, str] = {"execution_id": "01890000-0000-7000-8000-000000000000"}
"""What stands in a path where `absent` would not even have the form of a name."""
DISPATCHED: Mapping[str, tuple[dict[str, object], Role]] = {
    "health": ({}, "viewer"),
    "get_execution": ({"id": ABSENT["execution_id"]}, "viewer"),
    "execute_prompt": ({"prompt": "absent"}, "runner"),
    "get_available_models": ({}, "runner"),
    "test_openrouter_connection": ({}, "runner"),
    "generate_prompt": ({"purpose": "greet", "model": "scripted/echo"}, "runner"),
}
"""The operations of `POST /api`, each with the rest of its body and the least role."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(CommandLine(tmp_path_factory.mktemp("roles"))) as running:
        yield running


@pytest.fixture(scope="module")
def by_role(server: Serving) -> Mapping[Role, Serving]:
    """Return the server as each role meets it."""
    return {role: known_as(server, name=role, role=role) for role in ROLES}


def test_the_guide_says_of_every_operation_what_it_takes() -> None:
    assert takes() == {str(operation): operation.takes for operation in operations() if operation.is_listed}


def test_what_the_guide_leaves_out_takes_what_its_twin_takes_or_shows_the_guide_itself() -> None:
    left_out = {str(operation): operation.takes for operation in operations() if not operation.is_listed}

    assert {operation: taken for operation, taken in left_out.items() if taken != takes().get(f"{operation}/")} == {
        **{f"GET {path}": "any key" for path in ("/docs", "/openapi.json")},
        **{f"GET {path}": "no key" for path in PAGES},
    }


def test_the_guide_says_of_every_action_which_role_it_takes() -> None:
    rows = re.findall(r"^\| (\w+) \| (`.*`) \|", GUIDE.read_text(), re.MULTILINE)
    told = [(role, action) for role, actions in rows for action in re.findall("`([a-z:]+)`", actions)]

    assert [role for role, _ in rows] == [*ROLES]
    assert sorted((action, role) for role, action in told) == sorted(LEAST.items())


def test_every_operation_is_refused_to_whoever_may_not_do_it_and_to_nobody_else(
    by_role: Mapping[Role, Serving],
) -> None:
    wrong, asked = [], 0

    for operation in operations():
        for role in ROLES:
            status = status_of(by_role[role], operation.method, operation.filled(ABSENT), key=by_role[role].key)
            is_too_low = operation.takes in RANKS and RANKS[role] < RANKS[check_role(operation.takes)]
            asked += 1
            if (status == 403) != is_too_low or status == 401 or status >= 500:
                wrong.append((str(operation), role, status))

    assert wrong == []
    assert asked > 200


@pytest.mark.parametrize("key", [None, "cw_nonsense"])
def test_without_a_key_that_is_known_nothing_is_done_but_what_needs_none(server: Serving, key: str | None) -> None:
    let_in = {
        str(operation)
        for operation in operations()
        if status_of(server, operation.method, operation.filled(ABSENT), key=key) != 401
    }

    assert let_in <= {str(operation) for operation in operations() if operation.takes == "no key"}
    assert "GET /healthz" in let_in


@pytest.mark.parametrize("endpoint", DISPATCHED)
def test_what_one_address_dispatches_takes_the_role_of_the_operation(
    by_role: Mapping[Role, Serving], endpoint: str
) -> None:
    body, least = DISPATCHED[endpoint]

    refused = [
        role for role in ROLES if by_role[role].ask("POST", "/api", {"endpoint": endpoint, **body}).status == 403
    ]

    assert refused == [role for role in ROLES if RANKS[role] < RANKS[least]]


def test_a_refusal_names_the_action_and_the_role(by_role: Mapping[Role, Serving]) -> None:
    refused = by_role["runner"].ask("GET", "/api/v1/keys")

    assert (refused.status, refused.json["code"]) == (403, "forbidden")
    assert refused.json["detail"] == "'key:runner' may not do 'keys:admin'"
    assert refused.json["hint"] == "it takes the role admin; key:runner has the role runner"


def test_who_asks_is_told_what_they_may_do(by_role: Mapping[Role, Serving]) -> None:
    told = by_role["runner"].ask("GET", "/api/v1/session").json

    assert (told["name"], told["role"]) == ("key:runner", "runner")
    assert set(told["actions"]) == {
        *("prompts:read", "executions:read", "metrics:read"),
        *("run", "executions:body", "outcomes:write"),
    }


def test_who_may_not_see_bodies_sees_that_they_are_left_out(by_role: Mapping[Role, Serving]) -> None:
    by_role["admin"].publish("echo", "Say {{ text }}", model="scripted/echo")
    ran = by_role["runner"].run("echo", {"text": "a secret"})
    path = f"/api/v1/executions/{ran.json['id']}"

    seen, left = by_role["runner"].ask("GET", path), by_role["viewer"].ask("GET", path)

    assert (seen.json["withheld"], seen.json["inputs"]) == (False, {"text": "a secret"})
    assert (left.json["withheld"], left.json["inputs"], left.json["text"]) == (True, {}, None)
    assert b"a secret" not in left.body
    assert left.json["cost_usd"] == seen.json["cost_usd"]
    assert b"a secret" not in by_role["viewer"].ask("GET", "/api/v1/executions").body
    assert by_role["viewer"].ask("GET", f"{path}/stream").status == 403


@pytest.mark.parametrize(
    ("picky", "code"),
    [
        ({"output": ["a secret plan", "idea"], "parameters": {"max_tokens": 2}}, "output_invalid"),
        ({"variables": {"text": {"type": "integer"}}}, "invalid_input"),
    ],
)
def test_who_may_not_see_bodies_learns_of_a_failure_its_code(
    by_role: Mapping[Role, Serving], picky: Mapping[str, object], code: str
) -> None:
    by_role["admin"].publish(code, "{{ text }}", model="scripted/echo", **picky)
    failed = by_role["runner"].run(code, {"text": "a secret plan"}).json
    path = f"/api/v1/executions/{failed['execution_id']}"

    seen, left = by_role["runner"].ask("GET", path), by_role["viewer"].ask("GET", path)
    listed = [by_role[role].ask("GET", "/api/v1/executions?limit=1") for role in ("runner", "viewer")]

    assert "a secret" in seen.json["failure"]["message"]
    assert (left.json["error_code"], left.json["error_message"]) == (code, None)
    assert {name: value for name, value in left.json["failure"].items() if value} == {"code": code}
    assert [b"a secret" in reply.body for reply in (left, *listed)] == [False, True, False]
