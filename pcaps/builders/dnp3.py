"""DNP3 messages (IEEE 1815-2012): link frames with their block CRCs, transport segments, fragments, objects."""

from __future__ import annotations

import struct
from collections.abc import Sequence

PORT = 20000

# Application function codes.
CONFIRM = 0
READ = 1
WRITE = 2
SELECT = 3
OPERATE = 4
ENABLE_UNSOLICITED = 20
RECORD_CURRENT_TIME = 24
RESPONSE = 129
UNSOLICITED_RESPONSE = 130

# First octet of the internal indications.
IIN_CLASS_1_EVENTS = 0x02
IIN_NEED_TIME = 0x10

ONLINE = 0x01
ONLINE_AND_ON = 0x81

LATCH_ON = 0x03
LATCH_OFF = 0x04

# Qualifier codes.
RANGE_8 = 0x00
ALL_OBJECTS = 0x06
COUNT_8 = 0x07
COUNT_INDEX_8 = 0x17
COUNT_INDEX_16 = 0x28

SEGMENT_SIZE = 249  # application octets in a transport segment


def crc(data: bytes) -> bytes:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA6BC if value & 1 else 0)
    return struct.pack("<H", ~value & 0xFFFF)


def link_frame(control: int, destination: int, source: int, user_data: bytes = b"") -> bytes:
    header = struct.pack("<BBBBHH", 0x05, 0x64, 5 + len(user_data), control, destination, source)
    blocks = (user_data[offset : offset + 16] for offset in range(0, len(user_data), 16))
    return header + crc(header) + b"".join(block + crc(block) for block in blocks)


def request_link_status(outstation: int, master: int) -> bytes:
    return link_frame(0xC9, outstation, master)


def link_status(outstation: int, master: int) -> bytes:
    return link_frame(0x0B, master, outstation)


class Endpoint:
    """One end of an association: puts fragments into link frames and keeps the transport sequence."""

    def __init__(self, address: int, peer: int, *, master: bool) -> None:
        self._address = address
        self._peer = peer
        self._control = 0xC4 if master else 0x44  # unconfirmed user data; DIR set by the master
        self._transport_sequence = 0

    def frames(self, fragment: bytes) -> bytes:
        framed = b""
        for offset in range(0, len(fragment), SEGMENT_SIZE):
            first = 0x40 if offset == 0 else 0
            final = 0x80 if offset + SEGMENT_SIZE >= len(fragment) else 0
            transport = bytes([final | first | self._transport_sequence])
            self._transport_sequence = (self._transport_sequence + 1) % 64
            segment = fragment[offset : offset + SEGMENT_SIZE]
            framed += link_frame(self._control, self._peer, self._address, transport + segment)
        return framed


def request(function: int, sequence: int, objects: bytes = b"") -> bytes:
    first_and_final = 0xC0
    return bytes([first_and_final | sequence, function]) + objects


def confirm(sequence: int, *, unsolicited: bool = False) -> bytes:
    return bytes([0xC0 | (0x10 if unsolicited else 0) | sequence, CONFIRM])


def response(sequence: int, objects: bytes = b"", *, indications: int = 0, confirmed: bool = False) -> bytes:
    control = 0xC0 | (0x20 if confirmed else 0) | sequence
    return bytes([control, RESPONSE, indications, 0]) + objects


def unsolicited(sequence: int, objects: bytes = b"", *, indications: int = 0) -> bytes:
    first_final_confirm_unsolicited = 0xF0
    return bytes([first_final_confirm_unsolicited | sequence, UNSOLICITED_RESPONSE, indications, 0]) + objects


def classes(*variations: int) -> bytes:
    """Group 60: variation 1 is the static data, 2 to 4 the event classes 1 to 3."""
    return b"".join(bytes([60, variation, ALL_OBJECTS]) for variation in variations)


def device_attributes_request() -> bytes:
    """Group 0, variation 254: all attributes of set 0."""
    return bytes([0, 254, RANGE_8, 0, 0])


def device_attributes(texts: Sequence[tuple[int, str]]) -> bytes:
    visible_string = 1
    return b"".join(
        bytes([0, variation, RANGE_8, 0, 0, visible_string, len(text)]) + text.encode() for variation, text in texts
    )


def binary_inputs(values: Sequence[bool]) -> bytes:
    """g1v2, with flags."""
    return _range(1, 2, values) + bytes(ONLINE_AND_ON if value else ONLINE for value in values)


def binary_output_status(values: Sequence[bool]) -> bytes:
    """g10v2."""
    return _range(10, 2, values) + bytes(ONLINE_AND_ON if value else ONLINE for value in values)


def counters(values: Sequence[int]) -> bytes:
    """g20v1, 32 bits with flag."""
    return _range(20, 1, values) + b"".join(struct.pack("<BI", ONLINE, value) for value in values)


def analog_inputs(values: Sequence[int]) -> bytes:
    """g30v1, 32 bits with flag."""
    return _range(30, 1, values) + b"".join(struct.pack("<Bi", ONLINE, value) for value in values)


def analog_output_status(values: Sequence[int]) -> bytes:
    """g40v2, 16 bits with flag."""
    return _range(40, 2, values) + b"".join(struct.pack("<Bh", ONLINE, value) for value in values)


def _range(group: int, variation: int, values: Sequence[object]) -> bytes:
    return bytes([group, variation, RANGE_8, 0, len(values) - 1])


def time48(milliseconds: int) -> bytes:
    """Milliseconds since 1970, UTC, in six octets."""
    return milliseconds.to_bytes(6, "little")


def binary_event(index: int, value: bool, milliseconds: int) -> bytes:
    """g2v2, with absolute time."""
    flags = ONLINE_AND_ON if value else ONLINE
    return struct.pack("<BBBHHB", 2, 2, COUNT_INDEX_16, 1, index, flags) + time48(milliseconds)


def analog_events(events: Sequence[tuple[int, int]], milliseconds: int) -> bytes:
    """g32v3: (index, value) with absolute time."""
    head = struct.pack("<BBBH", 32, 3, COUNT_INDEX_16, len(events))
    return head + b"".join(struct.pack("<HBi", index, ONLINE, value) + time48(milliseconds) for index, value in events)


def control_relay_output(index: int, control_code: int, status: int = 0) -> bytes:
    """g12v1."""
    count, on_time, off_time = 1, 100, 100
    block = struct.pack("<BBIIB", control_code, count, on_time, off_time, status)
    return bytes([12, 1, COUNT_INDEX_8, 1, index]) + block


def analog_output_block(index: int, value: int, status: int = 0) -> bytes:
    """g41v2, 16 bits."""
    return bytes([41, 2, COUNT_INDEX_8, 1, index]) + struct.pack("<hB", value, status)


def recorded_time(milliseconds: int) -> bytes:
    """g50v3: the time at the moment recorded before."""
    return bytes([50, 3, COUNT_8, 1]) + time48(milliseconds)
