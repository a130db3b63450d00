"""What two versions say differently."""

from __future__ import annotations

from datetime import UTC, datetime

from cuewire.model.outputs import TextOutput
from cuewire.model.prompts import AuthoredRole, Message, PromptVersion
from cuewire.registry.diffs import compare


def version(number: int, *, role: AuthoredRole) -> PromptVersion:
    return PromptVersion(
        id=number,
        prompt_id=1,
        prompt="greet",
        number=number,
        messages=(Message(role, "Hello"),),
        variables={},
        model=None,
        parameters={},
        output=TextOutput(),
        content_hash="",
        note="",
        created_at=datetime(2026, 1, 31, tzinfo=UTC),
    )


def test_the_same_text_in_another_role_is_a_difference() -> None:
    found = compare(version(1, role="user"), version(2, role="system"))

    assert not found.is_empty
    assert (found.messages[0].first_role, found.messages[0].second_role) == ("user", "system")


def test_a_version_does_not_differ_from_itself() -> None:
    assert compare(version(1, role="user"), version(1, role="user")).is_empty
