"""From an error to what is stored of it, and back to the same error when the failure is asked for again."""

from __future__ import annotations

import asyncio

from cuewire.model.errors import CuewireError, OutputError, ProviderError, ProviderTimeout, TemplateError, kinds_of
from cuewire.model.executions import ExecutionDetail, Failure, Status
from cuewire.model.text import cleaned


def failure_of(error: BaseException) -> tuple[Status, Failure]:
    """Return how an execution ends with this error, and what is stored of it: never more than its kind if unknown."""
    if isinstance(error, asyncio.CancelledError):
        return "cancelled", Failure(code="cancelled", message="the caller cancelled the execution")
    if not isinstance(error, CuewireError):
        return "failed", Failure(code="internal_error", message=f"{type(error).__name__} inside Cuewire")
    line, column = (error.line, error.column) if isinstance(error, TemplateError) else (0, 0)
    return "timed_out" if isinstance(error, ProviderTimeout) else "failed", Failure(
        code=error.code,
        message=cleaned(str(error.message))[0],
        hint=cleaned(error.hint)[0],
        field=cleaned(error.field)[0],
        detail=cleaned(error.snippet)[0] if isinstance(error, ProviderError) else "",
        line=line,
        column=column,
    )


def stored_error(execution: ExecutionDetail) -> CuewireError:
    """Return the error with which an execution ended that did not succeed."""
    failure = execution.failure or Failure(
        code=execution.status, message=f"execution {execution.id} was {execution.status}"
    )
    error = _KINDS.get(failure.code, CuewireError)(failure.message, hint=failure.hint)
    error.field = failure.field
    error.execution_id = execution.id
    if isinstance(error, TemplateError):
        error.line, error.column = failure.line, failure.column
    elif isinstance(error, OutputError):
        error.text = execution.text or ""
    return error


_KINDS = {kind.code: kind for kind in kinds_of(CuewireError)}
