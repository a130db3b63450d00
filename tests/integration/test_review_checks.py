"""The test cases of a review run side by side, but not all at once, and one that fails spoils no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

import cuewire
from cuewire.config import load
from cuewire.engine.checks import AT_ONCE
from cuewire.model.errors import ProviderUnavailable
from cuewire.model.requests import ModelRequest
from cuewire.model.results import Answer
from cuewire.model.reviews import Check, LabelRule, Review
from cuewire.ports import Listener
from cuewire.providers.scripted import Scripted, last_text


class Crowd(Scripted):
    """Counts who is inside; nobody leaves before as many came as may."""

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self._inside = 0
        self._full = asyncio.Event()

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        self._inside += 1
        self.most = max(self.most, self._inside)
        if self._inside == AT_ONCE:
            self._full.set()
        try:
            await self._full.wait()
            await asyncio.sleep(0)
            if "fail" in last_text(request):
                raise ProviderUnavailable("it is down")
            return await super().call(request, listener=listener)
        finally:
            self._inside -= 1


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


@pytest.fixture
async def app(tmp_path: Path, crowd: Crowd) -> AsyncIterator[cuewire.App]:
    settings = load(environment={"CUEWIRE_DATA_FOLDER": str(tmp_path)}, folder=tmp_path)
    where = f"sqlite:///{tmp_path}/cue.db"
    async with cuewire.open(where, settings=settings, providers={"crowd": crowd}) as opened:
        yield opened


async def waiting(app: cuewire.App, texts: Sequence[str]) -> Review:
    """Return a review with a test case for each text."""
    version = await app.prompts.publish("said", "{{ text }}", model="crowd/any")
    checks = tuple(Check(name=f"c{place}", inputs={"text": text}) for place, text in enumerate(texts))
    await app.reviews.protect(LabelRule(label="canary", prompt_id=version.prompt_id, checks=checks))
    await app.prompts.publish("said", "{{ text }}!", model="crowd/any", labels=["canary"])
    (review,) = await app.reviews.list("said")
    return review


async def test_four_run_at_once_and_the_results_keep_their_order(app: cuewire.App, crowd: Crowd) -> None:
    review = await waiting(app, [f"text {number}" for number in range(10)])

    checked = await app.reviews.check(review.id)

    assert crowd.most == AT_ONCE
    assert [result.name for result in checked.checks] == [f"c{number}" for number in range(10)]
    assert all(result.passed for result in checked.checks)
    assert len((await app.executions.list(prompt="said")).items) == 10


async def test_a_run_that_fails_is_why_its_test_case_failed(app: cuewire.App) -> None:
    review = await waiting(app, ["good", "fail", "good", "good"])

    one, two, *_ = (await app.reviews.check(review.id)).checks

    assert one.passed
    assert (two.passed, two.reason) == (False, "provider_unavailable: it is down")
    assert two.execution_id is not None
    assert (await app.executions.get(two.execution_id)).status == "failed"
