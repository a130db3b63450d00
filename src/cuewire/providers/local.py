"""The provider of the models on this machine: a small chat model in a process of its own, and one for embeddings."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from cuewire.model.embeddings import EmbeddingRequest, Embeddings
from cuewire.model.errors import MissingExtra, ModelNotServed, ProviderUnavailable
from cuewire.model.requests import ModelRequest
from cuewire.model.results import Answer
from cuewire.model.secrets import Secret
from cuewire.outbound.lazy import open_transport
from cuewire.outbound.transport import Timeouts, Transport, origin_of
from cuewire.ports import Clock, Listener
from cuewire.providers import local_embeddings
from cuewire.providers.local_embeddings import LocalEmbeddings
from cuewire.providers.local_model import find_model
from cuewire.providers.openai_compatible import OpenAICompatible

MODEL = "smollm2-135m"
START_S = 60.0
"""How long the process may take to load the model."""
STOP_S = 3.0
PATIENT = Timeouts(connect_s=5.0, first_byte_s=120.0, idle_s=60.0, total_s=600.0)
"""A small machine takes its time over a long prompt."""
SLOTS = 4
CONTEXT = 2_048
"""Tokens of a call, input and output together."""


class Local:
    """Implements the Provider and Embedder ports; what a model needs starts with its first call, and ends with `close`.

    The chat model's process is started again by the next call if it died. It also ends by itself when this process is
    gone. Raises MissingExtra when the runtime or the files of the model that is asked are not installed. See
    `LocalEmbeddings` for embeddings; either model works without the other.
    """

    def __init__(
        self,
        *,
        model_path: str | Path | None,
        data_folder: Path,
        clock: Clock,
        embeddings_path: str | Path | None = None,
        timeouts: Timeouts = PATIENT,
    ) -> None:
        self._model_path = model_path
        self._folder = data_folder
        self._transport: Transport | None = None
        self._clock = clock
        self._timeouts = timeouts
        self._starting = asyncio.Lock()
        self._process: asyncio.subprocess.Process | None = None
        self._provider: OpenAICompatible | None = None
        self._embeddings = LocalEmbeddings(path=embeddings_path, data_folder=data_folder)

    async def call(self, request: ModelRequest, *, listener: Listener | None) -> Answer:
        """Make one call; the first one waits for the model to be loaded."""
        if request.model == local_embeddings.MODEL:
            raise ModelNotServed(f"the local model {request.model!r} does not chat", hint=f"name local/{MODEL}")
        return await (await self._running()).call(request, listener=listener)

    async def embed(self, request: EmbeddingRequest) -> Embeddings:
        """Return vectors; the first call waits for the weights to be loaded."""
        return await self._embeddings.embed(request)

    async def models(self) -> Sequence[str]:
        """List those of the two that are installed. Raises MissingExtra if neither is."""
        embedding = (local_embeddings.MODEL,) if await asyncio.to_thread(self._embeddings.is_here) else ()
        try:
            return (*await (await self._running()).models(), *embedding)
        except MissingExtra:
            if not embedding:
                raise
            return embedding

    @property
    def process_id(self) -> int | None:
        """The model's process, None while there is none."""
        return self._process.pid if self._process and self._process.returncode is None else None

    async def close(self) -> None:
        """End the chat model's process and the thread of the other one."""
        await self._embeddings.close()
        async with self._starting:
            await self._stop()

    async def _running(self) -> OpenAICompatible:
        if self.process_id and self._provider:
            return self._provider
        async with self._starting:
            if not (self.process_id and self._provider):
                await self._stop()
                self._provider = await self._start()
            return self._provider

    async def _start(self) -> OpenAICompatible:
        if find_spec("xllamacpp") is None:
            raise MissingExtra(
                "the local model needs its runtime", hint="install it with: pip install 'cuewire[local]'"
            )
        key = f"{self._clock.random_bits():x}"
        settings = {
            "model": str(find_model(self._model_path, self._folder)),
            "alias": MODEL,
            "key": key,
            "threads": 1,
            "slots": SLOTS,
            "context": CONTEXT,
        }
        with tempfile.TemporaryFile() as log:
            server = Path(__file__).with_name("local_server.py")
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                str(server),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
            try:
                address = await _ask_address(self._process, settings)
            except TimeoutError as error:
                await self._stop()
                raise ProviderUnavailable(
                    f"the local model did not start within {START_S:g} s",
                    hint="try again when the machine is less busy",
                ) from error
            except BaseException:
                await self._stop()
                raise
            if not address:
                await self._stop()
                log.seek(0)
                raise ProviderUnavailable(
                    "the local model did not start",
                    hint="check that its file is a chat model in the GGUF format",
                    snippet=log.read()[-2_000:].decode("utf-8", "replace"),
                )
        origin = origin_of(address)
        # A transport of its own: the one of configured origins would refuse this address, or send it to a proxy.
        self._transport = open_transport(origins=[origin])
        return OpenAICompatible(
            "local",
            base_url=f"{address}/v1",
            key=Secret(key, origin=origin),
            transport=self._transport,
            clock=self._clock,
            timeouts=self._timeouts,
        )

    async def _stop(self) -> None:
        process, self._process, self._provider = self._process, None, None
        if self._transport is not None:
            await self._transport.close()
            self._transport = None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _ask_address(process: asyncio.subprocess.Process, settings: dict[str, object]) -> str:
    """Give the process its settings and wait for its address; empty if it ended instead."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(settings).encode() + b"\n")
    async with asyncio.timeout(START_S):
        return (await process.stdout.readline()).decode().strip()
