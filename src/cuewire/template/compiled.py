"""A template ready to run in this process, and what can go wrong when it runs, told in terms of the template."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from types import CodeType
from typing import Any

from jinja2 import nodes
from jinja2.environment import Template
from jinja2.exceptions import SecurityError, TemplateRuntimeError, UndefinedError
from jinja2.exceptions import TemplateSyntaxError as JinjaSyntaxError

from cuewire.model.errors import (
    TemplateError,
    TemplateForbidden,
    TemplateLimitExceeded,
    TemplateSyntaxError,
    TemplateUndefined,
)
from cuewire.model.text import is_storable
from cuewire.template.environment import prompt_environment
from cuewire.template.filters.entry import INSTANT
from cuewire.template.guards import MAX_CHARS
from cuewire.template.instants import now_and_today
from cuewire.template.parse import Parsed, column_of
from cuewire.template.volatile import is_volatile

_MISSING_NAME = re.compile(r"'(\w+)' is undefined")
_MISSING_FIELD = re.compile(r"field '(.*)'$")
_ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-fA-F]+>|0x[0-9a-fA-F]{6,}")


class CompiledTemplate:
    """One template as Python code. Its output is counted while it is made."""

    def __init__(self, parsed: Parsed) -> None:
        """Compile. Takes about 30 us a token; raises TemplateSyntaxError and TemplateLimitExceeded."""
        environment = prompt_environment()
        self.source = parsed.source
        try:
            # No name and no file name: the text of users must reach neither the code nor a path.
            code: CodeType = environment.compile(parsed.tree)
        except JinjaSyntaxError as error:
            raise TemplateSyntaxError(
                _sentence(error.message),
                hint="give each block and argument its own name",
                line=int(error.lineno),
                column=column_of(error.lineno),
            ) from None
        except (SyntaxError, RecursionError):
            # Python itself compiles at most 20 blocks inside each other.
            raise TemplateLimitExceeded(
                "loops and conditions are nested too deep", hint="nest at most a dozen"
            ) from None
        self._template = Template.from_code(environment, code, environment.globals)
        self._pieces: Callable[..., Iterator[str]] = self._template.root_render_func
        self._is_volatile = is_volatile(parsed.tree)

    def render(self, inputs: Mapping[str, Any], *, at: datetime | None = None, room: int = MAX_CHARS) -> str:
        """Return the text, of at most `room` characters. Raises TemplateError; runs as long as the template runs.

        `at` is the instant that `now` and `today` give; without one they are not defined.
        """
        pieces = []
        if self._is_volatile and at is not None:
            inputs = {**now_and_today(at), **inputs, INSTANT: at}
        try:
            for piece in self._pieces(self._template.new_context(inputs)):  # type: ignore[arg-type]  # is copied
                pieces.append(piece)
                room -= len(piece)
                if room < 0:
                    raise TemplateLimitExceeded(
                        f"the text is longer than {MAX_CHARS} characters", hint="give less, or shorten it"
                    )
        except Exception as error:  # noqa: BLE001  # whatever a template does is the template's error
            raise self._explained(error) from None
        text = "".join(pieces)
        if not is_storable(text):
            raise TemplateError(
                "the text holds a NUL or a lone surrogate, which no database can store",
                hint="remove the escape",
            )
        return text

    def _explained(self, error: Exception) -> TemplateError:
        line = self._line(error)
        match error:
            case TemplateError():
                error.line = error.line or line
                return error
            case SecurityError():
                return TemplateForbidden(
                    _sentence(str(error)), hint="templates read data, they cannot reach objects", line=line
                )
            case UndefinedError():
                return self._undefined(str(error), line)
            case MemoryError():
                return TemplateLimitExceeded("the template needs too much memory", hint="loop over less", line=line)
            case RecursionError():
                return TemplateLimitExceeded("the template calls itself too often", hint="recurse less", line=line)
            case ZeroDivisionError():
                return TemplateError("division by zero", hint="test for 0 with an if", line=line)
            case TemplateRuntimeError() | TypeError() | ValueError() | ArithmeticError() | LookupError():
                return TemplateError(
                    _sentence(str(error)), hint="check the kinds of the values on this line", line=line
                )
        return TemplateError("the template failed", hint="simplify this line", line=line)

    def _undefined(self, message: str, line: int) -> TemplateUndefined:
        missing = _MISSING_NAME.search(message)
        if missing is None:
            field = _MISSING_FIELD.search(message)
            return TemplateUndefined(
                _sentence(message),
                hint="write | default('') after it, or test it with 'is defined'",
                line=line,
                column=self._column(field[1], line) if field else 0,
            )
        name = missing[1]
        return TemplateUndefined(
            f"the template reads '{name}', which was not given",
            hint=f"give it as an input, or write {{{{ {name} | default('') }}}}",
            field=f"/inputs/{name}",
            line=line,
            column=self._column(name, line),
        )

    def _line(self, error: BaseException) -> int:
        """Return the line of the template that was running, 0 if none was."""
        line = 0
        for frame, number in traceback.walk_tb(error.__traceback__):
            template = frame.f_globals.get("__jinja_template__")
            if template is not None:
                line = template.get_corresponding_lineno(number)
        return line

    def _column(self, name: str, line: int) -> int:
        """Return where on the line the name or field is read first, 0 if it is not."""
        tree = prompt_environment().parse(self.source)
        places = [node.lineno for node in tree.find_all(nodes.Name) if node.name == name]
        places += [node.lineno for node in tree.find_all(nodes.Getattr) if node.attr == name]
        return min((column_of(place) for place in places if place == line), default=0)


def render_all(
    templates: Sequence[CompiledTemplate], inputs: Mapping[str, Any], *, at: datetime | None = None
) -> tuple[str, ...]:
    """Render the templates of one version; the limit on the output is on their sum. Raises TemplateError."""
    texts: list[str] = []
    room = MAX_CHARS
    try:
        for template in templates:
            texts.append(template.render(inputs, at=at, room=room))
            room -= len(texts[-1])
    except TemplateError as error:
        error.field = error.field or f"/templates/{len(texts)}"
        raise
    return tuple(texts)


def _sentence(message: str | None) -> str:
    """Return a message of Jinja2 or Python in our form: lower case, no full stop, no addresses, not long."""
    text = _ADDRESS.sub("...", message or "the template failed").strip().rstrip(".")
    text = text.splitlines()[0][:300] if text else "the template failed"
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
