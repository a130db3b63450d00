"""The providers that the settings name, resolved: well-known ones from their own variables, others from the file.

A key is bound to the origin that it was given for.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import msgspec

from cuewire.model.errors import ConfigError, InvalidInput
from cuewire.model.limits import Count
from cuewire.model.secrets import Secret
from cuewire.model.values import Value
from cuewire.outbound.transport import origin_of

if TYPE_CHECKING:
    from cuewire.providers.http_json_form import Form

Kind: TypeAlias = Literal["openai", "anthropic", "gemini", "http_json", "scripted", "local"]
"""What a provider speaks; the last two have no address."""


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider as written in the file; `key` is `env:NAME`, `file:PATH` or the key itself.

    Without a kind it is that of the well-known provider of this name, else `openai`. What stands between the headers
    and the limits describes an endpoint of kind `http_json`: see `Form`; a text as `body` is JSON.
    """

    kind: Kind | None = None
    base_url: str = ""
    key: str = ""
    headers: dict[str, str] = {}
    body: dict[str, Any] | str | None = None
    method: str | None = None
    key_header: str | None = None
    answer: str | None = None
    usage_input: str | None = None
    usage_output: str | None = None
    models: list[str] = []
    max_concurrency: Count | None = None
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None


_OF_FORMS = ("body", "method", "key_header", "answer", "usage_input", "usage_output", "models")


class Endpoint(Value, frozen=True):
    """A provider ready for use: where it is, and the key that may go there and nowhere else.

    `form` says how to ask an endpoint of kind `http_json`.
    """

    name: str
    kind: Kind
    base_url: str = ""
    key: Secret | None = None
    key_source: str = ""
    headers: dict[str, str] = {}
    needs_key: bool = False
    form: Form | None = None


class _Preset(Value, frozen=True):
    base_url: str
    kind: Kind = "openai"
    key_variables: tuple[str, ...] = ()
    url_variable: str = ""
    header_variables: dict[str, str] = {}


PRESETS: Mapping[str, _Preset] = {
    "openai": _Preset(
        base_url="https://api.openai.com/v1",
        key_variables=("OPENAI_API_KEY",),
        url_variable="OPENAI_BASE_URL",
        header_variables={"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"},
    ),
    "anthropic": _Preset(
        base_url="https://api.anthropic.com",
        kind="anthropic",
        key_variables=("ANTHROPIC_API_KEY",),
        url_variable="ANTHROPIC_BASE_URL",
    ),
    "gemini": _Preset(
        base_url="https://generativelanguage.googleapis.com/v1beta",
        kind="gemini",
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    ),
    "openrouter": _Preset(base_url="https://openrouter.ai/api/v1", key_variables=("OPENROUTER_API_KEY",)),
    "groq": _Preset(base_url="https://api.groq.com/openai/v1", key_variables=("GROQ_API_KEY",)),
    "mistral": _Preset(base_url="https://api.mistral.ai/v1", key_variables=("MISTRAL_API_KEY",)),
    "deepseek": _Preset(base_url="https://api.deepseek.com/v1", key_variables=("DEEPSEEK_API_KEY",)),
    "ollama": _Preset(base_url="http://127.0.0.1:11434/v1", url_variable="OLLAMA_HOST"),
    "vllm": _Preset(base_url="http://127.0.0.1:8000/v1"),
}


def endpoints(
    providers: Mapping[str, ProviderSettings], variables: Mapping[str, str], origins: dict[str, str]
) -> dict[str, Endpoint]:
    """Return all providers by name; where the keys of well-known ones come from is added to `origins`."""
    found = {
        "scripted": Endpoint(name="scripted", kind="scripted"),
        "local": Endpoint(name="local", kind="local"),
    }
    for name, preset in PRESETS.items():
        found[name] = _from_preset(name, preset, variables)
        if found[name].key_source in variables:
            origins[f"providers.{name}.key"] = found[name].key_source
    for name, given in providers.items():
        found[name] = _from_file(name, given, found.get(name), variables)
    return found


def read_key(text: str, field: str, variables: Mapping[str, str]) -> tuple[str, str]:
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


def _from_preset(name: str, preset: _Preset, variables: Mapping[str, str]) -> Endpoint:
    base_url = variables.get(preset.url_variable) or preset.base_url
    if name == "ollama" and base_url != preset.base_url:
        base_url = f"{base_url if '://' in base_url else f'http://{base_url}'}".rstrip("/") + "/v1"
    base_url = _checked_url(base_url, name).rstrip("/")
    named = ("", *preset.key_variables)
    source = next((variable for variable in named if variables.get(variable)), named[min(1, len(named) - 1)])
    key = variables.get(source) or ""
    return Endpoint(
        name=name,
        kind=preset.kind,
        base_url=base_url,
        key=Secret(key, origin=origin_of(base_url)) if key else None,
        key_source=source,
        headers={h: variables[v] for h, v in preset.header_variables.items() if variables.get(v)},
        needs_key=bool(preset.key_variables) and base_url == preset.base_url,
    )


def _from_file(name: str, given: ProviderSettings, known: Endpoint | None, variables: Mapping[str, str]) -> Endpoint:
    """Join what the file says with what is known; a base URL of its own drops the known key (it belongs elsewhere)."""
    if name == "prompt":
        raise ConfigError("provider name 'prompt' is reserved for stored prompts", field="providers.prompt")
    kind = given.kind or (known.kind if known else "openai")
    form = _form(name, kind, given)
    if kind in ("scripted", "local"):
        return Endpoint(name=name, kind=kind)
    inherited = known if known and known.kind == kind and not given.base_url else None
    base_url = inherited.base_url if inherited else _checked_url(given.base_url, name)
    if kind != "http_json":  # there it is the whole address, and a slash at its end may count
        base_url = base_url.rstrip("/")
    key, source = read_key(given.key, f"providers.{name}.key", variables)
    own_key = Secret(key, origin=origin_of(base_url)) if key else None
    takes_over = inherited is not None and not given.key
    return Endpoint(
        name=name,
        kind=kind,
        base_url=base_url,
        key=inherited.key if inherited and takes_over else own_key,
        key_source=inherited.key_source if inherited and takes_over else source,
        headers={**(inherited.headers if inherited else {}), **given.headers},
        needs_key=inherited.needs_key if inherited else False,
        form=form,
    )


def _form(name: str, kind: Kind, given: ProviderSettings) -> Form | None:
    said = {field: value for field in _OF_FORMS if (value := getattr(given, field)) not in (None, [])}
    if kind != "http_json":
        for field in said:
            raise ConfigError(
                f"providers.{name}.{field} is a setting of kind 'http_json', and this provider is {kind!r}",
                hint='remove it, or set kind = "http_json"',
                field=f"providers.{name}.{field}",
            )
        return None
    from cuewire.providers.http_json_form import read_form

    return read_form(said, place=f"providers.{name}")


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
    return url
