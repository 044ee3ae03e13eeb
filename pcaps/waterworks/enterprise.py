"""What runs beside the control traffic: ARP, LLDP, time, names, the historian's copy, and a morning in the office."""

from __future__ import annotations

import random
from dataclasses import dataclass

from builders import office
from builders.tcp import Side, TcpSession
from builders.wire import (
    BROADCAST_MAC,
    ETHERTYPE_ARP,
    MILLISECOND,
    Capture,
    LinkPath,
    Station,
    arp,
    ethernet,
    ip_bytes,
    seconds,
)
from plant import DEVICE, DEVICES, LENGTH, START, ZONE, Device, station, zone_of

DOMAIN = "riverside-water.example"
NO_MAC = "00:00:00:00:00:00"
NTP_PORT, DNS_PORT, HTTP_PORT, HTTPS_PORT, SMB_PORT = 123, 53, 80, 443, 445


def arp_frame(operation: int, sender: Station, target: Station, *, ask_all: bool = True) -> bytes:
    """In the VLAN of the target; a question goes to all, an answer to the one who asked."""
    zone = zone_of(target.address)
    vlan = zone.vlan if zone else None
    if operation == 1 and ask_all:
        path = LinkPath(sender.mac, BROADCAST_MAC, vlan)
        payload = arp(1, sender.mac, sender.address, NO_MAC, target.address)
    else:
        path = LinkPath(sender.mac, target.mac, vlan)
        payload = arp(operation, sender.mac, sender.address, target.mac, target.address)
    return ethernet(path, ETHERTYPE_ARP, payload)


def gateway_of(device: Device) -> Station:
    return Station(ZONE[device.zone].gateway, DEVICE["core-1"].mac)


def run(capture: Capture) -> None:
    _address_resolution(capture)
    _neighbours(capture)
    _time(capture)
    _historian_copy(capture)
    _office(capture)


def _address_resolution(capture: Capture) -> None:
    """Each device asks for its gateway about every eight minutes, and the gateway for the device."""
    for device in DEVICES:
        if device.zone == "network":
            continue
        rng = random.Random(f"arp {device.id}")
        gateway, host = gateway_of(device), device.station
        at = rng.randrange(seconds(20))
        while at < LENGTH:
            capture.raw(at, arp_frame(1, host, gateway))
            capture.raw(at + 300, arp_frame(2, gateway, host))
            renewal = at + seconds(3) + rng.randrange(seconds(40))
            capture.raw(renewal, arp_frame(1, gateway, host, ask_all=False))
            capture.raw(renewal + 350, arp_frame(2, host, gateway))
            at += seconds(420) + rng.randrange(seconds(120))


LLDP_SPEAKERS = (
    ("core-1", "Gi1/0/11", "Cisco IOS Software, Catalyst L3 Switch Software, Version 16.12.4", 0x14),
    ("fw-1", "internal1", "FortiGate-100F v6.4.9", 0x10),
    ("sw-filtration", "Module: 1 Port: 1", "Hirschmann RSP25 - SW: HiOS-2S-08.1.00", 0x04),
)


def _neighbours(capture: Capture) -> None:
    for number, (name, port, description, capabilities) in enumerate(LLDP_SPEAKERS):
        device = DEVICE[name]
        frame = office.lldp(device.mac, port, name, description, device.address, capabilities)
        for at in range(seconds(7 * number + 2), LENGTH, seconds(60)):
            capture.raw(at, frame)


CLOCK_CLIENTS = (
    ("scada-1", 64), ("scada-2", 64), ("hmi-1", 256), ("hmi-2", 256), ("eng-1", 512), ("historian-1", 128),
    ("plc-1", 300), ("plc-2", 300), ("plc-3", 300), ("plc-4", 300), ("gateway-1", 600), ("fep-1", 128), ("bms-1", 256),
)  # fmt: skip
OFFICE_CLOCK_CLIENTS = (("pc-1", 512), ("pc-2", 512), ("pc-3", 512), ("history-mirror", 256), ("jump-host", 256))


