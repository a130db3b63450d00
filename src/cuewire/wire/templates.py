"""Templates as JSON before they are published: what is wrong with them, how they look, and what authors write from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import msgspec
from msgspec import UNSET, UnsetType

from cuewire.model.analyses import Analysis, FoundInput, Preview, PreviewedMessage, Problem
from cuewire.model.errors import InvalidInput
from cuewire.model.prompts import Content, PromptStats
from cuewire.model.requests import Role
from cuewire.model.template_types import CatalogueVariable, TemplateType, Word
from cuewire.model.text import check_json
from cuewire.wire.shapes import Request, Shape, read, shown
from cuewire.wire.strict_json import convert
from cuewire.wire.versions import VariableShape, WrittenContent, plain_content


class _TemplateRequest(Request, frozen=True, kw_only=True):
    """What content is told by, and in which strategy and language it would be."""

    content: WrittenContent | UnsetType = UNSET
    template_text: str | UnsetType = UNSET
    variables: dict[str, dict[str, Any]] = {}
    template_type: str | None = None
    strategy: str | int | None = None
    language: str | None = None

    @classmethod
    def of(cls, content: Content | None, given: Mapping[str, Any]) -> Self:
        """Return what `TemplatesFace` was given as JSON. Raises InvalidInput for what JSON cannot hold."""
        plain = {**given} if content is None else {**given, "content": plain_content(content)}
        check_json(plain, pointer="")
        return convert(plain, cls)


class ValidateRequest(_TemplateRequest, frozen=True, kw_only=True):
    """`POST /api/v1/prompts/validate`: `content` as it would be published, or `template_text`, one text.

    `name` is the prompt that it is for, `variables` what would be said of its inputs, and `template_type` says whose
    catalogue its inputs are held against.
    """

    name: str = ""

    def said(self) -> Content:
        """Return the content. Raises InvalidInput unless it is given once."""
        return _one({"content": self.content, "template_text": self.template_text})  # type: ignore[no-any-return]


class RenderRequest(_TemplateRequest, frozen=True, kw_only=True):
    """`POST /api/v1/prompts/render`: `content` or one `template_text`, or a version of a `prompt`.

    That is the one in production unless `version` or `label` says another. `inputs` may be called `context`. With
    `strict` all inputs that are missing, surplus or wrong are refused; with `use_examples` those that are missing take
    their examples.
    """

    prompt: str | UnsetType = UNSET
    version: int | None = None
    label: str | None = None
    inputs: dict[str, Any] | UnsetType = UNSET
    context: dict[str, Any] | UnsetType = UNSET
    lenient: bool = False
    strict: bool = False
    use_examples: bool = False

    def said(self) -> tuple[Content | None, str]:
        """Return the content, or None and the reference of a version. Raises InvalidInput unless one is given."""
        given = {"content": self.content, "template_text": self.template_text, "prompt": self.prompt}
        content = _one(given)
        if self.prompt is UNSET:
            return content, ""
        if self.version is not None and self.label is not None:
            raise InvalidInput(
                "give a version or a label, not both", problems=(("/label", "does not go with version"),)
            )
        which = self.version if self.version is not None else self.label
        return None, self.prompt if which is None else f"{self.prompt}@{which}"

    def values(self) -> dict[str, Any]:
        """Return the inputs. Raises InvalidInput if they are given twice."""
        if self.inputs is not UNSET and self.context is not UNSET:
            raise InvalidInput("inputs are given twice", problems=(("/context", "is another word for inputs"),))
        return {**(self.inputs or {}), **(self.context or {})}


class ProblemShape(Shape, frozen=True):
    """Something that is wrong, or that the author should know; `name` is the input or the prompt that it is about.

    `index` counts messages from 0; `line` and `column` count from 1, and are 0 where there are none.
    """

    code: str
    message: str
    hint: str
    index: int
    line: int
    column: int
    name: str

    @classmethod
    def of(cls, problem: Problem) -> ProblemShape:
        """Return the problem as JSON."""
        return shown(problem, cls)


class FoundInputShape(VariableShape, frozen=True, kw_only=True):
    """An input that the content reads, and where first."""

    index: int
    line: int
    column: int

    @classmethod
    def of(cls, found: FoundInput) -> FoundInputShape:
        """Return the input as JSON."""
        plain = msgspec.to_builtins(found)
        return msgspec.convert(plain.pop("variable") | plain, cls)

    def found(self) -> FoundInput:
        """Return the input that the JSON says."""
        plain = msgspec.to_builtins(self)
        return msgspec.convert(plain | {"variable": plain}, FoundInput)


class AnalysisShape(Shape, frozen=True):
    """What is known of content. `tokens` estimates what its text takes without any input.

    Warnings are `unused`, `undefined`, `unbounded` and `volatile`. `error_message` is the first problem in words, null
    if there is none; `undefined_variables` are inputs that neither `variables` nor the type of template knows.
    """

    is_valid: bool
    problems: tuple[ProblemShape, ...]
    warnings: tuple[ProblemShape, ...]
    variables: dict[str, FoundInputShape]
    filters: tuple[str, ...]
    tokens: int
    error_message: str | None
    undefined_variables: tuple[str, ...]

    @classmethod
    def of(cls, analysis: Analysis, *, is_compared: bool) -> AnalysisShape:
        """Return the analysis as JSON; if it was not compared with anything, nothing that it reads is known."""
        undefined = [each.name for each in analysis.warnings if each.code == "undefined"]
        return cls(
            is_valid=analysis.is_valid,
            problems=tuple(map(ProblemShape.of, analysis.problems)),
            warnings=tuple(map(ProblemShape.of, analysis.warnings)),
            variables={name: FoundInputShape.of(found) for name, found in analysis.inputs.items()},
            filters=analysis.filters,
            tokens=analysis.tokens,
            error_message=_first(analysis.problems),
            undefined_variables=tuple(undefined if is_compared else analysis.inputs),
        )

    def analysis(self) -> Analysis:
        """Return the analysis that the JSON says."""
        return Analysis(
            problems=tuple(read(each, Problem) for each in self.problems),
            warnings=tuple(read(each, Problem) for each in self.warnings),
            inputs={name: each.found() for name, each in self.variables.items()},
            filters=self.filters,
            tokens=self.tokens,
        )


class PreviewedMessageShape(Shape, frozen=True):
    """A message as people read it."""

    role: Role
    text: str


class PreviewShape(Shape, frozen=True):
    """How a prompt looks: its messages, and all their texts as one. `inputs` are those that were used.

    What is missing stands as \u27e6name\u27e7. Warnings are `missing`, `surplus` and `wrong_type`.
    """

    messages: tuple[PreviewedMessageShape, ...]
    rendered_text: str
    warnings: tuple[ProblemShape, ...]
    inputs: dict[str, Any]
    tokens: int

    @classmethod
    def of(cls, preview: Preview) -> PreviewShape:
        """Return the preview as JSON."""
        return cls(
            messages=tuple(shown(each, PreviewedMessageShape) for each in preview.messages),
            rendered_text="\n\n".join(each.text for each in preview.messages),
            warnings=tuple(map(ProblemShape.of, preview.warnings)),
            inputs=preview.inputs,
            tokens=preview.tokens,
        )

    def preview(self) -> Preview:
        """Return the preview that the JSON says."""
        return Preview(
            messages=tuple(read(each, PreviewedMessage) for each in self.messages),
            warnings=tuple(read(each, Problem) for each in self.warnings),
            inputs=self.inputs,
            tokens=self.tokens,
        )


class CatalogueVariableRequest(Request, frozen=True, kw_only=True):
    """An input that templates of a type usually read; its JSON Schema holds its `description` and `examples`."""

    name: str
    json_schema: dict[str, Any] = {}
    aliases: tuple[str, ...] = ()


class TemplateTypeRequest(Request, frozen=True, kw_only=True):
    """`PUT /api/v1/prompts/types/{name}`: all that the type is."""

    description: str = ""
    variables: tuple[CatalogueVariableRequest, ...] = ()

    @classmethod
    def of(cls, kind: TemplateType) -> TemplateTypeRequest:
        """Return a type as JSON. Raises InvalidInput for what JSON cannot hold."""
        plain = msgspec.to_builtins(kind)
        plain.pop("name")
        check_json(plain, pointer="")
        return convert(plain, cls)

    def kind(self, name: str) -> TemplateType:
        """Return the type."""
        said = {"name": name, "description": self.description, **msgspec.to_builtins(self)}
        return msgspec.convert(said, TemplateType)


class CatalogueVariableShape(Shape, frozen=True):
    """An input that templates of a type usually read. `type` is its JSON type, "" where that is not one."""

    name: str
    type: str
    description: str
    example: Any
    aliases: tuple[str, ...]
    json_schema: dict[str, Any]

    @classmethod
    def of(cls, variable: CatalogueVariable) -> CatalogueVariableShape:
        """Return the input as JSON."""
        kind = variable.json_schema.get("type")
        return cls(
            name=variable.name,
            type=kind if isinstance(kind, str) else "",
            description=variable.description,
            example=variable.example,
            aliases=variable.aliases,
            json_schema=variable.json_schema,
        )


class TemplateTypeShape(Shape, frozen=True):
    """A type of templates with its catalogue."""

    name: str
    description: str
    variables: tuple[CatalogueVariableShape, ...]

    @classmethod
    def of(cls, kind: TemplateType) -> TemplateTypeShape:
        """Return the type as JSON."""
        variables = tuple(map(CatalogueVariableShape.of, kind.variables))
        return cls(name=kind.name, description=kind.description, variables=variables)

    def kind(self) -> TemplateType:
        """Return the type that the JSON says."""
        return read(self, TemplateType)


class TemplateTypeList(Shape, frozen=True):
    """Types of templates by name."""

    items: tuple[TemplateTypeShape, ...]

    @classmethod
    def of(cls, kinds: Sequence[TemplateType]) -> TemplateTypeList:
        """Return the types as JSON."""
        return cls(items=tuple(map(TemplateTypeShape.of, kinds)))

    def kinds(self) -> list[TemplateType]:
        """Return the types that the JSON says."""
        return [item.kind() for item in self.items]


class WordShape(Shape, frozen=True):
    """A filter, function or test of the template language. Rendering the example gives the result."""

    kind: Literal["filter", "function", "test"]
    family: str
    name: str
    signature: str
    description: str
    example: str
    result: str


class WordList(Shape, frozen=True):
    """All that templates can use, beside the statements of the language."""

    filters: tuple[WordShape, ...]
    functions: tuple[WordShape, ...]
    tests: tuple[WordShape, ...]

    @classmethod
    def of(cls, words: Sequence[Word]) -> WordList:
        """Return the words as JSON."""
        shapes = [shown(word, WordShape) for word in words]
        return cls(
            filters=tuple(shape for shape in shapes if shape.kind == "filter"),
            functions=tuple(shape for shape in shapes if shape.kind == "function"),
            tests=tuple(shape for shape in shapes if shape.kind == "test"),
        )

    def words(self) -> list[Word]:
        """Return the words that the JSON says."""
        return [read(shape, Word) for shape in (*self.filters, *self.functions, *self.tests)]


class PromptStatsShape(Shape, frozen=True):
    """How many prompts there are. All but `by_status` count those that are not archived."""

    prompts: int
    versions: int
    by_type: dict[str, int]
    by_language: dict[str, int]
    by_status: dict[str, int]
    by_scope: dict[str, int]
    by_strategy: dict[str, int]
    tags: dict[str, int]

    @classmethod
    def of(cls, stats: PromptStats) -> PromptStatsShape:
        """Return the figures as JSON."""
        return shown(stats, cls)

    def stats(self) -> PromptStats:
        """Return the figures that the JSON says."""
        return read(self, PromptStats)


def _one(given: Mapping[str, Any]) -> Any:
    """Return the one value that is given. Raises InvalidInput if there is none, or more."""
    found = {name: value for name, value in given.items() if value is not UNSET}
    if len(found) == 1:
        return next(iter(found.values()))
    said = "give one of " + ", ".join(given)
    wrong = [*found][1:] or [next(iter(given))]
    raise InvalidInput(said, problems=tuple((f"/{name}", said) for name in wrong))


def _first(problems: Sequence[Problem]) -> str | None:
    if not problems:
        return None
    first = problems[0]
    return f"line {first.line}: {first.message}" if first.line else first.message
