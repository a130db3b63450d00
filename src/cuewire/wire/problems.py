"""Errors as JSON (RFC 9457): one table from each error to its HTTP status, read in both directions.

A client raises from a problem the error that the server raised. What never leaves the server: stack traces, SQL, and
what a provider said in its own words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cuewire.model import errors
from cuewire.model.errors import CuewireError, InvalidInput, OutputError, ProviderError, RecordNotWritten, TemplateError
from cuewire.wire.shapes import Shape
from cuewire.wire.strict_json import MalformedJson

CONTENT_TYPE = "application/problem+json"
MAX_DETAIL = 1_000
MAX_PROBLEMS = 20
INTERNAL = "internal_error"


class FieldProblem(Shape, frozen=True):
    """One place in the request that is wrong; `pointer` is a JSON pointer."""

    pointer: str
    detail: str


class Problem(Shape, frozen=True, omit_defaults=True):
    """What went wrong. `code` is stable and meant for programs; what follows `request_id` belongs to single codes.

    `text` is the model's answer, or what had arrived of it, so that an answer that was paid for is not lost.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str = ""
    field: str = ""
    problems: tuple[FieldProblem, ...] = ()
    execution_id: str | None = None
    request_id: str = ""
    line: int = 0
    column: int = 0
    phase: str = ""
    provider_status: int = 0
    provider_code: str = ""
    retry_after_s: float | None = None
    text: str = ""


class Refused(CuewireError):
    """The request was turned away before anything was made of it; `refusal` is one of REFUSALS."""

    code = "refused"

    def __init__(
        self, code: str, message: str, *, hint: str = "", field: str = "", retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, hint=hint, field=field)
        self.refusal = code
        self.retry_after_s = retry_after_s


STATUSES: Mapping[type[CuewireError], int] = {
    CuewireError: 500,
    MalformedJson: 400,
    InvalidInput: 422,
    errors.NotFound: 404,
    errors.PromptNotFound: 404,
    errors.LabelNotFound: 404,
    errors.VersionNotFound: 404,
    errors.ModelNotFound: 404,
    errors.ExecutionNotFound: 404,
    errors.ApiKeyNotFound: 404,
    errors.ScopeNotFound: 404,
    errors.TemplateTypeNotFound: 404,
    errors.UserNotFound: 404,
    errors.ReviewNotFound: 404,
    errors.Conflict: 409,
    errors.IdempotencyMismatch: 422,
    errors.StillRunning: 409,
    errors.PromptArchived: 409,
    errors.PromptExists: 409,
    errors.ScopeExists: 409,
    errors.UserExists: 409,
    errors.LabelMoved: 409,
    errors.ReviewRequired: 409,
    errors.ReviewDecided: 409,
    errors.StillInUse: 409,
    errors.Outdated: 412,
    errors.Forbidden: 403,
    TemplateError: 422,
    errors.TemplateSyntaxError: 422,
    errors.TemplateForbidden: 422,
    errors.TemplateUndefined: 422,
    errors.TemplateLimitExceeded: 422,
    ProviderError: 502,
    errors.RateLimited: 429,
    errors.LimitReached: 429,
    errors.OutOfCredit: 402,
    errors.BudgetExceeded: 402,
    errors.AuthenticationFailed: 502,  # the server's key at the provider; 401 is about the caller's key here
    errors.RequestRejected: 422,
    errors.ContextLengthExceeded: 422,
    errors.ModelNotServed: 404,
    errors.ProviderUnavailable: 503,
    errors.ProviderFault: 502,
    errors.NetworkError: 502,
    errors.ProviderTimeout: 504,
    errors.ProtocolError: 502,
    errors.IncompleteAnswer: 502,
    OutputError: 502,
    errors.StoreError: 500,
    errors.StoreBusy: 503,
    errors.StoreFull: 507,
    errors.StoreUnavailable: 503,
    errors.StoreDamaged: 500,
    errors.SchemaMismatch: 500,
    RecordNotWritten: 500,
    errors.ServerError: 500,
    errors.AccessDenied: 401,
    errors.ServerUnavailable: 503,
    errors.ConfigError: 422,  # the caller asked for a provider that is not set up here
    errors.MissingExtra: 422,
}
"""The HTTP status of each error; a test holds it to be complete."""

