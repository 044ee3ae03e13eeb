"""A made-up audit of a water works, for the renderers, and what else may come to them."""

from __future__ import annotations

from dataclasses import replace

from tests.reports.sample_findings import FINDINGS
from tests.reports.sample_plant import (
    ADDRESS,
    ASSETS,
    CAPTURE,
    EDGES,
    LAPTOP,
    MINUTE,
    SCANNER,
    SOURCE,
    START,
    ZONES,
    frame,
)
from zonewatch.inventory.model import (
    Interface,
    Inventory,
)
from zonewatch.reports.result import (
    AuditResult,
    Capture,
    EvidenceFile,
    FindingFlow,
    MatrixCell,
    OddityCount,
    PolicyInfo,
    Undecoded,
    Unknown,
    UnusedFlow,
    VerdictRow,
    ordered,
)
from zonewatch.rules.findings import Change, Verdict

__all__ = ["CAPTURE", "EDGES", "FINDINGS", "SCANNER", "crowd", "empty", "hostile", "sample", "without_policy"]

VERDICT_OF: dict[tuple[str, str], Verdict] = {
    ("eng-1", "plc-3"): "violation",
    (LAPTOP, "plc-3"): "violation",
    (SCANNER, "plc-4"): "unzoned",
    ("pc-3", "ahu-2"): "violation",
    ("scada-1", "rtu-1"): "cannot_conclude",
}
ZONE_OF = {asset.id: asset.zone for asset in ASSETS}


def _verdicts() -> tuple[VerdictRow, ...]:
    rows = []
    for edge in EDGES:
        if not edge.ot:
            continue
        zone, server_zone = ZONE_OF.get(edge.client, ""), ZONE_OF.get(edge.server, ZONE_OF.get(edge.client, ""))
        for function in edge.functions:
            verdict = VERDICT_OF.get((edge.client, edge.server), "allowed")
            flow = "setpoints" if function.operation == "write" else "poll"
            rows.append(
                VerdictRow(
                    edge.client,
                    edge.server,
                    edge.protocol,
                    function.name,
                    function.operation,
                    verdict,
                    zone,
                    server_zone,
                    f"{zone}-to-{server_zone}" if zone != server_zone else "",
                    flow if zone != server_zone else "",
                    f"flow {flow} names other clients" if verdict == "violation" else "",
                    function.events,
                    function.evidence,
                )
            )
    return tuple(rows)


def _matrix(verdicts: tuple[VerdictRow, ...]) -> tuple[MatrixCell, ...]:
    counts: dict[tuple[str, str, str, str, Verdict], int] = {}
    for row in verdicts:
        key = (row.client_zone, row.server_zone, row.protocol, row.operation, row.verdict)
        counts[key] = counts.get(key, 0) + row.events
    it = (
        MatrixCell("office", "dmz", "https", "", "allowed", 4),
        MatrixCell("dmz", "supervision", "rdp", "", "allowed", 1),
        MatrixCell("office", "filtration", "tcp/502", "", "violation", 4),
        MatrixCell("supervision", "supervision", "rdp", "", "allowed", 1),
    )
    return (*(MatrixCell(*key, events) for key, events in counts.items()), *it)


