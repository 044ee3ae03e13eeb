"""How fast and how large: the engine, the whole audit and tshark on one generated capture.

    python bench/bench.py --size 1.0

The capture is Modbus/TCP polling, the same for the same size: every flow polls its controller, transaction after
transaction, with right sequence and acknowledgement numbers. Each measurement is a process of its own.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from itertools import islice
from pathlib import Path
from typing import Final

FLOWS: Final = 525
ROUNDS: Final = 48  # polls of every flow in one block
BLOCK_SECONDS: Final = 60
START: Final = 1_750_000_000
PORT: Final = 502
WRITE_EVERY: Final = 1201  # one transaction of so many is a write
SLICE_PACKETS: Final = 100_000
GIGABYTE: Final = 1_000_000_000

FILE_HEADER: Final = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
RECORD: Final = struct.Struct("<IIII")
TCP_AT: Final = RECORD.size + 14 + 20  # of a packet's TCP header, from its record
TSHARK_FIELDS: Final = (
    "frame.number",
    "ip.src",
    "ip.dst",
    "mbtcp.trans_id",
    "mbtcp.unit_id",
    "modbus.func_code",
    "modbus.reference_num",
    "modbus.word_cnt",
)


@dataclass(slots=True)
class Flow:
    """One connection of a poller to a controller, and where it stands."""

    client: int
    server: int
    client_port: int
    registers: int
    sent: int = 1  # next sequence number of the client
    answered: int = 1  # next sequence number of the server


def flows() -> list[Flow]:
    """Twenty-one pollers with twenty-five connections each, on 175 controllers."""
    pollers, controllers = int(IPv4Address("10.20.0.10")), int(IPv4Address("10.30.0.10"))
    return [
        Flow(pollers + index // 25, controllers + index % 175, 40_000 + index, 4 + index % 29) for index in range(FLOWS)
    ]


def frame(flow: Flow, from_client: bool, flags: int, sent: int, acknowledged: int, payload: bytes) -> bytes:
    """An Ethernet frame; TCP's checksum is left to the card, as often in captures."""
    ends = (flow.client, flow.server) if from_client else (flow.server, flow.client)
    ports = (flow.client_port, PORT) if from_client else (PORT, flow.client_port)
    macs = [b"\x02\x00" + end.to_bytes(4, "big") for end in ends]
    total = 40 + len(payload)
    words = (0x4500, total, 0, 0x4000, 0x4006, ends[0] >> 16, ends[0] & 0xFFFF, ends[1] >> 16, ends[1] & 0xFFFF)
    checksum = sum(words)
    while checksum >> 16:
        checksum = (checksum & 0xFFFF) + (checksum >> 16)
    ip = struct.pack(">HHHHHHII", *words[:5], checksum ^ 0xFFFF, *ends)
    tcp = struct.pack(">HHIIBBHHH", *ports, sent, acknowledged, 0x50, flags, 8192, 0, 0)
    return macs[1] + macs[0] + b"\x08\x00" + ip + tcp + payload


def record(moment: float, data: bytes) -> bytes:
    """A packet as it stands in the file."""
    seconds, fraction = divmod(round(moment * 1_000_000), 1_000_000)
    return RECORD.pack(START + seconds, fraction, len(data), len(data)) + data


def handshakes(connections: list[Flow]) -> Iterator[bytes]:
    """The opening of every connection."""
    for index, flow in enumerate(connections):
        moment = index * 0.001
        yield record(moment, frame(flow, True, 0x02, 0, 0, b""))
        yield record(moment + 0.0002, frame(flow, False, 0x12, 0, 1, b""))
        yield record(moment + 0.0004, frame(flow, True, 0x10, 1, 1, b""))


