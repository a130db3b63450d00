"""Which inputs a template reads, in order of appearance, and which of them it can do without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from jinja2 import nodes

from cuewire.template.environment import prompt_environment
from cuewire.template.functions import FUNCTIONS
from cuewire.template.lexer import column_of
from cuewire.template.linked import NO_TEXTS, Texts, chain, is_alone, text_of
from cuewire.template.parse import Parsed
from cuewire.template.volatile import TIMES

SPECIAL = frozenset({"self", "super", "loop", "caller", "varargs", "kwargs"})
"""Names that mean something of the template's own."""
_NONE: frozenset[str] = frozenset()
Names: TypeAlias = frozenset[str]


def input_names(templates: Iterable[Parsed], texts: Texts = NO_TEXTS) -> Mapping[str, bool]:
    """Return each input that the templates and the texts they take in read, with whether it must be given.

    It need not be given if every use is `name | default(...)`, or stands where `name is defined` is known to hold.
    Names that the template itself binds (set, for, macro arguments, with) and globals are no inputs; one of a function
    that is not called, such as `max` in `{{ max }}`, is.
    """
    taken = _Taken(texts)
    required: dict[str, bool] = {}
    for template in templates:
        for name, is_needed in taken.names(template.tree).items():
            required[name] = required.get(name, False) or is_needed
    return required


def input_places(template: Parsed, texts: Texts = NO_TEXTS) -> Mapping[str, tuple[int, int]]:
    """Return the line and column at which a template first reads each input, or takes in a text that does."""
    places: dict[str, tuple[int, int]] = {}
    for line, column, name, _ in _Taken(texts).uses(template.tree):
        places.setdefault(name, (line, column))
    return places


class _Taken:
    """What the texts that are taken in read, found once for each."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._known: dict[str, Mapping[str, bool]] = {}
        self._bound = SPECIAL | TIMES | (prompt_environment().globals.keys() - FUNCTIONS.keys())

    def names(self, tree: nodes.Template) -> Mapping[str, bool]:
        """Return what a template reads, in order, with whether it must be given."""
        required: dict[str, bool] = {}
        for _, _, name, is_needed in self.uses(tree):
            required[name] = required.get(name, False) or is_needed
        return required

    def uses(self, tree: nodes.Template) -> list[tuple[int, int, str, bool]]:
        """Return each use of a name: line, column, name, and whether it must be given."""
        walk = _Walk(self)
        walk.template(chain(tree, self._texts), set(self._bound))
        return sorted(walk.uses, key=lambda use: use[:2])

    def by(self, node: nodes.Node) -> Mapping[str, bool]:
        """Return what the text reads that a node takes in."""
        if isinstance(node, nodes.Include) and is_alone(node):
            return {}
        text = text_of(node, self._texts)
        if text.reference not in self._known:
            self._known[text.reference] = self.names(text.parsed.tree)
        return self._known[text.reference]


class _Walk:
    """Visits a tree in the order of evaluation.

    `bound` are the names bound so far in this scope, and grows; `given` are those known to be defined here.
    """

    def __init__(self, taken: _Taken) -> None:
        self.uses: list[tuple[int, int, str, bool]] = []
        self._taken = taken
        self._blocks: dict[str, list[_Placed]] = {}
        self._walked: set[str] = set()
        self._place: int | None = None

    def template(self, trees: Sequence[nodes.Template], bound: set[str]) -> None:
        """Visit a template and those that it extends, the most general last: that one's text is rendered."""
        place: int | None = None
        for tree in trees:
            for block in tree.find_all(nodes.Block):
                self._blocks.setdefault(block.name, []).append(_Placed(block, place))
            self._place = place
            extends = [node for node in tree.body if isinstance(node, nodes.Extends)]
            # What a template prints outside of its blocks is lost when it extends another.
            lost = (nodes.Output, nodes.Block) if extends else ()
            self.statements([node for node in tree.body if not isinstance(node, lost)], bound, _NONE)
            place = place or (extends[0].lineno if extends else None)
        if any(name.name == "self" for tree in trees for name in tree.find_all(nodes.Name)):
            for name in self._blocks.keys() - self._walked:
                self._block(name, bound, _NONE)

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
            case nodes.Block():
                self._block(node.name, bound, given)
            case nodes.FilterBlock():
                self.statements(node.iter_child_nodes(), set(bound), given)
            case nodes.Include() | nodes.Call(node=nodes.EnvironmentAttribute()):
                for name, is_needed in self._taken.by(node).items():
                    place = nodes.Name(name, "load", lineno=node.lineno)
                    self._use(place, bound, is_needed=is_needed and name not in given)
            case nodes.NSRef():
                self._use(nodes.Name(node.name, "load", lineno=node.lineno), bound, is_needed=True)
            case _:
                self.statements(node.iter_child_nodes(), bound, given)

    def _use(self, node: nodes.Name, bound: set[str], *, is_needed: bool) -> None:
        if node.name not in bound:
            place = self._place or node.lineno
            self.uses.append((int(place), column_of(place), node.name, is_needed))

    def _block(self, name: str, bound: set[str], given: Names) -> None:
        """Visit the block of a name that is rendered, and those above it that `super` brings in."""
        if name in self._walked:
            return
        self._walked.add(name)
        outer = self._place
        for block, place in self._blocks[name]:
            self._place = place
            self.statements(block.body, set(bound), given)
            if not any(each.name == "super" for each in block.find_all(nodes.Name)):
                break
        self._place = outer

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


class _Placed(NamedTuple):
    """A block, and where the template at hand extends the one that holds it, None if that is the same."""

    block: nodes.Block
    place: int | None


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
