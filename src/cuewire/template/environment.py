"""The language of templates: Jinja2 without anything that reaches outside the text.

Values are plain JSON. What a template may ask of a value is an allow-list by exact type, not a deny-list of dunders;
there is no loader, no bytecode cache, and no code of the template runs while it is compiled. Of other templates there
are only those that were put into an environment made for one version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import date, timedelta
from functools import cache, partial
from typing import Any, NoReturn

from jinja2 import Template, Undefined
from jinja2.exceptions import SecurityError
from jinja2.lexer import Lexer
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, TemplateReference
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace, pass_context

from cuewire.model.errors import TemplateError
from cuewire.template import filters, functions, guards
from cuewire.template.absent import UNDEFINED, Missing, for_given, let_through
from cuewire.template.instants import Day, Lapse, Moment, Now, Today, day_of, written_at
from cuewire.template.lexer import PlacingLexer

REMOVED_FILTERS = frozenset({"attr", "forceescape", "pprint", "random", "safe", "urlize"})
"""Filters of Jinja2 that walk objects, are not repeatable, or only make sense in a web page."""

_TIMES = frozenset({Moment, Now, Day, Today, Lapse, timedelta})
_PRINTABLE = frozenset({str, int, float, bool, type(None), list, dict, tuple}) | _TIMES
_INDEXED = frozenset({dict, list, str, tuple, range})
_WORDS_OF_TEXT = (
    "capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier islower"
    " isnumeric isprintable isspace istitle isupper lower lstrip partition removeprefix removesuffix rfind rindex"
    " rpartition rsplit rstrip split splitlines startswith strip swapcase title upper"
)
_WORDS_OF_DATE = "day isoformat isoweekday month strftime weekday year"
_WORDS_OF_TIME = f"{_WORDS_OF_DATE} date hour microsecond minute second timestamp"
_WORDS_OF_LAPSE = "days microseconds seconds total_seconds"
_COUNTS_OF_LOOP = "depth depth0 first index index0 last length revindex revindex0"
_WORDS_OF_LOOP = f"{_COUNTS_OF_LOOP} changed cycle nextitem previtem"
_COUNTED = frozenset(_COUNTS_OF_LOOP.split())


class Function:
    """What a template gets to call. Its written form tells its name, not where it lies in memory."""

    __slots__ = ("_call", "_name")

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        """Wrap a callable."""
        self._name = name
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return self._call(*args, **kwargs)

    def __repr__(self) -> str:
        return f"{self._name}()"


class _Cycler(Cycler):
    def __repr__(self) -> str:
        return "<cycler>"


class _Joiner(Joiner):
    def __repr__(self) -> str:
        return "<joiner>"


class _Block(BlockReference):
    """What `super` is: the block of the text above."""

    @property
    def super(self) -> BlockReference | Undefined:
        return _named(super().super)

    def __repr__(self) -> str:
        return "super()"


class _Context(Context):
    def super(self, name: str, current: Callable[[Context], Iterator[str]]) -> BlockReference | Undefined:
        return _named(super().super(name, current))


def _named(above: BlockReference | Undefined) -> BlockReference | Undefined:
    if isinstance(above, Undefined):
        return above
    return _Block(above.name, above._context, above._stack, above._depth)


_OF_TEMPLATES = frozenset({TemplateReference, _Block, Namespace})
"""What templates make themselves: `self`, `super`, and namespaces."""
ATTRIBUTES: Mapping[type, frozenset[str]] = {
    str: frozenset(_WORDS_OF_TEXT.split()) | guards.TEXT_METHODS.keys() | {"format", "format_map"},
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index", "grouper", "list"}),
    float: frozenset({"is_integer"}),
    LoopContext: frozenset(_WORDS_OF_LOOP.split()),
    _Cycler: frozenset({"current", "next", "reset"}),
    **dict.fromkeys((Moment, Now), frozenset(_WORDS_OF_TIME.split())),
    **dict.fromkeys((Day, Today), frozenset(_WORDS_OF_DATE.split())),
    **dict.fromkeys((Lapse, timedelta), frozenset(_WORDS_OF_LAPSE.split())),
}
"""All attributes that exist inside a template, by the exact type of the value. A key of a mapping wins over them."""


class PromptEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox. What is not given is an error unless told otherwise. Nothing is escaped: prompts are text."""

    context_class = _Context
    intercepted_binops = frozenset({"*", "**", "%"})

    def __init__(self, missing: Missing = "raise") -> None:
        # Not optimised, and with a `finalize` that wants the context: so the compiler evaluates nothing itself.
        super().__init__(
            undefined=UNDEFINED[missing],
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,
            finalize=_printable,
        )
        self.filters = {name: call for name, call in self.filters.items() if name not in REMOVED_FILTERS}
        self.filters.update(guards.FILTERS)
        self.filters.update(filters.calls())
        self.tests.update(guards.TESTS)
        self.tests.update(functions.TESTS)
        calls: dict[str, Callable[..., Any]] = {
            **functions.FUNCTIONS,
            "dict": dict,
            "namespace": Namespace,
            "cycler": _Cycler,
            "joiner": _Joiner,
        }
        if missing != "raise":
            calls |= {name: for_given(calls[name]) for name in functions.FUNCTIONS}
        if missing == "mark":
            self.filters = let_through(self.filters)
        self.globals = {name: Function(name, call) for name, call in calls.items()}
        self.binop_table.update({"*": guards.multiply, "**": guards.power, "%": guards.modulo})
        self._placing_lexer = PlacingLexer(self)
        self.texts: dict[str, Template] = {}

    def without_texts(self) -> PromptEnvironment:
        """Return an environment that shares all with this one but the texts of other prompts, of which it has none."""
        other = self.overlay()
        other.texts = {}
        return other

    @property
    def lexer(self) -> Lexer:
        """The lexer, one for the life of the environment."""
        return self._placing_lexer

    def get_template(self, name: Any, parent: Any = None, globals: Any = None) -> Template:
        """Return a text that `include` and `extends` take in, by number."""
        return self.texts[name]

    def text_of(self, context: Context, number: str) -> str:
        """Return what a text gives in a context: the function `prompt`. Raises TemplateLimitExceeded."""
        template = self.texts[number]
        pieces = template.root_render_func(template.new_context(context.get_all(), shared=True))
        return "".join(guards.counted(pieces, ""))

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return a key of a mapping, else an allowed attribute, else an undefined value."""
        kind = type(obj)
        if kind is dict:
            try:
                return obj[attribute]
            except KeyError:
                pass
        elif kind is LoopContext and attribute in _COUNTED:
            return getattr(obj, attribute)
        elif kind in _OF_TEMPLATES:
            return self._of_template(obj, attribute)
        elif isinstance(obj, tuple):
            kind = tuple
        if attribute not in ATTRIBUTES.get(kind, ()):
            return self._absent(obj, attribute)
        if kind is str and attribute in guards.TEXT_METHODS:
            return Function(attribute, partial(guards.TEXT_METHODS[attribute], obj))
        if kind is str and attribute in ("format", "format_map"):
            return Function(attribute, getattr(guards, attribute)(self, obj))
        if attribute in ("strftime", "date") and kind in _TIMES:
            return Function(attribute, partial(_OF_TIME[attribute], obj))
        if not hasattr(obj, attribute):
            return self._absent(obj, attribute)
        value = getattr(obj, attribute)
        if kind is dict and attribute != "get":
            return Function(attribute, lambda: list(value()))
        # An undefined item of a loop is callable too: it raises.
        return Function(attribute, value) if callable(value) and not isinstance(value, Undefined) else value

    def _of_template(self, obj: Any, attribute: str) -> Any:
        """Return an attribute of what templates themselves make."""
        match obj:
            case TemplateReference():
                with suppress(KeyError):
                    return Function(attribute, obj[attribute])
            case _Block() if attribute == "super":
                return obj.super
            case Namespace() if not attribute.startswith("_"):
                return _of_namespace(self, obj, attribute)
        return self._absent(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item, else what `getattr` returns."""
        if type(obj) in _INDEXED or isinstance(obj, tuple):
            try:
                return obj[argument]
            except (TypeError, LookupError):
                pass
        if isinstance(argument, str):
            return self.getattr(obj, argument)
        return self._absent(obj, argument)

    def handle_exception(self, source: str | None = None) -> NoReturn:
        """Raise the exception at hand as it is; Jinja2 would first forge a traceback that nobody reads."""
        raise  # there is one: this is called while it is handled

    def _absent(self, obj: Any, name: Any) -> Any:
        if isinstance(obj, Undefined):
            return obj[name]  # raises, and names what was not given
        if isinstance(name, str) and (name.startswith("__") or (type(obj) is not dict and hasattr(obj, name))):
            raise SecurityError(f"{name[:40]!r} of {kind_of(obj)} is not available in templates")
        return self.undefined(f"{kind_of(obj)} has no {_shown(name)}", name=str(name)[:80])


