"""The fast transport under every contract of transports, alone and as it is chosen."""

from __future__ import annotations

from typing import Any

import pytest

from cuewire.model.errors import ProtocolError
from cuewire.outbound.http1_transport import Http1Transport
from cuewire.outbound.lazy import open_transport
from cuewire.outbound.transport import Transport
from tests.contract.test_transport import KeepAliveContract, TransportCase, TransportContract
from tests.contract.test_transport_cancel import CancelContract
from tests.contract.test_transport_safety import AddressContract, ProxyContract, TlsContract
from tests.support.model_server import Send, chunk, head


class _OnHttp1(TransportCase):
    def open(self, **settings: Any) -> Transport:
        return Http1Transport(**settings)


class TestHttp1Transport(_OnHttp1, TransportContract):
    """Framing, limits and time."""


class TestHttp1Arrived(_OnHttp1):
    """What arrived in one read with the fault behind it."""

    async def test_what_came_before_a_fault_is_given_before_the_error(self) -> None:
        async with self.line([Send(head() + chunk(b"half") + b"zz\r\n")]) as line:
            response = await line.transport.send(line.request())
            blocks = aiter(response)

            assert (response.status, await anext(blocks)) == (200, b"half")
            with pytest.raises(ProtocolError):
                await anext(blocks)

    async def test_a_status_is_given_whatever_is_wrong_behind_it(self) -> None:
        async with self.line([Send(head(503) + b"zz\r\n")]) as line:
            response = await line.transport.send(line.request())

            assert response.status == 503
            with pytest.raises(ProtocolError):
                await response.read()


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
