"""What an address says by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonewatch.inventory.addresses import is_group, is_public, parse


@pytest.mark.parametrize(
    ("address", "public", "group"),
    [
        ("8.8.8.8", True, False),
        ("203.0.113.9", True, False),  # documentation stands for public addresses
        ("2001:db8::1", True, False),
        ("10.20.1.5", False, False),
        ("172.32.0.1", True, False),
        ("172.31.255.255", False, False),
        ("100.64.0.1", False, False),
        ("169.254.1.1", False, False),
        ("192.0.0.8", False, False),
        ("192.0.0.9", True, False),
        ("198.19.255.255", False, False),
        ("240.0.0.1", False, False),
        ("255.255.255.255", False, True),
        ("10.20.1.255", False, False),
        ("224.0.0.1", False, True),
        ("239.255.255.255", False, True),
        ("ff02::fb", False, True),
        ("fe80::1", False, False),
        ("fd00::1", False, False),
        ("::1", False, False),
        ("::", False, False),
        ("2606:4700::1111", True, False),
        ("2001:20::1", True, False),
        ("2001::1", False, False),
        ("::ffff:8.8.8.8", True, False),
        ("::ffff:10.0.0.1", False, False),
        ("::ffff:224.0.0.1", False, True),
        ("01:00:5e:00:00:fb", False, True),
        ("00:1b:1b:00:00:01", False, False),
        ("mstp:255", False, True),
        ("mstp:3", False, False),
        ("", False, False),
        ("8.8.8", False, False),
        ("8.8.8.8/24", False, False),
        ("8.8.8.8\0", False, False),
        ("ö", False, False),
    ],
)
def test_public_or_for_a_group(address: str, public: bool, group: bool) -> None:
    assert (is_public(address), is_group(address)) == (public, group)


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str))
def test_what_is_multicast_is_a_group_and_not_public(address: str) -> None:
    parsed = parse(address)
    assert parsed is not None
    assert is_group(address) == (parsed.is_multicast or address == "255.255.255.255")
    assert not (is_public(address) and (parsed.is_multicast or parsed.is_unspecified or parsed.is_loopback))
