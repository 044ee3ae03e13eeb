"""Telegrams of PROFIBUS (LINKTYPE_PROFIBUS_DL), and the services of DP and DP-V1 in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from builders.wire import Frame, seconds

LINK_TYPE = 257
EVERYBODY = 127

# Function codes of requests (FDL), with the bit that says so, and of answers.
SDN, STATUS, SRD = 0x46, 0x49, 0x4D
OK, LOW, HIGH, NO_SERVICE = 0x00, 0x08, 0x0A, 0x03
SLAVE, IN_RING = 0x00, 0x30

# Service access points.
MASTER, MASTER_ACYCLIC, MASTER_CLASS_2 = 62, 51, 50
MANAGER = 49
SET_ADDRESS, READ_INPUTS, READ_OUTPUTS, CONTROL, GET_CONFIG, DIAGNOSIS, SET_PRM, CHECK_CONFIG = range(55, 63)

ACK = b"\xe5"


def _ended(body: bytes) -> bytes:
    return body + bytes([sum(body) % 256, 0x16])


def sd1(to: int, source: int, function: int) -> bytes:
    return b"\x10" + _ended(bytes([to, source, function]))


def sd2(to: int, source: int, function: int, data: bytes, points: tuple[int, int] | None = None) -> bytes:
    """`points` are the service access points of the receiver and of the sender."""
    body = bytes([to, source, function])
    if points is not None:
        body = bytes([to | 0x80, source | 0x80, function, *points])
    body += data
    return bytes([0x68, len(body), len(body), 0x68]) + _ended(body)


def sd3(to: int, source: int, function: int, data: bytes) -> bytes:
    return b"\xa2" + _ended(bytes([to, source, function]) + data.ljust(8, b"\x00"))


def token(to: int, source: int) -> bytes:
    return bytes([0xDC, to, source])


def set_prm(ident: int, *, watchdog: tuple[int, int] = (1, 20), lock: bool = True, unlock: bool = False) -> bytes:
    """Parameters: lock or unlock, watchdog factors, min TSDR 11, the ident number, group 1, three octets of DP-V1."""
    status = 0x80 * lock | 0x40 * unlock | 0x08
    return bytes([status, *watchdog, 11, ident >> 8, ident & 0xFF, 1, 0x80, 0, 0])


def diagnosis(ident: int, master: int, states: Sequence[int] = (0, 0x0C, 0), extended: bytes = b"") -> bytes:
    return bytes([*states, master, ident >> 8, ident & 0xFF]) + extended


def record(function: int, slot: int, index: int, data: bytes = b"", length: int | None = None) -> bytes:
    """A record of DP-V1, read (0x5e) or written (0x5f)."""
    return bytes([function, slot, index, len(data) if length is None else length]) + data


READ, WRITE, INITIATE = 0x5E, 0x5F, 0x57


@dataclass
class Bus:
    """A bus: what was heard, and when the next telegram comes."""

    at: float = 0.0
    frames: list[Frame] = field(default_factory=list)

    def say(self, *telegrams: bytes, after: float = 0.001) -> None:
        """Telegrams, one a record, each `after` seconds after the one before."""
        for telegram in telegrams:
            self.frames.append(Frame(seconds(self.at), telegram, None))
            self.at += after

    def ask(self, to: int, source: int, point: int, data: bytes, answer: bytes = b"", sender: int = MASTER) -> None:
        """A service of DP: its request, and its answer, which is a short acknowledgement where it has no data."""
        self.say(sd2(to, source, SRD, data, (point, sender)))
        self.say(sd2(source, to, LOW, answer, (sender, point)) if answer else ACK)
