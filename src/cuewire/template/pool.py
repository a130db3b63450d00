"""Rendering outside of this process: the server's end of the zygote.

Started at the first need. At most `workers` renders run at a time, the others wait in line. A worker that exceeds its
limits is ended by the kernel, and only its own render fails. If the zygote itself ends, all renders in flight fail,
and the next one starts another.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import ModuleType

import jinja2
import markupsafe
import msgspec

from cuewire.model.analyses import Marked, Report, problem
from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.model.includes import NOTHING, Includes, Mention
from cuewire.model.prompts import Inputs, Variable
from cuewire.ports import WhenMissing
from cuewire.template.absent import Missing
from cuewire.template.frames import (
    HEADER,
    MAX_REPLY_BYTES,
    READY,
    Analyse,
    Analysed,
    Failed,
    Found,
    Inspect,
    Inspected,
    Job,
    Limits,
    Render,
    Rendered,
    Reply,
    Search,
    decode_reply,
    encode,
    error_of,
    framed,
    packed,
)
from cuewire.template.parse import check_size, for_each
from cuewire.template.plain import plain

_START_S = 30.0
_SLACK_S = 2.0
_BOOT = """
import sys
roots, limits = sys.argv[1].split("\\n"), sys.argv[2:]
sys.path[:0] = roots
from cuewire.template.zygote import main
main(limits)
"""


class RenderPool:
    """Implements `ports.Renderer` in killable processes.

    Belongs to the event loop that first uses it, and is safe for concurrent use there.
    """

    def __init__(self, *, workers: int = 2, queue_s: float = 5.0, limits: Limits | None = None) -> None:
        """`queue_s` is how long a render waits in line before it fails."""
        self._limits = limits or Limits()
        self._queue_s = queue_s
        self._slots = asyncio.Semaphore(workers)
        self._starting = asyncio.Lock()
        self._zygote: _Zygote | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the zygote, None if there is none."""
        return self._zygote.pid if self._zygote is not None and self._zygote.is_alive else None

    async def render(
        self,
        templates: tuple[str, ...],
        inputs: Inputs,
        *,
        key: str,
        at: datetime | None = None,
        includes: Includes = NOTHING,
        missing: WhenMissing = "raise",
    ) -> tuple[str, ...]:
        """Render the templates of one version; the workers know templates by their text and need no key.

        Raises TemplateError within a quarter of a second of its turn, once the pool is warm.
        """
        return (await self._render(templates, inputs, at=at, includes=includes, missing=missing)).texts

    async def preview(
        self, templates: tuple[str, ...], inputs: Inputs, *, at: datetime | None = None, includes: Includes = NOTHING
    ) -> Marked:
        """Render the templates with marks for what is missing."""
        reply = await self._render(templates, inputs, at=at, includes=includes, missing="mark")
        return Marked(texts=reply.texts, names=reply.marks)

    async def references(self, templates: tuple[str, ...]) -> Sequence[Mention]:
        """Parse the templates and return where they take in other prompts."""
        reply = await self._ask(Search(templates=templates))
        if isinstance(reply, Found):
            return reply.mentions
        raise _unexpected()

    async def variables(self, templates: tuple[str, ...], *, includes: Includes = NOTHING) -> Mapping[str, Variable]:
        """Compile the templates and return their inputs."""
        reply = await self._ask(Inspect(templates=templates, includes=packed(includes)))
        if isinstance(reply, Inspected):
            return reply.variables
        raise _unexpected()

    async def analyse(self, template: str, *, includes: Includes | None = NOTHING) -> Report:
        """Return all that is known of a template. Raises TemplateLimitExceeded if the workers are busy."""
        try:
            check_size(template)
        except TemplateError as error:
            return Report(problems=(problem(error),))
        taken_in = None if includes is None else packed(includes)
        reply = await self._reply(Analyse(templates=(template,), includes=taken_in))
        if isinstance(reply, Analysed):
            return reply.report
        if isinstance(reply, Failed):
            return Report(problems=(problem(error_of(reply)),))
        raise _unexpected()

    async def close(self) -> None:
        """End the processes; renders in flight fail."""
        if self._zygote is not None:
            self._zygote.end()
            self._zygote = None

    async def _render(
        self, templates: tuple[str, ...], inputs: Inputs, *, at: datetime | None, includes: Includes, missing: Missing
    ) -> Rendered:
        job = Render(templates=templates, inputs=dict(plain(inputs)), at=at, includes=packed(includes), missing=missing)
        reply = await self._ask(job)
        if isinstance(reply, Rendered):
            return reply
        raise _unexpected()

    async def _ask(self, job: Job) -> Reply:
        reply = await self._reply(job)
        if isinstance(reply, Failed):
            raise _placed(error_of(reply), job)
        return reply

    async def _reply(self, job: Job) -> Reply:
        for_each(check_size, job.templates)  # before any copy is made of it
        try:
            body = encode(job)
        except UnicodeEncodeError:
            raise TemplateError("the text or an input holds a lone surrogate", hint="remove the escape") from None
        try:
            async with asyncio.timeout(self._queue_s):
                await self._slots.acquire()
        except TimeoutError:
            raise TemplateLimitExceeded(
                "all render workers are busy", hint="try again, or give the pool more workers"
            ) from None
        try:
            zygote = await self._started()
            future = zygote.send(body)
        except BaseException:
            self._slots.release()
            raise
        # The slot stays taken until the worker is free, also if the caller is cancelled.
        future.add_done_callback(lambda _: self._slots.release())
        overdue = self._limits.compile_s + self._limits.render_s + _SLACK_S
        timer = asyncio.get_running_loop().call_later(overdue, zygote.end)
        future.add_done_callback(lambda _: timer.cancel())
        return await asyncio.shield(future)

    async def _started(self) -> _Zygote:
        async with self._starting:
            if self._zygote is None or not self._zygote.is_alive:
                self._zygote = await _start(self._limits)
            return self._zygote


