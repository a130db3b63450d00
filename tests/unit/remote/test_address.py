from __future__ import annotations

import pytest

from cuewire.model.errors import ConfigError
from cuewire.remote.address import is_server, server_url


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("https://cue.internal", True),
        ("http://127.0.0.1:7000", True),
        ("HTTPS://cue", True),
        ("sqlite:///cue.db", False),
        ("postgresql://db/cue", False),
        ("cue.internal", False),
    ],
)
def test_a_server_is_told_from_a_database_by_its_scheme(where: str, expected: bool) -> None:
    assert is_server(where) == expected


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://cue.internal", "https://cue.internal"),
        ("https://cue.internal/team/", "https://cue.internal/team"),
        ("http://localhost:7000/", "http://localhost:7000"),
        ("http://127.0.0.1:7000", "http://127.0.0.1:7000"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:7000", "http://[::1]:7000"),
    ],
)
def test_https_and_this_machine_may_be_called(text: str, url: str) -> None:
    assert server_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "http://cue.internal",
        "http://localhost.example.com",
        "http://10.0.0.7",
        "http://0.0.0.0",
        "http://[::ffff:10.0.0.7]",
        "http://127.0.0.1.example.com",
    ],
)
def test_another_machine_is_called_over_http_only_where_that_is_allowed(text: str) -> None:
    with pytest.raises(ConfigError, match="shows the API key") as caught:
        server_url(text)

    assert caught.value.field == "server"
    assert server_url(text, allow_plain_http=True) == text


@pytest.mark.parametrize(
    "text",
    [
        "cue.internal",
        "ftp://cue.internal",
        "https://",
        "https://user:canary@cue.internal",
        "https://cue.internal?token=canary",
        "https://cue.internal#canary",
        "https://cue.internal\\canary",
        "https://cue.internal\r\ncanary",
        "https://cue.internal:port",
    ],
)
def test_what_is_no_plain_address_is_refused_without_its_secrets(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        server_url(text)

    assert caught.value.field == "server"
    assert "canary" not in str(caught.value)
