"""Modbus messages (Application Protocol V1.1b3; Messaging on TCP/IP V1.0b; over Serial Line V1.02).

Addresses are zero-based, as on the wire. Functions return the PDU: function code and data.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

PORT = 502

READ_COILS = 1
READ_DISCRETE_INPUTS = 2
READ_HOLDING_REGISTERS = 3
READ_INPUT_REGISTERS = 4
WRITE_SINGLE_COIL = 5
WRITE_SINGLE_REGISTER = 6
WRITE_MULTIPLE_COILS = 15
WRITE_MULTIPLE_REGISTERS = 16
REPORT_SERVER_ID = 17
ENCAPSULATED_INTERFACE = 43
READ_DEVICE_IDENTIFICATION = 14  # MEI type of function 43

ILLEGAL_DATA_ADDRESS = 2
GATEWAY_TARGET_FAILED = 11


def read(function: int, start: int, quantity: int) -> bytes:
    return struct.pack(">BHH", function, start, quantity)


def registers(function: int, values: Sequence[int]) -> bytes:
    """The response to a read of registers."""
    return struct.pack(f">BB{len(values)}H", function, 2 * len(values), *values)


def bits(function: int, values: Sequence[bool]) -> bytes:
    """The response to a read of coils or discrete inputs: the first in the lowest bit."""
    packed = pack_bits(values)
    return struct.pack(">BB", function, len(packed)) + packed


def pack_bits(values: Sequence[bool]) -> bytes:
    packed = bytearray((len(values) + 7) // 8)
    for index, value in enumerate(values):
        packed[index // 8] |= value << index % 8
    return bytes(packed)


def write_coil(address: int, on: bool) -> bytes:
    """Request and response alike."""
    return struct.pack(">BHH", WRITE_SINGLE_COIL, address, 0xFF00 if on else 0x0000)


def write_register(address: int, value: int) -> bytes:
    """Request and response alike."""
    return struct.pack(">BHH", WRITE_SINGLE_REGISTER, address, value)


def write_registers(start: int, values: Sequence[int]) -> bytes:
    count = len(values)
    return struct.pack(f">BHHB{count}H", WRITE_MULTIPLE_REGISTERS, start, count, 2 * count, *values)


def write_coils(start: int, values: Sequence[bool]) -> bytes:
    packed = pack_bits(values)
    return struct.pack(">BHHB", WRITE_MULTIPLE_COILS, start, len(values), len(packed)) + packed


def written(function: int, start: int, quantity: int) -> bytes:
    """The response to functions 15 and 16."""
    return struct.pack(">BHH", function, start, quantity)


def report_server_id() -> bytes:
    return bytes([REPORT_SERVER_ID])


def server_id(identifier: int, running: bool, text: str) -> bytes:
    data = bytes([identifier, 0xFF if running else 0x00]) + text.encode()
    return bytes([REPORT_SERVER_ID, len(data)]) + data


def read_device_identification(read_code: int = 1, first_object: int = 0) -> bytes:
    """Read code 1 asks for the basic objects, 2 for the regular ones."""
    return bytes([ENCAPSULATED_INTERFACE, READ_DEVICE_IDENTIFICATION, read_code, first_object])


def device_identification(objects: Sequence[tuple[int, str]], read_code: int = 1) -> bytes:
    conformity, more_follows, next_object = 0x82, 0x00, 0x00
    head = [ENCAPSULATED_INTERFACE, READ_DEVICE_IDENTIFICATION, read_code, conformity, more_follows, next_object]
    listed = b"".join(bytes([number, len(text)]) + text.encode() for number, text in objects)
    return bytes([*head, len(objects)]) + listed


def exception(function: int, code: int) -> bytes:
    return bytes([function | 0x80, code])


def tcp_adu(transaction: int, unit: int, pdu: bytes) -> bytes:
    protocol, length = 0, 1 + len(pdu)
    return struct.pack(">HHHB", transaction, protocol, length, unit) + pdu


def rtu_adu(unit: int, pdu: bytes) -> bytes:
    body = bytes([unit]) + pdu
    return body + struct.pack("<H", crc16(body))


def ascii_adu(unit: int, pdu: bytes) -> bytes:
    """A frame of Modbus ASCII (Serial Line V1.02, 2.5.2)."""
    body = bytes([unit]) + pdu
    return b":" + (body + bytes([-sum(body) & 0xFF])).hex().upper().encode() + b"\r\n"


def crc16(data: bytes) -> int:
    """Serial Line V1.02, 6.2.2."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return crc