def _time(capture: Capture) -> None:
    """The plant takes its time from the GPS clock, office and DMZ from the directory server."""
    for clients, server, stratum, reference in (
        (CLOCK_CLIENTS, "clock-1", 1, b"GPS\x00"),
        (OFFICE_CLOCK_CLIENTS, "dc-1", 3, bytes([10, 20, 50, 1])),
    ):
        for client, period in clients:
            rng = random.Random(f"ntp {client}")
            for at in range(rng.randrange(seconds(30)), LENGTH, seconds(period)):
                sent = START * 1_000_000 + at
                question = office.ntp_request(sent)
                answer = office.ntp_reply(question, sent + 400, stratum=stratum, reference=reference)
                port = NTP_PORT if period != 512 else 50123
                capture.udp(at, station(client), port, station(server), NTP_PORT, question)
                capture.udp(at + 900, station(server), NTP_PORT, station(client), port, answer)


def _look_up(capture: Capture, at: int, client: str, host: str) -> int:
    rng = random.Random(f"dns {client} {host} {at}")
    transaction, port = rng.getrandbits(16), 52000 + rng.randrange(9000)
    name = f"{host}.{DOMAIN}"
    server = station("dc-1")
    capture.udp(at, station(client), port, server, DNS_PORT, office.dns_query(transaction, name))
    answer = office.dns_answer(transaction, name, DEVICE[host].address)
    capture.udp(at + 1200, server, DNS_PORT, station(client), port, answer)
    return at + 2 * MILLISECOND


@dataclass(frozen=True, slots=True)
class Browsing:
    """HTTPS visits: how often, and how much comes back or goes up in one exchange."""

    client: str
    server: str
    first: float
    period: float
    exchanges: int
    up: int
    down: int
    looked_up: bool = True


HTTPS = (
    Browsing("historian-1", "history-mirror", 30, 60, 3, 2200, 130, looked_up=False),
    Browsing("pc-1", "history-mirror", 95, 290, 4, 420, 5200),
    Browsing("pc-2", "history-mirror", 210, 340, 4, 420, 5200),
    Browsing("pc-1", "mail-1", 41, 180, 2, 380, 3100),
    Browsing("pc-2", "mail-1", 63, 180, 2, 380, 2600),
    Browsing("pc-3", "mail-1", 88, 240, 2, 380, 2100),
    Browsing("pc-3", "jump-host", 444, 1000, 8, 300, 1900),
)


def _https(capture: Capture, browsing: Browsing) -> None:
    client, server = station(browsing.client), station(browsing.server)
    times = range(seconds(browsing.first), LENGTH - seconds(20), seconds(browsing.period))
    for number, at in enumerate(times):
        rng = random.Random(f"https {browsing.client} {browsing.server} {number}")
        if browsing.looked_up and number % 4 == 0:
            at = _look_up(capture, at, browsing.client, browsing.server)
        port = 53000 + number * 11 + sum(browsing.server.encode()) % 4000
        session = TcpSession(capture, client, port, server, HTTPS_PORT)
        at = session.open(at) + 400
        hello = office.client_hello(rng, f"{browsing.server}.{DOMAIN}")
        at = session.ask(at, hello, office.server_flight(rng, hello), 2 * MILLISECOND)
        at = session.send(at + 3 * MILLISECOND, Side.CLIENT, office.client_finished(rng))
        for _ in range(browsing.exchanges):
            at += 30 * MILLISECOND + rng.randrange(seconds(1.5))
            request = office.tls_data(rng, browsing.up + rng.randrange(200))
            response = office.tls_data(rng, browsing.down + rng.randrange(200))
            at = session.ask(at, request, response, 12 * MILLISECOND)
        session.close(at + seconds(2))


