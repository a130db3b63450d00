"""Where a server may be: https, or this machine."""

from __future__ import annotations

from urllib.parse import urlsplit

from cuewire.model.errors import ConfigError, InvalidInput
from cuewire.outbound.listening import is_loopback
from cuewire.outbound.transport import origin_of

SCHEMES = ("https://", "http://")


def is_server(where: str) -> bool:
    """Tell whether this is the address of a server, and not that of a database."""
    return where.lower().startswith(SCHEMES)


def server_url(text: str, *, allow_plain_http: bool = False) -> str:
    """Return the address of a server without a slash at its end.

    Raises ConfigError, which repeats nothing of the address that may be secret: for what is no plain address, and for
    http to another machine unless that is allowed, because the API key would be readable on the way.
    """
    try:
        origin = urlsplit(origin_of(text))
    except InvalidInput as error:
        raise ConfigError("the server's address cannot be used", hint=_WRITE, field="server") from error
    if any(mark in text for mark in "?#\\"):
        raise ConfigError("the server's address has more than a host and a path", hint=_WRITE, field="server")
    if origin.scheme == "http" and not allow_plain_http and not is_loopback(origin.hostname or ""):
        raise ConfigError(
            f"the server {origin.netloc!r} is to be called over http, which shows the API key to everyone on the way",
            hint="write https://; or, where the way is safe, set allow_plain_http = true",
            field="server",
        )
    return text.rstrip("/")


_WRITE = "write it as https://host or https://host/path, without user, query or fragment"
