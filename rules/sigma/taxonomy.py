"""The taxonomy: what one record of each category holds, field by field.

Names are the Elastic Common Schema's where it has one; `ot.*` says the same for every control protocol, and each
protocol has an object of its own beside it. `source` is the protocol client and `destination` the server, whoever
opened the connection. The table is the documentation too:
`python -m zonewatch.rules.sigma.taxonomy > docs/taxonomy.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from zonewatch.dissectors import vocabulary
from zonewatch.rules.policy.model import ZoneKind

Category = Literal[
    "ot_operation",
    "network_session",
    "network_connection",
    "protocol_violation",
    "asset",
    "detection",
]
CATEGORIES: Final[tuple[Category, ...]] = get_args(Category)
PRODUCT: Final = "zonewatch"
TAXONOMY: Final = "zonewatch"

Type = Literal["keyword", "ip", "integer", "number", "boolean", "date"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field. A field of several values meets a condition when any of them does."""

    name: str
    type: Type
    about: str
    many: bool = False


ABOUT_CATEGORIES: Final[Mapping[Category, str]] = {
    "ot_operation": "one object of one operation of a control protocol: a request with its answer, or a message that "
    "nobody asked for. Polling that differs in time alone is one record that stands for many",
    "network_session": "what a host did at a service of office IT or of the link layer: a login, a name looked up, a "
    "file moved, an announcement",
    "network_connection": "a flow: TCP connection, UDP conversation, frames of one kind",
    "protocol_violation": "a malformed or protocol-violating message",
    "asset": "a device as it is known at the end of the capture",
    "detection": "what a native detector found; `rule.id` is its name",
}

_TIME: Final = (
    Field("@timestamp", "date", "when it began (UTC, nanoseconds since the epoch in the sensor)"),
    Field("event.start", "date", "the same"),
    Field("event.end", "date", "when the last of what it stands for was seen"),
    Field("event.count", "integer", "how many it stands for"),
    Field("observer.name", "keyword", "the capture point"),
)

_END: Final[tuple[tuple[str, Type, str], ...]] = (
    ("ip", "ip", "IP address"),
    (
        "address",
        "keyword",
        "address as it was seen: IP, else MAC, or station of a bus or line (mstp:, arcnet:, profibus:, rtu:, dnp3:)",
    ),
    ("mac", "keyword", "MAC address of the device, where it is on a segment of its own"),
    ("public", "boolean", "an address of the internet that is in no zone of the plant"),
    ("group", "boolean", "broadcast or multicast"),
    ("asset.id", "keyword", "the asset's id; the address where there is none"),
    ("asset.name", "keyword", "what people call it"),
    ("asset.role", "keyword", "controller, rtu, io_device, gateway, hmi_scada, engineering_station, historian, …"),
    ("asset.kind", "keyword", "ot, it, external, unknown"),
    ("asset.criticality", "keyword", "as declared"),
    ("asset.declared", "boolean", "it is in the policy or the asset list"),
    ("zone.name", "keyword", "its zone; missing where it is in none"),
    ("zone.purdue_level", "number", "level of the zone; missing where the policy says none"),
    ("zone.kind", "keyword", f"{', '.join(get_args(ZoneKind))}; what the level stands for where no kind is said"),
)


def _end(side: Literal["source", "destination"], who: str) -> Iterator[Field]:
    for name, kind, about in _END:
        yield Field(f"{side}.{name}", kind, f"{who}: {about}")


