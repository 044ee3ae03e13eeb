"""The devices and connections of a made-up water works: 30 assets, 6 zones, about 60 edges."""

from __future__ import annotations

from zonewatch.inventory.model import (
    Asset,
    Claim,
    Edge,
    Evidence,
    Function,
    Interface,
    Role,
    Service,
    SubAsset,
    Target,
)
from zonewatch.reports.result import (
    ZoneInfo,
)

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
