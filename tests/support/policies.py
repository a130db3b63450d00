"""Policies of all kinds, as their authors state them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from cuewire.model.policies import parse_policy, stated

_COUNTS = st.integers(1, 8)
_SHARES = st.floats(0, 1)


def _part(needed: dict[str, st.SearchStrategy[Any]], **more: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(needed, optional=more)


_OF_A_MODEL = st.one_of(
    st.just({"mode": "none"}),
    _part({"mode": st.just("static_count"), "count": _COUNTS}),
    st.just({"mode": "config_param", "param": "samples"}),
)
_BINDINGS = _part(
    {"model": st.sampled_from(["scripted/a", "scripted/b", "openai/gpt-4o-mini"])},
    priority=st.integers(-9, 9),
    group=st.integers(0, 3),
    configuration=st.none() | st.just("no"),
    parameters=st.dictionaries(st.sampled_from(["seed", "temperature"]), st.integers(0, 1)),
    parallel=_OF_A_MODEL,
    active=st.booleans(),
)
_SELECTIONS = st.one_of(
    st.sampled_from([{"method": method} for method in ("first", "fastest", "random", "consensus")]),
    _part({"method": st.just("consensus")}, quorum=_SHARES, tolerance=_SHARES),
    _part({"method": st.just("metric"), "metric": st.sampled_from(["cost", "shortest"])}),
    _part({"method": st.just("judge"), "prompt": st.just("judge@7")}, reverse=st.booleans()),
    st.just({"method": "vote", "judges": ["judge/a", "judge/b"]}),
)
_SEMANTIC = _part(
    {"on": st.just(["name"]) | st.just(["name", "text"]), "model": st.just("local/minilm")},
    threshold=_SHARES | st.just(0.95),
    verifier=st.none() | st.just("judge/a@production"),
    mode=st.sampled_from(["shadow", "serve"]),
)
_CACHES = st.one_of(
    _part({}, ttl_s=st.none() | st.floats(1, 60), sampled=st.booleans(), semantic=st.none() | _SEMANTIC),
    _part({"ttl_s": st.floats(1, 60)}, stale_s=st.none() | st.floats(1, 60), volatile=st.booleans()),
)
SAID_POLICIES = _part(
    {},
    parallel=_OF_A_MODEL | st.just({"mode": "model_specific"}),
    models=st.lists(_BINDINGS, max_size=3, unique_by=lambda each: (each["model"], each.get("configuration"))),
    choice=_part({}, strategy=st.sampled_from(["default", "by_power"]), min_power=st.none() | st.integers(0, 9)),
    diversity=st.sampled_from(["seed", "none"]),
    groups=_part({}, policy=st.sampled_from(["all", "race", "until_success"])),
    selection=_SELECTIONS,
    retry=_part({}, max_retries=st.integers(0, 3), delay_ms=st.sampled_from([0, 1_000]), jitter=st.booleans()),
    failover=_part({}, strategy=st.sampled_from(["none", "by_power"]), scope=st.just([]) | st.just(["rate_limit"])),
    max_repairs=st.integers(0, 3),
    at_once=_COUNTS,
    candidate_timeout_s=st.none() | st.floats(0.1, 60),
    cache=st.none() | _CACHES,
    max_usd=st.none() | st.floats(0, 1),
)
"""As an author may write them, also what goes without saying."""
STATED_POLICIES = SAID_POLICIES.map(lambda said: stated(parse_policy(said)))
"""As a version states them again."""
