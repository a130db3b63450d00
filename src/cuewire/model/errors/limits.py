"""What this side holds back: calls beyond a limit, and money beyond a cap. The provider heard of neither."""

from __future__ import annotations

from cuewire.model.errors.providers import RateLimited
from cuewire.model.errors.root import CuewireError


class LimitReached(RateLimited):
    """A limit of ours, or a wait that the provider asked for, lasts longer than the call can wait; none was made.

    `retry_after_s` is how long it lasts, where that is known. Asking the same endpoint again at once is no help.
    """

    code = "limit_reached"
    retriable = False


class BudgetExceeded(CuewireError):
    """What may be spent today is spent, or could be by this execution; no model was called."""

    code = "budget_exceeded"
