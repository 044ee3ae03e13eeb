#!/usr/bin/env python3
"""Make the captures of what is below the protocols, with their truth, the same bytes on every run.

    python pcaps/make_layers.py [folder]

Needs nothing but Python 3.11. Without a folder the files are written beside this script, and the index gets their
rows. `layers/truth.json` has every PDU of every capture, the flows around it, and the oddities that are to be told.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from builders import bacnet, index, tunnels
from builders.bacnet import ObjectId
from builders.talk import (
    Talk,
    Wrap,
    answer_of,
    pdu,
    read_of,
    with_check_sequence,
    without_total_length,
)
from builders.tcp import Side
from builders.wire import ETHERNET, Frame, mac_bytes, write_pcap

START = 1_772_438_400  # 2026-03-02T08:00:00Z
STEP = 2_000  # microseconds between frames
ARCNET_BSD, RADIOTAP, MSTP, USER = 7, 127, 165, 147
CHECK_SEQUENCE_OF_4 = 2 << 28 | 1 << 26  # two words, in the link type's field


@dataclass(slots=True)
class Story:
    """A capture and its truth."""

    frames: list[bytes]
    pdus: list[str]  # `frame protocol source destination kind function transaction`
    link_type: int = ETHERNET
    services: list[str] = field(default_factory=list)  # of the flows around, as content shows them
    oddities: list[str] = field(default_factory=list)
    coverage: dict[str, int] = field(default_factory=dict)


def told(
    talk: Talk, link_type: int = ETHERNET, services: Iterable[str] = (), coverage: Mapping[str, int] | None = None
) -> Story:
    return Story(talk.frames, talk.pdus, link_type, list(services), coverage=dict(coverage or {}))


# TCP that is not smooth.


def zero_window() -> Story:
    """The server stops the client twice; the client asks with an octet of its next request, as RFC 9293, 3.8.6.1."""
    talk = Talk()
    talk.open()
    talk.poll(1)
    talk.segment(Side.SERVER, window=0)
    due = read_of(2)
    for _ in range(2):
        talk.frames.append(probe(talk, due[:1]))
        talk.segment(Side.SERVER, window=0)
    talk.segment(Side.SERVER)
    talk.request(2)
    talk.response(2)
    return told(talk)


def probe(talk: Talk, octets: bytes) -> bytes:
    """A segment that is sent and refused: the same octets come again."""
    talk.segment(Side.CLIENT, octets)
    talk.next[Side.CLIENT] -= len(octets)
    return talk.frames.pop()


def keep_alive() -> Story:
    """Segments one octet behind, empty and with an octet that means nothing (RFC 9293, 3.8.4), answered each time."""
    talk = Talk()
    talk.open()
    talk.poll(1)
    for octets in (b"", b"\x00", b"\x00"):
        talk.segment(Side.CLIENT, octets, behind=1)
        talk.segment(Side.SERVER)
        talk.segment(Side.SERVER, octets, behind=1)
        talk.segment(Side.CLIENT)
    talk.request(2)
    talk.response(2)
    return told(talk)


def sequence_wrap() -> Story:
    talk = Talk(start=(2**32 - 20, 2**32 - 30))
    talk.open()
    talk.poll(4)
    return told(talk)


def transaction_reused() -> Story:
    """Both requests are outstanding under one transaction identifier; the answers differ in length."""
    talk = Talk()
    talk.open()
    for start in (0, 100):
        talk.request(7, start)
    for _ in range(2):
        talk.response(7)
    talk.poll(1)
    return told(talk)


def responses_first() -> Story:
    """Two mirrors, the server's ahead: every answer is in the file before its request."""
    talk = Talk()
    talk.open()
    for transaction in (1, 2, 3):
        talk.skip(Side.CLIENT, len(read_of(transaction)))
        talk.response(transaction)
        talk.skip(Side.CLIENT, -len(read_of(transaction)))
        talk.skip(Side.SERVER, -len(answer_of(transaction)))
        talk.request(transaction)
        talk.skip(Side.SERVER, len(answer_of(transaction)))
    return told(talk)


def one_direction() -> Story:
    """Only what the client sends was captured; its acknowledgements tell of answers."""
    talk = Talk()
    talk.segment(Side.CLIENT)
    for transaction in (1, 2, 3):
        talk.request(transaction)
        talk.skip(Side.SERVER, len(answer_of(transaction)))
        talk.segment(Side.CLIENT)
    return told(talk, coverage={"one_sided_flows": 1})


# Lengths and checksums.


def offloaded() -> Story:
    """The server's own capture: checksums not filled in, total length 0."""
    talk = Talk()
    talk.open()
    for transaction in (1, 2):
        talk.request(transaction)
        talk.response(transaction, without_total_length)
    return told(talk)


