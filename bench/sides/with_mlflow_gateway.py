"""Peer: the application of MLflow's gateway, which has no command of its own any more, on uvicorn."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.sides.gateway import MESSAGES, MODEL, Target, free_port, load_from_arguments, measure, serving
from bench.sides.meter import base_url, folder


def configuration() -> Path:
    """Write its configuration, JSON being YAML too."""
    upstream = {"openai_api_key": "x", "openai_api_base": base_url()}
    model = {"provider": "openai", "name": MODEL, "config": upstream}
    path = Path(folder()) / "gateway.yaml"
    path.write_text(json.dumps({"endpoints": [{"name": MODEL, "endpoint_type": "llm/v1/chat", "model": model}]}))
    return path


if __name__ == "__main__":
    load, port = load_from_arguments(), free_port()
    factory = "mlflow.gateway.app:create_app_from_env"
    options = ["--factory", "--host", "127.0.0.1", "--port", str(port), "--log-level", "error", "--no-access-log"]
    target = Target(port, f"/gateway/{MODEL}/invocations", {"messages": MESSAGES["messages"]}, {})
    variables = {"MLFLOW_GATEWAY_CONFIG": str(configuration())}
    with serving([sys.executable, "-m", "uvicorn", *options, factory], port, **variables) as pid:
        measure(pid, target, load)
