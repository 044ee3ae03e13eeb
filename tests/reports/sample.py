"""A made-up audit of a water works, for the renderers: 30 assets, 6 zones, 60 edges, 10 findings."""

from __future__ import annotations

from dataclasses import replace

from zonewatch.inventory.model import (
    Asset,
    Claim,
    Edge,
    Evidence,
    Function,
    Interface,
    Inventory,
    Role,
    Service,
    SubAsset,
    Target,
)
from zonewatch.reports.result import (
    AuditResult,
    Capture,
    FindingFlow,
    MatrixCell,
    OddityCount,
    PolicyInfo,
    UnusedFlow,
    VerdictRow,
    ZoneInfo,
    ordered,
)
from zonewatch.rules.findings import Change, Finding, Verdict

SOURCE = "core-span"
CAPTURE = "riverside-0800.pcapng"
START = 1_772_438_400_000_000_000  # 2026-03-02T08:00:00Z
MINUTE = 60_000_000_000

ZONES = (
    ZoneInfo("office", "Office", 4.0, "1", ("10.20.50.0/24",)),
    ZoneInfo("dmz", "DMZ", 3.5, "2", ("10.20.40.0/24",)),
    ZoneInfo("supervision", "Supervision", 2.0, "2", ("10.20.1.0/24",)),
    ZoneInfo("filtration", "Filtration", 1.0, "IAC 2, UC 2, SI 2, TRE 2", ("10.20.11.0/24",)),
    ZoneInfo("distribution", "Distribution", 1.0, "2", ("10.20.12.0/24",)),
    ZoneInfo("building", "Building automation", 1.0, "1", ("10.20.30.0/24",)),
)
PREFIX = {zone.id: zone.members[0].removesuffix("0/24") for zone in ZONES}

# id, zone, last octet, role, vendor, model, firmware, protocol served
DEVICES: tuple[tuple[str, str, int, Role, str, str, str, str], ...] = (
    ("dc-1", "office", 10, "it_server", "Dell", "PowerEdge R440", "", "ldap"),
    ("mail-1", "office", 11, "it_server", "HP", "ProLiant DL360", "", "smtp"),
    ("pc-1", "office", 101, "it_host", "Dell", "OptiPlex 7060", "", ""),
    ("pc-2", "office", 102, "it_host", "HP", "EliteDesk 800", "", ""),
    ("pc-3", "office", 103, "it_host", "Dell", "Latitude 5490", "", ""),
    ("history-mirror", "dmz", 10, "historian", "Dell", "PowerEdge R340", "", "https"),
    ("jump-host", "dmz", 20, "it_server", "Dell", "PowerEdge R240", "", "rdp"),
    ("clock-1", "supervision", 5, "it_server", "Meinberg", "LANTIME M300", "", "ntp"),
    ("scada-1", "supervision", 10, "hmi_scada", "Dell", "PowerEdge R740", "", ""),
    ("scada-2", "supervision", 11, "hmi_scada", "Dell", "PowerEdge R740", "", ""),
    ("hmi-1", "supervision", 15, "hmi_scada", "Advantech", "PPC-3190", "", ""),
    ("hmi-2", "supervision", 16, "hmi_scada", "Advantech", "PPC-3190", "", ""),
    ("eng-1", "supervision", 20, "engineering_station", "Dell", "Precision 3630", "", "rdp"),
    ("historian-1", "supervision", 30, "historian", "Dell", "PowerEdge R540", "", "https"),
    ("plc-1", "filtration", 11, "controller", "Schneider Electric", "BMX P34 2020", "V2.70", "modbus"),
    ("plc-2", "filtration", 12, "controller", "Schneider Electric", "BMX P34 2020", "V2.70", "modbus"),
    ("plc-3", "filtration", 13, "controller", "WAGO", "750-8212", "03.10.08", "modbus"),
    ("plc-4", "filtration", 14, "controller", "Schneider Electric", "TM221CE24R", "1.13.0.0", "modbus"),
    ("gateway-1", "filtration", 20, "gateway", "Moxa", "MGate MB3280", "", "modbus"),
    ("fep-1", "distribution", 5, "gateway", "SEL", "SEL-3530", "R150-V0", ""),
    ("rtu-1", "distribution", 11, "rtu", "SEL", "SEL-2411", "R116", "dnp3"),
    ("rtu-2", "distribution", 12, "rtu", "SEL", "SEL-2411", "R116", "dnp3"),
    ("rtu-3", "distribution", 13, "rtu", "RuggedCom", "RX1400 VPE", "", "dnp3"),
    ("bms-1", "building", 10, "hmi_scada", "Dell", "OptiPlex 5070", "", ""),
    ("bbmd-1", "building", 20, "controller", "Delta Controls", "DSM-RTR", "3.40", "bacnet"),
    ("ahu-1", "building", 31, "controller", "Delta Controls", "DAC-1146E", "3.40", "bacnet"),
    ("ahu-2", "building", 32, "controller", "Johnson Controls", "MS-NAE3510", "9.0.7", "bacnet"),
    ("router-1", "building", 40, "router", "Contemporary Controls", "BASRT-B", "", "bacnet"),
)
PORT = {"modbus": 502, "dnp3": 20000, "bacnet": 47808, "rdp": 3389, "https": 443, "ntp": 123, "ldap": 389, "smtp": 25}
OT = ("modbus", "dnp3", "bacnet")
LEVEL: dict[str, float] = {zone.id: zone.purdue or 0.0 for zone in ZONES}
LAPTOP = "10.20.1.77"
SCANNER = "45.83.64.10"


