"""The `promptfoo` command, with the openai provider of its configuration."""

import json
from pathlib import Path
from typing import Any

from checks.clients.scripts.told import ANSWER, CUE, WEATHER, check, command, main, must_be

FAILS = 100
"""The exit code of an evaluation with an error; it is 0 where a status of 401 or 404 made promptfoo give up."""
TOOL = {"type": "function", "function": {"name": "weather", "parameters": WEATHER}}


def evaluate(model: str, prompt: str, *, code: int = 0, **config: Any) -> str:
    """Evaluate one prompt, and return what the command said."""
    provider = {"id": f"openai:chat:{model}", "config": {"apiBaseUrl": f"{CUE}/v1", "apiKeyEnvar": "KEY", **config}}
    whole = {"prompts": [prompt], "providers": [provider], "tests": [{"vars": {"unused": "x"}}]}
    Path("one.json").write_text(json.dumps(whole))
    return command("promptfoo eval -c one.json -o out.json --no-cache --no-table --no-progress-bar", code=code)


def answer(model: str, prompt: str, **config: Any) -> dict[str, Any]:
    """Evaluate one prompt, and return what the model answered."""
    evaluate(model, prompt, **config)
    found = result()["response"]
    assert isinstance(found, dict)
    return found


def result() -> dict[str, Any]:
    """Return the one result of the last evaluation."""
    (found,) = json.loads(Path("out.json").read_text())["results"]["results"]
    assert isinstance(found, dict)
    return found


@check("stored prompt")
def stored_prompt() -> None:
    found = answer("prompt/triage@production", "[]", omitDefaults=True, passthrough={"inputs": {"text": "It crashes"}})
    must_be(found["output"], ANSWER)


@check("chat with a stored prompt")
def chat() -> None:
    must_be(answer("prompt/support", "hello there")["output"], "hello there")


@check("model, with its own defaults")
def model() -> None:
    must_be(answer("openai/tiny-1", "hello there", seed=7, top_p=1)["output"], "hello there")


@check("usage")
def usage() -> None:
    found = answer("openai/tiny-1", "hello")["tokenUsage"]
    must_be((found["prompt"], found["completion"], found["total"]), (11, 3, 14))


@check("tools")
def tools() -> None:
    (call,) = answer("openai/tiny-1", "hello", tools=[TOOL])["output"]
    must_be((call["function"]["name"], call["function"]["arguments"]), ("weather", '{"city": "Oslo"}'))


@check("JSON schema")
def json_schema() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "weather", "schema": WEATHER}}
    must_be(answer("openai/tiny-1", "hello", response_format=schema)["output"]["city"], "Oslo")


@check("unknown prompt")
def unknown_prompt() -> None:
    assert "HTTP 404" in evaluate("prompt/absent", "[]")


@check("missing input")
def missing_input() -> None:
    evaluate("prompt/triage", "[]", code=FAILS)
    assert "'text' is missing" in result()["error"], result()["error"]


@check("wrong key")
def wrong_key() -> None:
    assert "HTTP 401" in evaluate("openai/tiny-1", "hello", apiKey="cw_wrong", apiKeyEnvar=None)


if __name__ == "__main__":
    main(version_is=command("promptfoo --version").splitlines()[-1])
