"""Ours: five answers to one prompt, as the candidates of one run (`together`) or by five runs (`apart`)."""

from __future__ import annotations

import asyncio

import cuewire
from bench.sides.meter import TEXT, drive, folder, load_from_arguments, must_be_answer, run_on_uvloop
from bench.sides.ours import MODEL, PLAIN

COUNT = 5
TOGETHER, APART = "bench/together", "bench/apart"


class Client:
    """One open app for the whole run."""

    def __init__(self, app: cuewire.App) -> None:
        self._app = app

    async def publish(self) -> None:
        """Store the prompts."""
        policy = {"parallel": {"mode": "static_count", "count": COUNT}}
        await self._app.prompts.publish(TOGETHER, PLAIN, model=MODEL, policy=policy)
        await self._app.prompts.publish(APART, PLAIN, model=MODEL, parameters={"seed": 0})

    async def together(self, number: int) -> int:
        """Run once."""
        result = await self._app.run(TOGETHER, {"number": number, "text": TEXT})
        must_be_answer(result.text)
        if [end.status for end in result.candidates] != ["valid"] * COUNT:
            raise SystemExit(f"not all candidates are valid: {result.candidates}")
        return COUNT

    async def apart(self, number: int) -> int:
        """Run five times at once."""
        runs = (self._app.run(APART, {"number": number, "text": TEXT}) for _ in range(COUNT))
        for result in await asyncio.gather(*runs):
            must_be_answer(result.text)
        return COUNT


async def main() -> None:
    """Drive what the command line names."""
    load = load_from_arguments()
    async with cuewire.open(f"sqlite:///{folder()}/bench.db") as app:
        client = Client(app)
        await client.publish()
        await drive(load, {"together": client.together, "apart": client.apart}[load.kind])


if __name__ == "__main__":
    run_on_uvloop(main())