def _historian_copy(capture: Capture) -> None:
    _https(capture, HTTPS[0])
    # The historian itself collects from SCADA server 1, inside the zone.
    _https(capture, Browsing("historian-1", "scada-1", 25, 120, 3, 260, 3000, looked_up=False))


def _office(capture: Capture) -> None:
    for number, client in enumerate(("pc-1", "pc-2", "pc-3")):
        _lease(capture, seconds(24 + 171 * number), DEVICE[client])
    for browsing in HTTPS[1:]:
        _https(capture, browsing)
    _files(capture, "pc-1", seconds(112), 24)
    _files(capture, "pc-2", seconds(263), 16)
    _files(capture, "pc-3", seconds(947), 10)
    _printer_page(capture, "pc-2", seconds(377))
    _printer_page(capture, "pc-3", seconds(1377))


EVERYONE = Station("255.255.255.255", BROADCAST_MAC)


def _lease(capture: Capture, at: int, device: Device) -> None:
    """DHCP in four messages, all broadcast."""
    server = station("dc-1")
    nobody = Station("0.0.0.0", device.mac, device.stack)
    transaction = random.Random(f"dhcp {device.id}").getrandbits(32)
    address, own, gateway = (ip_bytes(text) for text in (device.address, server.address, ZONE[device.zone].gateway))
    identity = [(12, device.id.upper().encode()), (60, b"MSFT 5.0"), (55, bytes([1, 3, 6, 15, 42]))]
    choice = [*identity, (50, address), (54, own)]
    eight_hours = (8 * 3600).to_bytes(4, "big")
    lease = [(54, own), (51, eight_hours), (1, ip_bytes("255.255.255.0")), (3, gateway), (6, own)]
    messages = (
        (office.DISCOVER, identity),
        (office.OFFER, lease),
        (office.REQUEST, choice),
        (office.ACKNOWLEDGE, lease),
    )
    for kind, options in messages:
        if options is lease:
            message = office.dhcp(kind, transaction, device.mac, options, offered=device.address)
            capture.udp(at, server, office.DHCP_SERVER_PORT, EVERYONE, office.DHCP_CLIENT_PORT, message)
        else:
            message = office.dhcp(kind, transaction, device.mac, options)
            capture.udp(at, nobody, office.DHCP_CLIENT_PORT, EVERYONE, office.DHCP_SERVER_PORT, message)
        at += 4 * MILLISECOND


def _files(capture: Capture, client: str, at: int, exchanges: int) -> None:
    rng = random.Random(f"smb {client}")
    at = _look_up(capture, at, client, "dc-1")
    session = TcpSession(capture, station(client), 49820 + exchanges, station("dc-1"), SMB_PORT)
    at = session.open(at) + 500
    at = session.ask(at, office.smb_negotiate(rng), office.smb_negotiated(rng), MILLISECOND)
    identifier = rng.getrandbits(48)
    for _ in range(exchanges):
        at += 20 * MILLISECOND + rng.randrange(seconds(9))
        request = office.smb_encrypted(rng, identifier, 120 + rng.randrange(90))
        response = office.smb_encrypted(rng, identifier, 200 + rng.randrange(5000))
        at = session.ask(at, request, response, 3 * MILLISECOND)
    session.close(at + seconds(4))


def _printer_page(capture: Capture, client: str, at: int) -> None:
    at = _look_up(capture, at, client, "printer-1")
    session = TcpSession(capture, station(client), 50411, station("printer-1"), HTTP_PORT)
    at = session.open(at) + 600
    page = "<html><head><title>HP LaserJet M607</title></head><body>Ready. Tray 2: A4. Toner 61 %.</body></html>"
    response = office.http_ok("HP HTTP Server; HP LaserJet M607 - K0Q15A; Serial Number: CNBRL2K07Q;", page)
    at = session.ask(at, office.http_get(DEVICE["printer-1"].address, "/"), response, 20 * MILLISECOND)
    session.close(at + seconds(1), Side.SERVER)
