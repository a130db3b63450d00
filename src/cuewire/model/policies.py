"""Policies: how a run of a version goes about it. How many candidates, on which models, which one wins, what then.

The empty policy asks one model once. A version carries its policy, so that it can be repeated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta

from cuewire.model.errors import InvalidInput
from cuewire.model.requests import check_parameters, parse_model
from cuewire.model.text import check_json
from cuewire.model.values import Value

MOST_CANDIDATES = 64
"""Candidates of one execution, whatever its policy allows."""
MOST_CALLS = 256
"""Calls of one execution, whatever its policy allows."""

Count: TypeAlias = Annotated[int, Meta(ge=1, le=MOST_CANDIDATES)]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=600_000)]
Times: TypeAlias = Annotated[int, Meta(ge=0, le=10)]
PromptName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=256)]


class _Stated(Value, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A part of a policy as its author states it: what is left out is as it always was."""


Part = TypeVar("Part", bound=_Stated)


class OneCandidate(_Stated, frozen=True, tag_field="mode", tag="none"):
    """One candidate."""


class StaticCount(_Stated, frozen=True, tag_field="mode", tag="static_count"):
    """So many candidates, the models taken in turn."""

    count: Count


class ConfigParam(_Stated, frozen=True, tag_field="mode", tag="config_param"):
    """As many candidates as a parameter of the run's configuration says."""

    param: Annotated[str, Meta(min_length=1, max_length=128)]


class ModelSpecific(_Stated, frozen=True, tag_field="mode", tag="model_specific"):
    """As many candidates as each model's own binding says, in the binding's group."""


class Binding(_Stated, frozen=True):
    """A model of a version. The one with the highest priority is asked first; an inactive one is never asked.

    With a `configuration` it counts in runs of that configuration only, where it takes the place of those without one.
    """

    model: str
    priority: Annotated[int, Meta(ge=-1_000_000, le=1_000_000)] = 0
    group: Annotated[int, Meta(ge=0, le=MOST_CANDIDATES - 1)] = 0
    configuration: str | None = None
    parameters: dict[str, Any] = {}
    parallel: OneCandidate | StaticCount | ConfigParam = OneCandidate()
    active: bool = True


class ModelChoice(_Stated, frozen=True):
    """Which models are eligible, and in which order.

    `default` takes the version's model first and then its bindings by priority; `specific` takes the bindings alone;
    `by_power` orders them by the power that the settings give their models, leaving out those below `min_power`;
    `balanced` begins with the model nearest to the mean.
    """

    strategy: Literal["default", "specific", "by_power"] = "default"
    preference: Literal["highest", "lowest", "balanced"] = "highest"
    min_power: int | None = None


class Groups(_Stated, frozen=True):
    """Whether a later group runs: always, only if no candidate was valid, or only if none scored so high.

    With `race` the first valid candidate ends everything else.
    """

    policy: Literal["all", "until_success", "until_score", "race"] = "all"
    score: float | None = None


class First(_Stated, frozen=True, tag_field="method", tag="first"):
    """The valid candidate that comes first in the plan: by group, then priority."""


class Fastest(_Stated, frozen=True, tag_field="method", tag="fastest"):
    """The valid candidate that was there first."""


class Random(_Stated, frozen=True, tag_field="method", tag="random"):
    """Any valid candidate, drawn by the execution's id."""


class Consensus(_Stated, frozen=True, tag_field="method", tag="consensus"):
    """What most valid candidates say; `quorum` is the share that must agree, else nothing is selected.

    Numbers agree within `tolerance`, relative to the larger one.
    """

    quorum: Annotated[float, Meta(ge=0, le=1)] = 0.0
    tolerance: Annotated[float, Meta(ge=0, le=1)] = 1e-9


class Metric(_Stated, frozen=True, tag_field="method", tag="metric"):
    """The best by a figure; `metric` is one of METRICS, each of which knows whether less or more is better."""

    metric: Literal["cost", "latency", "shortest", "longest", "fewest_tokens"]


class Judge(_Stated, frozen=True, tag_field="method", tag="judge"):
    """What another prompt ranks first, blind. With `reverse` it looks twice, and both looks must agree."""

    prompt: PromptName
    reverse: bool = False


class Vote(_Stated, frozen=True, tag_field="method", tag="vote"):
    """What several judges rank highest together (Borda count)."""

    judges: Annotated[tuple[PromptName, ...], Meta(min_length=2, max_length=9)]


