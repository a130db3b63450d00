"""The official client of OpenAI, as its manual shows it."""
# mypy: disable-error-code="import-not-found"

import asyncio
from typing import Any

import openai

from checks.clients.scripts.told import ANSWER, CUE, INPUTS, KEY, WEATHER, check, main, must_be, raises, recorded

CLIENT = openai.OpenAI(base_url=f"{CUE}/v1", api_key=KEY, max_retries=0)
CHAT = CLIENT.chat.completions
TRIAGE: Any = {"model": "prompt/triage@production", "messages": [], "extra_body": {"inputs": INPUTS}}
TINY: Any = {"model": "openai/tiny-1", "messages": [{"role": "user", "content": "hello there"}]}
TOOL: Any = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}


@check("stored prompt")
def stored_prompt() -> None:
    must_be(CHAT.create(**TRIAGE).choices[0].message.content, ANSWER)


@check("stored prompt, stream")
def stored_prompt_stream() -> None:
    must_be("".join(chunk.choices[0].delta.content or "" for chunk in CHAT.create(**TRIAGE, stream=True)), ANSWER)


@check("asynchronous")
def asynchronous() -> None:
    async def ask() -> Any:
        async with openai.AsyncOpenAI(base_url=f"{CUE}/v1", api_key=KEY) as client:
            return await client.chat.completions.create(**TRIAGE)

    must_be(asyncio.run(ask()).choices[0].message.content, ANSWER)


@check("chat with a stored prompt")
def chat() -> None:
    asked = [{"role": "user", "content": "what are you told?"}]
    more: Any = {"messages": asked, "extra_body": {"inputs": {"tone": "kindly"}}}
    must_be(CHAT.create(model="prompt/support", **more).choices[0].message.content, "Answer kindly.")


@check("model, with every kind of field")
def model() -> None:
    more: Any = {
        "temperature": 0.2,
        "top_p": 1,
        "max_completion_tokens": 9,
        "seed": 7,
        "stop": ["x"],
        "logit_bias": {"7": 1},
        "user": "u-1",
        "safety_identifier": "s-1",
        "prompt_cache_key": "k-1",
        "service_tier": "auto",
        "store": False,
        "parallel_tool_calls": False,
        "reasoning_effort": "low",
        "verbosity": "low",
        "modalities": ["text"],
        "response_format": {"type": "text"},
        "metadata": {"team": "a"},
        "extra_headers": {"X-Team": "a"},
    }
    answer = CHAT.create(**TINY, **more)
    must_be(answer.choices[0].message.content, "hello there")
    must_be(recorded(answer.id)["metadata"], {"team": "a"})


@check("messages of every role and form")
def messages() -> None:
    call = {"id": "c-1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}}
    said: Any = [
        {"role": "developer", "content": "be short"},
        {"role": "system", "content": [{"type": "text", "text": "be kind"}]},
        {"role": "user", "content": [{"type": "text", "text": "see"}, image], "name": "ada"},
        {"role": "assistant", "content": None, "tool_calls": [call], "refusal": None, "audio": None},
        {"role": "tool", "tool_call_id": "c-1", "content": [{"type": "text", "text": "7 degrees"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "it is cold"}]},
        {"role": "user", "content": ""},
        {"role": "user", "content": "and now?"},
    ]
    must_be(CHAT.create(model="openai/tiny-1", messages=said).choices[0].message.content, "and now?")


@check("ids and usage")
def ids_and_usage() -> None:
    reply = CHAT.with_raw_response.create(**TINY)
    answer = reply.parse()
    assert answer.usage
    must_be((answer.usage.prompt_tokens, answer.usage.completion_tokens), (11, 3))
    must_be(reply.headers["x-cuewire-execution-id"], answer.id)
    assert answer._request_id


@check("usage of a stream")
def usage_of_a_stream() -> None:
    chunks = list(CHAT.create(**TINY, stream=True, stream_options={"include_usage": True}))
    must_be([chunk.usage.total_tokens for chunk in chunks if chunk.usage], [14])


@check("a model that counts no tokens")
def no_usage() -> None:
    must_be(CHAT.create(**{**TINY, "model": "openai/silent-1"}).usage, None)


@check("tools")
def tools() -> None:
    message = CHAT.create(**TINY, tools=[TOOL], tool_choice="auto").choices[0].message
    assert message.tool_calls
    result: Any = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "7 degrees"}
    more: Any = {"model": "openai/tiny-1", "messages": [*TINY["messages"], message, result]}
    must_be(CHAT.create(**more, tools=[TOOL]).choices[0].message.content, "7 degrees")


@check("tools, stream")
def tools_stream() -> None:
    with CHAT.stream(**TINY, tools=[TOOL]) as stream:
        calls = stream.get_final_completion().choices[0].message.tool_calls
    assert calls
    must_be((calls[0].function.name, calls[0].function.arguments), ("weather", '{"city": "Oslo"}'))


@check("JSON schema")
def json_schema() -> None:
    schema: Any = {"type": "json_schema", "json_schema": {"name": "weather", "schema": WEATHER}}
    must_be(CHAT.create(**TINY, response_format=schema).choices[0].message.content, '{"city": "Oslo", "degrees": 7}')


@check("many choices")
def many_choices() -> None:
    must_be(len(CHAT.create(**TINY, n=3).choices), 3)


@check("models")
def models() -> None:
    names = [model.id for model in CLIENT.models.list()]
    assert "prompt/triage@production" in names, names
    must_be(CLIENT.models.retrieve("prompt/triage@production").id, "prompt/triage@production")
    raises(openai.NotFoundError, lambda: CLIENT.models.retrieve("prompt/absent"))


@check("unknown prompt")
def unknown_prompt() -> None:
    raises(openai.NotFoundError, lambda: CHAT.create(**{**TRIAGE, "model": "prompt/absent"}))


@check("missing input")
def missing_input() -> None:
    raises(openai.UnprocessableEntityError, lambda: CHAT.create(**{**TRIAGE, "extra_body": {}}))


@check("wrong key")
def wrong_key() -> None:
    raises(openai.AuthenticationError, lambda: CHAT.with_raw_response.create(**TRIAGE, extra_headers=_wrong()))


@check("rate limit of the model")
def rate_limit() -> None:
    error = raises(openai.RateLimitError, lambda: CHAT.create(**{**TINY, "model": "openai/busy-1"}))
    assert isinstance(error, openai.APIStatusError)
    assert error.response.headers["retry-after"]


@check("a model that breaks off")
def breaks_off() -> None:
    raises(openai.APIError, lambda: list(CHAT.create(**{**TINY, "model": "openai/broken-1"}, stream=True)))


def _wrong() -> dict[str, str]:
    return {"Authorization": "Bearer cw_wrong"}


if __name__ == "__main__":
    main(version_of="openai")
