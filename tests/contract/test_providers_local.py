"""The bundled model, really run, under the contract of providers."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from cuewire.clock import SystemClock
from cuewire.model.errors import ConfigError, ContextLengthExceeded, MissingExtra
from cuewire.model.outputs import JsonOutput
from cuewire.ports import Provider
from cuewire.providers.local import MODEL, SLOTS, Local
from cuewire.providers.local_model import FILE_NAME, find_model
from tests.contract.test_provider import Heard, ProviderContract, request
from tests.support.chat_model import ensure_model

pytestmark = pytest.mark.asyncio(loop_scope="module")


STARTER = """
import asyncio, sys
from pathlib import Path
from cuewire.clock import SystemClock
from cuewire.providers.local import Local

async def main():
    provider = Local(model_path=None, data_folder=Path(sys.argv[1]), clock=SystemClock())
    await provider.models()
    print(provider.process_id, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def _gone(process_id: int) -> None:
    """Wait until the process has ended, be it reaped or not."""
    status = Path(f"/proc/{process_id}/stat")
    async with asyncio.timeout(3):
        while await asyncio.to_thread(_is_alive, status):
            await asyncio.to_thread(os.sched_yield)


def _is_alive(status: Path) -> bool:
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _local(folder: Path, model_path: Path | None = None) -> Local:
    return Local(model_path=model_path, data_folder=folder, clock=SystemClock())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folder(pytestconfig: pytest.Config) -> Path:
    """The folder of the model's file."""
    return await ensure_model(pytestconfig)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local(folder: Path) -> AsyncIterator[Local]:
    """The model, started once."""
    provider = _local(folder)
    yield provider
    await provider.close()


class TestLocal(ProviderContract):
    """The contract; what the small model says is not looked at."""

    model = MODEL
    parameters = ProviderContract.parameters | {"cache_prompt": False}
    provider: Local

    @pytest.fixture(autouse=True)
    def _take(self, local: Local) -> None:
        self.provider = local

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Provider]:
        yield self.provider

    @asynccontextmanager
    async def failing(self) -> AsyncIterator[tuple[Provider, str]]:
        broken = _local(Path(), Path(__file__))  # a file, but no model
        yield broken, "provider_unavailable"
        await broken.close()

    @pytest.mark.parametrize("is_streamed", [True])
    async def test_cancelled_call_is_given_up_upstream(self, is_streamed: bool) -> None:
        heard = [Heard() for _ in range(SLOTS)]
        long = request("Count to a thousand", model=MODEL, parameters={"max_tokens": 1_500, "ignore_eos": True})
        tasks = [asyncio.create_task(self.provider.call(long, listener=each)) for each in heard]
        await asyncio.gather(*(asyncio.wait_for(each.first.wait(), 60) for each in heard))

        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=3)

        # Each slot was busy for half a minute more; a call that is answered now got one that was given up.
        assert (await asyncio.wait_for(self.provider.call(self.request(), listener=None), 10)).text


async def test_stream_of_the_model_comes_in_pieces(local: Local) -> None:
    heard = Heard()
    answer = await local.call(request(model=MODEL, parameters={"max_tokens": 8}), listener=heard)

    assert len(heard.texts) > 1
    assert "".join(heard.texts) == answer.text


async def test_model_is_held_to_a_json_schema(local: Local) -> None:
    schema = {
        "type": "object",
        "properties": {"mood": {"enum": ["glad", "sad"]}, "sure": {"type": "boolean"}},
        "required": ["mood", "sure"],
        "additionalProperties": False,
    }
    asked = request("I won!", model=MODEL, output=JsonOutput(json_schema=schema), parameters={"max_tokens": 64})
    value = msgspec.json.decode((await local.call(asked, listener=None)).text)

    assert value["mood"] in {"glad", "sad"}
    assert isinstance(value["sure"], bool)


async def test_messages_beyond_the_window_are_a_context_length_error(local: Local) -> None:
    with pytest.raises(ContextLengthExceeded):
        await local.call(request("word " * 5_000, model=MODEL), listener=None)


async def test_model_that_died_is_started_again_by_the_next_call(folder: Path) -> None:
    provider = _local(folder)
    await provider.models()
    process_id = provider.process_id
    assert process_id is not None
    os.kill(process_id, signal.SIGKILL)
    async with asyncio.timeout(3):
        while provider.process_id == process_id:
            await asyncio.to_thread(os.sched_yield)

    assert MODEL in await provider.models()
    await provider.close()


async def test_model_ends_when_the_process_that_started_it_is_killed(folder: Path) -> None:
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STARTER, str(folder), stdout=asyncio.subprocess.PIPE
    )
    assert starter.stdout is not None
    process_id = int(await asyncio.wait_for(starter.stdout.readline(), 60))
    starter.kill()
    await starter.wait()

    await _gone(process_id)


async def test_closed_provider_leaves_no_process_behind(folder: Path) -> None:
    provider = _local(folder)
    await provider.models()
    process_id = provider.process_id
    assert process_id is not None
    await provider.close()

    with pytest.raises(ProcessLookupError):
        os.kill(process_id, 0)


async def test_configured_file_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.gguf"):
        find_model(tmp_path / "absent.gguf", tmp_path)


async def test_configured_file_comes_before_the_package(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.touch()

    assert find_model(own, tmp_path) == own


async def test_model_that_is_nowhere_names_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(MissingExtra, match="cuewire models pull local"):
        find_model(None, tmp_path, package="cuewire_has_no_such_package")

    (tmp_path / FILE_NAME).touch()
    assert find_model(None, tmp_path, package="cuewire_has_no_such_package") == tmp_path / FILE_NAME
