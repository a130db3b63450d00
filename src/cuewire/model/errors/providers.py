"""What goes wrong between us and a model, and with what it answers."""

from __future__ import annotations

from typing import ClassVar

from cuewire.model.errors.root import CuewireError


class ProviderError(CuewireError):
    """A model call failed. `retriable` says whether the same call may succeed later.

    `status` is the HTTP status, 0 where there was none. `snippet` is the start of what the provider said, redacted.
    `partial_text` is what had arrived of the answer. `was_sent` says whether any of the request may have been sent:
    what was not cannot have cost anything.
    """

    code = "provider_error"
    retriable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        status: int = 0,
        provider_code: str = "",
        retry_after_s: float | None = None,
        snippet: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.provider_code = provider_code
        self.retry_after_s = retry_after_s
        self.snippet = snippet
        self.partial_text = ""
        self.was_sent = True


class RateLimited(ProviderError):
    """The provider asks to slow down (429)."""

    code = "rate_limited"
    retriable = True


class OutOfCredit(ProviderError):
    """The account has no credit or quota left (402, or a code that says so)."""

    code = "out_of_credit"


class AuthenticationFailed(ProviderError):
    """The key is missing, wrong or may not use this model (401, 403)."""

    code = "authentication_failed"


class RequestRejected(ProviderError):
    """The provider refuses the request as it is (400, 413, 422)."""

    code = "request_rejected"


class ContextLengthExceeded(RequestRejected):
    """The messages do not fit the model's context window."""

    code = "context_length_exceeded"


class ModelNotServed(ProviderError):
    """The provider does not know the model or the path (404)."""

    code = "model_not_served"


class ProviderUnavailable(ProviderError):
    """The provider is overloaded or down (502, 503, 504, 529)."""

    code = "provider_unavailable"
    retriable = True


class ProviderFault(ProviderError):
    """The provider failed on its own (500 and other 5xx)."""

    code = "provider_fault"
    retriable = True


class NetworkError(ProviderError):
    """No connection, a name that does not resolve, a failed TLS handshake, or a connection that was reset."""

    code = "network_error"
    retriable = True

    def __init__(self, message: str, *, hint: str = "", was_sent: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.was_sent = was_sent


class ProviderTimeout(ProviderError):
    """The provider took too long; `phase` is connect, first_byte, idle or total.

    It is `candidate` if a limit of ours ended the call, which says nothing of the provider.
    """

    code = "provider_timeout"
    retriable = True

    def __init__(self, message: str, *, hint: str = "", phase: str = "total", was_sent: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.phase = phase
        self.was_sent = was_sent


class ProtocolError(ProviderError):
    """The provider answered something that is not the protocol it claims to speak."""

    code = "protocol_error"
    retriable = True


class IncompleteAnswer(ProviderError):
    """The stream ended before the model said that it was finished; `partial_text` holds what had arrived."""

    code = "incomplete_answer"
    retriable = True


class NothingSelected(CuewireError):
    """There are valid candidates, and none of them was selected: too few agree."""

    code = "nothing_selected"


class OutputError(CuewireError):
    """The model's answer is not of the kind that the version asks for; `text` is the answer as it came."""

    code = "output_invalid"

    def __init__(self, message: str, *, hint: str = "", field: str = "", text: str = "") -> None:
        super().__init__(message, hint=hint, field=field)
        self.text = text
