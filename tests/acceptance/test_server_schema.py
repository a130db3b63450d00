"""Whatever the OpenAPI document allows is answered as the document says, and never with a 5xx."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.support.command_line import CommandLine
from tests.support.serving import Serving, serving

EXAMPLES = 20
"""For each operation. A schema cannot say which names and texts are usable, so a refusal of those is no fault."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve a database with one prompt."""
    with serving(CommandLine(tmp_path_factory.mktemp("schema"))) as running:
        running.publish("echo", "{{ text }}", model="scripted/echo")
        yield running


def test_every_operation_keeps_to_the_document(server: Serving) -> None:
    document = schemathesis.openapi.from_dict(server.ask("GET", "/openapi.json").json)
    asked = 0

    for operation in document.get_all_operations():
        assert isinstance(operation, Ok), operation

        @given(case=operation.ok().as_strategy())
        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        def holds(case: schemathesis.Case[Any]) -> None:
            nonlocal asked
            response = case.call(base_url=server.url, headers={"Authorization": f"Bearer {server.key}"})
            case.validate_response(response, excluded_checks=[positive_data_acceptance])
            assert response.status_code < 500
            asked += 1

        holds()

    assert asked > 10 * EXAMPLES
