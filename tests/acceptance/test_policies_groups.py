"""When a later group runs, what ends a race, and what becomes of candidates that nobody waits for any more."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import ProviderTimeout
from cuewire.model.executions import ExecutionDetail
from tests.support.model_server import Action, Hang
from tests.support.policy_models import JUDGE, Desk, by_model, judging, models, opened, said

STAGED: dict[str, Any] = {
    "parallel": {"mode": "model_specific"},
    "models": [*models("gpt-4o-mini", "o3-mini", group=0), *models("gpt-4o", group=1)],
}


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
async def app(desk: Desk, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    async with opened(desk, tmp_path) as running:
        yield running


async def the_record(app: cuewire.App) -> ExecutionDetail:
    """Return the newest execution."""
    (newest, *_) = (await app.executions.list()).items
    return await app.executions.get(newest.id)


def statuses(record: ExecutionDetail) -> list[str]:
    """Return how the candidates ended, in the order of the plan, each of which must have one end."""
    assert record.work is not None
    ends = {end.index: end.status for end in record.work.candidates}
    assert len(record.work.candidates) == len(ends) == len(record.work.plan.candidates)
    assert sorted(end.place for end in record.work.candidates) == [*range(len(ends))]
    return [ends[candidate.index] for candidate in record.work.plan.candidates]


@pytest.mark.contract("S4-05", "S4-33", "S4-36")
@pytest.mark.parametrize(
    ("said", "asked", "ended"),
    [
        ({"gpt_4o_mini": "500", "o3_mini": "good", "gpt_4o": "best"}, 2, ["failed", "valid", "skipped"]),
        ({"gpt_4o_mini": "500", "o3_mini": "503", "gpt_4o": "best"}, 3, ["failed", "failed", "valid"]),
    ],
)
async def test_a_later_group_is_asked_only_if_no_candidate_was_valid_before(
    app: cuewire.App, desk: Desk, said: dict[str, str], asked: int, ended: list[str]
) -> None:
    desk.reply = by_model(**said)
    await app.prompts.publish("triage", "Bug?", policy={**STAGED, "groups": {"policy": "until_success"}})

    result = await app.run("triage")

    record = await app.executions.get(result.id)
    assert (len(desk.received), statuses(record)) == (asked, ended)
    assert result.value == ("good" if asked == 2 else "best")
    assert record.work is not None
    reasons = [end.reason for end in record.work.candidates if end.status == "skipped"]
    assert reasons == ["candidate 1 is valid"] * (3 - asked)


async def test_an_answer_of_the_wrong_form_does_not_keep_the_next_group_from_being_asked(
    app: cuewire.App, desk: Desk
) -> None:
    desk.reply = by_model(gpt_4o_mini="perhaps", o3_mini="who knows", gpt_4o="yes")
    policy = {**STAGED, "groups": {"policy": "until_success"}}
    await app.prompts.publish("triage", "Bug?", policy=policy, output="boolean")

    result = await app.run("triage")

    assert (result.value, result.model) == (True, "openai/gpt-4o")
    assert statuses(await app.executions.get(result.id)) == ["invalid", "invalid", "valid"]


@pytest.mark.contract("S4-34")
@pytest.mark.parametrize(("score", "asked"), [(8.0, 2), (7.5, 3)])
@pytest.mark.parametrize("alone", [True, False])
async def test_a_later_group_is_asked_until_a_judge_gives_a_score_that_is_high_enough(
    app: cuewire.App, desk: Desk, score: float, asked: int, *, alone: bool
) -> None:
    def reply(request: Mapping[str, Any]) -> Sequence[Action]:
        if request["model"] == "gpt-4.1-nano":
            return judging(request, best="best", score=score)
        return said("best" if request["model"] == "gpt-4o" else "good")

    desk.reply = reply
    first = ("gpt-4o-mini",) if alone else ("gpt-4o-mini", "o3-mini")
    policy = {
        "parallel": {"mode": "model_specific"},
        "models": [*models(*first), *models("gpt-4o", group=1)],
        "groups": {"policy": "until_score", "score": 8},
        "selection": {"method": "judge", "prompt": "jury"},
    }
    await app.prompts.publish("jury", JUDGE, model="openai/gpt-4.1-nano")
    await app.prompts.publish("triage", "Bug?", policy=policy)
    planned = await app.plan("triage")

    result = await app.run("triage")

    record = await app.executions.get(result.id)
    assert desk.models["gpt-4o"] == (asked == 3)
    assert statuses(record)[-1] == ("valid" if asked == 3 else "skipped")
    assert result.value == ("best" if asked == 3 else "good")
    assert result.selection is not None
    assert len(result.selection.judges) == desk.models["gpt-4.1-nano"] == (2 if asked == 3 else 1)
    judged = [await app.executions.get(each) for each in result.selection.judges]
    assert [each.parent_id for each in judged] == [result.id] * len(judged)
    assert result.selection.judge_cost_usd == sum(each.cost_usd or 0 for each in judged)
    assert planned.max_calls == len(first) + 1 + 2 * 2


@pytest.mark.contract("S4-36")
async def test_with_a_race_the_first_valid_answer_ends_all_others_and_hangs_up_on_them(
    app: cuewire.App, desk: Desk
) -> None:
    desk.reply = lambda asked: said("here") if asked["model"] == "o3-mini" else [Hang()]
    desk.holds = lambda asked: asked["model"] == "o3-mini"
    policy = {
        **STAGED,
        "models": [*models("gpt-4o-mini", "o3-mini", "o3"), *models("gpt-4o", group=1)],
        "groups": {"policy": "race"},
        "at_once": 3,
    }
    await app.prompts.publish("triage", "Bug?", policy=policy)

    run = asyncio.create_task(app.run("triage"))
    await desk.until(3)
    desk.release()
    async with asyncio.timeout(3):
        result = await run
        for received in desk.received:
            if received.json["model"] != "o3-mini":
                await received.hung_up.wait()

    record = await app.executions.get(result.id)
    assert (result.value, statuses(record)) == ("here", ["cancelled", "valid", "cancelled", "skipped"])
    assert Counter(call.status for call in record.calls) == {"ok": 1, "cancelled": 2}
    assert record.cost_usd is None, "what the others cost before they were cut is not known"


async def test_those_that_wait_for_their_turn_in_a_race_are_skipped_when_it_is_over(
    app: cuewire.App, desk: Desk
) -> None:
    policy = {"parallel": {"mode": "static_count", "count": 5}, "groups": {"policy": "race"}, "at_once": 1}
    await app.prompts.publish("triage", "Bug?", model="openai/gpt-4o-mini", policy=policy)

    result = await app.run("triage")

    assert statuses(await app.executions.get(result.id)) == ["valid", *["skipped"] * 4]
    assert len(desk.received) == 1


async def test_a_later_group_reads_how_the_candidates_of_earlier_ones_ended(app: cuewire.App, desk: Desk) -> None:
    desk.reply = by_model(gpt_4o_mini="7", o3_mini="many", gpt_4o="9")
    text = "Count.{% for each in prior_candidates %} {{ each.valid }}:{{ each.text }}:{{ each.value }};{% endfor %}"
    await app.prompts.publish("count", text, policy=STAGED, output="number")

    result = await app.run("count")

    first, second, third = (received.json["messages"][0]["content"] for received in desk.received)
    assert first == second == "Count."
    told = {each.strip() for each in third.removeprefix("Count.").split(";")}
    assert told == {"True:7:7", "False:many:None", ""}
    assert (result.value, len(result.candidates)) == (7, 3)


async def test_a_candidate_that_takes_too_long_is_given_up_and_the_others_go_on(app: cuewire.App, desk: Desk) -> None:
    desk.reply = lambda asked: [Hang()] if asked["model"] == "o3-mini" else said("fine")
    policy = {**STAGED, "candidate_timeout_s": 0.5, "retry": {"max_retries": 3, "delay_ms": 0}}
    await app.prompts.publish("triage", "Bug?", policy=policy)

    async with asyncio.timeout(3):
        result = await app.run("triage")

    record = await app.executions.get(result.id)
    assert statuses(record) == ["valid", "timed_out", "valid"]
    assert desk.models["o3-mini"] == 1
    assert {call.model: call.status for call in record.calls}["openai/o3-mini"] == "timed_out"


async def test_no_call_is_made_that_could_only_begin_when_its_candidate_is_out_of_time(
    app: cuewire.App, desk: Desk
) -> None:
    desk.reply = lambda _: said("down", status=503)
    retry = {"max_retries": 3, "delay_ms": 60_000, "cap_ms": 60_000, "jitter": False}
    policy = {"candidate_timeout_s": 0.5, "retry": retry}
    await app.prompts.publish("triage", "Bug?", model="openai/gpt-4o-mini", policy=policy)

    with pytest.raises(cuewire.ProviderError) as failed:
        await app.run("triage")

    assert len(desk.received) == 1
    assert failed.value.code in ("provider_unavailable", "provider_timeout")


@pytest.mark.parametrize("deadline", [True, False])
async def test_when_a_run_is_cut_short_each_candidate_has_its_end_and_nothing_is_left_upstream(
    app: cuewire.App, desk: Desk, *, deadline: bool
) -> None:
    desk.reply = lambda asked: said("fine") if asked["model"] == "gpt-4o-mini" else [Hang()]
    policy = {**STAGED, "models": [*models("gpt-4o-mini", "o3-mini", "o3"), *models("gpt-4o", group=1)], "at_once": 2}
    await app.prompts.publish("triage", "Bug?", policy=policy)

    run = asyncio.create_task(app.run("triage", timeout_s=0.7 if deadline else None))
    await desk.until(3)
    if not deadline:
        run.cancel()
    with pytest.raises(ProviderTimeout if deadline else asyncio.CancelledError):
        await run
    async with asyncio.timeout(3):
        for received in desk.received[1:]:
            if received.json["model"] != "gpt-4o-mini":
                await received.hung_up.wait()

    record = await the_record(app)
    assert record.status == ("timed_out" if deadline else "cancelled")
    assert statuses(record) == ["valid", "cancelled", "cancelled", "cancelled"]
    assert len(record.calls) == len(desk.received) == 3


@pytest.mark.contract("S4-11")
async def test_an_idempotency_key_brings_back_the_candidates_and_the_selection_too(
    app: cuewire.App, desk: Desk
) -> None:
    desk.reply = by_model(gpt_4o_mini="500", o3_mini="good", gpt_4o="best")
    await app.prompts.publish("triage", "Bug?", policy=STAGED)

    first, second = await asyncio.gather(
        app.run("triage", idempotency_key="one"), app.run("triage", idempotency_key="one")
    )
    third = await app.run("triage", idempotency_key="one")

    assert (len(desk.received), first.id, second.id) == (3, third.id, third.id)
    assert third.stored
    assert (third.candidates, third.selection, third.value) == (first.candidates, first.selection, "good")
    assert (third.cost_usd, third.usage) == (first.cost_usd, first.usage)


async def test_a_stream_of_several_candidates_is_the_text_of_the_one_that_was_selected(
    app: cuewire.App, desk: Desk
) -> None:
    desk.reply = by_model(gpt_4o_mini="500", o3_mini="the good one", gpt_4o="the best one")
    await app.prompts.publish("triage", "Bug?", policy=STAGED)

    stream = app.stream("triage")
    text = "".join([piece.text async for piece in stream])
    result = await stream.result()

    assert text == result.text == "the good one"
    assert not any(received.json.get("stream") for received in desk.received)


async def test_candidates_of_a_race_that_all_fail_leave_the_next_group_its_chance(app: cuewire.App, desk: Desk) -> None:
    desk.reply = by_model(gpt_4o_mini="500", o3_mini="500", gpt_4o="at last")
    await app.prompts.publish("triage", "Bug?", policy={**STAGED, "groups": {"policy": "race"}})

    result = await app.run("triage")

    assert result.value == "at last"
    assert statuses(await app.executions.get(result.id)) == ["failed", "failed", "valid"]
