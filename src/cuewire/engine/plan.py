"""Which calls an execution may make: a pure function of the version, the configuration and what was asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from cuewire.engine.failover import fallbacks
from cuewire.engine.select import most_asks
from cuewire.model.errors import InvalidInput, ModelNotFound
from cuewire.model.plans import Candidate, Group, Plan
from cuewire.model.policies import (
    MOST_CALLS,
    PLAIN,
    Binding,
    ConfigParam,
    ModelSpecific,
    OneCandidate,
    Policy,
    StaticCount,
)
from cuewire.model.prompts import PromptVersion
from cuewire.model.requests import parse_model
from cuewire.model.values import Value

_NONE: Mapping[str, Any] = {}
_WARMER = 0.2
"""What each further candidate of a model adds to its temperature."""


class Scene(Value, frozen=True):
    """What a plan depends on beside the version and the order.

    `configuration` is the name of the run's, with its parameters; `powers` tells how able models are, as
    `provider/model`.
    """

    configuration: str | None = None
    parameters: Mapping[str, Any] = _NONE
    powers: Mapping[str, int] = {}


NOWHERE = Scene()
"""No configuration, and nothing known of models."""


def make_plan(
    version: PromptVersion,
    *,
    model: str | None,
    parameters: Mapping[str, Any],
    models: Sequence[str] = (),
    scene: Scene = NOWHERE,
) -> Plan:
    """Plan the candidates of a run; the caller's model, or models, take the place of all others, its parameters win.

    Raises ModelNotFound if nothing names a model, InvalidInput for a count that cannot be.
    """
    policy = version.policy
    if models:
        return _side_by_side(version, models, parameters)
    if policy is PLAIN or policy == PLAIN:
        return _plain(version, model, parameters)
    eligible, notes = _eligible(version, model, scene)
    wanted = [*islice(_wanted(policy, eligible, scene), policy.max_candidates + 1)]
    if len(wanted) > policy.max_candidates:
        raise InvalidInput(
            f"the plan has more than the {policy.max_candidates} candidates that the policy allows",
            field="/policy/max_candidates",
            hint="ask for fewer, or raise max_candidates",
        )
    candidates = _told_apart(policy, version, wanted, parameters)
    if policy.failover.strategy != "none":
        candidates = [_with_fallbacks(each, eligible, policy, scene) for each in candidates]
    numbers = sorted({candidate.group for candidate in candidates})
    groups = tuple(
        Group(candidates=tuple(candidate for candidate in candidates if candidate.group == number))
        for number in numbers
    )
    notes += _looks(policy)
    return Plan(groups=groups, max_calls=_most_calls(policy, groups), notes=tuple(notes))


def _looks(policy: Policy) -> list[str]:
    """Return what a run does before its calls, to find a similar question that was answered."""
    semantic = policy.cache.semantic if policy.cache else None
    if semantic is None:
        return []
    verified = f", and verified by {semantic.verifier}" if semantic.verifier else ""
    return [f"before these calls a similar question is looked for: embedded by {semantic.model}{verified}"]


def _plain(version: PromptVersion, model: str | None, parameters: Mapping[str, Any]) -> Plan:
    """Plan one candidate on the caller's model, else the version's."""
    chosen = model or version.model
    if chosen is None:
        raise _no_model(version)
    candidate = Candidate(
        index=0,
        model=parse_model(chosen),
        parameters={**version.parameters, **parameters} if parameters else version.parameters,
        reason="asked for by the caller" if model else "named by the version",
    )
    return Plan(groups=(Group(candidates=(candidate,)),), max_calls=1)


def _side_by_side(version: PromptVersion, models: Sequence[str], parameters: Mapping[str, Any]) -> Plan:
    """Plan one candidate on each of the caller's models, with the parameters that it has in the version's policy."""
    policy = version.policy
    if len(models) > policy.max_candidates:
        raise InvalidInput(
            f"{len(models)} models are {len(models)} candidates, and the policy allows {policy.max_candidates}",
            field="/models",
            hint="name fewer, or raise max_candidates in the version's policy",
        )
    bound = {binding.model: binding.parameters for binding in policy.models}
    candidates = [
        Candidate(
            index=index,
            model=parse_model(model),
            parameters={**version.parameters, **bound.get(model, {}), **parameters},
            reason="asked for by the caller",
        )
        for index, model in enumerate(models)
    ]
    groups = (Group(candidates=tuple(candidates)),)
    return Plan(groups=groups, max_calls=_most_calls(policy, groups))


class _Wanted(Value, frozen=True):
    """One candidate before it has a number."""

    binding: Binding
    group: int
    reason: str


def _eligible(version: PromptVersion, model: str | None, scene: Scene) -> tuple[list[tuple[Binding, str]], list[str]]:
    """Return the models that may be asked, the best first, each with why; and notes on those that may not."""
    if model is not None:
        return [(Binding(model=model), "asked for by the caller")], []
    policy, notes = version.policy, []
    active = [binding for binding in policy.models if binding.active]
    notes += [f"{each.model} is not active" for each in policy.models if not each.active]
    own = [binding for binding in active if binding.configuration == scene.configuration]
    bound = own or [binding for binding in active if binding.configuration is None]
    notes += [f"{each.model} belongs to configuration {each.configuration}" for each in active if each not in bound]
    ordered = [(each, "bound to the version") for each in sorted(bound, key=lambda each: -each.priority)]
    if version.model is not None and policy.choice.strategy != "specific":
        ordered.insert(0, (Binding(model=version.model), "named by the version"))
    if policy.choice.strategy == "by_power":
        ordered = _by_power(ordered, policy, scene, notes)
    if not ordered:
        raise _no_model(version)
    return ordered, notes


def _by_power(
    ordered: Sequence[tuple[Binding, str]], policy: Policy, scene: Scene, notes: list[str]
) -> list[tuple[Binding, str]]:
    """Return the models by how able they are, without those that are not able enough, or of which nothing is known."""
    known = {each.model: scene.powers[each.model] for each, _ in ordered if each.model in scene.powers}
    least = policy.choice.min_power
    kept = {model: power for model, power in known.items() if least is None or power >= least}
    notes += [f"the power of {each.model} is not known" for each, _ in ordered if each.model not in known]
    notes += [f"{model} has power {power}, below {least}" for model, power in known.items() if model not in kept]
    if not kept:
        return []
    mean, preference = sum(kept.values()) / len(kept), policy.choice.preference
    keys: dict[str, Callable[[int], float]] = {
        "highest": lambda power: -power,
        "lowest": lambda power: power,
        "balanced": lambda power: abs(power - mean),
    }
    found = [(each, f"{preference} power: {kept[each.model]}") for each, _ in ordered if each.model in kept]
    return sorted(found, key=lambda pair: keys[preference](kept[pair[0].model]))


def _wanted(policy: Policy, eligible: Sequence[tuple[Binding, str]], scene: Scene) -> Iterator[_Wanted]:
    """Yield the candidates that the policy wants, in order."""
    match policy.parallel:
        case OneCandidate():
            (binding, reason), *_ = eligible
            yield _Wanted(binding=binding, group=0, reason=reason)
        case StaticCount() | ConfigParam():
            for number in range(_count(policy.parallel, scene, "/policy/parallel")):
                binding, reason = eligible[number % len(eligible)]
                yield _Wanted(binding=binding, group=0, reason=reason)
        case ModelSpecific():
            for binding, reason in sorted(eligible, key=lambda pair: pair[0].group):
                place = next((at for at, each in enumerate(policy.models) if each is binding), 0)
                for _ in range(_count(binding.parallel, scene, f"/policy/models/{place}/parallel")):
                    yield _Wanted(binding=binding, group=binding.group, reason=reason)


def _count(parallel: OneCandidate | StaticCount | ConfigParam, scene: Scene, field: str) -> int:
    if isinstance(parallel, OneCandidate):
        return 1
    if isinstance(parallel, StaticCount):
        return parallel.count
    found = scene.parameters.get(parallel.param)
    if isinstance(found, str) and found.isdecimal() and len(found) <= 3:
        found = int(found)
    if isinstance(found, int) and not isinstance(found, bool) and found >= 1:
        return found
    if scene.configuration is None:
        raise InvalidInput(
            f"the number of candidates is parameter {parallel.param!r} of a configuration, and the run names none",
            field="/configuration",
            hint="name one with configuration=",
        )
    said = "is not there" if found is None else f"is {str(found)[:40]!r}"
    raise InvalidInput(
        f"parameter {parallel.param!r} of configuration {scene.configuration!r} {said}, no number of candidates",
        field=f"{field}/param",
        hint="give it an integer of 1 or more",
    )


def _told_apart(
    policy: Policy, version: PromptVersion, wanted: Sequence[_Wanted], parameters: Mapping[str, Any]
) -> list[Candidate]:
    """Return numbered candidates; those of one model and equal parameters are told apart as the policy says."""
    candidates: list[Candidate] = []
    of_all = Counter(each.binding.model for each in wanted)
    seen: Counter[str] = Counter()
    for index, each in enumerate(wanted):
        model = each.binding.model
        chosen = {**version.parameters, **each.binding.parameters, **parameters}
        reason = each.reason
        if of_all[model] > 1:
            chosen, what = _varied(policy, chosen, seen[model])
            reason += what
        seen[model] += 1
        candidates.append(
            Candidate(
                index=index,
                model=parse_model(model),
                parameters=chosen,
                reason=reason,
                group=each.group,
                priority=each.binding.priority,
            )
        )
    return candidates


def _varied(policy: Policy, parameters: dict[str, Any], sample: int) -> tuple[dict[str, Any], str]:
    if policy.diversity == "seed":
        seed = parameters.get("seed", 0) + sample
        return {**parameters, "seed": seed}, f", seed {seed}"
    if policy.diversity == "temperature":
        temperature = min(2.0, round(parameters.get("temperature", 0.2) + _WARMER * sample, 3))
        return {**parameters, "temperature": temperature}, f", temperature {temperature:g}"
    return parameters, f", sample {sample + 1}"


def _with_fallbacks(
    candidate: Candidate, eligible: Sequence[tuple[Binding, str]], policy: Policy, scene: Scene
) -> Candidate:
    by_priority = [parse_model(binding.model) for binding, _ in sorted(eligible, key=lambda pair: -pair[0].priority)]
    found = fallbacks(candidate.model, by_priority, policy=policy.failover, powers=scene.powers)
    return msgspec.structs.replace(candidate, fallbacks=found[: policy.failover.max_failovers])


def _most_calls(policy: Policy, groups: Sequence[Group]) -> int:
    """Return how many calls there can be at most: repeats at each endpoint, each repair asked so again, and judges."""
    candidates = [candidate for group in groups for candidate in group.candidates]
    each = (1 + policy.retry.max_retries) * (1 + policy.max_repairs)
    asked = sum(each * (1 + len(candidate.fallbacks)) for candidate in candidates)
    if len(candidates) > 1:
        asked += most_asks(policy.selection) * (len(groups) if policy.groups.policy == "until_score" else 1)
    least = len(candidates)
    if policy.max_calls is not None and policy.max_calls < least:
        raise InvalidInput(
            f"the plan needs at least {least} calls, and the policy allows {policy.max_calls}",
            field="/policy/max_calls",
            hint="ask for fewer candidates, or raise max_calls",
        )
    return min(asked, policy.max_calls or MOST_CALLS, MOST_CALLS)


def _no_model(version: PromptVersion) -> ModelNotFound:
    return ModelNotFound(
        f"prompt {version.prompt!r} version {version.number} names no model that can be asked",
        hint="run it with model='provider/model', or publish a version with a model",
    )
