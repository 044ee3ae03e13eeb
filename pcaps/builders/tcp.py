"""TCP sessions: handshake, sequence numbers, segments, delayed acknowledgements, the end."""

from __future__ import annotations

import random
import struct
from enum import IntEnum

from builders.wire import IP_TCP, MILLISECOND, Capture, Station, transport_checksum

FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
MSS = 1460
TURNAROUND = 260  # microseconds between a segment and the answer to it
SEGMENT_SPACING = 14


class Side(IntEnum):
    CLIENT = 0
    SERVER = 1

    @property
    def peer(self) -> Side:
        return Side(1 - self)


def tcp_segment(
    source: Station,
    source_port: int,
    destination: Station,
    destination_port: int,
    *,
    sequence: int,
    acknowledgement: int,
    flags: int,
    window: int,
    options: bytes = b"",
    payload: bytes = b"",
) -> bytes:
    data_offset = (20 + len(options)) // 4
    header = struct.pack(
        ">HHIIBBHHH",
        source_port,
        destination_port,
        sequence & 0xFFFFFFFF,
        acknowledgement & 0xFFFFFFFF,
        data_offset << 4,
        flags,
        window,
        0,
        0,
    )
    segment = header + options + payload
    checksum = transport_checksum(source.address, destination.address, IP_TCP, segment)
    return segment[:16] + struct.pack(">H", checksum) + segment[18:]


class TcpSession:
    """One connection. Calls come in the order of time; every method returns the time of its last frame."""

    def __init__(
        self,
        capture: Capture,
        client: Station,
        client_port: int,
        server: Station,
        server_port: int,
        *,
        client_turnaround: int = TURNAROUND,
    ) -> None:
        """A client far from the mirror has a longer turnaround."""
        self._capture = capture
        self._turnaround = (client_turnaround, TURNAROUND)
        self._stations = (client, server)
        self._ports = (client_port, server_port)
        rng = random.Random(f"tcp {client.address}:{client_port} {server.address}:{server_port}")
        self._next = [rng.getrandbits(32), rng.getrandbits(32)]
        self._unacknowledged = [0, 0]  # segments a side has received and not yet acknowledged
        self._ack_due = [0, 0]

    def open(self, at: int, step: str | None = None) -> int:
        """The handshake. Leave it out for a connection that is older than the capture."""
        self._emit(at, Side.CLIENT, SYN, step=step)
        self._emit(at + TURNAROUND, Side.SERVER, SYN | ACK, step=step)
        at += TURNAROUND + self._turnaround[Side.CLIENT]
        self._emit(at, Side.CLIENT, ACK, step=step)
        return at

    def refuse(self, at: int, step: str | None = None) -> int:
        """A closed port answers the SYN with RST."""
        self._emit(at, Side.CLIENT, SYN, step=step)
        self._next[Side.SERVER] = 0
        self._emit(at + TURNAROUND, Side.SERVER, RST | ACK, step=step)
        return at + TURNAROUND

    def probe_open(self, at: int, step: str | None = None) -> int:
        """An open port answers the SYN; a half-open scanner resets."""
        self._emit(at, Side.CLIENT, SYN, step=step)
        self._emit(at + TURNAROUND, Side.SERVER, SYN | ACK, step=step)
        self._emit(at + 2 * TURNAROUND, Side.CLIENT, RST, step=step)
        return at + 2 * TURNAROUND

    def send(self, at: int, side: Side, payload: bytes, step: str | None = None) -> int:
        """Application data in as many segments as it needs."""
        self._flush(at)
        receiver = side.peer
        for offset in range(0, len(payload), MSS):
            chunk = payload[offset : offset + MSS]
            last = offset + MSS >= len(payload)
            self._emit(at, side, ACK | (PSH if last else 0), payload=chunk, step=step)
            self._unacknowledged[receiver] += 1
            delay = self._stations[receiver].stack.delayed_ack
            self._ack_due[receiver] = at + self._turnaround[receiver] + delay
            if self._unacknowledged[receiver] == 2:
                self._emit(at + self._turnaround[receiver], receiver, ACK)
            at += SEGMENT_SPACING
        return at - SEGMENT_SPACING

    def ask(
        self, at: int, request: bytes, response: bytes, latency: int = 5 * MILLISECOND, step: str | None = None
    ) -> int:
        """A request of the client and the server's response."""
        sent = self.send(at, Side.CLIENT, request, step)
        return self.send(sent + latency, Side.SERVER, response, step)

    def close(self, at: int, side: Side = Side.CLIENT, step: str | None = None) -> int:
        self._flush(at)
        self._emit(at, side, FIN | ACK, step=step)
        at += self._turnaround[side.peer]
        self._emit(at, side.peer, FIN | ACK, step=step)
        at += self._turnaround[side]
        self._emit(at, side, ACK, step=step)
        return at

    def settle(self) -> None:
        """Send the acknowledgements still owed; call it once, last."""
        self._flush(max(self._ack_due) + 1)

    def _flush(self, now: int) -> None:
        for side in Side:
            if self._unacknowledged[side] and self._ack_due[side] < now:
                self._emit(self._ack_due[side], side, ACK)

    def _emit(self, at: int, side: Side, flags: int, *, payload: bytes = b"", step: str | None = None) -> None:
        source, destination = self._stations[side], self._stations[side.peer]
        self._unacknowledged[side] = 0
        segment = tcp_segment(
            source,
            self._ports[side],
            destination,
            self._ports[side.peer],
            sequence=self._next[side],
            acknowledgement=self._next[side.peer] if flags & ACK else 0,
            flags=flags,
            window=0 if flags & RST else source.stack.window,
            options=source.stack.syn_options if flags & SYN else b"",
            payload=payload,
        )
        self._capture.ip(at, source, destination, IP_TCP, segment, step)
        self._next[side] += len(payload) + (1 if flags & (SYN | FIN) else 0)
