"""One process that renders templates that may be hostile: what it may use, and how it replies.

It has no environment, no files, no network and no right to open any; limited memory; and an alarm clock that the
kernel rings, which no template can stop: its default action ends the process, in the midst of a C call if need be.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from functools import lru_cache
from typing import NoReturn

from cuewire.model.errors import TemplateError, TemplateForbidden, TemplateLimitExceeded
from cuewire.template.absent import Missing, seen_marks
from cuewire.template.analysis import input_variables, report
from cuewire.template.compiled import CompiledTemplate, compile_all, render_all
from cuewire.template.frames import (
    LAST,
    Analyse,
    Analysed,
    Failed,
    Found,
    Inspect,
    Inspected,
    Limits,
    Rendered,
    Reply,
    Search,
    decode_job,
    encode,
    failed,
    framed,
    read_frame,
    unpacked,
    write_all,
)
from cuewire.template.linked import linked, mentions
from cuewire.template.parse import for_each, parse

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_CPU_SLACK_S = 2
_RENDERS = 1_000
"""After so many renders a fresh process takes over, so that nothing can pile up."""


def serve(limits: Limits) -> NoReturn:
    """Reply to jobs from standard input on standard output until it closes. Ends the process."""
    _restrict(limits)
    for renders in range(1, _RENDERS + 1):
        frame = read_frame(0)
        if frame is None:
            break
        job, body = frame
        reply, is_suspect = reply_of(body, limits)
        _alarm(0)
        is_last = is_suspect or renders == _RENDERS
        write_all(1, framed(job | LAST if is_last else job, encode(reply)))
        if is_last:
            break
    os._exit(0)


def reply_of(body: bytes, limits: Limits) -> tuple[Reply, bool]:
    """Return the reply to a job, and whether it was a hostile one, after which the process should end."""
    try:
        return _replied(body, limits), False
    except TemplateError as error:
        return failed(error), isinstance(error, TemplateLimitExceeded | TemplateForbidden)
    except MemoryError:
        return failed(TemplateLimitExceeded("the template needs too much memory", hint="loop over less")), True
    except Exception:  # noqa: BLE001  # a fault of ours must not tell the caller how we are built
        return Failed(code=TemplateError.code, message="the template cannot be rendered"), True


def _replied(body: bytes, limits: Limits) -> Reply:
    message = decode_job(body)
    _alarm(limits.compile_s)
    if isinstance(message, Search):
        return Found(mentions=mentions(for_each(parse, message.templates)))
    if isinstance(message, Inspect):
        version = linked(message.templates, unpacked(message.includes))
        compile_all(version)
        return Inspected(variables=input_variables(version))
    if isinstance(message, Analyse):
        includes = None if message.includes is None else unpacked(message.includes)
        return Analysed(report=report(message.templates[0], includes))
    compiled = _compiled(message.templates, message.includes, message.missing)
    _alarm(limits.render_s)
    with seen_marks() as marks:
        texts = render_all(compiled, message.inputs, at=message.at)
    return Rendered(texts=texts, marks=(*marks,))


@lru_cache(maxsize=32)
def _compiled(templates: tuple[str, ...], includes: bytes, missing: Missing) -> list[CompiledTemplate]:
    return compile_all(linked(templates, unpacked(includes)), missing=missing)


def _alarm(seconds: float) -> None:
    """End this process, by the kernel, unless called again in time; 0 turns it off."""
    if seconds:
        used = resource.getrusage(resource.RUSAGE_SELF)
        allowed = int(used.ru_utime + used.ru_stime + seconds) + _CPU_SLACK_S
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _restrict(limits: Limits) -> None:
    """Give up what rendering does not need. What an operating system does not know is left out."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None).prctl
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        with open("/proc/self/statm") as status:
            size = int(status.read().split()[0]) * resource.getpagesize()
        _limit("RLIMIT_AS", size + limits.memory_bytes)
    else:
        _limit("RLIMIT_DATA", 2 * limits.memory_bytes)
    # No more descriptors than the two that are open: no file, no socket, no pipe.
    for name in ("RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_NPROC", "RLIMIT_CORE"):
        _limit(name, 0)


def _limit(name: str, value: int) -> None:
    with suppress(AttributeError, OSError, ValueError):
        resource.setrlimit(getattr(resource, name), (value, value))