def frame(number: int) -> Evidence:
    return Evidence(SOURCE, CAPTURE, number)


def _asset(index: int, row: tuple[str, str, int, Role, str, str, str, str]) -> Asset:
    name, zone, octet, role, vendor, model, firmware, served = row
    address = f"{PREFIX[zone]}{octet}"
    seen = frame(100 + index)
    ot = LEVEL[zone] <= 2.0
    services = ()
    if served:
        is_ot = served in OT
        service = Service(
            served,
            "udp" if served in ("bacnet", "ntp") else "tcp",
            PORT[served],
            "none" if is_ot else "unknown",
            f"answered {served} requests without any authentication" if is_ot else "encrypted or not decoded",
            seen,
        )
        services = (service,)
    claims = [
        Claim("vendor", vendor, served if served in OT else "oui", "high", seen, 3, True),
        Claim(
            "model",
            model,
            served if served in OT else "asset-list",
            "high" if served in OT else "declared",
            seen,
            3,
            True,
        ),
        Claim("role", role, served or "flows", "medium", seen, 1, True),
    ]
    if served == "modbus":
        claims.append(Claim("model", "M340", "modbus", "low", frame(400 + index), 1, False))
    if firmware:
        claims.append(Claim("firmware", firmware, served or "dnp3", "high", seen, 2, True))
    units = tuple(SubAsset("modbus", str(unit)) for unit in (1, 2, 3)) if name == "gateway-1" else ()
    return Asset(
        id=name,
        name=name,
        interfaces=(Interface(SOURCE, address, f"00:80:f4:12:a0:{index:02x}", 10, zone == "office"),),
        role=role,
        role_confidence="high" if ot else "medium",
        role_reasons=("answers process reads and obeys writes",) if role == "controller" else ("by its traffic",),
        purdue=LEVEL[zone],
        vendor=vendor,
        model=model,
        firmware=firmware,
        criticality="high" if role in ("controller", "rtu") else "",
        declared=name,
        zone=zone,
        kind="ot" if ot else "it",
        claims=tuple(claims),
        units=units,
        services=services,
        first_time=START,
        last_time=START + 29 * MINUTE,
        first_evidence=seen,
    )


ASSETS = (
    *(_asset(index, row) for index, row in enumerate(DEVICES)),
    Asset(
        "10.20.1.77",
        "10.20.1.77",
        (Interface(SOURCE, LAPTOP, "8c:16:45:9d:e2:31", 10, False),),
        role="engineering_station",
        role_confidence="medium",
        role_reasons=("writes to a controller", "opened a remote desktop"),
        purdue=2.0,
        vendor="LCFC Electronics",
        zone="supervision",
        kind="ot",
        first_time=START + 11 * MINUTE,
        last_time=START + 24 * MINUTE,
        first_evidence=frame(41_877),
    ),
    Asset(
        SCANNER,
        SCANNER,
        (Interface(SOURCE, SCANNER, "", None, True),),
        role="external",
        role_confidence="high",
        role_reasons=("a public address",),
        kind="external",
        first_time=START + 26 * MINUTE,
        last_time=START + 27 * MINUTE,
        first_evidence=frame(98_112),
    ),
)
ADDRESS = {asset.id: asset.addresses[0] for asset in ASSETS}

