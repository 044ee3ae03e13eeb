"""The coverage record of a file says what the file let us see."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, Final

from builders.wire import internet_checksum

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

SECOND: Final = 1_000_000
CLIENT, SERVER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
READ: Final = bytes.fromhex("0001 0000 0006 01 03 0063 0002")
ANSWER: Final = bytes.fromhex("0001 0000 0007 01 03 04 0078 0096")
LATER_EDITION: Final = bytes.fromhex(
    "0564 0d c4 0400 0300 3d40"  # DNP3 link header, unconfirmed user data from 3 to 4
    "c0 c1 02"  # transport, application control, write
    "c8 01 07 01 aa"  # an object of group 200, which has no size here
    "0401"
)


def block(kind: int, body: bytes) -> bytes:
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length


def packet(at: int, data: bytes, cut: int = 0) -> bytes:
    """An enhanced packet block; `cut` octets were not captured."""
    kept = data[: len(data) - cut]
    return block(6, struct.pack("<IIIII", 0, at >> 32, at & 0xFFFFFFFF, len(kept), len(data)) + kept)


def frame(protocol: int, ends: tuple[bytes, bytes], number: int, content: bytes) -> bytes:
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(content), number, 0, 64, protocol, 0, *ends)
    return bytes.fromhex("02000000000102000000000208 00") + head + content


def datagram(number: int, port: int, content: bytes) -> bytes:
    return frame(17, (CLIENT, SERVER), number, struct.pack(">HHHH", 40000, port, 8 + len(content), 0) + content)


def segment(number: int, sequence: int, content: bytes, *, back: bool = False) -> bytes:
    ports, ends = ((502, 41000), (SERVER, CLIENT)) if back else ((41000, 502), (CLIENT, SERVER))
    return frame(6, ends, number, struct.pack(">HHIIBBHHH", *ports, sequence, 1, 0x50, 0x10, 8192, 0, 0) + content)


def coverage(folder: Path, *blocks: bytes) -> dict[str, Any]:
    """The record of a file of these blocks."""
    section = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    file = folder / "made.pcapng"
    file.write_bytes(section + block(1, struct.pack("<HHI", 1, 0, 0)) + b"".join(blocks))
    decoder = Decoder([Source("point", (CaptureFile(file.name, file),))], hash_inputs=False)
    while decoder.advance():
        pass
    (record,) = decoder.take("coverage").to_pylist()
    return dict(record)


def test_loss_and_silence_are_told(tmp_path: Path) -> None:
    simple = datagram(3, 4444, b"untimed")
    statistics = struct.pack("<III", 0, 0, 0) + struct.pack("<HHQ", 5, 8, 40) + struct.pack("<HH", 0, 0)
    told = coverage(
        tmp_path,
        packet(10 * SECOND, datagram(1, 4444, b"first")),
        packet(100 * SECOND, datagram(2, 4444, bytes(100)), cut=90),
        block(3, struct.pack("<I", len(simple)) + simple),
        block(5, statistics),
    )
    expected = {"packets": 3, "cut_packets": 1, "cut_bytes": 90, "untimed_packets": 1, "reported_drops": 40}
    assert {name: told[name] for name in expected} == expected
    assert (told["silence"], told["silence_start_time"].timestamp()) == (90 * 10**9, 10)


def test_a_file_that_says_nothing_of_drops_has_none(tmp_path: Path) -> None:
    assert coverage(tmp_path, packet(SECOND, datagram(1, 4444, b"one")))["reported_drops"] is None


def test_what_nobody_recognises_is_counted_by_port(tmp_path: Path) -> None:
    sent = [(4444, 100), (4445, 200), (4444, 300)]
    blocks = [packet(index * SECOND, datagram(index, port, bytes(size))) for index, (port, size) in enumerate(sent)]
    unknown = coverage(tmp_path, *blocks)["unknown"]
    assert [(row["transport"], row["port"], row["flows"], row["packets"]) for row in unknown] == [
        ("udp", 4444, 1, 2),
        ("udp", 4445, 1, 1),
    ]
    assert [row["bytes"] for row in unknown] == [400 + 2 * 42, 242]


def test_octets_of_no_message_are_counted_by_protocol(tmp_path: Path) -> None:
    rubbish = b"\xff" * 100
    told = coverage(
        tmp_path,
        packet(0, segment(1, 1, READ)),
        packet(SECOND, segment(2, 1, ANSWER, back=True)),
        packet(2 * SECOND, segment(3, 1 + len(READ), rubbish)),
        packet(3 * SECOND, segment(4, 1 + len(READ) + len(rubbish), READ)),
        packet(4 * SECOND, segment(5, 1 + len(ANSWER), ANSWER, back=True)),
    )
    assert told["undecoded"] == [{"protocol": "modbus", "bytes": len(rubbish), "messages": 0}]
    assert told["unknown"] == []


def test_steps_of_the_clock_are_told(tmp_path: Path) -> None:
    hour = 3_600
    cases = {
        "steady": ([0, 1, 2], 0),
        "a second back": ([10, 9], 0),
        "more than a second back": ([10, 8], 1),
        "an hour on": ([0, hour], 0),
        "more than an hour on": ([0, hour + 1], 1),
        "on and back": ([0, 2 * hour, 1], 2),
    }
    for name, (seconds, jumps) in cases.items():
        blocks = [packet(at * SECOND, datagram(number, 4444, b"x")) for number, at in enumerate(seconds)]
        assert coverage(tmp_path, *blocks)["clock_jumps"] == jumps, name


def test_lost_octets_of_streams_are_counted(tmp_path: Path) -> None:
    told = coverage(
        tmp_path,
        packet(0, segment(1, 1, READ)),
        packet(SECOND, segment(2, 1, ANSWER, back=True)),
        packet(2 * SECOND, segment(3, 1 + 2 * len(READ), READ)),
        packet(9 * SECOND, segment(4, 1 + 5 * len(READ), READ)),
    )
    assert (told["gaps"], told["gap_bytes"], told["one_sided_flows"]) == (2, 3 * len(READ), 0)


def test_copies_of_a_mirror_are_counted_with_their_octets(tmp_path: Path) -> None:
    routed = bytearray(datagram(1, 4444, b"once"))
    routed[22] -= 1  # one hop less
    told = coverage(tmp_path, packet(0, datagram(1, 4444, b"once")), packet(1, bytes(routed)))
    assert (told["packets"], told["duplicates"], told["duplicate_bytes"]) == (2, 1, len(routed))


def test_messages_decoded_in_part_are_counted(tmp_path: Path) -> None:
    told = coverage(tmp_path, packet(0, datagram(1, 20000, LATER_EDITION)))
    assert told["undecoded"] == [{"protocol": "dnp3", "bytes": 0, "messages": 1}]


def test_value_changes_that_are_not_kept_one_by_one_are_counted(tmp_path: Path) -> None:
    written = [bytes.fromhex("0001 0000 0006 01 06 0063") + struct.pack(">H", number) for number in range(600)]
    blocks = [
        packet(number * 1_000, segment(number & 0xFFFF, 1 + number * len(write), write))
        for number, write in enumerate(written)
    ]
    told = coverage(tmp_path, *blocks)
    assert told["events"] == len(written)
    assert told["events_thinned"] > 0


def test_packets_longer_than_ethernet_carries_are_counted(tmp_path: Path) -> None:
    longest = 1_526  # 1,500 octets, header, two tags, check sequence
    blocks = [
        packet(number, datagram(number, 47_808, bytes(size - 42))) for number, size in enumerate((longest, 1_527))
    ]
    assert coverage(tmp_path, *blocks)["long_packets"] == 1


def test_checksums_of_a_sample_are_looked_at(tmp_path: Path) -> None:
    wrong = segment(1, 1, READ)  # of no checksum at all
    right = bytearray(datagram(2, 47_808, b"x"))
    right[24:26] = internet_checksum(bytes(right[14:34])).to_bytes(2, "big")  # of the header; UDP has none
    cut = packet(3, segment(3, 13, READ), cut=4)
    found = coverage(tmp_path, packet(1, wrong), packet(2, bytes(right)), cut)
    assert (found["checksums_tried"], found["checksums_wrong"]) == (2, 1)
