"""`dhcp`, `software`, `known_hosts`, `known_services`, `known_devices`, `known_certs`, `known_modbus`: what hosts are
and are called."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from zonewatch.dissectors.zeek.activities import activity
from zonewatch.dissectors.zeek.claims import claims
from zonewatch.dissectors.zeek.flows import service_of
from zonewatch.dissectors.zeek.logs.web import listed
from zonewatch.dissectors.zeek.rows import mapped, pc
from zonewatch.dissectors.zeek.told import Found, Kind, Lines

_SOFTWARE: Final = {
    "HTTP": "http", "SSH": "ssh", "SMTP": "smtp", "FTP": "ftp", "MYSQL": "mysql", "POP3": "pop3", "IMAP": "imap",
    "DHCP": "dhcp", "OS": "smb", "MQTT": "mqtt", "SNMP": "snmp", "SIP": "sip",
}  # fmt: skip
"""Protocols in which software named itself, by the part of its type in front of the colons."""
_DHCP_PORTS: Final = (68, 67)


def _dhcp(lines: Lines) -> Found:
    rows = lines.rows
    server = rows.text("server_addr")
    assigned, asked = rows.text("assigned_addr", "assigned_ip"), rows.text("requested_addr")
    client = pc.coalesce(assigned, rows.text("client_addr"), asked)
    types = pc.fill_null(rows.text("msg_types"), "")
    last = mapped(types, lambda word: word.rsplit(",", 1)[-1].strip().lower(), pa.utf8())
    acknowledged = pc.or_(pc.equal(last, "ack"), pc.and_(pc.equal(types, ""), pc.is_valid(assigned)))
    refused = pc.is_in(last, value_set=pa.array(["nak", "decline"]))
    status = pc.if_else(acknowledged, "ok", pc.if_else(refused, "error", "one_way"))
    name, mac = rows.words("host_name"), pc.utf8_lower(rows.text("mac"))
    fields = {
        "dhcp.client.mac": mac,
        "dhcp.hostname": name,
        "dhcp.fqdn": rows.words("client_fqdn"),
        "dhcp.assigned_ip": assigned,
        "dhcp.requested_ip": asked,
        "dhcp.server": server,
        "dhcp.lease_time": pc.floor(rows.number("lease_time")).cast(pa.int64()).cast(pa.utf8()),
        "dhcp.domain": rows.words("domain"),
        "dhcp.message": listed(rows.words("client_message", "server_message")),
    }
    between = {
        "client": pc.fill_null(pc.coalesce(client, mac), ""),
        "server": pc.fill_null(server, "255.255.255.255"),
        "client_port": pa.repeat(pa.scalar(_DHCP_PORTS[0], pa.int64()), len(lines)),
        "server_port": pa.repeat(pa.scalar(_DHCP_PORTS[1], pa.int64()), len(lines)),
    }
    table = activity(lines, "dhcp", "request", "session", status, "", "udp", fields, between=between)
    return Found(
        activities=(table,),
        claims=(
            claims(lines, "dhcp", assigned, "hostname", name, where=acknowledged),
            claims(lines, "dhcp", assigned, "mac", mac, where=acknowledged),
            claims(
                lines, "dhcp", server, "role_hint", pc.if_else(acknowledged, "dhcp-server", pa.scalar(None, pa.utf8()))
            ),
        ),
    )


def _software(lines: Lines) -> Found:
    rows = lines.rows
    told = pc.fill_null(rows.text("software_type"), "")
    protocol = mapped(told, lambda word: _SOFTWARE.get(word.partition("::")[0].upper(), "http"), pa.utf8())
    attribute = pc.if_else(pc.starts_with(told, "OS::"), "operating_system", "software")
    value = pc.coalesce(rows.words("unparsed_version"), rows.words("name"))
    return Found(claims=(claims(lines, protocol, rows.text("host"), attribute, value),))


def _services(lines: Lines) -> Found:
    rows = lines.rows
    service = mapped(pc.fill_null(rows.text("service"), ""), lambda word: service_of(word.lower()), pa.utf8())
    port = pc.binary_join_element_wise(
        pc.fill_null(rows.text("port_proto"), "tcp"), rows.whole("port_num", most=65_535).cast(pa.utf8()), "/"
    )
    return Found(claims=(claims(lines, service, rows.text("host"), "port", port, where=pc.not_equal(service, "")),))


def _devices(lines: Lines) -> Found:
    rows = lines.rows
    mac = pc.utf8_lower(rows.text("mac"))
    return Found(claims=(claims(lines, "dhcp", mac, "hostname", rows.words("dhcp_host_name")),))


def _hosts(lines: Lines) -> Found:
    """Who completed a connection."""
    host = lines.rows.text("host")
    return Found(claims=(claims(lines, "tcp", host, "address", host),))


def _certificates(lines: Lines) -> Found:
    rows = lines.rows
    return Found(claims=(claims(lines, "tls", rows.text("host"), "certificate", rows.words("subject")),))


def _modbus(lines: Lines) -> Found:
    """Who asks by Modbus, and who answers: that one has its port."""
    rows = lines.rows
    host = rows.text("host")
    serves = pc.match_substring_regex(pc.fill_null(rows.text("device_type"), ""), "SLAVE|SERVER")
    return Found(
        claims=(
            claims(lines, "modbus", host, "port", "tcp/502", where=serves),
            claims(lines, "modbus", host, "address", host, where=pc.invert(serves)),
        )
    )


KINDS: Final = (
    Kind(
        "dhcp",
        (
            "ts", "client_addr", "server_addr", "assigned_addr", "assigned_ip", "requested_addr", "mac", "host_name",
            "client_fqdn", "domain", "lease_time", "msg_types", "client_message", "server_message",
        ),
        _dhcp,
        needs=(("ts",), ("mac", "assigned_addr", "assigned_ip", "client_addr")),
    ),
    Kind(
        "software",
        ("ts", "host", "host_p", "software_type", "name", "unparsed_version"),
        _software,
        needs=(("ts",), ("host",)),
    ),
    Kind(
        "known_services",
        ("ts", "host", "port_num", "port_proto", "service"),
        _services,
        needs=(("ts",), ("host",)),
    ),
    Kind("known_devices", ("ts", "mac", "dhcp_host_name"), _devices, needs=(("ts",), ("mac",))),
    Kind("known_hosts", ("ts", "host"), _hosts, needs=(("ts",), ("host",))),
    Kind("known_certs", ("ts", "host", "subject"), _certificates, needs=(("ts",), ("host",), ("subject",))),
    Kind("known_modbus", ("ts", "host", "device_type"), _modbus, needs=(("ts",), ("host",))),
)  # fmt: skip