SelectionMethod: TypeAlias = First | Fastest | Random | Consensus | Metric | Judge | Vote


class Retry(_Stated, frozen=True):
    """How often a failed call is repeated at the same endpoint, and after which wait.

    The wait before retry n is `delay_ms` (fixed), n times that (linear), or 2^(n-1) times that (exponential), at most
    `cap_ms`; with `jitter` it is drawn between 0 and that. What a provider asks for in Retry-After is the least, up to
    the cap.
    """

    max_retries: Times = 0
    strategy: Literal["fixed", "linear", "exponential"] = "exponential"
    delay_ms: Milliseconds = 1_000
    cap_ms: Milliseconds = 30_000
    jitter: bool = True


FailureClass: TypeAlias = Literal["rate_limit", "credit", "service", "network", "model", "authentication", "context"]
"""Kinds of failures for which another endpoint may help. What is wrong with a request is wrong everywhere."""


class Failover(_Stated, frozen=True):
    """Which endpoints are asked when one has failed for good, and for which failures (all by default)."""

    strategy: Literal["none", "same_model_other_provider", "next_by_priority", "by_power"] = "none"
    model: Literal["same", "different", "require_same"] = "same"
    scope: tuple[FailureClass, ...] = ()
    max_failovers: Times = 3
    delay_ms: Milliseconds = 0


Ttl: TypeAlias = Annotated[float, Meta(gt=0, le=10 * 365 * 86_400)]
Match: TypeAlias = Literal["model", "provider", "agent", "configuration"]
InputName: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]


class Semantic(_Stated, frozen=True):
    """Whether the answer to a question that means the same will do.

    The inputs named in `on` are compared by what they mean, as vectors of the embedding `model` and from a cosine of
    `threshold` on; all other inputs must be equal. The `verifier` is a prompt that has to agree. In `shadow` mode what
    would have been served is only noted beside the answer that was got; with `serve` it is served once enough such
    notes are right.
    """

    on: Annotated[tuple[InputName, ...], Meta(min_length=1, max_length=8)]
    model: str
    threshold: Annotated[float, Meta(ge=0, le=1)] = 0.95
    verifier: PromptName | None = None
    mode: Literal["shadow", "serve"] = "shadow"


class Cache(_Stated, frozen=True):
    """Whether an answer that was given before may be given again, to a run that asks the same.

    The same are the version, the messages, the parameters and the output, and what `must_match` says beside them: the
    agent is `agent` in the run's metadata. An entry holds for `ttl_s`, without that until it is cleared. Answers that
    were drawn, at a temperature above 0 without a seed, are kept with `sampled` only; those of templates that read the
    time with `volatile` only. An entry that has expired is given for `stale_s` more, while one run renews it. With
    `semantic` questions need not be equal.
    """

    ttl_s: Ttl | None = None
    stale_s: Ttl | None = None
    must_match: tuple[Match, ...] = ("model", "provider")
    sampled: bool = False
    volatile: bool = False
    semantic: Semantic | None = None


class Policy(_Stated, frozen=True):
    """How a run goes about it.

    `diversity` is what tells repeated candidates of one model apart. `max_repairs` is how often a model is told what
    was wrong with its answer; where none is valid then, the run fails (`validation` is `strict`), or its result is the
    text, marked as not valid (`warn`, `none`). `max_calls` and `max_usd` bound what a run may lead to, checked before
    the first call.
    """

    parallel: OneCandidate | StaticCount | ConfigParam | ModelSpecific = OneCandidate()
    models: tuple[Binding, ...] = ()
    choice: ModelChoice = ModelChoice()
    diversity: Literal["seed", "temperature", "none"] = "seed"
    groups: Groups = Groups()
    selection: SelectionMethod = First()
    retry: Retry = Retry()
    failover: Failover = Failover()
    max_repairs: Annotated[int, Meta(ge=0, le=3)] = 0
    validation: Literal["strict", "warn", "none"] = "strict"
    max_candidates: Count = 8
    at_once: Count = 8
    candidate_timeout_s: Annotated[float, Meta(gt=0, le=86_400)] | None = None
    max_calls: Annotated[int, Meta(ge=1, le=MOST_CALLS)] | None = None
    max_usd: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    cache: Cache | None = None


PLAIN = Policy()
"""One model, asked once."""


