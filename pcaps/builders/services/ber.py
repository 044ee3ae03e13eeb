"""The Basic Encoding Rules, as directory, tickets and network management are written in."""

from __future__ import annotations

from collections.abc import Sequence

INTEGER, OCTETS, OID, ENUMERATED, TEXT, SEQUENCE, SET = 0x02, 0x04, 0x06, 0x0A, 0x1B, 0x30, 0x31


def ber(tag: int, *contents: bytes) -> bytes:
    value = b"".join(contents)
    size = len(value)
    length = bytes([size]) if size < 0x80 else bytes([0x82, size >> 8, size & 0xFF])
    return bytes([tag]) + length + value


def integer(value: int) -> bytes:
    return ber(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    first, second, *arcs = map(int, dotted.split("."))
    octets = [40 * first + second]
    for arc in arcs:
        groups = [arc & 0x7F]
        while arc := arc >> 7:
            groups.append(0x80 | arc & 0x7F)
        octets += reversed(groups)
    return ber(OID, bytes(octets))


def context(number: int, *contents: bytes) -> bytes:
    return ber(0xA0 | number, *contents)


def spnego_init(token: bytes) -> bytes:
    mechanisms = context(0, ber(SEQUENCE, oid("1.3.6.1.4.1.311.2.2.10")))
    inner = ber(SEQUENCE, mechanisms, context(2, ber(OCTETS, token)))
    return ber(0x60, oid("1.3.6.1.5.5.2"), context(0, inner))


def spnego_response(token: bytes) -> bytes:
    return context(1, ber(SEQUENCE, context(0, ber(ENUMERATED, b"\1")), context(2, ber(OCTETS, token))))


def principal(*parts: str) -> bytes:
    names: Sequence[bytes] = [ber(TEXT, part.encode()) for part in parts]
    return ber(SEQUENCE, context(0, integer(1)), context(1, ber(SEQUENCE, *names)))