READ_REGISTERS = (
    3,
    "read_holding_registers",
    "read",
    (Target("holding-register", 0, 40), Target("holding-register", 100, 24)),
)
READ_COILS = (1, "read_coils", "read", (Target("coil", 0, 32),))
WRITE_REGISTER = (6, "write_single_register", "write", (Target("holding-register", 100, 1),))
DNP3_READ = (1, "read", "read", (Target("class-0-data", None, 1), Target("analog-input", 0, 16)))
DNP3_OPERATE = (4, "operate", "operate", (Target("control-relay-output", 3, 1),))
BACNET_READ = (12, "read_property", "read", (Target("analog-value", 1, 8, "present_value"),))
BACNET_WRITE = (15, "write_property", "write", (Target("analog-value", 4, 1, "present_value"),))


def _ot(client: str, server: str, protocol: str, *functions: tuple, events: int = 1790, at: int = 2000) -> Edge:
    made = tuple(
        Function(
            code,
            name,
            operation,
            "1",
            events if operation == "read" else 3,
            targets,
            (("ok", events),),
            (frame(at + k),),
        )
        for k, (code, name, operation, targets) in enumerate(functions)
    )
    return Edge(
        client=client,
        server=server,
        client_address=ADDRESS.get(client, client),
        server_address=ADDRESS.get(server, server.removeprefix("broadcast:")),
        protocol=protocol,
        transport="udp" if protocol == "bacnet" else "tcp",
        server_port=PORT[protocol],
        ot=True,
        functions=made,
        operations=tuple(sorted({row.operation for row in made})),
        events=sum(row.events for row in made),
        packets=events * 2,
        bytes=events * 150,
        state="two_way" if protocol == "bacnet" else "established",
        first_time=START,
        last_time=START + 29 * MINUTE,
        evidence=(frame(at), frame(at + 1)),
    )


def _it(client: str, server: str, protocol: str, packets: int = 400, state: str = "closed") -> Edge:
    return Edge(
        client=client,
        server=server,
        client_address=ADDRESS.get(client, client),
        server_address=ADDRESS.get(server, server),
        protocol=protocol,
        transport="udp" if protocol in ("dns", "ntp", "syslog", "snmp") else "tcp",
        server_port=PORT.get(protocol, 0),
        ot=False,
        packets=packets,
        bytes=packets * 420,
        state=state,
        first_time=START + MINUTE,
        last_time=START + 20 * MINUTE,
        evidence=(frame(5000 + packets),),
    )


PLCS = ("plc-1", "plc-2", "plc-3", "plc-4", "gateway-1")
RTUS = ("rtu-1", "rtu-2", "rtu-3")
AHUS = ("bbmd-1", "ahu-1", "ahu-2", "router-1")
EDGES = (
    *(_ot("scada-1", plc, "modbus", READ_REGISTERS, READ_COILS) for plc in PLCS),
    *(_ot("scada-2", plc, "modbus", READ_REGISTERS, events=180) for plc in PLCS),
    *(_ot("hmi-1", plc, "modbus", READ_REGISTERS, WRITE_REGISTER, events=900) for plc in PLCS[:3]),
    *(_ot("historian-1", plc, "modbus", READ_REGISTERS, events=360) for plc in PLCS[:4]),
    _ot("eng-1", "plc-1", "modbus", READ_REGISTERS, WRITE_REGISTER, events=40),
    _ot("eng-1", "plc-3", "modbus", WRITE_REGISTER, events=3, at=44_120),
    _ot(LAPTOP, "plc-3", "modbus", READ_REGISTERS, events=12, at=43_900),
    _ot(SCANNER, "plc-4", "modbus", READ_REGISTERS, events=4, at=98_112),
    *(_ot("fep-1", rtu, "dnp3", DNP3_READ, DNP3_OPERATE, events=620) for rtu in RTUS),
    _ot("scada-1", "rtu-1", "dnp3", DNP3_READ, events=60),
    *(_ot("bms-1", ahu, "bacnet", BACNET_READ, BACNET_WRITE, events=300) for ahu in AHUS),
    _ot("bms-1", "broadcast:10.20.30.255", "bacnet", (8, "who_is", "discover", ()), events=30),
    _ot("pc-3", "ahu-2", "bacnet", BACNET_WRITE, events=2, at=61_004),
    *(_it(name, "clock-1", "ntp", 60) for name in ("scada-1", "scada-2", "hmi-1", "hmi-2", "eng-1", "historian-1")),
    *(
        _it(pc, server, protocol)
        for pc in ("pc-1", "pc-2", "pc-3")
        for server, protocol in (("dc-1", "ldap"), ("mail-1", "smtp"))
    ),
    _it("history-mirror", "historian-1", "https", 2400),
    *(_it(pc, "history-mirror", "https", 350) for pc in ("pc-1", "pc-2")),
    _it("jump-host", "eng-1", "rdp", 1800),
    _it(LAPTOP, "eng-1", "rdp", 5200),
    _it("pc-3", "jump-host", "rdp", 900),
    *(_it("pc-2", plc, "tcp/502", 2, "attempted") for plc in PLCS[:4]),
    _it("pc-2", "scada-1", "smb", 12, "refused"),
    _it("hmi-2", "scada-1", "https", 700),
    _it("scada-1", "historian-1", "https", 3100),
    _it("scada-2", "scada-1", "tcp/5450", 900),
)

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


