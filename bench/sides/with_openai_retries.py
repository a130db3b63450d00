"""Peer: the openai client at a limited model server, with its own retries."""
# mypy: disable-error-code="import-not-found"

from openai import AsyncOpenAI

from bench.sides.limited import RETRIES, LimitedServer, limited_server, load_from_arguments, press, report
from bench.sides.limited_server import TOKENS_OUT
from bench.sides.meter import must_be_answer, question, run_on_uvloop

MODEL = "gpt-4o-mini"


async def run(server: LimitedServer) -> None:
    """Ask with one client for the whole run, as its manual says."""
    client = AsyncOpenAI(base_url=server.url, max_retries=RETRIES)

    async def ask(number: int) -> None:
        answer = await client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": question(number)}], max_tokens=TOKENS_OUT
        )
        must_be_answer(answer.choices[0].message.content or "")

    runs, meter = await press(ask, load_from_arguments(), server)
    report(runs, server, meter)


if __name__ == "__main__":
    with limited_server(load_from_arguments()) as found:
        run_on_uvloop(run(found))
