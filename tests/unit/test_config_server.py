"""The settings `server` and `token`: a key goes to the server that it was set beside."""

from __future__ import annotations

from pathlib import Path

import pytest

from cuewire.config import Settings, load
from cuewire.model.errors import ConfigError

KEY = "cw_canary-5d1f77c09e2ab431"
A, B = "https://a.example:443", "https://b.example:443"


def settings(tmp_path: Path, file: str = "", server: str | None = None, **environment: str) -> Settings:
    (tmp_path / "cuewire.toml").write_text(file)
    own = {"CUEWIRE_DATA_FOLDER": str(tmp_path)}
    return load({"server": server}, environment=own | environment, folder=tmp_path)


@pytest.mark.parametrize(
    ("file", "environment", "flag", "server", "bound_to"),
    [
        ("", {"CUEWIRE_SERVER": A, "CUEWIRE_TOKEN": KEY}, None, A, A),
        ("", {"CUEWIRE_TOKEN": KEY}, B, B, B),
        ("", {"CUEWIRE_TOKEN": KEY}, None, "", ""),
        ("", {"CUEWIRE_SERVER": A, "CUEWIRE_TOKEN": KEY}, B, B, A),
        (f'server = "{A}"\ntoken = "{KEY}"', {}, None, A, A),
        (f'server = "{A}"\ntoken = "{KEY}"', {"CUEWIRE_SERVER": B}, None, B, A),
        (f'server = "{A}"', {"CUEWIRE_SERVER": B, "CUEWIRE_TOKEN": KEY}, None, B, B),
        (f'server = "{A}"', {"CUEWIRE_TOKEN": KEY}, B, B, A),
        (f'token = "{KEY}"', {"CUEWIRE_SERVER": B}, None, B, B),
    ],
)
def test_a_key_belongs_to_the_server_that_it_was_set_beside(
    tmp_path: Path, file: str, environment: dict[str, str], flag: str | None, server: str, bound_to: str
) -> None:
    resolved = settings(tmp_path, file, flag, **environment)

    assert resolved.server == server
    assert resolved.token is not None
    assert resolved.token.origin == bound_to
    assert resolved.token.reveal(to_origin=bound_to) == KEY
    assert KEY not in repr(resolved)


def test_a_key_comes_from_a_variable_or_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")

    for text in ("env:MY_KEY", f"file:{tmp_path}/key"):
        resolved = settings(tmp_path, f'server = "{A}"\ntoken = "{text}"', MY_KEY=KEY)
        assert resolved.token is not None
        assert resolved.token.reveal(to_origin=A) == KEY


def test_without_a_key_there_is_none(tmp_path: Path) -> None:
    assert settings(tmp_path, CUEWIRE_SERVER=A).token is None
    assert settings(tmp_path, CUEWIRE_SERVER=A, CUEWIRE_TOKEN="").token is None


def test_a_server_that_is_no_address_is_refused_before_a_key_could_go_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, CUEWIRE_SERVER="https://me:canary@a", CUEWIRE_TOKEN=KEY)

    assert caught.value.field == "server"
    assert "canary" not in str(caught.value)


def test_a_file_of_a_key_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"the key of 'token' cannot be read from '/no/such/file'"):
        settings(tmp_path, 'token = "file:/no/such/file"')
