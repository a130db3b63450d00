"""litellm's completion, as its manual shows it."""
# mypy: disable-error-code="import-not-found"

import asyncio

import litellm

from checks.clients.scripts.told import ANSWER, CUE, INPUTS, KEY, WEATHER, check, main, must_be, raises, recorded

HELLO = [{"role": "user", "content": "hello there"}]
WHERE = {"api_base": f"{CUE}/v1", "api_key": KEY}
TRIAGE = {"model": "openai/prompt/triage@production", "messages": [], "extra_body": {"inputs": INPUTS}, **WHERE}
TINY = {"model": "openai/openai/tiny-1", "messages": HELLO, **WHERE}
TOOL = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}


@check("stored prompt")
def stored_prompt() -> None:
    must_be(litellm.completion(**TRIAGE).choices[0].message.content, ANSWER)


@check("stored prompt, stream")
def stored_prompt_stream() -> None:
    chunks = list(litellm.completion(**TRIAGE, stream=True))
    must_be("".join(chunk.choices[0].delta.content or "" for chunk in chunks), ANSWER)
    must_be(chunks[-1].choices[0].finish_reason, "stop")


@check("asynchronous")
def asynchronous() -> None:
    answer = asyncio.run(litellm.acompletion(**TRIAGE))
    must_be(answer.choices[0].message.content, ANSWER)


@check("chat with a stored prompt")
def chat() -> None:
    answer = litellm.completion(model="openai/prompt/support", messages=HELLO, **WHERE)
    must_be(answer.choices[0].message.content, "hello there")


@check("model")
def model() -> None:
    more = {"temperature": 0.2, "max_tokens": 9, "seed": 7, "user": "u-1", "extra_body": {"metadata": {"team": "a"}}}
    answer = litellm.completion(**TINY, **more)
    must_be(answer.choices[0].message.content, "hello there")
    must_be(recorded(answer.id)["metadata"], {"team": "a"})


@check("ids and usage")
def ids_and_usage() -> None:
    answer = litellm.completion(**TINY)
    assert len(answer.id) == 36, answer.id
    must_be((answer.usage.prompt_tokens, answer.usage.completion_tokens), (11, 3))


@check("usage of a stream")
def usage_of_a_stream() -> None:
    chunks = list(litellm.completion(**TINY, stream=True, stream_options={"include_usage": True}))
    must_be([chunk.usage.total_tokens for chunk in chunks if getattr(chunk, "usage", None)], [14])


@check("tools")
def tools() -> None:
    message = litellm.completion(**TINY, tools=[TOOL], tool_choice="auto").choices[0].message
    call = message.tool_calls[0]
    must_be((call.function.name, call.function.arguments), ("weather", '{"city": "Oslo"}'))
    told = [*HELLO, message, {"role": "tool", "tool_call_id": call.id, "content": "7 degrees"}]
    answer = litellm.completion(**{**TINY, "messages": told}, tools=[TOOL])
    must_be(answer.choices[0].message.content, "7 degrees")


@check("tools, stream")
def tools_stream() -> None:
    chunks = list(litellm.completion(**TINY, tools=[TOOL], stream=True))
    call = litellm.stream_chunk_builder(chunks, messages=HELLO).choices[0].message.tool_calls[0]
    must_be((call.function.name, call.function.arguments), ("weather", '{"city": "Oslo"}'))


@check("JSON schema")
def json_schema() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "weather", "schema": WEATHER}}
    answer = litellm.completion(**TINY, response_format=schema)
    must_be(answer.choices[0].message.content, '{"city": "Oslo", "degrees": 7}')


@check("a model that counts no tokens")
def no_usage() -> None:
    answer = litellm.completion(**{**TINY, "model": "openai/openai/silent-1"})
    must_be(answer.choices[0].message.content, "hello there")


@check("many choices")
def many_choices() -> None:
    must_be(len(litellm.completion(**TINY, n=3).choices), 3)


@check("unknown prompt")
def unknown_prompt() -> None:
    error = raises(litellm.NotFoundError, lambda: litellm.completion(**{**TRIAGE, "model": "openai/prompt/absent"}))
    assert "absent" in str(error), error


@check("missing input")
def missing_input() -> None:
    raises(litellm.BadRequestError, lambda: litellm.completion(**{**TRIAGE, "extra_body": {}}))


@check("wrong key")
def wrong_key() -> None:
    raises(litellm.AuthenticationError, lambda: litellm.completion(**{**TRIAGE, "api_key": "cw_wrong"}))


@check("rate limit of the model")
def rate_limit() -> None:
    raises(
        litellm.RateLimitError, lambda: litellm.completion(**{**TINY, "model": "openai/openai/busy-1"}, max_retries=0)
    )


@check("a model that breaks off")
def breaks_off() -> None:
    broken = {**TINY, "model": "openai/openai/broken-1", "max_retries": 0, "stream": True}
    raises(litellm.exceptions.MidStreamFallbackError, lambda: list(litellm.completion(**broken)))


@check("models")
def models() -> None:
    names = litellm.get_valid_models(check_provider_endpoint=True, custom_llm_provider="openai", **WHERE)
    assert any("prompt/triage@production" in name for name in names), names


if __name__ == "__main__":
    main(version_of="litellm")
