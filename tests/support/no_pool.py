"""A pool without processes: what would render there is refused, so a test sees what renders in its own process."""

from __future__ import annotations

from cuewire.model.errors import TemplateLimitExceeded
from cuewire.template.frames import Job, Reply
from cuewire.template.pool import RenderPool


class Elsewhere(TemplateLimitExceeded):
    """Said of what has no provable bound."""


class NoPool(RenderPool):
    """Refuses everything."""

    async def _reply(self, job: Job) -> Reply:
        raise Elsewhere("this renders in the pool")
