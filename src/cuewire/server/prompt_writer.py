"""A model that writes prompts: the prompt that asks for them, which a database may hold in a version of its own."""

from __future__ import annotations

from typing import Any

import msgspec

from cuewire.engine.app import LocalApp
from cuewire.model.actors import Actor
from cuewire.model.errors import InvalidInput, NotFound, OutputError, TemplateError
from cuewire.model.orders import RunOptions
from cuewire.model.prompts import Message
from cuewire.model.results import Result
from cuewire.server.clients import OnOpen
from cuewire.wire.dispatch import GeneratedPrompt, GeneratePrompt
from cuewire.wire.versions import VariablesShape

NAME = "generate-prompt"
"""The prompt under which prompts are written. Whoever publishes it before its first use, or anew, has their own."""
_SYSTEM = """\
You write prompts for language models. The prompt is a Jinja2 template: what changes from run to run is a variable in
double braces, as in {% raw %}{{ text }}{% endraw %}; no other expression is needed. Say what the model is to do, with
what, for whom, and in which form it is to answer. Do not answer the prompt yourself."""
_USER = """\
Write a prompt for this purpose: {{ purpose }}
{% for name, value in wishes.items() if value %}
{{ name }}: {{ value }}
{% endfor %}
{% if variables %}
Use exactly these variables: {{ variables | join(', ') }}
{% endif %}
{% if uses_context %}
Passages from documents will stand in the variable `context`: have the model answer from them, and say which it used.
{% endif %}"""
_TEXT = {"type": "string"}
_ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {"title": _TEXT, "description": _TEXT, "prompt": {"type": "string", "minLength": 1}},
    "required": ["title", "description", "prompt"],
    "additionalProperties": False,
}


class PromptWriter:
    """Has prompts written, over an App of this process."""

    def __init__(self, app: LocalApp) -> None:
        self._app = app

    async def run(self, asked: GeneratePrompt, *, idempotency_key: str | None, on_open: OnOpen, by: Actor) -> Result:
        """Have a model write, for who asks. Costs money at the provider. Raises as `App.run`."""
        wishes = {
            "Industry": asked.industry,
            "Use": asked.use_case,
            "Readers": asked.audience,
            "Form of the answer": asked.format,
            "Tone": asked.tone,
            "Length": asked.length,
        }
        inputs: dict[str, Any] = {
            "purpose": asked.purpose,
            "wishes": wishes,
            "variables": asked.variables,
            "uses_context": asked.uses_context,
        }
        options: RunOptions = {"model": asked.model, "idempotency_key": idempotency_key}
        await self._app.prompts.provide(NAME, [Message("system", _SYSTEM), Message("user", _USER)], output=_ANSWER)
        return await self._app.run(NAME, inputs, on_open=on_open, by=by, **options)

    async def read(self, result: Result, *, for_: Actor) -> GeneratedPrompt:
        """Return what was written. Raises OutputError if it is no template that could be published.

        What it includes must be there for who asked.
        """
        seen = self._app.prompts.by(Actor(name=for_.name, role="viewer", prompts=for_.prompts))
        try:
            written = msgspec.convert(result.value, dict[str, str])
            variables = await seen.variables(written["prompt"])
        except (InvalidInput, TemplateError, NotFound, msgspec.ValidationError, KeyError) as error:
            unusable = OutputError(
                "the model wrote a prompt that cannot be used", hint="ask again, or ask another model", text=result.text
            )
            unusable.execution_id = result.id
            raise unusable from error
        return GeneratedPrompt(
            execution_id=result.id,
            content=written["prompt"],
            title=written.get("title", ""),
            description=written.get("description", ""),
            variables=VariablesShape.of(variables).variables,
            model=result.model,
            cost_usd=result.cost_usd,
        )
