"""Captures cut by time, drafted from and judged."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Final, NamedTuple

from tests.oracles.compare import CAPTURES, ROOT
from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.inventory.crowd import without_crowds
from zonewatch.rules.draft.make import Made, fresh
from zonewatch.rules.engine import Assessment, audit
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.verdicts import VerdictRow
from zonewatch.rules.violations import group_of
from zonewatch.sensor.decoding import AnyTables, decode
from zonewatch.sensor.pipeline import last_time
from zonewatch.sensor.policy_traffic import inventory_of

LEMAY: Final = CAPTURES / "antoine-lemay__Modbus_dataset"
DNP3: Final = CAPTURES / "qut-infosec__2017QUT_DNP3"
S7: Final = CAPTURES / "qut-infosec__2017QUT_S7comm/LabelledDataset/20161215163606_s7_process_attacks/20161216202830"
OPENICS: Final = CAPTURES / "ITI__ICS-Security-Tools/pcaps/openics"
MITM: Final = DNP3 / "MITM/MITM/training/infrequent/attacker.pcap__attacker.pcap.gz"
BENIGN_MITM: Final = 0.0888
"""Of the time of this capture, what comes before the first frame that is labelled as an attack (26,870)."""


class Given(NamedTuple):
    """A capture without an attack, or the part of one that is."""

    name: str
    path: Path
    end: float = 1.0  # of its time


GIVEN: Final = (
    Given("waterworks", ROOT / "pcaps/waterworks/waterworks.pcap", 0.5),
    Given("lemay", LEMAY / "characterization_modbus_6RTU_with_operate.pcap"),
    Given("qut-dnp3", MITM, BENIGN_MITM),
    Given(
        "qut-s7comm",
        S7 / "20161215192146.ConveyorBeltOn_Flooding/20161215192146.ConveyorBeltOn_Flooding.hmi.pcap",
    ),
    Given("emrekin-cotp", CAPTURES / "EmreEkin__ICS-Pcaps/COTP/cotp.pcap"),
    Given("malcolm-bacnet", CAPTURES / "idaholab__Malcolm-Test-Artifacts/pcap/other/Digital Bond S4/BACnet_Host.pcap"),
)


def cut(path: Path, out: Path, begin: float, end: float) -> Path:
    """The packets of a classic pcap between two shares of its time."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    order = "<" if data[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    packets: list[tuple[float, bytes]] = []
    place = 24
    while place + 16 <= len(data):
        seconds, micros, size, _ = struct.unpack_from(f"{order}IIII", data, place)
        packets.append((seconds + micros / 1e6, data[place : place + 16 + size]))
        place += 16 + size
    first, last = min(time for time, _ in packets), max(time for time, _ in packets)
    since, until = first + (last - first) * begin, first + (last - first) * end
    out.write_bytes(data[:24] + b"".join(packet for time, packet in packets if since <= time <= until))
    return out


def tables(path: Path) -> AnyTables:
    """What the engine decodes of a capture."""
    return without_crowds(decode([Source("tap", (CaptureFile(path.name, path),))]))[0]


def drafted(path: Path) -> Made:
    """The draft from a capture."""
    taken = tables(path)
    return fresh(inventory_of(taken, ()), taken, last_time(taken["coverage"]))


def judged(path: Path, policy: Policy) -> Assessment:
    """A capture under a policy."""
    taken = tables(path)
    return audit(inventory_of(taken, declared_assets(policy)), taken, policy, last_time(taken["coverage"]))


def broken(path: Path, policy: Policy) -> list[tuple[str, str, str, str]]:
    """Client, server, protocol and use of all that a policy does not allow, connections that nobody answered apart."""
    groups = {
        (row.client.address or row.client.id, row.server.address or row.server.id, *group_of(row)[2:])
        for row in judged(path, policy).verdicts
        if row.decision.verdict == "violation" and not row.attempted
    }
    return sorted(groups)


Combination = tuple[str, str, str, int | None, str, str | None, int | None, int]


def combinations(assessment: Assessment) -> dict[Combination, VerdictRow]:
    """Every combination that was seen, connections that nobody answered apart."""
    return {
        (
            row.client.address,
            row.server.address,
            row.seen.protocol,
            row.seen.function,
            row.seen.operation,
            row.seen.object_kind,
            row.seen.object_start,
            row.seen.object_count,
        ): row
        for row in assessment.verdicts
        if not row.attempted
    }
