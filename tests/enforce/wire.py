"""Captures of one TCP connection each, and what Suricata says of them."""

from __future__ import annotations

import ipaddress
import json
import struct
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

CONFIGURATION = """%YAML 1.1
---
default-log-dir: {folder}
outputs:
  - eve-log: {{enabled: yes, filetype: regular, filename: eve.json, types: [alert]}}
app-layer:
  protocols:
    modbus: {{enabled: yes, detection-ports: {{dp: 502}}}}
    dnp3: {{enabled: yes, detection-ports: {{dp: 20000}}}}
    enip: {{enabled: yes, detection-ports: {{dp: 44818, sp: 44818}}}}
vlan: {{use-for-tracking: false}}
stream: {{midstream: true, reassembly: {{depth: 0}}}}
logging: {{default-log-level: error, outputs: [{{console: {{enabled: yes}}}}]}}
"""


def connection(client: str, server: str, port: int, requests: Sequence[bytes], source_port: int) -> list[bytes]:
    """The packets of a connection that sends these octets, each sent back by the server."""
    ends = ((client, source_port), (server, port))
    numbers = [1000, 5000]
    packets: list[bytes] = []

    def send(who: int, flags: int, octets: bytes = b"") -> None:
        (source, from_port), (target, to_port) = ends[who], ends[1 - who]
        acknowledged = numbers[1 - who] if flags & 0x10 else 0
        segment = struct.pack(">HHIIBBHHH", from_port, to_port, numbers[who], acknowledged, 0x50, flags, 65535, 0, 0)
        addresses = (ipaddress.IPv4Address(source).packed, ipaddress.IPv4Address(target).packed)
        length = 20 + len(segment) + len(octets)
        header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, length, len(packets), 0, 64, 6, 0, *addresses)
        packets.append(header + segment + octets)
        numbers[who] += len(octets) + bool(flags & 0x03)

    send(0, 0x02)
    send(1, 0x12)
    send(0, 0x10)
    for octets in requests:
        send(0, 0x18, octets)
        send(1, 0x18, octets)
    send(0, 0x11)
    send(1, 0x11)
    send(0, 0x10)
    return packets


def write_capture(path: Path, packets: Iterable[bytes]) -> None:
    """A pcap of raw IP packets, a millisecond apart."""
    octets = bytearray(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
    for number, packet in enumerate(packets):
        octets += struct.pack("<IIII", 1_772_000_000 + number // 1000, number % 1000 * 1000, len(packet), len(packet))
        octets += packet
    path.write_bytes(octets)


def configure(folder: Path) -> Path:
    """A configuration with the three protocols on; they are off by default."""
    path = folder / "suricata.yaml"
    path.write_text(CONFIGURATION.format(folder=folder))
    return path


def alerts(
    folder: Path, rules: Path, packets: Iterable[bytes] = (), *, capture: Path | None = None, by: str = "src_port"
) -> dict[Any, set[str]]:
    """Source port (or what else `by` names) → messages of the rules that spoke."""
    if capture is None:
        capture = folder / "made.pcap"
        write_capture(capture, packets)
    command = ["suricata", "-c", configure(folder), "-S", rules, "-r", capture, "-l", folder, "-k", "none"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    found: defaultdict[Any, set[str]] = defaultdict(set)
    for line in (folder / "eve.json").read_text().splitlines():
        row = json.loads(line)
        found[row[by]].add(row["alert"]["signature"])
    return dict(found)
