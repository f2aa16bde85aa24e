from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.web.addresses import is_allowed, is_public

PRIVATE = (
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255"),
    *("127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1"),
    *("192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250"),
    *("240.0.0.1", "255.255.255.255", "168.63.129.16"),
    *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254"),
    *("64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b:1::1", "100::1", "fc00::1", "fd12:3456::1", "fd00:ec2::254"),
    *("fe80::1", "fec0::1", "ff02::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1"),
    *("2002:7f00:1::", "2002:c0a8:101::1", "3fff::1", "5f00::1", "2606:4700::1%eth0"),
)
PUBLIC = (
    *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "93.184.216.34", "100.63.255.255", "100.128.0.0"),
    *("126.255.255.255", "128.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0"),
    *("198.17.255.255", "198.20.0.0", "223.255.255.255"),
    *("2606:4700::1111", "2a00:1450:4007::200e", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"),
)


@pytest.mark.parametrize("text", PRIVATE)
def test_these_are_private(text: str) -> None:
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_these_are_public(text: str) -> None:
    assert is_public(ip_address(text))


@pytest.mark.parametrize("text", ["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fd12:3456::1", "8.8.8.8"])
def test_private_ones_can_be_allowed(text: str) -> None:
    assert is_allowed(ip_address(text), private=True)


@pytest.mark.parametrize(
    "text",
    ["169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "fd00:ec2::254", "ff02::1", "224.0.0.1", "168.63.129.16"],
)
def test_where_a_cloud_keeps_its_keys_is_never_allowed(text: str) -> None:
    assert not is_allowed(ip_address(text), private=True)


@given(st.ip_addresses(v=4))
def test_what_the_standard_library_calls_private_is_private(address: IPv4Address) -> None:
    if address.is_private or address.is_multicast or address.is_reserved:
        assert not is_public(address)


@given(st.ip_addresses(v=4), st.sampled_from(["::ffff:0:0/96", "64:ff9b::/96"]))
def test_an_address_of_version_4_is_judged_as_itself_within_one_of_version_6(address: IPv4Address, prefix: str) -> None:
    wrapped = IPv6Address(int(IPv6Network(prefix).network_address) | int(address))
    assert is_public(wrapped) == is_public(address)
    assert is_allowed(wrapped, private=True) == is_allowed(address, private=True)


@given(st.ip_addresses(v=6))
def test_of_version_6_only_what_is_handed_out_is_public(address: IPv6Address) -> None:
    inside = address in IPv6Network("2000::/3") or address.ipv4_mapped or address in IPv6Network("64:ff9b::/96")
    assert inside or not is_public(address)


@given(st.ip_addresses())
def test_what_is_public_is_allowed_either_way(address: IPv4Address | IPv6Address) -> None:
    if is_public(address):
        assert is_allowed(address, private=False)
        assert is_allowed(address, private=True)
