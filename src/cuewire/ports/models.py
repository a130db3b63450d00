"""Who answers, what it costs, and how its templates are rendered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from cuewire.model.analyses import Marked, Report
from cuewire.model.embeddings import EmbeddingRequest, Embeddings
from cuewire.model.includes import NOTHING, Includes, Mention
from cuewire.model.prices import Rates
from cuewire.model.prompts import Inputs, Variable
from cuewire.model.requests import ModelRef, ModelRequest
from cuewire.model.results import Answer

Listener: TypeAlias = Callable[[str], Awaitable[None]]
"""Gets each run of text of a streamed answer, in order; the provider reads on when it returns."""


class Provider(Protocol):
    """One wire format at one origin. Safe for any number of concurrent calls."""

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        """Make one model call and return the complete answer; with a listener the answer is streamed to it.

        Costs money. Raises ProviderError; when cancelled, the upstream connection is closed within a second.
        """
        ...

    async def models(self) -> Sequence[str]:
        """Return the names of the models that the provider lists. Raises ProviderError."""
        ...

    async def close(self) -> None:
        """Release connections and processes."""
        ...


@runtime_checkable
class Embedder(Protocol):
    """What a provider is, besides, if it has models that turn texts into vectors. Concurrency as with calls."""

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Return the vectors of the inputs. Costs money. Raises ProviderError; cancelled as a call is."""
        ...


class Providers(Protocol):
    """The configured providers by name."""

    def get(self, name: str) -> Provider:
        """Return a provider, made on first use. Raises ModelNotFound or MissingExtra."""
        ...

    def embedder(self, name: str) -> Embedder:
        """Return a provider that embeds. Raises as `get`, and ModelNotFound if it has no models for that."""
        ...

    def names(self) -> Sequence[str]:
        """Return the names of all providers that could be used, sorted."""
        ...

    def ready(self) -> Sequence[str]:
        """Return the names of those that are set up for use, sorted."""
        ...

    async def close(self) -> None:
        """Close those that were used."""
        ...


class PriceBook(Protocol):
    """Prices by provider, model and date."""

    def rates(self, model: ModelRef, at: datetime) -> Rates | None:
        """Return what the model's tokens cost at that time, None when it is not known. Never raises; cached."""
        ...


WhenMissing: TypeAlias = Literal["raise", "empty"]
"""What a render does for a value that is missing."""


class Renderer(Protocol):
    """Templates in, text out."""

    async def render(
        self,
        templates: tuple[str, ...],
        inputs: Inputs,
        *,
        key: str,
        at: datetime | None = None,
        includes: Includes = NOTHING,
        missing: WhenMissing = "raise",
    ) -> tuple[str, ...]:
        """Render the templates of one version, in order, with the texts of other prompts that they take in.

        `key` identifies the templates' content: equal keys must mean equal templates and includes, so that they compile
        once. `at` is the instant that the templates' `now` and `today` give; by default the time at which the render
        begins. What is `missing` is an error, or empty: it prints nothing. Raises TemplateError. Bounded in time,
        memory and output.
        """
        ...

    async def preview(
        self, templates: tuple[str, ...], inputs: Inputs, *, at: datetime | None = None, includes: Includes = NOTHING
    ) -> Marked:
        """Render templates, with the names of what is missing in its place. Otherwise as `render`."""
        ...

    async def analyse(self, template: str, *, includes: Includes | None = NOTHING) -> Report:
        """Return all that is known of a template without rendering it; what is wrong with it raises nothing.

        With None what the template takes in is not looked at.
        """
        ...

    async def references(self, templates: tuple[str, ...]) -> Sequence[Mention]:
        """Return where the templates take in other prompts, in order. Raises TemplateError."""
        ...

    async def variables(self, templates: tuple[str, ...], *, includes: Includes = NOTHING) -> Mapping[str, Variable]:
        """Return what the templates and what they include read, each with what can be told of it.

        They come in order of appearance. Raises TemplateError if a template cannot be used, so that publishing refuses
        it.
        """
        ...

    async def close(self) -> None:
        """Stop the worker processes."""
        ...
