"""What is known of templates before they run: what is wrong with them, what they read, and how they would look."""

from __future__ import annotations

from typing import Any

from cuewire.model.errors import TemplateError
from cuewire.model.prompts import Variable
from cuewire.model.requests import Role
from cuewire.model.values import Value

OPEN, CLOSE = "\u27e6", "\u27e7"
"""Around the name of what is missing, where a preview shows it: \u27e6name\u27e7."""


class Problem(Value, frozen=True):
    """Something that is wrong with a message, or that its author should know.

    `code` is that of the error it would be, or a word for a warning; `index` counts messages from 0, `line` and
    `column` from 1, 0 where there are none. `name` is the input or the prompt that it is about.
    """

    code: str
    message: str
    hint: str = ""
    index: int = 0
    line: int = 0
    column: int = 0
    name: str = ""


def problem(error: TemplateError, *, index: int = 0) -> Problem:
    """Return an error of a template as what is wrong with a message."""
    return Problem(
        code=error.code,
        message=error.message,
        hint=error.hint,
        index=index,
        line=int(error.line),
        column=error.column,
    )


class FoundInput(Value, frozen=True):
    """An input that is read, and where first; an image or a list of messages has no line."""

    variable: Variable
    index: int = 0
    line: int = 0
    column: int = 0


class Report(Value, frozen=True):
    """What is known of one template text: the places in it have no index."""

    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    inputs: dict[str, FoundInput] = {}
    filters: tuple[str, ...] = ()
    tokens: int = 0


class Analysis(Value, frozen=True):
    """What is known of all messages of a prompt. `tokens` estimates what their text takes without any input.

    Warnings are `unused`, `undefined`, `unbounded` (rendered in a process of its own) and `volatile` (reads the time).
    """

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    inputs: dict[str, FoundInput]
    filters: tuple[str, ...]
    tokens: int

    @property
    def is_valid(self) -> bool:
        """Tell whether the content could be published, with what is declared of inputs that it reads."""
        return not self.problems


class Marked(Value, frozen=True):
    """Texts in which what is missing is marked, and the names in the marks."""

    texts: tuple[str, ...]
    names: tuple[str, ...] = ()


class PreviewedMessage(Value, frozen=True):
    """A message as people read it: its parts in lines of their own, an image as its address."""

    role: Role
    text: str


class Preview(Value, frozen=True):
    """How a prompt looks with some inputs. `inputs` are those that were used, defaults and examples among them.

    Warnings are `missing`, `surplus` and `wrong_type`.
    """

    messages: tuple[PreviewedMessage, ...]
    warnings: tuple[Problem, ...]
    inputs: dict[str, Any]
    tokens: int
