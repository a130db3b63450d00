"""What `get_prompt` returns: a version with the names that Langfuse's clients give to its parts."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from cuewire.compat.chat_messages import from_openai, to_openai
from cuewire.compat.langchain_text import as_fstring, escaped
from cuewire.compat.prompt_cache import PromptCache
from cuewire.engine.messages import render_messages
from cuewire.model.errors import CuewireError, InvalidInput
from cuewire.model.outputs import TextOutput
from cuewire.model.prompts import Content, Image, Message, MessageTemplate, Placeholder, PromptVersion
from cuewire.model.requests import ChatMessage
from cuewire.registry.drafts import find_variables
from cuewire.registry.inputs import check_inputs

if TYPE_CHECKING:
    from cuewire.wiring import PromptDesk


logger = logging.getLogger("cuewire.prompts")


class PromptClient:
    """A version of a prompt, as it was read, or the fallback of who asked for one. Nothing changes it."""

    def __init__(self, version: PromptVersion, cache: PromptCache, *, is_fallback: bool = False) -> None:
        self._version = version
        self._cache = cache
        self.is_fallback = is_fallback
        self._tags: tuple[str, ...] | None = () if is_fallback else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and other._version == self._version

    def __hash__(self) -> int:
        return hash((self.name, self.version))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, version={self.version})"

    @property
    def name(self) -> str:
        """The name of the prompt."""
        return self._version.prompt

    @property
    def version(self) -> int:
        """The number of the version; of a fallback the number that was asked for, else 0."""
        return self._version.number

    @property
    def config(self) -> dict[str, Any]:
        """The model, where the version names one, and its parameters."""
        model = {} if self._version.model is None else {"model": self._version.model}
        return model | self._version.parameters

    @property
    def labels(self) -> list[str]:
        """The labels that the version carried when it was read."""
        return [*self._version.labels]

    @property
    def tags(self) -> list[str]:
        """The tags of the prompt, asked for at the first need; none while nobody answers."""
        if self._tags is None:
            try:
                self._tags = self._cache.run(lambda desk: _tags(self.name, desk))
            except CuewireError as error:
                logger.warning("prompts.unread reference=%s reason=%s", self.name, error.code)
                return []
        return [*self._tags]

    @property
    def commit_message(self) -> str | None:
        """The note of the version."""
        return self._version.note or None

    @property
    def variables(self) -> list[str]:
        """The inputs that the templates read, placeholders aside."""
        return [name for name, variable in self._whole().variables.items() if variable.kind != "messages"]

    def _rendered(self, inputs: Mapping[str, Any]) -> tuple[ChatMessage, ...]:
        version = self._whole()
        return self._cache.run(lambda desk: _rendered(version, inputs, desk))

    def _whole(self) -> PromptVersion:
        """Return the version with its variables, which those of a fallback are found for at the first need."""
        if self.is_fallback and not self._version.content_hash:
            self._version = self._cache.run(lambda desk: _with_variables(self._version, desk))
        return self._version


class TextPromptClient(PromptClient):
    """A prompt of one text."""

    @property
    def type(self) -> str:
        """Always `text`."""
        return "text"

    @property
    def prompt(self) -> str:
        """The template."""
        return self._version.text or ""

    def compile(self, /, **variables: Any) -> str:
        """Return the text with the variables in their places.

        Raises InvalidInput, which names every variable that is missing, surplus or wrong, and TemplateError.
        """
        (message,) = self._rendered(variables)
        return str(message.content)

    def get_langchain_prompt(self, /, **variables: Any) -> str:
        """Return the text for LangChain's PromptTemplate, with those variables filled in that are given.

        Raises TemplateError if the template has logic.
        """
        return as_fstring(self.prompt, variables)


class ChatPromptClient(PromptClient):
    """A prompt of messages and of places for messages."""

    @property
    def type(self) -> str:
        """Always `chat`."""
        return "chat"

    @property
    def prompt(self) -> list[dict[str, Any]]:
        """The templates of the messages, and the placeholders by name."""
        return [_shown(message) for message in self._version.messages]

    def compile(self, /, **variables: Any) -> list[dict[str, Any]]:
        """Return the messages with variables and placeholders in their places, as OpenAI's clients take them.

        A placeholder takes a list of messages, with tool calls and images as OpenAI writes them. Raises as the text.
        """
        return [to_openai(message) for message in self._rendered(variables)]

    def get_langchain_prompt(self, /, **variables: Any) -> list[tuple[str, Any]]:
        """Return the messages for LangChain's ChatPromptTemplate, with those variables filled in that are given.

        A placeholder that is not given is left to LangChain. Raises TemplateError if a template has logic.
        """
        found: list[tuple[str, Any]] = []
        for message in self._version.messages:
            if isinstance(message, Message):
                found.append((message.role, as_fstring(_only_text(message), variables)))
            elif message.input in variables:
                given = variables[message.input]
                found += [(each["role"], escaped(str(each.get("content") or ""))) for each in given]
            else:
                found.append(("placeholder", f"{{{message.input}}}"))
        return found


def prompt_client(version: PromptVersion, cache: PromptCache, *, as_chat: bool) -> TextPromptClient | ChatPromptClient:
    """Return a version as a text if it is one, unless a chat is asked for."""
    if as_chat or version.text is None:
        return ChatPromptClient(version, cache)
    return TextPromptClient(version, cache)


def fallback_client(
    name: str, content: Content, cache: PromptCache, *, number: int | None, labels: tuple[str, ...]
) -> TextPromptClient | ChatPromptClient:
    """Return what stands in for a prompt that cannot be read. Raises InvalidInput for what is no list of messages."""
    version = PromptVersion(
        id=0,
        prompt_id=0,
        prompt=name,
        number=number or 0,
        messages=messages_of(content),
        variables={},
        model=None,
        parameters={},
        output=TextOutput(),
        content_hash="",
        note="",
        created_at=datetime.fromtimestamp(0, UTC),
        labels=labels,
    )
    kind = TextPromptClient if isinstance(content, str) else ChatPromptClient
    return kind(version, cache, is_fallback=True)


def messages_of(content: Content) -> tuple[MessageTemplate, ...]:
    """Return the messages of a prompt as Langfuse's clients write it. Raises InvalidInput."""
    if isinstance(content, str):
        return (Message("user", content),)
    return tuple(_message(item, f"/prompt/{place}") for place, item in enumerate(content))


