"""Render processes come and go; the server stays."""

from __future__ import annotations

import asyncio
import os
import re
import select
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvloop

from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.template.frames import Limits
from cuewire.template.pool import RenderPool

ENDLESS = "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}"
SLACK_S = 5.0


@pytest.fixture
async def pool() -> AsyncIterator[RenderPool]:
    pool = RenderPool()
    await render(pool)
    yield pool
    await pool.close()


async def render(pool: RenderPool) -> str:
    (text,) = await pool.render(("{{ a }}",), {"a": "here"}, key="")
    return text


def zygote_of(pool: RenderPool) -> int:
    assert pool.pid is not None
    return pool.pid


def workers_of(zygote: int) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{zygote}/task/{zygote}/children").read_text().split()]


def ended(pids: list[int]) -> bool:
    """Wait until all processes have ended, and tell whether they did in time."""
    return all(map(_ended, pids))


def _ended(pid: int) -> bool:
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], SLACK_S)[0])
    finally:
        os.close(process)


def environment_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


def limits_of(pid: int) -> dict[str, str]:
    """Return the soft limits of a process by name."""
    rows = [re.split(r"  +", line) for line in Path(f"/proc/{pid}/limits").read_text().splitlines()[1:]]
    return {row[0]: row[1] for row in rows}


async def ready(worker: int) -> None:
    """Wait until a worker has given up all that it will; one may have been forked a moment ago."""
    while limits_of(worker)["Max processes"] != "0":  # noqa: ASYNC110  # what is waited for happens in another process
        await asyncio.sleep(0.001)


async def test_nothing_is_started_before_it_is_needed() -> None:
    assert RenderPool().pid is None


async def test_killed_idle_workers_are_replaced(pool: RenderPool) -> None:
    workers = workers_of(zygote_of(pool))
    assert len(workers) >= 2

    for pid in workers:
        os.kill(pid, signal.SIGKILL)

    assert await asyncio.to_thread(ended, workers)
    assert [await render(pool) for _ in range(5)] == ["here"] * 5
    assert pool.pid is not None


async def test_a_killed_worker_fails_its_own_render_only(pool: RenderPool) -> None:
    doomed = asyncio.create_task(pool.render((ENDLESS,), {}, key=""))
    await asyncio.sleep(0)
    assert await render(pool) == "here"
    workers = workers_of(zygote_of(pool))

    for pid in workers:
        os.kill(pid, signal.SIGKILL)

    with pytest.raises(TemplateLimitExceeded):
        await doomed
    assert await asyncio.to_thread(ended, workers)
    assert await render(pool) == "here"


async def test_a_killed_zygote_fails_what_is_in_flight_and_is_replaced(pool: RenderPool) -> None:
    zygote = zygote_of(pool)
    workers = workers_of(zygote)
    doomed = asyncio.create_task(pool.render((ENDLESS,), {}, key=""))
    await asyncio.sleep(0)

    os.kill(zygote, signal.SIGKILL)

    with pytest.raises(TemplateLimitExceeded):
        await doomed
    assert await render(pool) == "here"
    assert pool.pid != zygote
    assert await asyncio.to_thread(ended, [zygote, *workers])


async def test_an_end_that_the_pipe_of_jobs_sees_first_fails_what_is_in_flight(pool: RenderPool) -> None:
    doomed = asyncio.create_task(pool.render((ENDLESS,), {}, key=""))
    await asyncio.sleep(0)
    assert pool._zygote is not None
    assert pool._zygote._writer is not None

    pool._zygote._writer.abort()  # as when it breaks: the zygote ends, and then the pipe of replies

    with pytest.raises(TemplateLimitExceeded):
        async with asyncio.timeout(SLACK_S):
            await doomed
    assert await render(pool) == "here"


async def test_a_stopped_zygote_is_given_up_and_replaced() -> None:
    pool = RenderPool(limits=Limits(render_s=0.05, compile_s=0.05))
    await render(pool)
    zygote = zygote_of(pool)

    os.kill(zygote, signal.SIGSTOP)

    with pytest.raises(TemplateLimitExceeded):
        await render(pool)
    assert await render(pool) == "here"
    assert pool.pid != zygote
    await pool.close()


async def test_closing_ends_all_processes(pool: RenderPool) -> None:
    zygote = zygote_of(pool)
    workers = workers_of(zygote)

    await pool.close()

    assert await asyncio.to_thread(ended, [zygote, *workers])
    assert pool.pid is None


async def test_renders_in_flight_fail_when_the_pool_closes(pool: RenderPool) -> None:
    doomed = asyncio.create_task(pool.render((ENDLESS,), {}, key=""))
    await asyncio.sleep(0)

    await pool.close()

    with pytest.raises(TemplateError):
        await doomed


async def test_a_worker_has_no_environment_and_can_open_nothing(pool: RenderPool) -> None:
    zygote = zygote_of(pool)
    workers = workers_of(zygote)

    assert {environment_of(pid) for pid in (zygote, *workers)} == {b""}
    for pid in workers:
        await ready(pid)
        assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"]
        limits = limits_of(pid)
        assert [limits[name] for name in ("Max open files", "Max file size", "Max processes")] == ["0", "0", "0"]
        assert int(limits["Max address space"]) < 600 * 1_048_576


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_the_pool_works_on_a_loop_in_another_thread(loop: type[asyncio.AbstractEventLoop]) -> None:
    texts: list[str] = []

    async def use() -> None:
        pool = RenderPool()
        texts.append(await render(pool))
        with pytest.raises(TemplateLimitExceeded):
            await pool.render((ENDLESS,), {}, key="")
        texts.append(await render(pool))
        await pool.close()

    def run() -> None:
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(use())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(timeout=SLACK_S)

    assert texts == ["here", "here"]


SCRIPT = """
import asyncio, sys
from cuewire.template.pool import RenderPool
async def main():
    pool = RenderPool()
    print(*await pool.render(("{{ a }}",), {"a": "here"}, key=""), pool.pid, flush=True)
    if "wait" in sys.argv:
        await asyncio.Event().wait()
asyncio.run(main())
"""


def test_an_unguarded_script_may_render_and_leaves_nothing_behind(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    done = subprocess.run([sys.executable, "-W", "ignore", str(script)], capture_output=True, text=True, timeout=30)

    text, zygote = done.stdout.split()
    assert (text, done.returncode) == ("here", 0)
    assert ended([int(zygote)])


def test_all_processes_end_with_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    with subprocess.Popen([sys.executable, str(script), "wait"], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        zygote = int(parent.stdout.readline().split()[1])
        workers = workers_of(zygote)
        parent.kill()

    assert len(workers) >= 1
    assert ended([zygote, *workers])


async def test_a_pool_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")

    with pytest.raises(TemplateError, match="does not start"):
        await render(RenderPool())


async def test_a_zygote_that_dies_at_once_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/true")

    with pytest.raises(TemplateError, match="does not start"):
        await render(RenderPool())
