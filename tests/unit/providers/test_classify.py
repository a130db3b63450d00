from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cuewire.model.errors import ProviderError
from cuewire.providers.classify import classify, read_error


def error_of(status: int, body: object, **more: Any) -> ProviderError:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return classify(status, read_error(raw), provider="p", snippet="", **more)


def said(message: str = "", **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


BY_STATUS = [
    (301, "protocol_error"),
    (400, "request_rejected"),
    (401, "authentication_failed"),
    (402, "out_of_credit"),
    (403, "authentication_failed"),
    (404, "model_not_served"),
    (408, "provider_unavailable"),
    (409, "request_rejected"),
    (413, "request_rejected"),
    (418, "request_rejected"),
    (422, "request_rejected"),
    (429, "rate_limited"),
    (500, "provider_fault"),
    (501, "provider_fault"),
    (502, "provider_unavailable"),
    (503, "provider_unavailable"),
    (504, "provider_unavailable"),
    (520, "provider_fault"),
    (529, "provider_unavailable"),
]


@pytest.mark.parametrize(("status", "code"), BY_STATUS)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"text"', b'{"error": null}', b'{"error": [1]}', b"\xff"])
def test_f3_f4_status_alone_decides_when_the_body_says_nothing(status: int, code: str, body: bytes) -> None:
    assert error_of(status, body).code == code


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (429, said("You exceeded your current quota", code="insufficient_quota"), "out_of_credit"),
        (429, said("", type="insufficient_quota"), "out_of_credit"),
        (429, said("", type="requests", code="rate_limit_exceeded"), "rate_limited"),
        (400, said("", code="context_length_exceeded"), "context_length_exceeded"),
        (400, said("", code=400, type="exceed_context_size_error"), "context_length_exceeded"),
        (400, said("", code="model_not_found"), "model_not_served"),
        (400, [said("", code=400, details=[{"reason": "API_KEY_INVALID"}])], "authentication_failed"),
        (400, said("User location is not supported", code=400, status="FAILED_PRECONDITION"), "out_of_credit"),
        (403, said("", code=403, metadata={"flagged_input": "x", "reasons": ["violence"]}), "request_rejected"),
        (400, said("", code="content_filter"), "request_rejected"),
        (401, said("", code="invalid_api_key"), "authentication_failed"),
        (500, said("", code="insufficient_quota"), "provider_fault"),
    ],
)
def test_code_of_the_provider_says_more_than_a_status_of_the_400s(status: int, body: object, code: str) -> None:
    assert error_of(status, body).code == code


@pytest.mark.parametrize(
    ("status", "message", "code"),
    [
        (400, "This model's maximum context length is 8192 tokens", "context_length_exceeded"),
        (400, "prompt is too long: 9000 tokens > 8000 maximum", "context_length_exceeded"),
        (400, "input length and `max_tokens` exceed context limit: 7 + 9 > 10", "context_length_exceeded"),
        (400, "The input token count (9) exceeds the maximum number of tokens allowed (8).", "context_length_exceeded"),
        (400, "API key not valid. Please pass a valid API key.", "authentication_failed"),
        (400, "Your credit balance is too low to access the API", "out_of_credit"),
        (500, "maximum context length", "provider_fault"),
        (429, "Request too large: maximum context length", "rate_limited"),
        (400, "field 'balance' is required by the schema of network", "request_rejected"),
    ],
)
def test_words_count_last_and_only_where_servers_are_known_to_say_them(status: int, message: str, code: str) -> None:
    assert error_of(status, said(message)).code == code


MINUTE = {"violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]}
DAY = {"violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}
SPENT = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    ("details", "code", "wait_s"),
    [
        ([MINUTE, {"retryDelay": "37.523614s"}], "rate_limited", 37.523614),
        ([{"retryDelay": "0s"}], "rate_limited", 0.0),
        ([DAY, {"retryDelay": "11s"}], "out_of_credit", 11.0),
        ([{"retryDelay": "soon"}], "out_of_credit", None),
        ([{"retryDelay": "-5s"}], "out_of_credit", None),
        ([{"retryDelay": 7}, "text"], "out_of_credit", None),
        ("text", "out_of_credit", None),
    ],
)
def test_f1_google_says_in_the_details_how_long_to_wait_and_which_quota_is_gone(
    details: object, code: str, wait_s: float | None
) -> None:
    error = error_of(429, said(SPENT, code=429, status="RESOURCE_EXHAUSTED", details=details))

    assert (error.code, error.retry_after_s) == (code, wait_s)


def test_wait_of_a_header_wins_over_that_of_the_body() -> None:
    assert error_of(429, said(details=[{"retryDelay": "9s"}]), retry_after_s=2.0).retry_after_s == 2.0


@pytest.mark.parametrize("body", [{"error": "model 'x' not found"}, {"detail": "no"}, {"message": "no", "code": "x_y"}])
def test_other_shapes_of_error_bodies_are_read(body: object) -> None:
    assert error_of(404, body).code == "model_not_served"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": 402}, "out_of_credit"),
        ({"code": 429}, "rate_limited"),
        ({"code": 502}, "provider_unavailable"),
        ({"type": "overloaded_error"}, "provider_unavailable"),
        ({"type": "timeout_error"}, "provider_unavailable"),
        ({"type": "api_error"}, "provider_fault"),
        ({"type": "not_found_error"}, "model_not_served"),
        ({"type": "billing_error"}, "out_of_credit"),
        ({"type": "permission_error"}, "authentication_failed"),
        ({"type": "request_too_large"}, "request_rejected"),
        ({"code": "rate_limit_exceeded"}, "rate_limited"),
        ({"code": "server_error"}, "provider_fault"),
        ({"type": "invalid_request_error"}, "request_rejected"),
        ({"message": "something"}, "provider_fault"),
        ({"code": 7}, "provider_fault"),
        ("text", "provider_fault"),
    ],
)
def test_error_inside_an_answer_of_status_200_is_classified_by_its_code(error: object, code: str) -> None:
    assert error_of(200, {"error": error}).code == code


def test_message_names_provider_status_and_code_and_nothing_that_the_provider_wrote() -> None:
    error = error_of(429, said("SECRET WORDS", code="insufficient_quota"))

    assert error.message == ("provider 'p' says that the account has no credit or quota left (429, insufficient_quota)")
    assert (error.status, error.provider_code) == (429, "insufficient_quota")


def test_code_that_is_no_code_is_not_repeated() -> None:
    assert error_of(400, said("", code="a b\nc")).provider_code == ""


def test_hint_of_a_refused_key_names_where_the_key_is_set() -> None:
    assert error_of(401, b"", key_hint="OPENAI_API_KEY").hint == "check the key in OPENAI_API_KEY"
    assert "none is set" in error_of(401, b"").hint


def test_hint_of_a_rate_limit_says_how_long_to_wait() -> None:
    error = error_of(429, b"", retry_after_s=7.0)

    assert error.retry_after_s == 7.0
    assert error.hint.startswith("wait 7 s")
