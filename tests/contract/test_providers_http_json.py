"""The provider for any endpoint against a scripted server: the contract of providers, and what is its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from cuewire.clock import SystemClock
from cuewire.model.errors import (
    AuthenticationFailed,
    ConfigError,
    InvalidInput,
    NetworkError,
    ProtocolError,
    ProviderError,
    ProviderTimeout,
    RateLimited,
)
from cuewire.model.secrets import Secret
from cuewire.outbound.lazy import open_transport
from cuewire.outbound.transport import Timeouts
from cuewire.ports import Provider
from cuewire.providers.http_json import HttpJson
from cuewire.providers.http_json_form import Form
from tests.contract.test_provider import Heard, ProviderContract, request
from tests.support.model_server import Action, Flood, Hang, ModelServer, Reset, Send, chunk, completion, head, plain

KEY = "canary-4f9a8b7c6d5e4f3a2b1c"
PARAMETERS = {name: f"{{{{parameters.{name}}}}}" for name in ("max_tokens", "temperature", "seed")}
ASKING = Form(
    body={"model": "{{model}}", "input": "{{prompt}}", "options": PARAMETERS},
    answer="/choices/0/message/content",
    usage_input="/usage/prompt_tokens",
    usage_output="/usage/completion_tokens",
    models=("tiny-1",),
)


@asynccontextmanager
async def served(
    *scripts: Sequence[Action], form: Form = ASKING, path: str = "/ask", **settings: Any
) -> AsyncIterator[tuple[HttpJson, ModelServer]]:
    async with ModelServer() as server:
        server.script(*scripts)
        transport = open_transport(origins=[server.origin])
        fixed: dict[str, Any] = {"base_url": server.origin + path, "transport": transport, "clock": SystemClock()}
        key = Secret(KEY, origin=server.origin)
        provider = HttpJson("mine", **fixed, form=form, key=key, key_hint="MINE_KEY", **settings)
        try:
            yield provider, server
        finally:
            await provider.close()
            await transport.close()


async def failure(*script: Action, is_streamed: bool = False, **settings: Any) -> Any:
    """Return the error that a call ends with."""
    async with served(list(script), **settings) as (provider, _):
        with pytest.raises(ProviderError) as caught:
            await provider.call(request(), listener=Heard() if is_streamed else None)
        return caught.value


class TestHttpJson(ProviderContract):
    """The contract, with a server that behaves; it gives the text at once, so nothing streams upstream."""

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Provider]:
        async with served(plain(completion())) as (provider, _):
            yield provider

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[tuple[Provider, str]]:
        async with served(plain({"error": "slow down"}, 429)) as (provider, _):
            yield provider, "rate_limited"

    @asynccontextmanager
    async def endless(self, *, is_streamed: bool) -> AsyncIterator[tuple[Provider, asyncio.Event, asyncio.Event]]:
        begins = [Send(head() + chunk(b'{"text": "Hel'))] if is_streamed else []
        form = Form(body={"ask": "{{prompt}}", "at_most": "{{parameters.max_tokens}}", "seed": "{{parameters.seed}}"})
        async with served([*begins, Hang()], form=form) as (provider, server):
            released = asyncio.Event()

            async def watch() -> None:
                await server.arrived.wait()
                await server.received[0].hung_up.wait()
                released.set()

            watching = asyncio.create_task(watch())
            yield provider, server.arrived, released
            await watching


@pytest.mark.contract("S2-12", "S2-15", "S2-17")
async def test_request_goes_to_the_address_as_it_stands_with_what_the_form_says() -> None:
    form = Form(body={"ask": "{{prompt}}"}, method="PUT")
    async with served(plain({"text": "Hi"}), form=form, path="/v2/run/", headers={"X-Team": "a"}) as (provider, server):
        await provider.call(request("Hello"), listener=None)

        received = server.received[0]
        assert (received.method, received.path, received.json) == ("PUT", "/v2/run/", {"ask": "Hello"})
        assert received.headers["authorization"] == f"Bearer {KEY}"
        assert (received.headers["x-team"], received.headers["idempotency-key"]) == ("a", "execution-1")


async def test_key_goes_into_the_header_that_the_form_names() -> None:
    form = Form(body={"ask": "{{prompt}}"}, key_header="X-Api-Key")
    async with served(plain({"text": "Hi"}), form=form) as (provider, server):
        await provider.call(request(), listener=None)

        assert server.received[0].headers["x-api-key"] == KEY
        assert "authorization" not in server.received[0].headers


@pytest.mark.parametrize("status", [200, 201])
async def test_listener_gets_the_whole_text_at_once(status: int) -> None:
    async with served(plain(completion(), status)) as (provider, _):
        heard = Heard()
        answer = await provider.call(request(), listener=heard)

        assert heard.texts == [answer.text] == ["Hello there"]
        assert answer.first_token_ms is not None


async def test_answer_is_read_whatever_the_server_calls_its_type() -> None:
    body = b'"Hello"'
    form = Form(body={"ask": "{{prompt}}"})
    async with served([Send(head(kind="text/plain", length=len(body)) + body)], form=form) as (provider, _):
        assert (await provider.call(request(), listener=Heard())).text == "Hello"


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("body", [b"<html>Sign in</html>", b"", b"{", b"\xff\xfe", b"[" * 100_000])
async def test_answer_that_is_not_json_is_a_protocol_error(body: bytes, is_streamed: bool) -> None:
    error = await failure(Send(head(kind="text/html", length=len(body)) + body), is_streamed=is_streamed)

    assert isinstance(error, ProtocolError)
    assert "the answer is not JSON but text/html" in error.message
    assert "/ask" in error.hint


@pytest.mark.parametrize("body", [{}, [], 7, {"choices": {}}, {"choices": [{"message": {"content": None}}]}])
async def test_answer_without_the_named_place_is_a_protocol_error_that_says_the_place(body: object) -> None:
    error = await failure(*plain(body))

    assert isinstance(error, ProtocolError)
    assert "nothing at '/choices/0/message/content'" in error.message


@pytest.mark.parametrize("form", [ASKING, Form(body={"ask": "{{prompt}}"})], ids=["pointer", "well-known"])
async def test_error_inside_an_answer_of_status_200_is_raised(form: Form) -> None:
    assert isinstance(await failure(*plain({"error": {"code": 429}}), form=form), RateLimited)


async def test_f1_wait_that_the_server_asks_for_is_kept() -> None:
    error = await failure(*plain({"error": "slow down"}, 429, {"Retry-After": "7"}))

    assert (type(error), error.retry_after_s) == (RateLimited, 7.0)


async def test_f5_server_that_hangs_is_a_timeout() -> None:
    error = await failure(Hang(), timeouts=Timeouts(first_byte_s=0.2))

    assert isinstance(error, ProviderTimeout)
    assert error.phase == "first_byte"


async def test_f8_connection_lost_in_the_answer_is_a_network_error() -> None:
    assert isinstance(await failure(Send(head(length=100) + b'{"te'), Reset(), is_streamed=True), NetworkError)


async def test_answer_without_an_end_is_given_up() -> None:
    error = await failure(Send(head()), Flood(chunk(b" " * 65_536)))

    assert isinstance(error, ProtocolError)
    assert "MiB" in str(error)


async def test_t16_redirect_is_an_error_and_the_key_stays_here() -> None:
    async with ModelServer() as elsewhere:
        elsewhere.script(plain(completion()))
        error = await failure(*plain({}, 307, {"Location": elsewhere.url}))

        assert isinstance(error, ProtocolError)
        assert elsewhere.connections == 0


async def test_t24_key_is_in_no_error() -> None:
    error = await failure(*plain({"error": f"no such key: {KEY}"}, 401))

    assert isinstance(error, AuthenticationFailed)
    assert "no such key" in error.snippet
    assert KEY not in f"{error} {error.snippet} {error!r}"
    assert "MINE_KEY" in error.hint


async def test_what_the_body_has_no_place_for_is_refused_before_anything_is_sent() -> None:
    async with served(plain(completion())) as (provider, server):
        with pytest.raises(InvalidInput) as caught:
            await provider.call(request(parameters={"top_k": 4}), listener=None)

        assert caught.value.field == "/parameters/top_k"
        assert not server.received


def test_t17_key_is_not_sent_to_an_origin_that_is_not_its_own() -> None:
    key = Secret(KEY, origin="https://llm.example.com:443")
    fixed: dict[str, Any] = {"transport": open_transport(origins=[]), "clock": SystemClock(), "form": ASKING}

    with pytest.raises(ConfigError, match=r"https://attacker\.test:443") as caught:
        HttpJson("x", base_url="https://attacker.test/ask", key=key, **fixed)

    assert KEY not in str(caught.value)


async def test_t23_key_is_shown_by_no_repr() -> None:
    async with served(plain({})) as (provider, _):
        assert "/ask" in repr(provider)
        assert KEY not in repr(provider)
