"""What is known of a template without rendering it: all that is wrong with it, what it reads, and what it will cost."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from cuewire.model.analyses import FoundInput, Problem, Report, problem
from cuewire.model.errors import TemplateError
from cuewire.model.includes import NOTHING, Includes
from cuewire.model.prompts import Variable
from cuewire.template.bounds import MAX_LOOPS, measured
from cuewire.template.compiled import compile_all
from cuewire.template.filters.text import count_tokens
from cuewire.template.growth import NotBoundedError
from cuewire.template.kinds import input_schemas
from cuewire.template.lexer import column_of
from cuewire.template.linked import Linked, linked
from cuewire.template.names import input_names, input_places
from cuewire.template.parse import Parsed, check_size, faults
from cuewire.template.recovery import MAX_ERRORS, recovered
from cuewire.template.references import PROMPT
from cuewire.template.volatile import reading_time

_OTHERS = (nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)


def report(source: str, includes: Includes | None = NOTHING) -> Report:
    """Return what is known of a template that takes in `includes`.

    Of one that is wrong, or whose includes are None, that is what its own text tells.
    """
    try:
        check_size(source)
        tree, errors = recovered(source)
    except TemplateError as error:
        return Report(problems=(problem(error),))
    errors += faults(tree)
    version = Linked([Parsed(source, tree)])
    try:
        if not errors and includes is not None:
            version = linked((source,), includes)
            compile_all(version)
    except TemplateError as error:
        errors.append(error)
    if errors or includes is None:
        _leave_out_others(tree)
        version = Linked([Parsed(source, tree)])
    (template,) = version.templates
    problems = sorted(map(problem, errors), key=lambda each: (each.line, each.column))
    return Report(
        problems=tuple(problems[:MAX_ERRORS]),
        warnings=tuple(_warnings(version)) if not problems else (),
        inputs=_inputs(version),
        filters=tuple(sorted({node.name for node in template.tree.find_all(nodes.Filter)})),
        tokens=count_tokens("".join(data.data for data in template.tree.find_all(nodes.TemplateData))),
    )


def input_variables(version: Linked) -> dict[str, Variable]:
    """Return each input that the templates of a version read, with what is known of it, in order of appearance."""
    schemas = input_schemas(version.templates)
    return {
        name: Variable(json_schema=schemas.get(name, {}), required=is_needed)
        for name, is_needed in input_names(*version).items()
    }


def _inputs(version: Linked) -> dict[str, FoundInput]:
    places = input_places(version.templates[0], version.texts)
    return {
        name: FoundInput(variable=variable, line=places[name][0], column=places[name][1])
        for name, variable in input_variables(version).items()
        if name != PROMPT
    }


def _leave_out_others(tree: nodes.Template) -> None:
    """Take out what takes in other prompts, whose texts are not looked for while a template is wrong."""
    for node in [tree, *tree.find_all(nodes.Node)]:
        for part in ("body", "else_"):
            body = getattr(node, part, None)
            if isinstance(body, list):
                body[:] = [each for each in body if not isinstance(each, _OTHERS)]


def _warnings(version: Linked) -> Iterator[Problem]:
    (template,) = version.templates
    try:
        measured(template, version.texts)
    except NotBoundedError as error:
        yield _warning("unbounded", f"rendered in a process of its own: {_why(error.node)}", error.node)
    if (node := reading_time(template.tree)) is not None:
        yield _warning("volatile", "reads the time: the same inputs give another text later", node)
    for included in version.texts.values():
        if reading_time(included.parsed.tree) is not None:
            yield _warning("volatile", f"takes in '{included.reference}', which reads the time", None)


def _warning(code: str, message: str, node: nodes.Node | None) -> Problem:
    line = node.lineno if node is not None and node.lineno else 0
    return Problem(code=code, message=message, line=int(line), column=column_of(line))


def _why(node: nodes.Node | None) -> str:
    match node:
        case nodes.Filter(name=name):
            return f"how long the result of '{name}' is cannot be told beforehand"
        case nodes.For(recursive=True):
            return "a recursive loop"
        case nodes.For():
            return f"a loop over something computed, or within {MAX_LOOPS} others"
        case nodes.Macro() | nodes.CallBlock():
            return "a macro"
        case nodes.Call():
            return "a call that may take any time"
        case nodes.Assign():
            return "a value that is carried from turn to turn"
        case nodes.BinExpr():
            return "a text that may be repeated, or a number that may grow"
    return "its cost cannot be told beforehand"
