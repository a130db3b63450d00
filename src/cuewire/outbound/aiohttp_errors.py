"""What aiohttp raises, as the errors of Cuewire. Messages name the origin only: a path or a proxy may hold secrets."""

from __future__ import annotations

import aiohttp

from cuewire.model.errors import CuewireError, InvalidInput, NetworkError, ProtocolError, ProviderTimeout

CAUGHT = (aiohttp.ClientError, TimeoutError, OSError, ValueError)
"""Everything that a call into aiohttp may raise, apart from cancellation."""


def translated(error: Exception, *, origin: str, phase: str, was_sent: bool) -> CuewireError:
    """Return the error to raise in place of one of CAUGHT.

    `phase` names the wait that a read timeout cut short; `was_sent` says whether the request was put on a connection.
    """
    if isinstance(error, TimeoutError):
        return _timeout(error, origin=origin, phase=phase, was_sent=was_sent)
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return InvalidInput(f"{origin!r} is not an address that can be called", field="/url")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientHttpProxyError):
        return _no_connection(error, origin=origin, was_sent=was_sent)
    if isinstance(error, aiohttp.ClientResponseError):
        return ProtocolError(f"{origin} answered something that is not HTTP")
    if isinstance(error, aiohttp.ClientPayloadError):
        if "TransferEncodingError" in str(error) and "Not enough data" not in str(error):
            return ProtocolError(f"{origin} sent a body that is not valid HTTP")
        return NetworkError(f"the connection to {origin} was lost before its answer was complete")
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return NetworkError(f"the connection to {origin} was lost", was_sent=was_sent)
    return ProtocolError(f"{origin} answered something that cannot be read")


def _timeout(error: Exception, *, origin: str, phase: str, was_sent: bool) -> ProviderTimeout:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return ProviderTimeout(f"no connection to {origin} in time", phase="connect", was_sent=was_sent)
    if not isinstance(error, aiohttp.ServerTimeoutError):
        return ProviderTimeout(f"{origin} did not finish its answer in time", phase="total", was_sent=was_sent)
    if phase == "idle":
        return ProviderTimeout(f"{origin} stopped sending in the middle of its answer", phase=phase)
    return ProviderTimeout(f"{origin} did not begin to answer in time", phase=phase)


def _no_connection(error: Exception, *, origin: str, was_sent: bool) -> NetworkError:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return NetworkError(
            f"the certificate of {origin} is not valid: {_reason(error.certificate_error)}",
            hint="if an authority of your own signed it, name its file in SSL_CERT_FILE",
            was_sent=was_sent,
        )
    message, hint = f"no connection to {origin}: {_reason(error)}", "check the address and the network"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        message, hint = f"no TLS connection to {origin}: {_reason(error)}", ""
    elif isinstance(error, aiohttp.ClientConnectorDNSError):
        message = f"the name of {origin} does not resolve"
    elif isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        message, hint = f"the proxy gave no connection to {origin}", "check the proxy settings"
    return NetworkError(message, hint=hint, was_sent=was_sent)


def _reason(error: BaseException) -> str:
    inner = getattr(error, "os_error", error)
    text = getattr(inner, "verify_message", None) or getattr(inner, "strerror", None) or type(inner).__name__
    return str(text)[:200].lower()
