"""Peer: Phoenix's server on SQLite, fed by OpenTelemetry's batch processor, timed until every span is stored.

The CPU is that of this client alone; the rate is what counts. The queue is large enough that nothing is
dropped.
"""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from openinference.semconv.trace import SpanAttributes
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from bench.sides.meter import Meter, folder, load_from_arguments
from bench.sides.rows import ANSWER_TEXT, MODEL, prompt_of

SPANS, QUEUE, START_S, PATIENCE_S = 800, 100_000, 90.0, 120.0


def free_port() -> int:
    """Give a port that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


def start_server(port: int) -> subprocess.Popen[bytes]:
    """Start Phoenix and return when it answers."""
    variables = {
        **os.environ,
        "PHOENIX_HOST": "127.0.0.1",
        "PHOENIX_PORT": str(port),
        "PHOENIX_GRPC_PORT": str(free_port()),
        "PHOENIX_WORKING_DIR": folder(),
    }
    command = [str(Path(sys.executable).parent / "phoenix"), "serve"]
    server = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    health = f"http://127.0.0.1:{port}/healthz"
    wait_until(lambda: answers(health), patience_s=START_S, what="a Phoenix server")
    return server


def answers(url: str) -> bool:
    """Tell whether a server answers there."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def wait_until(is_true: Callable[[], bool], *, patience_s: float, what: str) -> None:
    """Ask every 10 ms until it is true."""
    end = time.monotonic() + patience_s
    while not is_true():
        if time.monotonic() > end:
            sys.exit(f"no {what} after {patience_s:g} s")
        time.sleep(0.01)


def stored() -> int:
    """Count the spans in the database."""
    with closing(sqlite3.connect(f"file:{folder()}/phoenix.db?mode=ro", uri=True)) as connection:
        return int(connection.execute("select count(*) from spans").fetchone()[0])


def main() -> None:
    """Send spans from the producers and wait for them to be stored."""
    load, port = load_from_arguments(), free_port()
    server = start_server(port)
    provider = TracerProvider()
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{port}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=QUEUE, schedule_delay_millis=100))
    tracer = provider.get_tracer("bench")

    def send(number: int) -> None:
        with tracer.start_as_current_span("call") as span:
            span.set_attribute(SpanAttributes.OPENINFERENCE_SPAN_KIND, "LLM")
            span.set_attribute(SpanAttributes.LLM_MODEL_NAME, MODEL)
            span.set_attribute(SpanAttributes.INPUT_VALUE, prompt_of(number))
            span.set_attribute(SpanAttributes.OUTPUT_VALUE, ANSWER_TEXT)
            span.set_attribute(SpanAttributes.LLM_TOKEN_COUNT_PROMPT, 450)
            span.set_attribute(SpanAttributes.LLM_TOKEN_COUNT_COMPLETION, 260)

    with ThreadPoolExecutor(load.in_flight) as threads:
        list(threads.map(send, range(load.in_flight)))
        provider.force_flush()
        wait_until(lambda: stored() == load.in_flight, patience_s=PATIENCE_S, what="stored warm-up")
        meter = Meter()
        list(threads.map(send, range(1_000, 1_000 + SPANS)))
        provider.force_flush()
        wait_until(lambda: stored() == load.in_flight + SPANS, patience_s=PATIENCE_S, what="stored spans")
        meter.report(SPANS)
    server.terminate()
    server.wait(20)


if __name__ == "__main__":
    main()
