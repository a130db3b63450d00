"""How prompts and versions are named, and which languages stand in for one another."""

from __future__ import annotations

import re
from functools import lru_cache

from cuewire.model.errors import InvalidInput, LabelNotFound, PromptArchived, PromptNotFound
from cuewire.model.values import Value

DEFAULT_LABEL = "production"
LATEST = "latest"
DEFAULT_LANGUAGE = "en"

_NAME = re.compile(r"[a-z0-9][a-z0-9._/-]{0,127}")
_LABEL = re.compile(r"[a-z][a-z0-9._-]{0,63}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_MAX_DIGITS = 18


class Reference(Value, frozen=True):
    """Which prompt, and of its versions which: by label, or by number when `number` is set.

    A name of digits only is the id of a prompt. Without an id, `strategy` (a name or an id) and `language` say which of
    the prompts of the name is meant.
    """

    name: str
    label: str = DEFAULT_LABEL
    number: int | None = None
    strategy: str | None = None
    language: str | None = None

    def __str__(self) -> str:
        return f"{self.name}@{self.number if self.number is not None else self.label}"

    @property
    def id(self) -> int | None:
        """The id of the prompt, if it is named by that."""
        return int(self.name) if self.name.isdigit() else None


def is_name(name: object) -> bool:
    """Tell whether a prompt may be named so, by its name or its id as digits."""
    return isinstance(name, str) and bool(_NAME.fullmatch(name)) and not (name.isdigit() and len(name) > _MAX_DIGITS)


def check_name(name: object, *, field: str = "/prompt") -> str:
    """Return the name of a prompt, or its id as digits, if it is well formed, else raise InvalidInput."""
    if is_name(name):
        return str(name)
    raise InvalidInput(
        f"{_shown(name)} is not a prompt name",
        field=field,
        hint="use up to 128 of a-z 0-9 . _ / -, beginning with a letter or digit",
    )


def check_new_name(name: object, *, field: str = "/name") -> str:
    """Return the name if a prompt, strategy or configuration may have it, else raise InvalidInput."""
    if check_name(name, field=field).isdigit():
        raise InvalidInput(f"{_shown(name)} would be taken for an id", field=field, hint="use a letter in the name")
    return str(name)


def check_label(label: object) -> str:
    """Return the label if it is well formed, else raise InvalidInput."""
    if isinstance(label, str) and _LABEL.fullmatch(label):
        return label
    raise InvalidInput(
        f"{_shown(label)} is not a label",
        field="/label",
        hint="use up to 64 of a-z 0-9 . _ -, beginning with a letter",
    )


def check_number(number: object, *, field: str = "/number") -> int:
    """Return the number of a version if there can be one, else raise InvalidInput."""
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number < 2**31:
        return number
    raise InvalidInput(f"{str(number)[:40]!r} is not a version number", field=field)


def check_language(language: object) -> str:
    """Return the tag of a language as it is kept, such as `de` or `de-AT`. Raises InvalidInput."""
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        raise InvalidInput(
            f"{_shown(language)} is not the tag of a language", field="/language", hint="write it as in en, de or pt-BR"
        )
    first, *others = language.lower().split("-")
    cased = {2: str.upper, 4: str.title}  # regions and scripts, as RFC 5646 writes them
    return "-".join([first, *(cased.get(len(each), str.lower)(each) for each in others)])


def languages_for(language: str) -> tuple[str, ...]:
    """Return the languages that will do, the best first: `de-AT`, `de`, `en`."""
    parts = language.split("-")
    nearer = ["-".join(parts[:size]) for size in range(len(parts), 0, -1)]
    return (*dict.fromkeys([*nearer, DEFAULT_LANGUAGE]),)


def parse_reference(text: object, *, strategy: str | None = None, language: str | None = None) -> Reference:
    """Read `name`, `name@label` or `name@7`; a bare name means the label production.

    Raises InvalidInput if the text is none of them, or the strategy or language is not well formed.
    """
    if not isinstance(text, str):
        raise InvalidInput(f"{_shown(text)} is not a prompt reference", field="/prompt")
    if strategy is not None:
        check_name(strategy, field="/strategy")
    return _parse_reference(text, strategy, language)


def no_prompt(name: str) -> PromptNotFound:
    """Return the error that says that there is no prompt of this name or id."""
    return PromptNotFound(
        f"there is no prompt {name[:128]!r}", field="/prompt", hint="list them with: cuewire prompts list"
    )


def no_label(name: str, label: str) -> LabelNotFound:
    """Return the error that says that no version of the prompt carries the label."""
    return LabelNotFound(
        f"prompt {name!r} has no version labelled {label!r}",
        field="/prompt",
        hint=f"label one with: cuewire prompts label {name} {label} NUMBER",
    )


def archived_prompt(name: str) -> PromptArchived:
    """Return the error that says that the prompt takes no changes, because it is archived."""
    return PromptArchived(
        f"prompt {name!r} is archived",
        field="/prompt",
        hint=f"bring it back with: cuewire prompts restore {name}",
    )


def name_in(reference: str) -> str:
    """Return the name in a reference, of whose form nothing else is known yet."""
    return reference.partition("@")[0]


@lru_cache(maxsize=1_024)
def _parse_reference(text: str, strategy: str | None, language: str | None) -> Reference:
    name, at, tail = text.partition("@")
    check_name(name)
    if language is not None:
        language = check_language(language)
    if not at:
        return Reference(name=name, strategy=strategy, language=language)
    if tail.isascii() and tail.isdigit():
        number = int(tail) if len(tail) < 10 else 0
        if number < 1:
            raise InvalidInput(f"{_shown(tail)} is not a version number", field="/prompt")
        return Reference(name=name, number=number, strategy=strategy, language=language)
    return Reference(name=name, label=check_label(tail), strategy=strategy, language=language)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
