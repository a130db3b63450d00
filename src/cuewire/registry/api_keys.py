"""Who may use the server: issuing, revoking and recognising API keys."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from cuewire.model.actors import Actor, Role, check_patterns, check_role
from cuewire.model.api_keys import KEY_KIND, MAX_NAME, ApiKey, Bearer, IssuedKey
from cuewire.model.errors import ApiKeyNotFound, Forbidden, InvalidInput
from cuewire.model.text import is_storable
from cuewire.model.tokens import Token, make_token, parse_token
from cuewire.model.users import check_user_name
from cuewire.ports import ApiKeys, Clock
from cuewire.registry.access import authorize, beyond, check_scopes
from cuewire.registry.recent import Recent


class KeyRing:
    """The keys of one database. Any number of servers may share it."""

    def __init__(self, store: ApiKeys, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._recent = Recent(self._find, clock=clock)

    async def issue(
        self,
        name: str,
        *,
        by: Actor,
        role: Role | None = None,
        scopes: Collection[str] | None = None,
        prompts: Collection[str] | None = None,
        expires_at: datetime | None = None,
        user: str | None = None,
    ) -> IssuedKey:
        """Make a key; its text is in the return value and nowhere else.

        It may do no more, and last no longer, than its maker; what is not said is as the maker's own. One of a user
        does no more than the user may do by then. Raises InvalidInput, UserNotFound; Forbidden for more than that.
        """
        authorize(by, "keys:admin")
        if not 1 <= len(name.strip()) <= MAX_NAME or not is_storable(name):
            raise InvalidInput(f"the name of a key must be 1 to {MAX_NAME} characters", field="/name")
        if user is not None:
            check_user_name(user, field="/user")
        now = self._clock.now()
        if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now):
            raise InvalidInput("a key must end at a time in the future, with its zone", field="/expires_at")
        asked = Actor(
            name=name.strip(),
            role=by.role if role is None else check_role(role),
            scopes=by.scopes if scopes is None else frozenset(check_scopes(scopes)),
            prompts=by.prompts if prompts is None else check_patterns(prompts),
            expires_at=by.expires_at if expires_at is None else expires_at,
        )
        _refuse_growth(by, asked)
        token = random_token(KEY_KIND, self._clock)
        key = ApiKey(
            id=token.id,
            name=asked.name,
            secret_hash=token.hash,
            created_at=now,
            role=asked.role,
            scopes=None if asked.scopes is None else tuple(sorted(asked.scopes)),
            prompts=asked.prompts,
            expires_at=asked.expires_at,
            created_by=by.name,
        )
        return IssuedKey(token=token, key=await self._store.add(key, user=user))

    async def list(self, *, by: Actor) -> Sequence[ApiKey]:
        """Return the keys that may do no more than who asks, revoked ones too, oldest first. Raises Forbidden."""
        authorize(by, "keys:admin")
        return [key for key in await self._store.list() if not beyond(by, key.actor)]

    async def revoke(self, key_id: str, *, by: Actor) -> ApiKey:
        """Revoke a key; every server forgets it within a second.

        Raises ApiKeyNotFound, also for a key that may do more than who asks; Forbidden.
        """
        authorize(by, "keys:admin")
        key = await self._store.find(key_id) if is_storable(key_id) else None
        if key is None or beyond(by, key.actor):
            raise ApiKeyNotFound(f"no API key has the id {key_id[:40]!r}", field="/id", hint="see: cuewire keys list")
        revoked = await self._store.revoke(key_id, at=self._clock.now(), by=by.name)
        self._recent.forget()
        return revoked

    async def recognise(self, text: str) -> Bearer | None:
        """Return who shows the text, None if it is the secret of no key, or of one that opens nothing any more."""
        return await self._recent.get(text)

    def is_new(self, text: str) -> bool:
        """Tell whether the database would have to be asked: the text has the form of a key that is not known here."""
        return not self._recent.knows(text) and parse_token(KEY_KIND, text) is not None

    async def _find(self, text: str) -> ApiKey | None:
        token = parse_token(KEY_KIND, text)
        key = await self._store.find(token.id) if token else None
        is_good = token and key and token.fits(key.secret_hash) and key.opens(self._clock.now())
        return key if is_good else None


def _refuse_growth(by: Actor, asked: Actor) -> None:
    """Refuse a key that may do more than its maker."""
    more = beyond(by, asked)
    if by.expires_at is not None and (asked.expires_at is None or asked.expires_at > by.expires_at):
        more.append(f"a time after {by.expires_at:%Y-%m-%d %H:%M} UTC")
    if more:
        raise Forbidden(
            f"{by.name!r} may not make a key for more than they may do: {', '.join(more)}",
            hint="leave it out, and the key is as the one that you use",
        )


def random_token(kind: str, clock: Clock) -> Token:
    """Return a token that nobody can guess."""
    bits = [clock.random_bits() for _ in range(5)]
    secret = 0
    for part in bits[1:]:
        secret = secret << 70 | part % 2**70  # 70 bits of each, all of them random
    return make_token(kind, id_bits=bits[0], secret_bits=secret)
