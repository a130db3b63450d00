"""`get_template`: the prompts of programs that render and call models themselves, from wherever they can be had.

From the database; what that does not have, or does not give, from the environment; and else from files.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cuewire.compat.failures import Failures, problem_of, reason_of
from cuewire.compat.log_lines import say
from cuewire.compat.process_app import RETRY_S, ProcessApp
from cuewire.compat.template_sources import (
    LoadedTemplate,
    from_environment,
    from_folder,
    from_seeds,
    from_version,
)
from cuewire.config import load, with_program_database
from cuewire.model.errors import InvalidInput, PromptNotFound
from cuewire.model.references import parse_reference

if TYPE_CHECKING:
    from cuewire.model.prompts import PromptVersion
    from cuewire.ports import Clock, Renderer
    from cuewire.wiring import PromptDesk

logger = logging.getLogger("cuewire.templates")

FRESH_S = 0.5
"""How long a template is returned without asking the database again."""
DEFAULT_KEY = "nlu_extraction_gemini_25"
"""What programs of the seed mean when they name none."""
_FALLBACKS = {"environment": from_environment, "folder": from_folder, "seeds": from_seeds}
_MAX_KNOWN = 10_000


def get_template(template_key: str = DEFAULT_KEY) -> dict[str, Any] | None:
    """Return the template: in the database the prompt's production version, if it is active; else what stands in.

    The dict has `template`, `name`, `description`, `model_name`, `temperature`, `top_p`, `top_k` and
    `max_output_tokens`, which are None where nobody chose, `model_config` with all parameters, the number of the
    `version`, the `source` (`database`, `environment` or `file`), and the `format` of the text: `jinja2` or `fstring`.

    Raises nothing: what no source has is None, after five seconds at the latest, and `failed_loads` counts why. Blocks
    its thread meanwhile, and may be called from any. What other processes publish is seen within a second.

    Side effects: one line of JSON to the logger `cuewire.templates`, at INFO with the source, and one at WARNING for
    each source that fails; the database is opened at the first call.
    """
    found = _load(template_key)
    return None if found is None else found.shown()


def get_model_config(template_key: str = DEFAULT_KEY) -> dict[str, Any] | None:
    """Return `model_config` of the template alone; otherwise as `get_template`."""
    found = _load(template_key)
    return None if found is None else found.model_config


def render_template(template_key: str, variables: Mapping[str, Any]) -> str | None:
    """Return the text with the variables in their places, None if there is no such template.

    Variables that it does not read are left out. Those of a text of `str.format` may be anything that `str` takes.

    Raises InvalidInput that names all that are missing or wrong, TemplateError.
    """
    found = _load(template_key)
    if found is None:
        return None
    return _press.run(lambda press: press.render(found, variables), patience_s=None)


def failed_loads() -> Mapping[str, int]:
    """Return how often a source has failed in this process, or all had nothing: by reason.

    The reason is the code of an error of the database, `timeout`, `internal_error`, `environment_unusable`,
    `folder_unusable` or `no_template`.
    """
    return _failures.counts()


def close_templates() -> None:
    """Close the database, and what renders; the next call opens what the environment says by then."""
    _press.close()
    _app.close()


def _load(key: object) -> LoadedTemplate | None:
    if not isinstance(key, str):
        _miss(key, "invalid_input", "the key of a template is a text")
        return None
    found = _find(key)
    if found is None:
        _miss(key, "no_template", "no source has a template of this name")
        return None
    told = {"template_key": key, "version": found.version}
    say(logger, logging.INFO, told, event="template.loaded", source=found.source)
    return found


def _miss(key: object, reason: str, problem: str) -> None:
    _failures.add(reason)
    told = {"problem": problem, "template_key": key}
    say(logger, logging.WARNING, told, event="template.missing", reason=reason)


def _find(key: str) -> LoadedTemplate | None:
    try:
        return _app.run(lambda shelf: shelf.get(key))
    except Exception as error:  # noqa: BLE001  # which is what the other sources are for
        if not isinstance(error, PromptNotFound | InvalidInput):  # those no database could have
            _tell(key, "database", reason_of(error), error)
    for source, look_up in _FALLBACKS.items():
        try:
            if found := look_up(key):
                return found
        except Exception as error:  # noqa: BLE001
            _tell(key, source, f"{source}_unusable", error)
    return None


def _tell(key: str, source: str, reason: str, error: Exception) -> None:
    _failures.add(reason)
    told = {"problem": problem_of(error), "template_key": key}
    say(logger, logging.WARNING, told, event="template.unread", source=source, reason=reason)


class _Shelf:
    """What the server or the database has, over one connection. Belongs to its event loop."""

    def __init__(self, desk: PromptDesk) -> None:
        self._desk = desk
        self._known: dict[str, tuple[float, LoadedTemplate]] = {}
        self._quiet_until = 0.0

    async def get(self, key: str) -> LoadedTemplate:
        """Return what was read a moment ago, else read it. Raises NotFound, InvalidInput, StoreError, ConfigError.

        Who waited in vain has the others not wait for some seconds: they get TimeoutError at once.
        """
        parse_reference(key)
        now = self._now()
        if (known := self._known.get(key)) and now - known[0] < FRESH_S:
            return known[1]
        if now < self._quiet_until:
            raise TimeoutError
        try:
            prompts = await self._desk.prompts()
            version = await prompts.get(key)
            prompt = await prompts.find(str(version.prompt_id))
        except asyncio.CancelledError:  # the caller's patience has ended
            self._quiet_until = self._now() + RETRY_S
            raise
        if len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        found = from_version(version, description=prompt.description)
        self._known[key] = now, found
        return found

    async def close(self) -> None:
        """Close the connection."""
        await self._desk.close()

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


class _Press:
    """What renders templates, wherever they were found. Belongs to its event loop."""

    def __init__(self, renderer: Renderer, clock: Clock) -> None:
        self._renderer = renderer
        self._clock = clock

    async def render(self, found: LoadedTemplate, variables: Mapping[str, Any]) -> str:
        """Return the only text of the template, rendered. Raises InvalidInput, TemplateError."""
        from cuewire.compat.template_texts import as_inputs, as_version  # the first need of a template language
        from cuewire.engine.messages import render_messages
        from cuewire.registry.inputs import check_inputs

        now = self._clock.now()
        version: PromptVersion = await as_version(found, self._renderer, now=now)
        inputs = check_inputs(version, as_inputs(variables, version.variables, form=found.form))
        (message,) = await render_messages(version, inputs, self._renderer, at=now)
        return str(message.content)

    async def close(self) -> None:
        """Release the processes that render."""
        await self._renderer.close()


async def _open() -> _Shelf:
    from cuewire.wiring import connect_prompts  # the first call is when the adapters are needed

    return _Shelf(connect_prompts(with_program_database(load())))


async def _open_press() -> _Press:
    from cuewire.wiring import open_renderer

    return _Press(*open_renderer())


_failures = Failures()
_app = ProcessApp(_open)
_press = ProcessApp(_open_press)
