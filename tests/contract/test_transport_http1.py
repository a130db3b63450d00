"""The fast transport under every contract of transports, alone and as it is chosen."""

from __future__ import annotations

from typing import Any

from cuewire.outbound.http1_transport import Http1Transport
from cuewire.outbound.lazy import open_transport
from cuewire.outbound.transport import Transport
from tests.contract.test_transport import KeepAliveContract, TransportCase, TransportContract
from tests.contract.test_transport_cancel import CancelContract
from tests.contract.test_transport_safety import AddressContract, ProxyContract, TlsContract


class _OnHttp1(TransportCase):
    def open(self, **settings: Any) -> Transport:
        return Http1Transport(**settings)


class TestHttp1Transport(_OnHttp1, TransportContract):
    """Framing, limits and time."""


class TestHttp1KeepAlive(_OnHttp1, KeepAliveContract):
    """The request that is sent again."""


class TestHttp1Cancel(_OnHttp1, CancelContract):
    """Cancellation in each phase."""


class TestHttp1Tls(_OnHttp1, TlsContract):
    """Certificates."""


class _Chosen(TransportCase):
    def open(self, **settings: Any) -> Transport:
        return open_transport(**settings)


class TestChosenTransport(_Chosen, TransportContract):
    """Framing, limits and time."""


class TestChosenAddresses(_Chosen, AddressContract):
    """The address policy."""


class TestChosenTls(_Chosen, TlsContract):
    """Certificates."""


class TestChosenProxy(_Chosen, ProxyContract):
    """Proxies."""
