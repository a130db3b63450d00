"""The `inspect` command on tiny tasks, through both of its providers that speak OpenAI's protocol."""
# mypy: disable-error-code="import-not-found"

from pathlib import Path
from typing import Any

from inspect_ai.log import list_eval_logs, read_eval_log

from checks.clients.scripts.told import CUE, KEY, check, command, main, must_be

TASKS = '''
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model import GenerateConfig, ResponseSchema
from inspect_ai.scorer import includes
from inspect_ai.solver import generate, use_tools
from inspect_ai.tool import tool
from inspect_ai.util import json_schema
from pydantic import BaseModel


class Weather(BaseModel):
    city: str
    degrees: int


@tool
def weather():
    async def execute(city: str) -> str:
        """Look up the weather.

        Args:
            city: The city.
        """
        return f"7 degrees in {city}"

    return execute


@task
def hello():
    return Task(dataset=[Sample(input="hello there", target="hello")], scorer=includes())


@task
def told():
    config = GenerateConfig(extra_body={"inputs": {"tone": "kindly"}})
    return Task(dataset=[Sample(input="what are you told?", target="Answer kindly.")], scorer=includes(), config=config)


@task
def tools():
    sample = Sample(input="how cold is it?", target="7 degrees in Oslo")
    return Task(dataset=[sample], solver=[use_tools(weather()), generate()], scorer=includes())


@task
def schema():
    config = GenerateConfig(response_schema=ResponseSchema(name="weather", json_schema=json_schema(Weather)))
    return Task(dataset=[Sample(input="hello", target="Oslo")], scorer=includes(), config=config)
'''


def evaluate(task: str, model: str, *options: str, key: str = KEY) -> Any:
    """Evaluate a task and return its log."""
    where = {"CUEWIRE_BASE_URL": f"{CUE}/v1", "CUEWIRE_API_KEY": key}
    where |= {"OPENAI_BASE_URL": f"{CUE}/v1", "OPENAI_API_KEY": key}
    logs = Path("logs", f"{len(list(Path.cwd().glob('logs/*')))}")
    line = f"inspect eval tasks.py@{task} --model {model} --display plain --log-dir {logs} {' '.join(options)}"
    command(line, environment=where)
    (log,) = list_eval_logs(str(logs))
    return read_eval_log(log)


def must_succeed(log: Any) -> None:
    must_be((log.status, log.error), ("success", None))
    must_be(log.results.scores[0].metrics["accuracy"].value, 1.0)


@check("chat with a stored prompt, openai-api/")
def stored_prompt() -> None:
    must_succeed(evaluate("hello", "openai-api/cuewire/prompt/support@production"))


@check("chat with a stored prompt, openai/")
def stored_prompt_of_openai() -> None:
    must_succeed(evaluate("hello", "openai/prompt/support@production", "-M responses_api=false"))


@check("inputs of a stored prompt")
def inputs() -> None:
    must_succeed(evaluate("told", "openai-api/cuewire/prompt/support"))


@check("model, with options, ids and usage")
def model() -> None:
    log = evaluate("hello", "openai-api/cuewire/openai/tiny-1", "--temperature 0.2 --max-tokens 9 --seed 7")
    must_succeed(log)
    (usage,) = log.stats.model_usage.values()
    must_be((usage.total_tokens, usage.output_tokens), (14, 3))


@check("stream")
def stream() -> None:
    must_succeed(evaluate("hello", "openai-api/cuewire/openai/tiny-1", "-M stream=true"))


@check("a model that counts no tokens")
def no_usage() -> None:
    must_succeed(evaluate("hello", "openai-api/cuewire/openai/silent-1"))


@check("tools")
def tools() -> None:
    must_succeed(evaluate("tools", "openai-api/cuewire/openai/tiny-1"))


@check("JSON schema")
def json_schema() -> None:
    must_succeed(evaluate("schema", "openai-api/cuewire/openai/tiny-1"))


@check("unknown prompt")
def unknown_prompt() -> None:
    log = evaluate("hello", "openai-api/cuewire/prompt/absent")
    must_be(log.status, "error")
    assert "NotFoundError" in log.error.message or "404" in log.error.message, log.error.message


@check("wrong key")
def wrong_key() -> None:
    log = evaluate("hello", "openai-api/cuewire/prompt/support", key="cw_wrong")
    must_be(log.status, "error")
    assert "AuthenticationError" in log.error.message or "401" in log.error.message, log.error.message


if __name__ == "__main__":
    Path("tasks.py").write_text(TASKS)
    main(version_of="inspect-ai")
