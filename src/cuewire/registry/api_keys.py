"""Who may use the server: issuing, revoking and recognising API keys."""

from __future__ import annotations

from collections.abc import Sequence

from cuewire.model.api_keys import KEY_KIND, MAX_NAME, ApiKey, IssuedKey
from cuewire.model.errors import InvalidInput
from cuewire.model.text import is_storable
from cuewire.model.tokens import Token, make_token, parse_token
from cuewire.ports import ApiKeys, Clock
from cuewire.registry.recent import Recent


class KeyRing:
    """The keys of one database. Any number of servers may share it."""

    def __init__(self, store: ApiKeys, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._recent = Recent(self._find, clock=clock)

    async def issue(self, name: str) -> IssuedKey:
        """Make a key; its text is in the return value and nowhere else. Raises InvalidInput."""
        if not 1 <= len(name.strip()) <= MAX_NAME or not is_storable(name):
            raise InvalidInput(f"the name of a key must be 1 to {MAX_NAME} characters", field="/name")
        token = random_token(KEY_KIND, self._clock)
        key = ApiKey(id=token.id, name=name.strip(), secret_hash=token.hash, created_at=self._clock.now())
        await self._store.add(key)
        return IssuedKey(token=token, key=key)

    async def list(self) -> Sequence[ApiKey]:
        """Return all keys, revoked ones too, oldest first."""
        return await self._store.list()

    async def revoke(self, key_id: str) -> ApiKey:
        """Revoke a key; every server forgets it within a second. Raises ApiKeyNotFound."""
        revoked = await self._store.revoke(key_id, at=self._clock.now())
        self._recent.forget()
        return revoked

    async def recognise(self, text: str) -> ApiKey | None:
        """Return the key that the text is the secret of, None if there is none or it is revoked."""
        return await self._recent.get(text)

    def is_new(self, text: str) -> bool:
        """Tell whether the database would have to be asked: the text has the form of a key that is not known here."""
        return not self._recent.knows(text) and parse_token(KEY_KIND, text) is not None

    async def _find(self, text: str) -> ApiKey | None:
        token = parse_token(KEY_KIND, text)
        key = await self._store.find(token.id) if token else None
        return key if token and key and key.revoked_at is None and token.fits(key.secret_hash) else None


def random_token(kind: str, clock: Clock) -> Token:
    """Return a token that nobody can guess."""
    bits = [clock.random_bits() for _ in range(5)]
    secret = 0
    for part in bits[1:]:
        secret = secret << 70 | part % 2**70  # 70 bits of each, all of them random
    return make_token(kind, id_bits=bits[0], secret_bits=secret)
