"""Floors: the bare applications of floor_gateway.py, each as a gateway."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.sides.gateway import MESSAGES, Target, free_port, load_from_arguments, measure, serving

SERVER = Path(__file__).with_name("floor_gateway.py")

if __name__ == "__main__":
    load, port = load_from_arguments(), free_port()
    with serving([sys.executable, str(SERVER), load.kind, str(port)], port) as pid:
        measure(pid, Target(port, "/v1/chat/completions", MESSAGES, {}), load)
