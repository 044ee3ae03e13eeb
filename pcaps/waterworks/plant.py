"""The water works as a table: zones, devices, and what the mirror port sees of a packet between two of them.

The mirror sits on the core switch, which also routes. It copies each frame once, as the switch sends it: a packet
inside a VLAN with the sender's own MAC, a routed one in the VLAN of its destination with the switch's MAC.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from builders.wire import BROADCAST_MAC, EMBEDDED, LINUX, WINDOWS, LinkPath, Stack, Station, seconds

START = 1_772_438_400  # 2026-03-02T08:00:00Z
LENGTH = seconds(1800)


@dataclass(frozen=True, slots=True)
class Zone:
    id: str
    prefix: str
    vlan: int

    @property
    def gateway(self) -> str:
        return self.prefix + "1"

    @property
    def broadcast(self) -> Station:
        return Station(self.prefix + "255", BROADCAST_MAC)


ZONES = (
    Zone("office", "10.20.50.", 50),
    Zone("dmz", "10.20.40.", 40),
    Zone("supervision", "10.20.1.", 10),
    Zone("filtration", "10.20.11.", 11),
    Zone("distribution", "10.20.12.", 12),
    Zone("building", "10.20.30.", 30),
    Zone("network", "10.20.99.", 99),
)
ZONE = {zone.id: zone for zone in ZONES}


@dataclass(frozen=True, slots=True)
class Device:
    id: str
    zone: str
    last_octet: int
    mac: str
    stack: Stack
    role: str
    vendor: str
    model: str
    criticality: str
    name: str

    @property
    def address(self) -> str:
        return f"{ZONE[self.zone].prefix}{self.last_octet}"

    @property
    def station(self) -> Station:
        return Station(self.address, self.mac, self.stack)


# id, zone, last octet, MAC, stack, role, vendor, model, criticality, name
DEVICES = tuple(
    Device(*row)
    for row in (
        ("dc-1", "office", 10, "18:66:da:3c:51:0a", WINDOWS, "server", "Dell", "PowerEdge R440", "medium", "Directory, file and DHCP server"),
        ("mail-1", "office", 11, "94:57:a5:60:12:0b", LINUX, "server", "HP", "ProLiant DL360", "low", "Mail server"),
        ("printer-1", "office", 30, "3c:d9:2b:7e:04:1e", EMBEDDED, "printer", "HP", "LaserJet M607", "low", "Printer, first floor"),
        ("pc-1", "office", 101, "f8:bc:12:88:20:65", WINDOWS, "workstation", "Dell", "OptiPlex 7060", "low", "Office PC, accounts"),
        ("pc-2", "office", 102, "70:5a:0f:41:9c:66", WINDOWS, "workstation", "HP", "EliteDesk 800", "low", "Office PC, planning"),
        ("pc-3", "office", 103, "f8:bc:12:88:2a:67", WINDOWS, "workstation", "Dell", "Latitude 5490", "low", "Office PC, IT support"),
        ("history-mirror", "dmz", 10, "18:66:da:3c:60:0a", WINDOWS, "historian", "Dell", "PowerEdge R340", "medium", "Copy of the historian for the office"),
        ("jump-host", "dmz", 20, "18:66:da:3c:60:14", LINUX, "jump_host", "Dell", "PowerEdge R240", "high", "Jump host for remote maintenance"),
        ("clock-1", "supervision", 5, "ec:46:70:00:5a:05", LINUX, "time_server", "Meinberg", "LANTIME M300", "medium", "GPS time server"),
        ("scada-1", "supervision", 10, "b0:83:fe:d1:10:0a", WINDOWS, "scada_server", "Dell", "PowerEdge R740", "high", "SCADA server, main"),
        ("scada-2", "supervision", 11, "b0:83:fe:d1:10:0b", WINDOWS, "scada_server", "Dell", "PowerEdge R740", "high", "SCADA server, second"),
        ("hmi-1", "supervision", 15, "00:d0:c9:a2:31:0f", WINDOWS, "hmi", "Advantech", "PPC-3190", "high", "Control room HMI, left"),
        ("hmi-2", "supervision", 16, "00:d0:c9:a2:31:10", WINDOWS, "hmi", "Advantech", "PPC-3190", "high", "Control room HMI, right"),
        ("eng-1", "supervision", 20, "d4:be:d9:57:c3:14", WINDOWS, "engineering_station", "Dell", "Precision 3630", "high", "Engineering station"),
        ("historian-1", "supervision", 30, "b0:83:fe:d1:22:1e", WINDOWS, "historian", "Dell", "PowerEdge R540", "medium", "Process historian"),
        ("plc-1", "filtration", 11, "00:80:f4:12:a0:0b", EMBEDDED, "controller", "Schneider Electric", "BMX P34 2020", "high", "Raw water intake and coagulation"),
        ("plc-2", "filtration", 12, "00:80:f4:12:a0:0c", EMBEDDED, "controller", "Schneider Electric", "BMX P34 2020", "high", "Rapid filters 1 to 4"),
        ("plc-3", "filtration", 13, "00:30:de:41:7c:0d", EMBEDDED, "controller", "WAGO", "750-8212", "high", "Chlorine dosing"),
        ("plc-4", "filtration", 14, "00:80:f4:33:09:0e", EMBEDDED, "controller", "Schneider Electric", "TM221CE24R", "medium", "Backwash and sludge"),
        ("gateway-1", "filtration", 20, "00:90:e8:5b:66:14", EMBEDDED, "gateway", "Moxa", "MGate MB3280", "medium", "Modbus gateway of the serial instruments"),
        ("fep-1", "distribution", 5, "00:30:a7:1f:40:05", LINUX, "gateway", "SEL", "SEL-3530", "high", "Front end of the radio outstations"),
        ("rtu-1", "distribution", 11, "00:30:a7:1f:41:0b", EMBEDDED, "rtu", "SEL", "SEL-2411", "high", "Pumping station North"),
        ("rtu-2", "distribution", 12, "00:30:a7:1f:41:0c", EMBEDDED, "rtu", "SEL", "SEL-2411", "high", "Pumping station Harbour"),
        ("rtu-3", "distribution", 13, "00:0a:dc:62:13:0d", EMBEDDED, "rtu", "RuggedCom", "RX1400 VPE", "high", "Elevated tank Hill"),
        ("bms-1", "building", 10, "f8:bc:12:90:44:0a", WINDOWS, "operator_workstation", "Dell", "OptiPlex 5070", "medium", "Building management workstation"),
        ("bbmd-1", "building", 20, "00:40:ae:08:71:14", EMBEDDED, "controller", "Delta Controls", "DSM-RTR", "medium", "Site controller and BBMD"),
        ("ahu-1", "building", 31, "00:40:ae:08:72:1f", EMBEDDED, "controller", "Delta Controls", "DAC-1146E", "low", "Air handling, filter hall"),
        ("ahu-2", "building", 32, "00:10:8d:30:5e:20", EMBEDDED, "controller", "Johnson Controls", "MS-NAE3510", "low", "Air handling, chlorine store"),
        ("router-1", "building", 40, "00:50:db:02:2b:28", EMBEDDED, "router", "Contemporary Controls", "BASRT-B", "low", "BACnet router to the MS/TP trunk"),
        ("core-1", "network", 1, "00:1b:54:c0:de:01", LINUX, "router", "Cisco", "Catalyst 3850", "high", "Core switch and router"),
        ("fw-1", "network", 2, "00:09:0f:77:31:02", LINUX, "firewall", "Fortinet", "FortiGate 100F", "high", "Firewall to the internet"),
        ("sw-filtration", "network", 11, "00:80:63:aa:17:0b", LINUX, "switch", "Hirschmann", "RSP25", "medium", "Switch of the filter building"),
    )
)  # fmt: skip
DEVICE = {device.id: device for device in DEVICES}

# Not declared anywhere: the vendor's laptop in the supervision VLAN, and a host of the internet.
LAPTOP = Station("10.20.1.77", "8c:16:45:9d:e2:31", WINDOWS)
INTERNET_SCANNER = Station("45.83.64.10", DEVICE["fw-1"].mac, LINUX)
INTERNET_HOPS = 14

# Declared, and never seen: bought, and not yet installed.
SPARE_OUTSTATION = Device(
    "rtu-4", "distribution", 61, "00:30:a7:1f:41:3d", EMBEDDED, "rtu", "SEL", "SEL-2411", "high", "Pumping station South (planned)"
)  # fmt: skip


def station(device: str) -> Station:
    return DEVICE[device].station


def zone_of(address: str) -> Zone | None:
    return next((zone for zone in ZONES if address.startswith(zone.prefix)), None)


_ZONE_OF_MAC = {device.mac: ZONE[device.zone] for device in DEVICES} | {LAPTOP.mac: ZONE["supervision"]}


def path_of(source: Station, destination: Station) -> LinkPath:
    """What the mirror sees; see the head of this file."""
    core, firewall = DEVICE["core-1"].mac, DEVICE["fw-1"].mac
    sender, receiver = zone_of(source.address), zone_of(destination.address)
    if destination.mac == BROADCAST_MAC:
        return LinkPath(source.mac, BROADCAST_MAC, _ZONE_OF_MAC[source.mac].vlan)
    if sender and sender == receiver:
        return LinkPath(source.mac, destination.mac, sender.vlan)
    if receiver is None:
        return LinkPath(core, firewall, ZONE["network"].vlan, hops=1)
    return LinkPath(core, destination.mac, receiver.vlan, hops=INTERNET_HOPS if sender is None else 1)


def write_assets(path: Path) -> None:
    """The declared inventory. The core switch has an interface in every zone."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("id", "name", "addresses", "mac", "role", "zone", "vendor", "model", "criticality"))
        for device in (*DEVICES, SPARE_OUTSTATION):
            addresses = [device.address]
            if device.id == "core-1":
                addresses += [zone.gateway for zone in ZONES if zone.id != device.zone]
            writer.writerow(
                (
                    device.id,
                    device.name,
                    ";".join(addresses),
                    device.mac,
                    device.role,
                    device.zone,
                    device.vendor,
                    device.model,
                    device.criticality,
                )
            )
