"""S7 communication on ISO transport over TCP (RFC 1006, ITU-T X.224 class 0), and S7comm-plus.

Functions named after a message return its user data; `packets` puts them on the wire.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

PORT = 102

JOB, ACK_DATA, USERDATA = 1, 3, 7

READ_VAR, WRITE_VAR = 0x04, 0x05
REQUEST_DOWNLOAD, DOWNLOAD_BLOCK, DOWNLOAD_ENDED = 0x1A, 0x1B, 0x1C
PI_SERVICE, PLC_STOP = 0x28, 0x29
SETUP_COMMUNICATION = 0xF0

INPUTS, FLAGS, DATA_BLOCKS = 0x81, 0x83, 0x84  # areas
BIT, BYTE, WORD, REAL = 1, 2, 4, 8  # element types
SUCCESS, NO_ACCESS, NO_OBJECT = 0xFF, 0x03, 0x0A  # return codes

CPU_FUNCTIONS, SECURITY, TIME_FUNCTIONS = 4, 5, 7  # function groups
READ_SZL, PASSWORD, READ_CLOCK, SET_CLOCK = 1, 1, 1, 2

_CONNECT, _CONFIRM, _DATA, _LAST = 0xE0, 0xD0, 0xF0, 0x80


def tpkt(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">BBHB", 3, 0, 5 + len(header) + len(data), len(header)) + header + data


def connect(called: bytes, *, confirm: bool = False, calling: bytes = b"\x01\x00") -> bytes:
    """A connection request, or its confirm: references, class 0, size of data units, both transport selectors."""
    references = (1, 2) if confirm else (0, 1)
    fixed = struct.pack(">BHHB", _CONFIRM if confirm else _CONNECT, *references, 0)
    selectors = bytes([0xC1, len(calling)]) + calling + bytes([0xC2, len(called)]) + called
    return tpkt(fixed + b"\xc0\x01\x0a" + selectors)


def packets(message: bytes, size: int = 1 << 16) -> bytes:
    """User data in as many data units as they need."""
    parts = [message[start : start + size] for start in range(0, len(message), size)]
    last = len(parts) - 1
    return b"".join(tpkt(bytes([_DATA, _LAST if n == last else 0]), part) for n, part in enumerate(parts))


def _pdu(rosctr: int, reference: int, parameters: bytes, data: bytes = b"", error: bytes = b"") -> bytes:
    return struct.pack(">BBHHHH", 0x32, rosctr, 0, reference, len(parameters), len(data)) + error + parameters + data


def job(reference: int, parameters: bytes, data: bytes = b"") -> bytes:
    return _pdu(JOB, reference, parameters, data)


def ack_data(reference: int, parameters: bytes, data: bytes = b"", error: int = 0) -> bytes:
    return _pdu(ACK_DATA, reference, parameters, data, struct.pack(">H", error))


def setup(jobs: int = 1, pdu_length: int = 480) -> bytes:
    return struct.pack(">BBHHH", SETUP_COMMUNICATION, 0, jobs, jobs, pdu_length)


@dataclass(frozen=True, slots=True)
class Variable:
    """Area, data block (or 0), octet, element type, number of elements, bit."""

    area: int
    block: int
    octet: int
    element: int = BYTE
    count: int = 1
    bit: int = 0

    def address(self) -> bytes:
        place = self.octet << 3 | self.bit
        fields = struct.pack(">BBBBHHB", 0x12, 10, 0x10, self.element, self.count, self.block, self.area)
        return fields + place.to_bytes(3, "big")


def variables(function: int, items: Sequence[Variable]) -> bytes:
    return bytes([function, len(items)]) + b"".join(item.address() for item in items)


def datum(result: int, size: int, length: int, octets: bytes) -> bytes:
    """Return code, transport size, length as that counts it, octets. 3 and 4 count bits, 7 counts octets."""
    return struct.pack(">BBH", result, size, length) + octets


def data(*items: bytes) -> bytes:
    """The items of a data section: all but the last one filled to an even length."""
    filled = [item + bytes(len(item) % 2) for item in items[:-1]]
    return b"".join((*filled, items[-1]))


def block(kind: str, number: int, file_system: str) -> bytes:
    """`0A` is a data block; `P` passive, `A` active."""
    return f"{kind}{number:05d}{file_system}".encode()


def transfer(function: int, name: bytes, sizes: tuple[int, int] | None = None) -> bytes:
    """A job of a download; its request tells the octets of load memory and of code."""
    third = 0 if function == DOWNLOAD_ENDED else 0x0100  # an error there, else a constant
    named = struct.pack(">BBHI", function, 0, third, 0) + bytes([1 + len(name)]) + b"_" + name
    if sizes is None:
        return named
    lengths = b"1%06d%06d" % sizes
    return named + bytes([len(lengths)]) + lengths


def piece(octets: bytes) -> bytes:
    return struct.pack(">HH", len(octets), 0x00FB) + octets


def invocation(service: bytes, arguments: bytes = b"") -> bytes:
    head = struct.pack(">B6xBH", PI_SERVICE, 0xFD, len(arguments))
    return head + arguments + bytes([len(service)]) + service


def blocks(*names: bytes) -> bytes:
    """The arguments of an invocation that is about blocks."""
    return bytes([len(names), 0]) + b"".join(names)


def stop() -> bytes:
    return struct.pack(">B5xB", PLC_STOP, 9) + b"P_PROGRAM"


def userdata(
    reference: int,
    group: int,
    subfunction: int,
    payload: bytes | None,
    *,
    answer: bool = False,
    unit: int = 0,
    last: bool = True,
    error: int = 0,
) -> bytes:
    """A request, or an answer (of several data units one); without payload the data section says so."""
    follow_up = unit != 0 and not answer
    kind = 0x80 if answer else 0x40
    tail = struct.pack(">BBH", unit, not last, error) if answer or follow_up else b""
    head = [0x00, 0x01, 0x12, 4 + len(tail), 0x12 if tail else 0x11, kind | group, subfunction, int(answer)]
    octets = b"\x0a\x00\x00\x00" if payload is None else struct.pack(">BBH", SUCCESS, 9, len(payload)) + payload
    return _pdu(USERDATA, reference, bytes(head) + tail, octets)


def szl(identifier: int, index: int, records: Sequence[bytes] = ()) -> bytes:
    """A system status list, or the request for it."""
    head = struct.pack(">HH", identifier, index)
    return head + struct.pack(">HH", len(records[0]), len(records)) + b"".join(records) if records else head


def module_record(index: int, order_number: str, version: bytes) -> bytes:
    return struct.pack(">H20sH", index, order_number.ljust(20).encode(), 0x00C0) + version


def component_record(index: int, text: str) -> bytes:
    return struct.pack(">H32s", index, text.encode())


def clock(year: str, rest: str) -> bytes:
    """Digits of the year, then of month, day, hour, minute, second, milliseconds and the weekday."""
    return b"\x00" + bytes.fromhex(year + rest)


def plus(content: bytes, version: int = 1) -> bytes:
    return struct.pack(">BBH", 0x72, version, len(content)) + content + struct.pack(">BBH", 0x72, version, 0)


def plus_request(function: int, sequence: int, session: int, content: bytes) -> bytes:
    return struct.pack(">BHHHHIB", 0x31, 0, function, 0, sequence, session, 0x36) + content


def plus_response(function: int, sequence: int, content: bytes) -> bytes:
    return struct.pack(">BHHHHB", 0x32, 0, function, 0, sequence, 0x36) + content
