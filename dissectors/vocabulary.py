"""The closed vocabularies of the data. A word outside them is a bug, and the tests say so."""

from __future__ import annotations

from typing import Final, Literal, get_args

from zonewatch.dissectors import _native

Protocol = Literal["modbus", "dnp3", "bacnet", "profibus", "s7comm", "opcua"]
Operation = Literal[
    "discover",
    "read",
    "subscribe",
    "report",
    "write",
    "operate",
    "configure",
    "program_download",
    "program_upload",
    "firmware",
    "mode",
    "stop",
    "start",
    "restart",
    "time",
    "file",
    "authenticate",
    "diagnose",
    "session",
    "unknown",
]
Kind = Literal["request", "response", "error", "unsolicited", "confirm", "unconfirmed", "link", "network", "unknown"]
Status = Literal["ok", "error", "no_response", "response_only", "one_way", "cut"]
"""Outcome of an event: answered; answered negatively; not answered; the request was not captured;
no answer is due; the message was not captured whole."""
Attribute = Literal[
    "vendor",
    "vendor_id",
    "model",
    "product",
    "firmware",
    "hardware",
    "serial",
    "name",
    "location",
    "description",
    "application",
    "instance",
    "url",
    "protocol_revision",
    "state",
    "slot",
    "hostname",
    "domain",
    "operating_system",
    "version",
    "user",
    "software",
    "address",
    "mac",
    "port",
    "role_hint",
    "certificate",
]
FlowState = Literal["attempted", "refused", "established", "closed", "reset", "one_way", "two_way"]
"""TCP: attempted … reset. Everything else: one_way or two_way."""
OddityCode = Literal[
    "bad_length",
    "bad_checksum",
    "invalid_value",
    "truncated",
    "trailing_octets",
    "undecoded_object",
    "bad_sequence",
    "conflicting_overlap",
    "gap",
    "not_the_protocol",
    "bad_header",
    "mismatch",
    "incomplete_fragments",
    "too_deep",
    "ring_changed",
]

PROTOCOLS: Final[tuple[Protocol, ...]] = get_args(Protocol)
"""Protocols of control systems: their messages are OT events."""
SERVICES: Final = _native.SERVICES
"""Protocols of the services beside them, of which activities and claims are told."""
LOGGED_SERVICES: Final = ("enip",)
"""Services of whose activities only logs of another program tell; their packets are not decoded."""
FIELDS: Final = _native.FIELDS
"""Names of the fields of activities: the Elastic Common Schema's where it has one."""
OPERATIONS: Final[tuple[Operation, ...]] = get_args(Operation)
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
ATTRIBUTES: Final[tuple[Attribute, ...]] = get_args(Attribute)
FLOW_STATES: Final[tuple[FlowState, ...]] = get_args(FlowState)
ODDITY_CODES: Final[tuple[OddityCode, ...]] = get_args(OddityCode)

STATE_CHANGING: Final[frozenset[Operation]] = frozenset(
    (
        "write",
        "operate",
        "configure",
        "program_download",
        "firmware",
        "mode",
        "stop",
        "start",
        "restart",
        "time",
        "file",
    )
)
"""Operations that can alter the process, the device or its program (the engine's `changes_state`)."""

OT_SERVICES: Final = frozenset(
    (
        "modbus",
        "dnp3",
        "bacnet",
        "profibus",
        "s7comm",
        "s7comm-plus",
        "enip",
        "cip",
        "iec104",
        "iec-104",
        "iec61850",
        "mms",
        "goose",
        "sv",
        "opcua",
        "opc-ua",
        "profinet",
        "pn-dcp",
        "pn-rt",
        "ethercat",
        "fins",
        "melsec",
        "slmp",
        "hart-ip",
        "synchrophasor",
        "knx",
        "ge-srtp",
        "codesys",
        "ads",
        "atg",
        "c1222",
        "dlms",
        "dnp3-tls",
        "egd",
        "enip-io",
        "ff-annunciation",
        "niagara-fox",
        "niagara-foxs",
        "pcom",
        "pcworx",
        "powerlink",
        "proconos",
        "profinet-cm",
        "profinet-rt",
        "profinet-rtm",
        "red-lion",
        "sercos",
    )
)
"""Services of control systems, decoded or not; they make no IT host of a device."""
