"""Reading row by row gives what reading as a whole gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.reports import sample
from zonewatch.inventory.model import Evidence
from zonewatch.reports.facts import flow, measure, told
from zonewatch.reports.facts.model import MOST_FRAMES
from zonewatch.reports.json_result import ResultError, dumps, from_values, loads
from zonewatch.reports.members import members
from zonewatch.reports.result import AuditResult
from zonewatch.reports.words import parse_time

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "pcaps"
REAL = ("ITI__ICS-Security-Tools", "antoine-lemay__Modbus_dataset")


@pytest.mark.parametrize("name", ["sample", "without_policy", "hostile", "empty"])
def test_rows_are_those_of_the_whole(name: str) -> None:
    result = getattr(sample, name)()
    text = dumps(result)
    assert members(text, {}) == json.loads(text)
    assert loads(text) == from_values(json.loads(text))
    assert dumps(loads(text)) == text


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"a" 1}', '{"a": 1,}', '{"a": [1 2]}', '{"a": [1,]}', '{"a": 1} x']
)
def test_what_is_broken_is_left_to_the_whole(text: str) -> None:
    assert members(text, {"a": int}) is None


def test_the_place_of_a_mistake_is_told() -> None:
    values = json.loads(dumps(sample.sample()))
    values["edges"][1]["functions"] = [{}]
    with pytest.raises(ResultError, match=r"edges\[1\]\.functions\[0\]\.code: a value expected"):
        loads(json.dumps(values))


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("2026-03-02T08:00:00.000000001Z", 1_772_438_400_000_000_001),
        ("2026-03-02T08:00:00Z", 1_772_438_400_000_000_000),
    ],
)
def test_times(text: str, nanoseconds: int) -> None:
    assert parse_time(text) == nanoseconds


def plainly(*groups: object) -> tuple[Evidence, ...]:
    """Frames as they are defined: all of them, each once, sorted, the first."""
    found = {item for group in groups for item in group if item is not None}  # type: ignore[attr-defined]
    return tuple(sorted(found)[:MOST_FRAMES])


def _audited(name: str) -> AuditResult:
    pytest.importorskip("zonewatch.dissectors._native", reason="the engine is not built")
    from zonewatch.sensor.decoding import decode
    from zonewatch.sensor.pipeline import Given, assess
    from zonewatch.sensor.sources import sources

    if name == "plant":
        capture = ROOT / "pcaps" / "waterworks" / "waterworks.pcap"
    else:
        found = sorted((SHARED / name).rglob("*.pcap")) if SHARED.is_dir() else []
        small = [path for path in found if path.stat().st_size < 3_000_000]
        if not small:
            pytest.skip("the real captures are not here")
        capture = max(small, key=lambda path: (path.stat().st_size, path.name))
    return assess(decode(sources([str(capture)], [])), Given(), title="")


@pytest.mark.parametrize("name", ["plant", *REAL])
def test_facts_are_those_of_the_plain_formula(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    result = _audited(name)
    assert loads(dumps(result)) == from_values(json.loads(dumps(result)))
    quick = measure.measure(result)
    assert any(fact.observations for fact in quick)
    for module in (told, flow):
        monkeypatch.setattr(module, "frames", plainly)
    assert measure.measure(result) == quick
