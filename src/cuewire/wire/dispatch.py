"""`POST /api`: bodies that name what is asked for as `endpoint`; the rest is the body of that operation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from cuewire.model.errors import NotFound
from cuewire.wire.executions import RunRequest
from cuewire.wire.shapes import Request, Shape
from cuewire.wire.strict_json import convert, decode
from cuewire.wire.versions import VariableShape


class ExecutePrompt(RunRequest, frozen=True, tag_field="endpoint", tag="execute_prompt"):
    """Run a prompt, as `POST /api/v1/executions` does."""


class ExecuteMultiModelPrompt(RunRequest, frozen=True, tag_field="endpoint", tag="execute_multi_model_prompt"):
    """Run a prompt on each of `models` at once; `candidates` of the result has the answer of each, with its figures."""


class GetExecution(Request, frozen=True, tag_field="endpoint", tag="get_execution"):
    """Look up one execution."""

    id: str


class GetAvailableModels(Request, frozen=True, tag_field="endpoint", tag="get_available_models"):
    """List the models of one provider, or of all that are set up for use."""

    provider: str | None = None


class CheckOpenRouterConnection(Request, frozen=True, tag_field="endpoint", tag="test_openrouter_connection"):
    """See whether OpenRouter can be reached; it costs nothing."""


class GeneratePrompt(Request, frozen=True, tag_field="endpoint", tag="generate_prompt"):
    """Let a model write a prompt; it is recorded like any other execution, and nothing is published."""

    purpose: str
    model: str | None = None
    industry: str = ""
    use_case: str = ""
    audience: str = ""
    variables: list[str] = []
    format: str = ""
    tone: str = ""
    length: str = ""
    uses_context: bool = False


class Health(Request, frozen=True, tag_field="endpoint", tag="health"):
    """Tell that the process runs."""


Dispatched: TypeAlias = (
    ExecutePrompt
    | ExecuteMultiModelPrompt
    | GetExecution
    | GetAvailableModels
    | CheckOpenRouterConnection
    | GeneratePrompt
    | Health
)
ENDPOINTS: Mapping[str, type[Dispatched]] = {
    "execute_multi_model_prompt": ExecuteMultiModelPrompt,
    "execute_prompt": ExecutePrompt,
    "generate_prompt": GeneratePrompt,
    "get_available_models": GetAvailableModels,
    "get_execution": GetExecution,
    "health": Health,
    "test_openrouter_connection": CheckOpenRouterConnection,
}


class Fault(Shape, frozen=True):
    """Why a provider did not answer."""

    code: str
    detail: str
    hint: str = ""


class ModelsShape(Shape, frozen=True):
    """Models as `provider/model`, and the providers that did not answer."""

    models: tuple[str, ...]
    faults: dict[str, Fault] = {}


class ConnectionShape(Shape, frozen=True, omit_defaults=True):
    """Whether a provider answered when asked for its models, and how many it has."""

    status: str
    models: int = 0
    fault: Fault | None = None


class GeneratedPrompt(Shape, frozen=True):
    """A template that a model wrote, checked to be one, with the variables that it reads."""

    execution_id: str
    content: str
    title: str
    description: str
    variables: dict[str, VariableShape]
    model: str
    cost_usd: float | None


def read_dispatched(body: bytes) -> Dispatched:
    """Read the body of `POST /api`. Raises InvalidInput, and NotFound for an endpoint that there is not."""
    asked = decode(body, dict[str, Any])
    endpoint = asked.get("endpoint")
    shape = ENDPOINTS.get(endpoint) if isinstance(endpoint, str) else None
    if shape is None:
        raise NotFound(f"no endpoint is called {str(endpoint)[:80]!r}", field="/endpoint", hint=", ".join(ENDPOINTS))
    return convert(asked, shape)
