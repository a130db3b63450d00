"""Prompts as data: what they are and where they belong, messages, and immutable versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict

from cuewire.model.includes import NOTHING, Includes
from cuewire.model.outputs import OutputKind
from cuewire.model.policies import PLAIN, Policy
from cuewire.model.references import DEFAULT_LANGUAGE
from cuewire.model.values import Json, Value

AuthoredRole: TypeAlias = Literal["system", "developer", "user", "assistant"]

PromptStatus: TypeAlias = Literal["active", "inactive", "archived"]
"""An inactive prompt does not run until it is activated; an archived one is kept for its history."""

PromptSort: TypeAlias = Literal["name", "created_at", "updated_at", "template_type", "language", "id"]
GENERAL = "general"
"""The type of a template of which nothing else is said."""
AD_HOC = "adhoc"
"""The prompt under which messages without a stored prompt are recorded; its one version is the input `messages`."""
EMBEDDINGS = "embeddings"
"""The prompt under which embeddings are recorded."""
BUILT_IN = frozenset({AD_HOC, EMBEDDINGS})
"""What nobody wrote, and nobody means when they ask for their prompts."""


class Image(Value, frozen=True, tag="image", kw_only=False):
    """An image in a message: `input` names the input that gives its URL or data URI."""

    input: str


class Message(Value, frozen=True, tag="message", kw_only=False):
    """The template of one chat message; content is Jinja2 text, or a sequence of such texts and images."""

    role: AuthoredRole
    content: str | tuple[str | Image, ...]


class Placeholder(Value, frozen=True, tag="messages", kw_only=False):
    """A place for a list of messages (a chat history) that the caller gives as the input `input`."""

    input: str


MessageTemplate: TypeAlias = Message | Placeholder


class Variable(Value, frozen=True):
    """One input of a version. `json_schema` is empty when any JSON value will do; an absent input takes `default`.

    A `default` of None is null only if `json_schema` has one too, else it is none: the templates do without the input.
    """

    kind: Literal["value", "messages", "image"] = "value"
    json_schema: dict[str, Any] = {}
    required: bool = True
    default: Any = None

    @property
    def has_default(self) -> bool:
        """Tell whether the input takes `default` where it is absent."""
        return not self.required and (self.default is not None or "default" in self.json_schema)


class DraftOptions(TypedDict, total=False):
    """What `publish` takes by keyword of the version itself, beside its variables.

    `output` is a kind's name, a list of choices, an example of the answer as {"example": ...}, or a JSON Schema. With
    `lenient` inputs may be missing or surplus.
    `parent` is the number of the version that this one was made from, else the newest. `policy` says how runs go about
    it, as a Policy or in its JSON form.
    """

    model: str | None
    output: str | Sequence[str] | Mapping[str, Any] | None
    parameters: Mapping[str, Any]
    note: str
    lenient: bool
    parent: int | None
    policy: Mapping[str, Any] | Policy | None


class VersionOptions(DraftOptions, total=False):
    """What `publish` takes by keyword of the version itself.

    `variables` gives a JSON Schema per input, with `default` where the input may be left out.
    """

    variables: Mapping[str, Mapping[str, Any]]


class Details(TypedDict, total=False):
    """What is said of a prompt beside its versions. What is absent stays as it is."""

    description: str
    template_type: str
    category: str
    tags: Sequence[str]


class Home(TypedDict, total=False):
    """Where a prompt of a name belongs: to a strategy, by its name or id, or to none; and its language."""

    strategy: str | None
    language: str | None


class EditOptions(Details, Home, total=False):
    """What `edit` takes by keyword. With a `revision` the prompt must still have it."""

    status: Literal["active", "inactive"]
    revision: int | None


class PublishOptions(VersionOptions, Details, Home, total=False):
    """What `publish` takes by keyword: of the version, of the prompt, and where the prompt belongs."""


Content: TypeAlias = str | Sequence[MessageTemplate | Mapping[str, Any]]
"""What `publish` takes as content: one template text, or messages."""


class VersionDraft(Value, frozen=True):
    """All that a version holds, before it has a number. Equal drafts have equal content hashes."""

    prompt: str
    messages: tuple[MessageTemplate, ...]
    variables: dict[str, Variable]
    model: str | None
    parameters: dict[str, Any]
    output: OutputKind
    content_hash: str
    includes: Includes = NOTHING
    lenient: bool = False
    parent: int | None = None
    note: str = ""
    policy: Policy = PLAIN


class PromptVersion(Value, frozen=True):
    """An immutable version of a prompt."""

    id: int
    prompt_id: int
    prompt: str
    number: int
    messages: tuple[MessageTemplate, ...]
    variables: dict[str, Variable]
    model: str | None
    parameters: dict[str, Any]
    output: OutputKind
    content_hash: str
    note: str
    created_at: datetime
    includes: Includes = NOTHING
    lenient: bool = False
    parent: int | None = None
    author: str = ""
    strategy: str | None = None
    language: str = DEFAULT_LANGUAGE
    labels: tuple[str, ...] = ()
    policy: Policy = PLAIN

    @property
    def text(self) -> str | None:
        """The template text, if the version is one plain user message."""
        match self.messages:
            case (Message(role="user", content=str() as content),):
                return content
        return None


class Prompt(Value, frozen=True):
    """A prompt: a name with history, in one language, of one strategy or global.

    `labels` maps each label to the number of the version that carries it. `revision` counts the changes, so that who
    changes it can say which state they mean.
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
    created_at: datetime
    updated_at: datetime

    @property
    def archived(self) -> bool:
        """Tell whether it is kept for its history alone."""
        return self.status == "archived"


class PromptFilter(Value, frozen=True):
    """Which prompts are wanted, in which order; what is None does not matter. The built-in ones never are.

    Without a status all are wanted that are not archived. With `with_global` the global prompts come with those of the
    strategy. `text` is looked for in names, descriptions and categories. `names` are names, or beginnings of them with
    a `*` behind.
    """

    status: PromptStatus | None = None
    template_type: str | None = None
    language: str | None = None
    category: str | None = None
    tag: str | None = None
    strategy: str | None = None
    with_global: bool = False
    is_global: bool | None = None
    text: str = ""
    names: tuple[str, ...] | None = None
    sort: PromptSort = "name"
    descending: bool = False


EVERY_PROMPT = PromptFilter()


class PromptStats(Value, frozen=True):
    """How many prompts there are. All but `by_status` count those that are not archived.

    `by_scope` tells global ones from those of strategies, of which `by_strategy` counts each. `versions` are those of
    the prompts counted.
    """

    prompts: int
    versions: int
    by_type: dict[str, int]
    by_language: dict[str, int]
    by_status: dict[str, int]
    by_scope: dict[str, int]
    by_strategy: dict[str, int]
    tags: dict[str, int]


Inputs: TypeAlias = Mapping[str, Json]
