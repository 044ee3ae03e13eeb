"""Devices that obey whoever asks, and what they were made to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from zonewatch.dissectors.vocabulary import PROTOCOLS
from zonewatch.inventory.addresses import subnet
from zonewatch.rules.context import (
    Context,
    Detector,
    Fact,
    Told,
    changes_state,
    listing,
    named_changes,
    sentence,
    span,
    times,
    value_changes,
)
from zonewatch.rules.exposure.edges import is_told
from zonewatch.rules.findings import Finding, Severity
from zonewatch.rules.judge import JudgedChange, VerdictRow
from zonewatch.rules.verdicts import counted

VALUES: Final = frozenset(("write", "operate"))
"""Operations that set values of the process."""


def unauthenticated(context: Context, detector: Detector, told: frozenset[Fact]) -> Iterator[Told]:
    """State-changing operations that cross zones over a protocol that asks nobody who they are."""
    cases: defaultdict[tuple[str, str, bool], list[VerdictRow]] = defaultdict(list)
    for row in context.judgement.rows:
        if not changes_state(row.seen.operation) or row.client_zone == row.server_zone or row.server.many:
            continue
        if not row.seen.obeyed:
            continue
        if context.proposed and subnet(row.client.address) == subnet(row.server.address):
            continue  # a proposal that parts a subnet is no boundary yet
        if not is_told(row, told) and not _authenticates(context, row):
            cases[row.server.id, row.seen.protocol, not row.client_zone].append(row)
    changes: defaultdict[tuple[str, str], list[JudgedChange]] = defaultdict(list)
    for item in context.judgement.changes:
        changes[item.row.server.id, item.row.seen.protocol].append(item)
    for (server, protocol, outside), rows in sorted(cases.items()):
        clients = {row.client.id for row in rows}
        theirs = [item for item in changes[server, protocol] if item.row.client.id in clients]
        yield Told(
            _unauthenticated(context, detector, server, protocol, outside, rows, theirs),
            frozenset((row.client.id, server, protocol) for row in rows) if outside else frozenset(),
        )


def _authenticates(context: Context, row: VerdictRow) -> bool:
    asset = context.assets.get(row.server.id)
    services = asset.services if asset else ()
    return any(item.posture == "used" for item in services if item.protocol == row.seen.protocol)


def _unauthenticated(
    context: Context,
    detector: Detector,
    server: str,
    protocol: str,
    outside: bool,
    rows: list[VerdictRow],
    changes: list[JudgedChange],
) -> Finding:
    severity: Severity = detector.severity
    reasons = ["crosses zones, and the protocol asks for no authentication"]
    if outside:
        severity, reasons = "high", [*reasons, "the client is in no zone"]
    elif context.proposed:
        reasons.append("the zones are a proposal")
    elif all(row.decision.verdict == "allowed" for row in rows):
        severity, reasons = "info", [*reasons, "the policy allows it"]
    clients = sorted({row.client.id for row in rows})
    operations = sorted({row.seen.operation for row in rows})
    return detector.finding(
        (("server", server), ("protocol", protocol), *((("from", "outside"),) if outside else ())),
        f"{context.name(server)} obeys {protocol} from another zone without authentication",
        severity,
        reasons,
        sentence(f"{', '.join(operations)} by {context.names(clients)}"),
        [item for row in rows for item in row.seen.evidence],
        assets=(server, *clients[:20]),
        protocol=protocol,
        operation=", ".join(operations),
        zones=[zone for row in rows for zone in (row.client_zone, row.server_zone)],
        changes=value_changes(changes, context.tags) if outside else (),
        count=counted(rows),
        when=span((row.seen.first_time, row.seen.last_time) for row in rows),
    )


def no_authentication(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Devices that obey whoever asks: one finding for each protocol."""
    for protocol in sorted(PROTOCOLS):
        assets = [
            (asset, service)
            for asset in context.inventory.assets
            for service in asset.services
            if service.protocol == protocol and service.posture == "none"
        ]
        if not assets:
            continue
        ids = list(dict.fromkeys(asset.id for asset, _ in assets))
        finding = detector.finding(
            (("protocol", protocol),),
            f"{times(len(ids), 'device')} obey{'s' if len(ids) == 1 else ''} {protocol} without authentication",
            detector.severity,
            ["the protocol as used here asks nobody who they are"],
            sentence(context.names(ids)),
            [service.evidence for _, service in assets if service.evidence],
            assets=ids,
            protocol=protocol,
            zones=sorted({asset.zone for asset, _ in assets}),
            count=len(ids),
            when=span((asset.first_time, asset.last_time) for asset, _ in assets),
        )
        yield Told(finding)


def value_change(context: Context, detector: Detector, told: frozenset[Fact]) -> Iterator[Told]:
    """Values that somebody altered as the policy allows: one finding for each flow."""
    cases: defaultdict[tuple[tuple[str, str], ...], list[JudgedChange]] = defaultdict(list)
    for item in context.judgement.changes:
        row = item.row
        if row.seen.operation not in VALUES or not row.seen.obeyed or is_told(row, told):
            continue
        ends = (("client", row.client.id), ("server", row.server.id), ("protocol", row.seen.protocol))
        by_flow = not context.proposed and row.decision.flow and row.decision.verdict == "allowed"
        cases[(("conduit", row.decision.conduit), ("flow", row.decision.flow)) if by_flow else ends].append(item)
    for identity, items in sorted(cases.items()):
        changes = value_changes(items, context.tags)
        if not changes:
            continue
        rows = [item.row for item in items]
        allowed = identity[0][0] == "conduit"
        said = f": {sentences}" if (sentences := named_changes(changes)) else ""
        clients, servers = sorted({row.client.id for row in rows}), sorted({row.server.id for row in rows})
        finding = detector.finding(
            identity,
            f"Values changed under flow {identity[1][1]} of conduit {identity[0][1]}"
            if allowed
            else f"{context.name(clients[0])} changed values of {context.name(servers[0])}",
            detector.severity,
            ["the policy allows it"] if allowed else ["a change of the process, told for the record"],
            sentence(
                f"{context.names(clients)} changed {times(len(changes), 'value')} of {context.names(servers)}{said}"
            ),
            [item for row in rows for item in row.seen.evidence],
            assets=(*clients[:10], *servers[:20]),
            protocol=listing(sorted({row.seen.protocol for row in rows})),
            operation=", ".join(sorted({row.seen.operation for row in rows})),
            zones=[zone for row in rows for zone in (row.client_zone, row.server_zone)],
            changes=changes,
            count=len(items),
            when=span((row.seen.first_time, row.seen.last_time) for row in rows),
        )
        yield Told(replace(finding, verdict="allowed") if allowed else finding)
