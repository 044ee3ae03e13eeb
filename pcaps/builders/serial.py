"""Records of a tap on a serial line (LINKTYPE_RTAC_SERIAL)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from builders.wire import Frame, seconds

LINK_TYPE = 250

STATUS_CHANGE, SENT, RECEIVED, SENT_END, RECEIVED_END, LOST, COMPLETE, FRAMING, PARITY = range(9)
CTS, RTS = 0x01, 0x08


@dataclass
class Tap:
    """A tap: what it has recorded, and the start of its clock in seconds."""

    start: int
    frames: list[Frame] = field(default_factory=list)

    def record(self, at: float, event: int, octets: bytes = b"", lines: int = CTS | RTS) -> int:
        """Add a record `at` seconds after the start; gives its number, from 1."""
        whole, rest = divmod(round(at * 1_000_000), 1_000_000)
        header = struct.pack(">IIBBH", self.start + whole, rest, event, lines, 0)
        self.frames.append(Frame(seconds(at), header + octets, None))
        return len(self.frames)

    def sent(self, at: float, *parts: bytes) -> int:
        """Octets that the host of the tap sent, in so many records; gives the number of the last."""
        return [self.record(at + index * 0.004, SENT, part) for index, part in enumerate(parts)][-1]

    def received(self, at: float, *parts: bytes) -> int:
        """Octets that it received."""
        return [self.record(at + index * 0.004, RECEIVED, part) for index, part in enumerate(parts)][-1]
