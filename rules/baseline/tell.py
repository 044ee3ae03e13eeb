"""The words and figures that deviations share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from zonewatch.inventory.model import Evidence, Inventory, Target
from zonewatch.inventory.targets import merge_targets
from zonewatch.rules.baseline.deviation import Deviation
from zonewatch.rules.baseline.known import Known, surprise
from zonewatch.rules.baseline.model import EXTERNAL, Edge, EdgeKey, Points, SeenRecord, hours_text
from zonewatch.rules.baseline.rhythm import SECOND
from zonewatch.rules.baseline.rows import Names
from zonewatch.rules.context import bounded, listing, times
from zonewatch.rules.targets import target_text

FEWEST_DAYS: Final = 3
FEWEST_TIMES: Final = 10
"""Before that, hours are no habit."""
HOUR: Final = 3_600 * SECOND


class Tell:
    """How devices are called, and how much is known of them."""

    def __init__(self, inventory: Inventory, names: Names) -> None:
        self._names: dict[str, str] = {}
        for name, asset in names.assets(inventory):
            address = asset.addresses[0] if asset.addresses else ""
            short = asset.short_name
            self._names.setdefault(name, f"{short} ({address})" if address and address not in short else short)

    def name(self, end: str) -> str:
        """How people are told an end."""
        if end == EXTERNAL:
            return "the internet"
        return self._names.get(end, end.removeprefix("broadcast:"))

    def sightings(self, known: Known, client: str, server: str) -> tuple[int, int]:
        """Days on which, and times a day that, an edge of either end was seen; of all edges where both are new."""
        edges = _near(known, client, server)
        return max((edge.seen.days for edge in edges), default=0), sum(edge.seen.days for edge in edges)

    def edges(self, known: Known, client: str, server: str) -> str:
        """`the 12 conversations of both, known for 3 days`."""
        edges = _near(known, client, server)
        days = max((edge.seen.days for edge in edges), default=0)
        return f"{times(len(edges), 'conversation')} known of {times(days, 'day')}"

    def off_hours(
        self,
        seen: SeenRecord,
        edge: EdgeKey,
        what: str,
        spans: Iterable[tuple[int, int]],
        evidence: Iterable[Evidence],
        count: int = 1,
    ) -> Iterator[Deviation]:
        """What goes on at hours that are more than one away from all learned ones."""
        if seen.days < FEWEST_DAYS or seen.times < FEWEST_TIMES or not seen.hours:
            return
        near = {(hour + step) % 24 for hour in seen.hours for step in (-1, 0, 1)}
        odd = [(first, last) for first, last in spans if first // HOUR % 24 not in near]
        if not odd:
            return
        client, server, protocol = edge
        hours = hours_text({first // HOUR % 24 for first, _ in odd})
        yield Deviation(
            kind="off_hours",
            identity=(("client", client), ("server", server), ("protocol", protocol), ("operation", what)),
            text=f"{self.name(client)}: {what} at {self.name(server)} at hour {hours} (UTC), learned at "
            f"{hours_text(seen.hours)} on {times(seen.days, 'day')}",
            bits=surprise(0, seen.times),
            days=seen.days,
            learned=seen.times,
            count=count,
            first_time=min(first for first, _ in odd),
            last_time=max(last for _, last in odd),
            evidence=bounded(evidence),
            client=client,
            server=server,
            protocol=protocol,
            operation=what,
        )


def _near(known: Known, client: str, server: str) -> list[Edge]:
    near = {edge.key: edge for end in (client, server) if end for edge in known.of_end.get(end, ())}
    return list((near or known.edges).values())


def target(points: Points) -> str:
    """Objects for people: `holding-register 99 (40100)`."""
    return target_text(points.kind, points.start, points.count or 1, points.property_name)


def targets(found: Iterable[Points]) -> str:
    """Several of them, those that touch as one."""
    merged = merge_targets(Target(points.kind, points.start, points.count, points.property_name) for points in found)
    return listing((target_text(one.kind, one.start, one.count or 1, one.property_name) for one in merged), 6)


def seconds(nanoseconds: float) -> str:
    """`1.5 s`."""
    return f"{nanoseconds / SECOND:.3g} s"
