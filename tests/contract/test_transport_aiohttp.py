"""The transport on aiohttp under every contract of transports."""

from __future__ import annotations

from typing import Any

from cuewire.outbound.aiohttp_transport import AiohttpTransport
from cuewire.outbound.proxies import Proxies
from cuewire.outbound.transport import Transport
from tests.contract.test_transport import KeepAliveContract, TransportCase, TransportContract
from tests.contract.test_transport_cancel import CancelContract
from tests.contract.test_transport_safety import AddressContract, ProxyContract, TlsContract


class _OnAiohttp(TransportCase):
    def open(self, **settings: Any) -> Transport:
        return AiohttpTransport(**{"proxies": Proxies(), **settings})


class TestAiohttpTransport(_OnAiohttp, TransportContract):
    """Framing, limits and time."""


class TestAiohttpKeepAlive(_OnAiohttp, KeepAliveContract):
    """The request that is sent again."""


class TestAiohttpCancel(_OnAiohttp, CancelContract):
    """Cancellation in each phase."""


class TestAiohttpAddresses(_OnAiohttp, AddressContract):
    """The address policy."""


class TestAiohttpTls(_OnAiohttp, TlsContract):
    """Certificates."""


class TestAiohttpProxy(_OnAiohttp, ProxyContract):
    """Proxies."""
