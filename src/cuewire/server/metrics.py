"""Counters of the server, in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from cuewire import __version__
from cuewire.engine.tally import Tally
from cuewire.model.breakers import BreakerState
from cuewire.model.limits import LimitState

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts requests by route and status. Routes are names of ours, so that nobody can make up new ones."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one request; status 0 is a client that hung up before its reply."""
        self._requests[route, status] += 1
        self._seconds[route] += seconds

    def text(
        self, *, running: int, tally: Tally, breakers: Sequence[BreakerState], limits: Sequence[LimitState]
    ) -> bytes:
        """Return all figures."""
        lines = [*self._lines(running), *_of_executions(tally), *_of_breakers(breakers), *_of_limits(limits)]
        return ("\n".join(lines) + "\n").encode()

    def _lines(self, running: int) -> Iterator[str]:
        yield from _head("cuewire_info", "gauge", "The version that runs.")
        yield f'cuewire_info{{version="{__version__}"}} 1'
        yield from _head("cuewire_executions_running", "gauge", "Executions that run for clients of this process.")
        yield f"cuewire_executions_running {running}"
        yield from _head("cuewire_requests_total", "counter", "Requests answered; status 0: the client hung up.")
        for (route, status), count in sorted(self._requests.items()):
            yield f'cuewire_requests_total{{route="{route}",status="{status}"}} {count}'
        yield from _head("cuewire_request_seconds", "summary", "Time from the head of a request to its last byte.")
        totals: Counter[str] = Counter()
        for (route, _), count in self._requests.items():
            totals[route] += count
        for route, count in sorted(totals.items()):
            yield f'cuewire_request_seconds_sum{{route="{route}"}} {self._seconds[route]:.6f}'
            yield f'cuewire_request_seconds_count{{route="{route}"}} {count}'


def _of_executions(tally: Tally) -> Iterator[str]:
    yield from _head("cuewire_executions_total", "counter", "Executions that ended in this process.")
    yield from (f'cuewire_executions_total{{status="{status}"}} {n}' for status, n in sorted(tally.executions.items()))
    yield from _head("cuewire_calls_total", "counter", "Calls to models, by why they were made and how they ended.")
    for (cause, status), count in sorted(tally.calls.items()):
        yield f'cuewire_calls_total{{cause="{cause}",status="{status}"}} {count}'
    yield from _head("cuewire_calls_cost_usd_total", "counter", "What calls cost, as far as that is known.")
    yield f"cuewire_calls_cost_usd_total {tally.cost_usd:.9g}"
    yield from _head("cuewire_candidates_total", "counter", "Candidates of executions that ask for several.")
    yield from (f'cuewire_candidates_total{{status="{status}"}} {n}' for status, n in sorted(tally.candidates.items()))
    yield from _head("cuewire_cache_hits_total", "counter", "Executions that gave an earlier answer again.")
    yield from (f'cuewire_cache_hits_total{{match="{match}"}} {n}' for match, n in sorted(tally.hits.items()))


def _of_breakers(breakers: Sequence[BreakerState]) -> Iterator[str]:
    """Yield those that have something to tell; which models are called is for callers to choose, and may be many."""
    told = [each for each in breakers if each.status != "closed" or each.is_forced or each.refused]
    yield from _head("cuewire_breaker_open", "gauge", "Whether no call to a model goes through; half open is 0.")
    yield from (f"cuewire_breaker_open{_model(each)} {int(each.status == 'open')}" for each in told)
    yield from _head("cuewire_breaker_refused_total", "counter", "Calls to a model that its breaker refused.")
    yield from (f"cuewire_breaker_refused_total{_model(each)} {each.refused}" for each in told)


def _of_limits(limits: Sequence[LimitState]) -> Iterator[str]:
    """Yield those that have something to tell, for the same reason."""
    told = [each for each in limits if each.hold != "none" or each.refused or each.waiting or _is_set(each)]
    figures = (
        ("cuewire_limit_held", "gauge", "Whether calls are paused or the key is refused.", _is_held),
        ("cuewire_limit_running", "gauge", "Calls that run.", lambda each: each.running),
        ("cuewire_limit_waiting", "gauge", "Calls that wait for a limit.", lambda each: each.waiting),
        ("cuewire_limit_refused_total", "counter", "Calls that were not made.", lambda each: each.refused),
    )
    for name, kind, text, figure in figures:
        yield from _head(name, kind, text)
        yield from (f'{name}{{limit="{_escaped(each.name)}"}} {figure(each)}' for each in told)


def _is_held(state: LimitState) -> int:
    return int(state.hold in ("paused", "key_refused"))


def _is_set(state: LimitState) -> bool:
    return any((state.max_concurrency, state.requests_per_minute, state.tokens_per_minute))


def _model(state: BreakerState) -> str:
    return f'{{model="{_escaped(state.model)}"}}'


def _escaped(name: str) -> str:
    """Return a name as a label holds it; callers choose the names of models."""
    return name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
