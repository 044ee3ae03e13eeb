"""Directions of conversations over UDP: counted for the sensor as they are told by the doctor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.netns import frames_of
from tests.sensor import defects
from tests.sensor.defects import Caught
from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.sensor.decoding import decode
from zonewatch.sensor.mirror.figures import seen
from zonewatch.sensor.mirror.ways import Ways, ways

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
UDP = 17
CAPTURES = sorted(path for path in PCAPS.glob("*/*.pcap") if path.stat().st_size < 300_000)


def halves(name: str, kept: str, path: Path) -> None:
    """Frames of UDP, three times; of both, or of one of the two."""
    frames = [frame for frame in frames_of(PCAPS / f"{name}.pcap") if frame[23] == UDP] * 3
    chosen = [frame for frame in frames if kept == "both" or (frame[6:12] == frames[0][6:12]) == (kept == "asking")]
    defects.write(path, [Caught(number * 1_000_000, frame, len(frame)) for number, frame in enumerate(chosen)])


def both_readings(path: Path) -> tuple[Ways, Ways]:
    tables = decode([Source("span", (CaptureFile(path.name, path),))])
    doctor = seen(tables)
    told = Ways(doctor.udp_both_ways, doctor.udp_answers, doctor.udp_asked)
    return replace(ways(tables).get("span", Ways()), tcp=False), told


def test_they_are_those_of_the_doctor_on_every_capture() -> None:
    found = {path.stem: both_readings(path) for path in CAPTURES}
    assert {name: pair for name, pair in found.items() if pair[0] != pair[1]} == {}
    assert sum(pair[0].both for pair in found.values()) > 10


@pytest.mark.parametrize("name", ["bacnet/read_property_multiple", "modbus/rtu_over_udp", "services/dns"])
@pytest.mark.parametrize(
    ("kept", "some"), [("both", Ways(both=1)), ("asking", Ways(asked=1)), ("answering", Ways(answers=1))]
)
def test_one_direction_is_told_from_the_other(name: str, kept: str, some: Ways, tmp_path: Path) -> None:
    halves(name, kept, tmp_path / "mirror.pcapng")
    found, told = both_readings(tmp_path / "mirror.pcapng")
    assert found == told
    assert [bool(found.both), bool(found.answers), bool(found.asked)] == [some.both, some.answers, some.asked]


def test_points_are_told_apart(tmp_path: Path) -> None:
    for point in ("both", "answering"):
        halves("services/dns", point, tmp_path / f"{point}.pcapng")
    points = ("both", "answering", "none")
    (tmp_path / "none.pcapng").write_bytes((PCAPS / "modbus" / "read_write.pcap").read_bytes())
    files = {point: CaptureFile(point, tmp_path / f"{point}.pcapng") for point in points}
    found = ways(decode([Source(point, (file,)) for point, file in files.items()]))
    assert [found[point].tcp for point in points] == [False, False, True]
    assert [bool(found[point].both) for point in points] == [True, False, False]
