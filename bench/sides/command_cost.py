"""What one prompt from the command line costs: CPU of the whole command, interpreter start included."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench.sides.meter import ANSWER_BYTES, base_url, folder

TIMES = 5
PROMPT = "Is this message a bug report or an idea? Answer with one word. Message: it crashes on save"
COMMANDS = Path(sys.executable).parent


def ours() -> list[str]:
    """Publish a prompt and give the command that runs it."""
    os.environ["CUEWIRE_DATABASE_URL"] = f"sqlite:///{folder()}/bench.db"
    template = Path(folder()) / "question.j2"
    template.write_text("{{ text }}", encoding="utf-8")
    installed = COMMANDS / "cuewire"
    command = [str(installed)] if installed.exists() else [sys.executable, "-m", "cuewire.cli"]
    publish = [*command, "prompts", "publish", "question", str(template), "--model", "openai/gpt-4o-mini"]
    if code := subprocess.run(publish, stdout=subprocess.DEVNULL).returncode:
        sys.exit(code)
    return [*command, "run", "question", "-v", f"text={PROMPT}"]


def llm() -> list[str]:
    """Name the stub as a model and give the command that asks it."""
    os.environ["LLM_USER_PATH"] = folder()
    models = f'- model_id: stub\n  model_name: gpt-4o-mini\n  api_base: "{base_url()}"\n'
    (Path(folder()) / "extra-openai-models.yaml").write_text(models, encoding="utf-8")
    return [str(COMMANDS / "llm"), "-m", "stub", "--no-stream", PROMPT]


def cpu_ms_of(command: list[str]) -> float:
    """Run a command to its end and give the CPU that it and its children took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if run.returncode or len(run.stdout.strip()) < ANSWER_BYTES:
        sys.exit(f"exit code {run.returncode}, printed {run.stdout!r}")
    return (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime) * 1_000


if __name__ == "__main__":
    command = {"ours": ours, "llm": llm}[sys.argv[1]]()
    cpu_ms_of(command)
    found = [cpu_ms_of(command) for _ in range(TIMES)]
    print(json.dumps({"cpu_ms": round(median(found), 2), "lowest_ms": round(min(found), 2)}))
