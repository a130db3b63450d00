"""From a provider's failure to one of our errors: status first, the provider's own code second, its words last. Pure.

Sources: error pages of OpenAI, Anthropic, OpenRouter, Gemini's OpenAI endpoint, Mistral, DeepSeek, and the servers of
llama.cpp, vLLM and Ollama (November 2026).
"""

from __future__ import annotations

import re
from typing import TypeAlias

import msgspec

from cuewire.model.errors import (
    AuthenticationFailed,
    ContextLengthExceeded,
    ModelNotServed,
    OutOfCredit,
    ProtocolError,
    ProviderError,
    ProviderFault,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from cuewire.model.values import Value

Kind: TypeAlias = type[ProviderError]

_BY_STATUS: dict[int, Kind] = {
    401: AuthenticationFailed,
    402: OutOfCredit,
    403: AuthenticationFailed,
    404: ModelNotServed,
    408: ProviderUnavailable,
    425: ProviderUnavailable,
    429: RateLimited,
    502: ProviderUnavailable,
    503: ProviderUnavailable,
    504: ProviderUnavailable,
    529: ProviderUnavailable,
}

# What a code says more exactly than a status of the 400s.
_BY_CODE: dict[str, Kind] = {
    "insufficient_quota": OutOfCredit,
    "billing_hard_limit_reached": OutOfCredit,
    "billing_not_active": OutOfCredit,
    "insufficient_balance": OutOfCredit,
    "insufficient_credits": OutOfCredit,
    "failed_precondition": OutOfCredit,  # Gemini: not free of charge in this country, and no billing is set up
    "credit_balance_too_low": OutOfCredit,
    "billing_error": OutOfCredit,
    "context_length_exceeded": ContextLengthExceeded,
    "exceed_context_size_error": ContextLengthExceeded,
    "model_not_found": ModelNotServed,
    "invalid_model": ModelNotServed,
    "invalid_api_key": AuthenticationFailed,
    "api_key_invalid": AuthenticationFailed,
    "authentication_error": AuthenticationFailed,
    "content_policy_violation": RequestRejected,
    "content_filter": RequestRejected,
    "unsupported_country_region_territory": AuthenticationFailed,
}

# What a code says where there is no status that would: inside a stream, or in an answer with status 200.
_BY_CODE_ALONE: dict[str, Kind] = {
    **_BY_CODE,
    "rate_limit_exceeded": RateLimited,
    "rate_limit_error": RateLimited,
    "resource_exhausted": RateLimited,
    "invalid_request_error": RequestRejected,
    "invalid_argument": RequestRejected,
    "request_too_large": RequestRejected,
    "permission_error": AuthenticationFailed,
    "not_found_error": ModelNotServed,
    "timeout_error": ProviderUnavailable,
    "overloaded_error": ProviderUnavailable,
    "unavailable": ProviderUnavailable,
    "unavailable_error": ProviderUnavailable,
}

# Last resort, each only for the statuses under which servers are known to say so.
_BY_WORDS: tuple[tuple[re.Pattern[str], frozenset[int], Kind], ...] = (
    (
        re.compile(
            r"maximum context length|context window|available context size|prompt is too long"
            r"|exceeds the maximum number of tokens|exceed context limit"
        ),
        frozenset({0, 400, 413, 422}),
        ContextLengthExceeded,
    ),
    (re.compile(r"api key not valid|incorrect api key"), frozenset({0, 400}), AuthenticationFailed),
    (
        re.compile(r"exceeded your current quota|credit balance is too low|insufficient credits"),
        frozenset({0, 400, 403, 429}),
        OutOfCredit,
    ),
)

_SAYS: dict[Kind, str] = {
    RateLimited: "asks to slow down",
    OutOfCredit: "says that the account has no credit or quota left",
    AuthenticationFailed: "does not accept the key",
    RequestRejected: "rejected the request",
    ContextLengthExceeded: "says that the messages do not fit the model's context window",
    ModelNotServed: "does not serve this model or path",
    ProviderUnavailable: "is overloaded or down",
    ProviderFault: "failed on its own",
    ProtocolError: "answered with a redirect, which is not followed",
}

_HINTS: dict[Kind, str] = {
    RateLimited: "send fewer requests at a time, or ask the provider for a higher limit",
    OutOfCredit: "add credit to the account, or choose another provider",
    RequestRejected: "compare the prompt's parameters with what the model accepts",
    ContextLengthExceeded: "shorten the inputs, or choose a model with a larger window",
    ModelNotServed: "check the model's name and the provider's base_url",
    ProtocolError: "check the provider's base_url",
}

_WAIT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)s")
"""A duration as google.rpc writes it."""
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")


