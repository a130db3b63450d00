"""The parent of the render workers: imports the template layer once, and forks a worker in about a millisecond.

Single-threaded, so that forking is safe whatever the server's process does. It passes frames on and looks into none;
it keeps no time, since the kernel ends a worker that takes too long. It ends when its standard input closes.
"""

from __future__ import annotations

import gc
import os
import selectors
import signal
import sys
from contextlib import suppress
from typing import NamedTuple, NoReturn

from cuewire.model.errors import TemplateError, TemplateLimitExceeded
from cuewire.template.compiled import CompiledTemplate
from cuewire.template.frames import LAST, MAX_REPLY_BYTES, READY, Limits, encode, failed, framed, read_frame, write_all
from cuewire.template.parse import parse
from cuewire.template.worker import serve
from cuewire.template.zones import zones

SPARES = 2
"""Workers that wait ready, so that nobody waits for a fork."""
_ENDS = {
    signal.SIGALRM: ("the template took too long", "loop over less"),
    signal.SIGXCPU: ("the template took too long", "loop over less"),
}
_MAX_DESCRIPTORS = 256
_CRASH = ("the template ended its render process", "make the template do less")


_WARM_UP = (
    r"{{ '\N{DIGIT ONE}' | wordwrap(3) | urlencode | tojson | striptags | title | wordcount }}",
    "{{ {'a': [1.5]} | yaml ~ '1.5' | round(1) ~ '2026-01-31' | date(tz='UTC') ~ '{}' | from_json | json(1) }}",
    "{{ '{:>3}'.format('a') ~ '%s' | format(1.5 | filesizeformat) ~ ([1] | sum) ~ {'a': 1} | xmlattr }}",
    "{{ missing }}",
    "{% wrong",
)
"""What Python and Jinja2 import only when first used must be imported before a worker gives up opening files."""


class Worker(NamedTuple):
    """A forked process, the pipe to it and the pipe from it."""

    pid: int
    jobs: int
    replies: int


def main(arguments: list[str]) -> None:
    """Serve until standard input closes; the arguments are the fields of Limits."""
    render_s, compile_s, memory_bytes = arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for template in _WARM_UP:
        with suppress(TemplateError):
            CompiledTemplate(parse(template)).render({})
    zones().read_all()
    gc.collect()
    gc.freeze()
    Zygote(Limits(float(render_s), float(compile_s), int(memory_bytes))).run()


class Zygote:
    """Passes each job to an idle worker and its reply back; replaces workers that ended."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._idle: list[Worker] = []
        self._busy: dict[Worker, int] = {}
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Serve until standard input closes."""
        self._selector.register(0, selectors.EVENT_READ)
        write_all(1, framed(READY, b""))
        while True:
            while len(self._idle) < SPARES:
                self._idle.append(self._fork())
            for key, _ in self._selector.select():
                if isinstance(key.data, Worker):
                    self._reply(key.data)
                elif not self._job():
                    return

    def _job(self) -> bool:
        """Pass on a job; False if there will be no more."""
        frame = read_frame(0)
        if frame is None:
            return False
        job, body = frame
        while True:
            worker = self._idle.pop() if self._idle else self._fork()
            try:
                write_all(worker.jobs, framed(job, body))
            except BrokenPipeError:
                continue  # it has just ended; its closing pipe will tell us so
            self._busy[worker] = job
            return True

    def _reply(self, worker: Worker) -> None:
        """Pass on a reply; if the worker has ended instead, reply in its place."""
        frame = read_frame(worker.replies, max_bytes=MAX_REPLY_BYTES)
        job = self._busy.pop(worker, None)
        if frame is not None and job is not None and frame[0] & ~LAST == job:
            if frame[0] & LAST:
                self._end(worker)
            else:
                self._idle.append(worker)
            write_all(1, framed(job, frame[1]))
            return
        ended_by = self._end(worker)
        if worker in self._idle:
            self._idle.remove(worker)
        if job is not None:
            message, hint = _ENDS.get(ended_by, _CRASH)  # type: ignore[call-overload]  # any number may be asked for
            write_all(1, framed(job, encode(failed(TemplateLimitExceeded(message, hint=hint)))))

    def _end(self, worker: Worker) -> int:
        """Make sure that a worker has ended, and return the signal that ended it, 0 for none."""
        self._selector.unregister(worker.replies)
        os.close(worker.jobs)
        os.close(worker.replies)
        os.kill(worker.pid, signal.SIGKILL)  # not reaped yet, so the id is still its own
        _, status = os.waitpid(worker.pid, 0)
        return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0

    def _fork(self) -> Worker:
        jobs_out, jobs_in = os.pipe()
        replies_out, replies_in = os.pipe()
        pid = os.fork()
        if not pid:
            _become_worker(jobs_out, replies_in, self._limits)
        os.close(jobs_out)
        os.close(replies_in)
        worker = Worker(pid, jobs_in, replies_out)
        self._selector.register(replies_out, selectors.EVENT_READ, worker)
        return worker


def _become_worker(jobs: int, replies: int, limits: Limits) -> NoReturn:
    """Keep two pipes and nothing else of what the zygote has open."""
    try:
        os.dup2(jobs, 0)
        os.dup2(replies, 1)
        os.closerange(3, _MAX_DESCRIPTORS)
        serve(limits)
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
