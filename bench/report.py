"""A report about a large site: 10,000 assets, 200,000 edges with a policy, findings and IT services.

    python bench/report.py [--assets 10000] [--edges 200000] [--folder FOLDER] [--profile]

The site is made up, by a fixed seed. Its result is written as an audit writes it, then each step of `zonewatch report`
is timed in a process of its own, and the command as a whole with the most memory that it took.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import os
import pstats
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))

from zonewatch.inventory.model import Activity, Asset, Claim, Edge, Evidence, Function, Interface, Inventory, Service
from zonewatch.inventory.model import Target as Range
from zonewatch.reports.declared import ConduitInfo, FlowInfo
from zonewatch.reports.json_result import dumps, loads
from zonewatch.reports.result import (
    AuditResult,
    Capture,
    EvidenceFile,
    MatrixCell,
    PolicyInfo,
    VerdictRow,
    ZoneInfo,
    ordered,
)
from zonewatch.rules.findings import Finding

ROOT: Final = Path(__file__).parents[1]
DAY: Final = 86_400 * 1_000_000_000
START: Final = 1_772_438_400 * 1_000_000_000
KINDS: Final = ("control", "control", "control", "supervisory", "business", "dmz")
LEVELS: Final = {"control": 1.0, "supervisory": 2.0, "dmz": 3.5, "business": 4.0}
ROLES: Final = {"control": "controller", "supervisory": "hmi_scada", "dmz": "historian", "business": "it_host"}
CONTROL: Final = (("modbus", 502), ("dnp3", 20000), ("s7comm", 102), ("bacnet", 47808))
OFFICE: Final = (("https", 443), ("dns", 53), ("smb", 445), ("ssh", 22), ("rdp", 3389), ("ntp", 123), ("telnet", 23))
DONE: Final = (
    (3, "read_holding_registers", "read"),
    (4, "read_input_registers", "read"),
    (16, "write_multiple_registers", "write"),
    (5, "write_single_coil", "operate"),
    (None, "download_block", "program_download"),
)
RULES: Final = (
    ("policy.violation", "high"),
    ("exposure.scan", "medium"),
    ("exposure.smb1", "medium"),
    ("pivot.login_burst", "critical"),
    ("modbus.write_flood", "low"),
)
"""A finding tells one of them; a site has thousands of some."""


def _evidence(chance: random.Random, frames: int = 1) -> tuple[Evidence, ...]:
    return tuple(sorted(Evidence("span", "day.pcapng", chance.randrange(1, 1 << 31)) for _ in range(frames)))


def site(assets: int = 10_000, edges: int = 200_000, zones: int = 60) -> AuditResult:
    """A result as an audit gives it; the same one for the same numbers."""
    chance = random.Random(62443)
    kinds = {f"zone-{number:03}": KINDS[number % len(KINDS)] for number in range(zones)}
    places = tuple(kinds)
    hosts = tuple(
        _asset(chance, number, places[number % zones], kinds[places[number % zones]]) for number in range(assets)
    )
    lines = _edges(chance, hosts, kinds, edges)
    of_zone = {asset.id: asset.zone for asset in hosts}
    conduits = _conduits(places)
    verdicts = _verdicts(lines, of_zone, {(one.from_zone, one.to_zone): one for one in conduits})
    findings = _findings(chance, lines, of_zone, edges // 100)
    return ordered(
        AuditResult(
            version="bench",
            title="A large site",
            as_of=START + 2 * DAY,
            captures=(
                Capture(
                    "span",
                    "day.pcapng",
                    "pcapng",
                    "0" * 64,
                    packets=10**9,
                    bytes=10**11,
                    first_time=START,
                    last_time=START + 2 * DAY,
                ),
            ),
            inventory=Inventory(hosts, lines, activities=_activities(chance, lines, edges // 10)),
            policy=PolicyInfo(
                "site.yaml",
                "1" * 64,
                system="A large site",
                approved_by="operations",
                approved_on="2026-03-01",
                conduits=conduits,
            ),
            zones=tuple(
                ZoneInfo(
                    zone,
                    zone.replace("zone-", "Area "),
                    LEVELS[kind],
                    "2",
                    kind=kind,
                    levels=tuple((name, 2) for name in ("IAC", "UC", "SI", "DC", "RDF", "TRE", "RA")),
                    declared=tuple(asset.declared for asset in hosts if asset.zone == zone and asset.declared),
                )
                for zone, kind in kinds.items()
            ),
            verdicts=verdicts,
            matrix=_matrix(verdicts),
            findings=findings,
            evidence=tuple(EvidenceFile(finding.id, 12) for finding in findings[:500]),
            looked_for=tuple(rule for rule, _ in RULES),
        )
    )


def _asset(chance: random.Random, number: int, zone: str, kind: str) -> Asset:
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    mac = f"02:00:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
    services = CONTROL if kind == "control" else OFFICE
    return Asset(
        id=address,
        name=f"{ROLES[kind]}-{number}",
        interfaces=(Interface("span", address, mac, 100 + number % 40, False),),
        role=ROLES[kind],
        role_confidence="high",
        purdue=LEVELS[kind],
        vendor="Maker",
        model=f"Model {number % 90}",
        declared=f"asset-{number}" if number % 10 else "",
        zone=zone,
        kind="ot" if kind in ("control", "supervisory") else "it",
        claims=(Claim("model", f"Model {number % 90}", "modbus", "high", _evidence(chance)[0], winner=True),),
        services=tuple(
            Service(name, "tcp", port, "none", "obeyed without", _evidence(chance)[0]) for name, port in services[:2]
        ),
        first_time=START + chance.randrange(DAY),
        last_time=START + DAY + chance.randrange(DAY),
        first_evidence=_evidence(chance)[0],
    )


def _edges(chance: random.Random, hosts: tuple[Asset, ...], kinds: dict[str, str], count: int) -> tuple[Edge, ...]:
    found: dict[tuple[str, str, str], Edge] = {}
    while len(found) < count:
        client, server = chance.choice(hosts), chance.choice(hosts)
        control = kinds[server.zone] in ("control", "supervisory") and chance.random() < 0.7
        protocol, port = chance.choice(CONTROL if control else OFFICE)
        key = (client.id, server.id, protocol)
        if client is server or key in found:
            continue
        done = chance.sample(DONE, chance.choice((1, 1, 2, 3))) if control else ()
        functions = tuple(_function(chance, row) for row in done)
        first = START + chance.randrange(DAY)
        found[key] = Edge(
            client=client.id,
            server=server.id,
            client_address=client.id,
            server_address=server.id,
            protocol=protocol,
            transport="tcp",
            server_port=port,
            ot=control,
            functions=functions,
            operations=tuple(sorted({row.operation for row in functions})),
            events=sum(row.events for row in functions),
            packets=chance.randrange(10, 10_000),
            bytes=chance.randrange(1_000, 10_000_000),
            state=chance.choice(("established", "established", "closed", "attempted", "reset", "one_way")),
            first_time=first,
            last_time=first + chance.randrange(DAY),
            evidence=_evidence(chance, 2),
        )
    return tuple(found.values())


def _function(chance: random.Random, row: tuple[int | None, str, str]) -> Function:
    code, name, operation = row
    events = chance.randrange(1, 100_000)
    return Function(
        code,
        name,
        operation,
        "1",
        events,
        (Range("holding-register", chance.randrange(1_000), 10),),
        (("error", 1), ("ok", events)) if chance.random() < 0.1 else (("ok", events),),
        _evidence(chance, 2),
    )


def _conduits(places: tuple[str, ...]) -> tuple[ConduitInfo, ...]:
    pairs = [(start, end) for place, start in enumerate(places) for end in places[place % 3 :: 3] if start != end]
    return tuple(
        ConduitInfo(f"{start}-to-{end}", "", start, end, flows=(FlowInfo("poll", "modbus", ("read",)),))
        for start, end in pairs
    )


def _verdicts(
    edges: tuple[Edge, ...],
    zones: dict[str, str],
    conduits: dict[tuple[str, str], ConduitInfo],
) -> tuple[VerdictRow, ...]:
    rows = []
    for edge in edges:
        pair = (zones[edge.client], zones[edge.server])
        conduit = conduits.get(pair)
        inside = pair[0] == pair[1]
        for function in edge.functions or (None,):
            allowed = inside or (conduit is not None and (function is None or function.operation == "read"))
            rows.append(
                VerdictRow(
                    edge.client,
                    edge.server,
                    edge.protocol,
                    function.name if function else "",
                    function.operation if function else "",
                    "allowed" if allowed else "violation",
                    *pair,
                    conduit.id if conduit else "",
                    "poll" if conduit else "",
                    "" if allowed else "no flow allows it",
                    function.events if function else edge.packets,
                    edge.evidence,
                    "flow" if allowed and not inside else "",
                    () if allowed else ("operation",),
                    edge.state,
                    first_time=edge.first_time,
                    last_time=edge.last_time,
                )
            )
    return tuple(rows)


def _matrix(verdicts: tuple[VerdictRow, ...]) -> tuple[MatrixCell, ...]:
    found: dict[tuple[Any, ...], int] = {}
    for row in verdicts:
        key = (row.client_zone, row.server_zone, row.protocol, row.operation, row.verdict)
        found[key] = found.get(key, 0) + row.events
    return tuple(MatrixCell(*key, events) for key, events in found.items())


def _findings(chance: random.Random, edges: tuple[Edge, ...], zones: dict[str, str], count: int) -> tuple[Finding, ...]:
    rows = []
    for number, edge in enumerate(chance.sample(edges, count)):
        rule, severity = RULES[number % len(RULES)]
        rows.append(
            Finding(
                rule,
                (("client", edge.client), ("server", edge.server), ("protocol", edge.protocol)),
                f"{edge.client} does what it should not to {edge.server}",
                severity,
                ("crosses a boundary",),
                "What it did is not in the policy.",
                "Ask who needs it.",
                "OT",
                (edge.client, edge.server),
                edge.protocol,
                zones=tuple(dict.fromkeys((zones[edge.client], zones[edge.server]))),
                count=edge.packets,
                first_time=edge.first_time,
                last_time=edge.last_time,
                evidence=edge.evidence,
            )
        )
    return tuple(rows)


def _activities(chance: random.Random, edges: tuple[Edge, ...], count: int) -> tuple[Activity, ...]:
    wanted = [edge for edge in edges if edge.protocol in ("https", "smb", "ssh", "dns", "telnet")][:count]
    return tuple(
        Activity(
            client=edge.client,
            server=edge.server,
            protocol="tls" if edge.protocol == "https" else edge.protocol,
            transport="tcp",
            server_port=edge.server_port,
            action="login",
            operation="authenticate",
            status="ok",
            code="0",
            fields=(
                ("tls.version", chance.choice(("1.0", "1.2", "1.3"))),
                ("user.name", f"user{chance.randrange(500)}"),
            ),
            coalesced=False,
            count=chance.randrange(1, 50),
            first_time=edge.first_time,
            last_time=edge.last_time,
            evidence=edge.evidence[0],
        )
        for edge in wanted
    )


def _steps(folder: Path) -> dict[str, Callable[[], Any]]:
    """Each step of a report by its name; a later one asks for what one before made."""
    from zonewatch.reports.document.data import dumps as report_json
    from zonewatch.reports.document.html import html
    from zonewatch.reports.document.lines import csv_files
    from zonewatch.reports.document.typst import pdf
    from zonewatch.reports.document.workbook import workbook
    from zonewatch.reports.facts.measure import measure
    from zonewatch.reports.packs.iec62443 import iec62443
    from zonewatch.reports.packs.material import Material
    from zonewatch.reports.texts import load_texts

    texts = load_texts("en")
    made: dict[str, Any] = {}

    def keep(name: str, value: Any) -> Any:
        made[name] = value
        return value

    return {
        "reading the result": lambda: keep("result", loads((folder / "result.json").read_text())),
        "facts": lambda: measure(made["result"]),
        "document": lambda: keep("document", iec62443(Material(made["result"], texts))),
        "HTML": lambda: html(made["document"], texts),
        "PDF": lambda: pdf(made["document"], texts),
        "JSON": lambda: report_json(made["document"]),
        "XLSX": lambda: workbook(made["document"], texts),
        "CSV": lambda: csv_files(made["document"]),
    }


def _timed(name: str, step: Callable[[], Any], profile: bool) -> None:
    profiler = cProfile.Profile()
    start, used = time.perf_counter(), time.process_time()
    value = profiler.runcall(step) if profile else step()
    wall, cpu = time.perf_counter() - start, time.process_time() - used
    size = f"{len(value) / 1e6:8.1f} MB" if isinstance(value, str | bytes) else ""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:24}{wall:8.2f} s {cpu:8.2f} s CPU {peak:8.0f} MB at most {size}", flush=True)
    if profile:
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(25)


def main() -> None:
    """Makes the site and times the steps."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=10_000)
    parser.add_argument("--edges", type=int, default=200_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--steps", action="store_true", help="the steps of the folder alone")
    asked = parser.parse_args()
    if asked.steps:
        gc.disable()  # as the command does
        for name, step in _steps(asked.folder).items():
            _timed(name, step, asked.profile)
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch) / "result"
        folder.mkdir(parents=True, exist_ok=True)
        text = dumps(site(asked.assets, asked.edges))
        (folder / "result.json").write_text(text)
        print(f"result.json: {len(text) / 1e6:.0f} MB", flush=True)
        more = ["--profile"] if asked.profile else []
        subprocess.run([sys.executable, __file__, "--steps", "--folder", str(folder), *more], check=True)
        command = [sys.executable, "-m", "zonewatch.sensor.cli", "report", str(folder), "--framework", "iec62443"]
        start = time.perf_counter()
        installed = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        subprocess.run([*command, "--out", str(Path(scratch) / "report")], check=True, env=installed)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"{'the whole command':24}{time.perf_counter() - start:8.2f} s {peak:8.0f} MB at most, of all")


if __name__ == "__main__":
    main()
