"""A program: a model server that streams the same answer for ever and forgets every request. Prints its base URL."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.support.model_server import DONE, USAGE, Action, ModelServer, delta, stream, usage_event

WORDS = [f"word{number} " for number in range(40)]


class Forgetful(ModelServer):
    """Keeps nothing, so that it can run for millions of requests."""

    def choose(self, path: str, body: bytes) -> Sequence[Action]:
        """Answer the same to all."""
        self.received.clear()
        return super().choose(path, body)


async def main() -> None:
    async with Forgetful() as server:
        server.script(stream(*map(delta, WORDS), delta(finish_reason="stop"), usage_event(USAGE), DONE))
        print(server.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
