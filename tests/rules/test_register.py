"""The register of control commands: values before and after, what lets them, and what was not kept one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from zonewatch.reports.result import AuditResult
from zonewatch.reports.write import read_result
from zonewatch.sensor.cli import main

PLANT = Path(__file__).resolve().parents[2] / "pcaps" / "waterworks"


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> AuditResult:
    out = tmp_path_factory.mktemp("plant")
    given = ("--policy", PLANT / "policy.yaml", "--assets", PLANT / "assets.csv", "--tags", PLANT / "tags.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["zonewatch", "audit", *map(str, (PLANT / "waterworks.pcap", *given, "--out", out))])
        with pytest.raises(SystemExit):
            main()
    return read_result(out)


def test_a_command_is_told_with_its_values_and_what_lets_it(plant: AuditResult) -> None:
    rows = {(row.client, row.server, row.function, row.target): row for row in plant.commands}
    trip = rows["eng-1", "plc-3", "write_multiple_registers", "holding-register 102 (40103)"]
    assert (trip.before, trip.after, trip.verdict, trip.name) == (
        "1.8 mg/l",
        "24 mg/l",
        "violation",
        "High-high chlorine trip QSHH-301",
    )
    dose = rows["hmi-1", "plc-1", "write_single_register", "holding-register 100 (40101)"]
    assert (dose.verdict, dose.flow, dose.events) == ("allowed", "setpoints", 2)
    assert (dose.before, dose.after, dose.least, dose.greatest) == ("45 g/m³", "45.5 g/m³", "45.5 g/m³", "46.5 g/m³")
    assert dose.first_time < dose.last_time
    assert [item.frame for item in dose.evidence] == [5006, 16704]


def test_an_operate_has_the_value_before_its_select(plant: AuditResult) -> None:
    (pump,) = (row for row in plant.commands if row.server == "rtu-1" and row.function == "operate")
    assert (pump.before, pump.after) == ("off", "latch_off")


def test_every_state_changing_event_is_in_it_once(plant: AuditResult) -> None:
    """Counted by pair and function, an event that wrote several points once."""
    judged: dict[tuple[str, str, str], int] = {}
    for row in plant.verdicts:
        if row.operation in {command.operation for command in plant.commands}:
            key = (row.client, row.server, row.function)
            judged[key] = judged.get(key, 0) + row.events
    for key, count in judged.items():
        points = [row for row in plant.commands if (row.client, row.server, row.function) == key]
        assert max(row.events for row in points) <= count <= sum(row.events for row in points), key
