"""`cuewire strategies` and `cuewire configurations`."""

from __future__ import annotations

from tests.support.command_line import CommandLine


async def test_a_strategy_is_added_shown_listed_and_removed(cue: CommandLine) -> None:
    added = (await cue("--json", "strategies", "add", "swing", "--description", "days", "--param", "risk=0.02")).json
    shown = await cue("strategies", "show", "swing")
    listed = (await cue("strategies", "list")).out.splitlines()

    assert (added["name"], added["parameters"]) == ("swing", {"risk": 0.02})
    assert "param    risk = 0.02" in shown.out
    assert listed[1].split() == ["swing", "-", "risk=0.02", "days"]
    assert (await cue("strategies", "remove", "swing")).out == "swing is removed\n"
    assert (await cue("strategies", "list")).err == "no strategies yet; add one with: cuewire strategies add NAME\n"
    assert (await cue("--json", "strategies", "show", "swing")).error["code"] == "scope_not_found"


async def test_a_configuration_says_what_it_does_not_take_from_its_parent(cue: CommandLine) -> None:
    await cue("configurations", "add", "base", "--param", "a=1", "--param", "b=2")
    await cue("configurations", "add", "live", "--parent", "base", "--param", "b=3", "--default")

    changed = (await cue("--json", "configurations", "set", "live", "--param", "c=4", "--drop", "b")).json
    shown = await cue("configurations", "show", "live")

    assert changed["parameters"] == {"c": 4}
    assert changed["effective"] == {"a": 1, "b": 2, "c": 4}
    assert "param    a = 1  (of its parent)\n" in shown.out
    assert shown.out.startswith("live (default)\nparent   base\n")
    assert (await cue("--json", "configurations", "remove", "base")).error["code"] == "still_in_use"
    assert (await cue("--json", "configurations", "set", "live", "--parent", "")).json["effective"] == {"c": 4}
    assert (await cue("--json", "configurations", "list")).json["items"][1]["parent"] is None
