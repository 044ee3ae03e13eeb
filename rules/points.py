"""What several capture points, or one that falls silent, tell of the plant and of the sensor itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute

from zonewatch.inventory.model import Evidence
from zonewatch.inventory.tables import plain
from zonewatch.rules.context import Context, Detector, Fact, Told, bounded, listing, sentence, span, times
from zonewatch.rules.findings import Severity
from zonewatch.rules.judge import VerdictRow
from zonewatch.rules.policy.model import Conduit

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column

BY_ADDRESS: Final = frozenset(("client", "server", "protocol", "port"))
"""Aspects in which a flow differs that every packet filter sees."""
SECOND: Final = 1_000_000_000
LEAST_SILENCE: Final = 300 * SECOND
LEAST_RATE: Final = 10.0
"""Packets in a second, silence left out: then five minutes without any are no pause of the plant."""
LEAST_DROPS: Final = 100
BAD_DROPS: Final = 0.01
WORSE_DROPS: Final = 0.1

_KEY: Final = ("client", "server", "transport", "client_port", "server_port")
_READ: Final = ("source", "capture", "client_mac", "server_mac", "first_time", "last_time", "first_frame")


class _Passage(NamedTuple):
    """A connection at one capture point: the MAC addresses that its packets had there."""

    source: str
    macs: tuple[str, str]
    evidence: Evidence
    first: int
    last: int


def not_enforced(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Forbidden connections that were seen on both sides of a router or firewall."""
    if context.proposed:
        return
    forbidden = _forbidden(context)
    passages = _passages(context.flows, forbidden)
    for (client_address, server_address), rows in sorted(forbidden.items()):
        passed = _passed(passages[client_address, server_address], rows)
        if not passed:
            continue
        client, server = rows[0].client.id, rows[0].server.id
        zones = rows[0].client_zone, rows[0].server_zone
        conduit = _conduit(context, zones)
        device = (conduit.enforcement.device or "") if conduit is not None else ""
        promised = conduit is not None and bool(conduit.enforcement.deny_by_default)
        reasons = ["the same connection was seen at two capture points with other MAC addresses: it was routed"]
        if promised and conduit is not None:
            reasons.append(f"conduit {conduit.id} says that what it does not name is denied")
        services = sorted({row.seen.protocol for row in rows})
        points = sorted({item.source for item in passed})
        yield Told(
            detector.finding(
                (("client", client_address), ("server", server_address)),
                f"{device or 'A router or firewall'} lets pass what the policy forbids: "
                f"{context.name(client)} to {context.name(server)}",
                detector.severity,
                reasons,
                sentence(
                    f"{listing(services, 6)} from zone {zones[0]} to zone {zones[1]}, seen at {listing(points)}: "
                    + "; ".join(f"at {item.source} from {item.macs[0]} to {item.macs[1]}" for item in passed[:4])
                    + f". The policy: {listing(dict.fromkeys(row.decision.reason for row in rows), 4)}"
                ),
                [item.evidence for item in passed],
                assets=(client, server, *([device] if device in context.assets else [])),
                protocol=services[0] if len(services) == 1 else "",
                zones=zones,
                count=len(passed),
                when=span((item.first, item.last) for item in passed),
            )
        )


def _forbidden(context: Context) -> dict[tuple[str, str], list[VerdictRow]]:
    """What a packet filter between the zones would have to stop, by addresses: ids are of one capture point."""
    found: defaultdict[tuple[str, str], list[VerdictRow]] = defaultdict(list)
    for row in context.judgement.rows:
        decision = row.decision
        between = row.client_zone and row.server_zone and row.client_zone != row.server_zone
        plainly = not decision.flow or BY_ADDRESS.intersection(decision.differs)
        if decision.verdict == "violation" and between and plainly and not row.server.many:
            found[row.seen.client, row.seen.server].append(row)
    return dict(found)


def _conduit(context: Context, zones: tuple[str, str]) -> Conduit | None:
    return next((item for item in context.policy.conduits if (item.from_, item.to) == zones), None)


