"""A configuration of promptfoo: its prompts, and what its tests give as variables, which become examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from cuewire.files import chats, json, names, plain_text, yaml
from cuewire.files.jinja_text import pieces
from cuewire.files.losses import Losses
from cuewire.files.model_options import Options, options, response_format
from cuewire.files.nunjucks import from_nunjucks, to_nunjucks
from cuewire.model.bundles import Bundle, BundledVersion, Exported
from cuewire.model.errors import InvalidInput
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import Message, MessageTemplate, Placeholder
from cuewire.model.references import DEFAULT_LANGUAGE

MAX_PROMPTS = 1_000
MAX_EXAMPLES = 20
_WORD = re.compile(r"[A-Za-z_]\w*")
_KNOWN = frozenset({"prompts", "providers", "targets", "tests", "defaultTest", "description"})


def read_promptfoo(data: bytes, *, name: str) -> Bundle:
    """Return the prompts of a configuration; `name` is for those that say none. Raises InvalidInput."""
    losses = Losses()
    source = yaml.read(plain_text.read(data, losses=losses))
    if not isinstance(source, dict) or "prompts" not in source:
        raise InvalidInput("a configuration of promptfoo has prompts")
    for member in source.keys() - _KNOWN:
        losses.add(member, "it is about how promptfoo runs")
    prompts = source["prompts"] if isinstance(source["prompts"], list) else [source["prompts"]]
    if len(prompts) > MAX_PROMPTS:
        raise InvalidInput(f"there are more than {MAX_PROMPTS:,} prompts")
    told = _options(source.get("providers", source.get("targets")), losses)
    examples = _examples(source, losses)
    known, files = names.PromptNames(losses), []
    for at, item in enumerate(prompts, 1):
        with losses.within(f"prompt {at}"):
            if read := _prompt(item, losses):
                label, text = read
                title = label or (name if len(prompts) == 1 else f"{name}-{at}")
                files.append(_file(known.of(title), text, told, examples, losses))
    if len({file.prompt for file in files}) < len(files):
        raise InvalidInput("two prompts have the same name", hint="give each a label of its own")
    _tell_unread(files, examples, losses)
    return Bundle(versions=tuple(BundledVersion(file=file) for file in files), losses=losses.all())


def _prompt(item: Any, losses: Losses) -> tuple[str, str] | None:
    """Return label and text of a prompt, None if it stands in another file."""
    label = ""
    if isinstance(item, dict):
        found = item.get("label", item.get("id"))
        label = found if isinstance(found, str) else ""
        for member in item.keys() - {"label", "id", "raw"}:
            losses.add(member, "a prompt here has nothing of this name")
        item = item.get("raw", item.get("id"))
    if not isinstance(item, str):
        raise InvalidInput(f"{str(item)[:80]!r} is not a prompt")
    if item.startswith(("file://", "exec:", "python:", "http://", "https://", "langfuse://", "portkey://")) or (
        "\n" not in item
        and " " not in item
        and item.endswith((".txt", ".json", ".yaml", ".yml", ".md", ".j2", ".py", ".js"))
    ):
        losses.add(item, "no other files are read and nothing is run; put its text here, or import it by itself")
        return None
    return label, item


def _file(name: str, text: str, told: Options, examples: Mapping[str, list[Any]], losses: Losses) -> PromptFile:
    messages = _messages(text, losses)
    marks = (piece.inner for part in _texts(messages) for piece in pieces(part) if piece.kind in ("expression", "tag"))
    read = {word for inner in marks for word in _WORD.findall(inner)}
    variables = {variable: {"examples": examples[variable]} for variable in examples if variable in read}
    return PromptFile(
        prompt=name,
        messages=messages,
        model=told.model,
        parameters=told.parameters,
        output=told.output,
        variables=variables,
    )


def _messages(text: str, losses: Losses) -> tuple[MessageTemplate, ...]:
    chat = _chat(text, losses)
    if chat is None:
        return (Message("user", from_nunjucks(text, losses=losses)),)

    def template(part: str) -> str:
        return from_nunjucks(part, losses=losses)

    found = [chats.message(item, template=template, losses=losses) for item in chat]
    return chats.messages([message for message in found if message])


def _chat(text: str, losses: Losses) -> list[Any] | None:
    """Return the messages that a text spells in JSON or YAML, None if it spells none."""
    stripped = text.strip()
    try:
        if stripped.startswith("["):
            found = json.read(stripped.encode(), losses=losses)
        elif stripped.startswith("- role:"):
            found = yaml.read(stripped)
        else:
            return None
    except (InvalidInput, UnicodeEncodeError):
        return None
    is_chat = isinstance(found, list) and found and all(isinstance(item, dict) and "role" in item for item in found)
    return found if is_chat else None


def _texts(messages: Sequence[MessageTemplate]) -> Iterator[str]:
    for message in messages:
        if isinstance(message, Message):
            parts = (message.content,) if isinstance(message.content, str) else message.content
            yield from (part for part in parts if isinstance(part, str))


def _options(providers: Any, losses: Losses) -> Options:
    """Return what is said of the one model; of several none is more meant than the others."""
    found = providers if isinstance(providers, list) else [providers] if providers else []
    if len(found) != 1:
        for provider in found:
            losses.add(f"provider {provider}", "a prompt here has one model; choose it when you publish")
        return Options()
    provider = found[0]
    config: dict[str, Any] = {}
    if isinstance(provider, dict):
        config = provider["config"] if isinstance(provider.get("config"), dict) else {}
        for member in provider.keys() - {"id", "label", "config"}:
            losses.add(f"provider.{member}", "it is about how promptfoo runs")
        provider = provider.get("id")
    if not isinstance(provider, str) or provider.startswith(("file:", "exec:", "python:", "http")):
        losses.add(f"provider {provider}", "it is no model")
        return Options()
    parts = provider.split(":")
    if len(parts) > 2 and parts[1] in ("chat", "responses", "completion", "messages"):
        del parts[1]
    model = f"{parts[0]}/{':'.join(parts[1:])}" if len(parts) > 1 else provider
    return options({**config, "model": model}, losses=losses)


def _examples(source: Mapping[str, Any], losses: Losses) -> dict[str, list[Any]]:
    """Return the values that tests give, by input; of a list each value is one."""
    made: dict[str, list[Any]] = {}
    tests = source.get("tests")
    if tests is not None and not isinstance(tests, list):
        losses.add(f"tests {tests}", "no other files are read")
    for at, test in enumerate([source.get("defaultTest"), *(tests if isinstance(tests, list) else [])]):
        with losses.within(f"test {at}" if at else "defaultTest"):
            if not isinstance(test, dict):
                if test is not None:
                    losses.add(test, "no other files are read")
                continue
            for member in test.keys() - {"vars", "description"}:
                losses.add(member, "what answers must be is not imported")
            given = test.get("vars")
            for variable, value in given.items() if isinstance(given, dict) else ():
                if (name := names.input_name(str(variable), losses=losses)) is None:
                    losses.add(variable, "it is no name")
                    continue
                _add(made.setdefault(name, []), value, name, losses)
    return {name: values for name, values in made.items() if values}


def _add(examples: list[Any], value: Any, name: str, losses: Losses) -> None:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str) and each.startswith(("file://", "exec:", "python:")):
            losses.add(f"{name}: {each}", "no other files are read and nothing is run")
        elif len(examples) >= MAX_EXAMPLES:
            losses.add(f"{name}: more values", f"an input has {MAX_EXAMPLES} examples at most")
        elif each not in examples:
            examples.append(each)


def _tell_unread(files: Sequence[PromptFile], examples: Mapping[str, Any], losses: Losses) -> None:
    for name in examples:
        if files and not any(name in file.variables for file in files):
            losses.add(f"variable {name}", "no prompt reads it")


def write_promptfoo(versions: Sequence[BundledVersion]) -> Exported:
    """Return the production versions of prompts, else the newest, as a configuration of promptfoo."""
    losses = Losses()
    prompts: list[dict[str, Any]] = []
    models: dict[str, Any] = {}
    examples: dict[str, list[Any]] = {}
    for history in names.told_apart(versions, losses=losses):
        version = next((each for each in history if "production" in each.labels), history[-1])
        file = version.file
        with losses.within(file.prompt):
            if len(history) > 1:
                losses.add(f"{len(history) - 1} other versions", "promptfoo compares prompts, not versions")
            _tell_untold(file, losses)
            prompts.append({"label": file.prompt, "raw": _raw(file.messages, losses)})
            models |= {file.model: _provider(file)} if file.model else {}
            _gather(file, examples, losses)
    made: dict[str, Any] = {"prompts": prompts} | ({"providers": [*models.values()]} if models else {})
    if examples:
        made["tests"] = [{"vars": row} for row in _rows(examples)]
    return Exported(data=yaml.write(made).encode(), losses=losses.all())


def _gather(file: PromptFile, examples: dict[str, list[Any]], losses: Losses) -> None:
    """Add the examples of a prompt to those of the prompts before it."""
    for name, schema in file.variables.items():
        given = schema.get("examples") or ([schema["default"]] if "default" in schema else [])
        known = examples.setdefault(name, [])
        if known and given and known != given:
            losses.add(f"{name}: examples {given}", "another prompt has others; promptfoo tries each with every prompt")
        known += [value for value in given if value not in known]


def _rows(examples: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Yield values for all variables until each example was there; one that is a list is a list of one."""
    columns = {
        name: [[each] if isinstance(each, list) else each for each in examples[name] or [""]] for name in examples
    }
    for at in range(max(map(len, columns.values()))):
        yield {name: values[min(at, len(values) - 1)] for name, values in columns.items()}


