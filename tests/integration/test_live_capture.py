"""Live capture of real interfaces: captures of this project are sent over virtual cables between network namespaces.

The namespaces are made for it; nothing leaves them. Needs root, iproute2, ethtool and tcpreplay."""

from __future__ import annotations

import ctypes
import os
import shutil
import struct
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Detail, Source
from zonewatch.dissectors.live import Counts, Live
from zonewatch.dissectors.schemas import TABLES

TOOLS: Final = ("ip", "ethtool", "tcpreplay", "tcpprep")
MISSING: Final = [tool for tool in TOOLS if shutil.which(tool) is None]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
]

PCAPS: Final = Path(__file__).resolve().parents[2] / "pcaps"
CAPTURES: Final = [
    PCAPS / "modbus" / "read_write.pcap",
    *sorted((PCAPS / "dnp3").glob("*.pcap"))[:1],
    *sorted((PCAPS / "s7comm").glob("*.pcap"))[:1],
    *sorted((PCAPS / "bacnet").glob("*.pcap"))[:1],
]
OFFLOADS: Final = ("gro", "off", "gso", "off", "tso", "off", "tx", "off")
CLONE_NEWNET: Final = 0x4000_0000
OF_FILES: Final = ("format", "sha256", "reported_drops")
PATIENCE: Final = 20.0
"""Seconds after which packets that were sent must have come."""


