"""Peer: the openai client, plain and streamed, as its manual shows it."""
# mypy: disable-error-code="import-not-found"

from openai import AsyncOpenAI

from bench.sides.meter import (
    EVENTS_PER_STREAM,
    base_url,
    drive,
    load_from_arguments,
    must_be_answer,
    question,
    run_on_uvloop,
)

MODEL = "gpt-4o-mini"


class Client:
    """One client for the whole run, as its manual asks."""

    def __init__(self) -> None:
        self._openai = AsyncOpenAI(base_url=base_url(), api_key="x")

    async def call(self, number: int) -> int:
        """Make one plain call."""
        answer = await self._openai.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": question(number)}]
        )
        must_be_answer(answer.choices[0].message.content or "")
        return 1

    async def stream(self, number: int) -> int:
        """Read one stream to its end."""
        pieces = await self._openai.chat.completions.create(
            model=MODEL,
            messages=[{"role": "user", "content": question(number)}],
            stream=True,
            stream_options={"include_usage": True},
        )
        text = [piece.choices[0].delta.content or "" async for piece in pieces if piece.choices]
        must_be_answer("".join(text))
        return EVENTS_PER_STREAM


async def main() -> None:
    """Drive the kind of request that the command line names."""
    load, client = load_from_arguments(), Client()
    await drive(load, {"call": client.call, "stream": client.stream}[load.kind])


if __name__ == "__main__":
    run_on_uvloop(main())
