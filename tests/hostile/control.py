"""What fills the engine's memory by way of control systems' protocols, streams, fragments and addresses."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from itertools import count, cycle, islice
from typing import Final

from tests.hostile.wire import (
    ACK,
    CLIENT,
    SERVER,
    SYN,
    UDP,
    Kind,
    Stream,
    address,
    datagram,
    ethernet,
    segment,
)

_ARP: Final = bytes.fromhex("0080f4000002 0080f4000001 0806 0001 0800 06 04 0002")


def modbus(number: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", number & 0xFFFF, 0, 1 + len(pdu), 1) + pdu


def modbus_stream(polls: int = 4, client: bytes = CLIENT) -> tuple[Stream, list[bytes]]:
    """A connection that is recognised, and the packets that made it so."""
    stream, packets = Stream((40_000, 502), client), []
    for number in range(polls):
        packets.append(stream.ask(modbus(number, struct.pack(">BHH", 3, 100, 1))))
        packets.append(stream.answer(modbus(number, struct.pack(">BBH", 3, 2, 7))))
    return stream, packets


def half_open() -> Iterator[bytes]:
    """Connections that are opened and never answered, each from an address of its own."""
    for number in count():
        yield segment((address(number), SERVER), (40_000 + number % 20_000, 502), (number, 0), SYN)


def half_recognised() -> Iterator[bytes]:
    """Connections that send the first octets of a message and no more."""
    for number in count():
        ends = address(number), SERVER
        yield segment(ends, (40_000, 502), (1, 1), ACK, bytes((0, 1, 0, 0, 0)) + bytes(400))


def endless_fragments() -> Iterator[bytes]:
    """First fragments of packets whose rest never comes."""
    data = bytes(1400)
    for number in count():
        ends = address(number // 65_536), SERVER
        yield ethernet(UDP, ends, data, (number & 0xFFFF, 0x2000))


def scattered_fragments() -> Iterator[bytes]:
    """Fragments of few packets, with a hole between any two."""
    for number in count():
        ends = address(number // 4096), SERVER
        yield ethernet(UDP, ends, bytes(8), (number // 4096 & 0xFFFF, 0x2000 | number % 4096 * 2))


def endless_holes() -> Iterator[bytes]:
    """A stream with a hole before every segment, nothing of which is ever acknowledged."""
    stream, packets = modbus_stream()
    yield from packets
    for _ in count():
        stream.sent += 10
        yield stream.ask(bytes(1000))


def holes_in_many_streams() -> Iterator[bytes]:
    """Recognised streams by the thousand, each with segments behind a hole."""
    poll = modbus(1, struct.pack(">BHH", 3, 100, 1)), modbus(1, struct.pack(">BBH", 3, 2, 7))
    for number in count():
        stream = Stream((40_000, 502), address(number))
        for _ in range(3):
            yield stream.ask(poll[0])
            yield stream.answer(poll[1])
        for _ in range(20):
            stream.sent += 10
            yield stream.ask(bytes(1000))


def bacnet_windows() -> Iterator[bytes]:
    """Segments of answers that never end, of all invoke identifiers and many devices, windows of 127."""
    data = bytes(1000)
    for number in count():
        ends = address(number // 65_536 % 64), SERVER
        head = bytes((1, 0, 0x3C, number // 256 & 0xFF, number & 0xFF, 127, 14))
        apdu = head + data
        yield datagram(ends, (47_808, 47_808), struct.pack(">BBH", 0x81, 0x0A, 4 + len(apdu)) + apdu)


def bacnet_halves() -> Iterator[bytes]:
    """Answers that lack their last segment, 16 segments from each of ever other devices."""
    data = bytes(1000)
    for number in count():
        ends = address(number // 16), SERVER
        apdu = bytes((1, 0, 0x3C, 1, number % 16, 16, 14)) + data
        yield datagram(ends, (47_808, 47_808), struct.pack(">BBH", 0x81, 0x0A, 4 + len(apdu)) + apdu)


def crc(data: bytes) -> bytes:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA6BC if value & 1 else 0)
    return struct.pack("<H", ~value & 0xFFFF)


def link_frame(control: int, ends: tuple[int, int], data: bytes) -> bytes:
    header = struct.pack("<BBBBHH", 0x05, 0x64, 5 + len(data), control, *ends)
    blocks = (data[offset : offset + 16] for offset in range(0, len(data), 16))
    return header + crc(header) + b"".join(block + crc(block) for block in blocks)


def dnp3_segments() -> Iterator[bytes]:
    """A fragment whose last transport segment never comes."""
    fragment = bytes((0xC0, 129, 0, 0)) + bytes(240)
    first = link_frame(0x44, (1, 2), bytes((0x40,)) + fragment)
    frames = [link_frame(0x44, (1, 2), bytes((number,)) + bytes(249)) for number in range(64)]
    stream = Stream((40_000, 20_000))
    read = bytes.fromhex("c0c001") + bytes((60, 1, 6))
    yield stream.ask(link_frame(0xC4, (2, 1), read))
    yield stream.answer(first)
    for number in cycle(range(64)):
        yield stream.answer(frames[(number + 1) % 64])


def dnp3_associations() -> Iterator[bytes]:
    """Half fragments between ever other link addresses, on one connection."""
    stream = Stream((40_000, 20_000))
    yield stream.ask(link_frame(0xC4, (2, 1), bytes.fromhex("c0c001") + bytes((60, 1, 6))))
    for number in count():
        data = bytes((0x40, 0xC0, 129, 0, 0)) + bytes(40)
        yield stream.answer(link_frame(0x44, (number % 50_000, number // 50_000 + 1), data))


def dnp3_halves() -> Iterator[bytes]:
    """Fragments whose last transport segment never comes, on ever other connections."""
    frames = [link_frame(0x44, (1, 2), bytes((number,)) + bytes(249)) for number in range(64)]
    first = link_frame(0x44, (1, 2), bytes((0x40, 0xC0, 129, 0, 0)) + bytes(244))
    for number in count():
        stream = Stream((40_000, 20_000), address(number))
        yield stream.ask(link_frame(0xC4, (2, 1), bytes.fromhex("c0c001") + bytes((60, 1, 6))))
        yield stream.answer(first)
        for segment_number in range(1, 64):
            yield stream.answer(frames[segment_number])


def s7comm_halves() -> Iterator[bytes]:
    """Messages of which only a part comes, on ever other connections: a job of 60,000 octets, 9,000 of them."""
    for number in count():
        stream = Stream((40_000, 102), address(number))
        job = struct.pack(">BBHHHH", 0x32, 1, 0, 1, 2, 59_981) + b"\x05\x01"
        yield stream.ask(struct.pack(">BBHBBB", 3, 0, 60_000, 2, 0xF0, 0x80) + job + bytes(1000))
        for _ in range(8):
            yield stream.ask(bytes(1000))


def other_registers() -> Iterator[bytes]:
    """A Modbus client that never reads the same range twice."""
    stream = Stream((40_000, 502))
    for number in count():
        start, size = number % 60_000, number // 60_000 % 120 + 1
        yield stream.ask(modbus(number, struct.pack(">BHH", 3, start, size)))
        yield stream.answer(modbus(number, struct.pack(">BB", 3, 2 * size) + bytes(2 * size)))


def other_writes() -> Iterator[bytes]:
    """A Modbus client that writes another value to another register each time."""
    stream = Stream((40_000, 502))
    for number in count():
        pdu = struct.pack(">BHH", 6, number % 60_000, number & 0xFFFF)
        yield stream.ask(modbus(number, pdu))
        yield stream.answer(modbus(number, pdu))


def unanswered() -> Iterator[bytes]:
    """Requests that nobody answers."""
    stream, packets = modbus_stream()
    yield from packets
    for number in count(100):
        yield stream.ask(modbus(number, struct.pack(">BHH", 3, number % 50, 1)))


def unanswered_in_many_streams() -> Iterator[bytes]:
    """As many requests as one flow may have open, on ever other connections; nobody answers."""
    asked = b"".join(modbus(number, struct.pack(">BHH", 3, number, 1)) for number in range(64))
    for number in count():
        stream, packets = modbus_stream(3, address(number))
        yield from packets
        yield stream.ask(asked)


def answers_in_many_streams() -> Iterator[bytes]:
    """Long segments, which are kept to compare repetitions with, on ever other connections."""
    answers = b"".join(modbus(number, struct.pack(">BB", 3, 250) + bytes(250)) for number in range(5))
    for number in count():
        stream, packets = modbus_stream(2, address(number))
        yield from packets
        for _ in range(3):
            yield stream.answer(answers)


def dnp3_endless_answer() -> Iterator[bytes]:
    """An answer whose last fragment never comes, full of packed points."""
    stream = Stream((40_000, 20_000))
    yield stream.ask(link_frame(0xC4, (2, 1), bytes.fromhex("c0c001") + bytes((60, 1, 6))))
    for number in count():
        points = struct.pack("<BBBHH", 1, 1, 1, 0, 1_899) + bytes(238)
        first = 0 if number else 0x80
        fragment = bytes((first | number % 16, 129, 0, 0)) + points
        yield stream.answer(link_frame(0x44, (1, 2), bytes((0xC0 | number % 64,)) + fragment))


def other_functions() -> Iterator[bytes]:
    """Two dozen clients that ask every unit for every function."""
    units, functions, clients = 256, 127, 24
    for client in range(clients):
        stream, packets = modbus_stream(3, address(client))
        yield from packets
        asked = (
            struct.pack(">HHHBBHH", number & 0xFFFF, 0, 6, number // functions % units, number % functions + 1, 1, 1)
            for number in range(units * functions)
        )
        while some := b"".join(islice(asked, 100)):
            yield stream.ask(some)


def claims() -> Iterator[bytes]:
    """A device that says another name of itself each time (Modbus, function 43, product name)."""
    stream = Stream((40_000, 502))
    for number in count():
        name = f"device {number}".encode()
        yield stream.ask(modbus(number, bytes((43, 14, 1, 0))))
        told = bytes((43, 14, 1, 1, 0, 0, 1, 1, len(name))) + name
        yield stream.answer(modbus(number, told))


def units() -> Iterator[bytes]:
    """BACnet devices behind a router, each of them with a network and an address of its own."""
    for number in count():
        there = struct.pack(">HB", number % 65_000 + 1, 6) + struct.pack(">HI", 1, number)
        i_am = bytes.fromhex("1000c402") + struct.pack(">I", number)[1:] + bytes.fromhex("2201e09103210f")
        npdu = bytes((1, 0x08)) + there + i_am
        yield datagram((CLIENT, SERVER), (47_808, 47_808), struct.pack(">BBH", 0x81, 0x0B, 4 + len(npdu)) + npdu)


def oddities() -> Iterator[bytes]:
    """Requests of a wrong length."""
    stream, packets = modbus_stream()
    yield from packets
    for number in count(100):
        yield stream.ask(modbus(number, struct.pack(">BHHB", 3, number % 50, 1, 0)))


def arp() -> Iterator[bytes]:
    """Answers that name ever other addresses."""
    for number in count():
        mac = struct.pack(">HI", 0x0200, number)
        yield _ARP + mac + address(number) + bytes(6) + SERVER


KINDS: Final = (
    Kind(half_open, ("flows_evicted", "flows_folded"), 120_000),
    Kind(half_recognised, ("flows_evicted", "recognitions_dropped"), 120_000),
    Kind(endless_fragments, ("incomplete_fragments",)),
    Kind(scattered_fragments, ("incomplete_fragments",)),
    Kind(endless_holes, ("gaps",)),
    Kind(holes_in_many_streams, ("messages_dropped",), 60_000),
    Kind(bacnet_windows, ("oddities_dropped", "exchanges_dropped")),
    Kind(bacnet_halves, ("messages_dropped",), 60_000),
    Kind(dnp3_halves, ("messages_dropped",), 150_000),
    Kind(s7comm_halves, ("messages_dropped",), 60_000),
    Kind(dnp3_segments, ("oddities_dropped",)),
    Kind(dnp3_associations, ("oddities_dropped", "combinations_coalesced")),
    Kind(other_registers, ("combinations_coalesced",)),
    Kind(other_writes, ("combinations_coalesced",)),
    Kind(unanswered, ("exchanges_dropped",)),
    Kind(unanswered_in_many_streams, ("exchanges_dropped",), 70_000),
    Kind(answers_in_many_streams, ("flows",), 280_000),
    Kind(dnp3_endless_answer, ("exchanges_dropped",)),
    Kind(other_functions, ("combinations_coalesced",), 7_900),
    Kind(claims, ("claims_dropped",), 210_000),
    Kind(units, ("units_folded",), 110_000),
    Kind(oddities, ("oddities_dropped",)),
    Kind(arp, ("addresses_dropped",), 110_000),
)
