"""Where a template can come from beside the database, and what it is, wherever it comes from."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Literal, TypeAlias

import msgspec

from cuewire.config import load
from cuewire.model.errors import InvalidInput
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import Message, MessageTemplate, PromptVersion
from cuewire.model.references import is_name
from cuewire.model.values import Value

Source: TypeAlias = Literal["database", "environment", "file"]

_TEXTS = ("template", "template_text", "template_content")
_TOLD = frozenset({*_TEXTS, "name", "description", "version", "format", "model_config", "model_name", "model"})
_LIMITS = ("max_output_tokens", "max_completion_tokens", "max_tokens")


class LoadedTemplate(Value, frozen=True):
    """A template and what its author chose for the model. `content` is what there is to render.

    `form` is how the text names its variables: of Jinja2, or of `str.format` as the seed's texts do.
    """

    name: str
    text: str
    source: Source
    content: PromptVersion | PromptFile | str
    description: str = ""
    version: int | None = None
    form: Literal["jinja2", "fstring"] = "jinja2"
    model_name: str | None = None
    parameters: dict[str, Any] = {}

    @property
    def model_config(self) -> dict[str, Any]:
        """The model as its provider calls it, and the parameters; None where nobody chose."""
        parameters = deepcopy(self.parameters)
        limits = [parameters.pop(name) for name in _LIMITS if name in parameters]
        usual = dict.fromkeys(("temperature", "top_p", "top_k"))
        return {"model_name": self.model_name, "max_output_tokens": (limits or [None])[0], **usual, **parameters}

    def shown(self) -> dict[str, Any]:
        """Return it with the names of the seed, and ours for what that does not tell; the caller's to change."""
        config = self.model_config
        usual = ("model_name", "temperature", "top_p", "top_k", "max_output_tokens")
        return {
            "name": self.name,
            "description": self.description,
            "template": self.text,
            **{name: config[name] for name in usual},
            "model_config": config,
            "version": self.version,
            "source": self.source,
            "format": self.form,
        }


def from_version(version: PromptVersion, *, description: str) -> LoadedTemplate:
    """Return a version of the database as a template."""
    return LoadedTemplate(
        name=version.prompt,
        text=_text(version.messages),
        source="database",
        content=version,
        description=description,
        version=version.number,
        model_name=_model_name(version.model),
        parameters=version.parameters,
    )


def from_environment(key: str) -> LoadedTemplate | None:
    """Return what the setting `prompt_templates` has under a key. Raises ConfigError, InvalidInput."""
    told = load().prompt_templates.strip()
    if not told:
        return None
    try:
        entries = msgspec.json.decode(told)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput(f"prompt_templates is no JSON: {error}", hint='write it as {"name": "text"}') from None
    if not isinstance(entries, dict):
        raise InvalidInput("prompt_templates is not an object", hint='write it as {"name": "text"}')
    return _from_entry(key, entries[key]) if key in entries else None


def from_folder(key: str) -> LoadedTemplate | None:
    """Return what a file of the setting `prompt_folder` says. Raises ConfigError, InvalidInput."""
    from cuewire.wiring import prompt_folder

    root = load().prompt_folder
    file = prompt_folder(root).find(key) if root and is_name(key) else None
    return _from_file(file) if file else None


def from_seeds(key: str) -> LoadedTemplate | None:
    """Return what comes with Cuewire."""
    from cuewire.wiring import gallery

    return next((_from_file(seed) for seed in gallery().seeds() if seed.prompt == key), None)


def _from_file(file: PromptFile) -> LoadedTemplate:
    return LoadedTemplate(
        name=file.prompt,
        text=_text(file.messages),
        source="file",
        content=file,
        description=file.description,
        model_name=_model_name(file.model),
        parameters=file.parameters,
    )


def _from_entry(key: str, entry: object) -> LoadedTemplate:
    told = {"template": entry} if isinstance(entry, str) else entry
    if not isinstance(told, dict) or not isinstance(config := told.get("model_config", {}), dict):
        raise _unusable(key)
    text, form = next((told[name] for name in _TEXTS if name in told), None), told.get("format", "fstring")
    if not isinstance(text, str) or not text.strip() or form not in ("fstring", "jinja2"):
        raise _unusable(key)
    chosen = told | config
    model, version = chosen.get("model_name") or chosen.get("model"), told.get("version")
    return LoadedTemplate(
        name=str(told.get("name") or key),
        text=text,
        source="environment",
        content=text,
        description=str(told.get("description") or ""),
        version=version if isinstance(version, int) else None,
        form=form,
        model_name=str(model) if model else None,
        parameters={name: value for name, value in chosen.items() if name not in _TOLD},
    )


def _unusable(key: str) -> InvalidInput:
    return InvalidInput(
        f"what prompt_templates has under {key[:80]!r} is no template",
        hint='write it as a text, or as {"template": TEXT, "format": "fstring" or "jinja2", "model_config": {}}',
    )


def _text(messages: tuple[MessageTemplate, ...]) -> str:
    """Return the text of the only message, or the messages in JSON, as the view `prompt_templates` shows them."""
    match messages:
        case (Message(content=str() as text),):
            return text
    return msgspec.json.encode(messages).decode()


def _model_name(model: str | None) -> str | None:
    return model.partition("/")[2] if model else None
