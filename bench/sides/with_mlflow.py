"""Peer: MLflow tracing into SQLite: `sync`, each trace awaited, or `async`, timed to the end of its queue."""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import os
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.sides.meter import Meter, folder, load_from_arguments
from bench.sides.rows import ANSWER_TEXT, MODEL, prompt_of

TRACES = 64


def trace(number: int) -> None:
    """Log one model call as a trace of one span."""
    with mlflow.start_span("call", span_type="LLM") as span:
        span.set_inputs({"messages": [{"role": "user", "content": prompt_of(number)}], "model": MODEL})
        span.set_attributes({"user": f"user-{number % 97}", "input_tokens": 450, "output_tokens": 260})
        span.set_outputs({"text": ANSWER_TEXT})


def log_from_threads(numbers: range, threads: ThreadPoolExecutor) -> None:
    """Log the traces from the producers, and return when MLflow says that they are stored."""
    list(threads.map(trace, numbers))
    if load.kind == "async":
        mlflow.flush_trace_async_logging()


def stored(database: Path) -> int:
    """Count the traces in the database."""
    with sqlite3.connect(database) as connection:
        return int(connection.execute("select count(*) from trace_info").fetchone()[0])


if __name__ == "__main__":
    load = load_from_arguments()
    os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = str(load.kind == "async").lower()
    import mlflow

    database = Path(folder()) / "mlflow.db"
    mlflow.set_tracking_uri(f"sqlite:///{database}")
    mlflow.set_experiment("bench")
    with ThreadPoolExecutor(load.in_flight) as threads:
        log_from_threads(range(load.in_flight), threads)
        before, meter = stored(database), Meter()
        log_from_threads(range(1_000, 1_000 + TRACES), threads)
        kept = stored(database) - before
        if kept != TRACES:
            sys.exit(f"{kept} of {TRACES} traces were stored")
        meter.report(kept)