class _Zygote(asyncio.Protocol):
    """One zygote process: jobs out, replies in, matched by id."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._next = READY
        self._received = bytearray()
        self._reader: asyncio.ReadTransport | None = None
        self._writer: asyncio.WriteTransport | None = None
        self.ready: asyncio.Future[Reply] = self._expect()
        self.is_alive = True

    @property
    def pid(self) -> int:
        return self._process.pid

    async def connect(self) -> None:
        """Attach to the pipes, and wait until the process is ready."""
        loop = asyncio.get_running_loop()
        self._reader, _ = await loop.connect_read_pipe(lambda: self, self._process.stdout)
        self._writer, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, self._process.stdin)
        async with asyncio.timeout(_START_S):
            await asyncio.shield(self.ready)

    def send(self, body: bytes) -> asyncio.Future[Reply]:
        """Send a job and return its reply to come, which is a failure if the process ends first."""
        job, future = self._next, self._expect()
        assert self._writer is not None, "connected before it is used"
        self._writer.write(framed(job, body))
        return future

    def _expect(self) -> asyncio.Future[Reply]:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[self._next] = future
        self._next = self._next % 0x7FFF_FFFF + 1
        return future

    def data_received(self, data: bytes) -> None:
        """Collect bytes into frames and hand each to who waits for it."""
        received = self._received
        received += data
        while len(received) >= HEADER.size:
            length, job = HEADER.unpack_from(received)
            end = HEADER.size + length
            if length > MAX_REPLY_BYTES:
                self.end()
                return
            if len(received) < end:
                return
            body = bytes(received[HEADER.size : end])
            del received[:end]
            self._hand_over(job, body)

    def _hand_over(self, job: int, body: bytes) -> None:
        future = self._waiting.pop(job, None)
        if future is None:
            return
        try:
            future.set_result(decode_reply(body) if job != READY else Rendered(texts=()))
        except msgspec.DecodeError:
            future.set_result(_GONE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Notice that the process has ended."""
        self.end()

    def end(self) -> None:
        """End the process and its workers, and fail what waits. Safe to call again."""
        if not self.is_alive:
            return
        self.is_alive = False
        self._process.kill()
        self._process.wait()  # takes no time after a kill
        for future in self._waiting.values():  # before anything that could fail
            future.set_result(_GONE)
        self._waiting.clear()
        if self._reader is not None:
            self._reader.close()
        else:
            assert self._process.stdin is not None, "it is a pipe"
            self._process.stdin.close()  # which no transport owns yet
        if self._writer is not None and not self._writer.is_closing():  # it may have seen the end first
            self._writer.abort()


_GONE = Failed(
    code=TemplateLimitExceeded.code,
    message="the render process ended",
    hint="try again; if it stays, simplify the template",
)


async def _start(limits: Limits) -> _Zygote:
    try:
        process = _spawn(limits)
    except (OSError, ValueError) as error:
        raise TemplateError("the render process does not start", hint="can Python start processes here?") from error
    zygote = _Zygote(process)
    try:
        await zygote.connect()
    except BaseException as error:
        zygote.end()
        if isinstance(error, TimeoutError):
            raise TemplateError("the render process does not start", hint="is the machine overloaded?") from None
        raise
    if not zygote.is_alive:
        raise TemplateError("the render process does not start", hint="can Python start processes here?")
    return zygote


def _spawn(limits: Limits) -> subprocess.Popen[bytes]:
    """Start the zygote with no environment, no site packages of its own, and its own session."""
    here = str(Path(__file__).resolve().parents[2])
    roots = dict.fromkeys([here, *map(_root, (jinja2, markupsafe, msgspec))])
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _BOOT, "\n".join(roots), *map(str, limits)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={},
        cwd="/",
        start_new_session=True,
    )


def _placed(error: TemplateError, job: Job) -> TemplateError:
    """Say where an error arose; not in the frame that raises it, which would hold the inputs for as long as itself."""
    # Which one ran when the kernel ended it, nobody can say unless there is only one.
    error.field = error.field or ("/templates/0" if len(job.templates) == 1 else "/templates")
    return error


def _root(module: ModuleType) -> str:
    """Return the folder that a package was imported from."""
    return str(Path(module.__path__[0]).resolve().parent)


def _unexpected() -> TemplateError:
    return TemplateError("the render process gave no reply", hint="try again")
