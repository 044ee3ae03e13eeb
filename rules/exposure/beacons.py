"""Beacons: a host of the process that calls the same address of the internet by a clock.

A program that reports to somebody outside does so at a steady interval with a message of a steady size, and calls on
when nobody answers. So do licences, updates and clouds: what the policy allows is not told.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from statistics import median
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute

from zonewatch.inventory.model import Evidence
from zonewatch.inventory.tables import plain
from zonewatch.rules.context import Context, Detector, Fact, Told, changes_state, sentence, times

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column

FEWEST: Final = 12
"""Calls; fewer may be even by chance."""
SHORTEST: Final = 5_000_000_000
"""Nanoseconds between calls; faster ones are a program at work."""
STEADY: Final = 0.15
"""Standard deviation over the median, by the median deviation: 0 is a clock, 1 and more is chance."""
NORMAL: Final = 1.4826
"""The median deviation of a normal distribution, times this, is its standard deviation."""
BY_NATURE: Final = ("ntp", "dns", "ptp", "icmp", "icmpv6", "bgp", "vrrp")
"""Services that ask by a clock, for the time or for names."""

_PLACE: Final = ("source", "client", "server", "transport", "server_port")


class Beacon(NamedTuple):
    """Calls from one address to another."""

    source: str
    client: str
    server: str
    transport: str
    port: int
    service: str
    starts: tuple[int, ...]
    period: float  # nanoseconds
    jitter: float
    evidence: tuple[Evidence, ...]


def spread(values: list[int]) -> float:
    """How far values lie from their median, as part of it."""
    middle = median(values)
    deviation = median(abs(value - middle) for value in values)
    return NORMAL * deviation / middle if middle else 0.0


def beacons(flows: pa.Table) -> Iterator[Beacon]:
    """Steady calls among connections, by place."""
    table = plain(flows)
    single = pc.equal(table["flows"], pa.scalar(1, pa.uint64()))
    carried = pc.is_in(table["transport"], value_set=pa.array(["tcp", "udp"]))
    clocked = pc.is_in(table["service"], value_set=pa.array(BY_NATURE))
    table = table.filter(pc.and_(pc.and_(single, carried), pc.invert(clocked)))
    table = table.sort_by([(name, "ascending") for name in (*_PLACE, "first_time", "first_frame")])
    columns = ("first_time", "bytes_out", "service", "capture", "first_frame")
    totals: list[Any] = [(name, "list") for name in columns]
    groups = table.group_by(list(_PLACE), use_threads=False).aggregate([*totals, ([], "count_all")])
    for row in groups.filter(pc.field("count_all") >= FEWEST).to_pylist():
        starts, sizes = row["first_time_list"], row["bytes_out_list"]
        gaps = [after - before for before, after in pairwise(starts)]
        period, jitter = median(gaps), spread(gaps)
        if period < SHORTEST or jitter > STEADY or spread(sizes) > STEADY:
            continue
        frames = zip(row["capture_list"], row["first_frame_list"], strict=True)
        yield Beacon(
            **{name: row[name] for name in _PLACE[:4]},
            port=row["server_port"],
            service=row["service_list"][0],
            starts=tuple(starts),
            period=period,
            jitter=jitter,
            evidence=tuple(Evidence(row["source"], capture, frame) for capture, frame in list(frames)[:4]),
        )


def beacon(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Hosts of the process that call an address of the internet by a clock, and are not allowed to."""
    for seen in beacons(_outward(context)):
        client, server = (context.places.at(seen.source, address).id for address in (seen.client, seen.server))
        protocol = seen.service or f"{seen.transport}/{seen.port}"
        if context.flow_for((client, server, protocol)):
            continue
        reasons = [
            f"{len(seen.starts)} calls, the usual time between them {_time(seen.period)}, spread {seen.jitter:.0%}: "
            f"a clock is below {STEADY:.0%}",
        ]
        changed = [
            row for row in context.judgement.rows if row.client.id == client and changes_state(row.seen.operation)
        ]
        if any(row.seen.last_time >= seen.starts[0] for row in changed):
            reasons.append("since the first call the host changed devices of the process")
        finding = detector.finding(
            (("client", client), ("server", server), ("service", f"{seen.transport}/{seen.port}")),
            f"{context.name(client)} calls {context.name(server)} every {_time(seen.period)}",
            detector.severity,
            reasons,
            sentence(f"{times(len(seen.starts), 'connection')} over {protocol} to {seen.transport}/{seen.port}"),
            seen.evidence,
            assets=(client, server),
            protocol=protocol,
            zones=(context.zone(client),),
            count=len(seen.starts),
            when=(seen.starts[0], seen.starts[-1]),
        )
        yield Told(finding)


def _outward(context: Context) -> pa.Table:
    """Connections of process hosts to public addresses."""
    flows = context.flows
    ends = plain(flows.select(["source", "client", "server"])).group_by(["source", "client", "server"]).aggregate([])
    wanted = {
        (row["source"], row["client"], row["server"])
        for row in ends.to_pylist()
        if context.places.at(row["source"], row["server"]).public
        and context.is_process(context.places.at(row["source"], row["client"]).id)
    }
    if not wanted:
        return flows.slice(0, 0)
    keys = pc.binary_join_element_wise(
        *(flows[name].cast(pa.utf8()) for name in ("source", "client", "server")), "\x1f"
    )
    return flows.filter(pc.is_in(keys, value_set=pa.array(sorted("\x1f".join(key) for key in wanted))))


def _time(nanoseconds: float) -> str:
    """`60 s`, `5 min`, `1.5 h`."""
    seconds = nanoseconds / 1e9
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
