from __future__ import annotations

import pickle

import pytest

from cuewire.model.errors import ConfigError, InvalidInput
from cuewire.model.secrets import Secret
from cuewire.outbound.transport import origin_of

KEY = "sk-canary-9d8c7b6a"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://api.openai.com/v1", "https://api.openai.com:443"),
        ("HTTPS://API.OpenAI.com:443/v1?x=1", "https://api.openai.com:443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]/v1", "http://[::1]:80"),
    ],
)
def test_origin_is_scheme_host_and_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.openai.com",
        "ftp://a",
        "https://",
        "https://a:99999",
        "https://a b",
        "https://a\r\n",
        "http://u:p@a",
        "https://[::1",
    ],
)
def test_text_without_a_usable_origin_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        origin_of(url)

    assert "u:p" not in str(caught.value)


def test_t17_secret_is_revealed_to_its_own_origin_only() -> None:
    secret = Secret(KEY, origin="https://a:443")

    assert secret.reveal(to_origin="https://a:443") == KEY
    with pytest.raises(ConfigError, match="https://b:443"):
        secret.reveal(to_origin="https://b:443")


def test_t23_secret_shows_itself_nowhere() -> None:
    secret = Secret(KEY, origin="https://a:443")

    assert KEY not in f"{secret} {secret!r} {[secret]}"
    assert secret.origin == "https://a:443"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
