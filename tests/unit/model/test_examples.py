"""An example of an answer means a JSON Schema, and the marks in its keys say what the example cannot."""

from __future__ import annotations

from typing import Any

import pytest

from cuewire.model.errors import InvalidInput
from cuewire.model.examples import MAX_DEPTH, date_schema, schema_of
from cuewire.model.text import check_json
from cuewire.registry.schemas import compiled

TEXT, NUMBER, DATE = {"type": "string"}, {"type": "number"}, date_schema()
HERE = "/output/example"


def fields(**properties: Any) -> dict[str, Any]:
    """Return the schema of an object that has all of these keys."""
    return {"type": "object", "properties": properties, "required": [*properties]}


def listed(items: Any, **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


@pytest.mark.parametrize(
    ("example", "schema"),
    [
        ({"name": "Ada"}, fields(name=TEXT)),
        ({"a": 1, "b": 1.5, "c": True}, fields(a=NUMBER, b=NUMBER, c={"type": "boolean"})),
        ({"tags": ["a", "b"]}, fields(tags=listed(TEXT))),
        ({"tags": []}, fields(tags={"type": "array"})),
        ({"by": {"name": "Ada"}}, fields(by=fields(name=TEXT))),
        ({"rows": [{"n": [[1]]}]}, fields(rows=listed(fields(n=listed(listed(NUMBER)))))),
        ([{"name": "Ada"}], listed(fields(name=TEXT))),
        ({}, {"type": "object"}),
        ([], {"type": "array"}),
        ({"name?": "Ada"}, {"type": "object", "properties": {"name": TEXT}}),
        ({"name?": "Ada", "age": 1}, {**fields(name=TEXT, age=NUMBER), "required": ["age"]}),
        ({"more*": {"a": None}}, fields(more={})),
        ({"age:integer": 36}, fields(age={"type": "integer"})),
        ({"age:integer": 36.0}, fields(age={"type": "integer"})),
        ({"age:number": None}, fields(age=NUMBER)),
        ({"more:object": None, "all:array": None}, fields(more={"type": "object"}, all={"type": "array"})),
        ({"name:string": "Ada", "on:boolean": False}, fields(name=TEXT, on={"type": "boolean"})),
        ({"by:object": {"name": "Ada"}}, fields(by=fields(name=TEXT))),
        ({"due:date": "2026-11-21"}, fields(due=DATE)),
        ({"due:date": None}, fields(due=DATE)),
        ({"due": "2026-11-21"}, fields(due=TEXT)),
        ({"tags:[2+]": ["a"]}, fields(tags=listed(TEXT, minItems=2))),
        ({"name:[12+]": "Ada"}, fields(name={"type": "string", "minLength": 12})),
        ({"tags:array:[1+]": None}, fields(tags={"type": "array", "minItems": 1})),
        ({"tags?:[1+]": ["a"]}, {"type": "object", "properties": {"tags": listed(TEXT, minItems=1)}}),
        ({"age:integer?": 1}, {"type": "object", "properties": {"age": {"type": "integer"}}}),
        ({"what? why": 1, "2*3": 1, "a/b~c": 1}, fields(**{"what? why": NUMBER, "2*3": NUMBER, "a/b~c": NUMBER})),
    ],
)
def test_an_example_means_a_schema(example: Any, schema: dict[str, Any]) -> None:
    found = schema_of(example, pointer=HERE)

    assert found == schema
    compiled(found)


@pytest.mark.parametrize(
    ("example", "place", "problem"),
    [
        ("Ada", "", "an example is an object or a list"),
        (None, "", "an example is an object or a list"),
        ({"age": None}, "/age", "null tells no type"),
        ({"ages": [None]}, "/ages/0", "null tells no type"),
        ({"?": 1}, "/?", "no name before its marks"),
        ({":number": 1}, "/:number", "no name before its marks"),
        ({"": 1}, "/", "no name before its marks"),
        ({"age:years": 1}, "/age:years", "there is no mark ':years'; known are ?, *, :[N+]"),
        ({"age:": 1}, "/age:", "there is no mark ':'"),
        ({"age:number?x": 1}, "/age:number?x", "there is no mark 'x'"),
        ({"dc:title": "x"}, "/dc:title", "there is no mark ':title'"),
        ({"tags:[0+]": []}, "/tags:[0+]", "there is no mark ':[0+]'"),
        ({"tags:[1-2]": []}, "/tags:[1-2]", "there is no mark ':[1-2]'"),
        ({"x:" + "y" * 999: 1}, "/x:" + "y" * 999, "there is no mark ':y"),
        ({"age??": 1}, "/age??", "a mark of one kind stands there twice"),
        ({"age:number:integer": 1}, "/age:number:integer", "a mark of one kind stands there twice"),
        ({"tags:[1+]:[2+]": []}, "/tags:[1+]:[2+]", "a mark of one kind stands there twice"),
        ({"age?*": 1}, "/age?*", "the mark * asks for any content"),
        ({"age*:number": 1}, "/age*:number", "the mark * asks for any content"),
        ({"tags*:[1+]": []}, "/tags*:[1+]", "the mark * asks for any content"),
        ({"age:number": "36"}, "/age:number", "the mark says number, and the example is of type string"),
        ({"age:integer": 36.5}, "/age:integer", "the mark says integer, and the example is of type number"),
        ({"age:integer": True}, "/age:integer", "the mark says integer, and the example is of type boolean"),
        ({"due:date": "tomorrow"}, "/due:date", "the mark says date, and the example is of type string"),
        ({"due:date": 2026}, "/due:date", "the mark says date, and the example is of type number"),
        ({"all:object": []}, "/all:object", "the mark says object, and the example is of type array"),
        ({"all:array": {}}, "/all:array", "the mark says array, and the example is of type object"),
        ({"age:[1+]": 1}, "/age:[1+]", "a least length is of a string or an array, not of type number"),
        ({"by:[1+]": {"a": 1}}, "/by:[1+]", "a least length is of a string or an array, not of type object"),
        ({"due:date:[1+]": None}, "/due:date:[1+]", "a least length is of a string or an array, not of type date"),
        ({"age": 1, "age?": 2}, "/age?", "there are two keys 'age'"),
        ({"a": [{"b": 1}, {"b": 1}, {"b": "x"}]}, "/a/2", "a list is described by its first item"),
        ({"a": [{"b/c~d:x": 1}]}, "/a/0/b~1c~0d:x", "there is no mark ':x'"),
    ],
)
def test_a_mark_that_makes_no_sense_is_refused_with_its_place(example: Any, place: str, problem: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        schema_of(example, pointer=HERE)

    assert problem in refused.value.message
    assert refused.value.field == HERE + place
    assert refused.value.hint
    assert len(refused.value.message) < 250


def test_an_example_is_nested_so_deeply_that_its_schema_is_still_json_and_no_deeper() -> None:
    def nested(depth: int) -> dict[str, Any]:
        return {"a:date": None} if depth == 1 else {"a": nested(depth - 1)}

    check_json(schema_of(nested(MAX_DEPTH), pointer=""), pointer="")
    with pytest.raises(InvalidInput, match=f"nested deeper than {MAX_DEPTH} levels"):
        schema_of(nested(MAX_DEPTH + 1), pointer=HERE)


def test_long_keys_of_nothing_but_marks_are_looked_through_once() -> None:
    found = schema_of({"?" * 300_000 + "a": 1, "a" * 300_000 + "?": 1}, pointer=HERE)
    with pytest.raises(InvalidInput, match="there is no mark ':'") as refused:
        schema_of({"a" + ":" * 300_000: 1}, pointer=HERE)

    assert found["required"] == ["?" * 300_000 + "a"]
    assert len(refused.value.message) < 250
