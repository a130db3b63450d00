"""Counters of the server, in the text format of Prometheus."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from cuewire import __version__
from cuewire.model.breakers import BreakerState

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

    def text(self, *, running: int, breakers: Sequence[BreakerState] = ()) -> bytes:
        """Return all figures."""
        return ("\n".join([*self._lines(running), *_of_breakers(breakers)]) + "\n").encode()

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


def _of_breakers(breakers: Sequence[BreakerState]) -> Iterator[str]:
    """Yield those that have something to tell; which models are called is for callers to choose, and may be many."""
    told = [each for each in breakers if each.status != "closed" or each.is_forced or each.refused]
    yield from _head("cuewire_breaker_open", "gauge", "Whether no call to a model goes through; half open is 0.")
    yield from (f"cuewire_breaker_open{_model(each)} {int(each.status == 'open')}" for each in told)
    yield from _head("cuewire_breaker_refused_total", "counter", "Calls to a model that its breaker refused.")
    yield from (f"cuewire_breaker_refused_total{_model(each)} {each.refused}" for each in told)


def _model(state: BreakerState) -> str:
    """Return the label that names the model, which callers choose."""
    name = state.model.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{{model="{name}"}}'


def _head(name: str, kind: str, text: str) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
