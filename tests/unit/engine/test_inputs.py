from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from cuewire.engine.plan import make_plan
from cuewire.model.errors import InvalidInput, ModelNotFound
from cuewire.model.outputs import TextOutput
from cuewire.model.prompts import Message, PromptVersion, Variable
from cuewire.model.requests import ChatMessage
from cuewire.registry.inputs import check_inputs, history


def version(model: str | None = None, parameters: dict[str, Any] | None = None, **variables: Variable) -> PromptVersion:
    return PromptVersion(
        id=1,
        prompt_id=1,
        prompt="greet",
        number=3,
        messages=(Message("user", "irrelevant here"),),
        variables=variables,
        model=model,
        parameters=parameters or {},
        output=TextOutput(),
        content_hash="",
        note="",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def test_inputs_that_fit_pass_with_defaults_filled_in() -> None:
    asked = version(
        name=Variable(),
        stars=Variable(json_schema={"type": "integer"}, required=False, default=5),
        note=Variable(required=False),
    )

    assert check_inputs(asked, {"name": "Ada"}) == {"name": "Ada", "stars": 5}
    assert check_inputs(asked, {"name": "Ada", "stars": 4}) == {"name": "Ada", "stars": 4}


def test_everything_wrong_is_said_at_once() -> None:
    asked = version(
        name=Variable(),
        stars=Variable(json_schema={"type": "integer"}),
        items=Variable(json_schema={"type": "array", "items": {"type": "string"}}),
        photo=Variable(kind="image"),
        past=Variable(kind="messages"),
    )

    with pytest.raises(InvalidInput) as caught:
        check_inputs(
            asked,
            {"stars": "four", "items": ["a", 1], "photo": "file:///etc/passwd", "past": [{"role": "king"}], "extra": 1},
        )

    assert dict(caught.value.problems).keys() == {
        "/inputs/extra",
        "/inputs/name",
        "/inputs/stars",
        "/inputs/items",
        "/inputs/photo",
        "/inputs/past",
    }
    message = str(caught.value)
    assert "'name' is missing" in message
    assert "'extra' is not read by this version" in message
    assert "'stars' is wrong: " in message
    assert "'items' is wrong at /1" in message
    assert "it reads: name, stars, items, photo, past" in message


def test_a_version_without_inputs_says_so() -> None:
    with pytest.raises(InvalidInput, match="it reads: no inputs"):
        check_inputs(version(), {"name": "Ada"})


def test_a_lenient_version_minds_neither_what_is_surplus_nor_what_is_missing() -> None:
    stars = Variable(json_schema={"type": "integer"}, required=False, default=5)
    asked = replace(version(name=Variable(), stars=stars), lenient=True)

    assert check_inputs(asked, {"extra": 1}) == {"stars": 5}
    with pytest.raises(InvalidInput, match="'stars' is wrong"):
        check_inputs(asked, {"stars": "four", "extra": 1})


def test_even_a_lenient_version_needs_its_images() -> None:
    asked = replace(version(photo=Variable(kind="image"), past=Variable(kind="messages")), lenient=True)

    with pytest.raises(InvalidInput) as caught:
        check_inputs(asked, {})

    assert caught.value.problems == (("/inputs/photo", "is missing"),)


@pytest.mark.parametrize("value", ["https://example.com/a.png", "http://x/y", "data:image/png;base64,AAAA"])
def test_an_image_is_an_address_or_a_data_uri(value: str) -> None:
    assert check_inputs(version(photo=Variable(kind="image")), {"photo": value}) == {"photo": value}


def test_a_history_is_a_list_of_messages() -> None:
    given: list[Any] = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": None, "tool_calls": []}]

    assert check_inputs(version(past=Variable(kind="messages")), {"past": given}) == {"past": given}
    assert history(given) == (ChatMessage(role="user", content="Hi"), ChatMessage(role="assistant"))


def test_the_callers_model_and_parameters_win_over_the_versions() -> None:
    asked = version(model="openai/gpt-4o", parameters={"temperature": 0, "seed": 1})

    own = make_plan(asked, model=None, parameters={})
    other = make_plan(asked, model="scripted/echo", parameters={"seed": 2})

    assert str(own.groups[0].candidates[0].model) == "openai/gpt-4o"
    assert own.groups[0].candidates[0].parameters == {"temperature": 0, "seed": 1}
    assert str(other.groups[0].candidates[0].model) == "scripted/echo"
    assert other.groups[0].candidates[0].parameters == {"temperature": 0, "seed": 2}
    assert own.max_calls == 1


def test_without_any_model_there_is_no_plan() -> None:
    with pytest.raises(ModelNotFound, match="names no model"):
        make_plan(version(), model=None, parameters={})
