"""Packets with pseudonyms: what relations they keep, that their checksums are right, and hostile captures."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zonewatch.reports.proof import pcapng
from zonewatch.reports.proof.pcapng import MiniCapture, PcapngError
from zonewatch.reports.pseudonyms.captures import pseudonymised
from zonewatch.reports.pseudonyms.keyed import Keyed
from zonewatch.reports.pseudonyms.packets import rewritten
from zonewatch.reports.pseudonyms.payloads import known
from zonewatch.reports.pseudonyms.words import Words

KEYED = Keyed(b"k" * 40)
CLIENT, SERVER = "10.20.1.10", "10.20.11.13"
MACS = {"src": "00:80:f4:00:00:20", "dst": "00:1c:06:11:22:33"}
V4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address)
SETTINGS = settings(max_examples=60, deadline=None, derandomize=True)


def same(payload: bytes) -> bytes:
    return payload


def shared(one: int, other: int, width: int) -> int:
    return width - (one ^ other).bit_length()


@given(V4, V4)
@SETTINGS
def test_addresses_share_as_many_bits_as_before(one: ipaddress.IPv4Address, other: ipaddress.IPv4Address) -> None:
    made = [KEYED.ipv4(one), KEYED.ipv4(other)]
    outside = any(address.is_multicast or address.is_loopback or int(address) in (0, 2**32 - 1) for address in made)
    if not outside:
        assert shared(int(made[0]), int(made[1]), 32) == shared(int(one), int(other), 32)
    assert [address.is_private for address in made] == [one.is_private, other.is_private]


@given(V6, V6)
@SETTINGS
def test_addresses_of_ipv6_share_as_many_bits(one: ipaddress.IPv6Address, other: ipaddress.IPv6Address) -> None:
    if one.is_multicast or other.is_multicast or int(one) >> 32 in (0, 0xFFFF) or int(other) >> 32 in (0, 0xFFFF):
        return
    made = [KEYED.ipv6(one), KEYED.ipv6(other)]
    assert shared(int(made[0]), int(made[1]), 128) == shared(int(one), int(other), 128)


def test_a_network_holds_the_pseudonyms_of_its_addresses() -> None:
    network = ipaddress.ip_network(KEYED.network("10.20.11.0/24"))
    assert all(KEYED.ipv4(ipaddress.IPv4Address(f"10.20.11.{host}")) in network for host in range(256))
    assert KEYED.ipv4(ipaddress.IPv4Address("10.20.12.1")) not in network


@given(st.binary(min_size=6, max_size=6), st.binary(min_size=6, max_size=6))
@SETTINGS
def test_hardware_addresses_keep_their_maker_and_differ(one: bytes, other: bytes) -> None:
    made = [KEYED.mac(one), KEYED.mac(other)]
    assert [address[:3] for address in made] == [one[:3], other[:3]]
    assert (made[0] == made[1]) == (one == other)


def summed(*parts: bytes) -> int:
    """RFC 1071, by its own words: the complement of the sum of 16-bit words, carries added."""
    octets = b"".join(parts)
    words = [int.from_bytes(octets[place : place + 2].ljust(2, b"\0")) for place in range(0, len(octets), 2)]
    total = sum(words)
    while total > 0xFFFF:
        total = total % 0x10000 + total // 0x10000
    return total


def packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def ip4(protocol: int, inner: bytes, options: bytes = b"", fragment: int = 0) -> bytes:
    size = 20 + len(options)
    head = struct.pack(">BBHHHBBH", 0x40 | size // 4, 0, size + len(inner), 7, fragment, 64, protocol, 0)
    head += packed(CLIENT) + packed(SERVER) + options
    return head[:10] + struct.pack(">H", 0xFFFF - summed(head)) + head[12:] + inner


def ip6(protocol: int, inner: bytes) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(inner), protocol, 64) + packed("fd00::1") + packed("fd00::2") + inner


def tcp(payload: bytes, options: bytes = b"") -> bytes:
    return (
        struct.pack(">HHIIBBHHH", 40_000, 502, 7, 0, (20 + len(options)) // 4 << 4, 0x18, 512, 0, 0) + options + payload
    )


def udp(payload: bytes, checksum: int = 1) -> bytes:
    return struct.pack(">HHHH", 47808, 47808, 8 + len(payload), checksum) + payload


ROUTE = b"\x07\x07\x08" + packed("10.20.1.99") + b"\0"
PACKETS = {
    "TCP": ip4(6, tcp(b"\0\1\0\0\0\6\1\3\0\0\0\2")),
    "TCP, odd": ip4(6, tcp(b"abc", b"\2\4\5\xb4")),
    "UDP": ip4(17, udp(b"\x81\x0a\0\4")),
    "UDP without a checksum": ip4(17, udp(b"\x81\x0a\0\4", 0)),
    "route recorded": ip4(17, udp(b"x"), ROUTE),
    "ICMP": ip4(1, b"\x08\0\0\0\0\3\0\4hello"),
    "TCP over IPv6": ip6(6, tcp(b"abc")),
    "UDP over IPv6": ip6(17, udp(b"abcd")),
    "echo over IPv6": ip6(58, b"\x80\0\0\0\0\1\0\2x"),
    "neighbour": ip6(58, b"\x88\0\0\0\0\0\0\0" + packed("fd00::1") + b"\2\1" + bytes.fromhex("0080f4000020")),
}
_SUMS = {6: 16, 17: 6, 1: 2, 58: 2}
"""Where the checksum is, by protocol."""


def ethernet(packet: bytes, *tags: int) -> bytes:
    head = bytes.fromhex((MACS["dst"] + MACS["src"]).replace(":", ""))
    head += b"".join(struct.pack(">HH", 0x8100, tag) for tag in tags)
    return head + (b"\x08\0" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet


@pytest.mark.parametrize("name", PACKETS)
@pytest.mark.parametrize("tags", [(), (100,), (100, 7)], ids=["untagged", "tagged", "two tags"])
def test_checksums_are_right_and_no_address_stays(name: str, tags: tuple[int, ...]) -> None:
    octets, cut = rewritten(1, ethernet(PACKETS[name], *tags), KEYED, same)
    assert not cut
    start = 14 + 4 * len(tags)
    assert octets[12:start] == ethernet(PACKETS[name], *tags)[12:start], "tags and kind stay"
    packet = octets[start:]
    if packet[0] >> 4 == 4:
        size, protocol = (packet[0] & 15) * 4, packet[9]
        assert summed(packet[:size]) == 0xFFFF
        inner, ends = packet[size : int.from_bytes(packet[2:4])], packet[12:20]
    else:
        protocol, inner, ends = packet[6], packet[40 : 40 + int.from_bytes(packet[4:6])], packet[8:40]
    pseudo = b"" if protocol == 1 else ends + struct.pack(">II", len(inner), protocol)
    place = _SUMS[protocol]
    if name == "UDP without a checksum":
        assert inner[place : place + 2] == b"\0\0", "RFC 768: none was sent"
    else:
        assert summed(pseudo, inner) == 0xFFFF
    for address in (CLIENT, SERVER, "10.20.1.99", "fd00::1", "fd00::2"):
        assert packed(address) not in octets
    for mac in MACS.values():
        assert bytes.fromhex(mac.replace(":", "")) not in octets


def test_who_asks_for_whom_stays_in_arp() -> None:
    mac = bytes.fromhex(MACS["src"].replace(":", ""))
    asked = b"\xff" * 6 + mac + b"\x08\x06" + bytes.fromhex("0001080006040001") + mac + packed(CLIENT)
    made, _ = rewritten(1, asked + bytes(6) + packed(SERVER) + b"padding of the frame", KEYED, same)
    client, server = (KEYED.ipv4(ipaddress.IPv4Address(one)).packed for one in (CLIENT, SERVER))
    assert made[:6] == b"\xff" * 6
    assert made[14:42] == bytes.fromhex("0001080006040001") + made[6:12] + client + bytes(6) + server
    assert not any(made[42:]), "what fills the frame up may be anybody's octets"


@pytest.mark.parametrize(
    "packet",
    [
        pytest.param(ip4(17, udp(b"secret-name"), fragment=0x2000), id="fragment"),
        pytest.param(ip4(17, b"secret-name", fragment=9), id="later fragment"),
        pytest.param(ip4(47, b"secret-name"), id="tunnel"),
        pytest.param(ip6(0, b"\x11\0\0\0\0\0\0\0" + udp(b"secret-name")), id="extension header"),
        pytest.param(ip4(1, b"\3\0\0\0\0\0\0\0" + ip4(17, b"secret-name")), id="quoted by an error"),
        pytest.param(ip4(6, tcp(b"", b"\xfd\x0dsecret-name\0\0\0")), id="option"),
    ],
)
def test_what_nobody_knows_is_cut(packet: bytes) -> None:
    assert b"secret-name" not in rewritten(1, ethernet(packet), KEYED, same)[0]
    assert b"secret-name" not in rewritten(101, packet, KEYED, same)[0]


@given(st.sampled_from((1, 12, 101, 105, 228, 229, 276)), st.binary(max_size=120))
@SETTINGS
def test_any_octets_are_a_packet(link: int, octets: bytes) -> None:
    made, cut = rewritten(link, octets, KEYED, same)
    assert len(made) <= max(len(octets), 60)
    if link in (105, 276):
        assert (made, cut) == (b"", True), "of a link that nobody knows nothing is kept"


@given(st.sampled_from(sorted(PACKETS)), st.integers(0, 200), st.integers(0, 255))
@SETTINGS
def test_packets_with_one_octet_changed_lose_their_addresses(name: str, place: int, value: int) -> None:
    octets = bytearray(PACKETS[name])
    place %= len(octets)
    octets[place] = value
    made, _ = rewritten(101, bytes(octets), KEYED, lambda _: b"")
    kept = [address for address in (CLIENT, SERVER) if ipaddress.ip_address(address).packed in made]
    assert not kept


def capture(*packets: bytes) -> bytes:
    rows = tuple(pcapng.Packet(0, number, data, len(data)) for number, data in enumerate(packets))
    return pcapng.dumps(MiniCapture((pcapng.Interface(1, 0),), rows))


def hidden(octets: bytes) -> bytes:
    words = Words(KEYED)
    return pseudonymised(octets, words, known((), words.names, KEYED))


def test_a_mini_capture_is_one_again() -> None:
    octets = capture(ethernet(PACKETS["TCP"]), ethernet(PACKETS["UDP"]))
    again = pcapng.loads(hidden(octets))
    assert [one.ticks for one in again.packets] == [0, 1]
    assert all(one.length == len(one.data) for one in again.packets)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        pytest.param(lambda octets: b"", "no section", id="empty"),
        pytest.param(lambda octets: octets[:-5], "are left", id="cut off"),
        pytest.param(lambda octets: octets + b"\0" * 7, "ends within a block", id="more after it"),
        pytest.param(lambda octets: octets[:4] + struct.pack("<I", 0) + octets[8:], "a block of 0", id="no length"),
        pytest.param(lambda octets: octets[:4] + struct.pack("<I", 2**32 - 4) + octets[8:], "a block of", id="huge"),
        pytest.param(lambda octets: octets[28:], "that no mini capture has", id="no section first"),
        pytest.param(lambda octets: octets + octets, "that no mini capture has", id="two sections"),
        pytest.param(
            lambda octets: octets + struct.pack("<3I", 0x0000000A, 16, 0) + struct.pack("<I", 16),
            "that no mini capture has",
            id="secrets for decryption",
        ),
        pytest.param(
            lambda octets: octets + struct.pack("<9I", 6, 36, 9, 0, 0, 4, 4, 0, 36), "cannot be", id="no interface"
        ),
        pytest.param(
            lambda octets: octets + struct.pack("<9I", 6, 36, 0, 0, 0, 400, 400, 0, 36), "cannot be", id="too long"
        ),
    ],
)
def test_what_is_no_mini_capture_is_refused_with_its_place(changed: Callable[[bytes], bytes], why: str) -> None:
    octets = capture(ethernet(PACKETS["UDP"]))
    with pytest.raises(PcapngError, match=rf"octet [0-9]+: .*{why}"):
        hidden(changed(octets))


@given(st.integers(0, 500), st.binary(min_size=1, max_size=8))
@SETTINGS
def test_any_change_of_a_capture_is_a_capture_or_refused(place: int, octets: bytes) -> None:
    whole = bytearray(capture(ethernet(PACKETS["TCP"])))
    place %= len(whole)
    whole[place : place + len(octets)] = octets
    try:
        made = hidden(bytes(whole))
    except PcapngError:
        return
    pcapng.loads(made)
