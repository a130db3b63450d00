"""What other tools write is read as far as it goes, what is lost is said, and nothing that a file holds is obeyed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.files.formats import MAX_SLOW_BYTES, read
from cuewire.files.losses import MAX_LOSSES
from cuewire.model.bundles import Bundle, Format
from cuewire.model.errors import InvalidInput
from cuewire.model.prompts import Message, Placeholder
from tests.support.imports import described

DATA = Path(__file__).parents[2] / "data" / "imports"
FORMATS: tuple[Format, ...] = ("bundle", "langfuse", "prompty", "promptfoo", "fstring", "mustache")


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("langfuse.json", None),
        ("invoice.prompty", None),
        ("letters.prompty", None),
        ("promptfoo.yaml", None),
        ("notes.mustache", "mustache"),
        ("order.fstring", "fstring"),
    ],
)
def test_a_file_of_each_format_is_read_as_it_was_looked_at(name: str, format: Format | None) -> None:
    read_now = read((DATA / name).read_bytes(), format=format, name=name.partition(".")[0])

    assert described(read_now) == (DATA / f"{name}.expected").read_text()


def langfuse(*prompts: dict[str, Any]) -> Bundle:
    return read(msgspec.json.encode(prompts), format="langfuse")


def told(bundle: Bundle) -> str:
    return "\n".join(f"{loss.what}: {loss.why}" for loss in bundle.losses)


def test_what_only_its_own_machine_could_resolve_is_left_out_and_told() -> None:
    bundle = read((DATA / "invoice.prompty").read_bytes())

    (version,) = bundle.versions
    assert "default" not in version.file.variables["rules"]
    assert all(told in told_of(bundle) for told in ("OPENAI_API_KEY", "rules.md", "model.connection"))


def test_a_schema_of_another_tool_is_never_taken_for_an_example() -> None:
    schema = {"example": {"age:years": 36}}
    form = {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}}

    bundle = langfuse({"name": "a", "type": "text", "prompt": "x", "config": {"response_format": form}})

    assert [version.file.output for version in bundle.versions] == ["json"]
    assert bundle.losses == ()


def told_of(bundle: Bundle) -> str:
    return "\n".join(loss.what for loss in bundle.losses)


def test_no_value_of_a_key_is_told() -> None:
    bundle = langfuse({"name": "a", "prompt": "x", "config": {"api_key": "sk-1234", "Authorization": "Bearer x"}})

    assert "sk-1234" not in told(bundle)
    assert "Bearer" not in told(bundle)
    assert "api_key" in told(bundle)


@pytest.mark.parametrize("prefix", ["", "\\", "  ", "# "])
def test_only_a_line_of_the_file_itself_is_a_role(prefix: str) -> None:
    body = f"user:\n{{{{ text }}}}\n{prefix}system:\nx"
    messages = read(f"---\nname: a\n---\n{body}\n".encode()).versions[0].file.messages

    if prefix == "\\":
        assert messages == (Message("user", "{{ text }}\nsystem:\nx"),)
    else:
        assert messages == (Message("user", "{{ text }}"), Message("system", "x"))


def test_an_input_that_need_not_be_given_is_null_and_of_any_kind_which_is_told() -> None:
    bundle = read(b"---\nname: a\ninputs:\n- {name: x, kind: string, required: false}\n---\nuser:\n{{ x }}\n")

    assert bundle.versions[0].file.variables == {"x": {"default": None}}
    assert [loss.what for loss in bundle.losses] == ["x: kind string"]


def test_a_role_that_an_input_would_give_is_text_and_told() -> None:
    text = b"---\nname: a\n---\nuser:\n{% for turn in turns %}\n{{turn.role}}:\n{{turn.content}}\n{% endfor %}\n"
    bundle = read(text)

    assert len(bundle.versions[0].file.messages) == 1
    assert "kind thread" in told(bundle)


def test_names_that_are_none_of_ours_are_changed_and_told() -> None:
    bundle = langfuse({"name": "Größe/Über uns!", "prompt": "{{class name}} {{if}} {{1st}} {{ }} {{x}}"})

    (version,) = bundle.versions
    assert version.file.prompt == "groe/uber-uns"
    assert version.file.messages == (
        Message("user", "{{ class_name }} {{ if_ }} {{ _1st }} {% raw %}{{ }}{% endraw %} {{ x }}"),
    )
    assert "'class_name'" in told(bundle)


@pytest.mark.parametrize("name", ["7", "", " ", "!", None, "日本"])
def test_a_name_of_which_nothing_is_left_is_refused(name: Any) -> None:
    with pytest.raises(InvalidInput):
        langfuse({"name": name, "prompt": "x"})


def test_a_name_of_which_nothing_is_left_is_named() -> None:
    with pytest.raises(InvalidInput, match="no prompt name can be made of '日本'") as caught:
        langfuse({"name": "日本", "prompt": "x"})

    assert caught.value.hint is not None
    assert "rename it in the file" in caught.value.hint


def test_an_include_of_a_name_that_none_here_can_have_stays_as_it_is_and_is_told() -> None:
    tag = "@@@langfusePrompt:name=日本|label=production@@@"
    bundle = langfuse({"name": "a", "prompt": f"x {tag} y"})

    assert bundle.versions[0].file.messages == (Message("user", f"x {tag} y"),)
    assert [loss.what for loss in bundle.losses] == [tag]


def test_two_names_that_would_be_one_are_refused() -> None:
    with pytest.raises(InvalidInput, match="would both be called 'a-b'"):
        langfuse({"name": "A b", "prompt": "x"}, {"name": "a-b", "prompt": "x"})


@pytest.mark.parametrize(
    "data",
    [
        b'[{"name": "a", "prompt": "x", "version": 1}, {"name": "a", "prompt": "y", "version": 1}]',
        b"prompts: [{label: a, raw: x y}, {label: a, raw: y z}]",
        b'{"format": "cuewire-prompts", "version": 2, "prompts": []}',
        b'{"format": "cuewire-prompts", "version": 1, "prompts": [{"name": "../a", "versions": []}]}',
        b'{"format": "cuewire-prompts", "version": 1, "prompts": [{"name": "a", "versions": []}]}',
        b'{"format": "cuewire-prompts", "version": 1, "prompts": [{"name": "a", "versions": [{"number": 0}]}]}',
        b"[" * 200_000,
        b'[{"a": 1, "a": 2}]',
        b'[{"name": "a", "prompt": "x", "config": {"temperature": NaN}}]',
        b"prompts: " + b"[" * 100_000,
        b"prompts: [&a x, *a]",
        b"\xff\xfe",
        b"",
        b"just a text",
        b"x" * (MAX_SLOW_BYTES + 1),
    ],
)
def test_what_cannot_be_meant_is_refused(data: bytes) -> None:
    for format in (None, "promptfoo") if b"prompts:" in data else (None,):
        with pytest.raises(InvalidInput):
            read(data, format=format)


def test_a_bundle_that_brings_keys_and_users_brings_nothing() -> None:
    bundle = read(
        b'{"format": "cuewire-prompts", "version": 1, "api_keys": ["cw_x"], "users": [{"role": "admin"}], "prompts": ['
        b'{"name": "a", "owner": "root", "status": "active", "versions": [{"number": 1, "id": 9, "messages": '
        b'[{"type": "message", "role": "user", "content": "x", "tool_calls": []}]}]}]}'
    )

    assert [version.file.prompt for version in bundle.versions] == ["a"]
    assert [loss.what for loss in bundle.losses] == [
        "member api_keys",
        "member users",
        "member owner",
        "member status",
        "member id",
        "member tool_calls",
    ]


def test_characters_that_no_database_stores_are_replaced_and_told() -> None:
    bundle = langfuse({"name": "a", "prompt": "x\0y"})

    assert bundle.versions[0].file.messages == (Message("user", "x\ufffdy"),)
    assert "U+FFFD" in told(bundle)


@pytest.mark.parametrize(
    ("format", "data"),
    [
        ("fstring", b"x\0y\r\n"),
        ("mustache", b"\xef\xbb\xbfx\0y\n"),
        ("prompty", b"---\nname: a\n---\nuser:\nx\0y\n"),
        ("promptfoo", b"prompts: 'x\0y'"),
    ],
)
def test_in_a_file_of_text_they_are_replaced_and_told_too(format: Format, data: bytes) -> None:
    bundle = read(data, format=format)

    assert bundle.versions[0].file.messages == (Message("user", "x\ufffdy"),)
    assert [loss.what for loss in bundle.losses] == ["1 characters"]


@pytest.mark.parametrize("format", ["fstring", "mustache", "prompty", "promptfoo", "langfuse"])
def test_what_is_not_utf_8_is_refused(format: Format) -> None:
    with pytest.raises(InvalidInput, match="not UTF-8"):
        read(b"\xff", format=format)


def test_versions_come_oldest_first_whatever_their_order() -> None:
    bundle = langfuse(
        {"name": "a", "prompt": "new", "version": 12, "labels": ["production", "latest"]},
        {"name": "b", "prompt": [{"type": "placeholder", "name": "history"}]},
        {"name": "a", "prompt": "old", "version": 3},
    )

    assert [(each.file.prompt, each.number, each.labels) for each in bundle.versions] == [
        ("a", 3, ()),
        ("a", 12, ("production",)),
        ("b", 0, ()),
    ]
    assert bundle.versions[2].file.messages == (Placeholder(input="history"),)


def test_a_report_has_an_end() -> None:
    bundle = langfuse(*({"name": f"P {number}", "prompt": "x"} for number in range(MAX_LOSSES + 5)))

    assert len(bundle.losses) == MAX_LOSSES + 1
    assert bundle.losses[-1].what == "5 more"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["{{a}}", "user"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "prompt",
                    "prompts",
                    "version",
                    "versions",
                    "number",
                    "messages",
                    "role",
                    "content",
                    "type",
                    "config",
                ]
                + [
                    "labels",
                    "tags",
                    "format",
                    "raw",
                    "vars",
                    "tests",
                    "providers",
                    "inputs",
                    "outputs",
                    "model",
                    "options",
                ]
                + [
                    "kind",
                    "default",
                    "template",
                    "metadata",
                    "input",
                    "variables",
                    "parameters",
                    "properties",
                    "includes",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)
MARKS = st.lists(
    st.sampled_from(
        [
            "{{",
            "}}",
            "{{#a}}",
            "{{/a}}",
            "{{^b}}",
            "{{>p}}",
            "{{=<% %>=}}",
            "<%",
            "%>",
            "{%",
            "%}",
            "{#",
            "raw",
            "endraw",
        ]
        + [
            "include",
            "'",
            '"',
            "\\",
            "a",
            ".",
            "\n",
            " ",
            "user:",
            "---",
            "@@@langfusePrompt:name=a|label=b@@@",
            "{",
            "}",
        ]
        + ["${env:X}", "|", "||", "===", "if", "- role: user", "[", "]", ":", "\r", "\0", "\ud800", "é"]
    ),
    max_size=30,
).map("".join)


@given(source=JSON, marks=MARKS, format=st.sampled_from(FORMATS), mixed=st.integers(0, 4))
def test_whatever_comes_only_invalid_input_is_raised(source: Any, marks: str, format: Format, mixed: int) -> None:
    texts = marks.encode("utf-8", errors="surrogatepass")
    plain = msgspec.json.encode({"a": marks.encode("utf-8", errors="replace").decode()})
    data = [
        texts,
        b"---\n" + msgspec.json.encode(source) + b"\n---\n" + texts,
        msgspec.json.encode(source),
        msgspec.json.encode([{"name": "a", "prompt": source, "config": source, "labels": source, "tags": source}]),
        b'{"format": "cuewire-prompts", "version": 1, "prompts": [' + msgspec.json.encode(source) + b"]," + plain[1:],
    ][mixed]

    found = None
    with suppress(InvalidInput):
        found = read(data, format=format)

    assert found is None or all(version.file.messages for version in found.versions)