REFUSALS: Mapping[str, tuple[int, type[CuewireError]]] = {
    "bad_request": (400, InvalidInput),
    "origin_refused": (403, errors.AccessDenied),
    "route_not_found": (404, errors.NotFound),
    "method_not_allowed": (405, InvalidInput),
    "request_timeout": (408, errors.ServerUnavailable),
    "cancelled": (409, CuewireError),
    "body_too_large": (413, InvalidInput),
    "unsupported_media_type": (415, InvalidInput),
    "host_refused": (421, errors.AccessDenied),
    "too_many_requests": (429, errors.ServerUnavailable),
    "too_many_open_requests": (429, errors.ServerUnavailable),
    "too_many_wrong_keys": (429, errors.AccessDenied),
    "headers_too_large": (431, InvalidInput),
    "interrupted": (500, CuewireError),
    INTERNAL: (500, CuewireError),
    "shutting_down": (503, errors.ServerUnavailable),
}
"""What the server says of its own accord: status, and the error that a client raises."""

_TITLES = {
    400: "the request is malformed",
    401: "the API key is missing or not known",
    402: "there is no money left for this",
    403: "not allowed",
    404: "not found",
    405: "this method is not allowed here",
    408: "the request took too long to arrive",
    409: "conflict",
    412: "what was to be changed has changed",
    413: "the body is too large",
    415: "the content type is not supported",
    421: "the host is not served here",
    422: "the request cannot be processed",
    429: "too many requests",
    431: "the headers are too large",
    500: "the server failed",
    502: "the model's answer is of no use",
    503: "not available for now",
    504: "the model took too long",
    507: "the database is full",
}


def problem_of(error: CuewireError, *, request_id: str = "", status: int | None = None) -> Problem:
    """Return an error as a problem; `status` stands in the place of that which its kind has."""
    code, status = error.code, status or _status(type(error))
    if isinstance(error, Refused):
        code, status = error.refusal, REFUSALS[error.refusal][0]
    more: dict[str, Any] = {}
    if isinstance(error, Refused):
        more = {"retry_after_s": error.retry_after_s}
    elif isinstance(error, InvalidInput):
        listed = error.problems[:MAX_PROBLEMS]
        more = {"problems": tuple(FieldProblem(pointer=at[:200], detail=what[:200]) for at, what in listed)}
    elif isinstance(error, TemplateError):
        more = {"line": error.line, "column": error.column}
    elif isinstance(error, ProviderError):
        more = {
            "provider_status": error.status,
            "provider_code": error.provider_code[:100],
            "retry_after_s": error.retry_after_s,
            "phase": getattr(error, "phase", ""),
            "text": error.partial_text,
        }
    elif isinstance(error, OutputError | RecordNotWritten):
        more = {"text": error.text}
    return Problem(
        type=f"urn:cuewire:problem:{code}",
        title=_TITLES[status],
        status=status,
        detail=error.message[:MAX_DETAIL],
        code=code,
        hint=error.hint[:MAX_DETAIL],
        field=error.field[:MAX_DETAIL],
        execution_id=error.execution_id,
        request_id=request_id,
        **more,
    )


def error_of(problem: Problem) -> CuewireError:
    """Return the error that a problem was made of; for a code that we do not know, the nearest that its status says."""
    kind = _BY_CODE.get(problem.code) or _by_status(problem.status)
    error = kind(problem.detail, hint=problem.hint)
    error.field = problem.field
    error.execution_id = problem.execution_id
    if isinstance(error, InvalidInput):
        error.problems = tuple((found.pointer, found.detail) for found in problem.problems)
    elif isinstance(error, TemplateError):
        error.line, error.column = problem.line, problem.column
    elif isinstance(error, ProviderError):
        error.status, error.provider_code = problem.provider_status, problem.provider_code
        error.retry_after_s, error.partial_text = problem.retry_after_s, problem.text
        if isinstance(error, errors.ProviderTimeout):
            error.phase = problem.phase
    elif isinstance(error, OutputError | RecordNotWritten):
        error.text = problem.text
    return error


def _status(kind: type[CuewireError]) -> int:
    return next(STATUSES[known] for known in kind.__mro__ if known in STATUSES)


def _by_status(status: int) -> type[CuewireError]:
    if status in (401, 403):
        return errors.AccessDenied
    if status == 404:
        return errors.NotFound
    if status in (408, 429, 502, 503, 504):
        return errors.ServerUnavailable
    return InvalidInput if 400 <= status < 500 else errors.ServerError


def _codes() -> Iterator[tuple[str, type[CuewireError]]]:
    yield from ((kind.code, kind) for kind in STATUSES)
    yield from ((code, kind) for code, (_, kind) in REFUSALS.items())


_BY_CODE: Mapping[str, type[CuewireError]] = dict(_codes())
