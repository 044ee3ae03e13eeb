"""Logs of control protocols whose messages are not events here: who spoke them, and what devices said of themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from zonewatch.dissectors.zeek.claims import claims
from zonewatch.dissectors.zeek.told import DIRECTED, Found, Kind, Lines, flows_of, sent

_FLOWS: Final = {
    "enip": ("enip", "tcp"),
    "cip": ("enip", "tcp"),
    "cip_io": ("enip-io", "udp"),
    "opcua_binary": ("opcua", "tcp"),
    "profinet_io_cm": ("profinet-cm", "udp"),
    "synchrophasor": ("synchrophasor", "tcp"),
    "hart_ip": ("hart-ip", "tcp"),
    "hart_ip_general": ("hart-ip", "tcp"),
    "omron_fins_general": ("fins", "udp"),
    "c1222": ("c1222", "tcp"),
    "ge_srtp": ("ge-srtp", "tcp"),
}
"""Log → the protocol's name as a service here, and what it usually runs over."""


def _flows(transport: str) -> Callable[[Lines], Found]:
    return lambda lines: Found(flows=flows_of(lines, transport))


def _cip_identity(lines: Lines) -> Found:
    rows, ways = lines.rows, sent(lines)
    address = ways["source"]
    named = {
        "vendor_name": "vendor", "device_type_name": "description", "product_name": "model", "revision": "firmware",
        "serial_number": "serial",
    }  # fmt: skip
    found = [claims(lines, "enip", address, attribute, rows.words(name)) for name, attribute in named.items()]
    return Found(claims=tuple(found), flows=flows_of(lines))


def _opcua_endpoints(lines: Lines) -> Found:
    rows = lines.rows
    address = rows.text("id.resp_h")
    named = {"application_uri": "url", "endpoint_description_app_uri": "url", "product_uri": "product",
             "application_name_text": "application"}  # fmt: skip
    found = [
        claims(lines, "opcua", address, attribute, rows.words(name))
        for name, attribute in named.items()
        if rows.has(name)
    ]
    return Found(claims=tuple(found), flows=flows_of(lines))


KINDS: Final = (
    *(Kind(name, DIRECTED, _flows(transport), protocol) for name, (protocol, transport) in _FLOWS.items()),
    Kind(
        "cip_identity",
        (*DIRECTED, "vendor_name", "device_type_name", "product_name", "revision", "serial_number"),
        _cip_identity,
        "enip",
    ),
    Kind(
        "opcua_binary_get_endpoints_description",
        (*DIRECTED, "application_uri", "product_uri", "application_name_text"),
        _opcua_endpoints,
        "opcua",
    ),
)
