"""Cuewire: a self-hosted prompt engine.

These are the public names, all of them. Importing the package loads none of them: each is fetched on first use, so
that `import cuewire` costs neither a database driver nor an HTTP client.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cuewire.blocking import BlockingApp as BlockingApp
    from cuewire.blocking import open as open
    from cuewire.model.errors import Conflict as Conflict
    from cuewire.model.errors import CuewireError as CuewireError
    from cuewire.model.errors import InvalidInput as InvalidInput
    from cuewire.model.errors import NotFound as NotFound
    from cuewire.model.errors import OutputError as OutputError
    from cuewire.model.errors import ProviderError as ProviderError
    from cuewire.model.errors import StoreError as StoreError
    from cuewire.model.errors import TemplateError as TemplateError
    from cuewire.model.executions import Execution as Execution
    from cuewire.model.outcomes import Outcome as Outcome
    from cuewire.model.prompts import Image as Image
    from cuewire.model.prompts import Message as Message
    from cuewire.model.prompts import Placeholder as Placeholder
    from cuewire.model.prompts import Prompt as Prompt
    from cuewire.model.prompts import PromptFilter as PromptFilter
    from cuewire.model.prompts import PromptVersion as PromptVersion
    from cuewire.model.results import Piece as Piece
    from cuewire.model.results import Result as Result
    from cuewire.ports import App as App

__version__ = "0.1.0"

_HOME = {
    "open": "cuewire.blocking",
    "App": "cuewire.ports",
    "BlockingApp": "cuewire.blocking",
    "Prompt": "cuewire.model.prompts",
    "PromptFilter": "cuewire.model.prompts",
    "PromptVersion": "cuewire.model.prompts",
    "Message": "cuewire.model.prompts",
    "Placeholder": "cuewire.model.prompts",
    "Image": "cuewire.model.prompts",
    "Result": "cuewire.model.results",
    "Piece": "cuewire.model.results",
    "Execution": "cuewire.model.executions",
    "Outcome": "cuewire.model.outcomes",
    "CuewireError": "cuewire.model.errors",
    "InvalidInput": "cuewire.model.errors",
    "NotFound": "cuewire.model.errors",
    "Conflict": "cuewire.model.errors",
    "TemplateError": "cuewire.model.errors",
    "ProviderError": "cuewire.model.errors",
    "OutputError": "cuewire.model.errors",
    "StoreError": "cuewire.model.errors",
}

__all__ = [
    "App",
    "BlockingApp",
    "Conflict",
    "CuewireError",
    "Execution",
    "Image",
    "InvalidInput",
    "Message",
    "NotFound",
    "Outcome",
    "OutputError",
    "Piece",
    "Placeholder",
    "Prompt",
    "PromptFilter",
    "PromptVersion",
    "ProviderError",
    "Result",
    "StoreError",
    "TemplateError",
    "open",
]


def __getattr__(name: str) -> Any:
    """Fetch a public name from its home on first use (PEP 562)."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'cuewire' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
