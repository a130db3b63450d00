"""Which candidate wins and what the record says of it: every method, judges, and what all of it cost together."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import cuewire
from cuewire.model.errors import InvalidInput, NothingSelected, OutputError, ProviderUnavailable
from tests.support.model_server import Action, Wait
from tests.support.policy_models import JUDGE, ONE_CALL_USD, Desk, by_model, judging, models, opened, said

JUDGE_MODEL = "gpt-4.1-nano"
JUDGE_CALL_USD = 1_000 * 0.1e-6 + 500 * 0.4e-6


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    async with Desk() as running:
        assert isinstance(running, Desk)
        yield running


@pytest.fixture
async def app(desk: Desk, tmp_path: Path) -> AsyncIterator[cuewire.App]:
    async with opened(desk, tmp_path) as running:
        yield running


def among(*names: str, **selection: Any) -> dict[str, Any]:
    """Return a policy that asks each of these models once and selects so."""
    return {"parallel": {"mode": "model_specific"}, "models": models(*names), "selection": selection}


def with_judge(best: str, **texts: str) -> Any:
    """Answer as the model's name says, and as a judge who likes one text best."""
    others = by_model(**texts)

    def reply(asked: Mapping[str, Any]) -> Sequence[Action]:
        return judging(asked, best=best) if asked["model"] == JUDGE_MODEL else others(asked)

    return reply


@pytest.mark.contract("S4-09")
@pytest.mark.parametrize(
    ("selection", "winners"),
    [
        ({"method": "first"}, {"a long way"}),
        ({"method": "fastest"}, {"Short"}),
        ({"method": "random"}, {"a long way", "Short", "short"}),
        ({"method": "consensus"}, {"Short"}),
        ({"method": "metric", "metric": "longest"}, {"a long way"}),
        ({"method": "judge", "prompt": "jury"}, {"short"}),
        ({"method": "vote", "judges": ["jury", "jury@1"]}, {"short"}),
    ],
)
async def test_each_method_selects_as_it_says_and_says_why(
    app: cuewire.App, desk: Desk, selection: dict[str, Any], winners: set[str]
) -> None:
    answers = with_judge("short", gpt_4o="a long way", gpt_4o_mini="Short", o3="short")
    desk.reply = lambda asked: [Wait(0.3 if asked["model"] in ("gpt-4o", "o3") else 0), *answers(asked)]
    await app.prompts.publish("jury", JUDGE, model=f"openai/{JUDGE_MODEL}")
    policy = among("gpt-4o", "gpt-4o-mini", "o3", **selection)
    await app.prompts.publish("triage", "Bug?", policy=policy)

    result = await app.run("triage")

    assert result.value in winners
    chosen = result.selection
    assert chosen is not None
    assert (chosen.method, chosen.fallback_reason) == (selection["method"], "")
    assert chosen.reason
    assert [end.text for end in result.candidates if end.index == chosen.winner] == [result.value]
    assert sorted(ranked.rank for ranked in chosen.ranking) == [1, 2, 3]
    assert (await app.executions.get(result.id)).work is not None


@pytest.mark.contract("S4-09")
async def test_a_random_selection_is_drawn_anew_for_each_execution_and_is_in_its_record(
    app: cuewire.App, desk: Desk
) -> None:
    desk.reply = by_model(gpt_4o="a", gpt_4o_mini="b")
    await app.prompts.publish("triage", "Bug?", policy=among("gpt-4o", "gpt-4o-mini", method="random"))

    results = await asyncio.gather(*(app.run("triage") for _ in range(40)))

    drawn = Counter(result.value for result in results)
    assert set(drawn) == {"a", "b"}
    assert len({result.selection.seed for result in results if result.selection}) == 40


async def test_a_consensus_that_too_few_share_selects_nothing_and_the_record_keeps_what_was_said(
    app: cuewire.App, desk: Desk
) -> None:
    desk.reply = by_model(gpt_4o="1", gpt_4o_mini="2", o3="3.0")
    policy = among("gpt-4o", "gpt-4o-mini", "o3", method="consensus", quorum=0.6)
    await app.prompts.publish("count", "How many?", policy=policy, output="number")

    with pytest.raises(NothingSelected) as failed:
        await app.run("count")

    record = await app.executions.get(failed.value.execution_id or "")
    assert (record.status, record.error_code) == ("failed", "nothing_selected")
    assert record.work is not None
    assert record.work.selection is not None
    assert record.work.selection.agreement == pytest.approx(1 / 3)
    desk.reply = by_model(gpt_4o="1", gpt_4o_mini="2.0", o3="2")
    agreed = await app.run("count")
    assert (agreed.value, agreed.selection and agreed.selection.winner) == (2, 1)


