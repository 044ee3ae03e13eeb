"""An audit stays within its memory, however many addresses, ports and registers a capture holds."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

FLOWS: Final = 200_000
MOST_MEGABYTES: Final = 400
SERVER: Final = bytes((10, 0, 0, 5))
CLIENT: Final = bytes((10, 0, 0, 9))
START: Final = 1_700_000_000

_ETHERNET: Final = bytes.fromhex("0080f4000002 0080f4000001 0800")
_AUDIT: Final = """
import re, resource
from pathlib import Path
from zonewatch.sensor.cli import main
try:
    main()
finally:
    # Where there is a status of its own: ru_maxrss takes over what the process that started this one had.
    status = Path("/proc/self/status")
    own = re.search(r"VmHWM:\\s+(\\d+)", status.read_text()) if status.exists() else None
    peak = int(own[1]) if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("peak", peak // 1024)
"""

Packet = tuple[bytes, bytes, int, bytes]  # sender, receiver, protocol, what is in it


def spread(number: int) -> bytes:
    """A public address of its own for each number."""
    octets = struct.pack(">I", number * 2_654_435_761 & 0xFFFF_FFFF)
    return octets if 11 <= octets[0] < 100 else bytes((11 + octets[0] % 80, *octets[1:]))


def udp(ports: tuple[int, int]) -> bytes:
    return struct.pack(">HHHH", *ports, 13, 0) + b"hello"


def many_clients() -> Iterator[Packet]:
    for number in range(FLOWS):
        yield spread(number), SERVER, 17, udp((40_000, 5_000))


def many_servers() -> Iterator[Packet]:
    for number in range(FLOWS):
        yield CLIENT, spread(number), 17, udp((40_000, number % 60_000 + 1))


def many_registers() -> Iterator[Packet]:
    """A Modbus client that never reads the same range twice."""
    asked, told = 1, 1

    def segment(ends: tuple[bytes, bytes], ports: tuple[int, int], numbers: tuple[int, int], data: bytes) -> Packet:
        header = struct.pack(">HHIIBBHHH", *ports, *numbers, 0x50, 0x18, 8_192, 0, 0)
        return *ends, 6, header + data

    for number in range(FLOWS):
        start, count = number % 60_000, number // 60_000 + 1
        request = struct.pack(">HHHBBHH", number & 0xFFFF, 0, 6, 1, 3, start, count)
        response = struct.pack(">HHHBBB", number & 0xFFFF, 0, 3 + 2 * count, 1, 3, 2 * count) + bytes(2 * count)
        yield segment((CLIENT, SERVER), (40_000, 502), (asked, told), request)
        asked += len(request)
        yield segment((SERVER, CLIENT), (502, 40_000), (told, asked), response)
        told += len(response)


def write(path: Path, packets: Iterator[Packet]) -> None:
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1))
        for number, (sender, receiver, protocol, data) in enumerate(packets):
            length = 20 + len(data)
            header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, 0, 0, 64, protocol, 0, sender, receiver)
            frame = _ETHERNET + header + data
            seconds, rest = divmod(number * 100, 1_000_000)
            file.write(struct.pack("<IIII", START + seconds, rest, len(frame), len(frame)) + frame)


def audited(packets: Iterator[Packet], folder: Path) -> tuple[dict[str, Any], int]:
    """The result of an audit in a process of its own, and that process's peak in megabytes."""
    capture, out = folder / "busy.pcap", folder / "report"
    write(capture, packets)
    ran = subprocess.run(
        [sys.executable, "-c", _AUDIT, "audit", str(capture), "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in (0, 1), ran.stderr
    result: dict[str, Any] = json.loads((out / "result.json").read_text())
    return result, int(ran.stdout.rpartition("peak ")[2])


@pytest.mark.parametrize(
    ("packets", "counter", "most_assets"),
    [
        (many_clients, "flows_folded", 1_100),
        (many_servers, "flows_folded", 1_100),
        (many_registers, "combinations_coalesced", 2),
    ],
)
def test_memory_is_bounded(
    packets: Callable[[], Iterator[Packet]], counter: str, most_assets: int, tmp_path: Path
) -> None:
    result, peak = audited(packets(), tmp_path)
    assert result["captures"][0][counter] > 0
    assert len(result["assets"]) <= most_assets
    assert peak < MOST_MEGABYTES


def test_every_flow_is_counted_once(tmp_path: Path) -> None:
    path = tmp_path / "busy.pcap"
    write(path, many_clients())
    decoder = Decoder([Source("point", (CaptureFile(path.name, path),))])
    while decoder.advance():
        pass
    flows: Any = decoder.take("flows")
    coverage = decoder.take("coverage")
    alone = sum(port > 0 for port in flows["client_port"].to_pylist())  # a row beyond the cap has no client port
    assert flows.num_rows < 100_000
    assert sum(flows["flows"].to_pylist()) == sum(flows["packets_out"].to_pylist()) == FLOWS
    assert coverage["flows"].to_pylist() == [FLOWS]
    assert coverage["flows_folded"].to_pylist() == [FLOWS - alone]
    assert set(flows["server"].unique().to_pylist()) == {"10.0.0.5"}  # so busy that it keeps its name
