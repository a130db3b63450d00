"""Names of other tools as names of ours: of prompts, inputs, labels and models. Whoever renames says so."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count

from msgspec.structs import replace

from cuewire.files.losses import Losses
from cuewire.model.bundles import BundledVersion, histories
from cuewire.model.errors import InvalidInput
from cuewire.model.references import DEFAULT_LANGUAGE, LATEST, check_label, check_new_name
from cuewire.model.requests import parse_model

_INPUT = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_TAKEN = frozenset(
    ["and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"]
    + ["loop", "self", "super", "caller", "varargs", "kwargs", "now", "today", "dict", "namespace", "cycler", "joiner"]
)
"""What a template takes for something else than an input."""
_PROVIDERS = (
    (re.compile(r"gpt-|chatgpt-|o[1-9](-|$)|text-embedding-|dall-e"), "openai"),
    (re.compile(r"(open-)?mistral|mixtral|codestral|ministral|magistral|pixtral"), "mistral"),
    (re.compile(r"deepseek-(chat|reasoner)"), "deepseek"),
)


class PromptNames:
    """Maps the prompt names of one source to ours, always the same way, and never two to one."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._sources: dict[str, str] = {}

    def of(self, source: object) -> str:
        """Return our name for one of the source. Raises InvalidInput if another has the same."""
        if not isinstance(source, str) or not source.strip():
            raise InvalidInput(f"{str(source)[:80]!r} is not a prompt name")
        try:
            name = prompt_name(source)
        except InvalidInput:
            raise InvalidInput(
                f"no prompt name can be made of {source[:80]!r}",
                hint="rename it in the file, with letters a-z in its name",
            ) from None
        if self._sources.setdefault(name, source) != source:
            raise InvalidInput(
                f"the prompts {self._sources[name][:80]!r} and {source[:80]!r} would both be called {name!r}",
                hint="rename one of them in the file",
            )
        if name != source:
            self._losses.add(source, f"the prompt is called {name!r} here")
        return name


def told_apart(versions: Sequence[BundledVersion], *, losses: Losses) -> list[list[BundledVersion]]:
    """Return the versions of each prompt, for a tool that knows prompts by their names alone.

    Where prompts of several strategies or languages have one name, only the one for all keeps it.
    """
    found = histories(versions)
    counts = Counter(history[0].file.prompt for history in found)
    taken, made = {*counts}, []
    for history in found:
        file = history[0].file
        marks = [file.strategy or "", "" if file.language == DEFAULT_LANGUAGE else file.language.lower()]
        if counts[file.prompt] > 1 and any(marks):
            plain = "-".join(filter(None, [file.prompt, *marks]))
            name = next(name for at in count(1) if (name := plain if at == 1 else f"{plain}-{at}") not in taken)
            taken.add(name)
            losses.add(plain, f"others are called {file.prompt!r} too; this one is called {name!r} there")
            history = [replace(version, file=replace(version.file, prompt=name)) for version in history]
        made.append(history)
    return made


def prompt_name(source: str) -> str:
    """Return the name of ours that is nearest to a name. Raises InvalidInput if there is none."""
    plain = _plain(source).lower()
    made = re.sub(r"[^a-z0-9._/-]+", "-", plain).lstrip("._/-")[:128].rstrip("-/")
    return check_new_name(made)


def input_name(source: str, *, losses: Losses, line: int = 0) -> str | None:
    """Return the input name that is nearest to a name, None if there is none."""
    made = re.sub(r"\W+", "_", _plain(source.strip()), flags=re.ASCII).strip("_" if not source.startswith("_") else "")
    if made[:1].isdigit():
        made = f"_{made}"
    if made in _TAKEN:
        made += "_"
    made = made[:64]
    if not _INPUT.fullmatch(made):
        return None
    if made != source.strip():
        losses.add(source, f"the input is called {made!r} here", line=line)
    return made


def labels(source: object, *, losses: Losses) -> tuple[str, ...]:
    """Return the labels that can be ours; `latest` moves by itself."""
    made = []
    for label in source if isinstance(source, list) else []:
        try:
            made.append(check_label(label))
        except InvalidInput:
            losses.add(label, "it is not a label here")
    return tuple(dict.fromkeys(label for label in made if label != LATEST))


def tags(source: object, *, losses: Losses) -> tuple[str, ...]:
    """Return the tags that are texts."""
    found = source if isinstance(source, list) else []
    if source is not None and not isinstance(source, list) or any(not isinstance(tag, str) for tag in found):
        losses.add(f"tags {source}", "tags are texts")
    return tuple(dict.fromkeys(tag for tag in found if isinstance(tag, str) and tag.strip()))


def model(source: object, *, losses: Losses, provider: object = None) -> str | None:
    """Return `provider/model`, None if it cannot be told."""
    if source is None or source == "":
        return None
    made = source
    if isinstance(source, str) and isinstance(provider, str) and provider:
        made = f"{_PROVIDER_NAMES.get(provider, provider.lower())}/{source}"
    elif isinstance(source, str) and "/" not in source:
        made = next((f"{name}/{source}" for form, name in _PROVIDERS if form.match(source)), source)
    try:
        found = str(parse_model(made))
    except InvalidInput:
        losses.add(f"model {source}", "it names no provider; publish it as provider/model")
        return None
    if found != source and not (isinstance(provider, str) and provider):
        losses.add(f"model {source}", f"taken for {found}")
    return found


_PROVIDER_NAMES: Mapping[str, str] = {"mistralai": "mistral"}


def _plain(source: str) -> str:
    return unicodedata.normalize("NFKD", source).encode("ascii", "ignore").decode()