@pytest.mark.contract("S4-08", "S4-11", "S4-34")
async def test_a_judge_prompt_chooses_and_each_of_its_runs_is_an_execution_of_its_own(
    app: cuewire.App, desk: Desk
) -> None:
    desk.reply = with_judge("the better one", gpt_4o="one", gpt_4o_mini="the better one", o3="500")
    await app.prompts.publish("jury", JUDGE, model=f"openai/{JUDGE_MODEL}")
    policy = among("gpt-4o", "gpt-4o-mini", "o3", method="judge", prompt="jury", reverse=True)
    await app.prompts.publish("triage", "Bug or idea? {{ text }}", policy=policy)

    result = await app.run("triage", {"text": "It crashes"})

    chosen = result.selection
    assert chosen is not None
    assert (result.value, chosen.agreement, chosen.fallback_reason) == ("the better one", 1.0, "")
    assert [(ranked.index, ranked.rank, ranked.score) for ranked in chosen.ranking] == [(1, 1, 7.0), (0, 2, 7.0)]
    shown = [asked["messages"][0]["content"] for asked in desk.asked(JUDGE_MODEL)]
    assert len(shown) == 2
    assert not any(name in text for text in shown for name in ("gpt", "openai", "o3", "500"))
    runs = [await app.executions.get(each) for each in chosen.judges]
    assert [(run.purpose, run.parent_id, run.prompt) for run in runs] == [("judge", result.id, "jury")] * 2
    assert chosen.judge_cost_usd == pytest.approx(2 * JUDGE_CALL_USD)
    assert sum(run.cost_usd or 0 for run in runs) == pytest.approx(chosen.judge_cost_usd)


@pytest.mark.parametrize("reply", ["no ranking at all", '{"ranking": []}', "500"])
async def test_a_judge_of_no_use_is_asked_once_more_at_most_and_the_fallback_is_told(
    app: cuewire.App, desk: Desk, reply: str
) -> None:
    desk.reply = by_model(gpt_4o="one", gpt_4o_mini="two", **{"gpt_4.1_nano": reply})
    await app.prompts.publish("jury", JUDGE, model=f"openai/{JUDGE_MODEL}")
    await app.prompts.publish("triage", "Bug?", policy=among("gpt-4o", "gpt-4o-mini", method="judge", prompt="jury"))

    result = await app.run("triage")

    chosen = result.selection
    assert chosen is not None
    assert (result.value, chosen.method, len(chosen.judges)) == ("one", "first", 1 if reply == "500" else 2)
    assert "jury" in chosen.fallback_reason
    assert desk.models[JUDGE_MODEL] == len(chosen.judges)


async def test_a_judge_that_got_candidates_of_its_own_later_is_not_asked(app: cuewire.App, desk: Desk) -> None:
    desk.reply = by_model(gpt_4o="one", gpt_4o_mini="two")
    await app.prompts.publish("jury", JUDGE, model=f"openai/{JUDGE_MODEL}")
    policy = among("gpt-4o", "gpt-4o-mini", method="judge", prompt="jury")
    await app.prompts.publish("triage", "Bug?", policy=policy)
    two = {"parallel": {"mode": "static_count", "count": 2}}
    await app.prompts.publish("jury", JUDGE, model=f"openai/{JUDGE_MODEL}", policy=two)
    await app.prompts.label("jury", "production", 2)

    result = await app.run("triage")

    assert result.selection is not None
    assert (result.value, result.selection.judges, desk.models[JUDGE_MODEL]) == ("one", (), 0)
    assert "has several candidates itself" in result.selection.fallback_reason


async def test_a_judge_for_whom_retries_left_no_call_is_not_asked(app: cuewire.App, desk: Desk) -> None:
    answers = by_model(gpt_4o="one", gpt_4o_mini="two")
    desk.reply = lambda asked: said("down", status=500) if len(desk.received) == 1 else answers(asked)
    await app.prompts.publish("jury", JUDGE, model=f"openai/{JUDGE_MODEL}")
    policy = among("gpt-4o", "gpt-4o-mini", method="judge", prompt="jury")
    policy |= {"max_calls": 3, "retry": {"max_retries": 1, "delay_ms": 0}}
    await app.prompts.publish("triage", "Bug?", policy=policy)

    result = await app.run("triage")

    assert result.selection is not None
    assert (result.value, desk.models[JUDGE_MODEL], len(desk.received)) == ("one", 0, 3)
    assert "allows no further call" in result.selection.fallback_reason


