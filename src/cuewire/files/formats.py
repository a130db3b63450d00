"""The formats in which prompts come and go: which one a document is of, and how each is read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, get_args

from cuewire.files import plain_text
from cuewire.files.bundle_json import read_bundle, write_bundle
from cuewire.files.fstring import from_fstring
from cuewire.files.langfuse import read_langfuse, write_langfuse
from cuewire.files.losses import Losses
from cuewire.files.mustache import from_mustache
from cuewire.files.names import PromptNames
from cuewire.files.promptfoo import read_promptfoo, write_promptfoo
from cuewire.files.prompty import read_prompty
from cuewire.files.prompty_writer import write_prompty
from cuewire.model.bundles import MAX_BUNDLE_BYTES, Bundle, BundledVersion, Exported, Format
from cuewire.model.errors import InvalidInput
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import Message

MAX_SLOW_BYTES = 1_000_000
"""YAML is read a hundred times as slowly as JSON, and no template is as large."""
_WRITERS: Mapping[str, Callable[[Sequence[BundledVersion]], Exported]] = {
    "bundle": write_bundle,
    "langfuse": write_langfuse,
    "prompty": write_prompty,
    "promptfoo": write_promptfoo,
}


def read(data: bytes, *, format: Format | None = None, name: str = "prompt") -> Bundle:
    """Return what a document holds; None finds the format out. `name` is for prompts that have none.

    Nothing is resolved, fetched or run, and no data makes this raise anything but InvalidInput.
    """
    chosen = format or _format_of(data)
    limit = MAX_BUNDLE_BYTES if chosen in ("bundle", "langfuse") else MAX_SLOW_BYTES
    if len(data) > limit:
        raise InvalidInput(f"the file is larger than {limit:,} bytes")
    try:
        match chosen:
            case "bundle":
                return read_bundle(data)
            case "langfuse":
                return read_langfuse(data)
            case "prompty":
                return read_prompty(data, name=name)
            case "promptfoo":
                return read_promptfoo(data, name=name)
            case "fstring" | "mustache":
                return _read_text(data, chosen, name=name)
    except RecursionError:
        raise InvalidInput("the file is nested too deeply") from None
    raise InvalidInput(f"{str(chosen)[:40]!r} is no format", hint=f"use one of {', '.join(get_args(Format))}")


def write(versions: Sequence[BundledVersion], *, format: Format = "bundle") -> Exported:
    """Return versions as a document. Raises InvalidInput if the format cannot hold so many prompts."""
    if format not in _WRITERS:
        raise InvalidInput(f"nothing is written as {str(format)[:40]!r}", hint=f"use one of {', '.join(_WRITERS)}")
    return _WRITERS[format](versions)


def _read_text(data: bytes, language: Literal["fstring", "mustache"], *, name: str) -> Bundle:
    """Return the prompt that one text is; the line end in which its file ends is not of it."""
    losses = Losses()
    names = PromptNames(losses)
    prompt = names.of(name)
    text = plain_text.read(data, losses=losses).removesuffix("\n")
    if language == "fstring":
        template = from_fstring(text, losses=losses)
    else:
        template = from_mustache(text, losses=losses, names=names)
    file = PromptFile(prompt=prompt, messages=(Message("user", template),))
    return Bundle(versions=(BundledVersion(file=file),), losses=losses.all())


def _format_of(data: bytes) -> Format:
    start = data[:100_000].decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")
    if start.startswith("---"):
        return "prompty"
    if start.startswith("["):
        return "langfuse"
    if start.startswith("{"):
        if '"cuewire-prompts"' in start:
            return "bundle"
        return "promptfoo" if '"prompts"' in start and '"prompt"' not in start else "langfuse"
    if "prompts:" in start:
        return "promptfoo"
    raise InvalidInput("the format of the file cannot be told", hint=f"say which it is: {', '.join(get_args(Format))}")
