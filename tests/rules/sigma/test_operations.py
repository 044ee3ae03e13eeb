"""Every operation is a record once, whether its event was kept whole or counted with others."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from tests.inventory.network import talk
from tests.rules.plant import HMI, PLC_1, write, write_event
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.inventory.tables import plain
from zonewatch.rules.sigma.operations import operations

PCAPS = Path(__file__).parents[3] / "pcaps"
CAPTURES = sorted((*PCAPS.glob("*/*.pcap"), *PCAPS.glob("*/*.pcapng")))
COMBINATION = [
    "protocol",
    "client",
    "server",
    "function",
    "operation",
    "status",
    "object_kind",
    "object_start",
    "property_name",
]


Combination = tuple[object, ...]


def counts(table: pa.Table) -> Counter[Combination]:
    found: Counter[Combination] = Counter()
    for row in table.select([*COMBINATION, "count"]).to_pylist():
        found[tuple(row[name] for name in COMBINATION)] += row["count"]
    return found


def of_several(table: pa.Table) -> set[Combination]:
    """Combinations of events with several objects: what an answer adds of its own is in no aggregate."""
    rows = [row for row in table.select([*COMBINATION, "event"]).to_pylist() if row["event"] is not None]
    objects = Counter(row["event"] for row in rows)
    return {tuple(row[name] for name in COMBINATION) for row in rows if objects[row["event"]] > 1}


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.name)
def test_records_count_what_the_aggregates_count(path: Path) -> None:
    pytest.importorskip("zonewatch.dissectors._native", reason="the engine is not built")
    from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

    decoder = Decoder([Source("tap", (CaptureFile(path.name, path),))])
    while decoder.advance():
        pass
    events, aggregates = decoder.take("events"), decoder.take("aggregates")
    found = operations(events, aggregates)
    told, counted, several = counts(found), counts(plain(aggregates)), of_several(found)
    assert all(told[key] >= count for key, count in counted.items())
    assert {key for key in told if told[key] != counted[key]} <= several
    assert set(found["event"].drop_null().to_pylist()) == set(events["event"].to_pylist())


def test_what_is_kept_whole_is_taken_off_what_is_counted_together() -> None:
    aggregate = write(HMI, PLC_1, 100, [100, 120], events=5, count=5) | {"value_last": 120.0}
    event = write_event(HMI, PLC_1, 100, [100, 120], [90, 110], frame=7)
    found = operations(rows(schemas.EVENTS, [event]), rows(schemas.AGGREGATES, [aggregate])).to_pylist()
    assert [(row["event"], row["count"], row["values"]) for row in found] == [
        (7, 1, [100.0, 120.0]),
        (None, 4, [100.0, 120.0, 120.0]),
    ]
    assert (found[0]["value_low"], found[0]["value_high"], found[0]["before"]) == (100.0, 120.0, [90.0, 110.0])


def test_an_event_without_objects_is_one_record() -> None:
    event = write_event(HMI, PLC_1, 0, [], []) | {"objects": [], "function": 17, "operation": "discover"}
    found = operations(rows(schemas.EVENTS, [event]), rows(schemas.AGGREGATES, [])).to_pylist()
    assert [(row["event"], row["object_kind"], row["object_count"], row["values"]) for row in found] == [
        (7, None, 0, [])
    ]


def test_of_many_the_least_the_greatest_and_the_last_value_are_told() -> None:
    aggregate = talk(HMI, PLC_1, events=100, count=100) | {"value_min": 1.0, "value_max": 9.0, "value_last": 4.0}
    found = operations(rows(schemas.EVENTS, []), rows(schemas.AGGREGATES, [aggregate])).to_pylist()
    assert [(row["count"], row["values"], row["value_low"]) for row in found] == [(100, [1.0, 9.0, 4.0], 1.0)]