_ENDS: Final = (*_end("source", "client"), *_end("destination", "server"))
_NETWORK: Final = (
    Field("network.protocol", "keyword", "the protocol by its content; of a flow its service"),
    Field("network.transport", "keyword", "tcp, udp, icmp, ethernet, …"),
    Field("network.vlan.id", "integer", "innermost tag"),
    Field("network.direction", "keyword", "inbound, outbound (of the plant to public addresses), internal, external"),
    Field("source.port", "integer", "port of the client"),
    Field("destination.port", "integer", "port of the server"),
)
_CONTEXT: Final = (
    Field("policy.approved", "boolean", "a policy was given; false: the zones are a proposal, and nothing is judged"),
    Field("conduit.crosses_zone", "boolean", "client and server are in different zones"),
    Field("conduit.level_gap", "number", "how many Purdue levels lie between them"),
)
_PIVOT: Final = (
    Field("pivot.ip", "ip", "the host in the middle: the server of a session, the client of an operation"),
)
_VERDICT: Final = (
    Field("conduit.verdict", "keyword", "allowed, violation, unzoned, cannot_conclude"),
    Field("conduit.id", "keyword", "the conduit of the flow that allows it, or would have had to"),
    Field("conduit.flow", "keyword", "that flow"),
    Field("conduit.reason", "keyword", "what differs from that flow: protocol, operation, object, value, …", many=True),
)
_BASELINE: Final = (
    Field("baseline.new_edge", "boolean", "this client, server and protocol are not in the baseline"),
    Field("baseline.new_operation", "boolean", "the operation is not in the baseline of its edge"),
    Field("baseline.new_function", "boolean", "the function is not in the baseline of its edge"),
    Field("baseline.new_write_target", "boolean", "the object was never written before"),
    Field("baseline.value_range", "keyword", "inside or outside of the values learned"),
)
_OT: Final = (
    Field("ot.protocol", "keyword", ", ".join(vocabulary.PROTOCOLS)),
    Field("ot.message", "keyword", "request, response, unsolicited, unconfirmed, confirm, link, network, error"),
    Field("ot.operation", "keyword", ", ".join(vocabulary.OPERATIONS)),
    Field("ot.changes_state", "boolean", "the operation can alter the process, the device or its program"),
    Field("ot.function.code", "integer", "the protocol's number of the function"),
    Field("ot.function.name", "keyword", "its name"),
    Field("ot.status", "keyword", "ok, error, no_response, response_only, one_way, cut"),
    Field("ot.status_code", "integer", "code of a negative answer"),
    Field("ot.status_name", "keyword", "its name"),
    Field("ot.unit", "keyword", "unit, outstation or network address of the server"),
    Field("ot.target.kind", "keyword", "holding-register, coil, control-relay-output, analog-value, data-block, …"),
    Field("ot.target.address", "integer", "first address, zero-based"),
    Field("ot.target.last_address", "integer", "last address, zero-based"),
    Field("ot.target.id", "keyword", "unit, kind, first address and property in one word, to count distinct objects"),
    Field("ot.target.property", "keyword", "property, data block or list"),
    Field("ot.target.text", "keyword", "what the protocol says of it in words: latch_on …, coldstart, a file's name"),
    Field("ot.value", "number", "values; of many the least, the greatest and the last", many=True),
    Field("ot.value_before", "number", "values before a change, where known", many=True),
)
_PROTOCOLS: Final = (
    Field("modbus.function_code", "integer", "function code"),
    Field("modbus.subfunction", "integer", "diagnostics: sub-function"),
    Field("modbus.unit_id", "integer", "unit identifier"),
    Field("modbus.exception_code", "integer", "exception code of the answer"),
    Field("modbus.mei_type", "integer", "encapsulated interface: MEI type"),
    Field("modbus.umas_function", "integer", "UMAS: function"),
    Field("dnp3.function_code", "integer", "application function code"),
    Field("dnp3.link_function_code", "integer", "link function code, of link messages"),
    Field("dnp3.source", "integer", "link address of the master"),
    Field("dnp3.destination", "integer", "link address of the outstation"),
    Field("dnp3.object_group", "integer", "object group"),
    Field("dnp3.variation", "integer", "variation"),
    Field("dnp3.control_code", "keyword", "operation type of a control relay output: latch_on, pulse_on, …"),
    Field("bacnet.service", "keyword", "service: write_property, reinitialize_device, …"),
    Field("bacnet.bvlc_function", "keyword", "function of the BACnet/IP link: register_foreign_device, …"),
    Field("bacnet.object_type", "keyword", "object type"),
    Field("bacnet.instance", "integer", "instance number"),
    Field("bacnet.property", "keyword", "property"),
    Field("bacnet.priority", "integer", "priority of a write"),
    Field("bacnet.reinit_state", "keyword", "ReinitializeDevice: coldstart, warmstart, start-backup, …"),
    Field("bacnet.comm_state", "keyword", "DeviceCommunicationControl: enable, disable, disable-initiation"),
    Field("bacnet.vendor", "keyword", "private transfer: vendor"),
    Field("s7comm.function_code", "integer", "function code; of user data group and sub-function"),
    Field("s7comm.function", "keyword", "function: plc_stop, request_download, write_var, read_szl, …"),
    Field("s7comm.area", "keyword", "area: data-block, input, output, flag, …"),
    Field("s7comm.db", "integer", "number of the data block"),
    Field("s7comm.szl", "keyword", "system status list"),
    Field("opcua.service_id", "integer", "number of the request's type: 631 Read, 673 Write, 712 Call, …"),
    Field("opcua.service", "keyword", "service: read, write, call, browse, activate_session, get_endpoints, …"),
    Field("opcua.node_id", "keyword", "node or method: ns=2;s=Pump.Speed"),
    Field("opcua.namespace", "integer", "index of the node's namespace"),
    Field("opcua.attribute", "integer", "attribute of the node; 13 is the value"),
    Field("opcua.security_mode", "keyword", "none, sign, sign_and_encrypt: of a session, a channel"),
    Field(
        "opcua.security_policy", "keyword", "None, Basic256Sha256, …: of a channel; of endpoints, each that is offered"
    ),
    Field(
        "opcua.user_token",
        "keyword",
        "anonymous, user_name, certificate, issued_token; of endpoints, each that is taken",
    ),
)
_SESSION: Final = (
    Field("event.action", "keyword", "the protocol's word for what was done"),
    Field("event.operation", "keyword", "the same as a word of the list that control protocols share"),
    Field("event.outcome", "keyword", "success, failure, unknown"),
    Field("event.code", "keyword", "the protocol's word or number for the outcome"),
    Field("file.extension", "keyword", "end of the file's name, in lower case"),
)
_SESSION_TYPES: Final[Mapping[str, Type]] = {
    "dhcp.assigned_ip": "ip",
    "dhcp.requested_ip": "ip",
    "dhcp.server": "ip",
    "dhcp.router": "ip",
    "dhcp.dns": "ip",
    "arp.sender.ip": "ip",
    "arp.target.ip": "ip",
    "http.response.status_code": "integer",
    "ntp.stratum": "integer",
    "icmp.type": "integer",
    "icmp.code": "integer",
    "tls.server.self_signed": "boolean",
    "tls.established": "boolean",
    "credential.default": "boolean",
    "file.size": "integer",
    "dhcp.lease_time": "integer",
}
_CONNECTION: Final = (
    Field("network.community_id", "keyword", "community id, version 1"),
    Field("network.state", "keyword", ", ".join(vocabulary.FLOW_STATES)),
    Field("network.basis", "keyword", "by what the service is known: content, port"),
    Field("network.odd_port", "boolean", "told by content, at a port that is not the service's own"),
    Field("network.packets", "integer", "both ways"),
    Field("network.bytes", "integer", "both ways, link layer included"),
    Field("source.packets", "integer", "from the client"),
    Field("source.bytes", "integer", "from the client"),
    Field("destination.packets", "integer", "from the server"),
    Field("destination.bytes", "integer", "from the server"),
    Field("event.duration", "integer", "nanoseconds"),
)
_VIOLATION: Final = (
    Field("ot.protocol", "keyword", "the protocol; missing below the protocols"),
    Field("ot.malformed_reason", "keyword", ", ".join(vocabulary.ODDITY_CODES)),
    Field("ot.malformed_layer", "keyword", "layer: mbap, dnp3-link, apdu, …"),
    Field("ot.malformed_offset", "integer", "octet within the layer"),
    Field("ot.malformed_expected", "keyword", "what was expected"),
)
_ASSET: Final = (
    Field("asset.id", "keyword", "id"),
    Field("asset.name", "keyword", "what people call it"),
    Field("asset.ip", "ip", "IP addresses", many=True),
    Field("asset.mac", "keyword", "MAC addresses", many=True),
    Field("asset.role", "keyword", "role"),
    Field("asset.kind", "keyword", "ot, it, external, unknown"),
    Field("asset.vendor", "keyword", "vendor"),
    Field("asset.model", "keyword", "model"),
    Field("asset.firmware", "keyword", "firmware"),
    Field("asset.operating_system", "keyword", "operating system"),
    Field("asset.criticality", "keyword", "as declared"),
    Field("asset.declared", "boolean", "it is in the policy or the asset list"),
    Field("asset.listed", "boolean", "somebody declared what assets there are"),
    Field("asset.zone", "keyword", "its zone"),
    Field("asset.purdue_level", "number", "level of the zone"),
    Field("asset.zone_kind", "keyword", "kind of the zone"),
    Field("asset.services", "keyword", "services that it was seen to serve", many=True),
    Field("asset.unauthenticated_services", "keyword", "those that obey without authentication", many=True),
    Field("asset.users", "keyword", "users seen", many=True),
)
_DETECTION: Final = (
    Field("rule.id", "keyword", "the detector: exposure.scan, policy.violation, …"),
    Field("rule.level", "keyword", "severity that the detector gives it"),
    Field("detection.assets", "keyword", "ids of the assets concerned", many=True),
    Field("detection.zones", "keyword", "zones concerned", many=True),
    Field("detection.verdict", "keyword", "the policy's verdict, where it is about one"),
    Field("ot.operation", "keyword", "operation, where it is about one"),
    Field("network.protocol", "keyword", "protocol, where it is about one"),
)

