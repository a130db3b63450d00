"""langchain-openai's chat model, as its manual shows it."""
# mypy: disable-error-code="import-not-found"

import asyncio
from typing import Any

import openai
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from checks.clients.scripts.told import ANSWER, CUE, INPUTS, KEY, check, main, must_be, raises, recorded

HELLO = [SystemMessage("be short"), HumanMessage("hello there")]


class Weather(BaseModel):
    """The weather in a city."""

    city: str
    degrees: int


def weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"7 degrees in {city}"


def chat(model: str = "openai/tiny-1", **more: Any) -> ChatOpenAI:
    return ChatOpenAI(model=model, base_url=f"{CUE}/v1", **{"api_key": KEY, "max_retries": 0, **more})


def triage(**more: Any) -> ChatOpenAI:
    return chat("prompt/triage@production", **{"extra_body": {"inputs": INPUTS}, **more})


@check("stored prompt")
def stored_prompt() -> None:
    must_be(triage().invoke([]).content, ANSWER)


@check("stored prompt, stream")
def stored_prompt_stream() -> None:
    must_be("".join(chunk.content for chunk in triage().stream([])), ANSWER)


@check("asynchronous")
def asynchronous() -> None:
    must_be(asyncio.run(triage().ainvoke([])).content, ANSWER)


@check("chat with a stored prompt")
def chat_with_a_stored_prompt() -> None:
    must_be(chat("prompt/support").invoke("hello there").content, "hello there")


@check("model")
def model() -> None:
    answer = chat(temperature=0.2, max_tokens=9, seed=7, extra_body={"metadata": {"team": "a"}}).invoke(HELLO)
    must_be(answer.content, "hello there")
    must_be(recorded(answer.response_metadata["id"])["metadata"], {"team": "a"})


@check("ids and usage")
def ids_and_usage() -> None:
    answer = chat().invoke(HELLO)
    assert len(answer.response_metadata["id"]) == 36, answer.response_metadata
    must_be((answer.usage_metadata["input_tokens"], answer.usage_metadata["output_tokens"]), (11, 3))
    must_be(answer.response_metadata["finish_reason"], "stop")


@check("usage of a stream")
def usage_of_a_stream() -> None:
    chunks = list(chat(stream_usage=True).stream(HELLO))
    must_be(sum(chunk.usage_metadata["total_tokens"] for chunk in chunks if chunk.usage_metadata), 14)


@check("tools")
def tools() -> None:
    bound = chat().bind_tools([tool(weather)])
    asked = bound.invoke(HELLO)
    must_be([(call["name"], call["args"]) for call in asked.tool_calls], [("weather", {"city": "Oslo"})])
    told = ToolMessage(weather(**asked.tool_calls[0]["args"]), tool_call_id=asked.tool_calls[0]["id"])
    must_be(bound.invoke([*HELLO, asked, told]).content, "7 degrees in Oslo")


@check("tools, stream")
def tools_stream() -> None:
    chunks = list(chat().bind_tools([tool(weather)]).stream(HELLO))
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    must_be([(call["name"], call["args"]) for call in whole.tool_calls], [("weather", {"city": "Oslo"})])


@check("JSON schema")
def json_schema() -> None:
    must_be(chat().with_structured_output(Weather).invoke(HELLO), Weather(city="Oslo", degrees=7))


@check("a model that counts no tokens")
def no_usage() -> None:
    must_be(chat("openai/silent-1").invoke(HELLO).content, "hello there")


@check("many messages at once")
def batch() -> None:
    must_be([answer.content for answer in chat().batch(["one", "two", "three"])], ["one", "two", "three"])


@check("image")
def image() -> None:
    parts = [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
    ]
    must_be(chat().invoke([HumanMessage(parts)]).content, "see (an image)")


@check("history")
def history() -> None:
    must_be(chat().invoke([*HELLO, AIMessage("hello"), HumanMessage("and now?")]).content, "and now?")


@check("unknown prompt")
def unknown_prompt() -> None:
    raises(openai.NotFoundError, lambda: chat("prompt/absent").invoke([]))


@check("missing input")
def missing_input() -> None:
    raises(openai.UnprocessableEntityError, lambda: triage(extra_body={}).invoke([]))


@check("wrong key")
def wrong_key() -> None:
    raises(openai.AuthenticationError, lambda: triage(api_key="cw_wrong").invoke([]))


@check("rate limit of the model")
def rate_limit() -> None:
    raises(openai.RateLimitError, lambda: chat("openai/busy-1").invoke(HELLO))


@check("a model that breaks off")
def breaks_off() -> None:
    raises(openai.APIError, lambda: list(chat("openai/broken-1").stream(HELLO)))


if __name__ == "__main__":
    main(version_of="langchain-openai")
