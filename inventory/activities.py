"""What hosts did at the services of others, as few rows: logins, remote sessions, files, changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Activity, Evidence
from zonewatch.inventory.tables import in_order, plain
from zonewatch.inventory.traffic import Place

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain number or word beside a column

TOLD: Final = ("authenticate", "session", *sorted(STATE_CHANGING))
"""Operations of the activities that are told one by one; names looked up and the like are counted in the table only."""

MOST_ROWS: Final = 200_000
"""Rows looked at; more than these are in the table only."""
MOST: Final = 5_000
"""Distinct activities told."""
MOST_DISTINCT: Final = 50_000
"""Distinct activities judged."""


def activities(table: pa.Table, ids: Mapping[Place, str]) -> tuple[Activity, ...]:
    """The activities that matter, those that differ in time alone counted together, by first time."""
    wanted = plain(table).filter(pc.is_in(pc.field("operation"), value_set=pa.array(TOLD)))
    return merged(one_by_one(wanted, ids), MOST)


def one_by_one(table: pa.Table, ids: Mapping[Place, str]) -> Iterator[Activity]:
    """The rows of a table, by first time; each stands for at most a quarter of an hour."""
    ordered = in_order(plain(table), "first_time", "source", "capture", "first_frame").slice(0, MOST_ROWS)
    return (_activity(row, ids) for row in ordered.to_pylist())


def merged(rows: Iterable[Activity], most: int) -> tuple[Activity, ...]:
    """Those that differ in time alone counted together, in the order of their first times."""
    found: dict[tuple[Any, ...], list[Activity]] = {}
    for activity in rows:
        key = _key(activity)
        known = found.get(key)
        if known is not None:
            known.append(activity)
        elif len(found) < most:
            found[key] = [activity]
    return tuple(_as_one(each) for each in found.values())


def _activity(row: Mapping[str, Any], ids: Mapping[Place, str]) -> Activity:
    source, frame = row["source"], row["request_frame"] or row["first_frame"]
    return Activity(
        client=ids.get((source, row["client"]), row["client"]),
        server=ids.get((source, row["server"]), row["server"]),
        protocol=row["protocol"],
        transport=row["transport"],
        server_port=row["server_port"],
        action=row["action"],
        operation=row["operation"],
        status=row["status"],
        code=row["code"],
        fields=tuple((field["name"], field["value"]) for field in row["fields"]),
        coalesced=row["coalesced"],
        count=row["count"],
        first_time=row["first_time"],
        last_time=row["last_time"],
        evidence=Evidence(source, row["capture"], frame),
    )


def _key(activity: Activity) -> tuple[Any, ...]:
    ends = (activity.client, activity.server, activity.protocol, activity.transport, activity.server_port)
    what = (activity.action, activity.operation, activity.status, activity.code, activity.fields, activity.coalesced)
    return (*ends, *what)


def _as_one(rows: Sequence[Activity]) -> Activity:
    if len(rows) == 1:
        return rows[0]
    last = max(row.last_time for row in rows)
    return replace(rows[0], count=sum(row.count for row in rows), last_time=last)
