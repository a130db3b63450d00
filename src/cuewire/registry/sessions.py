"""Browsers that may use the server: a link that works once, and the session that it begins."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from cuewire.model.api_keys import ApiKey, Bearer
from cuewire.model.errors import ApiKeyNotFound
from cuewire.model.sessions import LINK_FOR, LINK_KIND, SESSION_FOR, SESSION_KIND, Session
from cuewire.model.tokens import Token, parse_token
from cuewire.ports import ApiKeys, Clock, Sessions
from cuewire.registry.api_keys import random_token
from cuewire.registry.recent import Recent

_NOTED_EVERY = timedelta(minutes=5)
"""How exactly it is known when a session was used last."""


class SignIns:
    """The sessions of one database. Each may do what the API key may for which its link was made."""

    def __init__(self, sessions: Sessions, keys: ApiKeys, *, clock: Clock) -> None:
        self._sessions = sessions
        self._keys = keys
        self._clock = clock
        self._recent = Recent(self._find, clock=clock)

    async def invite(self, key_id: str) -> str:
        """Return the secret of a new link, which one browser may open within a quarter of an hour.

        Raises ApiKeyNotFound, also for a key that opens nothing any more.
        """
        key = await self._usable_key(key_id)
        if key is None:
            raise ApiKeyNotFound(f"no API key has the id {key_id[:40]!r}", field="/id", hint="see: cuewire keys list")
        token, now = random_token(LINK_KIND, self._clock), self._clock.now()
        link = Session(
            id=token.id,
            key_id=key.id,
            secret_hash=token.hash,
            created_at=now,
            seen_at=now,
            ends_at=now + LINK_FOR,
        )
        await self._sessions.add(link)
        return token.text

    async def begin(self, link: str) -> str | None:
        """Trade the secret of a link for that of a session; None if it is none, was opened before, or waited too long.

        The session has a secret of its own, so that who saw the link has nothing.
        """
        token = parse_token(LINK_KIND, link)
        found = await self._sessions.find(token.id) if token else None
        now = self._clock.now()
        if token is None or found is None or not token.fits(found.secret_hash) or not found.waits(now):
            return None
        if await self._usable_key(found.key_id) is None:
            return None
        made = Token(kind=SESSION_KIND, id=token.id, secret=random_token(SESSION_KIND, self._clock).secret)
        session = msgspec.structs.replace(
            found, secret_hash=made.hash, begun_at=now, seen_at=now, ends_at=now + SESSION_FOR
        )
        return made.text if await self._sessions.begin(session, link_hash=found.secret_hash) else None

    async def recognise(self, text: str) -> Bearer | None:
        """Return who comes in a session, None if it is none, has ended, or its key opens nothing any more."""
        return await self._recent.get(text)

    def is_new(self, text: str) -> bool:
        """Tell whether the database would have to be asked: the text has the form of a session not known here."""
        return not self._recent.knows(text) and parse_token(SESSION_KIND, text) is not None

    async def end(self, text: str) -> None:
        """End a session, if the text is the secret of one."""
        token = parse_token(SESSION_KIND, text)
        found = await self._sessions.find(token.id) if token else None
        if token and found and token.fits(found.secret_hash):
            await self._sessions.end(token.id)
        self._recent.forget()

    async def _find(self, text: str) -> ApiKey | None:
        token = parse_token(SESSION_KIND, text)
        found = await self._sessions.find(token.id) if token else None
        now = self._clock.now()
        if token is None or found is None or not token.fits(found.secret_hash) or not found.is_open(now):
            return None
        if now - found.seen_at >= _NOTED_EVERY:
            await self._sessions.note(found.id, seen_at=now)
        return await self._usable_key(found.key_id)

    async def _usable_key(self, key_id: str) -> ApiKey | None:
        key = await self._keys.find(key_id)
        return key if key and key.opens(self._clock.now()) else None
