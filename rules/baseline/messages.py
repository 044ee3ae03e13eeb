"""What decoded messages do that was not learned: edges, operations, functions, objects, values, orders, roles."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from zonewatch.dissectors.vocabulary import PROTOCOLS, STATE_CHANGING
from zonewatch.inventory.model import Evidence
from zonewatch.rules.baseline.deviation import Deviation, Kind
from zonewatch.rules.baseline.known import Known, surprise
from zonewatch.rules.baseline.learn import DIRECT, Observed, Step
from zonewatch.rules.baseline.model import Edge, EdgeKey
from zonewatch.rules.baseline.rows import Row
from zonewatch.rules.baseline.tell import Tell, target, targets
from zonewatch.rules.context import bounded, listing, span, times
from zonewatch.rules.targets import value_text

FEWEST_SELECTED: Final = 5
FEWEST_STEPS: Final = 1_000
FEWEST_BITS: Final = 8.0
PASSING: Final = ("session",)
"""Operations that come with every use of a protocol."""


def messages(known: Known, seen: Observed, tell: Tell) -> Iterator[Deviation]:
    """All of them, edge by edge."""
    edges: defaultdict[EdgeKey, list[Row]] = defaultdict(list)
    for row in seen.rows:
        edges[row.edge].append(row)
    for key, rows in sorted(edges.items()):
        # The answer to a request that was not captured says nothing new of the server.
        asked = [row for row in rows if row.status != "response_only" and row.operation not in PASSING]
        edge = known.edges.get(key)
        if edge is None:
            if asked and not _is_reply(known, edges, key):
                yield from _new_edge(known, key, asked, tell)
                yield from _roles(known, key, asked, tell)
        else:
            yield from _masters(edge, asked, tell)
        yield from _functions(known, edge, key, asked, tell)
        yield from _objects(known, key, asked, tell)
        yield from _values(known, key, rows, tell)
        if edge is not None:
            yield from _hours(known, key, asked, tell)
            yield from _orders(edge, seen.steps.get(key, ()), tell)


def _is_reply(known: Known, edges: Mapping[EdgeKey, Sequence[Row]], key: EdgeKey) -> bool:
    """True for a new conversation that answers another new one, as a device that says who it is when asked."""
    other = (key[1], key[0], key[2])
    if other in known.edges or other not in edges:
        return False
    return min(row.first for row in edges[other]) <= min(row.first for row in edges[key])


def _of(
    kind: Kind,
    rows: Sequence[Row],
    identity: Iterable[tuple[str, str]],
    text: str,
    bits: float,
    known: tuple[int, int],
    about: str = "",
) -> Deviation:
    first = rows[0]
    when = span((row.first, row.last) for row in rows)
    return Deviation(
        kind=kind,
        identity=(("client", first.client), ("server", first.server), ("protocol", first.protocol), *identity),
        text=text,
        bits=bits,
        days=known[0],
        learned=known[1],
        count=sum(row.events for row in rows),
        first_time=when[0],
        last_time=when[1],
        evidence=bounded(row.evidence for row in sorted(rows, key=lambda row: row.first)[:8]),
        client=first.client,
        server=first.server,
        protocol=first.protocol,
        function=", ".join(dict.fromkeys(row.label for row in rows)) if len({row.label for row in rows}) < 6 else "",
        operation=", ".join(sorted({row.operation for row in rows})),
        target=about,
    )


def _new_edge(known: Known, key: EdgeKey, rows: Sequence[Row], tell: Tell) -> Iterator[Deviation]:
    client, server, protocol = key
    masters = known.of_server[server, protocol] if protocol == "dnp3" else []
    days, sightings = tell.sightings(known, client, server)
    said = listing(dict.fromkeys(row.label for row in rows), 6)
    if masters:
        names = listing(tell.name(edge.client) for edge in masters)
        events = sum(edge.seen.times for edge in masters)
        text = f"{tell.name(client)} is a master of {tell.name(server)}, whose master is {names}: {said}"
        yield _of("second_master", rows, (), text, surprise(0, events), (days, events))
        return
    text = f"{tell.name(client)} speaks {protocol} with {tell.name(server)} ({said}): not among "
    yield _of("new_edge", rows, (), text + tell.edges(known, client, server), surprise(0, sightings), (days, sightings))


def _masters(edge: Edge, rows: Sequence[Row], tell: Tell) -> Iterator[Deviation]:
    """Link addresses of masters that an outstation did not have."""
    if edge.protocol != "dnp3" or not edge.client_units:
        return
    new: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.client_unit and row.client_unit not in edge.client_units:
            new[row.client_unit].append(row)
    for unit, found in sorted(new.items()):
        text = (
            f"{tell.name(edge.client)} speaks to {tell.name(edge.server)} as master {unit}, where it was "
            f"{listing(edge.client_units)}"
        )
        known = (edge.seen.days, edge.seen.times)
        yield _of("second_master", found, (("unit", unit),), text, surprise(0, edge.seen.times), known)


def _roles(known: Known, key: EdgeKey, rows: Sequence[Row], tell: Tell) -> Iterator[Deviation]:
    """Devices that only ever answered, or only ever asked, in the other part."""
    for end, asks in ((key[0], True), (key[1], False)):
        asset = known.assets.get(end)
        edges = [edge for edge in known.of_end.get(end, ()) if edge.protocol in PROTOCOLS]
        if asset is None or not edges or (not asks and not any(row.answered for row in rows)):
            continue
        if any((edge.client if asks else edge.server) == end for edge in edges):
            continue
        was, now = ("was only ever asked", "asks") if asks else ("only ever asked others", "is asked")
        text = f"{tell.name(end)} {was} ({times(len(edges), 'conversation')} known), and now it {now}"
        events = sum(edge.seen.times for edge in edges)
        yield _of("role_change", rows, (("asset", end),), text, surprise(0, events), (asset.seen.days, events))


def _functions(known: Known, edge: Edge | None, key: EdgeKey, rows: Sequence[Row], tell: Tell) -> Iterator[Deviation]:
    """Operations and functions that are new on the edge; on a new edge those that change state and are new to all."""
    client, server, protocol = key
    peers = [edge] if edge is not None else known.of_server[server, protocol]
    if not peers:
        return
    operations = known.operations(peers)
    functions = {(item.code, item.name, item.operation) for peer in peers for item in peer.functions}
    units = {item.unit for peer in peers for item in peer.functions}
    events = sum(peer.seen.times for peer in peers)
    days = max(peer.seen.days for peer in peers)
    whose = "" if edge is not None else " by any client"
    new: defaultdict[tuple[str, int | None, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if edge is None and not row.changing:
            continue
        if row.operation not in operations:
            new["", None, "", row.operation].append(row)
        elif (row.code, row.name, row.operation) not in functions:
            new["", row.code, row.name, row.operation].append(row)
        elif row.unit not in units:
            new[row.unit, row.code, row.name, row.operation].append(row)
    selected = sum(peer.select_before_operate.selected for peer in peers if peer.select_before_operate)
    direct = sum(peer.select_before_operate.direct for peer in peers if peer.select_before_operate)
    for (unit, code, _, operation), found in sorted(new.items(), key=lambda item: str(item[0])):
        label = listing(dict.fromkeys(row.label for row in found), 4)
        where = f"{tell.name(client)} at {tell.name(server)}"
        about = f"{times(events, 'event')} known on {times(days, 'day')}"
        if (protocol, code) in DIRECT and selected >= FEWEST_SELECTED and not direct:
            text = f"{where}: {label} without selecting first; {times(selected, 'command')} of {selected} were selected"
            yield _of("direct_operate", found, (), text, surprise(0, selected), (days, selected))
            continue
        kind: Kind = "new_operation" if operation not in operations else "new_function"
        if unit:
            text = f"{where}: {label} at unit {unit}, which was never asked{whose} ({about})"
        else:
            text = f"{where}: {label} ({operation}) was never used{whose} ({about})"
        text += _aimed(known, key, found)
        name = found[0].label if kind == "new_function" else ""
        identity = (("operation", operation), ("function", name), ("unit", unit))
        yield _of(kind, found, identity, text, surprise(0, events), (days, events))


def _aimed(known: Known, key: EdgeKey, rows: Sequence[Row]) -> str:
    """`; it wrote coil 4 (00005), never written before`: what is new beside the function itself."""
    new = [row.points for row in rows if row.points is not None and not known.written(key, row.unit, row.points)]
    return f"; it wrote {targets(new)}, never written before" if new and rows[0].changing else ""


def _objects(known: Known, key: EdgeKey, rows: Sequence[Row], tell: Tell) -> Iterator[Deviation]:
    """Objects that were written, and never were before by this client (on a new edge: by anyone)."""
    new: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    writes: Counter[str] = Counter()
    days = 0
    peers = [known.edges[key]] if key in known.edges else known.of_server[key[1], key[2]]
    functions = {(item.code, item.name, item.operation) for peer in peers for item in peer.functions}
    for peer in peers:
        for function in peer.functions:
            if function.operation in STATE_CHANGING:
                writes[function.unit] += function.seen.times
                days = max(days, function.seen.days)
    for row in rows:
        # Those of a new function, or of a unit at which nothing was ever written, are told with it.
        if not row.changing or row.points is None or not writes[row.unit]:
            continue
        if (row.code, row.name, row.operation) not in functions:
            continue
        if not known.written(key, row.unit, row.points):
            new[row.unit, row.points.kind].append(row)
    for (unit, kind), found in sorted(new.items()):
        about = targets(row.points for row in found if row.points is not None)
        text = (
            f"{tell.name(key[0])} wrote {about} of {tell.name(key[1])}: never written before "
            f"({times(writes[unit], 'write')} known on {times(days, 'day')})"
        )
        identity = (("unit", unit), ("object", kind))
        yield _of("new_object", found, identity, text, surprise(0, writes[unit]), (days, writes[unit]), about)


def _values(known: Known, key: EdgeKey, rows: Sequence[Row], tell: Tell) -> Iterator[Deviation]:
    """Values out of what was read or written."""
    found: defaultdict[tuple[str, bool, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.points is None or row.low is None or row.high is None or row.coalesced:
            continue
        expected = known.expected(key, row.unit, row.points, changing=row.changing)
        if expected is not None and expected.leaves(row.low, row.high):
            found[row.unit, row.changing, str(row.points)].append(row)
    for (unit, changing, name), out in sorted(found.items()):
        points = out[0].points
        if points is None:
            continue
        expected = known.expected(key, unit, points, changing=changing)
        if expected is None:
            continue
        low = min(row.low for row in out if row.low is not None)
        high = max(row.high for row in out if row.high is not None)
        now = " and ".join(
            value_text(points.kind, value)
            for value in dict.fromkeys((low, high))
            if not expected.span.holds(value, value)
        )
        whose = "the limits are" if expected.is_limit else f"{times(expected.samples, 'value')} learned"
        text = (
            f"{tell.name(key[1])}: {target(points)} {'was set to' if changing else 'is'} {now}; {whose} "
            f"{expected.span} "
        ).strip()
        edges = [edge for edge in (known.edges.get(key), *known.of_server[key[1], key[2]]) if edge is not None]
        bits = surprise(0, 1_000) if expected.is_limit else expected.bits
        identity = (("unit", unit), ("object", name), ("set", "yes" if changing else "no"))
        days = edges[0].seen.days if edges else 0
        yield _of("value_range", out, identity, text, bits, (days, expected.samples), target(points))


def _hours(known: Known, key: EdgeKey, rows: Sequence[Row], tell: Tell) -> Iterator[Deviation]:
    groups: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.changing:
            groups[row.operation].append(row)
    for operation, found in sorted(groups.items()):
        function = next(
            (known.functions[key, row.function] for row in found if (key, row.function) in known.functions),
            None,
        )
        if function is not None:
            spans = [(row.first, row.last) for row in found]
            events = sum(row.events for row in found)
            evidence = [row.evidence for row in found]
            yield from tell.off_hours(function.seen, key, operation, spans, evidence, events)


def _orders(edge: Edge, steps: Sequence[Step], tell: Tell) -> Iterator[Deviation]:
    """Functions that change state in an order that was never seen."""
    total = sum(item.times for item in edge.transitions)
    if total < FEWEST_STEPS:
        return
    after: Counter[str] = Counter()
    pairs: dict[tuple[str, str], int] = {}
    for item in edge.transitions:
        after[item.before] += item.times
        pairs[item.before, item.after] = item.times
    labels = {label for pair in pairs for label in pair}
    new: defaultdict[tuple[str, str], list[Step]] = defaultdict(list)
    for one, other in itertools.pairwise(steps):
        if one.label in labels and other.label in labels and (one.label, other.label) not in pairs:
            new[one.label, other.label].append(other)
    for (before, following), found in sorted(new.items()):
        bits = surprise(0, after[before], len(labels))
        if bits < FEWEST_BITS:
            continue
        yield Deviation(
            kind="unusual_transition",
            identity=(
                *(("client", edge.client), ("server", edge.server), ("protocol", edge.protocol)),
                *(("before", before), ("after", following)),
            ),
            text=f"{tell.name(edge.client)} at {tell.name(edge.server)}: {following} right after {before}, "
            f"which was never seen in {times(total, 'change')} known on {times(edge.seen.days, 'day')}",
            bits=bits,
            days=edge.seen.days,
            learned=total,
            count=len(found),
            first_time=found[0].time,
            last_time=found[-1].time,
            evidence=bounded(Evidence(*step.evidence) for step in found[:8]),
            client=edge.client,
            server=edge.server,
            protocol=edge.protocol,
            function=following,
        )
