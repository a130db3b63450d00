"""Who showed a secret a moment ago, so that the database is not asked for each request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256

from cuewire.model.api_keys import ApiKey, Bearer
from cuewire.ports import Clock

KNOWN_FOR_S = 1.0
"""How long a key is taken as found without asking the database again; so long a revoked one may still open, and so long
a user may still do what they could."""
_MAX_KNOWN = 10_000


class Recent:
    """What secrets opened lately, by their hashes; `find` asks the database what one opens."""

    def __init__(self, find: Callable[[str], Awaitable[ApiKey | None]], *, clock: Clock) -> None:
        self._find = find
        self._clock = clock
        self._known: dict[bytes, tuple[Bearer, float]] = {}

    def knows(self, secret: str) -> bool:
        """Tell whether the secret opened something lately."""
        return _hash(secret) in self._known

    async def get(self, secret: str) -> Bearer | None:
        """Return who shows the secret, and what they could do at most a second ago."""
        digest, now = _hash(secret), self._clock.monotonic()
        known = self._known.get(digest)
        if known:
            if now - known[1] < KNOWN_FOR_S:
                return known[0]
            self._known[digest] = known[0], now  # who comes while this one looks takes it as it was
        bearer = None
        try:
            if key := await self._find(secret):
                bearer = Bearer(key=key, actor=key.actor)
        finally:
            self._keep(digest, bearer, now)
        return bearer

    def forget(self) -> None:
        """Forget everything, because something was taken back."""
        self._known.clear()

    def _keep(self, digest: bytes, bearer: Bearer | None, found_at: float) -> None:
        self._known.pop(digest, None)
        if bearer is not None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[digest] = bearer, found_at


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
