"""The same requests, good and bad, get the same replies whether the server keeps its things on SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count, repeat

import pytest
from hypothesis import HealthCheck, given, settings

from tests.support.sequences import sequences
from tests.support.served_databases import serving_on
from tests.support.stores import KINDS
from tests.support.twins import Said, Step, Twin

_numbers = count(1)


class Pair:
    """A server on each kind of database, asked side by side."""

    def __init__(self, twins: Sequence[Twin], threads: ThreadPoolExecutor) -> None:
        self._twins = twins
        self._threads = threads

    def answer(self, steps: Sequence[Step]) -> list[Said]:
        """Send requests about prompts that no other sequence has, and return the replies, which must be the same."""
        prefix = f"s{next(_numbers)}"
        for twin in self._twins:
            twin.begin(prefix)
        return [self._answer(step) for step in steps]

    def _answer(self, step: Step) -> Said:
        on_file, on_server = self._threads.map(Twin.ask, self._twins, repeat(step))
        assert on_file == on_server, f"{step}\n{on_file}\n{on_server}"
        return on_file


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Serve a database of each kind."""
    with ExitStack() as stack:
        servers = [stack.enter_context(serving_on(kind, tmp_path_factory.mktemp(kind))) for kind in KINDS]
        yield Pair([Twin(server) for server in servers], stack.enter_context(ThreadPoolExecutor(len(servers))))


@settings(max_examples=300, suppress_health_check=list(HealthCheck))
@given(steps=sequences)
def test_any_sequence_of_requests_is_answered_alike_and_without_a_fault(pair: Pair, steps: Sequence[Step]) -> None:
    assert [said for said in pair.answer(steps) if said[0] >= 500] == []


@pytest.mark.soak
@settings(max_examples=20_000, suppress_health_check=list(HealthCheck))
@given(steps=sequences)
def test_twenty_thousand_more_are_answered_alike(pair: Pair, steps: Sequence[Step]) -> None:
    assert [said for said in pair.answer(steps) if said[0] >= 500] == []
