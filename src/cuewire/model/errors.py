"""Every error that Cuewire raises, as one tree; callers catch the level they care about.

    CuewireError
    ├── InvalidInput            what the caller gave cannot be used
    ├── NotFound                PromptNotFound, LabelNotFound, VersionNotFound, ModelNotFound, ExecutionNotFound,
    │                           ApiKeyNotFound
    ├── Conflict                IdempotencyMismatch, StillRunning, PromptArchived
    ├── TemplateError           TemplateSyntaxError, TemplateForbidden, TemplateUndefined, TemplateLimitExceeded
    ├── ProviderError           RateLimited, OutOfCredit, AuthenticationFailed, RequestRejected, ContextLengthExceeded,
    │                           ModelNotServed, ProviderUnavailable, ProviderFault, NetworkError, ProviderTimeout,
    │                           ProtocolError, IncompleteAnswer
    ├── OutputError             the model's answer is not of the kind that the version asks for
    ├── StoreError              StoreBusy, StoreUnavailable, StoreFull, StoreDamaged, SchemaMismatch, RecordNotWritten
    ├── ServerError             AccessDenied, ServerUnavailable: between us and a Cuewire server
    └── ConfigError             MissingExtra

Messages say what happened, to what, and (in `hint`) what to do; they never hold a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar


class CuewireError(Exception):
    """Root of all errors raised on purpose.

    `code` is stable and meant for programs. `field` is a JSON pointer into what the caller gave, where one applies.
    `execution_id` names the record that holds the failure, where one was opened.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, *, hint: str = "", field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field
        self.execution_id: str | None = None

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class InvalidInput(CuewireError):
    """A value given by the caller cannot be used; `problems` lists all of them as (JSON pointer, what is wrong)."""

    code = "invalid_input"

    def __init__(
        self, message: str, *, hint: str = "", field: str = "", problems: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(message, hint=hint, field=field or (problems[0][0] if problems else ""))
        self.problems = problems


class NotFound(CuewireError):
    """Something named by the caller does not exist."""

    code = "not_found"


class PromptNotFound(NotFound):
    """No prompt has this name, or it is archived."""

    code = "prompt_not_found"


class LabelNotFound(NotFound):
    """The prompt exists, but no version carries this label."""

    code = "label_not_found"


class VersionNotFound(NotFound):
    """The prompt exists, but has no version of this number."""

    code = "version_not_found"


class ModelNotFound(NotFound):
    """The version names no model, or a provider that is not configured."""

    code = "model_not_found"


class ExecutionNotFound(NotFound):
    """No execution has this id."""

    code = "execution_not_found"


class ApiKeyNotFound(NotFound):
    """No API key has this id."""

    code = "api_key_not_found"


class Conflict(CuewireError):
    """The request contradicts what is stored."""

    code = "conflict"


class IdempotencyMismatch(Conflict):
    """The idempotency key was used before with another request."""

    code = "idempotency_mismatch"


class StillRunning(Conflict):
    """The execution with this idempotency key has not ended yet."""

    code = "still_running"


class PromptArchived(Conflict):
    """The prompt is archived and takes no new versions or labels."""

    code = "prompt_archived"


class TemplateError(CuewireError):
    """A template cannot be compiled or rendered; `line` and `column` count from 1, 0 means unknown."""

    code = "template_error"

    def __init__(self, message: str, *, hint: str = "", field: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message, hint=hint, field=field)
        self.line = line
        self.column = column

    def __str__(self) -> str:
        if not self.line:
            return super().__str__()
        place = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return f"{super().__str__()} ({place})"


class TemplateSyntaxError(TemplateError):
    """The template is not valid Jinja2."""

    code = "template_syntax"


class TemplateForbidden(TemplateError):
    """The template uses something that the sandbox refuses."""

    code = "template_forbidden"


class TemplateUndefined(TemplateError):
    """The template reads a value that was not given."""

    code = "template_undefined"


class TemplateLimitExceeded(TemplateError):
    """The template is too large, or needs too much time, memory or output."""

    code = "template_limit_exceeded"


class ProviderError(CuewireError):
    """A model call failed. `retriable` says whether the same call may succeed later.

    `status` is the HTTP status, 0 where there was none. `snippet` is the start of what the provider said, redacted.
    `partial_text` is what had arrived of the answer.
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


class ProviderTimeout(ProviderError):
    """The provider took too long; `phase` is connect, first_byte, idle or total."""

    code = "provider_timeout"
    retriable = True

    def __init__(self, message: str, *, hint: str = "", phase: str = "total") -> None:
        super().__init__(message, hint=hint)
        self.phase = phase


class ProtocolError(ProviderError):
    """The provider answered something that is not the protocol it claims to speak."""

    code = "protocol_error"
    retriable = True


class IncompleteAnswer(ProviderError):
    """The stream ended before the model said that it was finished; `partial_text` holds what had arrived."""

    code = "incomplete_answer"
    retriable = True


class OutputError(CuewireError):
    """The model's answer is not of the kind that the version asks for; `text` is the answer as it came."""

    code = "output_invalid"

    def __init__(self, message: str, *, hint: str = "", field: str = "", text: str = "") -> None:
        super().__init__(message, hint=hint, field=field)
        self.text = text


class StoreError(CuewireError):
    """The database cannot do what was asked."""

    code = "store_error"


class StoreBusy(StoreError):
    """Another process holds the database longer than we wait."""

    code = "store_busy"


class StoreUnavailable(StoreError):
    """The database server does not answer, or the connection to it broke."""

    code = "store_unavailable"


class StoreFull(StoreError):
    """The disk is full, or the file is read-only."""

    code = "store_full"


class StoreDamaged(StoreError):
    """The file is not a database, or its pages are damaged."""

    code = "store_damaged"


class SchemaMismatch(StoreError):
    """The database was made by another version of Cuewire."""

    code = "schema_mismatch"


class RecordNotWritten(StoreError):
    """The model answered, but the record could not be made durable; `text` is the answer, so that it is not lost."""

    code = "record_not_written"

    def __init__(self, message: str, *, hint: str = "", text: str = "") -> None:
        super().__init__(message, hint=hint)
        self.text = text


class ServerError(CuewireError):
    """A Cuewire server did not do what was asked."""

    code = "server_error"


class AccessDenied(ServerError):
    """The server does not know the API key, or the key may not do this."""

    code = "access_denied"


class ServerUnavailable(ServerError):
    """No server answers at the address, or it takes no more work for now."""

    code = "server_unavailable"


class ConfigError(CuewireError):
    """A setting is missing, unknown or contradictory."""

    code = "config_error"


class MissingExtra(ConfigError):
    """The feature needs an optional part that is not installed."""

    code = "missing_extra"


def kinds_of(root: type[CuewireError]) -> Iterator[type[CuewireError]]:
    """Yield an error class and all that are made from it."""
    yield root
    for child in root.__subclasses__():
        yield from kinds_of(child)
