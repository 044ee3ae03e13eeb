"""The flow that would allow what was seen, as YAML ready to paste into the policy."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from zonewatch.inventory.unknown import PREFIX
from zonewatch.rules.context import listing
from zonewatch.rules.judge import VerdictRow
from zonewatch.rules.policy.model import ObjectRange, Policy
from zonewatch.rules.policy.values import merged, widened
from zonewatch.rules.policy.words import NAMED_KINDS, OBJECT_KINDS, is_protocol
from zonewatch.rules.policy.written import scalar, sequence
from zonewatch.rules.tags.model import NO_TAGS, Point, Tags

MOST_OBJECTS: Final = 24
MOST_NAMES: Final = 6


def identifier(*parts: str) -> str:
    """An id made of words: letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(part for part in parts if part)).strip("-").lower() or "flow"


def merged_objects(rows: Iterable[VerdictRow]) -> list[ObjectRange]:
    """The ranges that rows address, merged where they touch. Empty where some row names none."""
    found: list[ObjectRange] = []
    for row in rows:
        seen = row.seen
        if seen.object_kind is None or seen.object_kind not in OBJECT_KINDS:
            return []
        found.append(ObjectRange.of(seen.object_kind, seen.object_start, seen.object_count, seen.property_name))
    result = merged(found)
    if len(result) <= MOST_OBJECTS:
        return list(result)
    return list(merged(item if item.kind in NAMED_KINDS else ObjectRange(item.kind) for item in widened(result)))


def suggestion(policy: Policy, rows: list[VerdictRow], tags: Tags = NO_TAGS) -> str:
    """YAML of the flows for these rows (of one client, pair of zones and protocol); with their conduit where there is
    none. Servers that are asked the same share a flow. What tags call the objects is a comment behind their numbers."""
    first = rows[0]
    if not first.client_zone or not first.server_zone or first.client.many:
        return ""
    conduit = next(
        (item for item in policy.conduits if (item.from_, item.to) == (first.client_zone, first.server_zone)), None
    )
    taken = {flow.id for flow in conduit.flows} if conduit else set()
    lines = [line for asked in _asked_alike(rows) for line in _flow_lines(asked, taken, tags)]
    if conduit is not None:
        return "\n".join((f"# under flows: of conduit {conduit.id}", *lines)) + "\n"
    name = identifier(first.client_zone, "to", first.server_zone)
    while name in {item.id for item in policy.conduits}:
        name += "-2"
    head = (
        "# under conduits:",
        f"- id: {scalar(name)}",
        f"  from: {scalar(first.client_zone)}",
        f"  to: {scalar(first.server_zone)}",
        "  flows:",
    )
    return "\n".join((*head, *(f"    {line}" for line in lines))) + "\n"


def _asked_alike(rows: Iterable[VerdictRow]) -> list[list[VerdictRow]]:
    """The rows of servers that are asked for the same operations and objects, together."""
    by_server: dict[tuple[bool, str], list[VerdictRow]] = {}
    for row in rows:
        by_server.setdefault((row.server.many, row.server.label), []).append(row)
    alike: dict[tuple[object, ...], list[VerdictRow]] = {}
    for (many, _), found in by_server.items():
        uses = frozenset((row.seen.protocol, row.seen.transport, row.seen.server_port) for row in found)
        operations = frozenset(row.seen.operation for row in found)
        objects = tuple(merged_objects(row for row in found if row.seen.operation))
        alike.setdefault((many, uses, operations, objects), []).extend(found)
    return list(alike.values())


def _named(rows: Iterable[VerdictRow], tags: Tags) -> str:
    """`  # LT-101, LSHH-101 and 4 more`, in one line whatever the tags hold; empty where nothing has a name."""
    names: dict[str, None] = {}
    for row in sorted(rows, key=lambda row: (row.seen.object_kind or "", row.seen.object_start or 0)):
        seen = row.seen
        if seen.object_start is not None:
            point = Point(seen.unit, seen.protocol, seen.object_kind or "", seen.object_start, seen.property_name)
            found = tags.within(row.server.id, point, seen.object_count)
            names.update(dict.fromkeys(tag.name for tag in found if tag.name))
    text = listing(names, MOST_NAMES)
    return "  # " + " ".join("".join(mark if mark.isprintable() else " " for mark in text).split()) if text else ""


def _flow_lines(rows: list[VerdictRow], taken: set[str], tags: Tags) -> list[str]:
    first = rows[0]
    operations = sorted({row.seen.operation for row in rows if row.seen.operation})
    protocols = {row.seen.protocol for row in rows}
    ports = sorted({(row.seen.server_port, row.seen.transport) for row in rows})
    transports = {transport for _, transport in ports}
    protocol = first.seen.protocol
    known_by_port = ("/" in protocol or protocol.startswith(PREFIX)) and transports <= {"tcp", "udp"}
    if len(protocols) > 1 or known_by_port or not is_protocol(protocol):
        protocol = first.seen.transport if len(transports) == 1 and transports <= {"tcp", "udp", "icmp"} else "any"
        known_by_port = True
    servers = list(dict.fromkeys(row.server.label for row in rows))
    to = servers[0] if len(servers) == 1 else f"{len(servers)}-servers"
    name = identifier(first.client.label, to, protocol, operations[0] if len(operations) == 1 else "")
    while name in taken:
        name += "-2"
    taken.add(name)
    lines = [f"- id: {scalar(name)}", f"  protocol: {scalar(protocol)}"]
    exact = known_by_port and protocol in ("tcp", "udp") and len(ports) <= MOST_OBJECTS and all(p for p, _ in ports)
    if exact:
        lines.append(f"  ports: {sequence(f'{port}/{transport}' for port, transport in ports)}")
    if operations:
        lines.append(f"  operations: {sequence(operations)}")
    lines.append(f"  clients: {sequence([first.client.label])}")
    if not first.server.many:
        lines.append(f"  servers: {sequence(servers)}")
    objects = merged_objects(row for row in rows if row.seen.operation) if operations else []
    if objects:
        lines.append(f"  objects: {sequence(str(item) for item in objects)}{_named(rows, tags)}")
    return [*lines, '  purpose: ""  # why it is needed', "  approved: {by: , on: , until: }"]
