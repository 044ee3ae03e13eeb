"""The enforcing lines of a baseline as a draft of a policy: its edges stand for the traffic that a draft is made of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, NamedTuple

import pyarrow as pa

from zonewatch.dissectors.schemas import AGGREGATES, TABLES
from zonewatch.dissectors.vocabulary import PROTOCOLS
from zonewatch.inventory.model import Asset, Interface, Inventory
from zonewatch.inventory.model import Edge as Conversation
from zonewatch.inventory.roles import KINDS, PURDUE
from zonewatch.rules.baseline.merge import stage_of
from zonewatch.rules.baseline.model import EXTERNAL, Baseline, Edge, KnownAsset, Points, SeenRecord
from zonewatch.rules.baseline.rhythm import SECOND
from zonewatch.rules.draft.make import Length, Made, fresh
from zonewatch.rules.seen import DAY

SOURCE: Final = "baseline"
PORTS: Final = {
    "modbus": ("tcp", 502),
    "dnp3": ("tcp", 20_000),
    "bacnet": ("udp", 47_808),
    "s7comm": ("tcp", 102),
    "opcua": ("tcp", 4840),
}
MOST_DAYS: Final = 31


class FromBaseline(NamedTuple):
    """A draft, and the edges that it leaves out."""

    made: Made
    left_out: tuple[str, ...]


def drafted(baseline: Baseline) -> FromBaseline:
    """Zones and flows for the edges that are enforced. Nothing of what waits for review is among them."""
    stages = {asset.id: asset.stage for asset in baseline.assets}
    enforced = [edge for edge in baseline.edges if stage_of(edge.key, stages) == "enforcing"]
    usable = [edge for edge in enforced if edge.answered and EXTERNAL not in edge.key[:2]]
    left = [edge for edge in enforced if edge not in usable]
    places = {asset.id: (asset.addresses or asset.macs or (asset.id,))[0] for asset in baseline.assets}
    ends = {end for edge in usable for end in edge.key[:2]}
    assets = tuple(_asset(asset) for asset in baseline.assets if asset.id in ends)
    decoded = [edge for edge in usable if edge.protocol in PROTOCOLS and edge.functions]
    inventory = Inventory(
        assets=assets,
        edges=tuple(_conversation(edge, places) for edge in usable if edge not in decoded),
        by_address={
            (SOURCE, place): asset.id
            for asset in baseline.assets
            for place in (*asset.addresses, *asset.macs, places[asset.id])
        },
    )
    rows = [row for edge in decoded for row in _rows(edge, places)]
    last = max((_moment(edge.seen.last) for edge in usable), default=0)
    tables = {"aggregates": _table(rows), "flows": TABLES["flows"].empty_table()}
    made = fresh(inventory, tables, last + DAY)
    return FromBaseline(replace(made, length=_length(baseline, usable)), tuple(" ".join(edge.key) for edge in left))


def _length(baseline: Baseline, edges: list[Edge]) -> Length:
    """Whether learning was long enough; of a function no more is known than the day on which it came first."""
    moments = [int(moment.timestamp()) for one in baseline.learned for moment in (one.first, one.last) if moment]
    first, last = min(moments, default=0) * SECOND, max(moments, default=0) * SECOND
    came = [_moment(part.seen.first) + DAY for edge in edges for part in (edge.functions or (edge,))]
    late = sum(moment > last - (last - first) // 10 for moment in came)
    return Length(first, last, len(came), late)


def _asset(asset: KnownAsset) -> Asset:
    places = [(address, "") for address in asset.addresses] or [("", mac) for mac in asset.macs]
    return Asset(
        id=asset.id,
        name=asset.id,
        interfaces=tuple(Interface(SOURCE, address, mac, None, behind_router=False) for address, mac in places),
        role=asset.role,
        role_confidence="medium",
        purdue=PURDUE.get(asset.role),
        kind=KINDS.get(asset.role, "unknown"),
        first_time=_moment(asset.seen.first),
        last_time=_moment(asset.seen.last),
    )


def _conversation(edge: Edge, places: dict[str, str]) -> Conversation:
    transport, port = _port(edge.protocol)
    return Conversation(
        client=edge.client,
        server=edge.server,
        client_address=places.get(edge.client, edge.client),
        server_address=_address(edge.server, places),
        protocol=edge.protocol,
        transport=transport,
        server_port=port,
        ot=False,
        packets=edge.seen.times,
        state="established",
        first_time=_moment(edge.seen.first),
        last_time=_moment(edge.seen.last),
    )


def _port(protocol: str) -> tuple[str, int]:
    """Transport and port of what has no name; of what has one, the name is enough."""
    head, _, number = protocol.partition("/")
    if head in ("tcp", "udp"):
        return head, int(number) if number.isdigit() else 0
    return PORTS.get(protocol, ("tcp", 0))


def _address(end: str, places: dict[str, str]) -> str:
    return places.get(end, end.removeprefix("broadcast:"))


def _rows(edge: Edge, places: dict[str, str]) -> Iterator[dict[str, Any]]:
    transport, port = PORTS[edge.protocol]
    for function in edge.functions:
        about: list[tuple[Points | None, int]] = [(item.range, item.times) for item in function.objects]
        for points, times in about or [(None, function.seen.times)]:
            for moment, share in _days(function.seen, times):
                yield {
                    "source": SOURCE,
                    "capture": SOURCE,
                    "last_capture": SOURCE,
                    "bucket": moment,
                    "protocol": edge.protocol,
                    "transport": transport,
                    "client": places.get(edge.client, edge.client),
                    "server": _address(edge.server, places),
                    "server_port": port,
                    "server_unit": function.unit or None,
                    "kind": "request",
                    "function": function.code,
                    "function_name": function.name,
                    "operation": function.operation,
                    "status": "ok",
                    "object_kind": points.kind if points is not None else None,
                    "object_start": points.start if points is not None else None,
                    "object_count": points.count if points is not None else 0,
                    "property_name": points.property_name if points is not None else "",
                    "coalesced": False,
                    "count": share,
                    "events": share,
                    "first_time": moment,
                    "last_time": moment,
                    "first_frame": 0,
                    "last_frame": 0,
                    "sample_frames": [],
                    "value_not_finite": False,
                    "changes": 0,
                }


def _days(seen: SeenRecord, times: int) -> Iterator[tuple[int, int]]:
    """The times, spread over as many days as they were seen on; the last of them is the last one."""
    days = max(min(seen.days, times, MOST_DAYS), 1)
    for number in range(days):
        day = _moment(seen.last) - (days - 1 - number) * DAY
        yield day, times // days + (number < times % days)


def _moment(day: dt.date) -> int:
    return (day - dt.date(1970, 1, 1)).days * DAY


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    columns = []
    for field in AGGREGATES:
        plain = field.type.value_type if isinstance(field.type, pa.DictionaryType) else field.type
        columns.append(pa.array([row.get(field.name) for row in rows], plain).cast(field.type))
    return pa.Table.from_arrays(columns, schema=AGGREGATES)
