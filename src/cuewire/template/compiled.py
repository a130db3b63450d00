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
from jinja2.runtime import Context

from cuewire.model.errors import (
    TemplateError,
    TemplateForbidden,
    TemplateLimitExceeded,
    TemplateSyntaxError,
    TemplateUndefined,
)
from cuewire.model.text import cleaned, is_storable
from cuewire.template.absent import Missing
from cuewire.template.environment import PromptEnvironment, prompt_environment
from cuewire.template.filters.entry import INSTANT
from cuewire.template.guards import MAX_CHARS
from cuewire.template.instants import now_and_today
from cuewire.template.lexer import column_of
from cuewire.template.linked import NO_TEXTS, Included, Linked, Texts, alone, name_text, named
from cuewire.template.parse import Parsed, for_each
from cuewire.template.volatile import is_volatile

_MISSING_NAME = re.compile(r"'(\w+)' is undefined")
_MISSING_FIELD = re.compile(r"field '(.*)'$")
_ADDRESS = re.compile(r"<[^<>]* at 0x[0-9a-fA-F]+>|0x[0-9a-fA-F]{6,}")


class Shelf:
    """The compiled texts that the templates of one version take in."""

    def __init__(self, texts: Texts = NO_TEXTS, *, missing: Missing = "raise") -> None:
        """Compile. Raises TemplateSyntaxError and TemplateLimitExceeded."""
        environment = prompt_environment(missing)
        self.environment = environment.without_texts() if texts else environment
        self.is_volatile = any(is_volatile(included.parsed.tree) for included in texts.values())
        self._owners: dict[Template, Included] = {}
        for number, included in texts.items():
            with named(included.reference):
                code = _code(self.environment, included.parsed)
            for name, kind in ((number, Template), (alone(number), _AloneTemplate)):
                template = kind.from_code(self.environment, code, self.environment.globals)
                self.environment.texts[name] = template
                self._owners[template] = included

    def owner(self, template: Template | None) -> Included | None:
        """Return what a compiled text was made of, None if it is a template of the version itself."""
        return None if template is None else self._owners.get(template)


class _AloneTemplate(Template):
    """A text that sees none of the names around it but the time."""

    def new_context(self, vars: Any = None, shared: bool = False, locals: Any = None) -> Context:
        at = vars[INSTANT] if vars and INSTANT in vars else None
        return super().new_context({} if at is None else {**now_and_today(at), INSTANT: at})


class CompiledTemplate:
    """One template as Python code. Its output is counted while it is made."""

    def __init__(self, parsed: Parsed, shelf: Shelf | None = None) -> None:
        """Compile. Takes about 30 us a token; raises TemplateSyntaxError and TemplateLimitExceeded."""
        self.source = parsed.source
        self._shelf = shelf or Shelf()
        environment = self._shelf.environment
        self._template = Template.from_code(environment, _code(environment, parsed), environment.globals)
        self._pieces: Callable[..., Iterator[str]] = self._template.root_render_func
        self._is_volatile = self._shelf.is_volatile or is_volatile(parsed.tree)

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
        template, line = _place(error)
        owner = self._shelf.owner(template)
        source = self.source if owner is None else owner.parsed.source
        explained = _told(error, source, line)
        if owner is not None:
            name_text(explained, owner.reference)
        return explained


def compile_all(version: Linked, *, missing: Missing = "raise") -> list[CompiledTemplate]:
    """Compile the templates of a version and what they take in. Raises TemplateError."""
    try:
        shelf = Shelf(version.texts, missing=missing)
    except TemplateError as error:
        error.field = "/templates"
        raise
    return for_each(lambda parsed: CompiledTemplate(parsed, shelf), version.templates)


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


def _code(environment: PromptEnvironment, parsed: Parsed) -> CodeType:
    try:
        # No name and no file name: the text of users must reach neither the code nor a path.
        return environment.compile(parsed.tree)
    except JinjaSyntaxError as error:
        raise TemplateSyntaxError(
            _sentence(error.message),
            hint="give each block and argument its own name",
            line=int(error.lineno),
            column=column_of(error.lineno),
        ) from None
    except (SyntaxError, RecursionError):
        # Python itself compiles at most 20 blocks inside each other.
        raise TemplateLimitExceeded("loops and conditions are nested too deep", hint="nest at most a dozen") from None


def _place(error: BaseException) -> tuple[Template | None, int]:
    """Return the template that was running and the line in it, None and 0 if none was."""
    running, line = None, 0
    for frame, number in traceback.walk_tb(error.__traceback__):
        template = frame.f_globals.get("__jinja_template__")
        if template is not None:
            running, line = template, template.get_corresponding_lineno(number)
    return running, line


def _told(error: Exception, source: str, line: int) -> TemplateError:
    match error:
        case TemplateError():
            error.line = error.line or line
            return error
        case SecurityError():
            return TemplateForbidden(
                _sentence(str(error)), hint="templates read data, they cannot reach objects", line=line
            )
        case UndefinedError():
            return _undefined(str(error), source, line)
        case MemoryError():
            return TemplateLimitExceeded("the template needs too much memory", hint="loop over less", line=line)
        case RecursionError():
            return TemplateLimitExceeded("the template calls itself too often", hint="recurse less", line=line)
        case ZeroDivisionError():
            return TemplateError("division by zero", hint="test for 0 with an if", line=line)
        case TemplateRuntimeError() | TypeError() | ValueError() | ArithmeticError() | LookupError():
            return TemplateError(_sentence(str(error)), hint="check the kinds of the values on this line", line=line)
    return TemplateError("the template failed", hint="simplify this line", line=line)


def _undefined(message: str, source: str, line: int) -> TemplateUndefined:
    missing = _MISSING_NAME.search(message)
    if missing is None:
        field = _MISSING_FIELD.search(message)
        return TemplateUndefined(
            _sentence(message),
            hint="write | default('') after it, or test it with 'is defined'",
            line=line,
            column=_column(field[1], source, line) if field else 0,
        )
    name = missing[1]
    return TemplateUndefined(
        f"the template reads '{name}', which was not given",
        hint=f"give it as an input, or write {{{{ {name} | default('') }}}}",
        field=f"/inputs/{name}",
        line=line,
        column=_column(name, source, line),
    )


def _column(name: str, source: str, line: int) -> int:
    """Return where on the line the name or field is read first, 0 if it is not."""
    tree = prompt_environment().parse(source)
    places = [node.lineno for node in tree.find_all(nodes.Name) if node.name == name]
    places += [node.lineno for node in tree.find_all(nodes.Getattr) if node.attr == name]
    return min((column_of(place) for place in places if place == line), default=0)


def _sentence(message: str | None) -> str:
    """Return a message of Jinja2 or Python in our form: lower case, no full stop, no addresses, not long, storable."""
    text, _ = cleaned(_ADDRESS.sub("...", message or "the template failed").strip().rstrip("."))
    text = text.splitlines()[0][:300] if text else "the template failed"
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
