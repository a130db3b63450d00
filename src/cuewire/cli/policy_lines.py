"""How a policy looks, line by line: what differs from one call to one model, each part in a line of its own."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from cuewire.cli.text import usd
from cuewire.model.policies import (
    PLAIN,
    Binding,
    Cache,
    ConfigParam,
    Consensus,
    Failover,
    First,
    Judge,
    Metric,
    ModelChoice,
    ModelSpecific,
    OneCandidate,
    Policy,
    Retry,
    SelectionMethod,
    StaticCount,
    Vote,
)


def policy_lines(policy: Policy) -> Iterator[str]:
    """Yield what a policy says, nothing for the empty one."""
    if not isinstance(policy.parallel, OneCandidate):
        yield _parallel(policy.parallel)
    yield from map(_binding, policy.models)
    if policy.choice != ModelChoice():
        yield _choice(policy.choice)
    if policy.diversity != PLAIN.diversity:
        yield f"diversity by {policy.diversity}" if policy.diversity != "none" else "no diversity"
    if policy.groups.policy != "all":
        score = "" if policy.groups.score is None else f" {policy.groups.score:g}"
        yield f"groups {policy.groups.policy}{score}"
    if not isinstance(policy.selection, First):
        yield f"selects {_selection(policy.selection)}"
    if policy.retry != Retry():
        yield _retry(policy.retry)
    if policy.failover != Failover():
        yield _failover(policy.failover)
    if policy.max_repairs:
        yield f"{policy.max_repairs} repair{'s' if policy.max_repairs > 1 else ''}"
    if policy.validation != PLAIN.validation:
        yield f"validation {policy.validation}"
    if policy.cache is not None:
        yield _cache(policy.cache)
    yield from _bounds(policy)


def _parallel(parallel: OneCandidate | StaticCount | ConfigParam | ModelSpecific) -> str:
    match parallel:
        case StaticCount(count=count):
            return f"{count} candidate{'s' if count > 1 else ''}"
        case ConfigParam(param=param):
            return f"as many candidates as parameter {param!r} of the configuration"
        case ModelSpecific():
            return "as many candidates as each model says"
    return "one candidate"


def _binding(binding: Binding) -> str:
    said = [f"model {binding.model}", f"priority {binding.priority}", f"group {binding.group}"]
    if binding.configuration is not None:
        said.append(f"in configuration {binding.configuration}")
    if not isinstance(binding.parallel, OneCandidate):
        said.append(_parallel(binding.parallel))
    said += [f"{name} = {msgspec.json.encode(value).decode()}" for name, value in sorted(binding.parameters.items())]
    return ", ".join([*said, *([] if binding.active else ["not active"])])


def _choice(choice: ModelChoice) -> str:
    least = "" if choice.min_power is None else f", power {choice.min_power} or more"
    return f"models {choice.strategy}, {choice.preference}{least}"


def _selection(selection: SelectionMethod) -> str:
    match selection:
        case Consensus(quorum=quorum, tolerance=tolerance):
            numbers = "" if tolerance == Consensus().tolerance else f", tolerance {tolerance:g}"
            return f"by consensus{f', quorum {quorum:g}' if quorum else ''}{numbers}"
        case Metric(metric=metric):
            return f"by {metric}"
        case Judge(prompt=prompt, reverse=reverse):
            return f"by judge {prompt}{', who looks twice' if reverse else ''}"
        case Vote(judges=judges):
            return f"by vote of {', '.join(judges)}"
    method = selection.__struct_config__.tag
    return f"at {method}" if method == "random" else f"the {method}"


def _retry(retry: Retry) -> str:
    if not retry.max_retries:
        return "no retries"
    cap = "" if retry.strategy == "fixed" else f" up to {retry.cap_ms:,} ms"
    exactly = "" if retry.jitter else ", without jitter"
    retries = "1 retry" if retry.max_retries == 1 else f"{retry.max_retries} retries"
    return f"{retries}, {retry.strategy} from {retry.delay_ms:,} ms{cap}{exactly}"


def _failover(failover: Failover) -> str:
    if failover.strategy == "none":
        return "no failover"
    scope = f" for {', '.join(failover.scope)}" if failover.scope else ""
    model = "" if failover.model == "same" else f", {failover.model} model"
    wait = f", after {failover.delay_ms:,} ms" if failover.delay_ms else ""
    return f"failover {failover.strategy}{scope}{model}, at most {failover.max_failovers}{wait}"


def _cache(cache: Cache) -> str:
    ttl = "until it is cleared" if cache.ttl_s is None else f"for {cache.ttl_s:,g} s"
    also = [name for name in ("sampled", "volatile") if getattr(cache, name)]
    return (
        f"cache {ttl}, must match {', '.join(cache.must_match) or 'nothing more'}{''.join(f', {n} too' for n in also)}"
    )


def _bounds(policy: Policy) -> Iterator[str]:
    if policy.max_candidates != PLAIN.max_candidates:
        yield f"at most {policy.max_candidates} candidates"
    if policy.at_once != PLAIN.at_once:
        yield f"{policy.at_once} at once"
    if policy.candidate_timeout_s is not None:
        yield f"at most {policy.candidate_timeout_s:g} s for a candidate"
    if policy.max_calls is not None:
        yield f"at most {policy.max_calls} calls"
    if policy.max_usd is not None:
        yield f"at most {usd(policy.max_usd)}"
