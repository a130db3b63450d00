"""Which templates may render in this process: those whose cost is bounded by what can be counted beforehand.

The cost of a render is the sum, over all evaluations of a node of the syntax tree, of STEP plus the length of the
value that the evaluation makes. `bound_of` turns a template into an upper bound of it, and `cost.cost` evaluates that
bound for actual inputs. A template may render here if the bound is at most MAX_COST.

Lengths. The length of a text is its number of characters. The length of any other value is that of its written form,
for which four times its JSON is an upper bound (Python writes a character that JSON leaves alone as at most ten
characters where UTF-8 takes four bytes; and a separator as two characters where JSON takes one). A part of a value
(a field, an item, a slice) is never longer than the value. The length of a loop is the number of items that it will
visit, counted on the actual inputs.

Why it bounds. By induction over the tree each expression has a length of at most `Term.size`, a sum of a constant and
multiples of lengths that are counted beforehand: of inputs, and of the longest item of a loop. That holds because only
nodes, filters, tests and methods are allowed whose value is at most a constant factor longer than what goes in, with
the factor fixed by the template alone (`grown`). No allowed statement carries a value from one turn of a loop to the
next: there are no namespaces, and `set` inside a loop ends with the turn; outside of loops repeated doubling doubles
the factor, so the bound sees it. Loops visit inputs, or items of an outer loop, by fixed paths; a turn's cost is
counted once per turn, so two nested loops multiply. There is no recursion, no macro, and no call but of methods
listed here. Each evaluation runs in time linear in what goes in and what comes out (sorting: times a logarithm, so it
counts SORT times). Hence time is O(cost), and the output, being made of values, is at most `cost` characters.

A text that is taken in counts where it stands, as if written there; `prompt` counts twice, as the text is joined before
it is printed. To enter it copies the context, which TAKE_IN pays for as long as there are at most MAX_INPUTS inputs.
Blocks count where the most general template has them, with the text of the most special one.

Everything else renders in the pool, where limits of the operating system do what no proof does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from jinja2 import nodes

from cuewire.template.cost import MAX_COST, Bound, Loop, Path, Size, Term, added, scaled
from cuewire.template.environment import prompt_environment
from cuewire.template.filters import custom
from cuewire.template.filters.entry import Filter
from cuewire.template.growth import (
    FUNCTIONS,
    METHODS,
    NUMBER,
    NUMERIC_FILTERS,
    PER_ITEM,
    SAME_ITEMS,
    SORT,
    STRIPPING,
    TESTS,
    Arguments,
    NotBoundedError,
    blaming,
    constant,
    grown,
    targets,
)
from cuewire.template.instants import MAX_FORMAT, MAX_WRITTEN
from cuewire.template.linked import NO_TEXTS, Texts, chain, is_alone, text_of
from cuewire.template.names import SPECIAL
from cuewire.template.parse import Parsed
from cuewire.template.volatile import TIMES

MAX_LOOPS = 2
"""Loops inside each other."""
STEP = 10
TAKE_IN = 1_000
"""What it costs to take in a text, beside the text."""
MAX_INPUTS = 200
MAX_NODES = 5_000
"""Nodes of all the texts, counted each time that one is taken in: who includes much in much is not worth the look."""
_HUGE = 10**9

_DIGITS = re.compile(r"\d+")
_DIGITS_MANY = re.compile(r"\d{6}|\*")
_LOOP_COUNTERS = frozenset({"index", "index0", "first", "last", "length", "revindex", "revindex0", "depth", "depth0"})


def bound_of(template: Parsed, texts: Texts = NO_TEXTS) -> Bound | None:
    """Return the cost of a template as a function of its inputs, or None if it has no provable bound."""
    try:
        return measured(template, texts)
    except NotBoundedError:
        return None


def measured(template: Parsed, texts: Texts = NO_TEXTS) -> Bound:
    """Return the cost of a template as a function of its inputs. Raises NotBoundedError with the place."""
    bound = Bound({}, [])
    _Analysis(texts).template(template.tree, bound, {}, 0)
    return bound


class _Analysis:
    """Walks a template in order. `names` are those that the template has bound, with what is known of each."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self._loops = 0
        self._nodes = 0
        self._blocks: dict[str, nodes.Block] = {}
        self._outermost = 0

    def template(self, tree: nodes.Template, bound: Bound, names: dict[str, Term], depth: int) -> None:
        """Charge for a template and those that it extends."""
        outer, self._blocks, self._outermost = (self._blocks, self._outermost), {}, depth
        for each in chain(tree, self._texts):
            count = sum(1 for _ in each.find_all(nodes.Node))
            self._nodes += count
            if self._texts and self._nodes > MAX_NODES:
                raise NotBoundedError
            # Before its first line a render looks up the names and filters of the whole template.
            bound.size[None] = bound.size.get(None, 0) + STEP * (10 + count)
            for block in each.find_all(nodes.Block):
                self._blocks.setdefault(block.name, block)
            extends = any(isinstance(node, nodes.Extends) for node in each.body)
            # What a template prints outside of its blocks is lost when it extends another.
            lost = (nodes.Output, nodes.Block, nodes.Extends) if extends else ()
            self.statements([node for node in each.body if not isinstance(node, lost)], bound, names, depth)
        self._blocks, self._outermost = outer

    def statements(self, body: Iterable[nodes.Node], bound: Bound, names: dict[str, Term], depth: int) -> None:
        for node in body:
            self._statement(node, bound, names, depth)

    @blaming
    def _statement(self, node: nodes.Node, bound: Bound, names: dict[str, Term], depth: int) -> None:
        match node:
            case nodes.Output():
                for child in node.nodes:
                    if isinstance(child, nodes.TemplateData):
                        self._charge(bound, {None: len(child.data)})
                    elif isinstance(child, nodes.Call) and isinstance(child.node, nodes.EnvironmentAttribute):
                        self._take_in(child, bound, names, depth)
                        self._take_in(child, bound, names, depth)
                    else:
                        self._charge(bound, self._term(child, bound, names).size)
            case nodes.If():
                self._if(node, bound, names, depth)
            case nodes.For(recursive=False) if depth < MAX_LOOPS:
                self._for(node, bound, names, depth)
            case nodes.Assign(target=nodes.Name(name=name)) if name != "loop":
                names[name] = self._term(node.node, bound, names)
            case nodes.Block(name=name) if depth == self._outermost and name in self._blocks:
                # Inside a loop a block would not see the names of the loop. One inside itself does not compile.
                block = self._blocks.pop(name)
                self.statements(block.body, bound, dict(names), depth)
                self._blocks[name] = block
            case nodes.Include():
                self._take_in(node, bound, {} if is_alone(node) else names, depth)
            case _:
                raise NotBoundedError

    def _take_in(self, node: nodes.Node, bound: Bound, names: dict[str, Term], depth: int) -> None:
        self._charge(bound, {None: TAKE_IN})
        inside = {name: term for name, term in names.items() if name != "loop"}  # which may be an input there
        self.template(text_of(node, self._texts).parsed.tree, bound, inside, depth)

    def _if(self, node: nodes.If, bound: Bound, names: dict[str, Term], depth: int) -> None:
        """All branches count, and a name that one of them sets may have any of the values."""
        ends = [dict(names)]
        for branch in (node, *node.elif_):
            self._term(branch.test, bound, names)
            ends.append(dict(names))
            self.statements(branch.body, bound, ends[-1], depth)
        ends.append(dict(names))
        self.statements(node.else_, bound, ends[-1], depth)
        for name in {name for end in ends for name in end}:
            found = [end.get(name) or Term({name: 1}) for end in ends]
            names[name] = found[0] if all(term == found[0] for term in found) else Term(added(*(t.size for t in found)))

    def _for(self, node: nodes.For, bound: Bound, names: dict[str, Term], depth: int) -> None:
        path, is_pairs, turns, size = self._source(node.iter, bound, names)
        index, self._loops = self._loops, self._loops + 1
        loop = Loop(index, path, is_pairs, turns, Bound({None: 5 * STEP}, []))
        bound.loops.append(loop)
        # An item of a literal or a default does not lie in the inputs: its length is added, and it has no path.
        item = added({index: 1}, size)
        inside = dict(names)
        for name, steps in targets(node.target):
            inside[name] = Term(item, None if turns else (index, steps))
        if node.test is not None:
            self._term(node.test, loop.body, inside)
        inside["loop"] = Term(item)
        self.statements(node.body, loop.body, inside, depth + 1)
        self.statements(node.else_, bound, dict(names), depth)

    def _source(
        self, node: nodes.Node | None, bound: Bound, names: dict[str, Term]
    ) -> tuple[Path | None, bool, int, Size]:
        """Return where a loop's items lie, whether as pairs, the turns that do not depend on inputs, and their size."""
        match node:
            case nodes.Call(node=nodes.Name(name="range"), args=arguments, kwargs=[]) if "range" not in names:
                numbers = [a.value for a in arguments if isinstance(a, nodes.Const) and type(a.value) is int]
                if len(numbers) != len(arguments) or not 1 <= len(numbers) <= 3 or 0 in numbers[2:]:
                    raise NotBoundedError
                return None, False, min(len(range(*numbers)), MAX_COST), {None: NUMBER}
            case nodes.List() | nodes.Tuple():
                return None, False, len(node.items), self._term(node, bound, names).size
            case nodes.Filter(name="default" | "d", node=inner, args=[nodes.List() as other, *_], kwargs=[]):
                path, is_pairs, turns, size = self._source(inner, bound, names)
                literal = self._term(other, bound, names).size if other.items else {}
                return path, is_pairs, max(turns, len(other.items)), added(size, literal)
            case (
                nodes.Filter(name="items" | "dictsort", node=inner)
                | nodes.Call(node=nodes.Getattr(node=inner, attr="items"), args=[])
            ):
                path = self._term(inner, bound, names).path
                self._charge(bound, self._term(node, bound, names).size)
                if path is None:
                    raise NotBoundedError
                return path, True, 0, {}
            case nodes.Filter(name=name, node=inner) if name in SAME_ITEMS:
                self._term(node, bound, names)
                return self._source(inner, bound, names)
            case nodes.Getitem(node=inner, arg=nodes.Slice()):
                self._term(node, bound, names)
                return self._source(inner, bound, names)
        path = self._term(node, bound, names).path
        if path is None:
            raise NotBoundedError
        return path, False, 0, {}

    def _term(self, node: nodes.Node | None, bound: Bound, names: dict[str, Term]) -> Term:
        """Return what is known of an expression, and charge the bound for evaluating it."""
        if node is None:
            return Term({})
        term = self._expression(node, bound, names)
        self._charge(bound, term.size)
        return term

    def _charge(self, bound: Bound, size: Size) -> None:
        for unit, count in size.items():
            if count > _HUGE:
                raise NotBoundedError
            bound.size[unit] = bound.size.get(unit, 0) + count
        bound.size[None] = bound.size.get(None, 0) + STEP

    def _all(self, children: Iterable[nodes.Node | None], bound: Bound, names: dict[str, Term]) -> Size:
        return added(*(self._term(child, bound, names).size for child in children))

    @blaming
    def _expression(self, node: nodes.Node, bound: Bound, names: dict[str, Term]) -> Term:
        match node:
            case nodes.Const(value=value):
                if isinstance(value, int) and value.bit_length() > NUMBER:
                    raise NotBoundedError
                length = len(value) if isinstance(value, str) else NUMBER
                return Term({None: length}, is_number=isinstance(value, int | float))
            case nodes.Name(name=name) if (name in TIMES or name in FUNCTIONS) and name not in names:
                # An input of that name would win.
                return Term({None: 40, name: 1}, (name, ()))
            case nodes.Name(name=name) if name not in SPECIAL and name not in prompt_environment().globals:
                return names.get(name) or Term({name: 1}, (name, ()))
            case nodes.Getattr(node=nodes.Name(name="loop"), attr=name) if "loop" in names:
                if name in _LOOP_COUNTERS:
                    return Term({None: 20}, is_number=True)
                if name in ("previtem", "nextitem"):
                    return Term(names["loop"].size)
                raise NotBoundedError
            case nodes.Getattr() | nodes.Getitem():
                return self._part_of(node, bound, names)
            case nodes.CondExpr():
                return Term(self._all((node.test, node.expr1, node.expr2), bound, names))
            case nodes.Compare():
                self._all((node.expr, *(operand.expr for operand in node.ops)), bound, names)
                return Term({None: 5})
            case nodes.Test(name=name) if name in TESTS and not _has_named(node):
                self._all((node.node, *node.args), bound, names)
                return Term({None: 5})
            case nodes.Not():
                self._term(node.node, bound, names)
                return Term({None: 5})
            case nodes.Neg() | nodes.Pos():
                return Term(scaled(self._term(node.node, bound, names).size, 1, 1), is_number=True)
            case nodes.And() | nodes.Or() | nodes.Concat() | nodes.List() | nodes.Tuple() | nodes.Dict() | nodes.Pair():
                # The written form of a list adds quotes and commas, and writes a character as at most ten.
                children = list(node.iter_child_nodes())
                size = self._all(children, bound, names)
                return Term(scaled(size, 10, 4 * len(children) + 4) if isinstance(node, nodes.Literal) else size)
            case nodes.Add() | nodes.Sub() | nodes.Mul() | nodes.Div() | nodes.FloorDiv() | nodes.Mod():
                return self._arithmetic(node, bound, names)
            case nodes.Filter():
                return self._filter(node, bound, names)
            case nodes.Call():
                return self._call(node, bound, names)
        raise NotBoundedError

    def _part_of(self, node: nodes.Getattr | nodes.Getitem, bound: Bound, names: dict[str, Term]) -> Term:
        whole = self._term(node.node, bound, names)
        step: Any = node.attr if isinstance(node, nodes.Getattr) else None
        match node:
            case nodes.Getitem(arg=nodes.Const(value=value)):
                step = value
            case nodes.Getitem(arg=nodes.Slice(start=start, stop=stop, step=stride)):
                self._all((start, stop, stride), bound, names)
            case nodes.Getitem(arg=argument):
                self._term(argument, bound, names)
        if isinstance(step, str) and step.startswith("_"):
            raise NotBoundedError  # most likely an attack: let it happen elsewhere
        path = (whole.path[0], (*whole.path[1], step)) if whole.path and isinstance(step, str | int) else None
        return Term(whole.size, path)

    def _arithmetic(self, node: nodes.BinExpr, bound: Bound, names: dict[str, Term]) -> Term:
        left, right = (self._term(side, bound, names) for side in (node.left, node.right))
        both = left.is_number and right.is_number
        size = scaled(added(left.size, right.size), 1, 1)
        match node:
            case nodes.Add():
                return Term(size, is_number=both)
            case nodes.Sub() | nodes.Div() | nodes.FloorDiv():
                return Term(scaled(size, 1, NUMBER), is_number=True)
            case nodes.Mul() | nodes.Mod() if both:
                return Term(scaled(size, 1, NUMBER), is_number=True)
            case (
                nodes.Mul(left=nodes.Const(value=int() | float() as times))
                | nodes.Mul(right=nodes.Const(value=int() | float() as times))
            ):
                # The other side may be a text, which is repeated.
                return Term(scaled(size, max(1, times) if isinstance(times, int) else 1))
        raise NotBoundedError

    def _filter(self, node: nodes.Filter, bound: Bound, names: dict[str, Term]) -> Term:
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            raise NotBoundedError
        value = self._term(node.node, bound, names)
        if node.name in ("default", "d"):
            return Term(added(value.size, self._all([*node.args, *(k.value for k in node.kwargs)], bound, names)))
        if node.name == "format":
            return self._formatted(node, bound, names)
        if (ours := custom(node.name)) is not None:
            return self._ours(node, ours, value, bound, names)
        arguments = Arguments(
            [constant(argument) for argument in node.args],
            {str(k.key): constant(k.value) for k in node.kwargs},
        )
        growth = grown(node.name, arguments)
        if growth is None:
            raise NotBoundedError
        passes = SORT if node.name in ("sort", "dictsort", "unique") else 1
        self._charge(bound, scaled(value.size, passes + arguments.length * (node.name in PER_ITEM)))
        return Term(scaled(value.size, *growth), is_number=node.name in NUMERIC_FILTERS)

    def _ours(self, node: nodes.Filter, ours: Filter, value: Term, bound: Bound, names: dict[str, Term]) -> Term:
        """One of our own filters: its rule tells, and arguments that may be anything are added as they are."""
        if len(node.args) > len(ours.positional):
            raise NotBoundedError
        constants: dict[str, Any] = {}
        free: Size = {}
        named = [(str(each.key), each.value) for each in node.kwargs]
        for name, argument in [*zip(ours.positional, node.args, strict=False), *named]:
            if name in ours.free:
                free = added(free, self._term(argument, bound, names).size)
            else:
                constants[name] = constant(argument)
        growth = ours.growth(constants)
        if growth is None:
            raise NotBoundedError
        self._charge(bound, scaled(value.size, growth.passes))
        return Term(added(scaled(value.size, growth.factor, growth.more), free))

    def _formatted(self, node: nodes.Filter, bound: Bound, names: dict[str, Term]) -> Term:
        """`'%.2f' | format(x)`: each argument is used once, as at most ten characters each, plus the widths."""
        text = constant(node.node)
        if not isinstance(text, str) or node.kwargs:
            raise NotBoundedError
        widths = sum(int(digits) for digits in _DIGITS.findall(text) if len(digits) < 6)
        if _DIGITS_MANY.search(text):
            raise NotBoundedError
        size = self._all(node.args, bound, names)
        return Term(scaled(size, 10, len(text) + widths + NUMBER * text.count("%")))

    def _call(self, node: nodes.Call, bound: Bound, names: dict[str, Term]) -> Term:
        if _has_named(node):
            raise NotBoundedError
        match node.node:
            case nodes.Getattr(node=nodes.Name(name="loop"), attr="cycle") if "loop" in names:
                return Term(self._all(node.args, bound, names))
            case nodes.Name(name=name) if name in FUNCTIONS and name not in names:
                factor, more = FUNCTIONS[name]
                return Term(scaled(self._all(node.args, bound, names), factor, more))
            case nodes.Getattr(node=inner, attr="strftime"):
                # A format that is too long is refused.
                self._term(inner, bound, names)
                self._all(node.args, bound, names)
                return Term({None: MAX_WRITTEN * MAX_FORMAT})
            case nodes.Getattr(node=inner, attr=method) if method in METHODS:
                value = self._term(inner, bound, names)
                growth = METHODS[method]
                if method in STRIPPING and node.args:
                    self._charge(bound, scaled(value.size, len(str(constant(node.args[0])))))
                arguments = self._all(node.args, bound, names)
                return Term(added(scaled(value.size, *growth), arguments))
        raise NotBoundedError


def _has_named(node: nodes.Call | nodes.Test) -> bool:
    return bool(node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None)