def jumbo() -> Story:
    """Twelve pipelined requests, answered in one frame of 3,162 octets."""
    talk = Talk()
    talk.open()
    answers = b""
    for transaction in range(1, 13):
        talk.request(transaction, quantity=125)
        answers += answer_of(transaction, 125)
    for transaction in range(1, 13):
        talk.note(Side.SERVER, transaction)
    talk.segment(Side.SERVER, answers)
    return told(talk)


def check_sequences() -> Story:
    """Frames end with their check sequence, and the file says so: one frame's length does not tell them apart."""
    talk = Talk(wrap=with_check_sequence)
    talk.open()
    talk.request(1)
    talk.response(1, without_total_length)
    talk.request(2)
    talk.response(2)
    return told(talk, link_type=ETHERNET | CHECK_SEQUENCE_OF_4)


def trailing_octets() -> Story:
    """The same, where the file does not say so: octets behind the packet are padding."""
    talk = Talk(wrap=with_check_sequence)
    talk.open()
    talk.poll()
    return told(talk)


# Packets inside packets.


def inside(wrap: Wrap, *services: str, link_type: int = ETHERNET) -> Callable[[], Story]:
    def story() -> Story:
        talk = Talk(wrap=wrap)
        talk.open()
        talk.poll()
        return told(talk, link_type, services)

    return story


def too_deep() -> Story:
    """A packet inside nine others is not unpacked, and said so."""
    talk = Talk(wrap=tunnels.nested(9))
    talk.segment(Side.CLIENT, read_of(1))
    return Story(talk.frames, [], services=["vxlan"], oddities=["too_deep"])


# BACnet without IP.

Link = Callable[[int, int, bytes], bytes]
STATIONS = {ETHERNET: "00:40:ae:00:00:{:02x}", ARCNET_BSD: "arcnet:{}", MSTP: "mstp:{}"}
BROADCAST = {ETHERNET: ("ff:ff:ff:ff:ff:ff", 255), ARCNET_BSD: ("arcnet:0", 0), MSTP: ("mstp:255", 255)}
LLC = b"\x82\x82\x03"


def over_ethernet(source: int, destination: int, npdu: bytes) -> bytes:
    def mac(station: int) -> bytes:
        name, number = BROADCAST[ETHERNET]
        return mac_bytes(name if station == number else STATIONS[ETHERNET].format(station))

    frame = mac(destination) + mac(source) + struct.pack(">H", len(LLC + npdu)) + LLC + npdu
    return frame.ljust(60, b"\x00")


def over_arcnet(source: int, destination: int, npdu: bytes) -> bytes:
    return bytes([source, destination, 0xCD]) + LLC + npdu


def over_mstp(source: int, destination: int, npdu: bytes) -> bytes:
    """The preamble of 9.3 and a data frame that expects no reply. The check sequences are left empty."""
    return struct.pack(">HBBBHB", 0x55FF, 6, destination, source, len(npdu), 0) + npdu + bytes(2)


def data_link(link_type: int, carry: Link) -> Callable[[], Story]:
    """Who-Is, I-Am, ReadProperty and its answer, between stations 12 and 27."""

    def story() -> Story:
        client, server = 12, 27
        everybody, broadcast = BROADCAST[link_type]
        device = ObjectId(bacnet.DEVICE, 27)
        asked = bacnet.property_reference(device, bacnet.OBJECT_NAME)
        answer = bacnet.read_property_ack(device, bacnet.OBJECT_NAME, bacnet.character_string("boiler"))
        messages = (
            (client, broadcast, bacnet.who_is(), "unconfirmed", bacnet.WHO_IS, None),
            (server, broadcast, bacnet.i_am(27, 260), "unconfirmed", bacnet.I_AM, None),
            (
                client,
                server,
                bacnet.confirmed_request(5, bacnet.READ_PROPERTY, asked),
                "request",
                bacnet.READ_PROPERTY,
                5,
            ),
            (server, client, bacnet.complex_ack(5, bacnet.READ_PROPERTY, answer), "response", bacnet.READ_PROPERTY, 5),
        )
        frames = [carry(source, destination, bacnet.npdu(apdu)) for source, destination, apdu, *_ in messages]
        name = STATIONS[link_type].format
        pdus = []
        for number, (source, destination, _, kind, function, invoke) in enumerate(messages, start=1):
            to = everybody if destination == broadcast else name(destination)
            pdus.append(pdu(number, "bacnet", name(source), to, kind, function, invoke))
        return Story(frames, pdus, link_type, services=["bacnet"])

    return story


def unknown_link() -> Story:
    """A link type of somebody's own: counted, and not an oddity for every packet."""
    return Story([b"\x00\x01\x02"] * 3, [], USER, coverage={"undecoded_packets": 3, "unknown_link_packets": 3})


# Two plants with the same addresses.


def same_addresses(site: int) -> Callable[[], Story]:
    def story() -> Story:
        talk = Talk()
        talk.open()
        for transaction in range(site * 10, site * 10 + 3):
            talk.request(transaction, site * 100)
            talk.response(transaction)
        return told(talk)

    return story