_OF_TIME: Mapping[str, Callable[..., Any]] = {"strftime": written_at, "date": day_of}
"""Methods of times whose results would be of Python's own types, or depend on the machine."""


def kind_of(value: object) -> str:
    """Name the kind of a value in the words of template authors."""
    match value:
        case str():
            return "text"
        case bool() | None:
            return str(value).lower()
        case int() | float():
            return "a number"
        case dict():
            return "a mapping"
        case list() | tuple() | range():
            return "a list"
        case date() | timedelta():
            return "a time"
        case LoopContext():
            return "loop"
        case Macro() | BlockReference():
            return "a macro"
    return "this value"


def _shown(name: object) -> str:
    return f"field '{name[:40]}'" if isinstance(name, str) else f"item {str(name)[:40]}"


def _of_namespace(environment: PromptEnvironment, namespace: Any, name: str) -> Any:
    try:
        return getattr(namespace, name)
    except AttributeError:
        return environment.undefined(f"the namespace has no field '{name[:40]}'", name=name[:80])


@pass_context
def _printable(_: Context, value: Any) -> Any:
    """Let through what has one written form; a method or a generator would print its address in memory."""
    if type(value) in _PRINTABLE or isinstance(value, Undefined | tuple | range):
        return value
    if callable(value):
        raise TemplateError("a method or function is printed, not what it returns", hint="call it: add ()")
    raise TemplateError("something is printed that is no text, number, list or mapping", hint="print a part of it")


def prompt_environment(missing: Missing = "raise") -> PromptEnvironment:
    """Return the environment of this process, one for each way with what is missing; it is only read."""
    return _environment(missing)


_environment = cache(PromptEnvironment)
