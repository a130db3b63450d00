"""Query strings of the lists. For the server only, which FastAPI reads them for; clients need no pydantic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self, TypeAlias, cast
from urllib.parse import parse_qs

from msgspec.structs import replace
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cuewire.model.bundles import Format
from cuewire.model.errors import InvalidInput
from cuewire.model.executions import Status
from cuewire.model.pages import MAX_PAGE
from cuewire.model.prompts import Home, PromptFilter, PromptSort, PromptStatus
from cuewire.model.references import check_language
from cuewire.model.reviews import ReviewStatus

PromptOrder: TypeAlias = Literal[
    "name",
    "-name",
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
    "template_type",
    "-template_type",
    "language",
    "-language",
    "id",
    "-id",
]
"""What a list of prompts can be sorted by."""

_Limit = Annotated[int, Field(ge=1, le=MAX_PAGE, description="how many")]
_AfterEvent = Annotated[int, Field(ge=0, lt=2**63, description="the id of the last event seen")]
_After = Annotated[str | None, Field(max_length=1_000, description="the `next` of the page before")]


class _Query(BaseModel):
    """What FastAPI reads, or `of` where it does not."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def of(cls, query_string: str) -> Self:
        """Return what the query of a URL says. Raises InvalidInput."""
        said = parse_qs(query_string, keep_blank_values=True)
        try:
            return cls.model_validate({key: values if key == "name" else values[-1] for key, values in said.items()})
        except ValidationError as error:
            raise misread([(found["loc"], found["msg"]) for found in error.errors()]) from None


class LanguageQuery(_Query):
    """Which of the prompts of a name and strategy is meant."""

    language: Annotated[str | None, Field(max_length=40, description="as in en or pt-BR")] = None


class HomeQuery(LanguageQuery):
    """Which of the prompts of a name is meant."""

    strategy: Annotated[str | None, Field(max_length=128, description="its name or id; without one the global")] = None

    def home(self) -> Home:
        """Return it as the registry takes it."""
        return {"strategy": self.strategy, "language": self.language}


class ShownQuery(HomeQuery):
    """Which prompt to show."""

    archived: Annotated[bool, Field(description="show it even if it is archived")] = False


class HistoryQuery(HomeQuery):
    """Which events of a prompt to list."""

    limit: _Limit = 100
    after: _AfterEvent = 0


class EventQuery(_Query):
    """Which events to list."""

    limit: _Limit = 100
    after: _AfterEvent = 0


class RuleQuery(HomeQuery):
    """Which prompt's rules are meant."""

    prompt: Annotated[str | None, Field(max_length=128, description="its name or id; without one all prompts")] = None

    def home(self) -> Home:
        """Return where the prompt belongs. Raises InvalidInput if that is said of none."""
        if self.prompt is None and (self.strategy is not None or self.language is not None):
            raise InvalidInput("strategy and language say which prompt is meant: name it too", field="/prompt")
        return super().home()


class RuleDropQuery(RuleQuery):
    """Which rule to take back."""

    label: Annotated[str, Field(max_length=64)]


class CacheQuery(_Query):
    """Which entries of the cache to list."""

    limit: _Limit = 100
    after: _After = None


class CacheClearQuery(_Query):
    """Which entries of the cache to remove."""

    prompt: Annotated[str | None, Field(max_length=128, description="its name or id; without one all entries")] = None
    number: Annotated[int | None, Field(ge=1, lt=2**63, description="a version of the prompt")] = None


class CacheMatchQuery(CacheQuery):
    """Which answers to similar questions to list."""

    prompt: Annotated[str | None, Field(max_length=128, description="its name or id; without one all")] = None
    undecided: Annotated[bool, Field(description="only those of which nobody has said whether they were right")] = False


class TrustQuery(_Query):
    """Whose answers to similar questions."""

    prompt: Annotated[str, Field(max_length=256, description="a prompt, as name, name@label or name@number")]


class ReviewQuery(RuleQuery):
    """Which reviews to list."""

    status: Annotated[ReviewStatus | None, Field(description="without one all")] = None
    limit: _Limit = 100
    before: Annotated[int | None, Field(ge=1, lt=2**63, description="the id of the last review of the page before")] = (
        None
    )


