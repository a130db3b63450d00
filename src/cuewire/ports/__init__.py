"""What the inside needs from the outside, as protocols. Adapters implement them; `wiring.py` joins the two."""

from cuewire.ports.clock import Clock
from cuewire.ports.faces import App, ExecutionsFace, PromptsFace, Stream
from cuewire.ports.models import Embedder, Listener, PriceBook, Provider, Providers, Renderer
from cuewire.ports.stores import (
    ApiKeys,
    Changes,
    ExecutionStore,
    OutcomeStore,
    PromptFolder,
    PromptStore,
    Recorder,
    Sessions,
)

__all__ = [
    "ApiKeys",
    "App",
    "Changes",
    "Clock",
    "Embedder",
    "ExecutionStore",
    "ExecutionsFace",
    "Listener",
    "OutcomeStore",
    "PriceBook",
    "PromptFolder",
    "PromptStore",
    "PromptsFace",
    "Provider",
    "Providers",
    "Recorder",
    "Renderer",
    "Sessions",
    "Stream",
]
