from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuewire.model.errors import InvalidInput
from cuewire.model.outputs import TextOutput
from cuewire.model.prompts import Image, Message, MessageTemplate, PromptVersion
from cuewire.model.references import Reference, check_label, parse_reference


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("triage", Reference(name="triage", label="production")),
        ("triage@candidate", Reference(name="triage", label="candidate")),
        ("triage@7", Reference(name="triage", number=7)),
        ("team/triage.v2-x_y@latest", Reference(name="team/triage.v2-x_y", label="latest")),
        ("0", Reference(name="0")),
    ],
)
def test_a_reference_is_a_name_with_label_or_number(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "a@",
        "A",
        "-a",
        "a@0",
        "a@007x",
        "a@9999999999",
        "a@-1",
        "a b",
        "a@b@c",
        "a\n",
        "ä",
        "a@٣",
        "x" * 129,
        None,
        7,
    ],
)
def test_other_texts_are_no_reference(text: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_reference(text)

    assert caught.value.field in ("/prompt", "/label")
    assert len(caught.value.message) < 200


@given(st.from_regex(r"[a-z0-9][a-z0-9._/-]{0,127}", fullmatch=True), st.integers(1, 999_999_999))
def test_a_reference_written_out_reads_back(name: str, number: int) -> None:
    for reference in (Reference(name=name, number=number), Reference(name=name, label="beta")):
        assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize("label", ["7", "Prod", "", "x" * 65, 3])
def test_a_label_begins_with_a_letter(label: object) -> None:
    with pytest.raises(InvalidInput):
        check_label(label)


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ((Message("user", "Hi {{ name }}"),), "Hi {{ name }}"),
        ((Message("system", "Be brief"),), None),
        ((Message("user", ("Look", Image("photo"))),), None),
        ((Message("system", "Be brief"), Message("user", "Hi")), None),
    ],
)
def test_a_version_has_one_text_if_it_is_one_plain_user_message(
    messages: tuple[MessageTemplate, ...], text: str | None
) -> None:
    version = PromptVersion(
        id=1,
        prompt_id=1,
        prompt="greet",
        number=1,
        messages=messages,
        variables={},
        model=None,
        parameters={},
        output=TextOutput(),
        content_hash="",
        note="",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )

    assert version.text == text
