"""Live capture (Linux): interfaces to columns, with rows at any time.

    with Live("span-1", ["eth1", "eth2"]) as live:
        while live.advance(1_000):
            finished = live.take("events")
            still_open = live.snapshot().take("events")

Whatever was taken and what a snapshot gives together are the rows of the packets so far, as `Decoder` gives them of a
file with the same packets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

import pyarrow as pa

from zonewatch.dissectors import _native
from zonewatch.dissectors.decoder import Detail
from zonewatch.dissectors.extract import MiniCapture
from zonewatch.dissectors.schemas import TABLES

__all__ = ["Counts", "Interface", "InterfaceState", "Live", "Shed", "Snapshot"]

InterfaceState = Literal["up", "down", "gone"]

_RING: Final = 64 << 20
_REMEMBERED: Final = 64 << 20
_SNAP_LENGTH: Final = 262_144


@dataclass(frozen=True, slots=True)
class Interface:
    """What is known of one interface; counts are since it was opened."""

    name: str
    state: InterfaceState
    name_now: str
    """Where it was renamed."""
    packets: int
    octets: int  # on the wire
    drops: int
    """Packets that the kernel had no room for in the ring."""
    freezes: int
    """Times that the kernel found the ring full."""
    outages: int
    """Times that it went down or was gone."""


@dataclass(frozen=True, slots=True)
class Shed:
    """Packets of a class that were given up because more came than could be decoded."""

    packet_class: str
    """`it_payload` (cut to its headers), `it`, `other`, `control`: in this order they are given up."""
    packets: int
    octets: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How a live capture does, since it was opened."""

    packets: int
    """Decoded."""
    octets: int
    """The same, on the wire."""
    waiting_octets: int
    waiting_percent: int
    """Of what may wait; classes are given up from 25, 40, 60 and 100 on."""
    late: int
    """Packets that came after packets with later times: a clock that was set back, or two interfaces far apart."""
    shed: tuple[Shed, ...]
    interfaces: tuple[Interface, ...]

    @property
    def drops(self) -> int:
        """Packets that the kernel dropped, of all interfaces."""
        return sum(interface.drops for interface in self.interfaces)


class Snapshot:
    """Everything that was not taken at a moment, as if the capture had ended then."""

    def __init__(self, native: _native.Snapshot) -> None:
        self._native = native

    def take(self, table: str) -> pa.Table:
        """Rows of one table; as often as wanted."""
        return _table(self._native.take(_known(table)))


class Live:
    """A capture point that is listened to. Its interfaces are one stream of packets, in the order of their times.

    Frames are numbered from 1 in that order. Nothing is ever sent. Opening raises OSError, which names the interface in
    its `filename` and says what is missing.
    """

    def __init__(
        self,
        source: str,
        interfaces: Sequence[str] = (),
        *,
        capture: str | None = None,
        ring_octets: int = _RING,
        threads: int = 1,
        snap_length: int = _SNAP_LENGTH,
        most_remembered_octets: int = _REMEMBERED,
        detail: Detail = "aggregates",
        files: Sequence[Path] = (),
    ) -> None:
        """Begins at once.

        `capture` names the capture in results; by default that is the source's name. `ring_octets` is for all
        interfaces together; as many octets may wait behind the rings. `threads` is how many sockets share an interface.
        With `files` capture files take the place of the interfaces: none of their packets is given up.
        """
        if bool(interfaces) == bool(files):
            raise ValueError("either interfaces or files are listened to")
        self._native = _native.Live(
            source,
            source if capture is None else capture,
            list(interfaces),
            [str(path) for path in files],
            ring_octets,
            threads,
            snap_length,
            most_remembered_octets,
            detail,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def advance(self, milliseconds: int) -> bool:
        """Decodes what has come and what comes, for this long; less where many rows were made. False where nothing more
        will come: it was closed, or the files are at their end."""
        return self._native.advance(milliseconds)

    def take(self, table: str) -> pa.Table:
        """Rows of one table (a key of `schemas.TABLES`) that were finished since it was last taken."""
        return _table(self._native.take(_known(table)))

    def snapshot(self) -> Snapshot:
        """All rows that were not taken, as if the capture ended now. Changes nothing of the capture itself."""
        return Snapshot(self._native.snapshot())

    def turn(self, capture: str) -> None:
        """Ends the present capture, whose last rows can then be taken, and begins another one without losing a packet.

        Frames count anew; the packets of the one before are forgotten.
        """
        self._native.turn(capture)

    def close(self) -> None:
        """Stops listening, decodes what had come by then, and ends the capture: its last rows can be taken."""
        self._native.close()

    def packets(
        self, frames: Sequence[tuple[int, int, int | None]], captures: int, most_octets: int
    ) -> tuple[MiniCapture, ...]:
        """Mini captures of remembered packets of the present capture.

        Each is asked for as in `extract.Wanted.frames`: frame, number of a mini capture, and how many octets of what
        TCP or UDP carries are shown. Those that are forgotten are counted as left out; where the mini captures would be
        larger than `most_octets` in all, the last are given up first.
        """
        return tuple(MiniCapture(*made) for made in self._native.packets(frames, captures, most_octets))

    @property
    def remembered_octets(self) -> int:
        """Octets that remembered packets take."""
        return self._native.remembered()

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Numbers of the capturing sockets in this process, for who confines it."""
        return tuple(self._native.descriptors())

    def counts(self) -> Counts:
        """How it does; may be asked while another thread is in `advance`."""
        decoded, waiting, late, shed, interfaces = self._native.counts()
        return Counts(
            *decoded,
            *waiting,
            late,
            tuple(Shed(*row) for row in shed),
            tuple(Interface(row[0], _STATES[row[1]], *row[2:]) for row in interfaces),
        )


_STATES: Final[dict[str, InterfaceState]] = {"up": "up", "down": "down", "gone": "gone"}


def _known(table: str) -> str:
    if table not in TABLES:
        raise KeyError(f"no table {table!r}; tables are {', '.join(TABLES)}")
    return table


def _table(columns: _native.Columns) -> pa.Table:
    return pa.RecordBatchReader.from_stream(columns).read_all()
