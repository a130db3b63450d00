"""Settings: flag over environment over file over default. The only place that reads the environment.

Settings are named as in cuewire.toml; the environment spells the same path as CUEWIRE_TIMEOUTS__TOTAL_S. Each resolved
setting remembers where it came from. Keys of well-known providers are also read from the variables that their own
clients use, and are bound to the origin that they were given for.
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

from cuewire.model.errors import ConfigError, InvalidInput
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


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider as written in the file; `key` is `env:NAME`, `file:PATH` or the key itself."""

    kind: Literal["openai", "scripted", "local"] = "openai"
    base_url: str = ""
    key: str = ""
    headers: dict[str, str] = {}


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
    max_connections: int = 1_000
    timeouts: TimeoutSettings = TimeoutSettings()
    providers: dict[str, ProviderSettings] = {}


class Endpoint(Value, frozen=True):
    """A provider ready for use: where it is, and the key that may go there and nowhere else."""

    name: str
    kind: Literal["openai", "scripted", "local"]
    base_url: str
    key: Secret | None
    key_source: str
    headers: dict[str, str]
    needs_key: bool = False


class Settings(Value, frozen=True):
    """All settings, resolved. `origins` maps each one's name to where its value came from.

    `server` is the address of a server that takes the place of the database, empty if there is none. `token` is the
    API key for the server that it was set beside; its origin is empty as long as no server is named. `author` is who
    uses the database, in the history of what they do there; a server knows that by the key. `prompt_templates` (JSON)
    and the files of `prompt_folder` stand in for prompts that a program of others cannot get.
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
    max_connections: int
    timeouts: TimeoutSettings
    endpoints: dict[str, Endpoint]
    https_proxy: str
    http_proxy: str
    no_proxy: str
    origins: dict[str, str]


class _Preset(Value, frozen=True):
    base_url: str
    key_variable: str = ""
    url_variable: str = ""
    header_variables: dict[str, str] = {}


PRESETS: Mapping[str, _Preset] = {
    "openai": _Preset(
        base_url="https://api.openai.com/v1",
        key_variable="OPENAI_API_KEY",
        url_variable="OPENAI_BASE_URL",
        header_variables={"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"},
    ),
    "openrouter": _Preset(base_url="https://openrouter.ai/api/v1", key_variable="OPENROUTER_API_KEY"),
    "groq": _Preset(base_url="https://api.groq.com/openai/v1", key_variable="GROQ_API_KEY"),
    "mistral": _Preset(base_url="https://api.mistral.ai/v1", key_variable="MISTRAL_API_KEY"),
    "deepseek": _Preset(base_url="https://api.deepseek.com/v1", key_variable="DEEPSEEK_API_KEY"),
    "ollama": _Preset(base_url="http://127.0.0.1:11434/v1", url_variable="OLLAMA_HOST"),
    "vllm": _Preset(base_url="http://127.0.0.1:8000/v1"),
}


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
        max_connections=said.max_connections,
        timeouts=said.timeouts,
        endpoints=_endpoints(said.providers, variables, origins),
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
        if endpoint.kind != "openai"
        or endpoint.key
        or any(origin.startswith(f"providers.{endpoint.name}.") for origin in settings.origins)
    ]


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


def _endpoints(
    providers: Mapping[str, ProviderSettings], variables: Mapping[str, str], origins: dict[str, str]
) -> dict[str, Endpoint]:
    found = {
        "scripted": Endpoint(name="scripted", kind="scripted", base_url="", key=None, key_source="", headers={}),
        "local": Endpoint(name="local", kind="local", base_url="", key=None, key_source="", headers={}),
    }
    for name, preset in PRESETS.items():
        found[name] = _from_preset(name, preset, variables)
        if preset.key_variable in variables:
            origins[f"providers.{name}.key"] = preset.key_variable
    for name, given in providers.items():
        found[name] = _from_file(name, given, found.get(name), variables)
    return found


def _from_preset(name: str, preset: _Preset, variables: Mapping[str, str]) -> Endpoint:
    base_url = variables.get(preset.url_variable) or preset.base_url
    if name == "ollama" and base_url != preset.base_url:
        base_url = f"{base_url if '://' in base_url else f'http://{base_url}'}".rstrip("/") + "/v1"
    base_url = _checked_url(base_url, name)
    key = variables.get(preset.key_variable) or ""
    return Endpoint(
        name=name,
        kind="openai",
        base_url=base_url,
        key=Secret(key, origin=origin_of(base_url)) if key else None,
        key_source=preset.key_variable,
        headers={h: variables[v] for h, v in preset.header_variables.items() if variables.get(v)},
        needs_key=bool(preset.key_variable) and base_url == preset.base_url,
    )


def _from_file(name: str, given: ProviderSettings, preset: Endpoint | None, variables: Mapping[str, str]) -> Endpoint:
    """Join what the file says with the preset; a base URL of its own drops the preset's key (it belongs elsewhere)."""
    if name == "prompt":
        raise ConfigError("provider name 'prompt' is reserved for stored prompts", field="providers.prompt")
    if given.kind != "openai" or (preset and preset.kind != "openai"):
        return Endpoint(name=name, kind=given.kind, base_url="", key=None, key_source="", headers={})
    if preset and not given.base_url:
        base_url, inherited = preset.base_url, preset
    else:
        base_url, inherited = _checked_url(given.base_url, name), None
    key, source = _read_key(given.key, f"providers.{name}.key", variables)
    own_key = Secret(key, origin=origin_of(base_url)) if key else None
    takes_over = inherited is not None and not given.key
    return Endpoint(
        name=name,
        kind="openai",
        base_url=base_url,
        key=inherited.key if inherited and takes_over else own_key,
        key_source=inherited.key_source if inherited and takes_over else source,
        headers={**(inherited.headers if inherited else {}), **given.headers},
        needs_key=inherited.needs_key if inherited else False,
    )