def _message(item: object, pointer: str) -> MessageTemplate:
    match item:
        case {"type": "placeholder", "name": str() as name}:
            return Placeholder(name)
        case {"role": role, "content": content}:
            try:
                return msgspec.convert({"type": "message", "role": role, "content": content}, Message)
            except msgspec.ValidationError as error:
                raise InvalidInput(f"not a message: {error}", field=pointer) from None
    raise InvalidInput(
        "not a message",
        field=pointer,
        hint='write {"role": ..., "content": ...} or {"type": "placeholder", "name": ...}',
    )


def _shown(message: MessageTemplate) -> dict[str, Any]:
    if isinstance(message, Placeholder):
        return {"type": "placeholder", "name": message.input}
    content = message.content if isinstance(message.content, str) else msgspec.to_builtins(message.content)
    return {"type": "message", "role": message.role, "content": content}


def _only_text(message: Message) -> str:
    parts: Sequence[str | Image] = (message.content,) if isinstance(message.content, str) else message.content
    if any(isinstance(part, Image) for part in parts):
        raise InvalidInput("a message with an image has no form as LangChain's f-string", hint="use compile()")
    return "".join(map(str, parts))


async def _rendered(version: PromptVersion, inputs: Mapping[str, Any], desk: PromptDesk) -> tuple[ChatMessage, ...]:
    histories = {name for name, variable in version.variables.items() if variable.kind == "messages"}
    given = {name: from_openai(value) if name in histories else value for name, value in inputs.items()}
    return await render_messages(version, check_inputs(version, given), desk.renderer, at=desk.clock.now())


async def _tags(name: str, desk: PromptDesk) -> tuple[str, ...]:
    return (await (await desk.prompts()).find(name)).tags


async def _with_variables(version: PromptVersion, desk: PromptDesk) -> PromptVersion:
    variables = await find_variables(version.messages, renderer=desk.renderer)
    content_hash = sha256(msgspec.json.encode(version.messages)).hexdigest()
    return replace(version, variables=variables, content_hash=content_hash)
