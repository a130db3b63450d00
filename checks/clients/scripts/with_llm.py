"""The `llm` command, with models of extra-openai-models.yaml, which docs/clients.md began."""

import json
from pathlib import Path

from checks.clients.scripts.told import CUE, check, command, main, must_be

TINY = f"""
- model_id: tiny
  model_name: openai/tiny-1
  api_base: {CUE}/v1
  api_key_name: cuewire
  supports_schema: true
  supports_tools: true
  vision: true
- model_id: triage
  model_name: prompt/triage
  api_base: {CUE}/v1
  api_key_name: cuewire
- model_id: absent
  model_name: prompt/absent
  api_base: {CUE}/v1
  api_key_name: cuewire
"""
TOOL = "def weather(city: str) -> str:\n    'Look up the weather'\n    return f'7 degrees in {city}'\n"


def llm(rest: str, *, code: int = 0) -> str:
    return command(f"llm {rest}", code=code).strip()


@check("chat with a stored prompt, stream")
def stored_prompt_stream() -> None:
    must_be(llm("-m support 'hello there'"), "hello there")


@check("chat with a stored prompt")
def stored_prompt() -> None:
    must_be(llm("-m support --no-stream 'what are you told?'"), "Answer plainly.")


@check("conversation")
def conversation() -> None:
    must_be(llm("-c 'and now?'"), "and now?")


@check("model, system text and options")
def model() -> None:
    must_be(llm("-m tiny -s 'be short' -o temperature 0.2 -o max_tokens 9 -o seed 7 'what are you told?'"), "be short")


@check("ids and usage")
def ids_and_usage() -> None:
    (logged,) = json.loads(llm("logs -n 1 --json"))
    must_be((logged["input_tokens"], logged["output_tokens"]), (11, 3))
    assert len(logged["response_json"]["id"]) == 36, logged["response_json"]


@check("tools")
def tools() -> None:
    Path("tools.py").write_text(TOOL)
    assert llm("-m tiny --functions tools.py hello").endswith("7 degrees in Oslo")


@check("JSON schema")
def json_schema() -> None:
    must_be(json.loads(llm("-m tiny --schema 'city, degrees int' hello")), {"city": "Oslo", "degrees": 7})


@check("image")
def image() -> None:
    Path("dot.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    must_be(llm("-m tiny -a dot.png see"), "see (an image)")


@check("unknown prompt")
def unknown_prompt() -> None:
    assert "absent" in llm("-m absent hello", code=1)


@check("a prompt without a place for messages")
def no_place() -> None:
    assert "'messages' is not read by this version" in llm("-m triage hello", code=1)


@check("wrong key")
def wrong_key() -> None:
    assert "API key is missing or not known" in llm("-m tiny hello --key cw_wrong", code=1)


if __name__ == "__main__":
    with Path("extra-openai-models.yaml").open("a") as file:
        file.write(TINY)
    main(version_of="llm")