def _checked_author(author: str) -> str:
    if 1 <= len(author) <= MAX_AUTHOR and author.isprintable():
        return author
    raise ConfigError(f"author must be 1 to {MAX_AUTHOR} printable characters", field="author")


def _token(text: str, server: str, variables: Mapping[str, str]) -> Secret | None:
    """Return the API key for a server, bound to the server that the same layer of settings knew."""
    key, _ = _read_key(text, "token", variables)
    if not key:
        return None
    try:
        return Secret(key, origin=origin_of(server) if server else "")
    except InvalidInput:
        problem = "the server's address is not a plain http(s) address"
        raise ConfigError(problem, hint="write it as https://host", field="server") from None


def _read_key(text: str, field: str, variables: Mapping[str, str]) -> tuple[str, str]:
    """Return the key, empty if there is none, and the name of the place that it is read from."""
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "env":
        return variables.get(rest, ""), rest
    if colon and scheme == "file":
        try:
            return Path(rest).expanduser().read_text(encoding="utf-8").strip(), rest
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"the key of {field!r} cannot be read from {rest!r}: {error}", field=field) from None
    return text, field


def _checked_url(url: str, name: str) -> str:
    field = f"providers.{name}.base_url"
    if not url:
        raise ConfigError(f"provider {name!r} has no base_url", hint=f"set {field} in cuewire.toml", field=field)
    try:
        origin_of(url)
        is_plain = not any(character in url for character in "?#\\")
    except InvalidInput:
        is_plain = False
    if not is_plain:
        raise ConfigError(
            f"the base URL of provider {name!r} is not a plain http(s) address",
            hint="write it as https://host/path, without user, query or fragment",
            field=field,
        )
    return url.rstrip("/")


def _platform_folder(kind: Literal["data", "config"]) -> Path:
    from platformdirs import user_config_path, user_data_path  # 15 ms that most runs do not need

    return user_data_path("cuewire") if kind == "data" else user_config_path("cuewire")
