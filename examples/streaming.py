"""Learn to show an answer while it arrives, with the asynchronous form of the App."""

import asyncio

import cuewire


async def main() -> None:
    async with cuewire.open("sqlite:///cue.db") as app:
        await app.prompts.publish("echo", "{{ text }}", model="scripted/echo")

        stream = app.stream("echo", {"text": "one word after the other"})
        async for piece in stream:
            print(piece.text, end="", flush=True)

        result = await stream.result()
        print(f"\n{result.finish_reason} after {result.duration_ms:.0f} ms")


asyncio.run(main())