def transaction(number: int, flow: Flow, round_: int) -> tuple[bytes, bytes]:
    """A request and its response; registers move slowly."""
    identifier, start = round_ + 1, 100 * (flow.server % 7)
    if number % WRITE_EVERY == WRITE_EVERY - 1:
        write = struct.pack(">HHHBBHH", identifier, 0, 6, 1, 6, start, round_)
        return write, write
    request = struct.pack(">HHHBBHH", identifier, 0, 6, 1, 3, start, flow.registers)
    values = b"".join(
        struct.pack(">H", (flow.server * 31 + place * 7 + round_ // 8) & 0x7FFF) for place in range(flow.registers)
    )
    return request, struct.pack(">HHHBBB", identifier, 0, 3 + len(values), 1, 3, len(values)) + values


class Block:
    """A minute of polling, and how it moves on to the next minute.

    The block is one long number: the times (little-endian) and the sequence numbers (big-endian) of all its packets
    move on by two additions.
    """

    def __init__(self, connections: list[Flow]) -> None:
        pieces: list[bytes] = []
        places: list[tuple[int, int, bool]] = []  # of each packet: where its record starts, its flow, its direction
        at, step = 0, BLOCK_SECONDS / (ROUNDS * len(connections))
        for number in range(ROUNDS * len(connections)):
            round_, index = divmod(number, len(connections))
            flow = connections[index]
            request, response = transaction(number, flow, round_)
            asked = record(1 + number * step, frame(flow, True, 0x18, flow.sent, flow.answered, request))
            flow.sent += len(request)
            told = record(1 + (number + 0.4) * step, frame(flow, False, 0x18, flow.answered, flow.sent, response))
            flow.answered += len(response)
            places += ((at, index, True), (at + len(asked), index, False))
            pieces += (asked, told)
            at += len(asked) + len(told)
        self.data = b"".join(pieces)
        self.packets = len(pieces)
        times, numbers = bytearray(at), bytearray(at)
        for place, index, from_client in places:
            moved = (connections[index].sent - 1, connections[index].answered - 1)
            struct.pack_into("<I", times, place, BLOCK_SECONDS)
            struct.pack_into(">II", numbers, place + TCP_AT + 4, *(moved if from_client else moved[::-1]))
        self._times = int.from_bytes(times, "little")
        self._numbers = int.from_bytes(numbers, "big")

    def __iter__(self) -> Iterator[bytes]:
        """Minute after minute."""
        while True:
            yield self.data
            later = (int.from_bytes(self.data, "little") + self._times).to_bytes(len(self.data), "little")
            self.data = (int.from_bytes(later, "big") + self._numbers).to_bytes(len(self.data), "big")


def generate(path: Path, size: int) -> int:
    """Writes a capture of at least this many octets; gives its packets."""
    connections = flows()
    opening = list(handshakes(connections))
    block = Block(connections)
    with path.open("wb") as file:
        file.write(FILE_HEADER + b"".join(opening))
        written, packets = file.tell(), len(opening)
        for data in islice(block, -(-(size - written) // len(block.data))):
            file.write(data)
            packets += block.packets
    return packets


def cut(whole: Path, part: Path, packets: int) -> int:
    """Copies the first packets of a capture; gives how many."""
    copied = 0
    with whole.open("rb") as source, part.open("wb") as target:
        target.write(source.read(len(FILE_HEADER)))
        while copied < packets and (header := source.read(RECORD.size)):
            target.write(header + source.read(RECORD.unpack(header)[2]))
            copied += 1
    return copied


def decode(path: Path, table: str) -> None:
    """What the engine's measurements run: all rows of a table, taken over and dropped."""
    from zonewatch.dissectors.decoder import CaptureFile, Decoder, Detail, Source

    detail: Detail = "pdus" if table == "pdus" else "aggregates"
    decoder = Decoder([Source("bench", (CaptureFile(path.name, path),))], detail=detail, hash_inputs=False)
    rows, going = 0, True
    while going:
        going = decoder.advance()
        rows += decoder.take(table).num_rows
    print(decoder.packets, "packets,", rows, "rows of", table)


@dataclass(frozen=True, slots=True)
class Measure:
    """What one process took."""

    name: str
    packets: int
    octets: int
    wall: float
    cpu: float
    memory: int  # octets, at the peak

    def row(self) -> str:
        """A row of the table."""
        megabytes = self.octets / 1_000_000
        return (
            f"| {self.name} | {self.packets:,} | {self.wall:.2f} | {self.cpu:.2f} | {self.packets / self.wall:,.0f} | "
            f"{self.packets / self.cpu:,.0f} | {megabytes / self.wall:,.0f} | {megabytes / self.cpu:,.0f} | "
            f"{self.memory / 1_000_000:,.0f} |"
        )


HEAD: Final = (
    "| What | Packets | Wall s | CPU s | Packets/s (wall) | Packets/s (CPU) | MB/s (wall) | MB/s (CPU) | Peak MB |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def measure(name: str, command: list[str], packets: int, octets: int) -> Measure:
    """Runs a command; its peak memory is the largest process of it."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begin
        if process.returncode not in (0, 1):  # 1: an audit with findings
            errors.seek(0)
            raise SystemExit(f"{name} ended with {process.returncode}: {errors.read().decode(errors='replace')}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Measure(name, packets, octets, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def measures(folder: Path, size: int) -> list[Measure]:
    """All measurements, tshark last if it is there."""
    whole, part = folder / "polling.pcap", folder / "slice.pcap"
    own = [sys.executable, __file__]
    # in a process of its own, so that its memory does not count as that of its sisters
    packets = int(subprocess.check_output([*own, "--generate", str(size), str(whole)]))
    octets = whole.stat().st_size
    audit = [str(Path(sysconfig.get_path("scripts")) / "zonewatch"), "audit", str(whole), "--out", str(folder / "out")]
    done = [
        measure("engine, every PDU in Arrow", [*own, "--decode", "pdus", str(whole)], packets, octets),
        measure("engine, aggregates", [*own, "--decode", "aggregates", str(whole)], packets, octets),
        measure("whole audit", audit, packets, octets),
    ]
    tshark = shutil.which("tshark")
    if tshark is None:
        print("tshark is not there: not compared.")
        return done
    packets = cut(whole, part, SLICE_PACKETS)
    fields = [word for field in TSHARK_FIELDS for word in ("-e", field)]
    command = [tshark, "-r", str(part), "-T", "fields", *fields]
    return [*done, measure("tshark, on a slice", command, packets, part.stat().st_size)]


def ratios(done: list[Measure]) -> list[str]:
    """How many times tshark's packets per second."""
    *ours, theirs = done
    return [
        f"{one.name}: {one.packets / one.wall / (theirs.packets / theirs.wall):.0f} times tshark (wall), "
        f"{one.packets / one.cpu / (theirs.packets / theirs.cpu):.0f} times (CPU)"
        for one in ours
    ]


def main() -> None:
    """Reads the command line and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=1.0, metavar="GB", help="of the generated capture")
    parser.add_argument("--folder", type=Path, help="where it is made (a temporary folder)")
    parser.add_argument("--generate", nargs=2, metavar=("OCTETS", "FILE"), help="only make the capture")
    parser.add_argument("--decode", nargs=2, metavar=("TABLE", "FILE"), help="only decode a capture")
    given = parser.parse_args()
    if given.generate:
        print(generate(Path(given.generate[1]), int(given.generate[0])))
    elif given.decode:
        decode(Path(given.decode[1]), given.decode[0])
    else:
        with tempfile.TemporaryDirectory(prefix="zonewatch-bench-", dir=given.folder) as folder:
            done = measures(Path(folder), int(given.size * GIGABYTE))
        print(
            f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}\n"
        )
        print("\n".join([HEAD, *(one.row() for one in done), ""]))
        if done[-1].name.startswith("tshark"):
            print("\n".join(ratios(done)))


if __name__ == "__main__":
    main()
