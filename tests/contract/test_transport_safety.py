"""Where a transport may connect to, whose certificates it believes, and which proxy it takes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from cuewire.model.errors import InvalidInput, NetworkError
from cuewire.outbound.proxies import Proxies
from cuewire.outbound.transport import HttpRequest
from tests.contract.test_transport import TransportCase
from tests.support.model_server import ModelServer, plain

LOOPBACK_SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "0",
    "0.0.0.0",  # an address to refuse, not one to listen on
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::7f00:1]",
    "localhost",
    "localhost.",
    "①②⑦.⓪.⓪.①",
]
METADATA = ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "168.63.129.16", "10.0.0.1", "224.0.0.1"]


def _request(url: str) -> HttpRequest:
    return HttpRequest(method="GET", url=url, headers={})


class AddressContract(TransportCase):
    """Origins that no operator has configured must be public, as seen at the moment of connecting."""

    @pytest.mark.parametrize("host", [*LOOPBACK_SPELLINGS, *METADATA])
    async def test_origin_that_is_not_configured_must_not_lead_to_a_private_address(self, host: str) -> None:
        async with self.line(plain({}), origins=[]) as line:
            with pytest.raises((InvalidInput, NetworkError)):
                await line.transport.send(_request(f"http://{host}:{line.server.port}/"))

            assert line.server.connections == 0

    async def test_address_that_is_refused_is_named_with_what_to_do(self) -> None:
        async with self.line(plain({}), origins=[]) as line:
            with pytest.raises(InvalidInput, match="not a public address; an operator can allow"):
                await line.transport.send(_request(line.server.url))

    async def test_name_is_refused_if_any_of_its_addresses_is_private(self) -> None:
        async def resolve(_host: str) -> Sequence[str]:
            return ("203.0.114.1", "127.0.0.1")

        async with self.line(plain({}), origins=[], resolve=resolve) as line:
            with pytest.raises(InvalidInput, match=r"127\.0\.0\.1"):
                await line.transport.send(_request(f"http://mixed.test:{line.server.port}/"))

            assert line.server.connections == 0

    async def test_calls_that_wait_for_the_same_name_each_get_an_error_of_their_own(self) -> None:
        may_answer = asyncio.Event()

        async def resolve(_host: str) -> Sequence[str]:
            await may_answer.wait()
            return ("127.0.0.1",)

        async with self.line(plain({}), origins=[], resolve=resolve) as line:
            url = f"http://private.test:{line.server.port}/"
            calls = [asyncio.create_task(line.transport.send(_request(url))) for _ in range(3)]
            await asyncio.sleep(0)
            may_answer.set()
            errors = await asyncio.gather(*calls, return_exceptions=True)

            assert {type(error) for error in errors} == {InvalidInput}
            assert len(set(map(id, errors))) == 3

    async def test_configured_origin_may_be_private_on_its_own_port_only(self) -> None:
        async with self.line(plain(b"local")) as line:
            response = await line.transport.send(_request(line.server.url))
            assert await response.read() == b"local"

            with pytest.raises(InvalidInput):
                await line.transport.send(_request("http://127.0.0.1:1/"))

    async def test_name_that_does_not_resolve_is_a_network_error(self) -> None:
        async def resolve(_host: str) -> Sequence[str]:
            raise OSError("name unknown")

        async with self.line(plain({}), origins=["http://absent.test:80"], resolve=resolve) as line:
            with pytest.raises(NetworkError, match="does not resolve"):
                await line.transport.send(_request("http://absent.test/"))

    @pytest.mark.parametrize("url", ["ftp://a/", "http://", "//a", "http://u:p@a/", "http://a:x/", "http://a\r\nb/"])
    async def test_text_that_is_no_http_url_is_refused(self, url: str) -> None:
        transport = self.open(origins=[])
        with pytest.raises(InvalidInput):
            await transport.send(_request(url))
        await transport.close()


class TlsContract(TransportCase):
    """A certificate that does not hold is the end of the call; there is no way around."""

    async def _call(self, folder: Path, certificate: trustme.LeafCert, authority: trustme.CA) -> bytes:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(context)
        trusted = folder / "authority.pem"
        authority.cert_pem.write_to_path(trusted)
        async with ModelServer(tls=context) as server:
            server.script(plain(b"secret"))
            transport = self.open(origins=[server.origin], ca_file=str(trusted))
            try:
                response = await transport.send(_request(server.url))
                return await response.read()
            finally:
                await transport.close()
                assert len(server.received) <= 1

    async def test_certificate_of_the_configured_authority_is_believed(self, tmp_path: Path) -> None:
        authority = trustme.CA()

        assert await self._call(tmp_path, authority.issue_cert("127.0.0.1"), authority) == b"secret"

    async def test_certificate_that_has_expired_is_refused(self, tmp_path: Path) -> None:
        authority = trustme.CA()
        old = authority.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1))

        with pytest.raises(NetworkError, match="certificate .* has expired"):
            await self._call(tmp_path, old, authority)

    async def test_certificate_of_another_host_is_refused(self, tmp_path: Path) -> None:
        authority = trustme.CA()

        with pytest.raises(NetworkError, match="certificate .* not valid"):
            await self._call(tmp_path, authority.issue_cert("api.example.org"), authority)

    async def test_certificate_of_an_unknown_authority_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(NetworkError, match="certificate .* not valid"):
            await self._call(tmp_path, trustme.CA().issue_cert("127.0.0.1"), trustme.CA())

    async def test_server_that_does_not_speak_tls_is_a_network_error(self) -> None:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
            origin = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            transport = self.open(origins=[origin])
            with pytest.raises(NetworkError, match="TLS"):
                await transport.send(_request(origin))
            await transport.close()


class ProxyContract(TransportCase):
    """Proxies come from the settings and from nowhere else."""

    async def test_request_goes_through_the_configured_proxy(self) -> None:
        async with self.line(plain(b"by proxy")) as line:
            transport = self.open(origins=["http://model.test:80"], proxies=Proxies(http_proxy=line.server.origin))
            response = await transport.send(_request("http://model.test/v1/models"))

            assert await response.read() == b"by proxy"
            assert line.server.received[0].path == "http://model.test/v1/models"
            await transport.close()

    async def test_environment_names_no_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        async with self.line(plain(b"direct")) as line:
            response = await line.transport.send(_request(line.server.url))

            assert await response.read() == b"direct"

    async def test_address_that_no_operator_configured_goes_through_no_proxy(self) -> None:
        async with self.line(plain(b"by proxy")) as line:
            transport = self.open(origins=[], proxies=Proxies(http_proxy=line.server.origin))
            with pytest.raises(InvalidInput):
                await transport.send(_request("http://169.254.169.254/latest"))

            assert line.server.connections == 0
            await transport.close()