LAYERS: tuple[tuple[str, Callable[[], Story], str], ...] = (
    ("zero_window", zero_window, "Modbus/TCP with zero windows and window probes"),
    ("keep_alive", keep_alive, "Modbus/TCP with keep-alives, empty and of one octet"),
    ("sequence_wrap", sequence_wrap, "Modbus/TCP whose sequence numbers wrap around in both directions"),
    ("transaction_reused", transaction_reused, "Modbus/TCP: a transaction identifier reused while it is outstanding"),
    ("responses_first", responses_first, "Modbus/TCP of two mirrors: every response before its request"),
    ("one_direction", one_direction, "Modbus/TCP of which only the client's side was captured"),
    ("offloaded", offloaded, "Modbus/TCP with checksums and total length not filled in yet"),
    ("jumbo", jumbo, "Modbus/TCP: twelve responses in a frame of 3,162 octets"),
    ("check_sequences", check_sequences, "Modbus/TCP in frames with their check sequence, as the file header says"),
    ("trailing_octets", trailing_octets, "Modbus/TCP in frames with octets behind the packet"),
    ("erspan_1", inside(tunnels.erspan_1, "erspan"), "Modbus/TCP mirrored in ERSPAN type I"),
    ("erspan_2", inside(tunnels.erspan_2, "erspan"), "Modbus/TCP mirrored in ERSPAN type II, the VLAN in its header"),
    ("erspan_3", inside(tunnels.erspan_3, "erspan"), "Modbus/TCP mirrored in ERSPAN type III with a subheader"),
    ("gre", inside(tunnels.gre_of_ip, "gre"), "Modbus/TCP in GRE with checksum, key and sequence number"),
    ("gre_wireless", inside(tunnels.gre_of_air, "gre"), "Modbus/TCP of a wireless station, its frames in GRE"),
    ("radiotap", inside(tunnels.radiotap, link_type=RADIOTAP), "Modbus/TCP captured on the air, with radiotap"),
    ("vxlan", inside(tunnels.vxlan, "vxlan"), "Modbus/TCP in VXLAN"),
    ("vxlan_elsewhere", inside(tunnels.vxlan_elsewhere, "vxlan"), "Modbus/TCP in VXLAN on a port of its own"),
    ("geneve", inside(tunnels.geneve, "geneve"), "Modbus/TCP in Geneve with an option"),
    ("mpls", inside(tunnels.mpls_of_ip), "Modbus/TCP behind two MPLS labels"),
    ("pseudo_wire", inside(tunnels.pseudo_wire, "mpls"), "Modbus/TCP in an Ethernet pseudo-wire"),
    ("pseudo_wire_control", inside(tunnels.pseudo_wire_with_control_word, "mpls"), "the same with control words"),
    ("pppoe", inside(tunnels.pppoe), "Modbus/TCP in a PPPoE session"),
    ("backbone", inside(tunnels.backbone, "802.1ah"), "Modbus/TCP in 802.1ah"),
    ("ip_in_ip", inside(tunnels.ip_in_ip, "ip-in-ip"), "Modbus/TCP in IPv4 in IPv4"),
    ("ip_in_ipv6", inside(tunnels.ip_in_ipv6, "ip-in-ip"), "Modbus/TCP in IPv4 in IPv6"),
    ("nested", inside(tunnels.nested(4), "vxlan"), "Modbus/TCP in VXLAN, four times over"),
    ("too_deep", too_deep, "nine packets around one"),
    ("bacnet_ethernet", data_link(ETHERNET, over_ethernet), "BACnet over 802.2 LLC"),
    ("bacnet_arcnet", data_link(ARCNET_BSD, over_arcnet), "BACnet over ARCnet"),
    ("bacnet_mstp", data_link(MSTP, over_mstp), "BACnet over MS/TP"),
    ("unknown_link", unknown_link, "packets of a link type that is not known"),
    ("site_1", same_addresses(1), "Modbus/TCP of one plant …"),
    ("site_2", same_addresses(2), "… and of another with the same addresses and ports"),
)  # fmt: skip


def make(folder: Path) -> dict[str, int]:
    """Write the files and give the number of packets of each."""
    place = folder / "layers"
    place.mkdir(parents=True, exist_ok=True)
    packets: dict[str, int] = {}
    truth: dict[str, dict[str, object]] = {}
    for name, tell, _ in LAYERS:
        story = tell()
        frames = [Frame(number * STEP, data, None) for number, data in enumerate(story.frames)]
        write_pcap(place / f"{name}.pcap", START, frames, story.link_type)
        packets[f"layers/{name}.pcap"] = len(frames)
        truth[name] = {
            "pdus": story.pdus,
            "services": story.services,
            "oddities": story.oddities,
            "coverage": story.coverage,
        }
    (place / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return packets


if __name__ == "__main__":
    index.run(__file__, make, {f"layers/{name}.pcap": shows for name, _, shows in LAYERS})
