"""The test cases of a review run side by side, but not all at once, and one that fails spoils no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

import cuewire
from cuewire.config import load
from cuewire.engine.checks import AT_ONCE
from cuewire.model.errors import ProviderUnavailable, ReviewRequired
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


class Gate(Scripted):
    """Lets nobody leave before it is opened."""

    def __init__(self) -> None:
        super().__init__()
        self.came, self.opened = asyncio.Event(), asyncio.Event()

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        self.came.set()
        await self.opened.wait()
        return await super().call(request, listener=listener)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


@pytest.fixture
async def app(tmp_path: Path, crowd: Crowd, gate: Gate) -> AsyncIterator[cuewire.App]:
    settings = load(environment={"CUEWIRE_DATA_FOLDER": str(tmp_path)}, folder=tmp_path)
    where = f"sqlite:///{tmp_path}/cue.db"
    async with cuewire.open(where, settings=settings, providers={"crowd": crowd, "gate": gate}) as opened:
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


async def test_what_passed_a_rule_that_is_dropped_did_not_pass_that_of_all_prompts(
    app: cuewire.App, gate: Gate
) -> None:
    gate.opened.set()
    version = await app.prompts.publish("said", "{{ text }}", model="gate/any")
    lax, strict = Check(name="said", inputs={"text": "x"}), Check(name="said", inputs={"text": "x"}, contains=("y",))
    await app.reviews.protect(LabelRule(label="canary", checks=(strict,)))
    await app.reviews.protect(LabelRule(label="canary", prompt_id=version.prompt_id, checks=(lax,)))
    await app.prompts.publish("said", "{{ text }}!", model="gate/any", labels=["canary"])
    (review,) = await app.reviews.list("said")
    assert (await app.reviews.check(review.id)).checks[0].passed

    await app.reviews.unprotect("canary", version.prompt_id)

    with pytest.raises(ReviewRequired, match="waits for test cases: said"):
        await app.reviews.approve(review.id)
    assert not (await app.reviews.check(review.id)).checks[0].passed


async def test_what_passes_while_the_rule_changes_did_not_pass_the_new_one(app: cuewire.App, gate: Gate) -> None:
    version = await app.prompts.publish("said", "{{ text }}", model="gate/any")
    lax, strict = Check(name="said", inputs={"text": "x"}), Check(name="said", inputs={"text": "x"}, contains=("y",))
    await app.reviews.protect(LabelRule(label="canary", prompt_id=version.prompt_id, checks=(lax,)))
    await app.prompts.publish("said", "{{ text }}!", model="gate/any", labels=["canary"])
    (review,) = await app.reviews.list("said")

    checking = asyncio.create_task(app.reviews.check(review.id))
    await gate.came.wait()
    await app.reviews.protect(LabelRule(label="canary", prompt_id=version.prompt_id, checks=(strict,)))
    gate.opened.set()

    assert (await checking).checks[0].passed
    with pytest.raises(ReviewRequired, match="waits for test cases: said"):
        await app.reviews.approve(review.id)
    await app.reviews.protect(LabelRule(label="canary", prompt_id=version.prompt_id, checks=(lax,)))
    assert (await app.reviews.approve(review.id)).status == "approved"
