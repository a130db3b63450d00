"""Every prompt has a file of its own below the folder, whatever it is called and in however many languages it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from cuewire.files.prompt_folder import PromptFolder
from cuewire.model.errors import InvalidInput
from cuewire.model.prompt_files import PromptFile
from cuewire.model.prompts import Message

HELLO = (Message("user", "Hello"),)
FILES = {
    "team/greet.prompt": PromptFile(prompt="team/greet", messages=HELLO),
    "team/greet@de.prompt": PromptFile(prompt="team/greet", messages=HELLO, language="de"),
    "team/greet@slow.prompt": PromptFile(prompt="team/greet", messages=HELLO, strategy="slow"),
    "team/greet@slow@pt-BR.prompt": PromptFile(prompt="team/greet", messages=HELLO, strategy="slow", language="pt-BR"),
    "greet@a%2Fb%2E.prompt": PromptFile(prompt="greet", messages=HELLO, strategy="a/b."),
}


def test_each_prompt_has_its_file_and_comes_back_from_it(tmp_path: Path) -> None:
    folder = PromptFolder(tmp_path)

    assert [folder.write(file) for file in FILES.values()] == [True] * len(FILES)
    assert [folder.write(file) for file in FILES.values()] == [False] * len(FILES)
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.prompt")} == {*FILES}
    assert sorted(map(repr, folder.read())) == sorted(map(repr, FILES.values()))


@pytest.mark.parametrize(
    ("name", "settings"),
    [("a@de", ""), ("a", "language: de\n"), ("a@fr", "language: de\n"), ("a@slow@de", "strategy: slow\n")],
)
def test_a_name_that_says_something_else_than_the_file_is_refused(tmp_path: Path, name: str, settings: str) -> None:
    (tmp_path / f"{name}.prompt").write_text(f"---\n{settings}---\nHello\n")

    with pytest.raises(InvalidInput, match="belongs into"):
        PromptFolder(tmp_path).read()
