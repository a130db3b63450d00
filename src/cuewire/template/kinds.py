"""What a template asks of its inputs, found in its syntax tree and written as JSON Schemas.

A schema says only what held in every render that succeeded: it never refuses inputs that the template can render. So it
comes from what is evaluated whenever the template renders, and not from branches, macros or loops that may not turn;
what a loop does with each item is said of the items. An empty schema means that nothing is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jinja2 import nodes

from cuewire.template.environment import ATTRIBUTES
from cuewire.template.filters import ALIASES, CUSTOM
from cuewire.template.parse import Parsed
from cuewire.template.schemas import ANY, KINDS, Schema, finished, kinds, merged, of

VALUE = of(*KINDS)
"""Any JSON value, which no method is."""
MANY = of("array", "object", "string")
NUMBER = of("number", "boolean")
ORDERED = of("array", "string", "number", "boolean")
"""What has an order among its like, and can be added to it."""

_NUMERIC = ("string", "number", "null")
FILTERS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("batch", "count", "first", "groupby", "join", "last", "length", "list"), tuple(MANY["type"])),
    **dict.fromkeys(("max", "min", "reverse", "slice", "sort", "sum", "truncate", "unique"), tuple(MANY["type"])),
    **dict.fromkeys(("dictsort", "xmlattr"), ("object",)),
    **dict.fromkeys(("indent", "wordwrap"), ("string",)),
    **dict.fromkeys(("abs", "basis_points", "change", "compact", "currency", "format_currency", "number"), _NUMERIC),
    **dict.fromkeys(("percent", "r_multiple", "round", "signed"), _NUMERIC),
    **dict.fromkeys(("ago", "date", "datetime", "duration", "time"), _NUMERIC),
    **dict.fromkeys(("bullets", "mean", "median", "numbered", "pluck", "stdev", "top"), ("array", "null")),
    **dict.fromkeys(("csv", "table"), ("array", "object", "null")),
}
"""Filters that fail for a value of any other kind."""
NEEDING = frozenset(
    [
        *("capitalize", "center", "e", "escape", "filesizeformat", "float", "format", "int", "lower", "map", "reject"),
        *("rejectattr", "replace", "select", "selectattr", "string", "striptags", "title", "tojson", "trim"),
        *("urlencode", "wordcount"),
        *(name for name, entry in CUSTOM.items() if "missing" in entry.parameters),
    ]
)
"""Filters that fail for what is not defined, and take anything else."""
_ALL_ITEMS = frozenset({"list", "reverse", "sort"})
_OF_ITEMS = ("items", "maxLength", "maxProperties")
_METHODS = {"object": dict, "string": str, "array": list, "number": float}
_COMPARED = frozenset({"gt", "gteq", "lt", "lteq"})
_UNSEEN = (nodes.Extends, nodes.Import, nodes.FromImport)


def input_schemas(templates: Iterable[Parsed]) -> dict[str, Schema]:
    """Return what the templates of one version ask of each name that is theirs to read, where they ask anything."""
    schemas: dict[str, Schema] = {}
    for template in templates:
        if next(template.tree.find_all(_UNSEEN), None) is None:
            for name, schema in _Reading(template.tree).root.items():
                schemas[name] = merged(schemas.get(name, ANY), schema)
    return {name: done for name, schema in schemas.items() if (done := finished(schema))}


class _Reading:
    """Walks what is evaluated whenever the template renders. A scope maps names to what is asked of them.

    The outermost scope takes any name; that of a loop only the name of its items, since the loop may not turn.
    """

    def __init__(self, tree: nodes.Template) -> None:
        self._bound = _bound(tree)
        self.root: dict[str, Schema] = {}
        self._statements(tree.body, self.root)

    def _statements(self, body: Iterable[nodes.Node], scope: dict[str, Schema]) -> None:
        for node in body:
            match node:
                case nodes.Output():
                    for child in node.nodes:
                        self._expect(child, VALUE, scope)
                case nodes.If():
                    self._expect(node.test, ANY, scope)
                case nodes.For():
                    self._for(node, scope)
                case nodes.Assign():
                    self._evaluate(node.node, scope)
                case nodes.With():
                    for value in node.values:
                        self._evaluate(value, scope)
                    self._statements(node.body, scope)
                case nodes.AssignBlock() | nodes.FilterBlock():
                    self._statements(node.body, scope)
                case nodes.Block() if scope is self.root:
                    self._statements(node.body, scope)

    def _for(self, node: nodes.For, scope: dict[str, Schema]) -> None:
        """Text and mappings can be gone through too; where their letters and keys will not do, they must be empty."""
        target = node.target.name if isinstance(node.target, nodes.Name) else ""
        inside: dict[str, Schema] = {} if target in self._bound else {target: ANY}
        if node.test is None:
            self._statements(node.body, inside)
        else:
            self._expect(node.test, ANY, inside)
        items = inside.get(target, ANY)
        empty = {} if "string" in kinds(items) else {"maxLength": 0, "maxProperties": 0}
        self._expect(node.iter, {**MANY, "items": items, **empty}, scope)

    def _ask(self, name: str, schema: Schema, scope: dict[str, Schema]) -> None:
        if (name in scope or scope is self.root) and name not in self._bound:
            scope[name] = merged(scope.get(name, ANY), schema)

    def _expect(self, node: nodes.Node | None, schema: Schema, scope: dict[str, Schema]) -> None:
        """An expression is evaluated, and the render fails if its value is not defined or not of the schema."""
        match node:
            case nodes.Name(name=name):
                self._ask(name, schema, scope)
            case nodes.Getattr(node=whole, attr=name) if name.startswith("__"):  # will be forbidden, whatever is given
                self._expect(whole, ANY, scope)
            case nodes.Getattr(node=whole, attr=name) | nodes.Getitem(node=whole, arg=nodes.Const(value=str() as name)):
                self._expect(whole, _with_part(name, schema), scope)
            case nodes.Getitem(node=whole, arg=nodes.Const(value=int()) | nodes.Slice()):
                self._evaluate(node.arg, scope)
                self._expect(whole, of("array", "string"), scope)
            case nodes.Getitem(node=whole, arg=key):
                self._evaluate(key, scope)
                self._expect(whole, MANY if schema else ANY, scope)
            case nodes.Filter(node=nodes.Name(name=name)) if _is_plain_default(node):
                self._ask(name, schema, scope)
                self._evaluate_all(node.args, scope)
            case nodes.Filter(name=name, node=inner) if name in _ALL_ITEMS:
                of_items = {key: schema[key] for key in _OF_ITEMS if key in schema}
                self._evaluate_all(_arguments(node), scope)
                self._expect(inner, {**MANY, **of_items}, scope)
            case _:
                self._evaluate(node, scope)

    def _evaluate(self, node: nodes.Node | None, scope: dict[str, Schema]) -> None:
        """An expression is evaluated, and its value may be anything, even not defined."""
        match node:
            case nodes.Getitem(arg=nodes.Slice()):
                self._expect(node, ANY, scope)
            case nodes.Getattr(node=whole):
                self._expect(whole, ANY, scope)
            case nodes.Getitem(node=whole, arg=key):
                self._expect(whole, ANY, scope)
                self._evaluate(key, scope)
            case nodes.Filter(name=name, node=inner):
                self._filter(ALIASES.get(name, name), inner, scope)
                self._evaluate_all(_arguments(node), scope)
            case nodes.Test(name=name, node=inner):
                if name in _OF_NUMBERS:
                    self._expect(inner, NUMBER, scope)
                else:
                    self._evaluate(inner, scope)
                self._evaluate_all(_arguments(node), scope)
            case nodes.Call(node=callee):
                if isinstance(callee, nodes.Getattr):
                    self._expect(callee.node, of(*_having(callee.attr)), scope)
                self._evaluate_all(_arguments(node), scope)
            case nodes.And(left=first) | nodes.Or(left=first) | nodes.Not(node=first) | nodes.CondExpr(test=first):
                self._expect(first, ANY, scope)
            case nodes.Concat():
                for part in node.nodes:
                    self._expect(part, ANY, scope)
            case nodes.Neg() | nodes.Pos():
                self._expect(node.node, NUMBER, scope)
            case nodes.Compare():
                self._compare(node, scope)
            case nodes.BinExpr():
                self._calculate(node, scope)
            case nodes.Literal() | nodes.Pair() | nodes.Slice():
                self._evaluate_all(node.iter_child_nodes(), scope)

    def _evaluate_all(self, several: Iterable[nodes.Node], scope: dict[str, Schema]) -> None:
        for each in several:
            self._evaluate(each, scope)

    def _filter(self, name: str, value: nodes.Node | None, scope: dict[str, Schema]) -> None:
        if name in FILTERS:
            self._expect(value, of(*FILTERS[name]), scope)
        elif name in NEEDING:
            self._expect(value, ANY, scope)
        else:
            self._evaluate(value, scope)

    def _compare(self, node: nodes.Compare, scope: dict[str, Schema]) -> None:
        """Of a chain of comparisons the first is made in any case."""
        left, first = node.expr, node.ops[0]
        if first.op in _COMPARED:
            self._expect(left, _like(first.expr, ORDERED), scope)
            self._expect(first.expr, _like(left, ORDERED), scope)
        elif first.op in ("in", "notin"):
            self._evaluate(left, scope)
            self._expect(first.expr, MANY, scope)
        else:
            self._expect(left, ANY, scope)
            self._expect(first.expr, ANY, scope)

    def _calculate(self, node: nodes.BinExpr, scope: dict[str, Schema]) -> None:
        left, right = node.left, node.right
        match node:
            case nodes.Sub() | nodes.Div() | nodes.FloorDiv() | nodes.Pow():
                self._expect(left, NUMBER, scope)
                self._expect(right, NUMBER, scope)
            case nodes.Add():
                self._expect(left, _like(right, ORDERED), scope)
                self._expect(right, _like(left, ORDERED), scope)
            case nodes.Mul():  # a text or a list is repeated by a whole number
                self._expect(left, ORDERED, scope)
                self._expect(right, ORDERED, scope)
            case _:  # a text is formatted
                self._expect(left, of("string", "number", "boolean"), scope)
                self._evaluate(right, scope)


_OF_NUMBERS = frozenset({"divisibleby", "even", "odd"})


def _bound(tree: nodes.Template) -> set[str]:
    """Return the names that the template binds otherwise than as the item of a loop; of these nothing is said."""
    items = {id(loop.target) for loop in tree.find_all(nodes.For)}
    bound = {each.name for each in tree.find_all(nodes.Name) if each.ctx != "load" and id(each) not in items}
    return bound | {macro.name for macro in tree.find_all(nodes.Macro)}


def _with_part(name: str, schema: Schema) -> Schema:
    """Return the schema of what has such a part: a mapping that has the key, or what has a method of the name."""
    methods = _having(name) if not schema else []
    whole = of(*dict.fromkeys(["object", *methods]))
    return whole if "object" in methods else {**whole, "required": [name], "properties": {name: schema}}


def _is_plain_default(node: nodes.Filter) -> bool:
    """Tell whether what is given stays as it is; with a second argument it may not."""
    is_plain = not node.kwargs and node.dyn_args is None and node.dyn_kwargs is None
    return node.name in ("default", "d") and is_plain and len(node.args) < 2


def _having(method: str) -> list[str]:
    return [kind for kind, exact in _METHODS.items() if method in ATTRIBUTES[exact]]


def _like(other: nodes.Node, schema: Schema) -> Schema:
    """Return what can be compared with or added to something, of which only a constant tells its kind."""
    match other:
        case nodes.Const(value=str()):
            return of("string")
        case nodes.Const(value=int() | float()):
            return NUMBER
    return schema


def _arguments(node: nodes.Call | nodes.Filter | nodes.Test) -> list[nodes.Node]:
    return [*node.args, *(each.value for each in node.kwargs), *filter(None, (node.dyn_args, node.dyn_kwargs))]