class _WantedQuery(_Query):
    model_config = ConfigDict(populate_by_name=True)

    template_type: Annotated[str | None, Field(alias="type", max_length=128)] = None
    language: Annotated[str | None, Field(max_length=40)] = None
    name: Annotated[list[str], Field(max_length=100, description="these, or with * behind: what begins so")] = []
    status: Annotated[PromptStatus | None, Field(description="without one all that are not archived")] = None
    tag: Annotated[str | None, Field(max_length=100)] = None
    category: Annotated[str | None, Field(max_length=100)] = None
    text: Annotated[str, Field(alias="q", max_length=200, description="in the name, description or category")] = ""

    def wanted(self) -> PromptFilter:
        """Return which prompts that is."""
        return PromptFilter(
            status=self.status,
            template_type=self.template_type,
            language=None if self.language is None else check_language(self.language),
            category=self.category,
            tag=self.tag,
            names=tuple(self.name) or None,
            text=self.text,
        )


class ShelfQuery(_WantedQuery):
    """Which prompts to list, and in which order: page by page, or after a cursor."""

    page: Annotated[int | None, Field(ge=1, le=10**9, description="which page, from 1")] = None
    page_size: Annotated[int | None, Field(ge=1, le=100, description="how many on a page; 10 if not said")] = None
    limit: Annotated[int | None, Field(ge=1, le=MAX_PAGE, description="how many after a cursor")] = None
    after: _After = None
    sort: Annotated[PromptOrder, Field(description="with a minus in front the other way round")] = "name"

    def place(self) -> tuple[int | None, int]:
        """Return the number of the page, None after a cursor, and its size. Raises InvalidInput if both are asked."""
        if self.after is None and self.limit is None:
            return self.page or 1, self.page_size or 10
        if self.page is not None or self.page_size is not None:
            raise InvalidInput(
                "a list is either paged or continued after a cursor",
                problems=(("/page", "does not go with after or limit"),),
            )
        return None, self.limit or 100

    def wanted(self) -> PromptFilter:
        """Return which prompts that is, and in which order."""
        return replace(
            super().wanted(),
            sort=cast(PromptSort, self.sort.removeprefix("-")),
            descending=self.sort.startswith("-"),
        )


class _AnywhereQuery(_WantedQuery):
    strategy: Annotated[str | None, Field(max_length=128, description="its name or id")] = None
    scope: Annotated[Literal["global", "strategy"] | None, Field(description="global ones, or those of strategies")] = (
        None
    )
    with_global: Annotated[bool, Field(description="the global ones too, beside those of the strategy")] = False

    def wanted(self) -> PromptFilter:
        """Return which prompts that is."""
        return replace(
            super().wanted(),
            strategy=self.strategy,
            with_global=self.with_global,
            is_global=None if self.scope is None else self.scope == "global",
        )


class PromptQuery(_AnywhereQuery, ShelfQuery):
    """Which prompts to list, wherever they belong."""


class _FollowedQuery(_Query):
    after: Annotated[str | None, Field(max_length=100, description="the id of the last change seen")] = None


class LiveQuery(_FollowedQuery, _AnywhereQuery):
    """Which prompts to follow, the one that changed last first."""

    limit: _Limit = 100


class LiveExecutionQuery(_FollowedQuery):
    """Which executions to follow, newest first."""

    limit: Annotated[int, Field(ge=1, le=100, description="how many")] = 50
    prompt: str | None = None
    status: Status | None = None


class StrategyPromptQuery(ShelfQuery):
    """Which prompts of a strategy to list."""

    with_global: Annotated[bool, Field(description="the global ones too")] = True


class ImportQuery(_Query):
    """How to read a document."""

    format: Annotated[Format | None, Field(description="what it looks to be, if not said")] = None
    name: Annotated[str, Field(max_length=128, description="what to call a prompt without a name")] = "prompt"
    label: Annotated[list[str], Field(max_length=10, description="moves to the newest version of each")] = []
    dry_run: Annotated[bool, Field(description="only tell what would come of it")] = False


class ExportQuery(_Query):
    """What to export."""

    format: Literal["bundle", "langfuse", "prompty", "promptfoo"] = "bundle"
    name: Annotated[list[str], Field(max_length=100, description="these prompts; without one all")] = []


class ExecutionQuery(_Query):
    """Which executions to list."""

    limit: _Limit = 100
    after: _After = None
    prompt: str | None = None
    status: Status | None = None


def misread(found: Sequence[tuple[Sequence[str | int], str]]) -> InvalidInput:
    """Return the error that says which parameters are wrong, and how."""
    problems = tuple(("/" + "/".join(map(str, place)), said[:1].lower() + said[1:]) for place, said in found)
    return InvalidInput("; ".join(f"{pointer[1:]}: {what}" for pointer, what in problems[:5]), problems=problems)