def parse_policy(spec: Mapping[str, Any] | Policy | None) -> Policy:
    """Read what `publish(policy=...)` accepts. Raises InvalidInput with the place of what is wrong."""
    if spec is None:
        return PLAIN
    if isinstance(spec, Policy):
        plain = msgspec.to_builtins(spec)
    else:
        check_json(spec, pointer="/policy")
        plain = spec
    try:
        policy = msgspec.convert(plain, Policy)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        field = f"/policy{_pointer(where.rstrip('`'))}"
        raise InvalidInput(
            f"policy: {what}, at {field}", field=field, hint="docs/strategies.md tells what a policy may say"
        ) from None
    _check(policy)
    return _settled(policy)


def stated(policy: Policy) -> dict[str, Any]:
    """Return a policy as its author may state it, in the fewest words: none for the empty one."""
    found: dict[str, Any] = msgspec.to_builtins(_settled(policy))
    return found


def is_single(policy: Policy) -> bool:
    """Tell whether there is always one candidate, so that nobody has to judge."""
    return isinstance(policy.parallel, OneCandidate)


def judges_of(policy: Policy) -> tuple[tuple[str, str], ...]:
    """Return the prompts that judge, each as it is named, and the place where it is."""
    found: list[tuple[str, str]] = []
    match policy.selection:
        case Judge(prompt=prompt):
            found.append((prompt, "/policy/selection"))
        case Vote(judges=judges):
            found += [(judge, "/policy/selection") for judge in judges]
    semantic = policy.cache.semantic if policy.cache else None
    if semantic is not None and semantic.verifier is not None:
        found.append((semantic.verifier, "/policy/cache/semantic/verifier"))
    return tuple(found)


def _check(policy: Policy) -> None:
    """Refuse what each part allows and the whole does not."""
    if isinstance(policy.parallel, StaticCount) and policy.parallel.count > policy.max_candidates:
        raise InvalidInput(
            f"the policy asks for {policy.parallel.count} candidates and allows {policy.max_candidates}",
            field="/policy/parallel/count",
            hint=f"raise max_candidates, up to {MOST_CANDIDATES}",
        )
    seen = set()
    for place, binding in enumerate(policy.models):
        field = f"/policy/models/{place}"
        parse_model(binding.model, field=f"{field}/model")
        check_parameters(binding.parameters, pointer=f"{field}/parameters")
        if (binding.model, binding.configuration) in seen:
            raise InvalidInput(f"{binding.model!r} is bound twice", field=field, hint="give one binding a count")
        seen.add((binding.model, binding.configuration))
    if policy.groups.policy == "until_score":
        if policy.groups.score is None:
            raise InvalidInput("until_score needs a score", field="/policy/groups/score")
        if not isinstance(policy.selection, Judge):
            raise InvalidInput(
                f"a selection by {policy.selection.__struct_config__.tag} gives no scores from 0 to 10",
                field="/policy/selection/method",
                hint="select by judge, or run the groups until_success",
            )
    elif policy.groups.score is not None:
        raise InvalidInput("a score counts with until_score only", field="/policy/groups/score")
    if policy.cache is not None:
        _check_cache(policy.cache)


def _check_cache(cache: Cache) -> None:
    if cache.stale_s is not None and cache.ttl_s is None:
        raise InvalidInput(
            "an entry that never expires is never stale", field="/policy/cache/stale_s", hint="set ttl_s too"
        )
    if cache.semantic is None:
        return
    parse_model(cache.semantic.model, field="/policy/cache/semantic/model")
    if cache.volatile:
        raise InvalidInput(
            "questions that are compared by what they mean may be of any time",
            field="/policy/cache/volatile",
            hint="give the time as an input, which then must be equal",
        )


def _settled(part: Part) -> Part:
    """Return a part without what says no more than leaving it out, so that equal ones are written equally."""
    settled: dict[str, Any] = {}
    for field in msgspec.structs.fields(part):
        value = getattr(part, field.name)
        if isinstance(value, _Stated):
            value = _settled(value)
        elif isinstance(value, tuple):
            value = tuple(_settled(each) if isinstance(each, _Stated) else each for each in value)
        settled[field.name] = field.default if value == field.default else value
    return type(part)(**settled)


def _pointer(place: str) -> str:
    """Return a place as msgspec names it, `.models[0].parallel`, as a JSON pointer."""
    return place.replace("[", "/").replace("]", "").replace(".", "/")
