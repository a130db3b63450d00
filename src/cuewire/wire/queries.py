"""Query strings of the lists. For the server only, which FastAPI reads them for; clients need no pydantic."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from cuewire.model.executions import Status
from cuewire.model.pages import MAX_PAGE

_Limit = Annotated[int, Field(ge=1, le=MAX_PAGE, description="how many")]
_After = Annotated[str | None, Field(max_length=1_000, description="the `next` of the page before")]


class PromptQuery(BaseModel):
    """Which prompts to list."""

    model_config = ConfigDict(extra="forbid")

    limit: _Limit = 100
    after: _After = None
    archived: bool = False


class ExecutionQuery(BaseModel):
    """Which executions to list."""

    model_config = ConfigDict(extra="forbid")

    limit: _Limit = 100
    after: _After = None
    prompt: str | None = None
    status: Status | None = None
