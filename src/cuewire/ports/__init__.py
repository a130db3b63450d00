"""What the inside needs from the outside, as protocols. Adapters implement them; `wiring` joins the two."""

from cuewire.ports.access import ApiKeys, Sessions, Users
from cuewire.ports.cache import CacheStore, Cosines, Leases, MatchStore, Near, QuestionStore, SignIndex, Signs
from cuewire.ports.clock import Clock
from cuewire.ports.faces import App, BreakersFace, CacheFace, ExecutionsFace, Stream
from cuewire.ports.limits import Limiter, LimitsFace, SpendStore
from cuewire.ports.live import LiveFace, LiveSource, Subscription
from cuewire.ports.models import Embedder, Listener, PriceBook, Provider, Providers, Renderer, WhenMissing
from cuewire.ports.prompts import (
    EventStore,
    LabelRuleStore,
    PromptStore,
    Refusal,
    ReviewStore,
    ScopeStore,
    TemplateTypeStore,
)
from cuewire.ports.registry_faces import EventsFace, PromptsFace, ReviewsFace, ScopesFace, TemplatesFace
from cuewire.ports.stores import Changes, ExecutionStore, OutcomeStore, PromptFolder, Recorder

__all__ = [
    "ApiKeys",
    "App",
    "BreakersFace",
    "CacheFace",
    "CacheStore",
    "Changes",
    "Clock",
    "Embedder",
    "EventStore",
    "EventsFace",
    "ExecutionStore",
    "ExecutionsFace",
    "LabelRuleStore",
    "Limiter",
    "LimitsFace",
    "Leases",
    "Listener",
    "LiveFace",
    "LiveSource",
    "MatchStore",
    "OutcomeStore",
    "PriceBook",
    "PromptFolder",
    "PromptStore",
    "PromptsFace",
    "Provider",
    "Providers",
    "QuestionStore",
    "Recorder",
    "Refusal",
    "Renderer",
    "ReviewStore",
    "ReviewsFace",
    "ScopeStore",
    "ScopesFace",
    "Sessions",
    "Cosines",
    "Near",
    "SignIndex",
    "Signs",
    "SpendStore",
    "Stream",
    "Subscription",
    "TemplateTypeStore",
    "TemplatesFace",
    "Users",
    "WhenMissing",
]
