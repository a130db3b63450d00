"""Whatever the OpenAPI document allows is answered as the document says, what it does not is refused; never a 5xx."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from cuewire.server.routes.live import SUBSCRIBE, SUBSCRIBE_EXECUTIONS
from tests.support.served_databases import serving_on
from tests.support.serving import Serving
from tests.support.stores import KINDS

EXAMPLES = 20
"""For each operation, mode and database."""
ENDLESS = {SUBSCRIBE, SUBSCRIBE_EXECUTIONS}
"""What has no end to wait for; `test_server_live` and `test_live_executions` ask it."""
LEFT_OUT: list[Any] = [positive_data_acceptance]
"""A schema cannot say which names and texts are usable, so a refusal of those is no fault.

Nor can a query hold what is not text: what was to be wrong there may be right as a text, or be nothing at all.
"""


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a database of each kind with one prompt."""
    with serving_on(request.param, tmp_path_factory.mktemp("schema")) as running:
        running.publish("echo", "{{ text }}", model="scripted/echo")
        yield running


@pytest.mark.parametrize("mode", GenerationMode)
def test_every_operation_keeps_to_the_document(server: Serving, mode: GenerationMode) -> None:
    document = schemathesis.openapi.from_dict(server.ask("GET", "/openapi.json").json)
    headers = {"Authorization": f"Bearer {server.key}"}
    asked: Counter[str] = Counter()

    for operation in document.get_all_operations():
        assert isinstance(operation, Ok), operation
        if operation.ok().path in ENDLESS:
            continue
        if mode is GenerationMode.NEGATIVE and not operation.ok().body and not list(operation.ok().iter_parameters()):
            continue  # there is nothing that could be wrong

        @given(case=operation.ok().as_strategy(generation_mode=mode))
        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        def holds(case: schemathesis.Case[Any]) -> None:
            response = case.call(base_url=server.url, headers=headers)
            left_out = LEFT_OUT if case.operation.body else [*LEFT_OUT, negative_data_rejection]
            case.validate_response(response, excluded_checks=left_out, headers=headers)
            assert response.status_code < 500
            asked[case.operation.label] += 1

        holds()

    assert len(asked) > 10
    assert asked.total() > 8 * EXAMPLES


def test_without_a_key_only_that_is_answered_which_the_document_says_is_open(server: Serving) -> None:
    document = server.ask("GET", "/openapi.json").json
    operations = {
        f"{method.upper()} {path}": operation
        for path, said in document["paths"].items()
        for method, operation in said.items()
    }
    answered = set()

    for operation in operations:
        method, _, path = operation.partition(" ")
        for attempt in (None, "Bearer nobody"):
            if server.ask(method, path, b"{}", Authorization=attempt).status != 401:
                answered.add(operation)

    assert answered == {name for name, said in operations.items() if said.get("security") == []}
    assert answered <= {"GET /healthz", "GET /readyz", "POST /api/v1/session"}