SUGGESTION = """\
conduits:
  - id: supervision-to-filtration
    from: supervision
    to: filtration
    flows:
      - id: eng-1-writes-plc-3
        protocol: modbus
        operations: [write]
        clients: [eng-1]
        servers: [plc-3]
        objects: [holding-register 100]
        purpose: (say why)
"""
FINDINGS = (
    Finding(
        "policy.violation",
        (("client", "eng-1"), ("server", "plc-3"), ("protocol", "modbus"), ("operation", "write")),
        "eng-1 writes setpoints of plc-3 (chlorine dosing), which the policy does not allow",
        "critical",
        ("a state-changing operation", "plc-3 is of high criticality", "no flow allows it"),
        "The engineering station changed the chlorine dosing setpoint three times. Conduit supervision-to-filtration "
        "lets only hmi-1 write these registers.",
        "Stop the writes at the firewall between supervision and filtration, and ask who was at eng-1 at 08:14. "
        "If the change was planned, add the flow below to the policy, with an end date.",
        "OT",
        ("eng-1", "plc-3"),
        "modbus",
        "write",
        "violation",
        ("supervision", "filtration"),
        ("T0836",),
        ("SR 1.1", "SR 2.1"),
        (Change("holding-register 100 (40101)", "120", "310"), Change("holding-register 101 (40102)", "unknown", "1")),
        SUGGESTION,
        3,
        START + 14 * MINUTE,
        START + 16 * MINUTE,
        (frame(44_120), frame(44_121), frame(44_388)),
    ),
    Finding(
        "exposure.public_client",
        (("server", "plc-4"), ("protocol", "modbus"), ("client", SCANNER)),
        "plc-4 answers Modbus requests from the internet (45.83.64.10)",
        "critical",
        ("a controller is reached from a public address", "it answered"),
        "A public address read four times from the controller of the backwash, and got answers.",
        "Close the way in at fw-1 today: no address of the internet may reach 10.20.11.14 port 502. "
        "Then look for what else that rule lets in.",
        "both",
        (SCANNER, "plc-4"),
        "modbus",
        "read",
        "unzoned",
        ("", "filtration"),
        ("T0883",),
        ("SR 5.2",),
        count=4,
        first_time=START + 26 * MINUTE,
        last_time=START + 27 * MINUTE,
        evidence=(frame(98_112), frame(98_114)),
    ),
    Finding(
        "inventory.new_asset",
        (("asset", LAPTOP),),
        "An undeclared device appears in supervision: 10.20.1.77",
        "high",
        ("not in the asset list", "it reads from a controller and opens a remote desktop"),
        "A device of vendor LCFC Electronics (a laptop maker) joined at 08:11 and spoke to eng-1 and plc-3.",
        "Find the port it is plugged into, and its owner. If it belongs there, declare it in the asset list.",
        "OT",
        (LAPTOP,),
        zones=("supervision",),
        technique=("T0847",),
        count=1,
        first_time=START + 11 * MINUTE,
        last_time=START + 24 * MINUTE,
        evidence=(frame(41_877),),
    ),
    Finding(
        "policy.violation",
        (("client", LAPTOP), ("server", "plc-3"), ("protocol", "modbus"), ("operation", "read")),
        "10.20.1.77 reads from plc-3, which the policy does not allow",
        "medium",
        ("read only", "plc-3 is of high criticality"),
        "Twelve reads of holding registers by a device that no flow names.",
        "Remove the device, or declare it and allow the flow with an end date.",
        "OT",
        (LAPTOP, "plc-3"),
        "modbus",
        "read",
        "violation",
        ("supervision", "filtration"),
        ("T0801",),
        ("SR 2.1",),
        count=12,
        first_time=START + 12 * MINUTE,
        last_time=START + 13 * MINUTE,
        evidence=(frame(43_900),),
    ),
    Finding(
        "policy.violation",
        (("client", "pc-3"), ("server", "ahu-2"), ("protocol", "bacnet"), ("operation", "write")),
        "pc-3 writes a setpoint of ahu-2 from the office",
        "high",
        ("a state-changing operation across zones", "no conduit joins office and building"),
        "An office PC wrote present-value of analog-value 4 twice.",
        "Block UDP 47808 between office and building; building changes go through bms-1.",
        "both",
        ("pc-3", "ahu-2"),
        "bacnet",
        "write",
        "violation",
        ("office", "building"),
        ("T0836",),
        ("SR 5.1", "SR 2.1"),
        (Change("analog-value 4 present-value", "21.5", "16"),),
        "",
        2,
        START + 18 * MINUTE,
        START + 18 * MINUTE,
        (frame(61_004), frame(61_006)),
    ),
    Finding(
        "exposure.scan",
        (("client", "pc-2"), ("port", "502")),
        "pc-2 tries port 502 on four controllers",
        "high",
        ("an office host looks for control services", "crosses two zones"),
        "Connection attempts to the Modbus port of plc-1 to plc-4 within nine seconds; the firewall dropped them.",
        "Look at pc-2 for malware, or ask its user; the firewall did its work.",
        "IT",
        ("pc-2", "plc-1", "plc-2", "plc-3", "plc-4"),
        "",
        "",
        "violation",
        ("office", "filtration"),
        ("T0846",),
        count=4,
        first_time=START + 21 * MINUTE,
        last_time=START + 21 * MINUTE,
        evidence=(frame(70_410), frame(70_414)),
    ),
    Finding(
        "exposure.unauthenticated_write",
        (("protocol", "dnp3"), ("zone", "distribution")),
        "Outstations obey operate commands without authentication",
        "medium",
        ("inherent in DNP3 without Secure Authentication", "one zone"),
        "rtu-1, rtu-2 and rtu-3 obeyed operate commands of fep-1; none asked for authentication.",
        "Plan DNP3-SAv5 or a VPN on the radio links; until then keep the zone closed.",
        "OT",
        RTUS,
        "dnp3",
        "operate",
        zones=("distribution",),
        technique=("T0855",),
        requirement=("SR 1.2",),
        count=9,
        first_time=START,
        last_time=START + 29 * MINUTE,
        evidence=(frame(2001), frame(2003)),
    ),
    Finding(
        "policy.cannot_conclude",
        (("client", "scada-1"), ("server", "rtu-1"), ("protocol", "dnp3")),
        "It cannot be decided whether scada-1 may poll rtu-1",
        "low",
        ("the point indexes were coalesced beyond the cap",),
        "The flow allows analog inputs 0 to 31, and the kept range is 0 to 65535.",
        "Run the audit on a shorter capture, or allow the whole range.",
        "OT",
        ("scada-1", "rtu-1"),
        "dnp3",
        "read",
        "cannot_conclude",
        ("supervision", "distribution"),
        count=60,
        first_time=START,
        last_time=START + 29 * MINUTE,
        evidence=(frame(2002),),
    ),
    Finding(
        "inventory.unseen",
        (("asset", "rtu-4"),),
        "rtu-4 is declared and was not seen",
        "info",
        ("30 minutes may be too short",),
        "No packet of rtu-4 (pumping station South) is in the captures.",
        "Check that it is installed, and that the mirror port sees its VLAN.",
        "OT",
        ("rtu-4",),
    ),
    Finding(
        "policy.expiring",
        (("flow", "vendor-support"),),
        "Flow vendor-support ends on 2026-03-31",
        "info",
        ("29 days are left",),
        "The approval of the vendor's remote support ends soon.",
        "Renew it, or let it end and close the firewall rule.",
        "both",
        zones=("dmz", "supervision"),
    ),
)


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
                    cut_packets=12,
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
