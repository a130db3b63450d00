"""`log_prompt_execution`: a program that calls models itself tells Cuewire of each call, and is never held up by it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cuewire.compat.failures import Failures, problem_of, reason_of
from cuewire.compat.log_lines import say
from cuewire.compat.process_app import ProcessApp
from cuewire.compat.template_loading import (
    close_templates,
    failed_loads,
    get_model_config,
    get_template,
    render_template,
)
from cuewire.config import load, with_program_database
from cuewire.model.entries import parse_entry
from cuewire.model.errors import ConfigError

if TYPE_CHECKING:
    from cuewire.engine.app import LocalApp

__all__ = [
    "close_database",
    "failed_loads",
    "get_model_config",
    "get_template",
    "log_prompt_execution",
    "lost_records",
    "render_template",
]

logger = logging.getLogger("cuewire.executions")


def log_prompt_execution(
    template_key: str,
    success: bool,
    response_time_ms: float,
    input_token_count: int | None = None,
    output_token_count: int | None = None,
    cost_usd: float | None = None,
    error_message: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> str | None:
    """Record an execution that ran in this program, under the production version of the prompt `template_key`.

    Returns the execution's id when the record is durable. Raises nothing: on any failure it returns None, after five
    seconds at the latest, and `lost_records` counts why. Blocks its thread meanwhile, and may be called from any, also
    inside a running event loop.

    Side effects: a row in the database of Cuewire's settings, or of DATABASE_URL where they name neither a database nor
    a server, which is opened at the first call; and in any case one line of JSON to the logger `cuewire.executions`, at
    INFO when the row is stored, at WARNING when it is not. Of `error_message` the first 1,000 characters are shown with
    the record and 65,536 kept; what looks like a key is blotted out of it.
    """
    told: dict[str, object] = {
        "template_key": template_key,
        "success": success,
        "response_time_ms": response_time_ms,
        "input_token_count": input_token_count,
        "output_token_count": output_token_count,
        "cost_usd": cost_usd,
        "error_message": error_message,
        "metadata": metadata,
    }
    try:
        entry = parse_entry(
            template_key,
            succeeded=success,
            duration_ms=response_time_ms,
            input_tokens=input_token_count,
            output_tokens=output_token_count,
            cost_usd=cost_usd,
            error=error_message,
            metadata=metadata,
        )
        execution_id = _app.run(lambda app: app.log(entry))
    except Exception as error:  # noqa: BLE001  # the program goes on, whatever becomes of its records
        reason = reason_of(error)
        _lost.add(reason)
        problem = {"problem": problem_of(error), **told}
        say(logger, logging.WARNING, problem, event="execution.lost", reason=reason)
        return None
    say(logger, logging.INFO, told, event="execution.logged", execution_id=execution_id)
    return execution_id


def lost_records() -> Mapping[str, int]:
    """Return how many records this process has lost, by reason: the code of an error of ours, `timeout` or another."""
    return _lost.counts()


def close_database() -> None:
    """Close the database, as the end of the program does; the next call opens what the environment says by then."""
    _app.close()
    close_templates()


async def _open() -> LocalApp:
    from cuewire.wiring import connect  # the first call is when the adapters are needed

    settings = with_program_database(load())
    if settings.server and "database_url" not in settings.origins:
        raise ConfigError(
            "executions are logged into a database, and the settings name a server",
            hint="set CUEWIRE_DATABASE_URL to the server's database",
            field="database_url",
        )
    return await connect(settings=settings)


_lost = Failures()
_app = ProcessApp(_open)
