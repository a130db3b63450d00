"""The OpenAPI document says enough that a client generated from it needs no cast and no guess."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from cuewire.config import load
from cuewire.server.application import Application
from cuewire.server.guard import Access
from cuewire.wiring import connect
from tests.support.openapi_python import Schema, body_of, operations, reply_of, type_of, typed_client

OF_OPENAI = {"chat_completions_complete", "embeddings_embed", "models", "models_model"}
"""What OpenAI's reference describes, and OpenAI's clients know."""
DOCUMENTS = {"prompts_export_give_out"}
"""What replies with files in formats of others."""
FREE = {
    *("VersionShape.parameters", "VariableShape.json_schema", "VariableShape.default"),
    *("JsonOutputShape.json_schema", "JsonOutputShape.example"),
    *("FoundInputShape.json_schema", "FoundInputShape.default", "FieldDiffShape.first", "FieldDiffShape.second"),
    *("CatalogueVariableShape.json_schema", "CatalogueVariableShape.example", "PreviewShape.inputs"),
    *("CheckShape.inputs", "CheckShape.expected", "EventShape.data", "ScopeShape.parameters", "ScopeShape.effective"),
    *("ExecutionShape.metadata", "ExecutionDetailShape.metadata", "ExecutionDetailShape.inputs"),
    *("ExecutionDetailShape.value", "ResultShape.value", "CandidateShape.value", "CacheEntryShape.value"),
    *("BindingShape.parameters", "PlannedShape.parameters", "CandidateShape.parameters"),
}
"""What replies hold that people make up: inputs, outputs, parameters of models, JSON Schemas, data of events."""
NOT_ALWAYS_THERE = {"ChatMessageShape", "ConnectionShape", "Problem"}
"""Shapes whose empty fields are left out."""
USE = """
from client import Client

def use(client: Client) -> None:
    made = client.prompts_create(body={"name": "greet", "content": [{"role": "user", "content": "Hi {{ x }}"}]})
    number: int = made["version"]["number"]
    client.prompts_update("greet", body={"description": "greets"}, strategy="momentum")
    for prompt in client.prompts_list(page_size=100, sort="-updated_at")["items"]:
        print(prompt["name"].upper(), prompt["updated_at"].year, prompt["labels"].get("production", 0) + number)
    for message in client.prompts_versions_get("greet", "production")["messages"]:
        if message["type"] == "message":
            print(message["role"].upper())
    for text in client.prompts_diff("greet", body={"first": 1, "second": 2})["messages"]:
        print([line["text"].strip() for line in text["lines"] if line["kind"] != "same"])
    result = client.executions_run(body={"prompt": "greet", "inputs": {"x": "Ada"}})
    print(result["text"].upper(), (result["usage"]["input_tokens"] or 0) + 1)
    for event in client.prompts_history("greet", limit=5)["items"]:
        print(event["at"].isoformat(), event["actor"].upper())
"""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """Return the document of this version."""
    with TemporaryDirectory() as folder:
        return asyncio.run(_document(Path(folder)))


async def _document(folder: Path) -> dict[str, Any]:
    app = await connect(settings=load(environment={"CUEWIRE_DATA_FOLDER": str(folder)}, folder=folder))
    try:
        return Application(app, access=Access(), clock=app.clock).openapi()
    finally:
        await app.close()


def reached(document: Mapping[str, Any], schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the name and schema of each shape that a schema is made of."""
    seen: set[str] = set()
    waiting = re.findall(r"#/components/schemas/(\w+)", str(schema))
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            found = document["components"]["schemas"][name]
            yield name, found
            waiting += re.findall(r"#/components/schemas/(\w+)", str(found))


def replied(document: Mapping[str, Any]) -> dict[str, Schema]:
    """Return the shapes that our own operations reply with."""
    ours = [said for _, _, said in operations(document) if said["operationId"] not in OF_OPENAI]
    return {name: found for said in ours for name, found in reached(document, reply_of(said)[1])}


