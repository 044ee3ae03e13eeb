"""Which rows a brief pass is left of what repeats."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.sensor.watch.thin import KINDS, Thin, parted, thinned, told_for_good


def flows(given: list[dict[str, Any]]) -> pa.Table:
    base = {"transport": "tcp", "client": "10.0.0.1", "server": "10.0.0.2", "service": "modbus", "odd_port": False}
    return rows(schemas.FLOWS, [{**base, "first_frame": number, **row} for number, row in enumerate(given)])


@pytest.mark.parametrize(
    ("of", "left"),
    [
        ([{}] * 9, [0, 8]),
        ([{}] * 2, [0, 1]),
        ([{"state": "reset"}] * 5 + [{}] * 5, [0, 4, 5, 9]),
        ([{"server": f"10.0.0.{host}"} for host in range(5, 14)], list(range(9))),
        ([{"vlan": None}] * 5 + [{"vlan": 7}] * 3, [0, 4, 5, 7]),
        ([{"service": ""}] * 7, list(range(7))),
        ([{"service": "rdp"}] * 7, list(range(7))),
        ([{"service": "ssh"}, {}] * 5, [0, 1, 2, 4, 6, 8, 9]),
        ([], []),
    ],
)
def test_of_connections_that_tell_the_same_the_first_and_the_last_stay(of: list[Any], left: list[int]) -> None:
    assert thinned(flows(of), KINDS["flows"])["first_frame"].to_pylist() == left


def test_rows_that_came_since_are_all_there_and_the_rest_stays_bounded() -> None:
    thin = Thin(KINDS["flows"], least=100)
    for number in range(1000):
        thin.add(flows([{"first_frame": number}]))
        left: list[Any] = [frame for piece in thin.rows() for frame in piece["first_frame"].to_pylist()]
        assert len(left) <= 101
        assert left[0] == 0
        assert left[-1] == number
        assert left == sorted(set(left))


def events(given: list[dict[str, Any]]) -> pa.Table:
    base = {"protocol": "modbus", "client": "10.0.0.1", "server": "10.0.0.2", "operation": "write", "status": "ok"}
    return rows(schemas.EVENTS, [{**base, "event": number, **row} for number, row in enumerate(given)])


def register(start: int) -> list[dict[str, Any]]:
    of = schemas.EVENTS.field("objects").type.value_field.type
    one = rows(pa.schema(list(of)), [{"kind": "holding-register", "start": start, "count": 1}])
    return one.to_pylist()


@pytest.mark.parametrize(
    ("of", "left"),
    [
        ([{}] * 5, [0]),
        ([{"operation": "read"}] * 5, []),
        ([{"objects": register(1)}, {"objects": register(2)}, {"objects": register(1)}], [0, 1]),
        ([{"objects": []}, {"objects": register(2)}, {"objects": []}], [0, 1]),
        ([{"client": "10.0.0.9"}, {}, {"server_unit": "3"}, {}], [0, 1, 2]),
        ([{"operation": "read"}, {"operation": "stop"}, {"operation": "stop"}], [1]),
        ([], []),
    ],
)
def test_of_changes_the_first_one_counts_for_good(of: list[Any], left: list[int]) -> None:
    made = events(of)
    assert told_for_good(made)["event"].to_pylist() == left
    if len(of) > 1:  # parts of a longer table, too
        assert told_for_good(made.slice(1))["event"].to_pylist() == told_for_good(events(of)[1:])["event"].to_pylist()


@pytest.mark.parametrize(
    ("of", "judged", "earlier"),
    [
        ([{"objects": register(1)}, {"objects": register(2)}, {"objects": register(3)}], [0], [1, 2]),
        ([{"objects": register(1)}, {"objects": register(2), "client": "10.0.0.9"}], [0, 1], []),
        ([{"objects": register(1)}, {"objects": register(2), "server_unit": "9"}], [0, 1], []),
        ([{"objects": register(1)}, {"objects": register(2), "function": 16}], [0, 1], []),
        ([], [], []),
    ],
)
def test_the_first_change_of_a_pair_is_judged_again_and_the_others_tell_what_went_on(
    of: list[Any], judged: list[int], earlier: list[int]
) -> None:
    assert [part["event"].to_pylist() for part in parted(events(of))] == [judged, earlier]
