"""What a draft includes is fixed when it is made: texts, the texts within them, and nothing that cannot end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from cuewire.model.errors import InvalidInput, PromptNotFound, TemplateError, TemplateLimitExceeded
from cuewire.model.includes import MAX_DEPTH, MAX_TEXTS, NOTHING, IncludedText
from cuewire.model.prompts import Message, PromptVersion, VersionDraft
from cuewire.model.references import Reference
from cuewire.registry.drafts import find_variables, make_draft
from cuewire.template.render import TemplateRenderer


class Shelf:
    """A registry in which all versions carry `production` as long as they are the newest."""

    def __init__(self, renderer: TemplateRenderer) -> None:
        self.renderer = renderer
        self.versions: dict[str, list[PromptVersion]] = {}

    async def find(self, reference: Reference) -> PromptVersion:
        versions = self.versions.get(reference.name)
        if not versions:
            raise PromptNotFound(f"there is no prompt '{reference.name}'")
        return versions[-1 if reference.number is None else reference.number - 1]

    async def draft(self, name: str, content: Any, **options: Any) -> VersionDraft:
        return await make_draft(name, content, renderer=self.renderer, find=self.find, **options)

    async def publish(self, name: str, content: Any, **options: Any) -> VersionDraft:
        draft = await self.draft(name, content)
        versions = self.versions.setdefault(name, [])
        fields = {key: getattr(draft, key) for key in draft.__struct_fields__ if key != "parent"}
        now = datetime(2026, 1, 31, tzinfo=UTC)
        versions.append(
            PromptVersion(id=1, prompt_id=1, number=len(versions) + 1, created_at=now, **{**fields, **options})
        )
        return draft


@pytest.fixture
async def shelf() -> AsyncIterator[Shelf]:
    renderer = TemplateRenderer()
    yield Shelf(renderer)
    await renderer.close()


def pins(draft: VersionDraft) -> Mapping[str, str]:
    return draft.includes.pins


async def test_names_are_pinned_to_numbers_and_all_texts_kept(shelf: Shelf) -> None:
    await shelf.publish("tone", "kindly {{ mood }}")
    await shelf.publish("style", "Write {% include 'tone' %}.")
    await shelf.publish("style", "Answer {% include 'tone' %}.")

    draft = await shelf.draft(
        "greet", [Message("system", "{% include 'style@1' %}"), Message("user", "{{ prompt('style') }}{{ text }}")]
    )

    assert pins(draft) == {"style@1": "style@1", "style": "style@2"}
    assert draft.includes.texts == {
        "style@1": IncludedText(text="Write {% include 'tone' %}.", pins={"tone": "tone@1"}),
        "style@2": IncludedText(text="Answer {% include 'tone' %}.", pins={"tone": "tone@1"}),
        "tone@1": IncludedText(text="kindly {{ mood }}"),
    }
    assert list(draft.variables) == ["mood", "text"]


async def test_the_hash_of_a_version_covers_what_it_includes(shelf: Shelf) -> None:
    await shelf.publish("tone", "kindly")
    before = await shelf.draft("greet", "{% include 'tone' %}")
    await shelf.publish("tone", "briefly")

    after = await shelf.draft("greet", "{% include 'tone' %}")

    assert before.content_hash != after.content_hash
    assert (await shelf.draft("greet", "{% include 'tone@1' %}")).includes.pins == {"tone@1": "tone@1"}
    assert (await shelf.draft("greet", "Hello")).includes == NOTHING


async def test_a_version_of_a_strategy_is_told_from_a_global_one(shelf: Shelf) -> None:
    await shelf.publish("tone", "kindly", strategy="momentum", language="de")

    draft = await shelf.draft("greet", "{% include 'tone' %}")

    assert pins(draft) == {"tone": "tone@1 (momentum, de)"}


async def test_a_missing_prompt_is_told_with_its_place(shelf: Shelf) -> None:
    content = [Message("system", "Hello"), Message("user", "a\n{% include 'nowhere' %}")]

    with pytest.raises(PromptNotFound, match=r"no prompt 'nowhere' \(line 2, column 4 includes it\)") as caught:
        await shelf.draft("greet", content)

    assert caught.value.field == "/content/1"


async def test_only_a_single_text_is_included(shelf: Shelf) -> None:
    await shelf.publish("chat", [Message("system", "Be kind"), Message("user", "{{ text }}")])

    with pytest.raises(InvalidInput, match=r"'chat' is not one text.*\(line 1, column 4") as caught:
        await shelf.draft("greet", "{% include 'chat' %}")

    assert caught.value.field == "/content/0"


async def test_a_fault_in_a_name_points_to_its_message(shelf: Shelf) -> None:
    with pytest.raises(TemplateError, match="must not depend") as caught:
        await shelf.draft("greet", [Message("system", "Hello"), Message("user", "{% include name %}")])

    assert (caught.value.field, caught.value.line, caught.value.column) == ("/content/1", 1, 4)


@pytest.mark.parametrize("source", ["{% include 'a' %}", "{% extends 'a@1' %}", "{{ prompt('c') }}"])
async def test_a_prompt_cannot_include_itself_whichever_version(shelf: Shelf, source: str) -> None:
    await shelf.publish("a", "first")
    await shelf.publish("b", "{% include 'a' %}")
    await shelf.publish("c", "{% include 'b' %}")

    with pytest.raises(TemplateLimitExceeded, match="a -> .*a@1") as caught:
        await shelf.draft("a", f"x\n{source}")

    assert (caught.value.field, caught.value.line, caught.value.column) == ("/content/0", 2, 4)


async def test_two_ways_to_the_same_text_are_no_circle(shelf: Shelf) -> None:
    await shelf.publish("a", "first")
    await shelf.publish("b", "{% include 'a' %}")

    draft = await shelf.draft("c", "{% include 'a' %}{% include 'b' %}{% include 'a' %}")

    assert pins(draft) == {"a": "a@1", "b": "b@1"}


async def test_prompts_include_each_other_at_most_so_deep(shelf: Shelf) -> None:
    await shelf.publish("p0", "bottom")
    for depth in range(1, MAX_DEPTH + 1):
        await shelf.publish(f"p{depth}", f"{{% include 'p{depth - 1}' %}}")

    with pytest.raises(TemplateLimitExceeded, match="top -> p8@1 -> p7@1 .*-> p0@1"):
        await shelf.draft("top", "{% include 'p0' %}{% include 'p8' %}")

    assert pins(await shelf.draft("top", "{% include 'p7' %}")) == {"p7": "p7@1"}


async def test_included_texts_are_so_long_in_all(shelf: Shelf) -> None:
    await shelf.publish("a", "x" * 140_000)
    await shelf.publish("b", "x" * 130_000)

    with pytest.raises(TemplateLimitExceeded, match="270000 bytes, more than 262144") as caught:
        await shelf.draft("greet", "{% include 'a' %}{% include 'b' %}")

    assert (caught.value.field, caught.value.column) == ("/content/0", 21)


async def test_included_texts_are_so_many_in_all(shelf: Shelf) -> None:
    for number in range(MAX_TEXTS + 1):
        await shelf.publish(f"p{number}", "x")

    with pytest.raises(TemplateLimitExceeded, match=f"more than {MAX_TEXTS}"):
        await shelf.draft("greet", "".join(f"{{% include 'p{number}' %}}" for number in range(MAX_TEXTS + 1)))


async def test_content_that_is_not_published_has_the_variables_of_what_it_includes(shelf: Shelf) -> None:
    await shelf.publish("tone", "kindly {{ mood }}")

    found = await find_variables("{% include 'tone' %}{{ text }}", renderer=shelf.renderer, find=shelf.find)

    assert list(found) == ["mood", "text"]


async def test_content_on_its_own_includes_nothing(shelf: Shelf) -> None:
    with pytest.raises(InvalidInput, match="cannot be included here"):
        await find_variables("{% include 'tone' %}", renderer=shelf.renderer)


async def test_a_large_template_is_searched_outside_of_the_process(shelf: Shelf) -> None:
    await shelf.publish("tone", "kindly {{ mood }}")

    draft = await shelf.draft("greet", "{{ a }}" * 1_500 + "{% include 'tone' %}")

    assert pins(draft) == {"tone": "tone@1"}
    assert list(draft.variables) == ["a", "mood"]