def test_each_operation_has_a_name_that_a_method_can_have(document: dict[str, Any]) -> None:
    names = [said["operationId"] for _, _, said in operations(document)]

    assert len(names) == len({*names}) > 60
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z]+){0,3}", name)] == []


def test_each_parameter_has_a_type_and_what_is_in_the_path_is_required(document: dict[str, Any]) -> None:
    told = [
        (said["operationId"], parameter["name"], parameter["in"], parameter["required"], type_of(parameter["schema"]))
        for _, _, said in operations(document)
        for parameter in said.get("parameters", [])
    ]

    assert [each for each in told if "Any" in each[4]] == []
    assert [each for each in told if each[2] == "path" and not each[3]] == []
    for path, _, said in operations(document):
        named = {parameter["name"] for parameter in said.get("parameters", []) if parameter["in"] == "path"}
        assert named == {*re.findall(r"{(\w+)}", path)}


def test_each_body_is_a_shape_that_names_all_its_fields(document: dict[str, Any]) -> None:
    bodies = {
        said["operationId"]: body
        for _, _, said in operations(document)
        if (body := body_of(said)) is not None and said["operationId"] not in OF_OPENAI | {"prompts_import_bring_in"}
    }
    of_names = {"executions_outcomes_report"}  # a mapping whose names the caller chooses

    shapes = [each for name, body in bodies.items() if name not in of_names for each in reached(document, body)]

    assert [name for name, body in bodies.items() if "$ref" not in str(body)] == [*of_names]
    assert [name for name, shape in shapes if shape.get("additionalProperties") is not False] == []
    assert type_of(bodies["executions_outcomes_report"]).startswith("dict[str, ")


def test_each_reply_says_what_is_in_it_but_for_what_people_make_up(document: dict[str, Any]) -> None:
    bare = [
        said["operationId"]
        for _, _, said in operations(document)
        if "Any" in type_of(reply_of(said)[1]) and said["operationId"] not in OF_OPENAI | DOCUMENTS
    ]
    free = {
        f"{name}.{field}"
        for name, shape in replied(document).items()
        for field, said in shape.get("properties", {}).items()
        if re.search(r"\bAny\b", type_of(said))
    }

    assert bare == []
    assert free == FREE


def test_each_field_of_a_reply_is_always_there_and_a_moment_is_told_as_one(document: dict[str, Any]) -> None:
    shapes = {name: shape for name, shape in replied(document).items() if "properties" in shape}
    moments = [
        (name, field, type_of(said))
        for name, shape in shapes.items()
        for field, said in shape["properties"].items()
        if field == "at" or field.endswith("_at")
    ]

    lacking = {name for name, shape in shapes.items() if {*shape["properties"]} != {*shape["required"]}}
    assert lacking == NOT_ALWAYS_THERE
    assert [each for each in moments if not each[2].startswith("datetime")] == []
    assert len(moments) > 10


def test_a_client_made_of_the_document_is_typed_without_a_cast(document: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "client.py").write_text(typed_client(document))
    (tmp_path / "use.py").write_text(USE)
    wrongly = USE.replace("page_size=100", "page_size='100'").replace('"actor"', '"actress"')
    (tmp_path / "wrong.py").write_text(wrongly)

    right, wrong = checked(tmp_path, "client.py", "use.py"), checked(tmp_path, "client.py", "wrong.py")

    assert (right.stdout, right.stderr) == ("Success: no issues found in 2 source files\n", "")
    assert (wrong.returncode, wrong.stdout.count("error:")) == (1, 2), wrong.stdout


def checked(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    """Check the types of files, in a process of its own: mypy lets whatever runs it nest calls deeper from then on."""
    options = ["--strict", "--no-incremental", "--cache-dir", str(folder / "cache"), "--config-file", ""]
    return subprocess.run([sys.executable, "-m", "mypy", *options, *files], cwd=folder, capture_output=True, text=True)
