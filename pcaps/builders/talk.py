"""A TCP conversation of Modbus whose every segment is set by hand, and the record of the PDUs that are in it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

from builders import modbus
from builders.tcp import ACK, SYN, Side, tcp_segment
from builders.wire import ETHERTYPE_IPV4, IP_TCP, Station, ethernet, ipv4, same_segment

HMI = Station("10.0.0.10", "00:50:56:00:00:10")
PLC = Station("10.0.0.20", "00:80:f4:00:00:20")
CLIENT_PORT = 50001
REGISTERS = 3

Wrap = Callable[[bytes], bytes]


@dataclass(slots=True)
class Talk:
    """Frames in file order, and the PDUs in them. `wrap` puts each frame into another."""

    client: Station = HMI
    server: Station = PLC
    start: tuple[int, int] = (1000, 9000)
    wrap: Wrap = bytes
    frames: list[bytes] = field(default_factory=list)
    pdus: list[str] = field(default_factory=list)
    next: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.next = list(self.start)

    def open(self) -> None:
        self.segment(Side.CLIENT, flags=SYN)
        self.segment(Side.SERVER, flags=SYN | ACK)
        self.segment(Side.CLIENT)

    def segment(
        self,
        side: Side,
        payload: bytes = b"",
        *,
        flags: int = ACK,
        window: int = 8192,
        behind: int = 0,
        change: Wrap = bytes,
    ) -> None:
        """A segment that starts `behind` octets before the next one due, `change`d once it is a frame."""
        ends, ports = (self.client, self.server), (CLIENT_PORT, modbus.PORT)
        source, destination = ends[side], ends[side.peer]
        segment = tcp_segment(
            source,
            ports[side],
            destination,
            ports[side.peer],
            sequence=self.next[side] - behind,
            acknowledgement=self.next[side.peer] if flags & ACK else 0,
            flags=flags,
            window=window,
            payload=payload,
        )
        packet = ipv4(source.address, destination.address, IP_TCP, segment, ttl=64, identification=len(self.frames))
        whole = change(ethernet(same_segment(source, destination), ETHERTYPE_IPV4, packet))
        self.frames.append(self.wrap(whole))
        if not behind:
            self.next[side] += len(payload) + (1 if flags & SYN else 0)

    def skip(self, side: Side, octets: int) -> None:
        """Octets that were sent and not captured."""
        self.next[side] += octets

    def note(self, side: Side, transaction: int, function: int = modbus.READ_HOLDING_REGISTERS) -> None:
        """A PDU ends in the next frame."""
        ends = (self.client.address, self.server.address)
        kind = ("request", "response")[side]
        self.pdus.append(pdu(len(self.frames) + 1, "modbus", ends[side], ends[side.peer], kind, function, transaction))

    def request(self, transaction: int, start: int = 0, quantity: int = REGISTERS) -> None:
        self.note(Side.CLIENT, transaction)
        self.segment(Side.CLIENT, read_of(transaction, start, quantity))

    def response(self, transaction: int, change: Wrap = bytes) -> None:
        self.note(Side.SERVER, transaction)
        self.segment(Side.SERVER, answer_of(transaction), change=change)

    def poll(self, times: int = 2) -> None:
        for transaction in range(1, times + 1):
            self.request(transaction)
            self.response(transaction)


def pdu(
    frame: int, protocol: str, source: str, destination: str, kind: str, function: int, transaction: int | None
) -> str:
    """A line of the truth."""
    number = "-" if transaction is None else transaction
    return f"{frame} {protocol} {source} {destination} {kind} {function} {number}"


def read_of(transaction: int, start: int = 0, quantity: int = REGISTERS) -> bytes:
    return modbus.tcp_adu(transaction, 1, modbus.read(modbus.READ_HOLDING_REGISTERS, start, quantity))


def answer_of(transaction: int, registers: int = REGISTERS) -> bytes:
    values = [transaction] * registers
    return modbus.tcp_adu(transaction, 1, modbus.registers(modbus.READ_HOLDING_REGISTERS, values))


def without_total_length(frame: bytes) -> bytes:
    """As a host with segmentation offload sees its own frame: checksums and length are still to come."""
    changed = bytearray(frame)
    total_length, ip_checksum, tcp_checksum = 16, 24, 50
    for offset, value in ((total_length, 0), (ip_checksum, 0), (tcp_checksum, 0xBAD0)):
        struct.pack_into(">H", changed, offset, value)
    return bytes(changed)


def with_check_sequence(frame: bytes) -> bytes:
    return frame + b"\xde\xad\xbe\xef"
