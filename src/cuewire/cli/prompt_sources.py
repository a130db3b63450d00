"""What an author wrote in files: a template, messages as JSON, or a prompt file; and where in them each message is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from cuewire.cli.inputs import read_json, read_text
from cuewire.model.analyses import Problem
from cuewire.model.errors import InvalidInput
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import Content

PROMPT_FILE = ".prompt"
_SUFFIXES = (PROMPT_FILE, ".json", ".j2", ".jinja", ".md", ".txt")
_MESSAGES = 'write it as [{"role": "user", "content": "..."}]'


class Place(NamedTuple):
    """Where a message is: in which file, from which line on, 0 if lines do not count; and whether it is one text."""

    file: str
    line: int = 1
    is_text: bool = True

    def of(self, problem: Problem) -> str:
        """Return the place of a problem in the message, as compilers write it."""
        if not problem.line:
            return self.file
        if not self.is_text:  # which of its texts it is, nobody says
            return f"{self.file}:{self.line}" if self.line else self.file
        place = f"{self.file}:{max(self.line, 1) + problem.line - 1}"
        return f"{place}:{problem.column}" if problem.column else place


class Source(NamedTuple):
    """Content, where each of its messages is, and what its file says beside, by the keywords of `publish`."""

    content: Content
    places: tuple[Place, ...]
    options: dict[str, Any] = {}
    file: PromptFile | None = None

    def place(self, problem: Problem) -> str:
        """Return where a problem is."""
        return self.places[min(problem.index, len(self.places) - 1)].of(problem)


def read_source(file: str, *, system: str | None = None) -> Source:
    """Return what a file says, - for stdin, with the system message of another one before it. Raises InvalidInput."""
    if file.endswith(PROMPT_FILE):
        source = _prompt_file(file)
    elif file.endswith(".json"):
        source = _messages(file)
    else:
        source = Source(read_text(file, field="/content"), (_whole(file),))
    if system is None:
        return source
    content = source.content
    messages = [{"role": "user", "content": content}] if isinstance(content, str) else [*content]
    opening = {"role": "system", "content": read_text(system, field="/system")}
    return source._replace(content=[opening, *messages], places=(_whole(system), *source.places))


def is_source(text: str) -> bool:
    """Tell whether a word names a file, not a prompt: there is one, or it looks like one."""
    return text == "-" or Path(text).is_file() or text.endswith(_SUFFIXES)


def _whole(file: str) -> Place:
    return Place("stdin" if file == "-" else file)


def _messages(file: str) -> Source:
    messages = read_json(file, field="/content")
    if not isinstance(messages, list):
        raise InvalidInput(f"{file!r} holds no list of messages", field="/content", hint=_MESSAGES)
    places = [
        Place(f"{file}#/{index}/content", line=0, is_text=isinstance(message, dict) and _is_text(message))
        for index, message in enumerate(messages)
    ]
    return Source(messages, tuple(places) or (Place(file),))


def _is_text(message: dict[str, Any]) -> bool:
    return isinstance(message.get("content"), str)


def _prompt_file(file: str) -> Source:
    from cuewire.wiring import read_prompt_file

    text = read_text(file, field="/content")
    try:
        read, starts = read_prompt_file(text)
    except InvalidInput as error:
        raise InvalidInput(f"{file}: {error.message}", field="/content", hint=error.hint) from None
    nothing = PromptFile(prompt="", messages=())
    names = PromptFile.__struct_fields__[2:]
    options = {name: value for name in names if (value := getattr(read, name)) != getattr(nothing, name)}
    places = [Place(file, line=start.line, is_text=start.is_text) for start in starts]
    return Source(read.messages, tuple(places), options, read)
