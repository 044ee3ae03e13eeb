"""Which state-changing events are looked at one by one where there are too many."""

from __future__ import annotations

import pyarrow as pa
import pytest

from zonewatch.rules.observe import in_turns

Act = tuple[str, str, int]  # client, operation, time


def events(*acts: Act) -> pa.Table:
    rows = [
        {
            "event": number,
            "source": "span",
            "client": client,
            "server": "plc",
            "server_unit": None,
            "protocol": "modbus",
            "kind": "",
            "function": 6 if operation == "write" else None,
            "operation": operation,
            "time": time,
        }
        for number, (client, operation, time) in enumerate(acts)
    ]
    return pa.Table.from_pylist(rows)


FLOOD: tuple[Act, ...] = tuple(("hmi", "write", time) for time in range(10))


@pytest.mark.parametrize(
    ("acts", "most", "chosen"),
    [
        ((*FLOOD, ("laptop", "write", 99)), 3, [0, 1, 10]),
        ((*FLOOD, ("hmi", "restart", 99)), 2, [0, 10]),
        ((("laptop", "write", 99), *FLOOD), 4, [1, 2, 3, 0]),
        (FLOOD, 4, [0, 1, 2, 3]),
        (tuple((f"client-{number}", "write", number) for number in range(5)), 3, [0, 1, 2]),
    ],
    ids=[
        "a flood hides no other client",
        "nor another operation",
        "whenever it came",
        "the first",
        "of many the first",
    ],
)
def test_of_each_function_of_a_client_the_first_are_looked_at(
    acts: tuple[Act, ...], most: int, chosen: list[int]
) -> None:
    found = in_turns(events(*acts), most).sort_by([("time", "ascending"), ("event", "ascending")])
    assert found["event"].to_pylist() == chosen
    assert found.column_names == events(*acts).column_names
