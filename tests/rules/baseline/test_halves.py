"""A baseline of the first half of a capture is nearly silent on the second, and every attack deviates from it.

What deviates in the second half is new indeed: operations, objects and conversations that the first half did not have.
"""

from __future__ import annotations

import gzip
import struct
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

from tests.rules.baseline.days import TODAY
from tests.rules.draft.halves import DNP3, GIVEN, LEMAY, S7, Given, cut
from tests.rules.draft.test_halves import NOT_SEEN_THERE, needed
from zonewatch.dissectors.decoder import CaptureFile, Detail, Source
from zonewatch.inventory.crowd import without_crowds
from zonewatch.rules.baseline.compare import Comparison, compare
from zonewatch.rules.baseline.file import BaselineFile, parse_baseline
from zonewatch.rules.baseline.learn import learned, observed
from zonewatch.rules.baseline.model import Baseline
from zonewatch.rules.baseline.rhythm import moments, times_of
from zonewatch.rules.baseline.rows import Names
from zonewatch.rules.baseline.states import reviewed
from zonewatch.sensor.decoding import decode
from zonewatch.sensor.policy_traffic import inventory_of

BUNDLED: Final = sorted((Path(__file__).resolve().parents[3] / "pcaps").glob("*/*.pcap"))


def told(path: Path, baseline: Baseline | None, detail: Detail = "events") -> Baseline | Comparison:
    """Learned where there is no baseline, else compared with it."""
    tables = without_crowds(decode([Source("tap", (CaptureFile(path.name, path),))], detail))[0]
    inventory = inventory_of(tables, ())
    names = Names(inventory, baseline.assets if baseline is not None else ())
    times = times_of(moments(tables["events"]), names) if detail == "events" else None
    seen = observed(inventory, tables, times=times, names=names)
    if baseline is None:
        return learned(seen, inventory, tables["coverage"])
    return compare(baseline, seen, inventory, tables["coverage"])


def enforced(path: Path) -> Baseline:
    new = told(path, None)
    assert isinstance(new, Baseline)
    return reviewed(new, [asset.id for asset in new.assets], "enforcing", "J. Doe", TODAY)


def deviating(path: Path, baseline: Baseline, detail: Detail = "events") -> Counter[tuple[str, str]]:
    found = told(path, baseline, detail)
    assert isinstance(found, Comparison)
    return Counter((one.kind, one.severity) for one in found.deviations)


