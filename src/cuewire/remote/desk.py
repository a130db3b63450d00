"""What a program needs that reads prompts from elsewhere and renders them itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from cuewire.model.errors import CuewireError
from cuewire.ports import Clock, PromptsFace, Renderer
from cuewire.remote.reader import PromptReader


class PromptDesk:
    """Reads with patience, renders, and publishes. The renderer and the registry are opened when they are needed."""

    def __init__(
        self,
        reader: PromptReader,
        *,
        prompts: Callable[[], Awaitable[PromptsFace]],
        make_renderer: Callable[[], Renderer],
        clock: Clock,
        close: Callable[[], Awaitable[None]],
    ) -> None:
        self.reader = reader
        self.prompts = prompts
        self.clock = clock
        self._make_renderer = make_renderer
        self._renderer: Renderer | None = None
        self._close = close

    @property
    def renderer(self) -> Renderer:
        """What renders templates, in this process and in those of its pool."""
        if self._renderer is None:
            self._renderer = self._make_renderer()
        return self._renderer

    async def close(self) -> None:
        """Release everything."""
        try:
            if self._renderer is not None:
                await self._renderer.close()
        finally:
            await self._close()


class _App(Protocol):
    @property
    def prompts(self) -> PromptsFace: ...

    async def close(self) -> None: ...


A = TypeVar("A", bound=_App)


class OpenedLater(Generic[A]):
    """An App that is opened at its first need; an opening that failed is tried again by who needs it next."""

    def __init__(self, open_app: Callable[[], Coroutine[Any, Any, A]]) -> None:
        self._open_app = open_app
        self._opening: asyncio.Task[A] | None = None

    async def prompts(self) -> PromptsFace:
        """Return the registry; the opening goes on when the caller is cancelled. Raises what it raises."""
        opening = self._opening
        if opening is None or (opening.done() and opening.exception()):
            opening = self._opening = asyncio.create_task(self._open_app())
        return (await asyncio.shield(opening)).prompts

    async def close(self) -> None:
        """Close the App if it was opened."""
        if self._opening is not None:
            self._opening.cancel()  # which does nothing to one that has ended
            with suppress(CuewireError, asyncio.CancelledError):
                await (await self._opening).close()