@pytest.mark.contract("S4-07", "S4-12", "S4-35")
async def test_tokens_cost_and_time_of_an_execution_are_those_of_all_its_candidates(
    app: cuewire.App, desk: Desk
) -> None:
    desk.reply = by_model(gpt_4o_mini="fine", o3_mini="400")
    bound = [
        {"model": "openai/gpt-4o-mini", "parallel": {"mode": "static_count", "count": 3}},
        {"model": "openai/o3-mini"},
    ]
    await app.prompts.publish("triage", "Bug?", policy={"parallel": {"mode": "model_specific"}, "models": bound})

    result = await app.run("triage")

    record = await app.executions.get(result.id)
    assert record.duration_ms is not None
    assert record.cost_usd == result.cost_usd == pytest.approx(3 * ONE_CALL_USD)
    assert (record.input_tokens, record.output_tokens, record.total_tokens) == (3_000, 1_500, 4_500)
    assert record.work is not None
    ends = record.work.candidates
    assert sum(end.cost_usd or 0 for end in ends) == pytest.approx(record.cost_usd)
    assert [end.usage.total_tokens for end in ends if end.status == "valid"] == [1_500] * 3
    durations = [end.duration_ms for end in ends]
    assert all(duration is not None and 0 < duration <= record.duration_ms for duration in durations)
    assert sum(end.calls for end in ends) == len(record.calls) == len(desk.received) == 4
    assert {call.candidate for call in record.calls} == {0, 1, 2, 3}
    assert [call.cost_usd for call in record.calls if call.status == "failed"] == [0.0]


@pytest.mark.contract("S4-11")
async def test_the_record_holds_the_plan_and_a_look_at_it_gives_the_same_as_the_plan_before(
    app: cuewire.App, desk: Desk
) -> None:
    desk.reply = by_model(gpt_4o="one", gpt_4o_mini="two")
    policy = among("gpt-4o", "gpt-4o-mini", method="metric", metric="cost")
    await app.prompts.publish("triage", "Bug?", policy=policy)

    plans = [await app.plan("triage") for _ in range(2)]
    other = await app.plan("triage", parameters={"temperature": 0.5})
    result = await app.run("triage")

    record = await app.executions.get(result.id)
    assert record.work is not None
    assert record.work.plan.candidates == plans[0].candidates
    assert plans[0].hash == plans[1].hash == record.work.plan.hash != other.hash
    assert (plans[0].max_calls, len(record.calls)) == (2, 2)
    assert [(end.model, end.reason) for end in sorted(result.candidates, key=lambda end: end.index)] == [
        (str(each.model), each.reason) for each in plans[0].candidates
    ]
    assert result.value == "two"


async def test_a_model_is_told_what_was_wrong_with_its_answer_and_the_call_is_a_repair(
    app: cuewire.App, desk: Desk
) -> None:
    texts = iter(["perhaps", "well, yes", "yes"])
    desk.reply = lambda _: said(next(texts))
    await app.prompts.publish(
        "ask", "Is it a bug?", model="openai/gpt-4o-mini", output="boolean", policy={"max_repairs": 2}
    )

    result = await app.run("ask")

    assert (result.value, result.valid) == (True, True)
    assert result.cost_usd == pytest.approx(3 * ONE_CALL_USD)
    record = await app.executions.get(result.id)
    assert [call.purpose for call in record.calls] == ["first", "repair", "repair"]
    told = [message["content"] for message in desk.received[2].json["messages"]]
    assert (told[0], told[1], told[3]) == ("Is it a bug?", "perhaps", "well, yes")
    assert all("cannot be used" in told[place] and "neither yes nor no" in told[place] for place in (2, 4))
    texts = iter(["a", "b", "c"])
    with pytest.raises(OutputError) as failed:
        await app.run("ask")
    assert failed.value.text == "c"


@pytest.mark.parametrize(("validation", "count"), [("warn", 1), ("none", 1), ("warn", 3), ("none", 3)])
async def test_an_answer_of_the_wrong_form_is_given_out_as_not_valid_if_the_policy_says_so(
    app: cuewire.App, desk: Desk, validation: str, count: int
) -> None:
    desk.reply = lambda _: said("perhaps")
    parallel = {"mode": "static_count", "count": count}
    policy = {"validation": validation, "parallel": parallel}
    await app.prompts.publish("ask", "A bug?", model="openai/gpt-4o-mini", output="boolean", policy=policy)

    result = await app.run("ask")

    record = await app.executions.get(result.id)
    assert (result.value, result.text, result.valid, record.status) == ("perhaps", "perhaps", False, "succeeded")
    assert [end.status for end in result.candidates] == ["invalid"] * (count if count > 1 else 0)


