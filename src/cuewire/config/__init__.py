"""Settings: flag over environment over file over default. The only place that reads the environment.

Settings are named as in cuewire.toml; the environment spells the same path as CUEWIRE_TIMEOUTS__TOTAL_S. Each resolved
setting remembers where it came from. Keys of well-known providers are also read from the variables that their own
clients use.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from cuewire.config.limits import LIMITS, LimitSettings, SpendSettings, caps_of, limits_of
from cuewire.config.providers import Endpoint, ProviderSettings, endpoints, read_key
from cuewire.model.errors import ConfigError, InvalidInput
from cuewire.model.limits import Count, Limits, SpendCaps
from cuewire.model.secrets import Secret
from cuewire.model.values import Value
from cuewire.outbound.transport import origin_of

PREFIX = "CUEWIRE_"
FILE_NAME = "cuewire.toml"
MAX_AUTHOR = 100
_RESERVED = frozenset({"CUEWIRE_CONFIG"})


class TimeoutSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds to wait at a provider: for the connection, the first byte, between bytes, and in all."""

    connect_s: float = 5.0
    first_byte_s: float = 30.0
    idle_s: float = 20.0
    total_s: float = 120.0


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said of a model, as [models."openai/gpt-4o"]: how able it is, how many tokens fit, and its limits."""

    power: int | None = None
    window: int | None = None
    max_concurrency: Count | None = None
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None


class FileSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that cuewire.toml may say."""

    database_url: str = ""
    server: str = ""
    token: str = ""
    author: str = "local"
    allow_plain_http: bool = False
    data_folder: str = ""
    prompt_templates: str = ""
    prompt_folder: str = ""
    local_model: str = ""
    local_embeddings: str = ""
    max_connections: int = 1_000
    max_calls_at_once: Count | None = None
    redis_url: str = ""
    limits: LimitSettings = LimitSettings()
    spend: SpendSettings = SpendSettings()
    models: dict[str, ModelSettings] = {}
    timeouts: TimeoutSettings = TimeoutSettings()
    providers: dict[str, ProviderSettings] = {}


class Settings(Value, frozen=True):
    """All settings, resolved. `origins` maps each one's name to where its value came from.

    `server` is the address of a server that takes the place of the database, empty if there is none. `token` is the
    API key for the server that it was set beside; its origin is empty as long as no server is named. `author` is who
    uses the database, in the history of what they do there; a server knows that by the key. `prompt_templates` (JSON)
    and the files of `prompt_folder` stand in for prompts that a program of others cannot get. `redis_url` is where
    processes share what each would count for itself, empty if they do not.
    """

    database_url: str
    server: str
    token: Secret | None
    author: str
    allow_plain_http: bool
    data_folder: Path
    prompt_templates: str
    prompt_folder: Path | None
    local_model: str
    local_embeddings: str
    max_connections: int
    redis_url: str
    limits: Limits
    spend: SpendCaps
    models: dict[str, ModelSettings]
    timeouts: TimeoutSettings
    endpoints: dict[str, Endpoint]
    https_proxy: str
    http_proxy: str
    no_proxy: str
    origins: dict[str, str]


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    file: Path | None = None,
) -> Settings:
    """Resolve all settings. `flags` uses the file's names and wins.

    Reads `file`, else the file named by CUEWIRE_CONFIG, else cuewire.toml in `folder` (the working folder), else the
    one in the platform's configuration folder. Raises ConfigError, which names the setting and where it was set.
    """
    variables = os.environ if environment is None else environment
    origins: dict[str, str] = {}
    merged: dict[str, Any] = {}
    beside = ""
    for origin, layer in _layers(flags or {}, variables, _find_file(file, variables, folder or Path.cwd())):
        _merge(merged, layer, origin=origin, origins=origins, path="")
        if "token" in layer or not beside:
            beside = str(merged.get("server", ""))
    try:
        said = msgspec.convert(merged, FileSettings, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), origins) from None
    data_folder = Path(said.data_folder).expanduser() if said.data_folder else _platform_folder("data")
    return Settings(
        database_url=said.database_url or f"sqlite:///{data_folder / 'cuewire.db'}",
        server=said.server,
        token=_token(said.token, beside, variables),
        author=_checked_author(said.author),
        allow_plain_http=said.allow_plain_http,
        data_folder=data_folder,
        prompt_templates=said.prompt_templates,
        prompt_folder=Path(said.prompt_folder).expanduser() if said.prompt_folder else None,
        local_model=said.local_model,
        local_embeddings=said.local_embeddings,
        max_connections=said.max_connections,
        redis_url=said.redis_url,
        limits=limits_of(said.providers, said.models, max_calls_at_once=said.max_calls_at_once, settings=said.limits),
        spend=caps_of(said.spend),
        models=said.models,
        timeouts=said.timeouts,
        endpoints=endpoints(said.providers, variables, origins),
        https_proxy=variables.get("HTTPS_PROXY") or variables.get("https_proxy") or "",
        http_proxy=variables.get("http_proxy") or "",  # the capitals are a client's header in CGI (httpoxy)
        no_proxy=variables.get("NO_PROXY") or variables.get("no_proxy") or "",
        origins=origins,
    )


