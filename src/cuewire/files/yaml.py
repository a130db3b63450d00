"""YAML as its version 1.2 reads plain words: `no` is a text, 012 is twelve, 1:30 is no number; and nothing but JSON.

Two equal keys, aliases (which can make a small file large) and dates are refused or read as texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

from cuewire.model.errors import InvalidInput
from cuewire.model.text import check_json

_WORDS = {
    "null": (r"~|null|", ["~", "n", ""]),
    "bool": (r"true|false", ["t", "f"]),
    "int": (r"[-+]?[0-9]+", list("-+0123456789")),
    "float": (r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
}

_MAX_LINE = 80


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: Any = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # its stubs leave it untyped
            raise yaml.composer.ComposerError(None, None, "aliases are not read", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse two equal keys."""
        made: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        if len(made) < len(node.value):
            raise yaml.constructor.ConstructorError(None, None, "a key stands there twice", node.start_mark)
        return made

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Read << as any other key."""


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers: Any = {}

    def ignore_aliases(self, data: object) -> bool:  # the library asks it of each value
        """Write what occurs twice twice."""
        return True

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        """Write a list of short words in one line."""
        is_short = len(str(sequence)) <= _MAX_LINE and not any(
            isinstance(item, dict | list) or "\n" in str(item) for item in sequence
        )
        return super().represent_sequence(tag, sequence, flow_style=is_short)


for _kind in (_Loader, _Dumper):
    for _name, (_form, _firsts) in _WORDS.items():
        _kind.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(rf"(?:{_form})\Z"), _firsts)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Write a text, lines as lines, in escapes if it holds what cannot be seen: some of that passes for a line end."""
    is_visible = text.replace("\n", "").isprintable()
    style = "|" if "\n" in text and not text[0].isspace() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style if is_visible else '"')


_Dumper.add_representer(str, _text)


def _number(kind: type[int] | type[float]) -> Callable[[yaml.SafeLoader, yaml.ScalarNode], int | float]:
    return lambda loader, node: kind(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:int", _number(int))
_Loader.add_constructor("tag:yaml.org,2002:float", _number(float))


def read(text: str) -> Any:
    """Return the value. Raises InvalidInput with the line."""
    try:
        value = yaml.load(text, _Loader)  # noqa: S506  # ours is a safe one
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidInput(f"line {line}: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidInput(str(error)[:200]) from None
    check_json(value, pointer="")
    return value


def write(value: Any) -> str:
    """Return a JSON value as YAML, keys in their order."""
    made: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=100
    )
    return made