async def test_an_answer_that_could_not_be_repaired_is_still_that_of_the_model_that_gave_it(
    app: cuewire.App, desk: Desk
) -> None:
    answers = iter(["perhaps"])
    desk.reply = lambda _: said(text) if (text := next(answers, "")) else said("down", status=503)
    policy = {
        "models": models("gpt-4o", "gpt-4o-mini"),
        "failover": {"strategy": "next_by_priority"},
        "max_repairs": 1,
        "validation": "warn",
    }
    await app.prompts.publish("ask", "A bug?", output="boolean", policy=policy)

    result = await app.run("ask")

    assert (result.text, result.valid, result.model) == ("perhaps", False, "openai/gpt-4o")
    asked = [(call.purpose, call.model) for call in (await app.executions.get(result.id)).calls]
    assert asked == [("first", "openai/gpt-4o"), ("repair", "openai/gpt-4o"), ("failover", "openai/gpt-4o-mini")]


@pytest.mark.parametrize("more", [{"retry": {"max_retries": 3}}, {"failover": {"strategy": "next_by_priority"}}])
async def test_without_a_call_left_what_went_wrong_is_told(app: cuewire.App, desk: Desk, more: dict[str, Any]) -> None:
    desk.reply = lambda _: said("down", status=503)
    policy = {"models": models("gpt-4o", "gpt-4o-mini"), "max_calls": 1, **more}
    await app.prompts.publish("ask", "A bug?", policy=policy)

    with pytest.raises(ProviderUnavailable):
        await app.run("ask")

    assert len(desk.received) == 1


async def test_calls_are_bounded_whatever_retries_and_repairs_would_lead_to(app: cuewire.App, desk: Desk) -> None:
    desk.reply = lambda _: said("perhaps")
    policy = {"parallel": {"mode": "static_count", "count": 3}, "max_repairs": 3, "max_calls": 5}
    await app.prompts.publish("ask", "A bug?", model="openai/gpt-4o-mini", output="boolean", policy=policy)

    plan = await app.plan("ask")
    with pytest.raises(OutputError, match="none of 3 candidates is valid"):
        await app.run("ask")

    assert (plan.max_calls, len(desk.received)) == (5, 5)


@pytest.mark.parametrize(
    ("policy", "parameters", "field"),
    [
        ({"parallel": {"mode": "static_count", "count": 3}, "max_calls": 2}, {}, "/policy/max_calls"),
        ({"max_usd": 0.000_001}, {"max_tokens": 1_000}, "/policy/max_usd"),
        ({"max_usd": 1}, {}, "/policy/max_usd"),
        ({"max_usd": 0}, {"max_tokens": 1}, "/policy/max_usd"),
    ],
)
async def test_what_could_cost_more_than_is_allowed_is_refused_before_the_first_call(
    app: cuewire.App, desk: Desk, policy: dict[str, Any], parameters: dict[str, Any], field: str
) -> None:
    await app.prompts.publish("ask", "A bug?", model="openai/gpt-4o-mini", parameters=parameters, policy=policy)

    for ask in (app.plan, app.run):
        with pytest.raises(InvalidInput) as refused:
            await ask("ask")
        assert refused.value.field == field

    assert desk.received == []


async def test_what_later_groups_read_cannot_be_bounded_and_so_is_refused_where_money_is(
    app: cuewire.App, desk: Desk
) -> None:
    bound = [*models("gpt-4o"), *models("gpt-4o-mini", group=1)]
    policy = {"parallel": {"mode": "model_specific"}, "models": bound, "max_usd": 1}
    await app.prompts.publish("ask", "{{ prior_candidates }}", parameters={"max_tokens": 10}, policy=policy)

    with pytest.raises(InvalidInput, match="later groups read the answers of earlier ones") as refused:
        await app.run("ask")

    assert (refused.value.field, desk.received) == ("/policy/max_usd", [])


async def test_what_a_run_can_cost_at_most_is_in_its_plan_and_it_costs_no_more(app: cuewire.App) -> None:
    policy = {"parallel": {"mode": "static_count", "count": 3}, "max_usd": 1, "retry": {"max_retries": 1}}
    limits = {"max_tokens": 5_000}
    long = "x" * 2_000
    await app.prompts.publish("ask", long, model="openai/gpt-4o-mini", parameters=limits, policy=policy)

    plan = await app.plan("ask")
    result = await app.run("ask")

    assert plan.max_usd is not None
    assert plan.max_usd == pytest.approx(3 * 2 * (2_016 * 0.15e-6 + 5_000 * 0.6e-6))
    assert result.cost_usd is not None
    assert result.cost_usd <= plan.max_usd <= 1
