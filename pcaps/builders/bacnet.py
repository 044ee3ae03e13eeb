"""BACnet/IP messages (ANSI/ASHRAE 135): BVLC, NPDU, APDU and the tags inside (clause 20.2)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from builders.wire import ip_bytes

PORT = 47808

# BVLC functions.
BVLC_RESULT = 0x00
FORWARDED_NPDU = 0x04
REGISTER_FOREIGN_DEVICE = 0x05
DISTRIBUTE_BROADCAST = 0x09
ORIGINAL_UNICAST = 0x0A
ORIGINAL_BROADCAST = 0x0B

# Services.
CONFIRMED_COV_NOTIFICATION = 1
SUBSCRIBE_COV = 5
READ_PROPERTY = 12
READ_PROPERTY_MULTIPLE = 14
WRITE_PROPERTY = 15
I_AM = 0
UNCONFIRMED_COV_NOTIFICATION = 2
WHO_IS = 8

# Object types.
ANALOG_INPUT = 0
ANALOG_OUTPUT = 1
ANALOG_VALUE = 2
BINARY_INPUT = 3
BINARY_OUTPUT = 4
BINARY_VALUE = 5
DEVICE = 8

# Properties.
APPLICATION_SOFTWARE_VERSION = 12
FIRMWARE_REVISION = 44
MODEL_NAME = 70
OBJECT_LIST = 76
OBJECT_NAME = 77
PRESENT_VALUE = 85
STATUS_FLAGS = 111
VENDOR_NAME = 121

GLOBAL_BROADCAST = 0xFFFF
UP_TO_480 = 3  # max-APDU-length-accepted, code of 480 octets
UP_TO_1476 = 5


@dataclass(frozen=True, slots=True)
class ObjectId:
    object_type: int
    instance: int

    def encode(self) -> bytes:
        return struct.pack(">I", self.object_type << 22 | self.instance)


@dataclass(frozen=True, slots=True)
class RemoteAddress:
    """A device behind a BACnet router: its network and MAC address there."""

    network: int
    mac: bytes

    def encode(self) -> bytes:
        return struct.pack(">HB", self.network, len(self.mac)) + self.mac


# Tags.


def context(tag: int, data: bytes) -> bytes:
    return _tag(tag, 0x08, data)


def application(tag: int, data: bytes) -> bytes:
    return _tag(tag, 0x00, data)


def enclosed(tag: int, content: bytes) -> bytes:
    """Content between an opening and a closing tag."""
    return bytes([tag << 4 | 0x0E]) + content + bytes([tag << 4 | 0x0F])


def _tag(tag: int, tag_class: int, data: bytes) -> bytes:
    if len(data) <= 4:
        return bytes([tag << 4 | tag_class | len(data)]) + data
    return bytes([tag << 4 | tag_class | 5, len(data)]) + data


def unsigned(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


def real(value: float) -> bytes:
    return application(4, struct.pack(">f", value))


def character_string(text: str) -> bytes:
    utf8 = b"\x00"
    return application(7, utf8 + text.encode())


def enumerated(value: int) -> bytes:
    return application(9, unsigned(value))


def status_flags(flags: int = 0) -> bytes:
    unused_bits = 4
    return application(8, bytes([unused_bits, flags]))


def object_identifiers(objects: Sequence[ObjectId]) -> bytes:
    return b"".join(application(12, item.encode()) for item in objects)


# APDUs.


def who_is(low: int | None = None, high: int | None = None) -> bytes:
    limits = b"" if low is None or high is None else context(0, unsigned(low)) + context(1, unsigned(high))
    return bytes([0x10, WHO_IS]) + limits


def i_am(instance: int, vendor: int, max_apdu: int = 480, *, segmentation: int = 0) -> bytes:
    return (
        bytes([0x10, I_AM])
        + application(12, ObjectId(DEVICE, instance).encode())
        + application(2, unsigned(max_apdu))
        + enumerated(segmentation)
        + application(2, unsigned(vendor))
    )


def confirmed_request(
    invoke: int, service: int, data: bytes, *, max_apdu: int = UP_TO_480, segmented_response: bool = False
) -> bytes:
    first = 0x02 if segmented_response else 0x00
    max_segments = 0x70 if segmented_response else 0x00
    return bytes([first, max_segments | max_apdu, invoke, service]) + data


def simple_ack(invoke: int, service: int) -> bytes:
    return bytes([0x20, invoke, service])


def complex_ack(invoke: int, service: int, data: bytes) -> bytes:
    return bytes([0x30, invoke, service]) + data


def segmented_ack(invoke: int, service: int, data: bytes, *, size: int, window: int) -> list[bytes]:
    """A ComplexACK in segments of at most `size` octets of data."""
    chunks = [data[offset : offset + size] for offset in range(0, len(data), size)]
    last = len(chunks) - 1
    return [
        bytes([0x38 | (0x00 if number == last else 0x04), invoke, number, window, service]) + chunk
        for number, chunk in enumerate(chunks)
    ]


def segment_ack(invoke: int, sequence: int, window: int) -> bytes:
    return bytes([0x40, invoke, sequence, window])


def property_reference(item: ObjectId, identifier: int) -> bytes:
    return context(0, item.encode()) + context(1, unsigned(identifier))


def read_property_ack(item: ObjectId, identifier: int, value: bytes) -> bytes:
    return property_reference(item, identifier) + enclosed(3, value)


def read_multiple(requests: Sequence[tuple[ObjectId, Sequence[int]]]) -> bytes:
    return b"".join(
        context(0, item.encode()) + enclosed(1, b"".join(context(0, unsigned(number)) for number in identifiers))
        for item, identifiers in requests
    )


def read_multiple_ack(results: Sequence[tuple[ObjectId, Sequence[tuple[int, bytes]]]]) -> bytes:
    return b"".join(
        context(0, item.encode())
        + enclosed(1, b"".join(context(2, unsigned(number)) + enclosed(4, value) for number, value in values))
        for item, values in results
    )


def write_property(item: ObjectId, identifier: int, value: bytes, priority: int) -> bytes:
    return property_reference(item, identifier) + enclosed(3, value) + context(4, unsigned(priority))


def subscribe_cov(process: int, item: ObjectId, *, confirmed: bool, lifetime: int) -> bytes:
    return (
        context(0, unsigned(process))
        + context(1, item.encode())
        + context(2, bytes([confirmed]))
        + context(3, unsigned(lifetime))
    )


def cov_notification(process: int, device: int, item: ObjectId, remaining: int, value: bytes) -> bytes:
    listed = (
        context(0, unsigned(PRESENT_VALUE))
        + enclosed(2, value)
        + context(0, unsigned(STATUS_FLAGS))
        + enclosed(2, status_flags())
    )
    return (
        context(0, unsigned(process))
        + context(1, ObjectId(DEVICE, device).encode())
        + context(2, item.encode())
        + context(3, unsigned(remaining))
        + enclosed(4, listed)
    )


def unconfirmed_request(service: int, data: bytes) -> bytes:
    return bytes([0x10, service]) + data


# NPDU and BVLC.


def npdu(
    apdu: bytes,
    *,
    expects_reply: bool = False,
    to: RemoteAddress | None = None,
    origin: RemoteAddress | None = None,
) -> bytes:
    control = (0x04 if expects_reply else 0) | (0x20 if to else 0) | (0x08 if origin else 0)
    destination = to.encode() if to else b""
    source = origin.encode() if origin else b""
    hop_count = b"\xff" if to else b""
    return bytes([1, control]) + destination + source + hop_count + apdu


EVERYWHERE = RemoteAddress(GLOBAL_BROADCAST, b"")


def who_is_router(network: int) -> bytes:
    """Network layer message 0."""
    return bytes([1, 0x80, 0x00]) + struct.pack(">H", network)


def i_am_router(network: int) -> bytes:
    """Network layer message 1."""
    return bytes([1, 0x80, 0x01]) + struct.pack(">H", network)


def bvlc(function: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0x81, function, 4 + len(content)) + content


def forwarded(origin: str, content: bytes) -> bytes:
    return bvlc(FORWARDED_NPDU, ip_bytes(origin) + struct.pack(">H", PORT) + content)


def register_foreign_device(time_to_live: int) -> bytes:
    return bvlc(REGISTER_FOREIGN_DEVICE, struct.pack(">H", time_to_live))


def bvlc_success() -> bytes:
    return bvlc(BVLC_RESULT, b"\x00\x00")
