"""What the captures let us see: windows, points, zones, directions, and what stayed unread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from zonewatch.inventory.model import Evidence
from zonewatch.reports.facts.model import WHOLE, Observation
from zonewatch.reports.facts.seen import Seen, said
from zonewatch.reports.facts.told import frames
from zonewatch.rules.safeguards import ENCRYPTED


def window(seen: Seen) -> Iterator[Observation]:
    """Every capture that holds packets."""
    for row in seen.result.captures:
        if row.packets:
            yield Observation(
                WHOLE,
                "cov.window",
                (
                    ("source", row.source),
                    ("capture", row.name),
                    ("sha256", row.sha256),
                    ("packets", str(row.packets)),
                    ("bytes", str(row.bytes)),
                    ("dropped", "" if row.reported_drops is None else str(row.reported_drops)),
                    ("gaps", str(row.gaps)),
                    ("silence", str(row.silence)),
                ),
                count=row.packets,
                first_time=row.first_time,
                last_time=row.last_time,
                evidence=(Evidence(row.source, row.name, 1),),
            )


def sensor_points(seen: Seen) -> Iterator[Observation]:
    """Which point saw which zones, in which VLANs."""
    vlans: defaultdict[tuple[str, str], set[int | None]] = defaultdict(set)
    assets: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    proof: defaultdict[tuple[str, str], set[Evidence]] = defaultdict(set)
    for asset in seen.result.inventory.assets:
        for interface in asset.interfaces:
            place = (interface.source, seen.zone(asset.id))
            vlans[place].add(interface.vlan)
            assets[place].add(asset.id)
            if asset.first_evidence is not None and asset.first_evidence.source == interface.source:
                proof[place].add(asset.first_evidence)
    spans = _spans(seen)
    for (source, zone), found in sorted(assets.items()):
        tags = sorted(vlan for vlan in vlans[source, zone] if vlan is not None)
        first, last = spans.get(source, (0, 0))
        yield Observation(
            zone,
            "cov.sensor_points",
            (
                ("source", source),
                ("vlans", ", ".join(map(str, tags))),
                ("untagged", "yes" if None in vlans[source, zone] else "no"),
            ),
            count=len(found),
            first_time=first,
            last_time=last,
            evidence=frames(proof[source, zone]),
        )


def _spans(seen: Seen) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for row in seen.result.captures:
        if row.packets:
            first, last = found.get(row.source, (row.first_time, row.last_time))
            found[row.source] = (min(first, row.first_time), max(last, row.last_time))
    return found


def zone_visibility(seen: Seen) -> Iterator[Observation]:
    """How many declared assets of a zone were seen, and how many of its connections both ways."""
    for row in seen.visibilities.values():
        yield Observation(
            row.zone,
            "cov.zone_visibility",
            (
                ("declared", str(row.declared)),
                ("seen", str(row.seen)),
                ("connections", str(row.connections)),
                ("both_ways", str(row.both_ways)),
                ("sufficient", "yes" if row.sufficient else "no"),
                ("reason", row.reason_key),
            ),
            count=row.seen,
            first_time=seen.total.first_time,
            last_time=seen.total.last_time,
        )


def one_sided(seen: Seen) -> Iterator[Observation]:
    """Connections of which one direction only was captured, by zone; those of no edge by capture."""
    counts: defaultdict[str, int] = defaultdict(int)
    proof: defaultdict[str, list[Evidence]] = defaultdict(list)
    for edge in seen.edges:
        if edge.transport == "tcp" and edge.state == "one_way":
            for zone in {seen.zone(edge.client), seen.zone(edge.server)}:
                counts[zone] += 1
                proof[zone] += edge.evidence
    total = seen.total.one_sided_flows
    for zone, count in sorted({**counts, **({WHOLE: total} if total else {})}.items()):
        yield Observation(
            zone,
            "cov.one_sided",
            (("connections", str(count)),),
            count=count,
            first_time=seen.total.first_time,
            last_time=seen.total.last_time,
            evidence=frames(proof[zone]),
        )


def undecoded_share(seen: Seen) -> Iterator[Observation]:
    """Octets whose content was not read, beside all of them."""
    total = seen.total
    if not total.packets:
        return
    edges = seen.result.inventory.edges
    encrypted = sum(edge.bytes for edge in edges if edge.protocol in ENCRYPTED and said(edge))
    yield Observation(
        WHOLE,
        "cov.undecoded_share",
        (
            ("bytes", str(total.bytes)),
            ("unknown", str(sum(item.bytes for item in total.unknown))),
            ("undecoded", str(sum(item.bytes for item in total.undecoded))),
            ("encrypted", str(encrypted)),
        ),
        count=seen.unknown_bytes + encrypted,
        first_time=total.first_time,
        last_time=total.last_time,
    )