@pytest.mark.parametrize("capture", BUNDLED, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_was_learned_does_not_deviate(capture: Path) -> None:
    baseline = enforced(capture)
    text = BaselineFile(baseline).text
    assert parse_baseline(text).baseline == baseline
    assert deviating(capture, baseline) == Counter()
    assert deviating(capture, baseline, "aggregates") == Counter()


SECOND_HALF: Final = {
    # Of seven minutes: the engineering station's approved change; setpoints, commands and BACnet writes of operators
    # who had not yet given any.
    "waterworks": Counter({("new_operation", "medium"): 5, ("new_edge", "high"): 1, ("new_function", "high"): 1}),
    # The operator's first coils; SMB between two of the hosts.
    "lemay": Counter({("new_operation", "medium"): 1, ("new_edge", "medium"): 1}),
    # The attacker's scan, which the labels leave out.
    "qut-dnp3": Counter({("new_edge", "medium"): 2, ("new_asset", "medium"): 1}),
    "qut-s7comm": Counter(),
    # A client asks a server that it had not asked, and looks for others.
    "emrekin-cotp": Counter({("new_edge", "medium"): 2}),
    # A conference: four laptops come and one that was there does more.
    "malcolm-bacnet": Counter(
        {
            **{("new_asset", "medium"): 4, ("new_edge", "medium"): 4},
            **{("new_operation", "medium"): 3, ("new_function", "medium"): 1},
        }
    ),
}
"""What deviates in the second half, and is new indeed."""


@cache
def halves(given: Given) -> tuple[Baseline, Counter[tuple[str, str]]]:
    with TemporaryDirectory() as folder:
        middle = given.end / 2
        first = cut(given.path, Path(folder) / "first.pcap", 0, middle)
        second = cut(given.path, Path(folder) / "second.pcap", middle, given.end)
        baseline = enforced(first)
        return baseline, deviating(second, baseline)


@pytest.mark.parametrize("given", GIVEN, ids=lambda given: given.name)
def test_the_second_half_is_nearly_silent(given: Given) -> None:
    needed(given.path)
    assert halves(given)[1] == SECOND_HALF[given.name]


def kept(path: Path, out: Path, keep: Callable[[int, bytes], bool]) -> Path:
    """The frames of a classic little-endian pcap of which `keep` says so, by number and octets."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    found, place, number = [data[:24]], 24, 0
    while place + 16 <= len(data):
        (size,) = struct.unpack_from("<I", data, place + 8)
        number += 1
        if keep(number, data[place + 16 : place + 16 + size]):
            found.append(data[place : place + 16 + size])
        place += 16 + size
    out.write_bytes(b"".join(found))
    return out


def labelled(path: Path) -> frozenset[int]:
    """Frames that are labelled as an attack."""
    (truth,) = path.with_name(f"{path.name}.truth").glob("*.csv")
    rows = (line.split(";") for line in truth.read_text().splitlines())
    return frozenset(int(row[0]) for row in rows if row[0].isdigit() and row[1] == "1")


CHARACTERIZATION: Final = LEMAY / "characterization_modbus_6RTU_with_operate.pcap"
ATTACKS_DNP3: Final = DNP3 / "Attacks/attacks/training/frequent/attacker.pcap__attacker.pcap.gz"
ATTACKER: Final = bytes.fromhex("001018cb8c13")
CONVEYOR: Final = "20161215192146.ConveyorBeltOn_Flooding/20161215192146.ConveyorBeltOn_Flooding.hmi.pcap"


@cache
def benign(path: Path) -> Baseline:
    """The baseline of what is no attack in a capture."""
    attack = labelled(path) if path == CHARACTERIZATION else frozenset[int]()

    def keep(number: int, frame: bytes) -> bool:
        return number not in attack and ATTACKER not in (frame[:6], frame[6:12])

    with TemporaryDirectory() as folder:
        return enforced(kept(path, Path(folder) / "benign.pcap", keep))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # One controller asks another one.
        (CHARACTERIZATION.name, {("role_change", "high"), ("new_edge", "high")}),
        # SMB and a shell from one controller to another one.
        ("exploit_ms08_netapi_modbus_6RTU_with_operate.pcap", {("new_edge", "medium")}),
        # SMB and TLS between controllers; an operator's coil beside them.
        ("CnC_uploading_exe_modbus_6RTU_with_operate.pcap", {("new_edge", "medium")}),
    ],
)
def test_attacks_on_modbus_deviate(name: str, expected: set[tuple[str, str]]) -> None:
    needed(CHARACTERIZATION)
    assert expected <= set(deviating(LEMAY / name, benign(CHARACTERIZATION)))


def test_attacks_on_dnp3_deviate() -> None:
    found = deviating(needed(ATTACKS_DNP3), benign(ATTACKS_DNP3))
    expected = {("second_master", "high"), ("new_operation", "high"), ("role_change", "high"), ("new_asset", "medium")}
    assert expected <= set(found)


@pytest.mark.parametrize("path", sorted(S7.glob("*/*.pcap")), ids=lambda path: path.name)
def test_attacks_on_s7comm_deviate(path: Path) -> None:
    """Each is one write of the attacker, or a flood of them. At the HMI some of them do not pass."""
    found = deviating(path, benign(S7 / CONVEYOR))
    if path.name in NOT_SEEN_THERE or path.name == Path(CONVEYOR).name:
        assert not any(kind == "new_edge" for kind, _ in found)
    else:
        assert found
