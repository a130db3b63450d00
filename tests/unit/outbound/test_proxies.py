from __future__ import annotations

import pytest

from cuewire.outbound.proxies import Proxies

PROXIES = Proxies(https_proxy="http://secure:1", http_proxy="http://open:2")


@pytest.mark.parametrize(
    ("origin", "proxy"),
    [("https://api.openai.com:443", "http://secure:1"), ("http://api.openai.com:80", "http://open:2")],
)
def test_scheme_chooses_the_proxy(origin: str, proxy: str) -> None:
    assert PROXIES.for_origin(origin) == proxy


def test_without_a_setting_there_is_no_proxy() -> None:
    assert Proxies().for_origin("https://api.openai.com:443") is None


@pytest.mark.parametrize(
    "no_proxy",
    [
        "*", "openai.com", ".openai.com", "*.openai.com", "a.test, api.openai.com", "API.OpenAI.com", "openai.com:443",
        "api.openai.com:443",
    ],
)  # fmt: skip
def test_host_is_reached_directly(no_proxy: str) -> None:
    proxies = Proxies(https_proxy="http://p:1", no_proxy=no_proxy)

    assert proxies.for_origin("https://api.openai.com:443") is None


@pytest.mark.parametrize("no_proxy", ["", ",", "ai.com", "api.openai.com:8443", "openai.com.evil.test", "10.0.0.0/8"])
def test_host_is_reached_through_the_proxy(no_proxy: str) -> None:
    proxies = Proxies(https_proxy="http://p:1", no_proxy=no_proxy)

    assert proxies.for_origin("https://api.openai.com:443") == "http://p:1"


@pytest.mark.parametrize("no_proxy", ["127.0.0.1", "127.0.0.0/8", "127.0.0.1:8000"])
def test_address_is_reached_directly_by_itself_or_its_network(no_proxy: str) -> None:
    assert Proxies(http_proxy="http://p:1", no_proxy=no_proxy).for_origin("http://127.0.0.1:8000") is None


def test_address_of_version_6_is_reached_directly() -> None:
    assert Proxies(http_proxy="http://p:1", no_proxy="::1").for_origin("http://[::1]:8000") is None
