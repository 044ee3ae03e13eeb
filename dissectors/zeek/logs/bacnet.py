"""`bacnet`, with the objects that `bacnet_property`, `bacnet_discovery` and `bacnet_device_control` tell (ICSNPP)."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.zeek.claims import claims
from zonewatch.dissectors.zeek.exchanges import Messages, exchanges, sides
from zonewatch.dissectors.zeek.rows import mapped, pc
from zonewatch.dissectors.zeek.told import DIRECTED, Found, Kind, Lines, key, moment, named, sent
from zonewatch.dissectors.zeek.words import BACNET_BVLC, UNKNOWN, Function, entries

_REPORTS: Final = "notification"
_CONFIRMED: Final = {
    entry["name"]: Function(int(code), entry["name"], entry["operation"])
    for code, entry in entries("bacnet", "confirmed_services").items()
}
_UNCONFIRMED: Final = {
    entry["name"]: Function(int(code), entry["name"], entry["operation"])
    for code, entry in entries("bacnet", "unconfirmed_services").items()
}
_NETWORK: Final = {
    entry["name"]: Function(int(code), entry["name"], entry.get("operation", "unknown"))
    for code, entry in entries("bacnet", "network_messages").items()
}
_BVLC: Final = {
    BACNET_BVLC.get(entry["name"], entry["name"]).lower(): Function(
        int(code), entry["name"], entry.get("operation", "unknown"), entry.get("kind", "")
    )
    for code, entry in entries("bacnet", "bvlc_functions").items()
}
_STATES: Final = {
    entry["name"]: entry["operation"]
    for entry in entries("bacnet", "reinitialized_states").values()
    if "operation" in entry
}
_ERRORS: Final = {
    (pdu, entry["name"]): int(code)
    for pdu, group in (("ERROR_PDU", "error_codes"), ("REJECT_PDU", "reject_reasons"), ("ABORT_PDU", "abort_reasons"))
    for code, entry in entries("bacnet", group).items()
}
_PROPERTIES: Final = {entry["name"]: int(code) for code, entry in entries("bacnet", "properties").items()}
_REFUSALS: Final = ("ERROR_PDU", "REJECT_PDU", "ABORT_PDU")
_ANSWERS: Final = ("SIMPLE_ACK", "COMPLEX_ACK", "SEGMENT_ACK", *_REFUSALS)
_IDENTITY: Final = {
    "object-name": "name",
    "vendor-name": "vendor",
    "vendor-identifier": "vendor_id",
    "model-name": "model",
    "firmware-revision": "firmware",
    "application-software-version": "application",
    "location": "location",
    "description": "description",
    "serial-number": "serial",
    "protocol-revision": "protocol_revision",
}
"""Properties of a device object, and the attribute of the device that each states."""
_ALL: Final = {**_NETWORK, **_UNCONFIRMED, **_CONFIRMED}


def _function(word: str, pdu: str, link: str) -> Function:
    if pdu == "NPDU":
        return _NETWORK.get(word, Function(None, word, "unknown"))
    if pdu == "UNCONFIRMED_REQUEST":
        return _UNCONFIRMED.get(word) or _ALL.get(word, Function(None, word, "unknown"))
    if not pdu:
        return _BVLC.get(link.lower(), UNKNOWN)
    return _CONFIRMED.get(word) or _ALL.get(word, UNKNOWN)


def _bacnet(lines: Lines) -> Found:
    rows, ways = lines.rows, sent(lines)
    pdu, word = pc.fill_null(rows.text("pdu_type"), ""), pc.fill_null(rows.text("pdu_service"), "")
    link = pc.fill_null(rows.text("bvlc_function"), "")
    words = pc.binary_join_element_wise(word, pdu, link, "\x1f")
    answers = pc.is_in(pdu, value_set=pa.array(_ANSWERS))
    asks = pc.if_else(answers, False, pc.if_else(pc.equal(pdu, "CONFIRMED_REQUEST"), True, pa.scalar(None, pa.bool_())))
    reports = pc.match_substring(word, _REPORTS)
    # Who notifies is the server, and of an answer the receiver is who asked.
    from_server = pc.xor(answers, reports)
    failed = pc.is_in(pdu, value_set=pa.array(_REFUSALS))
    reason = pc.if_else(failed, rows.text("result_code"), pa.scalar(None, pa.utf8()))
    bare = pc.equal(pdu, "")
    kind = mapped(pdu, _kind, pa.utf8())
    kind = pc.if_else(pc.and_(reports, pc.equal(kind, "unconfirmed")), "unsolicited", kind)
    table = exchanges(
        len(lines),
        time=lines.time,
        line=rows.line,
        **sides(ways, from_server),
        transport="udp",
        kind=pc.if_else(bare, "link", kind),
        **named(words, lambda text: _function(*text.split("\x1f")[:3])),
        status=pc.if_else(failed, "error", pc.if_else(answers, "ok", "one_way")),
        status_code=mapped(
            pc.binary_join_element_wise(pdu, pc.fill_null(reason, ""), "\x1f"),
            lambda text: _ERRORS.get((text.partition("\x1f")[0], text.partition("\x1f")[2])),
            pa.int64(),
        ),
        status_name=pc.fill_null(reason, ""),
        ident=moment(lines, rows.text("uid"), ways["source"], rows.text("invoke_id"), _service(word)),
    )
    who = pc.if_else(answers, ways["destination"], ways["source"])
    pairs = key(rows.text("uid"), who, rows.text("invoke_id"))
    # A message that only forwards another one is told by that.
    carried = pc.and_(
        bare, mapped(link, lambda text: "npdu" in _BVLC.get(text.lower(), Function(0, "", "")).kind, pa.bool_())
    )
    kept = pc.invert(carried)
    return Found(messages=Messages(table.filter(kept), pairs.filter(kept), asks.filter(kept)))


def _kind(word: str) -> str:
    return {"CONFIRMED_REQUEST": "request", "UNCONFIRMED_REQUEST": "unconfirmed", "NPDU": "network"}.get(
        word, "response"
    )


def _service(words: Any) -> Any:
    """`read-property-multiple-request`, `read_property_multiple` → the same word."""
    return mapped(words, lambda word: word.replace("_", "-").removesuffix("-request").removesuffix("-ack"), pa.utf8())


def _properties(lines: Lines) -> pa.Table:
    """What requests name; what answers carry of a device is told as its identity."""
    rows = lines.rows
    word = pc.fill_null(rows.text("pdu_service"), "")
    prop = rows.text("property")
    told = rows.text("value")
    written = pc.starts_with(word, "write")
    number = pc.if_else(written, rows.number("value"), pa.scalar(None, pa.float64()))
    values = mapped(number.cast(pa.utf8()), lambda text: [float(text)], pa.list_(pa.float64()))
    wordy = pc.and_(written, pc.is_null(number))
    table = _table(
        lines,
        word,
        object_kind=rows.text("object_type"),
        object_start=rows.whole("instance_number"),
        object_count=1,
        property=mapped(prop, _property, pa.int64()),
        property_name=pc.fill_null(prop, ""),
        values=values,
        written=pc.if_else(written, pc.fill_null(told, ""), ""),
        text=pc.if_else(wordy, pc.fill_null(told, ""), ""),
    )
    return table.filter(pc.invert(pc.ends_with(word, "-ack")))


def _property(word: str) -> int | None:
    return _PROPERTIES.get(word)


def _discovered(lines: Lines) -> pa.Table:
    rows = lines.rows
    word = pc.fill_null(rows.text("pdu_service"), "")
    table = _table(
        lines,
        word,
        object_kind=rows.text("object_type"),
        object_start=rows.whole("instance_number"),
        object_count=1,
        text=pc.fill_null(rows.text("object_name"), ""),
    )
    return table.filter(pc.is_valid(table["object_kind"]))


def _controlled(lines: Lines) -> pa.Table:
    """The state that a device is told to take; the password beside it is not read."""
    rows = lines.rows
    word = pc.fill_null(rows.text("pdu_service"), "")
    state = pc.fill_null(rows.text("device_state"), "")
    table = _table(lines, word, object_kind="device", object_count=1, text=state)
    operation = pc.coalesce(mapped(state, _STATES.get, pa.utf8()), table["operation"].combine_chunks())
    return table.set_column(table.column_names.index("operation"), "operation", operation)


def _table(lines: Lines, word: Any, **columns: Any) -> pa.Table:
    ways = sent(lines)
    service = mapped(_service(word), lambda text: text.replace("-", "_"), pa.utf8())
    ident = moment(
        lines, lines.rows.text("uid"), ways["source"], lines.rows.text("invoke_id"), _service(word), many=True
    )
    return exchanges(
        len(lines),
        time=lines.time,
        line=lines.rows.line,
        client=ways["source"],
        server=ways["destination"],
        client_port=ways["source_port"],
        server_port=ways["destination_port"],
        transport="udp",
        **named(service, lambda text: _ALL.get(text, UNKNOWN)),
        ident=ident,
        **columns,
    )


def _stated(lines: Lines) -> Found:
    """What devices answer about themselves."""
    rows, ways = lines.rows, sent(lines)
    word = pc.fill_null(rows.text("pdu_service"), "")
    attribute = mapped(rows.text("property"), _IDENTITY.get, pa.utf8())
    of_device = pc.and_(pc.equal(pc.fill_null(rows.text("object_type"), ""), "device"), pc.ends_with(word, "-ack"))
    return Found(
        claims=(
            claims(lines, "bacnet", ways["source"], attribute, rows.words("value"), where=of_device),
            claims(lines, "bacnet", ways["source"], "instance", rows.text("instance_number"), where=of_device),
        )
    )


def _announced(lines: Lines) -> Found:
    rows, ways = lines.rows, sent(lines)
    word = pc.fill_null(rows.text("pdu_service"), "")
    is_device = pc.equal(pc.fill_null(rows.text("object_type"), ""), "device")
    i_am = pc.and_(is_device, pc.equal(word, "i-am"))
    i_have = pc.equal(word, "i-have")
    vendor = rows.words("vendor")
    known = pc.invert(pc.starts_with(pc.fill_null(vendor, "Unknown"), "Unknown"))
    return Found(
        claims=(
            claims(lines, "bacnet", ways["source"], "instance", rows.text("instance_number"), where=i_am),
            claims(lines, "bacnet", ways["source"], "vendor", vendor, where=pc.and_(i_am, known)),
            claims(lines, "bacnet", ways["source"], "instance", rows.text("device_id_number"), where=i_have),
        )
    )


_PROPERTY: Final = (*DIRECTED, "invoke_id", "pdu_service", "object_type", "instance_number", "property", "value")
_DISCOVERY: Final = (
    *DIRECTED, "pdu_service", "device_id_number", "object_type", "instance_number", "vendor", "object_name",
)  # fmt: skip
KINDS: Final = (
    Kind(
        "bacnet",
        (*DIRECTED, "bvlc_function", "pdu_type", "pdu_service", "invoke_id", "result_code"),
        _bacnet,
        "bacnet",
        beside={
            "bacnet_property": _properties,
            "bacnet_discovery": _discovered,
            "bacnet_device_control": _controlled,
        },
        beside_columns=(*_PROPERTY, *_DISCOVERY, "device_state"),
    ),
    Kind("bacnet_property", _PROPERTY, _stated, "bacnet"),
    Kind("bacnet_discovery", _DISCOVERY, _announced, "bacnet"),
)
