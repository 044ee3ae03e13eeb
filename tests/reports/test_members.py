"""Reading row by row gives what reading as a whole gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.reports import sample
from zonewatch.inventory.model import Edge, Evidence
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
    "text", ["", "{", "[]", '{"a" 1}', '{"a": 1,}', '{"a": [1 2]}', '{"a": [1,]}', '{"a": 1} x', '{"a": [{}]}']
)
def test_what_is_broken_is_left_to_the_whole(text: str) -> None:
    assert members(text, {"a": Edge}) is None


WRONG: list[Any] = [None, True, 0, 7, 1.0, 2.5, -1, 2**70, "", "x", "broadcast", "2026-03-02T08:00:00Z", [], ["a"], {}]
ODD: list[Any] = [*WRONG, "\ud800", 1e308, [[]], [["ok", 1]], [["ok", 1.0]], [["ok"]], {"source": "", "capture": ""}]


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place of a document: its container and its key."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _spots(inner)


@settings(deadline=None)
@given(some.data())
def test_what_is_read_row_by_row_is_what_the_whole_gives(data: some.DataObject) -> None:
    values = json.loads(dumps(sample.sample()))
    for _ in range(data.draw(some.integers(1, 3))):
        name = data.draw(some.sampled_from(["assets", "edges", "activities", "verdicts"]))
        within, key = data.draw(some.sampled_from(list(_spots({name: values[name]}))))
        if isinstance(within, dict) and key != name and data.draw(some.booleans()):
            del within[key]
        elif key == name:
            values[name] = deepcopy(data.draw(some.sampled_from(ODD)))
        else:
            within[key] = deepcopy(data.draw(some.sampled_from(ODD)))
        if not isinstance(values[name], list):
            break
    text = json.dumps(values)
    assert _told(lambda: loads(text)) == _told(lambda: from_values(json.loads(text)))


def _told(read: Callable[[], AuditResult]) -> str:
    """What was read, with the types of all numbers, or what is said in its place."""
    try:
        return repr(read())
    except ResultError as error:
        return str(error)


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