def run(*command: str | Path) -> str:
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """This thread opens its sockets in a namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as own, Path("/run/netns", namespace).open() as other:
        assert libc.setns(other.fileno(), CLONE_NEWNET) == 0
        try:
            yield
        finally:
            assert libc.setns(own.fileno(), CLONE_NEWNET) == 0


@dataclass(frozen=True)
class Wires:
    """Two cables from one namespace (a0, a1) into another (b0, b1)."""

    sender: str
    receiver: str

    def send(self, *arguments: str | Path) -> None:
        run("ip", "netns", "exec", self.sender, "tcpreplay", "-q", *arguments)

    def listen(self, interfaces: list[str], **settings: int | str) -> Live:
        with inside(self.receiver):
            return Live("span", interfaces, capture="capture", **settings)  # type: ignore[arg-type]


@pytest.fixture
def wires() -> Iterator[Wires]:
    made = Wires(*(f"zw-live-{end}-{os.getpid()}" for end in "ab"))
    try:
        for name in (made.sender, made.receiver):
            run("ip", "netns", "add", name)
            for kind in ("all", "default"):  # or the kernel announces itself
                run("ip", "netns", "exec", name, "sysctl", "-q", "-w", f"net.ipv6.conf.{kind}.disable_ipv6=1")
        for number in "01":
            ends = ((made.sender, f"a{number}"), (made.receiver, f"b{number}"))
            far = ("peer", f"b{number}", "mtu", "9000", "netns", made.receiver)
            run("ip", "-n", made.sender, "link", "add", f"a{number}", "mtu", "9000", "type", "veth", *far)
            for name, end in ends:
                run(
                    "ip",
                    "netns",
                    "exec",
                    name,
                    "ethtool",
                    "-K",
                    end,
                    "gro",
                    "off",
                    "gso",
                    "off",
                    "tso",
                    "off",
                    "tx",
                    "off",
                )
                run("ip", "-n", name, "link", "set", end, "arp", "off", "multicast", "off", "up")
        yield made
    finally:
        for name in (made.sender, made.receiver):
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


def count(path: Path) -> int:
    decoder = decode(path, "aggregates")
    return int(decoder.take("coverage")["packets"][0].as_py())


def decode(path: Path, detail: Detail) -> Decoder:
    decoder = Decoder([Source("span", (CaptureFile("capture", path),))], detail=detail)
    while decoder.advance():
        pass
    return decoder


def heard(live: Live, packets: int) -> Counts:
    """Decodes until so many packets came."""
    end = time.monotonic() + PATIENCE
    while (counts := live.counts()).packets < packets and time.monotonic() < end:
        live.advance(50)
    return counts


def rows(table: pa.Table, without: tuple[str, ...] = ()) -> list[str]:
    """Rows in no order."""
    return sorted(map(repr, told(table, without)))


def told(table: pa.Table, without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    kept = table.select([name for name in table.column_names if name not in without])
    # Python's own times have no nanoseconds.
    times = {field.name: pa.int64() for field in kept.schema if pa.types.is_timestamp(field.type)}
    plain = [pa.field(field.name, times.get(field.name, field.type), field.nullable) for field in kept.schema]
    return kept.cast(pa.schema(plain)).to_pylist()


def octets(path: Path) -> list[bytes]:
    """The packets of a file, in order."""
    with Live("file", files=[path]) as live:
        while live.advance(100):
            pass
        return remembered(live)


def remembered(live: Live) -> list[bytes]:
    packets = range(1, live.counts().packets + 1)
    made = live.packets([(frame, frame - 1, None) for frame in packets], len(packets), 1 << 30)
    return [one.octets.split(b"zonewatch", 1)[1] and data_of(one.octets) for one in made]


def data_of(mini: bytes) -> bytes:
    """The octets of the only packet of a mini capture (draft-ietf-opsawg-pcapng, 4.3)."""
    at = 0
    while int.from_bytes(mini[at : at + 4], "little") != 6:  # enhanced packet block
        at += int.from_bytes(mini[at + 4 : at + 8], "little")
    length = int.from_bytes(mini[at + 20 : at + 24], "little")
    return mini[at + 28 : at + 28 + length]


def check(live: Live, path: Path, folder: Path) -> None:
    """All packets came; the rows are those of a file of the captured packets, and of the file sent but for times."""
    counts = heard(live, count(path))
    assert remembered(live) == octets(path)
    (made,) = live.packets([(frame, 0, None) for frame in range(1, counts.packets + 1)], 1, 1 << 30)
    (folder / "captured.pcapng").write_bytes(made.octets)
    live.close()
    after = live.counts()
    assert (after.drops, after.late, [row for row in after.shed if row.packets]) == (0, 0, [])
    captured, sent = decode(folder / "captured.pcapng", "pdus"), decode(path, "pdus")
    for table in TABLES:
        live_rows = live.take(table)
        assert rows(live_rows, OF_FILES) == rows(captured.take(table), OF_FILES), table
        if table == "pdus":
            assert rows(live_rows, ("time",)) == rows(sent.take(table), ("time",))


def tagged(tags: bytes, path: Path) -> Path:
    """A capture of this project with tags put behind the addresses (draft-ietf-opsawg-pcap: header, then records)."""
    records = [struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)]
    for second, packet in enumerate(octets(CAPTURES[0])):
        data = packet[:12] + tags + packet[12:]
        records.append(struct.pack("<IIII", second, 0, len(data), len(data)) + data)
    path.write_bytes(b"".join(records))
    return path


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: f"{path.parent.name}-{path.stem}")
@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_sent_is_captured(wires: Wires, path: Path, threads: int, tmp_path: Path) -> None:
    live = wires.listen(["b0"], threads=threads, detail="pdus")
    wires.send("--pps=500", "-i", "a0", path)
    check(live, path, tmp_path)


@pytest.mark.parametrize("tags", ["81000064", "81000000", "8100e064", "88a8606481000005", "810000028100000391000004"])
def test_tags_are_where_they_were(wires: Wires, tags: str, tmp_path: Path) -> None:
    path = tagged(bytes.fromhex(tags), tmp_path / "tagged.pcap")
    live = wires.listen(["b0"], detail="pdus")
    wires.send("--pps=500", "-i", "a0", path)
    check(live, path, tmp_path)


def test_directions_on_two_interfaces_are_one_stream(wires: Wires, tmp_path: Path) -> None:
    path = CAPTURES[0]
    sender = octets(path)[0][6:12].hex(":")
    run("tcpprep", "-e", sender, "-i", path, "-o", tmp_path / "cache")
    live = wires.listen(["b0", "b1"], detail="pdus")
    wires.send("--pps=500", "-c", tmp_path / "cache", "-i", "a0", "-I", "a1", path)
    check(live, path, tmp_path)
    one, other = live.counts().interfaces
    assert one.packets > 0
    assert other.packets > 0


def test_more_is_shed_by_class_than_can_wait(wires: Wires) -> None:
    path = PCAPS / "waterworks" / "waterworks.pcap"
    live = wires.listen(["b0"], ring_octets=1 << 16)
    for _ in range(3):
        wires.send("--topspeed", "-i", "a0", path)  # and nobody decodes
    time.sleep(0.5)
    live.close()
    counts = live.counts()
    shed = {row.packet_class: row.packets for row in counts.shed}
    assert shed["it_payload"] + shed["it"] + shed["other"] + shed["control"] > 0
    lost = counts.drops + sum(shed.values()) - shed["it_payload"]
    assert counts.packets + lost == 3 * count(path)
    (coverage,) = told(live.take("coverage"))
    assert (coverage["reported_drops"], coverage["status"]) == (lost, "partial")
    assert "more packets came than could be decoded" in coverage["problem"]


def test_an_interface_that_goes_is_told_and_comes_back(wires: Wires) -> None:
    path = CAPTURES[0]
    live = wires.listen(["b0"])

    def becomes(state: str, name: str) -> bool:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            live.advance(50)
            (interface,) = live.counts().interfaces
            if (interface.state, interface.name_now) == (state, name):
                return True
        return False

    assert becomes("up", "")
    run("ip", "-n", wires.receiver, "link", "set", "b0", "down")
    assert becomes("down", "")
    run("ip", "-n", wires.receiver, "link", "set", "b0", "name", "lan0")
    assert becomes("down", "lan0")
    run("ip", "-n", wires.receiver, "link", "set", "lan0", "up")
    assert becomes("up", "lan0")
    wires.send("--pps=500", "-i", "a0", path)
    assert heard(live, count(path)).packets == count(path)
    run("ip", "-n", wires.sender, "link", "del", "a0")
    assert becomes("gone", "")
    run("ip", "-n", wires.sender, "link", "add", "a0", "type", "veth", "peer", "b0", "netns", wires.receiver)
    for name, end in ((wires.sender, "a0"), (wires.receiver, "b0")):
        run("ip", "-n", name, "link", "set", end, "arp", "off", "multicast", "off", "up")
    assert becomes("up", "")
    wires.send("--pps=500", "-i", "a0", path)
    assert heard(live, 2 * count(path)).packets == 2 * count(path)
    live.close()
    (coverage,) = told(live.take("coverage"))
    assert coverage["problem"] == "b0 stopped capturing 2 times"
    assert live.counts().interfaces[0].outages == 2


def test_what_is_missing_is_said(wires: Wires) -> None:
    run("ip", "-n", wires.receiver, "link", "set", "b1", "down")
    for name, problem in (("b1", "the interface is down"), ("b7", "there is no such interface")):
        with pytest.raises(OSError, match=problem) as caught:
            wires.listen(["b0", name])
        assert caught.value.filename == name
    with pytest.raises(OSError, match=r"capability CAP_NET_RAW"):
        as_nobody()


def as_nobody() -> None:
    """Opens an interface without the capability: dropped in a process of its own."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        said = b""
        try:
            os.setresuid(65_534, 65_534, 65_534)
            Live("span", ["b0"])
        except OSError as error:
            said = f"{error.errno} {error.strerror}".encode()
        finally:
            os.write(write, said)
            os._exit(0)
    os.close(write)
    said = os.read(read, 1_000).decode()
    os.close(read)
    os.waitpid(child, 0)
    number, _, text = said.partition(" ")
    raise OSError(int(number or 0), text)
