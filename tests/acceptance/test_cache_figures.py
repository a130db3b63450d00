"""Who sees some prompts only is told what the cache did for these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.access import known_as
from tests.support.command_line import CommandLine
from tests.support.serving import Serving, serving


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Serving]:
    """Serve two prompts, each of which was answered twice from the cache."""
    with serving(CommandLine(tmp_path)) as running:
        for name in ("ours/greet", "theirs"):
            policy = {"cache": {"sampled": True}}
            assert running.publish(name.replace("/", "%2F"), "Hi", model="scripted/echo", policy=policy).status == 200
            for _ in range(3):
                assert running.run(name, {}).status == 200
        yield running


def test_a_narrow_key_learns_nothing_of_prompts_that_are_not_for_it(server: Serving) -> None:
    narrow = known_as(server, role="viewer", prompts=["ours/*"])

    whole = server.ask("GET", "/api/v1/cache/stats").json
    own = narrow.ask("GET", "/api/v1/cache/stats").json

    assert (whole["entries"], whole["hits"]) == (2, 4)
    assert (own["entries"], own["hits"]) == (1, 2)
