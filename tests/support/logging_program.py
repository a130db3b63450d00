"""A program that calls models itself and tells Cuewire of it; it prints the ids that it was given, then what it lost.

`log N` logs N executions; `fork N` does so while it forks N times, and in each child.
"""

from __future__ import annotations

import os
import subprocess
import sys
from threading import Event, Thread

from cuewire.compat.prompt_templates import log_prompt_execution, lost_records


def start(url: str, *task: str) -> subprocess.Popen[str]:
    """Start the program with a task on a database."""
    command = [sys.executable, "-m", "tests.support.logging_program", *task]
    return subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url}, stdout=subprocess.PIPE, text=True)


def _log(count: int) -> str:
    return "".join(f"{log_prompt_execution('greet', True, 1.5)}\n" for _ in range(count))


def _fork(count: int) -> str:
    said, is_over = [_log(1)], Event()

    def keep_logging() -> None:
        while not is_over.is_set():
            said.append(_log(1))

    threads = [Thread(target=keep_logging) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(count):
        child = os.fork()
        if not child:
            os.write(1, f"{_log(2)}{_lost()}".encode())
            os._exit(0)
        os.waitpid(child, 0)
        said.append(_log(1))
    is_over.set()
    for thread in threads:
        thread.join()
    return "".join(said)


def _lost() -> str:
    return "".join(f"{reason}={count}\n" for reason, count in lost_records().items())


if __name__ == "__main__":
    print({"log": _log, "fork": _fork}[sys.argv[1]](int(sys.argv[2])) + _lost(), end="", flush=True)
