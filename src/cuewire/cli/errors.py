"""From errors to exit codes and to two lines on stderr: what happened, and what to do. The only place that does so."""

from __future__ import annotations

import asyncio
import json
import sys
import traceback

import typer

from cuewire.cli.session import Session
from cuewire.cli.text import printable
from cuewire.model.errors import (
    BudgetExceeded,
    ConfigError,
    Conflict,
    CuewireError,
    InvalidInput,
    NotFound,
    OutputError,
    ProviderError,
    ServerError,
    StoreError,
    TemplateError,
)

OK, FAILED, USAGE, BROKEN, INTERRUPTED, READER_GONE = 0, 1, 2, 70, 130, 141
_BY_CLASS: tuple[tuple[type[CuewireError], int, str], ...] = (
    (NotFound, 3, "see what there is: cuewire prompts list, cuewire executions list, cuewire models list"),
    (InvalidInput, 4, "see how it is written: cuewire run --help, cuewire prompts publish --help"),
    (TemplateError, 4, "mend the template and publish it again"),
    (Conflict, 5, "see what is stored: cuewire prompts show NAME, cuewire executions show ID"),
    (StoreError, 6, "see what is wrong: cuewire doctor"),
    (ConfigError, 7, "see what is set, and where: cuewire config show"),
    (ServerError, 8, "see that the address and the key are right, and that the server runs"),
    (ProviderError, FAILED, "see whether the provider answers: cuewire providers check"),
    (BudgetExceeded, FAILED, "see what may be spent: cuewire config show"),
    (OutputError, FAILED, "see what the model was sent: cuewire executions show ID"),
)
EXIT_CODES: dict[int, str] = {
    OK: "it worked",
    FAILED: "the model call failed, the money is spent, the answer was of the wrong kind, or a check found a fault",
    USAGE: "the command was not written as it should be",
    3: "the prompt, label, version, model or execution does not exist",
    4: "an input, an argument or a template cannot be used",
    5: "it contradicts what is stored (an idempotency key, an archived prompt)",
    6: "the database cannot do it (busy, full, damaged, of another version)",
    7: "a setting is missing or wrong, or an optional part is not installed",
    8: "the server does not answer, or refuses the key",
    BROKEN: "a fault in cuewire itself",
    INTERRUPTED: "interrupted with Ctrl-C; what was running was cancelled and recorded",
    READER_GONE: "the reader of the output went away",
}


def explain(error: BaseException, session: Session) -> int:
    """Say on stderr what happened and what to do; return the exit code."""
    if session.shows_traceback:
        traceback.print_exception(error)
    if isinstance(error, KeyboardInterrupt | asyncio.CancelledError | typer.Abort):
        _say(session, "interrupted", "interrupted", "what was running is recorded: cuewire executions list")
        return INTERRUPTED
    if isinstance(error, CuewireError):
        return _explain_own(error, session)
    if isinstance(error, typer.TyperException):
        if _usage_message(error).startswith("Usage:"):  # a group without a command: the message is its help
            print(_usage_message(error), file=sys.stderr)
            return USAGE
        # A usage error of the parser; its message may have several lines, the choices that it lists one a line.
        what = " ".join(_usage_message(error).split()).rstrip(".")
        _say(session, "usage", what[:1].lower() + what[1:], f"see how it is written: {_usage_path(error)} --help")
        return USAGE
    if isinstance(error, OSError):
        what = f"{error.strerror or error}: {error.filename!r}" if error.filename else str(error)
        _say(session, "os_error", what[:1].lower() + what[1:], "mend that, then try again")
        return 4
    what = f"unexpected {type(error).__name__}: {str(error)[:300]}"
    _say(session, "internal", what, "this is a fault in cuewire: run it again with --traceback and report that")
    return BROKEN


def _explain_own(error: CuewireError, session: Session) -> int:
    code, advice = next(
        ((code, advice) for kind, code, advice in _BY_CLASS if isinstance(error, kind)), (BROKEN, "see: cuewire doctor")
    )
    what = CuewireError.__str__(error).removesuffix(f"; {error.hint}") if error.hint else str(error)
    place = str(error)[len(CuewireError.__str__(error)) :] if error.hint else ""
    _say(session, error.code, what + place, error.hint or advice, field=error.field, execution_id=error.execution_id)
    return code


def _say(
    session: Session, code: str, what: str, advice: str, *, field: str = "", execution_id: str | None = None
) -> None:
    if session.is_json:
        body = {"code": code, "message": what, "hint": advice, "field": field, "execution_id": execution_id}
        print(json.dumps({"error": body}, ensure_ascii=False), file=sys.stderr)
        return
    if execution_id:
        advice = advice.replace("executions show ID", f"executions show {execution_id}")
        if execution_id not in advice:
            advice += f"; its record: cuewire executions show {execution_id}"
    label = typer.style("error:", fg="red", bold=True) if session.colors_stderr else "error:"
    print(f"{label} {_one_line(what)}\n       {_one_line(advice)}", file=sys.stderr)


def _one_line(text: str) -> str:
    return " ".join(printable(text).split())


def _usage_message(error: typer.TyperException) -> str:
    format_message = getattr(error, "format_message", None)
    return str(format_message()) if format_message else str(error)


def _usage_path(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    return str(context.command_path) if context else "cuewire"
