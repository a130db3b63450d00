"""Where the clients are tried: a real `cuewire serve` over a scratch database, with a model behind it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from checks.clients.document import faults
from checks.clients.environments import variables
from checks.clients.model import Model
from tests.support.command_line import CommandLine
from tests.support.serving import Serving, serving

PROMPTS = "Two kinds of stored prompts"
"""The section of the document that publishes what its examples and the scripts use."""


@asynccontextmanager
async def ground(folder: Path) -> AsyncIterator[Serving]:
    """Serve the prompts of the document."""
    async with Model() as model:
        cue = CommandLine(folder, {"OPENAI_API_KEY": "sk-behind", "OPENAI_BASE_URL": model.url})
        with serving(cue) as server:
            given = {"CUE": server.url, "CUEWIRE_TOKEN": server.key, "CUEWIRE_DATA_FOLDER": str(folder)}
            environment = variables(Path(sys.executable).parent, folder, KEY=server.key, **given)
            found = await asyncio.to_thread(lambda: [*faults(PROMPTS, folder=folder, environment=environment)])
            assert found == [""], found
            yield server
