"""What aiohttp raises, as the errors of Cuewire. Messages name the origin only: a path or a proxy may hold secrets."""

from __future__ import annotations

import aiohttp

from cuewire.model.errors import CuewireError, InvalidInput, NetworkError, ProtocolError, ProviderTimeout

CAUGHT = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""Everything that a call into aiohttp may raise, apart from cancellation."""


def translated(error: Exception, *, origin: str, phase: str) -> CuewireError:
    """Return the error to raise in place of one of CAUGHT; `phase` names the wait that a read timeout cut short."""
    if isinstance(error, TimeoutError):
        return _timeout(error, origin=origin, phase=phase)
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return InvalidInput(f"{origin!r} is not an address that can be called", field="/url")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError):
        return _no_connection(error, origin=origin)
    if isinstance(error, aiohttp.ClientResponseError):
        return ProtocolError(f"{origin} answered something that is not HTTP")
    if isinstance(error, aiohttp.ClientPayloadError):
        if "TransferEncodingError" in str(error) and "Not enough data" not in str(error):
            return ProtocolError(f"{origin} sent a body that is not valid HTTP")
        return NetworkError(f"the connection to {origin} was lost before its answer was complete")
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return NetworkError(f"the connection to {origin} was lost")
    return ProtocolError(f"{origin} answered something that cannot be read")


def _timeout(error: Exception, *, origin: str, phase: str) -> ProviderTimeout:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return ProviderTimeout(f"no connection to {origin} in time", phase="connect")
    if not isinstance(error, aiohttp.ServerTimeoutError):
        return ProviderTimeout(f"{origin} did not finish its answer in time", phase="total")
    if phase == "idle":
        return ProviderTimeout(f"{origin} stopped sending in the middle of its answer", phase=phase)
    return ProviderTimeout(f"{origin} did not begin to answer in time", phase=phase)


def _no_connection(error: Exception, *, origin: str) -> NetworkError:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return NetworkError(
            f"the certificate of {origin} is not valid: {_reason(error.certificate_error)}",
            hint="if a company's own authority signed it, name that authority's file in the settings",
        )
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return NetworkError(f"no TLS connection to {origin}: {_reason(error)}")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return NetworkError(f"the name of {origin} does not resolve", hint="check the address and the network")
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return NetworkError(f"the proxy gave no connection to {origin}", hint="check the proxy settings")
    return NetworkError(f"no connection to {origin}: {_reason(error)}", hint="check the address and the network")


def _reason(error: BaseException) -> str:
    inner = getattr(error, "os_error", error)
    text = getattr(inner, "verify_message", None) or getattr(inner, "strerror", None) or type(inner).__name__
    return str(text)[:200].lower()