_OWN: Final[Mapping[Category, tuple[Field, ...]]] = {
    "ot_operation": (*_ENDS, *_NETWORK, *_CONTEXT, *_PIVOT, *_VERDICT, *_BASELINE, *_OT, *_PROTOCOLS),
    "network_session": (
        *_ENDS,
        *_NETWORK,
        *_CONTEXT,
        *_PIVOT,
        *_SESSION,
        *(
            Field(name, _SESSION_TYPES.get(name, "keyword"), "as the service says it", many=True)
            for name in vocabulary.FIELDS
        ),
    ),
    "network_connection": (*_ENDS, *_NETWORK, *_CONTEXT, *_PIVOT, *_VERDICT, *_CONNECTION),
    "protocol_violation": (*_ENDS, *_CONTEXT, *_VIOLATION),
    "asset": _ASSET,
    "detection": _DETECTION,
}

FIELDS: Final[Mapping[Category, Mapping[str, Field]]] = {
    category: {field.name: field for field in (*_TIME, *_OWN[category])} for category in CATEGORIES
}
"""The fields of each category by name."""


def document() -> str:
    """The taxonomy as a page."""
    lines = ["# Taxonomy of detection rules", "", *__doc__.strip().splitlines()[2:6], ""]
    lines += ["Log source of every rule: `product: zonewatch` and one of these categories.", ""]
    for category in CATEGORIES:
        about = ABOUT_CATEGORIES[category]
        lines += [f"## {category}", "", f"{about[0].upper()}{about[1:]}.", ""]
        lines += ["| field | type | meaning |", "|---|---|---|"]
        for field in FIELDS[category].values():
            lines.append(f"| `{field.name}` | {field.type}{', several' if field.many else ''} | {field.about} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(document(), end="")