def _raw(messages: Sequence[MessageTemplate], losses: Losses) -> str:
    for part in _texts(messages):
        for piece in pieces(part):
            if piece.include is not None:
                losses.add(piece.source, "promptfoo includes nothing", line=piece.line)
    match messages:
        case (Message(role="user", content=str(text)),):
            return to_nunjucks(text)
    chat = []
    for message in messages:
        if isinstance(message, Placeholder):
            losses.add(f"messages {message.input}", "promptfoo has no place for a list of messages")
        else:
            chat.append(chats.plain(message, text=to_nunjucks))
    return msgspec.json.format(msgspec.json.encode(chat), indent=2).decode()


def _provider(file: PromptFile) -> dict[str, Any] | str:
    name = str(file.model).replace("/", ":", 1)
    config: dict[str, Any] = dict(file.parameters)
    if shape := response_format(file.output):
        config["response_format"] = shape
    return {"id": name, "config": config} if config else name


def _tell_untold(file: PromptFile, losses: Losses) -> None:
    for name in ("description", "template_type", "category", "tags", "strategy", "lenient", "policy", "note"):
        if value := getattr(file, name):
            losses.add(f"{name}: {value}", "promptfoo has no place for it")
    if file.language != DEFAULT_LANGUAGE:
        losses.add(f"language: {file.language}", "promptfoo has no place for it")
    for name, schema in file.variables.items():
        if rest := schema.keys() - {"examples"}:
            losses.add(f"{name}: {', '.join(sorted(rest))}", "variables of promptfoo have values only")
