"""Every policy in the page on strategies is one, and does what the page says of it; its pictures fit a page."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

import cuewire
from cuewire.config import load
from cuewire.model.candidates import CandidateStatus
from cuewire.model.policies import Binding, Failover, Policy, parse_policy, stated
from cuewire.providers.scripted import Scripted
from cuewire.wiring import gallery

PAGE = (Path(__file__).parents[2] / "docs/strategies.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
POLICIES = [json.loads(text) for kind, text in BLOCKS if kind == "json"]
MODEL = "openai/gpt-4o-mini"
JUDGES = ("judge/best-answer", "judge/brief")


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[cuewire.App]:
    """Open a registry with the providers that the page names, all of which echo; with judges and configurations."""
    settings = load(environment={"CUEWIRE_DATA_FOLDER": str(tmp_path)}, folder=tmp_path)
    providers = {name: Scripted() for name in ("openai", "anthropic", "openrouter")}
    async with cuewire.open(settings=settings, providers=providers) as opened:
        file = gallery().get(JUDGES[0])
        for name in JUDGES:
            await opened.prompts.publish(name, file.messages, lenient=True, model=MODEL, output=file.output)
        await opened.configurations.add("live", parameters={"samples": 3})
        yield opened


@pytest.mark.parametrize("said", POLICIES, ids=lambda said: ",".join(said) or "empty")
async def test_a_policy_of_the_page_runs_as_it_was_planned(app: cuewire.App, said: dict[str, Any]) -> None:
    await app.prompts.publish("triage", "Sort {{ text }}", model=MODEL, parameters={"max_tokens": 9}, policy=said)
    options: Mapping[str, Any] = {"configuration": "live"} if "config_param" in json.dumps(said) else {}

    plan = await app.plan("triage", {"text": "x"}, **options)
    result = await app.run("triage", {"text": "x"}, **options)

    planned = [candidate.index for candidate in plan.candidates]
    detail = await app.executions.get(result.id)
    assert result.text == "Sort x"
    assert len([call for call in detail.calls if call.purpose != "embedding"]) <= plan.max_calls
    if len(planned) > 1:
        assert sorted(end.index for end in result.candidates) == planned
        assert result.selection is not None
        assert result.selection.winner in planned
        assert plan.max_usd is not None


def test_the_page_has_a_policy_of_each_kind_and_a_picture_behind_each() -> None:
    kinds = [kind for kind, _ in BLOCKS]
    at = [place for place, kind in enumerate(kinds) if kind == "json"]

    assert [place for place in at if kinds[place + 1] not in ("", "console")] == []
    assert {said.get("parallel", {}).get("mode") for said in POLICIES} >= {
        *("none", "static_count", "config_param", "model_specific")
    }
    assert {said["groups"]["policy"] for said in POLICIES if "groups" in said} == {
        *("all", "until_success", "until_score", "race")
    }
    assert {said["selection"]["method"] for said in POLICIES if "selection" in said} == {
        *("first", "fastest", "consensus", "metric", "judge", "vote")
    }


def test_the_page_names_all_that_a_policy_may_say() -> None:
    named = {*Policy.__struct_fields__, *Binding.__struct_fields__, *Failover.__struct_fields__}
    named |= {*get_args(CandidateStatus), "jitter", "linear", "fixed", "random", "by_power", "min_power", "reverse"}

    assert sorted(name for name in named if not re.search(rf"\b{name}\b", PAGE)) == []


def test_its_policies_say_more_than_what_goes_without_saying() -> None:
    empty = [said for said in POLICIES if not stated(parse_policy(said))]

    assert empty == [{"parallel": {"mode": "none"}}]


def test_its_pictures_fit_a_page() -> None:
    wide = [line for kind, text in BLOCKS if kind != "json" for line in text.split("\n") if len(line) > 100]

    assert wide == []
