"""What comes from outside is checked before anything is made of it, and what goes out is never taken for a page."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getmembers, isclass
from urllib.parse import quote

import pytest
from pydantic import BaseModel, ValidationError

from cuewire.template.catalogue import TEMPLATE_TYPES
from cuewire.wire import queries
from tests.support.served_databases import serving_on
from tests.support.serving import Serving
from tests.support.stores import KINDS

SCRIPT = "<script>alert(1)</script>"
QUERIES = [each for _, each in getmembers(queries, isclass) if issubclass(each, BaseModel) and each is not BaseModel]


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving_on(request.param, tmp_path_factory.mktemp("security")) as running:
        yield running


@pytest.mark.contract("S3-030", "S3-129")
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.__name__)
def test_every_query_refuses_what_it_does_not_know(query: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match="surprise"):
        query.model_validate({"surprise": 1})
    assert query.model_json_schema()["additionalProperties"] is False


@pytest.mark.contract("S3-030")
def test_what_has_another_form_is_refused_with_its_place(server: Serving) -> None:
    bodies = {
        "/name": {"name": 7, "content": "x"},
        "/content": {"name": "a", "content": 7},
        "/tags/0": {"name": "a", "content": "x", "tags": [7]},
        "": {"name": "a", "content": "x", "surprise": 1},
    }

    replies = {field: server.ask("POST", "/api/v1/prompts/", body) for field, body in bodies.items()}

    assert {field: (reply.status, reply.json.get("field", "")) for field, reply in replies.items()} == {
        field: (422, field) for field in bodies
    }
    assert server.ask("GET", "/api/v1/prompts/?page_size=101").json["problems"][0]["pointer"] == "/page_size"


@pytest.mark.contract("S3-129")
def test_marks_of_a_page_come_back_as_data_and_never_as_a_page(server: Serving) -> None:
    made = server.ask(
        "POST",
        "/api/v1/prompts/",
        {"name": "marked", "content": f"{SCRIPT} {{{{ x }}}}", "description": SCRIPT, "tags": [SCRIPT], "note": SCRIPT},
    )
    replies = [
        made,
        server.ask("GET", "/api/v1/prompts/marked"),
        server.ask("GET", f"/api/v1/prompts/{quote(SCRIPT, safe='')}"),
        server.ask("POST", "/api/v1/prompts/render", {"content": SCRIPT, "inputs": {}}),
        server.ask("GET", "/api/v1/prompts/export?name=marked"),
    ]

    assert made.json["version"]["messages"][0]["content"].startswith(SCRIPT)
    for reply in replies:
        assert reply.headers.get("x-content-type-options") == "nosniff"
        assert "html" not in reply.headers["content-type"]


@pytest.mark.contract("S3-079")
def test_what_an_editor_offers_can_be_put_in_as_it_is(server: Serving) -> None:
    types = server.ask("GET", "/api/v1/prompts/types").json["items"]
    offered = sorted({variable["name"] for kind in types for variable in kind["variables"]})
    content = "\n".join(f"{{{{ {name} }}}}" for name in offered)

    checked = server.ask("POST", "/api/v1/prompts/validate", {"content": content}).json

    assert {variable.name for kind in TEMPLATE_TYPES.values() for variable in kind.variables} == {*offered}
    assert checked["is_valid"] is True


@pytest.mark.contract("S3-080")
def test_a_template_is_checked_while_it_is_written_and_nothing_is_stored(server: Serving) -> None:
    before = server.ask("GET", "/api/v1/prompts/").json["total"]

    found = [
        server.ask("POST", "/api/v1/prompts/validate", {"content": text}).json
        for text in ("{{ a", "{{ a }}", "{% if a %}", "{% if a %}x{% endif %}", "{{ a | nothing }}")
    ]

    assert [each["is_valid"] for each in found] == [False, True, False, True, False]
    assert all(each["problems"][0]["line"] == 1 for each in found if not each["is_valid"])
    assert server.ask("GET", "/api/v1/prompts/").json["total"] == before
