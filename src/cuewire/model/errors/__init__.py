"""Every error that Cuewire raises, as one tree; callers catch the level they care about.

    CuewireError
    ├── InvalidInput            what the caller gave cannot be used
    ├── NotFound                PromptNotFound, LabelNotFound, VersionNotFound, ModelNotFound, ExecutionNotFound,
    │                           ApiKeyNotFound, ScopeNotFound, TemplateTypeNotFound, UserNotFound, ReviewNotFound
    ├── Conflict                IdempotencyMismatch, StillRunning, PromptArchived, PromptExists, ScopeExists,
    │                           UserExists, LabelMoved, ReviewRequired, ReviewDecided, StillInUse
    ├── Outdated                what the caller means to change has changed since they read it
    ├── Forbidden               who asks may not do this
    ├── TemplateError           TemplateSyntaxError, TemplateForbidden, TemplateUndefined, TemplateLimitExceeded
    ├── ProviderError           RateLimited, OutOfCredit, AuthenticationFailed, RequestRejected, ContextLengthExceeded,
    │                           ModelNotServed, ProviderUnavailable, ProviderFault, NetworkError, ProviderTimeout,
    │                           ProtocolError, IncompleteAnswer; LimitReached is a RateLimited that we held back
    ├── BudgetExceeded          what may be spent today is spent
    ├── OutputError             the model's answer is not of the kind that the version asks for
    ├── NothingSelected         too few of the candidates agree
    ├── StoreError              StoreBusy, StoreUnavailable, StoreFull, StoreDamaged, SchemaMismatch, RecordNotWritten
    ├── ServerError             AccessDenied, ServerUnavailable: between us and a Cuewire server
    └── ConfigError             MissingExtra

Messages say what happened, to what, and (in `hint`) what to do; they never hold a secret.
"""

from __future__ import annotations

from cuewire.model.errors.callers import (
    ApiKeyNotFound,
    Conflict,
    ExecutionNotFound,
    Forbidden,
    IdempotencyMismatch,
    InvalidInput,
    LabelMoved,
    LabelNotFound,
    ModelNotFound,
    NotFound,
    Outdated,
    PromptArchived,
    PromptExists,
    PromptNotFound,
    ReviewDecided,
    ReviewNotFound,
    ReviewRequired,
    ScopeExists,
    ScopeNotFound,
    StillInUse,
    StillRunning,
    TemplateTypeNotFound,
    UserExists,
    UserNotFound,
    VersionNotFound,
)
from cuewire.model.errors.limits import BudgetExceeded, LimitReached
from cuewire.model.errors.providers import (
    AuthenticationFailed,
    ContextLengthExceeded,
    IncompleteAnswer,
    ModelNotServed,
    NetworkError,
    NothingSelected,
    OutOfCredit,
    OutputError,
    ProtocolError,
    ProviderError,
    ProviderFault,
    ProviderTimeout,
    ProviderUnavailable,
    RateLimited,
    RequestRejected,
)
from cuewire.model.errors.root import (
    CuewireError,
    kinds_of,
)
from cuewire.model.errors.systems import (
    AccessDenied,
    ConfigError,
    MissingExtra,
    RecordNotWritten,
    SchemaMismatch,
    ServerError,
    ServerUnavailable,
    StoreBusy,
    StoreDamaged,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from cuewire.model.errors.templates import (
    TemplateError,
    TemplateForbidden,
    TemplateLimitExceeded,
    TemplateSyntaxError,
    TemplateUndefined,
)

__all__ = [
    "AccessDenied",
    "ApiKeyNotFound",
    "AuthenticationFailed",
    "BudgetExceeded",
    "ConfigError",
    "Conflict",
    "ContextLengthExceeded",
    "CuewireError",
    "ExecutionNotFound",
    "Forbidden",
    "IdempotencyMismatch",
    "IncompleteAnswer",
    "InvalidInput",
    "LabelMoved",
    "LabelNotFound",
    "LimitReached",
    "MissingExtra",
    "ModelNotFound",
    "ModelNotServed",
    "NetworkError",
    "NothingSelected",
    "NotFound",
    "OutOfCredit",
    "Outdated",
    "OutputError",
    "PromptArchived",
    "PromptExists",
    "PromptNotFound",
    "ProtocolError",
    "ProviderError",
    "ProviderFault",
    "ProviderTimeout",
    "ProviderUnavailable",
    "RateLimited",
    "RecordNotWritten",
    "RequestRejected",
    "ReviewDecided",
    "ReviewNotFound",
    "ReviewRequired",
    "SchemaMismatch",
    "ScopeExists",
    "ScopeNotFound",
    "ServerError",
    "ServerUnavailable",
    "StillInUse",
    "StillRunning",
    "StoreBusy",
    "StoreDamaged",
    "StoreError",
    "StoreFull",
    "StoreUnavailable",
    "TemplateError",
    "TemplateForbidden",
    "TemplateLimitExceeded",
    "TemplateSyntaxError",
    "TemplateTypeNotFound",
    "TemplateUndefined",
    "UserExists",
    "UserNotFound",
    "VersionNotFound",
    "kinds_of",
]
