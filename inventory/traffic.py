"""OT traffic as few rows: the distinct conversations of the engine's aggregates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

import pyarrow as pa

from zonewatch.dissectors.vocabulary import Operation
from zonewatch.inventory.model import Evidence
from zonewatch.inventory.tables import grouped, in_order, plain

Place = tuple[str, str]
"""Source and address (or MAC address)."""

SERVER_PORTS: Final = 8
"""More server ports than this of one OT protocol between one pair are dynamic: they are told as port 0."""

ANSWERS: Final = frozenset(("ok", "error", "response_only"))
"""Statuses of events that something answered."""


class Conversation(NamedTuple):
    """OT events that differ in time and value only."""

    source: str
    client: str
    server: str
    protocol: str
    transport: str
    server_port: int
    server_unit: str | None
    kind: str
    function: int | None
    function_name: str
    operation: Operation
    status: str
    object_kind: str | None
    property_name: str
    object_start: int | None
    object_count: int
    events: int
    first_time: int
    last_time: int
    capture: str
    first_frame: int
    last_capture: str
    sample_frames: list[int]

    @property
    def answered(self) -> bool:
        """True where the server was seen to send: an answer, or of its own accord."""
        return self.status in ANSWERS or self.kind == "unsolicited"

    @property
    def evidence(self) -> Evidence:
        """Its first frame."""
        return Evidence(self.source, self.capture, self.first_frame)


def conversations(aggregates: pa.Table) -> tuple[Conversation, ...]:
    """The distinct rows of the aggregates without their time buckets and values, by first time."""
    ordered = in_order(plain(aggregates), "first_time", "source", "capture", "first_frame")
    rows = grouped(
        ordered,
        Conversation._fields[:16],
        (("events", "sum"), ("first_time", "min"), ("last_time", "max")),
        ("capture", "first_frame", "last_capture", "sample_frames"),
    )
    return tuple(Conversation(*row) for row in rows)


def with_few_ports(talks: Sequence[Conversation]) -> tuple[Conversation, ...]:
    """Folds the many server ports of one pair (an outstation that opens connections) into port 0."""
    ports: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
    for talk in talks:
        ports[talk[:5]].add(talk.server_port)
    return tuple(talk._replace(server_port=0) if len(ports[talk[:5]]) > SERVER_PORTS else talk for talk in talks)
