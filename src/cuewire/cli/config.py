"""`cuewire config`: which settings hold, and where each came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
import typer

from cuewire.cli.output import Column, write_json, write_table
from cuewire.cli.session import Session
from cuewire.cli.text import UNKNOWN
from cuewire.config import Settings
from cuewire.config.providers import Endpoint
from cuewire.model.secrets import redacted

config = typer.Typer(help="Which settings hold, and where each came from.", no_args_is_help=True)

MASK = "****"
FLAGS = {"database_url": "--database", "server": "--server"}
_PASSWORD = re.compile(r"(://[^:@/]*:).*@")


class Setting(NamedTuple):
    """A setting as shown: its name in cuewire.toml, its value without secrets, and its origin."""

    name: str
    value: str
    origin: str


@config.command()
def show(context: typer.Context) -> None:
    """List every setting with its value and origin; secrets are masked."""
    session: Session = context.obj
    settings = list(listed(session.settings))
    if session.is_json:
        write_json({setting.name: {"value": setting.value, "origin": setting.origin} for setting in settings})
        return
    columns = [Column("setting"), Column("value", is_free=True), Column("set in", is_free=True)]
    write_table(session, columns, settings, empty="no settings")


def listed(settings: Settings) -> Iterator[Setting]:
    """Yield all settings; no value holds a secret."""

    def row(name: str, value: object) -> Setting:
        said = (origin for place, origin in settings.origins.items() if f"{place}.".startswith(f"{name}."))
        origin = next(said, "default")
        return Setting(
            name, str(value) if value != "" else UNKNOWN, FLAGS.get(name, "flag") if origin == "flag" else origin
        )

    yield row("database_url", _PASSWORD.sub(rf"\1{MASK}@", settings.database_url))
    yield row("server", _PASSWORD.sub(rf"\1{MASK}@", settings.server))
    yield row("token", MASK if settings.token else "")
    yield row("author", settings.author)
    yield row("allow_plain_http", str(settings.allow_plain_http).lower())
    yield row("data_folder", settings.data_folder)
    yield row("prompt_templates", " ".join(settings.prompt_templates.split())[:60])
    yield row("prompt_folder", settings.prompt_folder or "")
    yield row("local_model", settings.local_model)
    yield row("local_embeddings", settings.local_embeddings)
    yield row("max_connections", settings.max_connections)
    yield row("max_calls_at_once", settings.limits.max_calls_at_once or "")
    yield row("redis_url", _PASSWORD.sub(rf"\1{MASK}@", settings.redis_url))
    yield row("limits.max_wait_s", f"{settings.limits.max_wait_s:g}")
    yield row("spend.usd_per_day", _usd(settings.spend.usd_per_day))
    for prompt, usd in settings.spend.prompts.items():
        yield row(f"spend.prompts.{prompt}", _usd(usd))
    for name, value in msgspec.structs.asdict(settings.timeouts).items():
        yield row(f"timeouts.{name}", f"{value:g}")
    for endpoint in settings.endpoints.values():
        for name, value in _endpoint(endpoint):
            yield row(f"providers.{endpoint.name}.{name}", value)
    for kind, limits in (("providers", settings.limits.providers), ("models", settings.limits.models)):
        for limited, limit in limits.items():
            for name, value in msgspec.structs.asdict(limit).items():
                if value is not None:
                    yield row(f"{kind}.{limited}.{name}", value)


def _endpoint(endpoint: Endpoint) -> Iterator[tuple[str, str]]:
    if endpoint.base_url:
        yield "base_url", endpoint.base_url
    if endpoint.key or endpoint.needs_key:
        yield "key", MASK if endpoint.key else ""
    if endpoint.form:
        for name, value in msgspec.structs.asdict(endpoint.form).items():
            yield name, _shown(value)
    for name in endpoint.headers:
        yield f"headers.{name}", MASK


def _usd(usd: float | None) -> str:
    return "" if usd is None else f"{usd:g}"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else redacted(msgspec.json.encode(value).decode())
