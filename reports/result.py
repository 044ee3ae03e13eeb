"""The result of an audit: what every renderer shows. Rows are frozen; times are UTC nanoseconds, 0 is unknown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Final, Literal

from zonewatch.dissectors.zeek import PREFIX
from zonewatch.inventory.model import Asset, Edge, Evidence, Inventory
from zonewatch.inventory.unknown import UnknownProtocol
from zonewatch.reports.declared import (
    AssetInfo,
    BasisInfo,
    ConduitInfo,
    PermitInfo,
    RecordInfo,
    RemoteInfo,
    RequirementInfo,
)
from zonewatch.reports.second_opinion import SecondOpinion
from zonewatch.rules.findings import SEVERITIES, VERDICTS, Finding, Verdict
from zonewatch.rules.incidents import Incident
from zonewatch.rules.paths import Paths
from zonewatch.rules.register import Command

__all__ = [
    "EXTERNAL",
    "VERDICT_ORDER",
    "AuditResult",
    "Capture",
    "EvidenceFile",
    "FindingFlow",
    "MatrixCell",
    "MatrixLine",
    "OddityCount",
    "PolicyInfo",
    "Undecoded",
    "Unknown",
    "UnusedFlow",
    "VerdictRow",
    "ZoneInfo",
    "edge_key",
    "edge_verdicts",
    "matrix_lines",
    "matrix_zones",
    "ordered",
    "totals",
    "worst",
]

EXTERNAL: Final = "external"
"""The zone of public addresses in the matrix, where the policy puts them in none."""
VERDICT_ORDER: Final[tuple[Verdict, ...]] = ("violation", "unzoned", "cannot_conclude", "allowed")
"""The one that asks for attention first."""


@dataclass(frozen=True, slots=True)
class Undecoded:
    """What was not decoded of a recognised protocol."""

    protocol: str
    bytes: int = 0  # in its flows, and of no message
    messages: int = 0  # decoded in part


@dataclass(frozen=True, slots=True)
class Unknown:
    """Traffic to one port that no protocol explains; the rest has neither transport nor port."""

    transport: str
    port: int | None = None
    flows: int = 0
    packets: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Capture:
    """One input file and what it let us see: a row of the coverage table."""

    source: str
    name: str  # file name only
    format: str = ""
    sha256: str = ""  # empty where it was not asked for
    status: Literal["whole", "partial", "unreadable"] = "whole"
    problem: str = ""  # why partial
    packets: int = 0
    bytes: int = 0  # on the wire
    first_time: int = 0
    last_time: int = 0
    silence: int = 0  # longest time without any packet, nanoseconds
    silence_start_time: int = 0
    untimed_packets: int = 0
    reported_drops: int | None = None  # by the capturing machine; none where the file says nothing
    cut_packets: int = 0
    cut_bytes: int = 0
    long_packets: int = 0  # longer than Ethernet carries: joined by offloading, or jumbo frames
    checksums_tried: int = 0  # packets of a sample
    checksums_wrong: int = 0  # of these
    duplicates: int = 0  # copies made by a mirror: counted in packets, told once
    duplicate_bytes: int = 0
    repeats: int = 0  # came again within milliseconds, and no mirror explains it
    undecoded_packets: int = 0
    unknown_link_packets: int = 0  # of these: a link type that is not known
    gaps: int = 0
    gap_bytes: int = 0
    one_sided_flows: int = 0
    incomplete_fragments: int = 0
    clock_jumps: int = 0
    flows: int = 0
    flows_evicted: int = 0
    flows_folded: int = 0  # counted together: too many to tell each
    recognitions_dropped: int = 0
    exchanges_dropped: int = 0
    messages_dropped: int = 0  # times that half-built messages were given up
    units_folded: int = 0  # times that a unit was told together with others: too many to tell each
    combinations_coalesced: int = 0
    events: int = 0
    events_thinned: int = 0
    oddities: int = 0
    oddities_dropped: int = 0
    claims_dropped: int = 0
    activities_coalesced: int = 0
    activities_dropped: int = 0
    addresses_dropped: int = 0
    undecoded: tuple[Undecoded, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def is_log(self) -> bool:
        """True for one of Zeek's logs, whose lines stand in place of packets."""
        return self.name.startswith(PREFIX)


