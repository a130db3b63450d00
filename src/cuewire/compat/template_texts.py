"""Templates that a program loaded, made ready to render, and the variables that programs of the seed give."""

from __future__ import annotations

import logging
from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any

import msgspec

from cuewire.compat.log_lines import say
from cuewire.compat.template_sources import LoadedTemplate
from cuewire.model.errors import InvalidInput
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import Content, Message, PromptVersion
from cuewire.ports import Renderer
from cuewire.registry.drafts import make_draft

logger = logging.getLogger("cuewire.templates")


async def as_version(found: LoadedTemplate, renderer: Renderer, *, now: datetime) -> PromptVersion:
    """Return the version to render, which of a text from elsewhere is made up. Raises InvalidInput, TemplateError."""
    version = found.content
    if not isinstance(version, PromptVersion):
        file = version if isinstance(version, PromptFile) else PromptFile(prompt="", messages=_messages(found))
        content: Content = file.messages
        draft = await make_draft("template", content, renderer=renderer, variables=file.variables, lenient=file.lenient)
        known = msgspec.structs.asdict(draft) | {"prompt": found.name}
        version = PromptVersion(**known, id=0, prompt_id=0, number=found.version or 0, created_at=now)
    match version.messages:
        case (Message(content=str()),):
            return version
    raise InvalidInput(
        f"prompt {found.name!r} has several messages, and a text is asked for",
        hint="compile it with cuewire.compat.langfuse, or run it",
        field="/prompt",
    )


def as_inputs(given: Mapping[str, Any], read: Container[str], *, form: str) -> dict[str, Any]:
    """Return those variables that are read; for `str.format` as the texts that it would write."""
    inputs = {name: value for name, value in given.items() if name in read}
    if form == "jinja2":
        return inputs
    return {
        name: value if isinstance(value, str | Mapping | list | tuple) else str(value) for name, value in inputs.items()
    }


def _messages(found: LoadedTemplate) -> tuple[Message, ...]:
    if found.form == "jinja2":
        return (Message("user", found.text),)
    from cuewire.wiring import read_prompts  # YAML costs 15 ms

    bundle = read_prompts(f"{found.text}\n".encode(), format="fstring")  # a file's last line end is not of its text
    if bundle.losses:
        told = {"template_key": found.name, "losses": [f"{loss.what}: {loss.why}" for loss in bundle.losses]}
        say(logger, logging.WARNING, told, event="template.altered", source=found.source)
    return bundle.versions[0].file.messages  # type: ignore[return-value]  # of one text
