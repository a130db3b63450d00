"""Peer: litellm's Router at a limited model server, told the limit, with its own retries."""
# mypy: disable-error-code="import-not-found"

from litellm import Router

from bench.sides.limited import PER_MINUTE, RETRIES, LimitedServer, limited_server, load_from_arguments, press, report
from bench.sides.limited_server import TOKENS_OUT
from bench.sides.meter import must_be_answer, question, run_on_uvloop

MODEL = "gpt-4o-mini"


async def run(server: LimitedServer) -> None:
    """Ask through one router for the whole run."""
    where = {"model": f"openai/{MODEL}", "api_base": server.url, "api_key": "x", "rpm": PER_MINUTE}
    router = Router(model_list=[{"model_name": MODEL, "litellm_params": where}], num_retries=RETRIES)

    async def ask(number: int) -> None:
        messages = [{"role": "user", "content": question(number)}]
        answer = await router.acompletion(model=MODEL, messages=messages, max_tokens=TOKENS_OUT)
        must_be_answer(answer.choices[0].message.content)

    runs, meter = await press(ask, load_from_arguments(), server)
    report(runs, server, meter)


if __name__ == "__main__":
    with limited_server(load_from_arguments()) as found:
        run_on_uvloop(run(found))
