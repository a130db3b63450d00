"""Whatever is like an example satisfies the schema that was made of it, and what is not does not."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import Validator

from cuewire.model.dates import canonical_date
from cuewire.model.examples import schema_of
from cuewire.registry.schemas import compiled

NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(max_size=6).map(lambda text: "n" + text.replace(":", "").rstrip("?*"))
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
DATES = st.dates().map(str) | st.datetimes().map(lambda moment: moment.isoformat())


class Sample(NamedTuple):
    """A part of an example: the marks behind its key, what stands there, which values are like it, of which type."""

    marks: str
    example: Any
    fitting: st.SearchStrategy[Any]
    type_name: str


def leaf(marks: str, values: st.SearchStrategy[Any], type_name: str) -> st.SearchStrategy[Sample]:
    shown = values | st.none() if marks else values
    return shown.map(lambda value: Sample(marks, value, values, type_name))


LEAVES = st.one_of(
    leaf("", st.text(), "string"),
    leaf(":string", st.text(), "string"),
    leaf("", NUMBERS, "number"),
    leaf(":number", NUMBERS, "number"),
    leaf(":integer", st.integers(-(2**53), 2**53), "integer"),
    leaf(":boolean", st.booleans(), "boolean"),
    leaf(":date", DATES, "date"),
    ANYTHING.map(lambda example: Sample("*", example, ANYTHING, "anything")),
    st.integers(1, 3).map(lambda n: Sample(f":[{n}+]", "x", st.text(min_size=n), "string")),
)


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[Sample]) -> Sample:
    parts = draw(st.dictionaries(NAMES, st.tuples(inner, st.booleans()), max_size=4))
    example: dict[str, Any] = {}
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, (part, may_be_absent) in parts.items():
        is_optional = may_be_absent and part.marks != "*"
        example[f"{name}{'?' if is_optional else ''}{part.marks}"] = part.example
        (optional if is_optional else required)[name] = part.fitting
    further = st.dictionaries(NAMES.filter(lambda name: name not in parts), ANYTHING, max_size=1)
    fitting = st.tuples(st.fixed_dictionaries(required, optional=optional), further).map(lambda two: two[1] | two[0])
    return Sample("", example, fitting, "object")


@st.composite
def lists(draw: st.DrawFn, inner: st.SearchStrategy[Sample]) -> Sample:
    item = draw(inner.filter(lambda part: not part.marks))
    least = draw(st.integers(0, 2))
    fitting = st.lists(item.fitting, min_size=least, max_size=3)
    return Sample(f":[{least}+]" if least else "", [item.example], fitting, "array")


SAMPLES = st.recursive(LEAVES, lambda inner: objects(inner) | lists(inner), max_leaves=8)


def validator(sample: Sample) -> Validator:
    return compiled(schema_of(sample.example, pointer=""))


@given(st.data())
def test_a_value_that_is_like_the_example_is_accepted(data: st.DataObject) -> None:
    sample = data.draw(objects(SAMPLES) | lists(SAMPLES).filter(lambda sample: not sample.marks))

    value = data.draw(sample.fitting)

    assert validator(sample).is_valid(value)


@given(st.data())
def test_a_value_without_a_required_key_is_refused(data: st.DataObject) -> None:
    sample = data.draw(objects(SAMPLES))
    required = schema_of(sample.example, pointer="").get("required", [])
    value = data.draw(sample.fitting)

    for name in required:
        assert not validator(sample).is_valid({key: each for key, each in value.items() if key != name})


def is_of(value: Any, type_name: str) -> bool:
    """Tell whether a value is of a type, as JSON knows them."""
    match type_name, value:
        case (("number" | "integer"), bool()):
            return False
        case "integer", int() | float():
            return value == int(value)
        case "date", str():
            return canonical_date(value) is not None
        case "anything", _:
            return True
    kinds: dict[str, Any] = {"number": int | float, "string": str, "boolean": bool, "object": dict, "array": list}
    return isinstance(value, kinds.get(type_name, ()))


@given(st.data())
def test_a_value_of_another_type_is_refused(data: st.DataObject) -> None:
    part = data.draw(SAMPLES.filter(lambda sample: sample.marks != "*"))
    wrong = data.draw(ANYTHING.filter(lambda value: not is_of(value, part.type_name)))
    whole = Sample("", {f"key{part.marks}": part.example}, st.nothing(), "object")

    assert not validator(whole).is_valid({"key": wrong})
    assert not validator(whole).is_valid(wrong) or isinstance(wrong, dict)
