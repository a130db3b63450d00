"""Prompts as JSON: what is published and changed, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from cuewire.model.pages import Page
from cuewire.model.policies import Policy
from cuewire.model.prompts import (
    Content,
    Details,
    Home,
    Prompt,
    PromptStatus,
    PromptVersion,
    PublishOptions,
)
from cuewire.model.references import DEFAULT_LABEL
from cuewire.model.text import check_json
from cuewire.wire.policies import WrittenPolicy
from cuewire.wire.shapes import Instant, Request, Shape, read, shown
from cuewire.wire.strict_json import convert
from cuewire.wire.versions import VersionShape, WrittenContent, plain_content

_NONE: Mapping[str, int] = {}


class VersionRequest(Request, frozen=True, kw_only=True):
    """What a version says beside its content; what is absent is as for a new one, or as in the version it is made from.

    `output` is the name of a kind, a list of choices, an example of the answer as {"example": ...}, or a JSON Schema. A
    `lenient` version takes what inputs it gets.
    """

    model: str | None | UnsetType = UNSET
    output: str | list[str] | dict[str, Any] | None | UnsetType = UNSET
    parameters: dict[str, Any] | UnsetType = UNSET
    variables: dict[str, dict[str, Any]] | UnsetType = UNSET
    lenient: bool | UnsetType = UNSET
    policy: WrittenPolicy | None | UnsetType = UNSET
    note: str | UnsetType = UNSET
    labels: list[str] = []


class DetailsRequest(VersionRequest, frozen=True, kw_only=True):
    """What is said of a prompt beside its versions; what is absent stays as it is."""

    description: str | UnsetType = UNSET
    template_type: str | UnsetType = UNSET
    category: str | UnsetType = UNSET
    tags: list[str] | UnsetType = UNSET


class NewPromptRequest(DetailsRequest, frozen=True, kw_only=True):
    """`POST /api/v1/strategies/{name}/prompts`: a new prompt with its first version.

    That goes to production unless `publish` is false. `content` is one template text, or messages as {"role",
    "content"} and placeholders as {"type": "messages", "input"}.
    """

    name: str
    content: WrittenContent
    language: str | None = None
    publish: bool = True


class CreateRequest(NewPromptRequest, frozen=True, kw_only=True):
    """`POST /api/v1/prompts/`: the same, for a strategy by its name or id, or without one as a global prompt."""

    strategy: str | int | None = None


class UpdateRequest(DetailsRequest, frozen=True, kw_only=True):
    """`PUT /api/v1/prompts/{prompt}`: with `content` a new version, which goes to production unless `publish` is false.

    A version says all that it is: its model and output are those of the request. Without content only what is said of
    the prompt changes. `is_active` lets it run, or not.
    """

    content: WrittenContent | UnsetType = UNSET
    publish: bool = True
    is_active: bool | UnsetType = UNSET

    @classmethod
    def of(cls, content: Content, *, labels: Sequence[str], publish: bool, options: PublishOptions) -> UpdateRequest:
        """Return what `PromptsFace.publish` was given as JSON. Raises InvalidInput for what JSON cannot hold."""
        given = {name: value for name, value in options.items() if name not in _NOT_SAID}
        return _converted(given, cls, content=plain_content(content), labels=[*labels], publish=publish)

    @classmethod
    def edit(cls, details: Mapping[str, Any], *, is_active: bool | UnsetType) -> UpdateRequest:
        """Return what `PromptsFace.edit` was given as JSON. Raises InvalidInput for what JSON cannot hold."""
        return _converted(details, cls, **({} if is_active is UNSET else {"is_active": is_active}))


class DraftRequest(DetailsRequest, frozen=True, kw_only=True):
    """`POST /api/v1/prompts/{prompt}/versions`: a version made from version `parent`, else the newest.

    What is absent is as it is there; with nothing given it is that version once more. Moves no label but those given.
    """

    parent: int | None = None
    content: WrittenContent | None = None

    @classmethod
    def of(
        cls, parent: int, content: Content | None, *, labels: Sequence[str], options: PublishOptions
    ) -> DraftRequest:
        """Return what `PromptsFace.draft` was given as JSON. Raises InvalidInput for what JSON cannot hold."""
        given = {name: value for name, value in options.items() if name not in _NOT_SAID}
        plain = None if content is None else plain_content(content)
        return _converted(given, cls, parent=parent, content=plain, labels=[*labels])


class CloneRequest(Request, frozen=True, kw_only=True):
    """`POST /api/v1/prompts/{prompt}/clone`: the name of the new prompt, and where it belongs."""

    name: str
    strategy: str | int | None = None
    language: str | None = None


class LabelRequest(Request, frozen=True, kw_only=True):
    """`POST /api/v1/prompts/{prompt}/labels`: move a label to a version.

    With `expected` the label must be on that version before, 0 for none.
    """

    label: str
    number: int
    expected: int | None = None


class PromptShape(Shape, frozen=True):
    """A prompt: a name with history; `labels` maps each label to the number of its version.

    `strategy` is null for a global prompt. `revision` counts the changes: send it back in If-Match.
    """

    id: int
    name: str
    strategy: str | None
    language: str
    description: str
    template_type: str
    category: str
    tags: tuple[str, ...]
    status: PromptStatus
    labels: dict[str, int]
    versions: int
    revision: int
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, prompt: Prompt) -> PromptShape:
        """Return the prompt as JSON."""
        return shown(prompt, cls)

    def prompt(self) -> Prompt:
        """Return the prompt that the JSON says."""
        return read(self, Prompt)


class PromptDetailShape(PromptShape, frozen=True, kw_only=True):
    """A prompt with the version that it runs: the one in production, else the newest."""

    current: VersionShape

    @classmethod
    def with_version(cls, prompt: Prompt, version: PromptVersion) -> PromptDetailShape:
        """Return the prompt and its version as JSON."""
        plain = msgspec.to_builtins(prompt) | {"current": msgspec.to_builtins(VersionShape.of(version))}
        return msgspec.convert(plain, cls)


class PublishedShape(Shape, frozen=True):
    """A version that was stored, and its prompt. `published` says whether it is the one in production by now.

    A label that it was to get and has not is protected, or not for the caller to move; `reviews` maps each label that
    waits for a decision to the id of its review.
    """

    prompt: PromptShape
    version: VersionShape
    published: bool
    reviews: dict[str, int] = {}

    @classmethod
    def of(cls, prompt: Prompt, version: PromptVersion, *, reviews: Mapping[str, int] = _NONE) -> PublishedShape:
        """Return what was stored as JSON."""
        return cls(
            prompt=PromptShape.of(prompt),
            version=VersionShape.of(version),
            published=prompt.labels.get(DEFAULT_LABEL) == version.number,
            reviews=dict(reviews),
        )


class PromptPage(Shape, frozen=True):
    """Prompts in the order asked for; `next` continues the list with `?after=`. `page` is null in a list after one."""

    items: tuple[PromptShape, ...]
    total: int | None
    page: int | None
    page_size: int
    next: str | None

    @classmethod
    def of(cls, page: Page[Prompt], *, number: int | None, size: int) -> PromptPage:
        """Return the page as JSON."""
        items = tuple(PromptShape.of(item) for item in page.items)
        return cls(items=items, total=page.total, page=number, page_size=size, next=page.next)

    def prompts(self) -> Page[Prompt]:
        """Return the page that the JSON says."""
        return Page(items=tuple(item.prompt() for item in self.items), next=self.next, total=self.total)


def version_options(asked: VersionRequest) -> dict[str, Any]:
    """Return what a request says of the version, and of the prompt, by the keywords of `PromptsFace.publish`."""
    return {name: value for name in _OPTIONS if hasattr(asked, name) and (value := getattr(asked, name)) is not UNSET}


TAKEN_NAMES = frozenset(
    {"export", "filters", "import", "render", "stats", "subscribe", "types", "validate", "variables"}
)
"""What a path means otherwise where a prompt's name stands; of a prompt with such a name it says `%73tats`."""
_NOT_SAID = frozenset({*Home.__annotations__, "parent"})
"""What the path and the query say, or the registry finds itself."""
_OPTIONS = ("model", "output", "parameters", "variables", "lenient", "policy", "note", *Details.__annotations__)

R = TypeVar("R", bound=Request)


def _converted(given: Mapping[str, Any], kind: type[R], **more: Any) -> R:
    plain = {**given, **more}
    if isinstance(policy := plain.get("policy"), Policy):
        plain["policy"] = msgspec.to_builtins(policy)
    check_json(plain, pointer="")
    return convert(plain, kind)


def home_of(strategy: str | int | None, language: str | None) -> Home:
    """Return where a prompt belongs; a strategy is told by name or id."""
    return {"strategy": None if strategy is None else str(strategy), "language": language}
