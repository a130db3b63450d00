from __future__ import annotations

import pickle

import pytest

from cuewire.model.errors import CuewireError, InvalidInput, ProviderTimeout, RateLimited, TemplateSyntaxError
from cuewire.model.secrets import Secret


def family(root: type[CuewireError]) -> list[type[CuewireError]]:
    return [root, *(child for direct in root.__subclasses__() for child in family(direct))]


def test_each_error_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in family(CuewireError) if kind.__module__.startswith("cuewire.")]

    assert len(codes) == len(set(codes))


@pytest.mark.contract("S3-128")
def test_an_error_says_what_happened_where_and_what_to_do() -> None:
    error = TemplateSyntaxError("unexpected '}'", hint="close the expression with '}}'", line=3, column=7)

    assert str(error) == "unexpected '}'; close the expression with '}}' (line 3, column 7)"
    assert str(TemplateSyntaxError("bad", line=2)) == "bad (line 2)"
    assert str(TemplateSyntaxError("bad")) == "bad"


def test_the_first_problem_gives_the_field() -> None:
    assert InvalidInput("bad", problems=(("/a", "x"), ("/b", "y"))).field == "/a"


def test_provider_errors_say_whether_a_retry_may_help() -> None:
    assert RateLimited("slow down", retry_after_s=2).retriable
    assert ProviderTimeout("no byte", phase="first_byte").phase == "first_byte"


def test_a_secret_does_not_show() -> None:
    secret = Secret("sk-canary", origin="https://api.example.com:443")

    assert "canary" not in f"{secret!r} {secret} {[secret]}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
