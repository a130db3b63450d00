"""How a policy looks: all of what it says, and nothing that goes without saying."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from cuewire.cli.policy_lines import policy_lines
from cuewire.model.policies import PLAIN, parse_policy
from tests.support.policies import SAID_POLICIES


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ({}, []),
        ({"parallel": {"mode": "static_count", "count": 3}}, ["3 candidates"]),
        ({"parallel": {"mode": "static_count", "count": 1}}, ["1 candidate"]),
        (
            {"parallel": {"mode": "config_param", "param": "n"}},
            ["as many candidates as parameter 'n' of the configuration"],
        ),
        (
            {
                "parallel": {"mode": "model_specific"},
                "models": [
                    {
                        "model": "a/b",
                        "priority": 9,
                        "group": 1,
                        "configuration": "live",
                        "parallel": {"mode": "static_count", "count": 2},
                        "parameters": {"temperature": 0.5, "seed": 7},
                        "active": False,
                    }
                ],
            },
            [
                "as many candidates as each model says",
                "model a/b, priority 9, group 1, in configuration live, 2 candidates, seed = 7, temperature = 0.5, "
                "not active",
            ],
        ),
        ({"choice": {"strategy": "by_power", "min_power": 3}}, ["models by_power, highest, power 3 or more"]),
        ({"diversity": "temperature"}, ["diversity by temperature"]),
        ({"diversity": "none"}, ["no diversity"]),
        (
            {"groups": {"policy": "until_score", "score": 8}, "selection": {"method": "judge", "prompt": "j"}},
            ["groups until_score 8", "selects by judge j"],
        ),
        ({"groups": {"policy": "race"}, "selection": {"method": "fastest"}}, ["groups race", "selects the fastest"]),
        ({"selection": {"method": "random"}}, ["selects at random"]),
        ({"selection": {"method": "metric", "metric": "cost"}}, ["selects by cost"]),
        ({"selection": {"method": "vote", "judges": ["a", "b"]}}, ["selects by vote of a, b"]),
        ({"selection": {"method": "judge", "prompt": "j", "reverse": True}}, ["selects by judge j, who looks twice"]),
        (
            {"selection": {"method": "consensus", "quorum": 0.5, "tolerance": 0.01}},
            ["selects by consensus, quorum 0.5, tolerance 0.01"],
        ),
        ({"retry": {"max_retries": 1}}, ["1 retry, exponential from 1,000 ms up to 30,000 ms"]),
        (
            {"retry": {"max_retries": 3, "strategy": "fixed", "delay_ms": 50, "jitter": False}},
            ["3 retries, fixed from 50 ms, without jitter"],
        ),
        ({"retry": {"delay_ms": 50}}, ["no retries"]),
        ({"failover": {"max_failovers": 1}}, ["no failover"]),
        (
            {
                "failover": {
                    "strategy": "by_power",
                    "model": "different",
                    "scope": ["rate_limit", "service"],
                    "delay_ms": 5,
                }
            },
            ["failover by_power for rate_limit, service, different model, at most 3, after 5 ms"],
        ),
        ({"max_repairs": 1, "validation": "warn"}, ["1 repair", "validation warn"]),
        ({"cache": {}}, ["cache until it is cleared, must match model, provider"]),
        (
            {"cache": {"ttl_s": 3600, "must_match": [], "sampled": True}},
            ["cache for 3,600 s, must match nothing more, sampled too"],
        ),
        (
            {"max_candidates": 9, "at_once": 2, "candidate_timeout_s": 1.5, "max_calls": 9, "max_usd": 0.01},
            ["at most 9 candidates", "2 at once", "at most 1.5 s for a candidate", "at most 9 calls", "at most $0.01"],
        ),
    ],
)
def test_each_part_has_its_line(said: dict[str, Any], lines: list[str]) -> None:
    assert [*policy_lines(parse_policy(said))] == lines


@given(said=SAID_POLICIES)
def test_whatever_differs_from_the_empty_policy_is_seen(said: dict[str, Any]) -> None:
    policy = parse_policy(said)

    assert bool([*policy_lines(policy)]) == (policy != PLAIN)
