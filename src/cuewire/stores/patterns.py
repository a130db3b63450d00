"""Prompts limited to some names, as a condition."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, false, or_


def name_fits(name: ColumnElement[str], patterns: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that a name is one of the patterns: names, and beginnings of names with a star."""
    fitting = (name.startswith(each[:-1], autoescape=True) if each.endswith("*") else name == each for each in patterns)
    return or_(false(), *fitting)
