"""`cuewire init`: a settings file to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cuewire.cli.output import note, write, write_json
from cuewire.cli.session import Session
from cuewire.config import FILE_NAME
from cuewire.model.errors import Conflict

TEMPLATE = """\
# Settings of Cuewire for this folder. What is commented out shows the default.
# An environment variable of the same name wins: CUEWIRE_DATABASE_URL, CUEWIRE_TIMEOUTS__TOTAL_S, ...

# Where prompts and executions are kept; the file is made when it is first needed.
database_url = "sqlite:///cue.db"

# A server to use instead of a database, and the API key for it: env:NAME, file:PATH or the key itself.
# server = "https://cue.example.com"
# token = "env:CUE_KEY"
# Calls a server on another machine over http too, which shows the key to everyone on the way.
# allow_plain_http = false

# Folder for the default database; left out, it is the platform's data folder.
# data_folder = "~/cuewire"

# A chat model of your own (a GGUF file) for the provider `local`.
# local_model = "models/mine.gguf"

# A folder with files of your own (model.safetensors and tokenizer.json) for local/all-minilm-l6-v2.
# local_embeddings = "models/minilm"

# Open connections to model providers, all told.
# max_connections = 1000

# Calls to models at a time, all told; left out, as many as there come.
# max_calls_at_once = 100

# Where the processes of several machines count their calls together (pip install 'cuewire[redis]').
# redis_url = "redis://localhost:6379/0"

# How long a call waits for a limit of its provider, if its run has that much time.
# [limits]
# max_wait_s = 120

# US dollars that runs may cost in a day of UTC: all together, and those of single prompts.
# [spend]
# usd_per_day = 20
# prompts = { triage = 2.5 }

# Seconds to wait at a provider: to connect, for the first byte, between bytes, all told.
# [timeouts]
# connect_s = 5
# first_byte_s = 30
# idle_s = 20
# total_s = 120

# Known without a word here: openai, anthropic, gemini, openrouter, groq, mistral, deepseek (each by its own variable,
# as in OPENAI_API_KEY), ollama and vllm on this machine, local (bundled models) and scripted (echoes, for tests).
# Any other server that speaks OpenAI's chat completions, or (by its kind) as anthropic or gemini do; the key is
# env:NAME, file:PATH or the key itself:
# [providers.mine]
# base_url = "https://llm.example.com/v1"
# key = "env:MY_LLM_KEY"
# What the provider allows, so that calls wait here rather than fail there; also of a model, as [models."mine/large"]:
# max_concurrency = 20
# requests_per_minute = 500
# tokens_per_minute = 200000
# Any endpoint that takes JSON and answers JSON: what to send, and where in the answer the text is.
# [providers.house]
# kind = "http_json"
# base_url = "https://nlp.example.com/v2/generate"
# body = { text = "{{prompt}}", temperature = "{{parameters.temperature}}" }
# answer = "/result/0/text"
"""


def init(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="where to write it", file_okay=False)] = Path(),
    force: Annotated[bool, typer.Option("--force", help="write over a file that is there")] = False,
) -> None:
    """Write a cuewire.toml with every setting explained."""
    session: Session = context.obj
    path = folder / FILE_NAME
    if path.exists() and not force:
        raise Conflict(f"{str(path)!r} exists", hint="edit it, or write over it with --force", field="folder")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(TEMPLATE, encoding="utf-8")
    if session.is_json:
        write_json({"path": str(path)})
        return
    write(f"wrote {path}\n")
    note(
        session,
        "next: cuewire doctor                      what works on this machine\n"
        "      cuewire prompts publish NAME FILE   your first prompt\n"
        "      cuewire run NAME -v input=text      its first answer",
    )