def sample() -> AuditResult:
    verdicts = _verdicts()
    return ordered(
        AuditResult(
            version="0.1.0",
            title="Riverside water treatment",
            as_of=START + 30 * MINUTE,
            captures=(
                Capture(
                    SOURCE,
                    CAPTURE,
                    "pcapng",
                    "9f2c1e5ab7d04c3386b1f0e7a9c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6",
                    packets=118_204,
                    bytes=14_882_310,
                    first_time=START,
                    last_time=START + 30 * MINUTE,
                    flows=412,
                    events=31_442,
                    one_sided_flows=3,
                    oddities=17,
                ),
                Capture(
                    SOURCE,
                    "riverside-0830.pcapng",
                    "pcapng",
                    "11aa22bb33cc44dd55ee66ff778899aabbccddeeff00112233445566778899aa",
                    "partial",
                    "ends in the middle of a packet, at byte 812,004",
                    packets=5_120,
                    bytes=801_311,
                    first_time=START + 30 * MINUTE,
                    last_time=START + 31 * MINUTE,
                    silence=4_200_000_000,
                    silence_start_time=START + 30 * MINUTE,
                    reported_drops=40,
                    cut_packets=12,
                    cut_bytes=9_000,
                    duplicates=30,
                    duplicate_bytes=2_400,
                    undecoded=(Undecoded("modbus", 260, 0), Undecoded("dnp3", 0, 4)),
                    unknown=(Unknown("tcp", 4444, 1, 90, 51_000), Unknown("", None, 3, 12, 900)),
                    gaps=2,
                    gap_bytes=2_920,
                    events=1_002,
                ),
            ),
            inventory=Inventory(
                ASSETS, EDGES, ("rtu-4",), {(SOURCE, address): name for name, address in ADDRESS.items()}
            ),
            policy=PolicyInfo("riverside.yaml", "ab" * 32, "Riverside water treatment", "Riverside Water"),
            zones=ZONES,
            verdicts=verdicts,
            matrix=_matrix(verdicts),
            findings=FINDINGS,
            flows=(FindingFlow(FINDINGS[0].id, "tcp", ADDRESS["eng-1"], 51_514, ADDRESS["plc-3"], 502),),
            evidence=(EvidenceFile(FINDINGS[0].id, 6), EvidenceFile(FINDINGS[1].id, 4, 2)),
            oddities=(
                OddityCount("modbus", "modbus", "bad_length", 9, "length 6", (frame(70_411),)),
                OddityCount("dnp3", "link", "bad_checksum", 6, "CRC 0x1f2e", (frame(12_004),)),
                OddityCount("", "tcp", "gap", 2, "", (frame(118_300),)),
            ),
            unused_flows=(
                UnusedFlow(
                    "dmz-to-supervision",
                    "vendor-support",
                    "dmz",
                    "supervision",
                    "rdp",
                    (),
                    "remote support",
                    "2026-03-31",
                ),
                UnusedFlow(
                    "supervision-to-filtration", "firmware", "supervision", "filtration", "modbus", ("file",), "updates"
                ),
            ),
            limits=(
                "The traffic was captured at one point (core-span): what switches pass on below it was not seen.",
                "One file is damaged: its last seconds are missing.",
                "12 packets were cut by the capture's snap length; what was behind the cut was not decoded.",
            ),
        )
    )


def without_policy() -> AuditResult:
    """The same plant with proposed zones: nothing is judged."""
    result = sample()
    return replace(
        result,
        policy=PolicyInfo(proposal="policy_version: 1\nzones:\n  - id: supervision\n", reasons=("zones by subnet",)),
        verdicts=(),
        matrix=tuple(replace(cell, verdict="cannot_conclude") for cell in result.matrix),
        findings=tuple(finding for finding in result.findings if not finding.rule.startswith("policy.")),
        unused_flows=(),
    )


HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\"'&\u2028\u202e\x1b[31m=1+1"


def hostile() -> AuditResult:
    """Every string that packets can set is an attack."""
    result = sample()
    inventory = result.inventory
    assets = tuple(
        replace(
            asset,
            name=HOSTILE,
            vendor=HOSTILE,
            model=HOSTILE,
            firmware=HOSTILE,
            claims=tuple(replace(claim, value=HOSTILE) for claim in asset.claims),
            role_reasons=(HOSTILE,),
        )
        for asset in inventory.assets
    )
    edges = tuple(
        replace(edge, functions=tuple(replace(function, name=HOSTILE, unit=HOSTILE) for function in edge.functions))
        for edge in inventory.edges
    )
    findings = tuple(
        replace(
            finding,
            title=HOSTILE,
            description=HOSTILE,
            remedy=HOSTILE,
            suggestion=HOSTILE,
            changes=(Change(HOSTILE, HOSTILE, HOSTILE),),
        )
        for finding in result.findings
    )
    captures = tuple(replace(capture, name=HOSTILE, problem=HOSTILE) for capture in result.captures)
    return replace(
        result,
        title=HOSTILE,
        captures=captures,
        inventory=replace(inventory, assets=assets, edges=edges),
        findings=findings,
        limits=(HOSTILE,),
    )


def empty() -> AuditResult:
    """Nothing was seen at all."""
    return AuditResult("0.1.0", "", 0, (), Inventory((), ()))


def crowd(count: int, edges: int) -> AuditResult:
    """A large network: many devices, and a scan by one of them."""
    result = sample()
    pattern = result.inventory.assets[0]
    assets = tuple(
        replace(
            pattern,
            id=f"host-{index:05}",
            name=f"host-{index:05}",
            interfaces=(Interface(SOURCE, f"10.{index // 65536}.{index // 256 % 256}.{index % 256}", "", None, True),),
            zone=("office", "filtration", "")[index % 3],
            kind="ot" if index % 5 == 0 else "it",
        )
        for index in range(count)
    )
    lines = tuple(
        replace(
            EDGES[index % len(EDGES)],
            client=assets[index % 7].id,
            server=assets[index * 13 % count].id,
            server_port=index % 60_000,
        )
        for index in range(edges)
    )
    return replace(result, inventory=Inventory(assets, lines))
