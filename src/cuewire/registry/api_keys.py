"""Who may use the server: issuing, revoking and recognising API keys."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from cuewire.model.api_keys import MAX_NAME, ApiKey, IssuedKey, issue_key, opens, parse_key
from cuewire.model.errors import InvalidInput
from cuewire.model.text import is_storable
from cuewire.ports import ApiKeys, Clock

KNOWN_FOR_S = 1.0
"""How long a key is taken as found without asking the database again; so long a revoked one may still open."""
_MAX_KNOWN = 10_000


class KeyRing:
    """The keys of one database. Any number of servers may share it."""

    def __init__(self, store: ApiKeys, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[bytes, tuple[ApiKey, float]] = {}

    async def issue(self, name: str) -> IssuedKey:
        """Make a key; its text is in the return value and nowhere else. Raises InvalidInput."""
        if not 1 <= len(name.strip()) <= MAX_NAME or not is_storable(name):
            raise InvalidInput(f"the name of a key must be 1 to {MAX_NAME} characters", field="/name")
        bits = [self._clock.random_bits() for _ in range(5)]
        secret = 0
        for part in bits[1:]:
            secret = secret << 70 | part % 2**70  # 70 bits of each, all of them random
        issued = issue_key(name.strip(), id_bits=bits[0], secret_bits=secret, now=self._clock.now())
        await self._store.add(issued.key)
        return issued

    async def list(self) -> Sequence[ApiKey]:
        """Return all keys, revoked ones too, oldest first."""
        return await self._store.list()

    async def revoke(self, key_id: str) -> ApiKey:
        """Revoke a key; every server forgets it within a second. Raises ApiKeyNotFound."""
        revoked = await self._store.revoke(key_id, at=self._clock.now())
        self._known.clear()
        return revoked

    async def recognise(self, text: str) -> ApiKey | None:
        """Return the key that the text is the secret of, None if there is none or it is revoked."""
        digest, now = sha256(text.encode()).digest(), self._clock.monotonic()
        known = self._known.get(digest)
        if known:
            if now - known[1] < KNOWN_FOR_S:
                return known[0]
            self._known[digest] = known[0], now  # who comes while this one looks takes it as it was
        key = None
        try:
            key = await self._find(text)
        finally:
            self._keep(digest, key, now)
        return key

    def remembers(self, text: str) -> bool:
        """Tell whether the key was recognised lately, without asking the database."""
        return sha256(text.encode()).digest() in self._known

    def _keep(self, digest: bytes, key: ApiKey | None, found_at: float) -> None:
        self._known.pop(digest, None)
        if key is not None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            self._known[digest] = key, found_at

    async def _find(self, text: str) -> ApiKey | None:
        parts = parse_key(text)
        if parts is None:
            return None
        key_id, secret = parts
        key = await self._store.find(key_id)
        return key if key is not None and key.revoked_at is None and opens(secret, key) else None
