"""`Langfuse`: the client that programs of Langfuse hold for their prompts, here over a Cuewire server or database.

Prompts alone: there is nothing of traces, scores and datasets.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import lru_cache, partial
from math import inf
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, overload

from cuewire.compat.langfuse_prompts import (
    ChatPromptClient,
    TextPromptClient,
    fallback_client,
    messages_of,
    prompt_client,
)
from cuewire.compat.prompt_cache import PromptCache, Wanted
from cuewire.config import load, with_program_database
from cuewire.model.errors import ConfigError, CuewireError, InvalidInput
from cuewire.model.references import DEFAULT_LABEL, LATEST, check_label, check_name, check_number

if TYPE_CHECKING:
    from cuewire.model.prompts import PromptVersion
    from cuewire.wiring import PromptDesk

__all__ = ["ChatPromptClient", "Langfuse", "TextPromptClient", "get_client"]

AnyPrompt: TypeAlias = TextPromptClient | ChatPromptClient
ChatContent: TypeAlias = Sequence[Mapping[str, Any]]

logger = logging.getLogger("cuewire.prompts")

LABEL_TTL_S = 60.0
"""How old the version of a label may be by default; that of a number never changes."""
TIMEOUT_S = 5.0
RETRIES, MAX_RETRIES = 2, 4
_KEY_PREFIX = "cw_"


class _Source(NamedTuple):
    """Where prompts are, and the API key that a program gives; without one it is the one of the settings."""

    server: str
    database: str
    secret_key: str | None
    data_folder: Path


class Langfuse:
    """The prompts of a Cuewire server or database, for any number of threads.

    Clients of one source share its connection and its cache, so that one may be made wherever it is needed.
    """

    def __init__(
        self,
        *,
        public_key: str | None = None,
        secret_key: str | None = None,
        base_url: str | None = None,
        host: str | None = None,
        timeout: float | None = None,
        **tracing: Any,
    ) -> None:
        """Nothing is opened or sent yet.

        `base_url`, or `host`, is the address of a Cuewire server, `secret_key` an API key of it; what is not given is
        taken from Cuewire's settings (CUEWIRE_SERVER, CUEWIRE_TOKEN, CUEWIRE_DATABASE_URL, cuewire.toml), and the
        database from DATABASE_URL if they name none. Nothing is read from LANGFUSE_ variables. `public_key` is a name
        for `get_client` to find the client by. `timeout` is in seconds, for one try. Whatever else is given is about
        traces and has no effect. Raises ConfigError.
        """
        from cuewire.wiring import connect_prompts  # the adapters are needed from now on

        if secret_key and not secret_key.startswith(_KEY_PREFIX):
            raise ConfigError(
                "secret_key is not an API key of Cuewire",
                hint=f"keys begin with {_KEY_PREFIX}; where the server runs, cuewire keys create NAME makes one",
                field="secret_key",
            )
        self._timeout_s = TIMEOUT_S if timeout is None else float(timeout)
        settings = with_program_database(load({"server": base_url or host, "token": secret_key}))
        source = _Source(settings.server, settings.database_url, secret_key, settings.data_folder)
        self._cache = _cache_of(source, partial(connect_prompts, settings))
        self.async_api = AsyncApi(self)
        _clients.setdefault((source, public_key), self)

    @overload
    def get_prompt(
        self,
        name: str,
        *,
        version: int | None = None,
        label: str | None = None,
        type: Literal["chat"],
        cache_ttl_seconds: float | None = None,
        fallback: ChatContent | None = None,
        max_retries: int | None = None,
        fetch_timeout_seconds: float | None = None,
    ) -> ChatPromptClient: ...

    @overload
    def get_prompt(
        self,
        name: str,
        *,
        version: int | None = None,
        label: str | None = None,
        type: Literal["text"] = "text",
        cache_ttl_seconds: float | None = None,
        fallback: str | None = None,
        max_retries: int | None = None,
        fetch_timeout_seconds: float | None = None,
    ) -> TextPromptClient: ...

    def get_prompt(
        self,
        name: str,
        *,
        version: int | None = None,
        label: str | None = None,
        type: Literal["text", "chat"] = "text",
        cache_ttl_seconds: float | None = None,
        fallback: str | ChatContent | None = None,
        max_retries: int | None = None,
        fetch_timeout_seconds: float | None = None,
    ) -> AnyPrompt:
        """Return the version of a prompt that carries the label, by default `production`, or that has the number.

        It comes from this process's memory for `cache_ttl_seconds`, 60 by default for a label and without end for a
        number, and is then returned once more while it is read again; 0 asks the server each time. While the server
        does not answer, the version that was known last is returned, from memory or from the disk; where there is none
        the fallback; and only without that the error is raised. A try may take `fetch_timeout_seconds` and is repeated
        `max_retries` times, 2 by default and 4 at most.

        Raises NotFound for what does not exist (any more), InvalidInput, ServerError, StoreError; with a fallback
        InvalidInput only. Blocks its thread meanwhile.
        """
        reference = _reference(name, version, label)
        if cache_ttl_seconds is None:
            cache_ttl_seconds = LABEL_TTL_S if version is None else inf
        wanted = Wanted(
            reference,
            ttl_s=cache_ttl_seconds,
            timeout_s=self._timeout_s if fetch_timeout_seconds is None else fetch_timeout_seconds,
            retries=RETRIES if max_retries is None else min(max(max_retries, 0), MAX_RETRIES),
            has_fallback=bool(fallback),
        )
        try:
            return prompt_client(self._cache.get(wanted), self._cache, as_chat=type == "chat")
        except CuewireError as error:
            if not fallback or isinstance(error, InvalidInput):
                raise
            logger.warning("prompts.fallback reference=%s reason=%s", reference, error.code)
        return fallback_client(name, fallback, self._cache, number=version, labels=(label,) if label else ())

    @overload
    def create_prompt(
        self,
        *,
        name: str,
        prompt: ChatContent,
        labels: Sequence[str] = (),
        tags: Sequence[str] | None = None,
        type: Literal["chat"],
        config: Mapping[str, Any] | None = None,
        commit_message: str | None = None,
    ) -> ChatPromptClient: ...

    @overload
    def create_prompt(
        self,
        *,
        name: str,
        prompt: str,
        labels: Sequence[str] = (),
        tags: Sequence[str] | None = None,
        type: Literal["text"] = "text",
        config: Mapping[str, Any] | None = None,
        commit_message: str | None = None,
    ) -> TextPromptClient: ...

    def create_prompt(
        self,
        *,
        name: str,
        prompt: str | ChatContent,
        labels: Sequence[str] = (),
        tags: Sequence[str] | None = None,
        type: Literal["text", "chat"] = "text",
        config: Mapping[str, Any] | None = None,
        commit_message: str | None = None,
    ) -> AnyPrompt:
        """Publish a version of a prompt, with the labels moved to it, and forget what was cached of the prompt.

        `config` is the model, as `provider/model`, and its parameters. The first version of a prompt gets the label
        `production` in any case, and what equals the newest version is no new one. Raises InvalidInput, TemplateError,
        Conflict, ServerError, StoreError.
        """
        if isinstance(prompt, str) is not (type == "text"):
            raise InvalidInput(
                f"this is no prompt of the type {type!r}",
                field="/prompt",
                hint="a text is a str, a chat a list of messages",
            )
        parameters = {**(config or {})}
        options: dict[str, Any] = {
            "labels": [label for label in labels if label != LATEST],
            "model": parameters.pop("model", None),
            "parameters": parameters,
            "note": commit_message or "",
            **({} if tags is None else {"tags": [*tags]}),
        }
        content = messages_of(prompt)

        async def publish(desk: PromptDesk) -> PromptVersion:
            return await (await desk.prompts()).publish(name, content, **options)

        return self._changed(name, publish, as_chat=type == "chat")

    def update_prompt(self, *, name: str, version: int, new_labels: Sequence[str] = ()) -> AnyPrompt:
        """Move labels to a version, and forget what was cached of the prompt.

        Raises NotFound, InvalidInput, Conflict, ServerError, StoreError.
        """

        async def label(desk: PromptDesk) -> PromptVersion:
            prompts = await desk.prompts()
            for each in new_labels:
                await prompts.label(name, each, version)
            return await prompts.get(_reference(name, version, None))

        return self._changed(name, label, as_chat=False)

    def clear_prompt_cache(self) -> None:
        """Forget what this process has read; what is on the disk stays."""
        self._cache.forget()

    def flush(self) -> None:
        """Do nothing: there is nothing that waits to be sent."""

    def shutdown(self) -> None:
        """Close the connection, also for other clients of the same source; the next need opens it again."""
        self._cache.close()

    def _changed(
        self, name: str, work: Callable[[PromptDesk], Coroutine[Any, Any, PromptVersion]], *, as_chat: bool
    ) -> AnyPrompt:
        try:
            return prompt_client(self._cache.run(work), self._cache, as_chat=as_chat)
        finally:
            self._cache.forget(name)


class AsyncApi:
    """`async_api` of a client."""

    def __init__(self, client: Langfuse) -> None:
        self.prompts = AsyncPrompts(client)


class AsyncPrompts:
    """`async_api.prompts` of a client."""

    def __init__(self, client: Langfuse) -> None:
        self._client = client

    async def get(self, prompt_name: str, *, version: int | None = None, label: str | None = None) -> AnyPrompt:
        """Return a prompt as `get_prompt` does, without blocking the event loop."""
        return await asyncio.to_thread(self._client.get_prompt, prompt_name, version=version, label=label)


def get_client(*, public_key: str | None = None) -> Langfuse:
    """Return the client of this process, made of the settings if there is none yet.

    Where there are several it is the one of the public key. Raises ConfigError if that does not say which.
    """
    found = [client for (_, key), client in [*_clients.items()] if public_key is None or key == public_key]
    if not found and public_key is None:
        return Langfuse()
    if len(found) != 1:
        raise ConfigError(
            f"{len(found) or 'no'} clients have been made that could be meant",
            hint="name one by get_client(public_key=...), as it was named by Langfuse(public_key=...)",
            field="public_key",
        )
    return found[0]


@lru_cache(maxsize=4_096)
def _reference(name: str, version: int | None, label: str | None) -> str:
    """Return how a version is named here. Raises InvalidInput."""
    if version is not None and label is not None:
        raise InvalidInput("a version is meant by its number or by a label, not by both", field="/label")
    tail = check_number(version) if version is not None else check_label(label or DEFAULT_LABEL)
    return f"{check_name(name)}@{tail}"


def _cache_of(source: _Source, connect: Callable[[], PromptDesk]) -> PromptCache:
    """Return the cache of a source, the same for all. Raises ConfigError."""

    async def open_desk() -> PromptDesk:
        return connect()

    with _lock:
        if source not in _caches:
            clock = connect().clock  # which says at once what cannot be used, and opens nothing
            _caches[source] = PromptCache(open_desk, clock=clock)
        return _caches[source]


_lock = Lock()
_caches: dict[_Source, PromptCache] = {}
_clients: dict[tuple[_Source, str | None], Langfuse] = {}
