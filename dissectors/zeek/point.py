"""A capture point whose logs are read: what they told so far, and the tables of it."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.schemas import COVERAGE, ODDITIES, TABLES
from zonewatch.dissectors.zeek.activities import Activities
from zonewatch.dissectors.zeek.claims import Claims
from zonewatch.dissectors.zeek.counting import Counting
from zonewatch.dissectors.zeek.exchanges import Pairing
from zonewatch.dissectors.zeek.flows import Flows
from zonewatch.dissectors.zeek.rows import pc
from zonewatch.dissectors.zeek.told import Learnt

MOST_ODDITIES: Final = 5_000


class Point:
    """A capture point: what its logs told so far."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.flows = Flows(source)
        self.activities = Activities(source)
        self.claims = Claims(source)
        self.learnt = Learnt()
        self.pairings: dict[str, Pairing] = {}  # by log: requests whose answers may be in the next, rotated one
        self.carried: dict[str, pa.Table] = {}  # by log: the objects of those requests
        self.counting: dict[str, Counting] = {}
        self.oddities: list[dict[str, Any]] = []
        self.odd = 0
        self.coverage: list[dict[str, Any]] = []
        self.ended: list[dict[str, Any]] = []
        self.lines = 0
        self.bytes_read = 0

    def next(self) -> Point:
        """A point without rows that goes on where this one ends: what waits, and what logs refer to, is kept."""
        point = Point(self.source)
        point.learnt, point.pairings, point.carried = self.learnt, self.pairings, self.carried
        return point

    def counts(self, protocol: str) -> Counting:
        """Where events of a protocol are counted."""
        if protocol not in self.counting:
            self.counting[protocol] = Counting(self.source, protocol)
        return self.counting[protocol]

    def tables(self) -> dict[str, pa.Table]:
        """All tables that an audit is made of."""
        counted = [self.counting[name].tables() for name in sorted(self.counting)]
        flows, addresses = self.flows.tables()
        events = _in_time(pa.concat_tables([TABLES["events"].empty_table(), *(one for _, one in counted)]))
        return {
            "events": events,
            "aggregates": pa.concat_tables([TABLES["aggregates"].empty_table(), *(one for one, _ in counted)]),
            "flows": flows,
            "activities": self.activities.table(),
            "claims": self.claims.table(),
            "addresses": addresses,
            "oddities": pa.Table.from_pylist(self.oddities, schema=ODDITIES),
            "coverage": self._covered(),
        }

    @property
    def room_for_oddities(self) -> int:
        """How many more are told one by one."""
        return MOST_ODDITIES - len(self.oddities)

    def note(self, **row: Any) -> None:
        """Tells an oddity (columns of `schemas.ODDITIES`, those that are not given empty), while there is room."""
        if self.room_for_oddities > 0:
            bare = {"source": self.source, "protocol": "", "source_address": "", "destination_address": "", "offset": 0}
            self.oddities.append({**bare, **row})

    def _covered(self) -> pa.Table:
        """One row a log; what is counted of the whole point stands in the first."""
        rows = [dict(row) for row in self.coverage]
        if rows:
            counts = self.counting.values()
            rows[0] |= {
                "flows_folded": self.flows.folded,
                "one_sided_flows": self.flows.one_sided,
                "combinations_coalesced": sum(one.coalesced for one in counts),
                "events_thinned": sum(one.thinned for one in counts),
                "claims_dropped": self.claims.dropped,
                "activities_coalesced": self.activities.coalesced,
                "activities_dropped": self.activities.dropped,
                "addresses_dropped": self.flows.unplaced,
                "oddities_dropped": self.odd - len(self.oddities),
            }
        return pa.Table.from_pylist(rows, schema=COVERAGE)


def _in_time(events: pa.Table) -> pa.Table:
    """Events numbered by time."""
    events = events.drop_columns(["event"])
    if events.num_rows:
        events = events.take(pc.sort_indices(events["time"].cast(pa.int64())))
    numbers = pa.array(range(1, events.num_rows + 1), pa.uint64())
    return events.add_column(0, TABLES["events"].field("event"), numbers)
