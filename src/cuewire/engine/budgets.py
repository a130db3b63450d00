"""What keeps failures from multiplying calls: the calls of one execution, and the retries of many."""

from __future__ import annotations

RETRIES_AT_ONCE = 10
"""Retries that are allowed at any provider that was well, so that the retries of a policy hold for a single call."""
_PER_REQUEST, _PER_RETRY = 19, 100
"""What a request adds and a retry takes: retries are at most 19 % of requests and ten, which is 20 % of any 1,000."""
_FULL = RETRIES_AT_ONCE * _PER_RETRY


class CallBudget:
    """The calls that one execution may still make, shared by all that make any: retries, failovers, repairs, judges."""

    __slots__ = ("left",)

    def __init__(self, max_calls: int) -> None:
        self.left = max_calls

    def take(self) -> bool:
        """Take one call; False if there is none left."""
        if self.left <= 0:
            return False
        self.left -= 1
        return True


class RetryBudgets:
    """The retries that all executions of this process may make at each provider: if nothing works, few more calls help.

    A key is a provider, or one of its keys. A request is the first call that an execution makes there, whatever led it
    there. In any row of n requests there are at most 0.19 n + 10 retries. What is full is not stored.
    """

    def __init__(self) -> None:
        self._balances: dict[str, int] = {}

    def requested(self, key: str) -> None:
        """Count a request, each of which allows some more retries."""
        if (balance := self._balances.get(key)) is None:
            return
        if balance + _PER_REQUEST >= _FULL:
            del self._balances[key]
        else:
            self._balances[key] = balance + _PER_REQUEST

    def take(self, key: str) -> bool:
        """Take one retry; False if there is none left."""
        balance = self._balances.get(key, _FULL)
        if balance < _PER_RETRY:
            return False
        self._balances[key] = balance - _PER_RETRY
        return True

    def left(self, key: str) -> int:
        """Return how many retries there are now."""
        return self._balances.get(key, _FULL) // _PER_RETRY