@dataclass(frozen=True, slots=True)
class PolicyInfo:
    """The policy that was judged against, or the zones that are proposed where there was none."""

    name: str = ""  # file name only; empty: no policy was given
    sha256: str = ""
    system: str = ""  # name of the system under consideration
    owner: str = ""
    proposal: str = ""  # a draft policy as YAML, where none was given
    reasons: tuple[str, ...] = ()  # why the zones are proposed so
    approved_by: str = ""  # the asset owner's approval (IEC 62443-3-2 ZCR 7.1)
    approved_on: str = ""  # ISO date
    valid_until: str = ""  # ISO date
    conduits: tuple[ConduitInfo, ...] = ()
    permits: tuple[PermitInfo, ...] = ()
    remote_access: tuple[RemoteInfo, ...] = ()
    basis: BasisInfo = field(default_factory=BasisInfo)
    assets: tuple[AssetInfo, ...] = ()  # those of which more is stated than what verdicts read

    @property
    def given(self) -> bool:
        """Whether a policy was given; otherwise the zones are a proposal, and nothing is a violation."""
        return bool(self.name)


@dataclass(frozen=True, slots=True)
class ZoneInfo:
    """A zone of the policy or of the proposal."""

    id: str
    name: str = ""
    purdue: float | None = None
    target: str = ""  # SL-T in words: "2", or "IAC 2, UC 2 …"
    members: tuple[str, ...] = ()  # subnets and addresses, as the policy writes them
    kind: str = ""  # business, dmz, supervisory, control, safety …
    safety: str = "none"  # designation: none, related, sis
    levels: tuple[tuple[str, int], ...] = ()  # SL-T by foundational requirement
    declared: tuple[str, ...] = ()  # ids of the devices that are declared in it
    requirements: tuple[RequirementInfo, ...] = ()
    parent: str = ""  # the zone that it is a part of
    record: RecordInfo = field(default_factory=RecordInfo)


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """What policy says of one function between two assets."""

    client: str  # asset id
    server: str  # asset id, or broadcast:<address>
    protocol: str
    function: str  # empty where traffic is judged as a whole
    operation: str
    verdict: Verdict
    client_zone: str = ""
    server_zone: str = ""
    conduit: str = ""
    flow: str = ""  # the flow that allows it, or that would have had to
    reason: str = ""
    events: int = 0
    evidence: tuple[Evidence, ...] = ()
    by: Literal["", "flow", "exception", "maintenance"] = ""  # what allows it; empty: a default, or nothing does
    differs: tuple[str, ...] = ()  # in which aspects it differs from the flow that would have had to allow it
    state: str = ""  # of the connections, where traffic is judged as a whole: the best that was seen
    refused: int = 0  # of the events, answered negatively
    unanswered: int = 0  # of the events, never answered where an answer was due
    first_time: int = 0
    last_time: int = 0


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One operation of one protocol from zone to zone; empty zone: in none, empty operation: other traffic."""

    from_zone: str
    to_zone: str
    protocol: str
    operation: str
    verdict: Verdict
    events: int


@dataclass(frozen=True, slots=True)
class UnusedFlow:
    """A flow that the policy allows and that no packet used."""

    conduit: str
    flow: str
    from_zone: str
    to_zone: str
    protocol: str
    operations: tuple[str, ...] = ()
    purpose: str = ""
    until: str = ""  # ISO date of the approval's end


@dataclass(frozen=True, slots=True)
class OddityCount:
    """Malformed or unexpected messages of one kind."""

    protocol: str
    layer: str
    code: str
    count: int
    expected: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class FindingFlow:
    """The one flow that a finding is about, where there is just one."""

    finding: str  # its id
    transport: str
    client: str  # IP address
    client_port: int
    server: str
    server_port: int


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """The mini capture of a finding: the packets behind it."""

    finding: str  # its id, which names the file
    packets: int
    left_out: int = 0  # packets behind the finding that are not in the file


@dataclass(frozen=True, slots=True)
class AuditResult:
    """All that an audit found, and how far it could see."""

    version: str  # of zonewatch
    title: str
    as_of: int  # what counts as today, for approvals that end
    captures: tuple[Capture, ...]
    inventory: Inventory
    policy: PolicyInfo = PolicyInfo()
    zones: tuple[ZoneInfo, ...] = ()
    verdicts: tuple[VerdictRow, ...] = ()
    matrix: tuple[MatrixCell, ...] = ()
    findings: tuple[Finding, ...] = ()
    incidents: tuple[Incident, ...] = ()  # findings as stories, the gravest first
    flows: tuple[FindingFlow, ...] = ()
    evidence: tuple[EvidenceFile, ...] = ()
    oddities: tuple[OddityCount, ...] = ()
    unknown: tuple[UnknownProtocol, ...] = ()  # between devices of the control system; most octets first
    unused_flows: tuple[UnusedFlow, ...] = ()
    paths: tuple[Paths, ...] = ()  # ways from outside to controllers, in their order
    commands: tuple[Command, ...] = ()  # the register of control commands, in its order
    limits: tuple[str, ...] = ()  # in words: what the conclusions do not cover
    looked_for: tuple[str, ...] = ()  # rules that were on and of which no finding was suppressed
    second_opinion: SecondOpinion | None = None  # another dissector's counts of the same captures, where asked for

    @property
    def partial(self) -> bool:
        """Whether some input could be read only in part."""
        return any(capture.status != "whole" for capture in self.captures)


def declared_as(result: AuditResult, asset: Asset) -> str:
    """The id that somebody declared a device by; empty for a name that the proposal of zones gave it."""
    if result.policy.given or asset.declared == asset.id or asset.id.endswith(f"/{asset.declared}"):
        return asset.declared
    return ""


def totals(captures: Iterable[Capture]) -> Capture:
    """The sum of all captures: counters added, times spanned, the longest silence, partial if one is."""
    rows = tuple(captures)
    counters = {
        field.name: sum(getattr(row, field.name) for row in rows)
        for field in fields(Capture)
        if field.type == "int" and field.name != "silence" and not field.name.endswith("_time")
    }
    drops = [row.reported_drops for row in rows if row.reported_drops is not None]
    silence = max(((row.silence, -row.silence_start_time) for row in rows), default=(0, 0))
    firsts = [row.first_time for row in rows if row.first_time]
    return Capture(
        source="",
        name="",
        status="partial" if any(row.status != "whole" for row in rows) else "whole",
        first_time=min(firsts, default=0),
        last_time=max((row.last_time for row in rows), default=0),
        silence=silence[0],
        silence_start_time=-silence[1],
        reported_drops=sum(drops) if drops else None,
        undecoded=_undecoded(rows),
        unknown=_unknown(rows),
        **counters,
    )


def _undecoded(rows: Iterable[Capture]) -> tuple[Undecoded, ...]:
    found: dict[str, Undecoded] = {}
    for item in (item for row in rows for item in row.undecoded):
        so_far = found.get(item.protocol, Undecoded(item.protocol))
        found[item.protocol] = replace(
            so_far, bytes=so_far.bytes + item.bytes, messages=so_far.messages + item.messages
        )
    return tuple(found[protocol] for protocol in sorted(found))


def _unknown(rows: Iterable[Capture]) -> tuple[Unknown, ...]:
    """By octets; the rest of each capture, which names no port, comes last."""
    found: dict[tuple[str, int | None], Unknown] = {}
    for item in (item for row in rows for item in row.unknown):
        so_far = found.get(key := (item.transport, item.port), Unknown(*key))
        found[key] = replace(
            so_far,
            flows=so_far.flows + item.flows,
            packets=so_far.packets + item.packets,
            bytes=so_far.bytes + item.bytes,
        )
    return tuple(
        sorted(found.values(), key=lambda item: (item.port is None, -item.bytes, item.transport, item.port or 0))
    )


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """The verdict that asks for attention first; none of none."""
    return min(verdicts, key=VERDICT_ORDER.index, default=None)


def matrix_zones(result: AuditResult) -> list[str]:
    """The zones of the matrix: outside first, then from the highest Purdue level down, no zone last."""
    used = {zone for cell in result.matrix for zone in (cell.from_zone, cell.to_zone)}
    levels = {zone.id: -1.0 if zone.purdue is None else zone.purdue for zone in result.zones}
    return sorted(used, key=lambda zone: (not zone, zone != EXTERNAL, -levels.get(zone, -1.0), zone))


@dataclass(frozen=True, slots=True)
class MatrixLine:
    """What is shown in one cell of the matrix: one control protocol, or all other traffic, under one verdict."""

    verdict: Verdict
    head: str  # the protocol; empty: other traffic
    counts: tuple[tuple[str, int], ...]  # operation → exchanges; of other traffic: service → packets


def matrix_lines(result: AuditResult) -> dict[tuple[str, str], tuple[MatrixLine, ...]]:
    """The cells by sending and receiving zone, the lines that ask for attention first."""
    found: dict[tuple[str, str], dict[tuple[Verdict, bool, str], dict[str, int]]] = {}
    for cell in result.matrix:
        group = (cell.verdict, not cell.operation, cell.protocol if cell.operation else "")
        counts = found.setdefault((cell.from_zone, cell.to_zone), {}).setdefault(group, {})
        word = cell.operation or cell.protocol
        counts[word] = counts.get(word, 0) + cell.events
    return {
        pair: tuple(
            MatrixLine(verdict, head, _most(counts) if other else tuple(sorted(counts.items())))
            for (verdict, other, head), counts in sorted(
                groups.items(), key=lambda item: (VERDICT_ORDER.index(item[0][0]), *item[0][1:])
            )
        )
        for pair, groups in sorted(found.items())
    }


def _most(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def edge_key(edge: Edge) -> tuple[str, str, str]:
    """What ties an edge to its verdict rows."""
    return (edge.client, edge.server, edge.protocol)


def edge_verdicts(result: AuditResult) -> dict[tuple[str, str, str], tuple[VerdictRow, ...]]:
    """The verdict rows of each edge, by client, server and protocol."""
    found: dict[tuple[str, str, str], list[VerdictRow]] = {}
    for row in result.verdicts:
        found.setdefault((row.client, row.server, row.protocol), []).append(row)
    return {key: tuple(rows) for key, rows in sorted(found.items())}


def _address_order(asset: Asset) -> tuple[str, str]:
    return (asset.zone, asset.id)


def _finding_order(finding: Finding) -> tuple[int, int, str, str]:
    return (-SEVERITIES.index(finding.severity), finding.first_time, finding.rule, finding.id)


def _edge_order(edge: Edge) -> tuple[str | int, ...]:
    addresses = (edge.client_address, edge.server_address)
    return (edge.client, edge.server, edge.protocol, edge.transport, edge.server_port, *addresses)


def _verdict_order(row: VerdictRow) -> tuple[str | int, ...]:
    names = (row.client, row.server, row.protocol, row.operation, row.function)
    return (*names, VERDICTS.index(row.verdict), row.conduit, row.flow, row.reason, row.events)


def _cell_order(cell: MatrixCell) -> tuple[str | int, ...]:
    return (cell.from_zone, cell.to_zone, cell.protocol, cell.operation, VERDICTS.index(cell.verdict), cell.events)


def ordered(result: AuditResult) -> AuditResult:
    """The same result in the one order that files are written in. Captures keep the order of their streams."""
    inventory = result.inventory
    return replace(
        result,
        inventory=replace(
            inventory,
            assets=tuple(sorted(inventory.assets, key=_address_order)),
            edges=tuple(sorted(inventory.edges, key=_edge_order)),
            unseen=tuple(sorted(inventory.unseen)),
        ),
        verdicts=tuple(sorted(result.verdicts, key=_verdict_order)),
        matrix=tuple(sorted(result.matrix, key=_cell_order)),
        findings=tuple(sorted(result.findings, key=_finding_order)),
        flows=tuple(sorted(result.flows, key=lambda flow: flow.finding)),
        evidence=tuple(sorted(result.evidence, key=lambda file: file.finding)),
        oddities=tuple(sorted(result.oddities, key=lambda row: (row.protocol, row.layer, row.code, row.expected))),
        unused_flows=tuple(sorted(result.unused_flows, key=lambda row: (row.conduit, row.flow, row.protocol))),
    )