def _passages(flows: pa.Table, ends: Iterable[tuple[str, str]]) -> defaultdict[tuple[str, str], list[dict[str, Any]]]:
    """The flows between these ends, of all capture points; none where there is but one."""
    table = plain(flows)
    found: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    known = set(ends)
    if not known or pc.count_distinct(table["source"]).as_py() < 2:
        return found
    for place, name in enumerate(("client", "server")):
        table = table.filter(pc.is_in(table[name], value_set=pa.array(sorted({pair[place] for pair in known}))))
    for row in table.select([*_KEY, *_READ]).to_pylist():
        if (row["client"], row["server"]) in known and row["client_mac"] and row["server_mac"]:
            found[row["client"], row["server"]].append(row)
    return found


def _passed(flows: Iterable[dict[str, Any]], rows: list[VerdictRow]) -> list[_Passage]:
    """The forbidden connections that were seen at two capture points, both MAC addresses of each others."""
    asked = {(row.seen.transport, row.seen.server_port) for row in rows}
    by_key: defaultdict[tuple[object, ...], list[_Passage]] = defaultdict(list)
    for row in flows:
        if (row["transport"], row["server_port"]) in asked:
            proof = Evidence(row["source"], row["capture"], row["first_frame"])
            macs = row["client_mac"], row["server_mac"]
            by_key[tuple(row[name] for name in _KEY)].append(
                _Passage(row["source"], macs, proof, row["first_time"], row["last_time"])
            )
    found: list[_Passage] = []
    for passages in by_key.values():
        found += [item for item in passages if any(_apart(item, other) for other in passages)]
    return sorted(set(found), key=lambda item: (item.first, item))


def _apart(one: _Passage, other: _Passage) -> bool:
    return (
        one.source != other.source
        and all(here != there for here, there in zip(one.macs, other.macs, strict=True))
        and one.first <= other.last
        and other.first <= one.last
    )


def blind(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """A capture point that lost packets, fell silent, or had nothing at all while others had."""
    rows = plain(context.coverage).to_pylist()
    busy = {row["source"] for row in rows if row["packets"]}
    by_source: defaultdict[str, list[tuple[Severity, str, tuple[int, int]]]] = defaultdict(list)
    for row in rows:
        by_source[row["source"]] += _gaps(row)
    for source in sorted({row["source"] for row in rows} - busy):
        if busy:
            by_source[source].append(("high", f"not one packet, while {listing(sorted(busy))} had some", (0, 0)))
    for source, gaps in sorted(by_source.items()):
        if not gaps:
            continue
        worst: Severity = "high" if any(severity == "high" for severity, _, _ in gaps) else "medium"
        yield Told(
            detector.finding(
                (("source", source),),
                f"Capture point {source} did not see everything",
                worst,
                [text for _, text, _ in gaps[:6]],
                "What was done in that time, or in those packets, is in no finding, and what is told as missing "
                "may have been there.",
                bounded(()),
                count=len(gaps),
                when=span(when for _, _, when in gaps if when[0]),
            )
        )


def _gaps(row: dict[str, Any]) -> Iterator[tuple[Severity, str, tuple[int, int]]]:
    """What one capture did not see: how bad, in words, and when."""
    first, last = row["first_time"] or 0, row["last_time"] or 0
    packets, drops = row["packets"], row["reported_drops"] or 0
    share = drops / (packets + drops) if drops else 0.0
    if drops >= LEAST_DROPS and share >= BAD_DROPS:
        text = f"{row['capture']}: {times(drops, 'packet')} dropped by the capturing machine, {share:.0%} of all"
        yield "high" if share >= WORSE_DROPS else "medium", text, (first, last)
    silence, begin = row["silence"], row["silence_start_time"] or 0
    rest = (last - first - silence) / SECOND
    if silence >= LEAST_SILENCE and rest > 0 and packets / rest >= LEAST_RATE and packets >= 60 * LEAST_RATE:
        text = (
            f"{row['capture']}: no packet for {silence / SECOND:,.0f} s, with {packets / rest:,.0f} a second otherwise"
        )
        yield "high", text, (begin, begin + silence)
