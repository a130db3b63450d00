"""Which proxy a request goes through, from explicit settings only."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from cuewire.model.values import Value


class Proxies(Value, frozen=True):
    """Proxy URLs by scheme; `no_proxy` lists hosts that are reached directly, in the usual spelling.

    An entry of `no_proxy` is `*`, a host (its subdomains count), a host with a port, an IP address or a network.
    """

    https_proxy: str = ""
    http_proxy: str = ""
    no_proxy: str = ""

    def for_origin(self, origin: str) -> str | None:
        """Return the URL of the proxy for an origin, or None for a direct connection."""
        parts = urlsplit(origin)
        host, port = parts.hostname or "", parts.port
        proxy = self.https_proxy if parts.scheme == "https" else self.http_proxy
        if not proxy or any(_covers(entry.strip().lower(), host, port) for entry in self.no_proxy.split(",")):
            return None
        return proxy


def _covers(entry: str, host: str, port: int | None) -> bool:
    if not entry:
        return False
    if entry == "*":
        return True
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        pass
    name, colon, wanted = entry.rpartition(":")
    if colon and wanted.isdigit():
        if int(wanted) != port:
            return False
        entry = name
    entry = entry.removeprefix("*").removeprefix(".").strip("[]")
    return host == entry or host.endswith(f".{entry}")
