"""What is said of a prompt beside its versions: checked, and told apart from what is said of a version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from cuewire.model.errors import InvalidInput
from cuewire.model.prompts import Details, Home, PromptVersion, VersionOptions
from cuewire.model.references import check_language, check_name
from cuewire.model.text import is_storable

MAX_DESCRIPTION = 10_000
MAX_CATEGORY = 100
MAX_TAGS = 50
_HOME = frozenset(Home.__annotations__)
_DETAILS = frozenset(Details.__annotations__)


def sorted_out(options: Mapping[str, Any]) -> tuple[Home, Details, VersionOptions]:
    """Return where the prompt belongs, what is said of it, and what is said of the version. Raises InvalidInput."""
    home = {name: value for name, value in options.items() if name in _HOME}
    details = {name: value for name, value in options.items() if name in _DETAILS}
    of_version = {name: value for name, value in options.items() if name not in _HOME | _DETAILS}
    return (
        checked_home(cast(Home, home)),
        checked_details(cast(Details, details)),
        cast(VersionOptions, of_version),
    )


def checked_home(home: Home) -> Home:
    """Return where a prompt belongs in the form that is stored. Raises InvalidInput."""
    checked: Home = {}
    if (strategy := home.get("strategy")) is not None:
        checked["strategy"] = check_name(strategy, field="/strategy")
    if (language := home.get("language")) is not None:
        checked["language"] = check_language(language)
    return checked


def checked_details(details: Details) -> Details:
    """Return what is said of a prompt in the form that is stored. Raises InvalidInput."""
    checked: Details = {}
    for name, most in (("description", MAX_DESCRIPTION), ("category", MAX_CATEGORY)):
        if name in details:
            checked[name] = _text(details[name], most, name)  # type: ignore[literal-required]  # one of the two
    if "template_type" in details:
        checked["template_type"] = check_name(details["template_type"], field="/template_type")
    if "tags" in details:
        checked["tags"] = _tags(details["tags"])
    return checked


def declarations(version: PromptVersion) -> dict[str, dict[str, Any]]:
    """Return what `variables` must say to make the variables of a version what they are."""
    return {
        name: variable.json_schema | ({} if variable.required else {"default": variable.default})
        for name, variable in version.variables.items()
    }


def _text(value: object, most: int, name: str) -> str:
    if isinstance(value, str) and len(value) <= most and is_storable(value):
        return value
    raise InvalidInput(f"{name} must be a text of at most {most:,} characters", field=f"/{name}")


def _tags(tags: object) -> tuple[str, ...]:
    if not isinstance(tags, list | tuple) or len(tags) > MAX_TAGS:
        raise InvalidInput(f"tags must be a list of at most {MAX_TAGS}", field="/tags")
    wrong = [index for index, tag in enumerate(tags) if not isinstance(tag, str) or not 1 <= len(tag) <= MAX_CATEGORY]
    if wrong:
        raise InvalidInput(f"a tag must be 1 to {MAX_CATEGORY} characters", field=f"/tags/{wrong[0]}")
    return tuple(sorted({*tags}))
