from __future__ import annotations

import pytest

from cuewire.model.errors import InvalidInput
from cuewire.outbound.addresses import check_addresses, is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "100.100.100.200", "192.0.0.192", "168.63.129.16", "198.18.0.1", "192.0.2.1", "203.0.113.1",
        "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::",
        "2002:a9fe:a9fe::1", "2001:0:7f00:1::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254",
        "ff02::1", "2001:db8::1", "100::1", "", "localhost", "127.1", "2130706433", "0x7f000001",
    ],
)  # fmt: skip
def test_t14_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "203.0.114.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_t14_address_is_public(address: str) -> None:
    assert is_public(address)


def test_t14_one_private_address_among_others_is_enough_to_refuse() -> None:
    with pytest.raises(InvalidInput, match=r"'a\.test' leads to 10\.0\.0\.1"):
        check_addresses("a.test", ["1.1.1.1", "10.0.0.1"])
