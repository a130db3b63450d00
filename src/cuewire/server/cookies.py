"""The cookie in which a browser keeps its session."""

from __future__ import annotations

from cuewire.model.sessions import SESSION_FOR

_NAME = "cuewire_session"
_SECONDS = int(SESSION_FOR.total_seconds())


def session_in(cookies: str) -> str:
    """Return the session in a Cookie header, "" if there is none, or more than one."""
    pairs = (pair.strip().partition("=") for pair in cookies.split(";"))
    found = [value for name, _, value in pairs if name == _NAME]
    return found[0] if len(found) == 1 else ""


def kept(session: str, *, is_secure: bool) -> str:
    """Return the Set-Cookie header that gives a session to a browser, and to no script in it."""
    return f"{_NAME}={session}; Max-Age={_SECONDS}; Path=/; HttpOnly; SameSite=Lax{'; Secure' * is_secure}"


def dropped() -> str:
    """Return the Set-Cookie header that takes a session from a browser."""
    return f"{_NAME}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
