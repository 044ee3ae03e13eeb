"""Hosts that write to a device which they never ask anything, while others poll it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from zonewatch.rules.context import Context, Detector, Fact, Told, sentence, span, times, value_changes
from zonewatch.rules.exposure.control import VALUES
from zonewatch.rules.judge import VerdictRow

POLLED: Final = frozenset(("modbus", "dnp3", "s7comm"))
"""Protocols whose masters learn values by asking for them. BACnet devices command each other as a matter of course."""

FEWEST_READS: Final = 8
"""As many objects read by another host show that it is polled, and that reads are seen where the capture was made."""


def blind_writer(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """A client that writes and never reads: one finding for each client and server."""
    reads: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    writes: defaultdict[Fact, list[VerdictRow]] = defaultdict(list)
    for row in context.judgement.rows:
        seen = row.seen
        if seen.protocol not in POLLED or row.server.many or not seen.obeyed:
            continue
        if seen.operation == "read":
            readers = reads[row.server.id, seen.protocol]
            readers[row.client.id] = readers.get(row.client.id, 0) + seen.events
        elif seen.operation in VALUES:
            writes[row.client.id, row.server.id, seen.protocol].append(row)
    for fact, rows in sorted(writes.items()):
        client, server, protocol = fact
        readers = reads[server, protocol]
        if client in readers or context.flow_for(fact):
            continue
        pollers = sorted(name for name, count in readers.items() if count >= FEWEST_READS)
        if not pollers:
            continue
        changes = [item for item in context.judgement.changes if item.row.client.id == client]
        changes = [item for item in changes if item.row.server.id == server and item.row.seen.protocol == protocol]
        count = sum(row.seen.events for row in rows)
        finding = detector.finding(
            (("client", client), ("server", server), ("protocol", protocol)),
            f"{context.name(client)} writes to {context.name(server)} and never reads from it",
            detector.severity,
            ["it asked the device nothing", f"{context.names(pollers)} polls it"],
            sentence(f"{times(count, 'write')} by {context.name(client)}"),
            [item for row in rows for item in row.seen.evidence],
            assets=(client, server),
            protocol=protocol,
            operation=", ".join(sorted({row.seen.operation for row in rows})),
            zones=[zone for row in rows for zone in (row.client_zone, row.server_zone)],
            changes=value_changes(changes, context.tags),
            count=count,
            when=span((row.seen.first_time, row.seen.last_time) for row in rows),
        )
        yield Told(finding)
