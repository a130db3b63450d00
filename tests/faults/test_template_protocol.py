"""A render process that has fallen into other hands, or never answers, is refused, ended and replaced."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.model.prompts import Variable
from cuewire.template.frames import MAX_REPLY_BYTES, READY, Inspected, Rendered, encode, framed
from cuewire.template.pool import RenderPool
from tests.support.hurry import hurried

PYTHON = os.path.realpath(sys.executable)
FIRST_JOB = READY + 1
TEXTS, NAMES = encode(Rendered(texts=("here",))), encode(Inspected(variables={"a": Variable()}))
Interpreter = Callable[[str], None]


@pytest.fixture
def interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Interpreter:
    """Return what makes Python be a program of the test's."""

    def make(code: str) -> None:
        program = tmp_path / "python"
        program.write_text(f"#!{PYTHON} -IS\nimport os, sys\n{dedent(code)}")
        program.chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(program))

    return make


def saying(reply: bytes) -> str:
    """Return the program that is ready, replies to the first job with these bytes, and waits for its end."""
    return f"""
        os.write(1, {framed(READY, b"")!r})
        os.read(0, 65536)
        sys.stdout.buffer.write({reply!r})
        sys.stdout.flush()
        sys.stdin.buffer.read()
    """


async def render(pool: RenderPool) -> str:
    (text,) = await pool.render(("{{ a }}",), {"a": "here"}, key="")
    return text


async def test_what_comes_as_it_should_is_taken(interpreter: Interpreter) -> None:
    interpreter(saying(framed(FIRST_JOB, TEXTS)))
    pool = RenderPool()

    assert await render(pool) == "here"

    await pool.close()


async def test_a_reply_to_nobodys_job_is_dropped(interpreter: Interpreter) -> None:
    interpreter(saying(framed(77, NAMES) + framed(FIRST_JOB, TEXTS) + framed(FIRST_JOB, NAMES)))
    pool = RenderPool()

    assert await render(pool) == "here"

    assert pool.pid is not None
    await pool.close()


async def test_a_reply_of_another_kind_is_none(interpreter: Interpreter) -> None:
    interpreter(saying(framed(FIRST_JOB, NAMES)))
    pool = RenderPool()
    with pytest.raises(TemplateError, match="gave no reply"):
        await render(pool)
    await pool.close()

    interpreter(saying(framed(FIRST_JOB, TEXTS)))
    with pytest.raises(TemplateError, match="gave no reply"):
        await pool.variables(("{{ a }}",))
    await pool.close()


async def test_a_reply_that_cannot_be_read_fails_its_render(interpreter: Interpreter) -> None:
    interpreter(saying(framed(FIRST_JOB, b"\xc1 no MessagePack")))
    pool = RenderPool()

    with pytest.raises(TemplateLimitExceeded, match="the render process ended"):
        await render(pool)

    await pool.close()


async def test_a_reply_that_claims_to_be_too_long_ends_the_process(
    interpreter: Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context():
        interpreter(saying((MAX_REPLY_BYTES + 1).to_bytes(4, "big") + framed(FIRST_JOB, TEXTS)[4:]))
        pool = RenderPool()
        with pytest.raises(TemplateLimitExceeded, match="the render process ended"):
            await render(pool)
    assert pool.pid is None
    monkeypatch.undo()

    assert await render(pool) == "here"

    await pool.close()


def test_a_process_that_never_gets_ready_is_given_up(interpreter: Interpreter) -> None:
    interpreter("sys.stdin.buffer.read()")

    with pytest.raises(TemplateError, match="does not start; is the machine overloaded"):
        hurried(render(RenderPool()))


@pytest.mark.parametrize("turns", range(1, 8))
async def test_a_caller_that_leaves_while_it_starts_leaves_nothing_behind(interpreter: Interpreter, turns: int) -> None:
    interpreter("sys.stdin.buffer.read()")
    before = children()
    pool = RenderPool()
    starting = asyncio.create_task(render(pool))
    for _ in range(turns):
        await asyncio.sleep(0)
    assert len(children()) == len(before) + 1

    starting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await starting
    assert children() == before
    assert pool.pid is None


def children() -> list[str]:
    """Return the ids of the processes that this one has started and not reaped."""
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
