"""`log_prompt_execution` where the database cannot be had: None within seconds, one warning, and back by itself."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TypeAlias

import pytest

import cuewire
from cuewire.compat.process_app import PATIENCE_S
from cuewire.compat.prompt_templates import close_database, log_prompt_execution
from cuewire.stores.sqlite_file import connect
from tests.support import postgres
from tests.support.logged_programs import TEMPLATE, LoggedProgram, logged_program, stored

CANARY = "canary-5d1e7a"
Starter: TypeAlias = Callable[[str], LoggedProgram]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Starter]:
    """Return what starts the program on a database."""
    running = []

    def start(url: str) -> LoggedProgram:
        running.append(logged_program(url, monkeypatch, caplog))
        return running[-1].__enter__()

    yield start
    for one in running:
        one.__exit__(None, None, None)


@pytest.fixture
def own_server() -> Iterator[postgres.OwnServer]:
    own = postgres.OwnServer()
    yield own
    own.remove()


def log_in_time() -> str | None:
    """Log an execution; None has to come in time."""
    begun = monotonic()
    execution_id = log_prompt_execution(TEMPLATE, True, 5.0)
    assert monotonic() - begun < 3 * PATIENCE_S
    return execution_id


@contextmanager
def no_room(path: Path) -> Iterator[None]:
    """Let no file of this process grow much larger than the database, or its log, is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    largest = max(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + 100_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.contract("S1-11", "S1-30")
async def test_a_killed_server_gives_none_and_is_found_again(own_server: postgres.OwnServer, started: Starter) -> None:
    async with cuewire.open(own_server.url) as app:
        await app.prompts.publish(TEMPLATE, "What is meant?")
    program = started(own_server.url)
    assert log_in_time()

    own_server.kill()
    lost = [log_in_time() for _ in range(3)]
    counted, warned, said = program.lost, list(program.warnings), program.lines[1:]
    own_server.start()
    begun = monotonic()
    while not (found := log_in_time()):
        assert monotonic() - begun < 10

    assert (lost, counted) == ([None] * 3, {"store_unavailable": 3})
    assert warned == ["cuewire.executions"] * 3
    assert [line["template_key"] for line in said] == [TEMPLATE] * 3
    async with cuewire.open(own_server.url) as app:
        assert (await stored(app, found)).success


@pytest.mark.contract("S1-11")
def test_a_server_that_was_never_there_gives_none_and_shows_no_password(started: Starter) -> None:
    program = started(f"postgresql://ada:{CANARY}@127.0.0.1:1/cue")

    assert [log_in_time() for _ in range(2)] == [None, None]
    assert program.lost == {"store_unavailable": 2}
    assert program.warnings == ["cuewire.executions"] * 2
    assert CANARY not in program.log.text


@pytest.mark.contract("S1-11")
def test_a_server_that_stands_still_holds_nobody_up_for_long(own_server: postgres.OwnServer, started: Starter) -> None:
    program = started(own_server.url)

    with own_server.frozen():
        assert log_in_time() is None
    assert program.lost == {"timeout": 1}
    assert program.warnings == ["cuewire.executions"]
    close_database()  # also while it still opens


@pytest.mark.contract("S1-11", "S1-30")
@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("sqlite:///{folder}/file/cue.db", "store_error"),
        ("sqlite:////proc/cue.db", "store_error"),
        ("sqlite:///{folder}/absent/cue.db", "prompt_not_found"),
        ("sqlite:///{folder}/file", "store_damaged"),
        ("mysql+pymysql://ada:{canary}@127.0.0.1/cue", "config_error"),
        ("host=127.0.0.1 password={canary}", "config_error"),
    ],
    ids=["no folder", "a folder that takes no files", "a new folder", "another kind of file", "mysql", "no url"],
)
def test_a_database_that_cannot_be_had_gives_none(tmp_path: Path, started: Starter, place: str, reason: str) -> None:
    (tmp_path / "file").write_text("not a database, " * 100)
    program = started(place.format(folder=tmp_path, canary=CANARY))

    assert [log_in_time() for _ in range(2)] == [None, None]
    assert program.lost == {reason: 2}
    assert program.warnings == ["cuewire.executions"] * 2
    assert CANARY not in program.log.text


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_full_disk_gives_none_and_leaves_no_half_of_a_record(
    app: cuewire.App, program: LoggedProgram, tmp_path: Path
) -> None:
    assert log_in_time()
    large = {"text": "x" * 2_000_000}

    with no_room(tmp_path / "cue.db"):
        assert log_prompt_execution(TEMPLATE, True, 5.0, metadata=large) is None
    assert program.lost == {"store_full": 1}
    assert log_in_time()

    close_database()  # which would store what waits
    assert [one.status for one in (await app.executions.list()).items] == ["succeeded"] * 2


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_file_that_another_program_holds_gives_none_in_time(program: LoggedProgram, tmp_path: Path) -> None:
    assert log_in_time()
    other = connect(tmp_path / "cue.db")

    other.execute("BEGIN IMMEDIATE")
    assert log_in_time() is None
    other.execute("ROLLBACK")
    other.close()

    assert sum(program.lost.values()) == 1
    assert program.lost.keys() <= {"timeout", "store_busy"}
    assert log_in_time()


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_the_settings_say_where_and_win_over_the_database_of_the_program(
    app: cuewire.App, program: LoggedProgram, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUEWIRE_SERVER", "https://cue.example")
    assert log_in_time() is None  # a server takes no entries
    assert program.lost == {"config_error": 1}

    monkeypatch.setenv("CUEWIRE_DATABASE_URL", url)
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/of_the_program")
    close_database()

    assert (await stored(app, log_in_time())).success
