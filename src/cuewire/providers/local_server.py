"""The process of the local model: serves one GGUF file on 127.0.0.1 and ends when its standard input does.

Run by `local.py` as a file of its own, so that it needs nothing of Cuewire. Reads one line of JSON from standard input
(model, alias, key, threads, slots, context), writes one line with its address to standard output, and logs to standard
error.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Serve until whoever started this process goes away."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the server's own messages must not mix with the one line that is waited for
    settings = json.loads(sys.stdin.readline())

    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.model_alias = {settings["alias"]}
    params.api_keys = [settings["key"]]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = settings["slots"]
    params.n_ctx = settings["context"] * settings["slots"]
    # Threads spin while they wait: on two cores one thread is four times faster than two.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.n_gpu_layers = 0
    params.use_jinja = True
    params.ui = False
    params.verbosity = 1  # errors only: the log lies in a file that nobody empties
    server = xllamacpp.Server(params)
    print(server.listening_address, file=answers, flush=True)
    while sys.stdin.read(1):
        pass
    os._exit(0)  # at once: calls that still run belong to nobody


if __name__ == "__main__":
    main()