class Reported(Value, frozen=True):
    """What an error body says of itself; all of it may be empty.

    `wait_s` is the wait that it asks for, and `is_spent` says that a quota is gone for the day.
    """

    codes: tuple[str, ...] = ()
    status: int = 0
    words: str = ""
    is_moderated: bool = False
    wait_s: float | None = None
    is_spent: bool = False


def read_error(body: bytes) -> Reported:
    """Read an error body of any known shape; what is not JSON says nothing."""
    try:
        document = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return Reported()
    if isinstance(document, list) and document:
        document = document[0]
    return reported_by(document.get("error", document) if isinstance(document, dict) else document)


def reported_by(error: object) -> Reported:
    """Read the error object of a body or an event."""
    if isinstance(error, str):
        return Reported(words=error)
    if not isinstance(error, dict):
        return Reported()
    code, metadata = error.get("code"), error.get("metadata")
    details = error.get("details")
    items = [item for item in details if isinstance(item, dict)] if isinstance(details, list) else []
    named = [code, error.get("type"), error.get("status"), *(item.get("reason") for item in items)]
    waits = [_WAIT.fullmatch(str(item.get("retryDelay"))) for item in items]
    return Reported(
        codes=tuple(text for text in named if isinstance(text, str) and _CODE.fullmatch(text)),
        status=code if isinstance(code, int) and not isinstance(code, bool) and 400 <= code <= 599 else 0,
        words=str(error.get("message") or ""),
        is_moderated=isinstance(metadata, dict) and "flagged_input" in metadata,
        wait_s=next((float(wait[1]) for wait in waits if wait), None),
        is_spent=any("PerDay" in str(item.get("violations")) for item in items),
    )


def classify(
    status: int,
    reported: Reported,
    *,
    provider: str,
    snippet: str,
    retry_after_s: float | None = None,
    key_hint: str = "",
) -> ProviderError:
    """Return the error for a failed call; `status` 200 means that the failure came inside a stream or an answer.

    `key_hint` names where the key is set.
    """
    effective = reported.status if status < 300 else status
    if retry_after_s is None:
        retry_after_s = reported.wait_s
    kind = _kind(effective, reported)
    code = reported.codes[0] if reported.codes else ""
    place = ", ".join(text for text in (str(effective or ""), code) if text)
    hint = _HINTS.get(kind, "")
    if kind is AuthenticationFailed:
        hint = f"check the key in {key_hint}" if key_hint else "this provider may want a key; none is set"
    elif kind is RateLimited and retry_after_s is not None:
        hint = f"wait {retry_after_s:g} s, and {hint}"
    return kind(
        f"provider {provider!r} {_SAYS[kind]}" + (f" ({place})" if place else ""),
        hint=hint,
        status=effective,
        provider_code=code,
        retry_after_s=retry_after_s,
        snippet=snippet,
    )


def _kind(status: int, reported: Reported) -> Kind:
    if status >= 500:
        return _BY_STATUS.get(status, ProviderFault)
    if 300 <= status < 400:
        return ProtocolError
    table = _BY_CODE if status else _BY_CODE_ALONE
    for code in reported.codes:
        if (kind := table.get(code.lower())) is not None:
            return kind
    if status == 403 and reported.is_moderated:
        return RequestRejected
    if status == 429 and reported.is_spent:
        return OutOfCredit
    if status == 429 and reported.wait_s is not None:
        return RateLimited
    words = reported.words.lower()
    for pattern, statuses, kind in _BY_WORDS:
        if status in statuses and pattern.search(words):
            return kind
    return _BY_STATUS.get(status, RequestRejected if status else ProviderFault)
