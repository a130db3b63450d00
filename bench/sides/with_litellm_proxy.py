"""Peer: litellm's proxy, one worker, with a key and without a database."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.sides.gateway import MESSAGES, MODEL, Target, free_port, load_from_arguments, measure, serving
from bench.sides.meter import base_url, folder

KEY = "sk-bench"


def configuration() -> Path:
    """Write its configuration, JSON being YAML too."""
    upstream = {"model": f"openai/{MODEL}", "api_base": base_url(), "api_key": "x"}
    found = {
        "model_list": [{"model_name": MODEL, "litellm_params": upstream}],
        "general_settings": {"master_key": KEY},
        "litellm_settings": {"telemetry": False},
    }
    path = Path(folder()) / "litellm.yaml"
    path.write_text(json.dumps(found))
    return path


if __name__ == "__main__":
    load, port = load_from_arguments(), free_port()
    program = str(Path(sys.executable).with_name("litellm"))
    command = [program, "--config", str(configuration()), "--host", "127.0.0.1", "--port", str(port)]
    target = Target(port, "/v1/chat/completions", MESSAGES, {"Authorization": f"Bearer {KEY}"})
    with serving([*command, "--num_workers", "1"], port, LITELLM_LOG="ERROR") as pid:
        measure(pid, target, load)
