"""Content looked through before it is published: all that is wrong with it, and what its author should know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from cuewire.model.analyses import Analysis, FoundInput, Problem, Report, problem
from cuewire.model.errors import CuewireError, InvalidInput, NotFound, TemplateError
from cuewire.model.includes import Includes
from cuewire.model.prompts import Content, Image, MessageTemplate, Placeholder, PromptVersion, Variable
from cuewire.model.references import Reference
from cuewire.model.template_types import TemplateType
from cuewire.ports import Renderer
from cuewire.registry.contents import checked_messages, declared_as, input_name, joined
from cuewire.registry.includes import Find, find_includes, nowhere
from cuewire.registry.texts import templates_of

_NONE: Mapping[str, Any] = {}
_NO_TYPE = TemplateType(name="", description="")


async def analyse(
    content: Content,
    *,
    renderer: Renderer,
    find: Find = nowhere,
    name: str = "",
    variables: Mapping[str, Mapping[str, Any]] = _NONE,
    template_type: TemplateType | None = None,
) -> Analysis:
    """Return what is known of content that the prompt `name` may become; `variables` is what `publish` would get.

    An input is `undefined` if neither the author nor the type of template knows it, where either says anything. Raises
    InvalidInput for what is no content, and what reading other versions raises beyond NotFound.
    """
    messages = checked_messages(content)
    find = _remembering(find)
    look = _Look()
    for index, message in enumerate(messages):
        includes, error = await _includes(name, [message], renderer, find)
        reports = [await renderer.analyse(text, includes=includes) for text in templates_of([message])]
        if error is not None and not any(report.problems for report in reports):
            look.fail(error, index)
        for report in reports:
            look.add(report, index)
        look.add_others(message, index)
    if look.is_sound and len(messages) > 1:
        _, error = await _includes(name, messages, renderer, find)
        if error is not None:
            look.fail(error, int(error.field.removeprefix("/content/")))
    look.compare(variables, template_type)
    return look.analysis()


class _Look:
    """Collects what is found in the messages."""

    def __init__(self) -> None:
        self._problems: list[Problem] = []
        self._warnings: list[Problem] = []
        self._inputs: dict[str, FoundInput] = {}
        self._filters: set[str] = set()
        self._tokens = 0

    @property
    def is_sound(self) -> bool:
        """Tell whether nothing is wrong so far."""
        return not self._problems

    def analysis(self) -> Analysis:
        """Return all of it."""
        return Analysis(
            problems=tuple(self._problems),
            warnings=tuple(self._warnings),
            inputs=self._inputs,
            filters=tuple(sorted(self._filters)),
            tokens=self._tokens,
        )

    def add(self, report: Report, index: int) -> None:
        """Add what is known of one text of a message."""
        self._problems += [replace(each, index=index) for each in report.problems]
        self._warnings += [replace(each, index=index) for each in report.warnings]
        self._filters.update(report.filters)
        self._tokens += report.tokens
        for name, found in report.inputs.items():
            self._read(name, replace(found, index=index))

    def add_others(self, message: MessageTemplate, index: int) -> None:
        """Add the inputs of a message that are not in its texts."""
        if isinstance(message, Placeholder):
            self._read_whole(message.input, Variable(kind="messages"), index)
        elif not isinstance(message.content, str):
            for part in message.content:
                if isinstance(part, Image):
                    self._read_whole(part.input, Variable(kind="image"), index)

    def fail(self, error: CuewireError, index: int, *, name: str = "") -> None:
        """Note an error."""
        if isinstance(error, TemplateError):
            self._problems.append(problem(error, index=index))
        else:
            told = Problem(code=error.code, message=error.message, hint=error.hint, index=index, name=name)
            self._problems.append(told)

    def compare(self, variables: Mapping[str, Mapping[str, Any]], template_type: TemplateType | None) -> None:
        """Hold what is read against what the author and the type of template say."""
        for name, said in variables.items():
            if name not in self._inputs:
                self._warn("unused", name, f"'{name}' is declared, but no message reads it")
                continue
            found = self._inputs[name]
            try:
                self._inputs[name] = replace(found, variable=declared_as(name, found.variable, said))
            except InvalidInput as error:
                self.fail(error, found.index, name=name)
        if template_type is not None:
            usual, where = template_type, f"the variables of the type '{template_type.name}'"
        elif variables:
            usual, where = _NO_TYPE, "what is declared"
        else:
            return
        for name, found in self._inputs.items():
            if found.variable.kind == "value" and name not in variables and usual.find(name) is None:
                self._warn("undefined", name, f"'{name}' is not among {where}", at=found)

    def _read_whole(self, name: str, variable: Variable, index: int) -> None:
        try:
            self._read(input_name(name, index), FoundInput(variable=variable, index=index))
        except InvalidInput as error:
            self.fail(error, index)

    def _read(self, name: str, found: FoundInput) -> None:
        known = self._inputs.get(name, found)
        try:
            self._inputs[name] = replace(known, variable=joined(name, known.variable, found.variable))
        except InvalidInput as error:
            self.fail(error, found.index, name=name)

    def _warn(self, code: str, name: str, message: str, *, at: FoundInput | None = None) -> None:
        index, line, column = (at.index, at.line, at.column) if at else (0, 0, 0)
        self._warnings.append(Problem(code=code, message=message, index=index, line=line, column=column, name=name))


async def _includes(
    name: str, messages: Sequence[MessageTemplate], renderer: Renderer, find: Find
) -> tuple[Includes | None, CuewireError | None]:
    """Return what messages include, or why that cannot be found."""
    try:
        return await find_includes(name, messages, renderer=renderer, find=find), None
    except (TemplateError, NotFound, InvalidInput) as error:
        return None, error


def _remembering(find: Find) -> Find:
    """Return what looks each version up once."""
    known: dict[Reference, PromptVersion] = {}

    async def look_up(reference: Reference) -> PromptVersion:
        if reference not in known:
            known[reference] = await find(reference)
        return known[reference]

    return look_up
