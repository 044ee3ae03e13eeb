"""A small network, said in rows: who has which address, who asks whom, who connects to what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.inventory.tables import Tables

Row = Mapping[str, Any]

FUNCTIONS: Mapping[str, tuple[int, str]] = {
    "read": (3, "read_holding_registers"),
    "write": (16, "write_multiple_registers"),
    "discover": (43, "read_device_identification"),
    "program_download": (90, "program_download"),
    "authenticate": (32, "authenticate_request"),
    "operate": (4, "operate"),
    "subscribe": (5, "subscribe_cov"),
}
PORTS = {"modbus": 502, "dnp3": 20000, "bacnet": 47808, "opcua": 4840}


def network(
    *,
    talks: Iterable[Row] = (),
    flows: Iterable[Row] = (),
    claims: Iterable[Row] = (),
    seen: Iterable[Row] = (),
    activities: Iterable[Row] = (),
    sources: Iterable[str] = ("tap",),
) -> Tables:
    return Tables(
        aggregates=rows(schemas.AGGREGATES, tuple(talks)),
        flows=rows(schemas.FLOWS, tuple(flows)),
        claims=rows(schemas.CLAIMS, tuple(claims)),
        addresses=rows(schemas.ADDRESSES, tuple(seen)),
        activities=rows(schemas.ACTIVITIES, tuple(activities)),
        coverage=rows(schemas.COVERAGE, [{"source": name, "capture": "a.pcap"} for name in sources]),
    )


def talk(client: str, server: str, operation: str = "read", protocol: str = "modbus", **more: Any) -> Row:
    """One row of aggregates; an answered request unless said otherwise."""
    code, name = FUNCTIONS.get(operation, (99, operation))
    frame = more.pop("frame", 1)
    row = {
        "source": "tap",
        "capture": "a.pcap",
        "last_capture": "a.pcap",
        "protocol": protocol,
        "transport": "udp" if protocol == "bacnet" else "tcp",
        "client": client,
        "server": server,
        "server_port": PORTS[protocol],
        "kind": "request",
        "function": code,
        "function_name": name,
        "operation": operation,
        "status": "ok",
        "object_kind": "holding-register",
        "object_start": 0,
        "object_count": 1,
        "count": 1,
        "events": 1,
        "first_time": frame,
        "last_time": frame,
        "first_frame": frame,
        "last_frame": frame,
        "sample_frames": [frame],
    }
    return row | more


def flow(client: str, server: str, port: int, service: str = "", state: str = "closed", **more: Any) -> Row:
    """One row of flows: TCP, both sides heard unless the state says otherwise."""
    frame = more.pop("frame", 1)
    heard = state not in ("attempted", "one_way")
    row = {
        "source": "tap",
        "capture": "a.pcap",
        "transport": "tcp",
        "client": client,
        "server": server,
        "client_port": 40000,
        "server_port": port,
        "service": service,
        "basis": "content" if service else "",
        "state": state,
        "packets_out": 3,
        "packets_in": 2 if heard else 0,
        "bytes_out": 300,
        "bytes_in": 200 if heard else 0,
        "first_time": frame,
        "last_time": frame,
        "first_frame": frame,
        "last_frame": frame,
    }
    return row | more


def activity(client: str, server: str, protocol: str, action: str, operation: str = "session", **more: Any) -> Row:
    """One row of activities, answered well unless said otherwise; `fields` is a mapping."""
    frame = more.pop("frame", 1)
    fields = [{"name": name, "value": value} for name, value in more.pop("fields", {}).items()]
    row = {
        "source": "tap",
        "capture": "a.pcap",
        "last_capture": "a.pcap",
        "protocol": protocol,
        "transport": "tcp",
        "client": client,
        "server": server,
        "client_port": 40000,
        "server_port": 1,
        "action": action,
        "operation": operation,
        "status": "ok",
        "fields": fields,
        "count": 1,
        "first_time": frame,
        "last_time": frame,
        "first_frame": frame,
        "last_frame": frame,
    }
    return row | more


def arp(address: str, mac: str, **more: Any) -> Row:
    """An address announced by ARP."""
    return seen(address, mac, via="arp", **more)


def seen(address: str, mac: str, **more: Any) -> Row:
    """An address that a MAC address sent from."""
    row = {"source": "tap", "capture": "a.pcap", "address": address, "mac": mac, "via": "ip", "packets": 1}
    return row | {"first_frame": 1, "last_frame": 1} | more


def claim(address: str, attribute: str, value: str, **more: Any) -> Row:
    row = {"source": "tap", "capture": "a.pcap", "frame": 1, "protocol": "modbus", "address": address}
    return row | {"attribute": attribute, "value": value, "count": 1} | more
