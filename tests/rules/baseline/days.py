"""Days of a small plant in rows: a control room that polls and sets a controller, day after day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import pyarrow as pa

from tests.inventory.network import flow, talk
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.inventory.build import build
from zonewatch.inventory.model import Inventory
from zonewatch.inventory.tables import Tables
from zonewatch.rules.baseline.compare import Comparison, compare
from zonewatch.rules.baseline.learn import learned, observed
from zonewatch.rules.baseline.merge import extended
from zonewatch.rules.baseline.model import Baseline, Stage
from zonewatch.rules.baseline.rhythm import moments, times_of
from zonewatch.rules.baseline.rows import Names
from zonewatch.rules.baseline.states import reviewed

Row = Mapping[str, Any]
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 3_600 * SECOND
DAY: Final = 86_400 * SECOND
START: Final = int(dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC).timestamp()) * SECOND
"""A Monday, eight o'clock."""
HMI, ENG, PLC, RTU, MASTER, PC = "10.0.0.5", "10.0.0.9", "10.0.1.1", "10.0.1.7", "10.0.0.6", "10.0.2.5"
TODAY: Final = dt.date(2026, 3, 9)


def at(day: float = 0, hour: float = 0, second: float = 0) -> int:
    """A moment after the start."""
    return START + int(day * DAY + hour * HOUR + second * SECOND)


def said(client: str, server: str, operation: str = "read", *, when: int = START, lasts: int = 0, **more: Any) -> Row:
    """An aggregate that began at a moment."""
    bucket = when // (15 * MINUTE) * 15 * MINUTE
    times = more.get("events", 1)
    given: dict[str, Any] = {"bucket": bucket, "first_time": when, "last_time": when + lasts, "count": times}
    return {**talk(client, server, operation, **{**given, **more}), "first_frame": 1}


def poll(when: int = START, *, client: str = HMI, server: str = PLC, period: float = 1, **more: Any) -> Iterator[Row]:
    """Half an hour of polling of eight registers, as aggregates."""
    for number in range(2):
        begin, times = when + number * 15 * MINUTE, int(15 * 60 / period)
        lasts = int((times - 1) * period * SECOND)
        given = {"object_start": 100, "object_count": 8, "events": times, "value_min": 10.0, "value_max": 90.0}
        yield said(client, server, when=begin, lasts=lasts, **{**given, "changes": 200, **more})


def write(start: int, value: float, *, client: str = HMI, server: str = PLC, when: int = START, **more: Any) -> Row:
    """An aggregate of a write of one register."""
    given = {"object_start": start, "value_min": value, "value_max": value}
    return said(client, server, "write", when=when, **{**given, **more})


def command(code: int, name: str, *, client: str = MASTER, when: int = START, unit: str = "1", **more: Any) -> Row:
    """An aggregate of a DNP3 command to the outstation."""
    given = {"function": code, "function_name": name, "object_kind": "control-relay-output", "object_start": 3}
    return said(client, RTU, "operate", when=when, **{**given, "protocol": "dnp3", "client_unit": unit, **more})


def connection(client: str, server: str, service: str, *, when: int = START, state: str = "closed") -> Row:
    """A flow."""
    return flow(client, server, 443, service, state, first_time=when, last_time=when + SECOND, flows=1)


class Traffic:
    """Tables of rows. One capture lasts from `begin` to `end`; `captures` tells of several."""

    def __init__(
        self,
        talks: Iterable[Row] = (),
        flows: Iterable[Row] = (),
        *,
        events: Iterable[Row] = (),
        claims: Iterable[Row] = (),
        seen: Iterable[Row] = (),
        begin: int | None = None,
        end: int | None = None,
        captures: Iterable[tuple[int, int]] = (),
        coverage: Row | None = None,
        exact: bool = False,
    ) -> None:
        talks, flows = tuple(talks), tuple(flows)
        ends = [row[name] for row in (*talks, *flows) for name in ("first_time", "last_time")]
        whole = {"source": "tap", "capture": "a.pcap", "sha256": str(hash_of(talks, flows)), **(coverage or {})}
        spans = tuple(captures) or ((begin or min(ends, default=START), end or max(ends, default=START)),)
        self.tables: dict[str, pa.Table] = {
            "aggregates": rows(schemas.AGGREGATES, talks),
            "flows": rows(schemas.FLOWS, flows),
            "events": rows(schemas.EVENTS, tuple(events)),
            "claims": rows(schemas.CLAIMS, tuple(claims)),
            "addresses": rows(schemas.ADDRESSES, tuple(seen)),
            "activities": schemas.ACTIVITIES.empty_table(),
            "coverage": rows(
                schemas.COVERAGE, [{**whole, "first_time": first, "last_time": last} for first, last in spans]
            ),
        }
        names = ("aggregates", "flows", "claims", "addresses", "coverage")
        self.inventory: Inventory = build(Tables(**{name: self.tables[name] for name in names}))
        self.exact = exact

    def learn(self, old: Baseline | None = None) -> Baseline:
        names = Names(self.inventory, old.assets if old is not None else ())
        times = times_of(moments(self.tables["events"]), names) if self.exact else None
        seen = observed(self.inventory, self.tables, times=times, names=names)
        new = learned(seen, self.inventory, self.tables["coverage"])
        return new if old is None else extended(old, new)

    def compare(self, baseline: Baseline) -> Comparison:
        names = Names(self.inventory, baseline.assets)
        times = times_of(moments(self.tables["events"]), names) if self.exact else None
        seen = observed(self.inventory, self.tables, times=times, names=names)
        return compare(baseline, seen, self.inventory, self.tables["coverage"])


def hash_of(*parts: tuple[Row, ...]) -> int:
    """Tells captures of different rows apart."""
    return sum(row["first_time"] % 999_983 + row["last_time"] % 999_979 for part in parts for row in part)


def at_stage(baseline: Baseline, to: Stage = "enforcing", *assets: str) -> Baseline:
    """With these assets (all where none is named) at a stage."""
    return reviewed(baseline, assets or [asset.id for asset in baseline.assets], to, "J. Doe", TODAY)


def kinds(comparison: Comparison) -> list[str]:
    return sorted(one.kind for one in comparison.deviations)