def usable(settings: Settings) -> list[str]:
    """Return the providers that could be called: those with a key, or set up here, and those that need neither."""
    return [
        endpoint.name
        for endpoint in settings.endpoints.values()
        if not endpoint.base_url
        or endpoint.key
        or any(_sets_up(endpoint.name, setting) for setting in settings.origins)
    ]


def _sets_up(provider: str, setting: str) -> bool:
    """Tell whether a setting says more of the provider than how often it may be called."""
    name = setting.removeprefix(f"providers.{provider}.")
    return name != setting and name not in LIMITS


def allows_color(environment: Mapping[str, str] | None = None) -> bool:
    """Tell whether the user's surroundings allow coloured output (https://no-color.org)."""
    variables = os.environ if environment is None else environment
    return not variables.get("NO_COLOR") and variables.get("TERM") != "dumb"


def with_program_database(settings: Settings, *, environment: Mapping[str, str] | None = None) -> Settings:
    """Return settings whose database is that of DATABASE_URL, unless they name a server or a database themselves.

    Only what others' programs call reads that variable. The driver that other libraries want to see in the URL is left
    out: postgresql+psycopg:// is postgresql://.
    """
    variables = os.environ if environment is None else environment
    scheme, separator, rest = variables.get("DATABASE_URL", "").strip().partition("://")
    if settings.server or "database_url" in settings.origins or not scheme:
        return settings
    url = f"{scheme.partition('+')[0] if separator else scheme}{separator}{rest}"
    return replace(settings, database_url=url, origins={**settings.origins, "database_url": "DATABASE_URL"})


def _layers(
    flags: Mapping[str, Any], variables: Mapping[str, str], path: Path | None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if path:
        yield str(path), _read_file(path)
    for name in sorted(variables):
        if name.startswith(PREFIX) and name not in _RESERVED:
            keys = name.removeprefix(PREFIX).lower().split("__")
            _check_known(name, keys[0])
            layer: Any = variables[name]
            for key in reversed(keys):
                layer = {key: layer}
            yield name, layer
    yield "flag", {name: value for name, value in flags.items() if value is not None}


def _check_known(name: str, setting: str) -> None:
    known = FileSettings.__struct_fields__
    if setting not in known:
        near = get_close_matches(setting, known, n=1)
        hint = f"did you mean {PREFIX}{near[0].upper()}?" if near else f"known settings: {', '.join(known)}"
        raise ConfigError(f"environment variable {name!r} is not a setting", hint=hint, field=name)


def _find_file(given: Path | None, variables: Mapping[str, str], folder: Path) -> Path | None:
    named = given or Path(variables.get("CUEWIRE_CONFIG") or "")
    if named != Path():
        if not named.is_file():
            source = "--config" if given else "CUEWIRE_CONFIG"
            raise ConfigError(f"{source} names '{named}', which is not a file", hint="mend the path", field=source)
        return named
    places = (folder / FILE_NAME, _platform_folder("config") / FILE_NAME)
    return next((place for place in places if place.is_file()), None)


def _read_file(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}", hint="mend the file", field=str(path)) from None


def _merge(
    target: dict[str, Any], layer: Mapping[str, Any], *, origin: str, origins: dict[str, str], path: str
) -> None:
    for key, value in layer.items():
        place = f"{path}{key}"
        if isinstance(value, Mapping):
            inner = target.setdefault(key, {})
            if isinstance(inner, dict):
                _merge(inner, value, origin=origin, origins=origins, path=f"{place}.")
                continue
        target[key] = value
        origins[place] = origin


def _invalid(problem: str, origins: Mapping[str, str]) -> ConfigError:
    what, _, where = problem.partition(" - at `$.")
    setting = where.rstrip("`").replace("[...]", "")
    origin = next((origins[name] for name in origins if name.startswith(setting)), "") if setting else ""
    name = setting or "settings"
    return ConfigError(f"{name}: {what}" + (f" (set in {origin})" if origin else ""), field=name)


def _checked_author(author: str) -> str:
    if 1 <= len(author) <= MAX_AUTHOR and author.isprintable():
        return author
    raise ConfigError(f"author must be 1 to {MAX_AUTHOR} printable characters", field="author")


def _token(text: str, server: str, variables: Mapping[str, str]) -> Secret | None:
    """Return the API key for a server, bound to the server that the same layer of settings knew."""
    key, _ = read_key(text, "token", variables)
    if not key:
        return None
    try:
        return Secret(key, origin=origin_of(server) if server else "")
    except InvalidInput:
        problem = "the server's address is not a plain http(s) address"
        raise ConfigError(problem, hint="write it as https://host", field="server") from None


def _platform_folder(kind: Literal["data", "config"]) -> Path:
    from platformdirs import user_config_path, user_data_path  # 15 ms that most runs do not need

    return user_data_path("cuewire") if kind == "data" else user_config_path("cuewire")
