"""Joins the inside to the outside: the only package that names concrete adapters."""

from typing import TYPE_CHECKING

from cuewire.wiring.apps import connect, connect_prompts, connect_server, is_database_named, open_app, open_renderer
from cuewire.wiring.databases import (
    check_database,
    copy_database,
    database_file,
    database_name,
    database_status,
    only_server,
    sqlite_version,
    upgrade_database,
)
from cuewire.wiring.files import gallery, prompt_folder, read_prompt_file, read_prompts, write_prompts
from cuewire.wiring.providers import (
    ProviderPool,
    find_local_embeddings,
    find_local_model,
    open_providers,
    pull_local_embeddings,
    pull_local_model,
)

if TYPE_CHECKING:
    from cuewire.remote.desk import PromptDesk as PromptDesk

__all__ = [
    "ProviderPool",
    "check_database",
    "connect",
    "connect_prompts",
    "connect_server",
    "copy_database",
    "database_file",
    "database_name",
    "database_status",
    "find_local_embeddings",
    "find_local_model",
    "gallery",
    "is_database_named",
    "only_server",
    "open_app",
    "open_providers",
    "open_renderer",
    "prompt_folder",
    "pull_local_embeddings",
    "pull_local_model",
    "read_prompt_file",
    "read_prompts",
    "sqlite_version",
    "upgrade_database",
    "write_prompts",
]
