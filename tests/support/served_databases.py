"""The real `cuewire serve` over a database of either kind, made for the test and gone after it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support import postgres
from tests.support.command_line import CommandLine
from tests.support.serving import Serving, serving


@contextmanager
def serving_on(kind: str, folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Serving]:
    """Serve a new database of the kind, `sqlite` or `postgres`; `environment` is added to a bare one."""
    with ExitStack() as stack:
        said = dict(environment or {})
        if kind == "postgres":
            said["CUEWIRE_DATABASE_URL"] = stack.enter_context(_database())
        yield stack.enter_context(serving(CommandLine(folder, said)))


@contextmanager
def _database() -> Iterator[str]:
    """Make a database on PostgreSQL; on a thread, because the test may have a loop of its own or none."""
    made = postgres.database()
    runner = asyncio.Runner()
    with ThreadPoolExecutor(1) as thread:
        try:
            yield thread.submit(runner.run, made.__aenter__()).result()
            thread.submit(runner.run, made.__aexit__(None, None, None)).result()
        finally:
            thread.submit(runner.close).result()
