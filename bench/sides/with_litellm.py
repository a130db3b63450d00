"""Peer: litellm's asynchronous completion, plain and streamed."""
# mypy: disable-error-code="import-not-found"

import litellm

from bench.sides.meter import (
    EVENTS_PER_STREAM,
    base_url,
    drive,
    load_from_arguments,
    must_be_answer,
    question,
    run_on_uvloop,
)

MODEL = "openai/gpt-4o-mini"


async def call(number: int) -> int:
    """Make one plain call."""
    answer = await litellm.acompletion(
        model=MODEL,
        messages=[{"role": "user", "content": question(number)}],
        api_base=base_url(),
        api_key="x",
    )
    must_be_answer(answer.choices[0].message.content)
    return 1


async def stream(number: int) -> int:
    """Read one stream to its end."""
    pieces = await litellm.acompletion(
        model=MODEL,
        messages=[{"role": "user", "content": question(number)}],
        stream=True,
        stream_options={"include_usage": True},
        api_base=base_url(),
        api_key="x",
    )
    text = [piece.choices[0].delta.content or "" async for piece in pieces if piece.choices]
    must_be_answer("".join(text))
    return EVENTS_PER_STREAM


if __name__ == "__main__":
    load = load_from_arguments()
    run_on_uvloop(drive(load, {"call": call, "stream": stream}[load.kind]))
