"""Peer: Portkey's gateway on Node, told by headers where the model is."""

from __future__ import annotations

import os
from pathlib import Path

from bench.sides.gateway import MESSAGES, Target, free_port, load_from_arguments, measure, serving
from bench.sides.meter import base_url

PROGRAM = Path(os.environ["BENCH_PEER"]) / "node_modules/@portkey-ai/gateway/build/start-server.js"

if __name__ == "__main__":
    load, port = load_from_arguments(), free_port()
    headers = {
        "Authorization": "Bearer x",
        "x-portkey-provider": "openai",
        "x-portkey-custom-host": base_url(),
    }
    target = Target(port, "/v1/chat/completions", MESSAGES, headers)
    with serving(["node", str(PROGRAM), f"--port={port}", "--headless"], port, NODE_ENV="production") as pid:
        measure(pid, target, load)
