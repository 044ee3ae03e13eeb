"""Replay of ten million events under a policy of 500 flows: wall time and memory of a process of its own.

    python bench/replay.py [--events 10000000] [--per-row 10] [--piece 200000]

Aggregated rows are made on the fly: 50 clients poll 200 controllers over the quarters of hours of some days, each
with its functions and ranges; one row in a hundred writes. The time of making the rows is told apart.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

sys.path.insert(0, str(Path(__file__).parents[1]))

from zonewatch.dissectors import schemas
from zonewatch.inventory.model import Inventory
from zonewatch.rules.judge import judge
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.replay import replayed

CLIENTS: Final = 50
CONTROLLERS: Final = 200
FLOWS: Final = 500
QUARTER: Final = 15 * 60 * 1_000_000_000
FUNCTIONS: Final = (
    (3, "read_holding_registers", "read", "holding-register"),
    (4, "read_input_registers", "read", "input-register"),
    (16, "write_multiple_registers", "write", "holding-register"),
)
WORDS: Final[dict[str, Any]] = {
    "source": "tap",
    "capture": "a.pcap",
    "last_capture": "a.pcap",
    "protocol": "modbus",
    "transport": "tcp",
    "kind": "request",
    "status": "ok",
    "server_unit": "1",
}
HOURS: Final = 6
"""That one piece covers."""
AS_OF: Final = 1_780_000_000_000_000_000


def client(number: int) -> str:
    return f"10.1.0.{number + 1}"


def server(number: int) -> str:
    return f"10.2.{number // 100}.{number % 100 + 1}"


def policy() -> Policy:
    """Fifty conduits' worth of flows in one: by client, servers in four parts, reading and writing."""
    flows: list[dict[str, Any]] = []
    for number in range(FLOWS):
        reading = number % 2 == 0
        asked = [server((number * 7 + step * 13) % CONTROLLERS) for step in range(8)]
        flows.append(
            {
                "id": f"flow-{number}",
                "protocol": "modbus",
                "clients": [client(number % CLIENTS)],
                "servers": asked if not reading else [],
                "operations": ["read"] if reading else ["write"],
                "objects": [f"holding-register {100 * (number % 40)}-{100 * (number % 40) + 1999}", "input-register"],
                "values": None if reading else {"min": 0, "max": 1000},
                "schedule": "mon-fri 06:00-18:00" if number % 5 == 0 else "always",
                "purpose": "bench",
            }
        )
    return Policy.model_validate(
        {
            "policy_version": 1,
            "suc": {"id": "bench"},
            "zones": [
                {"id": "supervision", "purdue": 2, "members": {"subnets": ["10.1.0.0/16"]}},
                {"id": "control", "purdue": 1, "members": {"subnets": ["10.2.0.0/16"]}},
            ],
            "conduits": [{"id": "polling", "from": "supervision", "to": "control", "flows": flows}],
        }
    )


def pieces(events: int, per_row: int, piece: int) -> Iterator[pa.Table]:
    """Aggregates, the same each time: each piece is the first one some hours later."""
    rows = events // per_row
    base = _table(min(piece, rows), per_row)
    for number, first in enumerate(range(0, rows, piece)):
        yield _later(base.slice(0, rows - first), number * HOURS * 4 * QUARTER)


def _later(table: pa.Table, nanoseconds: int) -> pa.Table:
    for name in ("bucket", "first_time", "last_time"):
        place = table.schema.get_field_index(name)
        moved: Any = pc.add(table[name].cast(pa.int64()), nanoseconds)
        table = table.set_column(place, table.schema.field(place), moved.cast(table.schema.field(place).type))
    return table


def _table(count: int, per_row: int) -> pa.Table:
    start = (AS_OF - 90 * 96 * QUARTER) // QUARTER * QUARTER
    rows = [_row(number, start, count, per_row) for number in range(count)]
    columns = [_column(field, [row.get(field.name) for row in rows]) for field in schemas.AGGREGATES]
    return pa.table(columns, schema=schemas.AGGREGATES)


def _row(number: int, start: int, count: int, per_row: int) -> dict[str, Any]:
    call = 2 if number % 101 == 0 else number % 2
    function, name, operation, kind = FUNCTIONS[call]
    bucket = start + number * HOURS * 4 // count * QUARTER
    value = float(number % 1300) if call == 2 else None
    return WORDS | {
        "client": client(number * 31 % CLIENTS),
        "server": server(number * 17 // 3 % CONTROLLERS),
        "server_port": 502,
        "function": function,
        "function_name": name,
        "operation": operation,
        "object_kind": kind,
        "object_start": number % 7 * 500,
        "object_count": 16,
        "value_min": value,
        "value_max": value,
        "bucket": bucket,
        "first_time": bucket + number % 1000,
        "last_time": bucket + QUARTER - 1 - number % 1000,
        "events": per_row,
        "count": per_row,
        "first_frame": number + 1,
        "last_frame": number + 1,
    }


def _column(field: pa.Field[Any], values: list[Any]) -> Any:
    """What a row does not say is null, or where there must be something, empty."""
    if field.nullable or values[0] is not None:
        plain = field.type.value_type if field.type == schemas.WORD else field.type
        return pa.array(values, plain).cast(field.type)
    if field.type == schemas.WORD:
        return pa.array([""] * len(values)).cast(field.type)
    empty = [] if pa.types.is_list(field.type) else False if pa.types.is_boolean(field.type) else 0
    return pa.array([empty] * len(values), field.type)


def main() -> None:
    """Prints one row of figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=10_000_000)
    options.add_argument("--per-row", type=int, default=10, help="Events that an aggregated row stands for.")
    options.add_argument("--piece", type=int, default=200_000, help="Rows that are judged together.")
    given = options.parse_args()
    made = policy()
    made_rows = pieces(given.events, given.per_row, given.piece)
    begin, cpu = time.perf_counter(), time.process_time()
    for _ in pieces(given.events, given.per_row, given.piece):
        pass
    making, making_cpu = time.perf_counter() - begin, time.process_time() - cpu
    begin, cpu = time.perf_counter(), time.process_time()
    found = judge(
        made,
        Inventory((), ()),
        made_rows,
        schemas.EVENTS.empty_table(),
        AS_OF,
    )
    outcome = replayed(found.rows)
    wall, cpu = time.perf_counter() - begin - making, time.process_time() - cpu - making_cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"| {given.events:,} | {given.events // given.per_row:,} | {FLOWS} | {len(found.rows):,} | "
        f"{outcome.count('violation'):,} | {making:.1f} | {wall:.1f} | {cpu:.1f} | {peak / 1e6:,.0f} |"
    )


if __name__ == "__main__":
    main()
