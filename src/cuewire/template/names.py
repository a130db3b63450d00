"""Which inputs a template reads, in order of appearance, and which of them it can do without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from jinja2 import nodes

from cuewire.template.environment import prompt_environment
from cuewire.template.functions import FUNCTIONS
from cuewire.template.parse import Parsed, column_of
from cuewire.template.volatile import TIMES

_SPECIAL = frozenset({"self", "super", "loop", "caller", "varargs", "kwargs"})
_NONE: frozenset[str] = frozenset()
Names: TypeAlias = frozenset[str]


def input_names(templates: Iterable[Parsed]) -> Mapping[str, bool]:
    """Return each input that the templates read, with whether it must be given.

    It need not be given if every use is `name | default(...)`, or stands where `name is defined` is known to hold.
    Names that the template itself binds (set, for, macro arguments, with) and globals are no inputs; one of a function
    that is not called, such as `max` in `{{ max }}`, is.
    """
    known = _SPECIAL | TIMES | (prompt_environment().globals.keys() - FUNCTIONS.keys())
    required: dict[str, bool] = {}
    for template in templates:
        walk = _Walk()
        walk.statements(template.tree.body, set(known), _NONE)
        for _, _, name, is_needed in sorted(walk.uses):
            required[name] = required.get(name, False) or is_needed
    return required


class _Walk:
    """Visits a tree in the order of evaluation.

    `bound` are the names bound so far in this scope, and grows; `given` are those known to be defined here.
    """

    def __init__(self) -> None:
        self.uses: list[tuple[int, int, str, bool]] = []

    def statements(self, body: Iterable[nodes.Node], bound: set[str], given: Names) -> None:
        for node in body:
            self.node(node, bound, given)

    def node(self, node: nodes.Node, bound: set[str], given: Names) -> None:
        match node:
            case nodes.Name():
                self._use(node, bound, is_needed=node.name not in given)
            case nodes.Call(node=nodes.Name(name=name)) if name in FUNCTIONS:
                self.statements([each for each in node.iter_child_nodes() if each is not node.node], bound, given)
            case nodes.Filter(name="default" | "d", node=nodes.Name() as name):
                self._use(name, bound, is_needed=False)
                self.statements([*node.args, *node.kwargs], bound, given)
            case nodes.Test(name="defined" | "undefined", node=nodes.Name() as name):
                self._use(name, bound, is_needed=False)
            case nodes.And() | nodes.Or():
                self.node(node.left, bound, given)
                self.node(node.right, bound, given | _known(node.left)[isinstance(node, nodes.Or)])
            case nodes.CondExpr():
                if_true, if_false = _known(node.test)
                self.node(node.test, bound, given)
                self.node(node.expr1, bound, given | if_true)
                if node.expr2 is not None:
                    self.node(node.expr2, bound, given | if_false)
            case nodes.If():
                self._if(node, bound, given)
            case nodes.For():
                self._for(node, bound, given)
            case nodes.Assign() | nodes.AssignBlock():
                self._assign(node, bound, given)
            case nodes.Macro() | nodes.CallBlock():
                self._macro(node, bound, given)
            case nodes.With():
                inner = set(bound)
                for target, value in zip(node.targets, node.values, strict=True):
                    self.node(value, bound, given)
                    inner |= _targets(target)
                self.statements(node.body, inner, given)
            case nodes.Block() | nodes.FilterBlock():
                self.statements(node.iter_child_nodes(), set(bound), given)
            case nodes.NSRef():
                self._use(nodes.Name(node.name, "load", lineno=node.lineno), bound, is_needed=True)
            case _:
                self.statements(node.iter_child_nodes(), bound, given)

    def _use(self, node: nodes.Name, bound: set[str], *, is_needed: bool) -> None:
        if node.name not in bound:
            self.uses.append((int(node.lineno), column_of(node.lineno), node.name, is_needed))

    def _if(self, node: nodes.If, bound: set[str], given: Names) -> None:
        """A name that one branch binds counts as bound after it: the template provides for its absence."""
        after = set(bound)
        for branch in (node, *node.elif_):
            if_true, if_false = _known(branch.test)
            self.node(branch.test, bound, given)
            inner = set(bound)
            self.statements(branch.body, inner, given | if_true)
            after |= inner
            given |= if_false
        inner = set(bound)
        self.statements(node.else_, inner, given)
        bound |= after | inner

    def _for(self, node: nodes.For, bound: set[str], given: Names) -> None:
        self.node(node.iter, bound, given)
        inner = bound | _targets(node.target)
        if node.test is not None:
            self.node(node.test, inner, given)
            given_inside = given | _known(node.test)[0]
        else:
            given_inside = given
        self.statements(node.body, set(inner), given_inside)
        self.statements(node.else_, set(bound), given)

    def _assign(self, node: nodes.Assign | nodes.AssignBlock, bound: set[str], given: Names) -> None:
        if isinstance(node, nodes.Assign):
            self.node(node.node, bound, given)
        else:
            self.statements([*node.body, *([node.filter] if node.filter else [])], set(bound), given)
        if isinstance(node.target, nodes.NSRef):
            self.node(node.target, bound, given)
        bound |= _targets(node.target)

    def _macro(self, node: nodes.Macro | nodes.CallBlock, bound: set[str], given: Names) -> None:
        if isinstance(node, nodes.Macro):
            bound.add(node.name)
        else:
            self.node(node.call, bound, given)
        inner = bound | {argument.name for argument in node.args}
        self.statements([*node.defaults, *node.body], inner, given)


def _known(test: nodes.Node) -> tuple[Names, Names]:
    """Return the names known to be defined where the test holds, and where it does not."""
    match test:
        case nodes.Test(name="defined", node=nodes.Name(name=name)):
            return frozenset({name}), _NONE
        case nodes.Test(name="undefined", node=nodes.Name(name=name)):
            return _NONE, frozenset({name})
        case nodes.Not():
            if_true, if_false = _known(test.node)
            return if_false, if_true
        case nodes.And():
            left, right = _known(test.left), _known(test.right)
            return left[0] | right[0], left[1] & right[1]
        case nodes.Or():
            left, right = _known(test.left), _known(test.right)
            return left[0] & right[0], left[1] | right[1]
    return _NONE, _NONE


def _targets(target: nodes.Node) -> set[str]:
    if isinstance(target, nodes.Name):
        return {target.name}
    return {name.name for name in target.find_all(nodes.Name)}
