"""Where a template takes another prompt in: `include`, `extends` and the function `prompt`.

Which text that is was decided when the version was published, so each names its prompt by a constant.
"""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

from jinja2 import nodes

from cuewire.model.errors import InvalidInput, TemplateError, TemplateForbidden, TemplateSyntaxError
from cuewire.model.includes import Mention
from cuewire.model.references import check_label, parse_reference
from cuewire.template.lexer import column_of

PROMPT = "prompt"
"""The function that gives the text of another prompt."""
TEXT_OF = "text_of"
"""What the environment calls it."""
WORDS = ("include", "extends", PROMPT)
"""A template without any of these words takes nothing in."""
_BINDS = ("store", "param")
_NOT_CONSTANT = "which prompt is taken in must not depend on anything"


class Use(NamedTuple):
    """A place where another prompt is taken in; the value of `name` is its name as written, until it is linked."""

    name: nodes.Const
    mention: Mention


def find_uses(tree: nodes.Template) -> tuple[Use, ...]:
    """Return where other prompts are taken in, in order; calls of `prompt` become calls of the environment.

    Raises TemplateForbidden and TemplateSyntaxError.
    """
    uses = [_use(extends, extends.template) for extends in tree.find_all(nodes.Extends)]
    for include in tree.find_all(nodes.Include):
        uses.append(_use(include, include.template))
        if include.ignore_missing:
            _refuse(include, "'ignore missing' has no meaning: publishing fails if a prompt is missing", "leave it out")
    _check_extends(tree)
    if not _binds_prompt(tree):
        uses += [_linked_call(call) for call in [*tree.find_all(nodes.Call)] if _is_prompt(call)]
    return tuple(sorted(uses, key=lambda use: (use.mention.line, use.mention.column)))


def written_in(node: nodes.Node) -> str:
    """Return the name of the prompt that a call of `prompt`, an `include` or `extends` takes in."""
    name: Any = node.args[1] if isinstance(node, nodes.Call) else node.template  # type: ignore[attr-defined]  # or it
    return str(name.value)


def _use(node: nodes.Node, name: nodes.Node) -> Use:
    if not isinstance(name, nodes.Const) or not isinstance(name.value, str):
        _refuse(node, _NOT_CONSTANT, 'write its name: "house-style@7"')
    try:
        parse_reference(name.value)
    except InvalidInput as error:
        _fail(TemplateSyntaxError, node, error.message, error.hint or 'write "name", "name@label" or "name@7"')
    return Use(name, Mention(name.value, int(node.lineno), column_of(node.lineno)))


def _check_extends(tree: nodes.Template) -> None:
    """A template extends one other, whatever its inputs: a condition would make two templates of it."""
    extends = [*tree.find_all(nodes.Extends)]
    for node in extends:
        if not any(node is each for each in tree.body):
            _fail(TemplateSyntaxError, node, "'extends' stands within another tag", "write it first")
    if len(extends) > 1:
        _fail(TemplateSyntaxError, extends[1], "a template can extend only one other", "include the other")


def _binds_prompt(tree: nodes.Template) -> bool:
    """Tell whether the template has something of its own that is called `prompt`."""
    names = (name.name for name in tree.find_all(nodes.Name) if name.ctx in _BINDS)
    return PROMPT in {*names, *(macro.name for macro in tree.find_all(nodes.Macro))}


def _is_prompt(call: nodes.Call) -> bool:
    return isinstance(call.node, nodes.Name) and call.node.name == PROMPT


def _linked_call(call: nodes.Call) -> Use:
    """Make a call of `prompt` one of the environment, with the names that are bound around it."""
    place = call.node
    if call.dyn_args is not None or call.dyn_kwargs is not None:
        _refuse(place, _NOT_CONSTANT, 'write prompt("house-style", version=7)')
    given: dict[str, Any] = {}
    arguments = [*zip(("name", "version", "label"), call.args, strict=False)]
    arguments += [(each.key, each.value) for each in call.kwargs]
    for key, value in arguments:
        if not isinstance(value, nodes.Const):
            _refuse(place, _NOT_CONSTANT, 'write prompt("house-style", version=7)')
        given[key] = value.value
    if (
        len(call.args) > 3
        or len(given) < len(arguments)
        or not {"name"} <= given.keys() <= {"name", "version", "label"}
    ):
        _fail(TemplateSyntaxError, place, "'prompt' takes name, version, label", 'write prompt("house-style")')
    name = nodes.Const(_written(place, **given), lineno=place.lineno)
    use = _use(place, name)
    call.node = nodes.EnvironmentAttribute(TEXT_OF, lineno=place.lineno)
    call.args, call.kwargs = [nodes.DerivedContextReference(lineno=place.lineno), name], []
    return use


def _written(place: nodes.Node, name: object = None, version: object = None, label: object = None) -> object:
    if version is None and label is None:
        return name
    if version is not None and label is not None:
        _fail(TemplateSyntaxError, place, "'prompt' takes a version or a label, not both", "leave one out")
    if version is not None and (isinstance(version, bool) or not isinstance(version, int)):
        _fail(TemplateSyntaxError, place, "the version of a prompt is a number", "write version=7")
    if version is not None:
        return f"{name}@{version}"
    try:
        return f"{name}@{check_label(label)}"
    except InvalidInput as error:
        _fail(TemplateSyntaxError, place, error.message, error.hint)


def _refuse(node: nodes.Node, message: str, hint: str) -> NoReturn:
    _fail(TemplateForbidden, node, message, hint)


def _fail(kind: type[TemplateError], node: nodes.Node, message: str, hint: str) -> NoReturn:
    raise kind(message, hint=hint, line=int(node.lineno), column=column_of(node.lineno))
