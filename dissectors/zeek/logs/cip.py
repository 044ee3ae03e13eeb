"""`enip`, `cip`, `cip_io`, `cip_identity` (ICSNPP). EtherNet/IP has no decoder of packets here: what its logs tell are
activities of the service `enip` and identities, no events of a control protocol."""

from __future__ import annotations

from typing import Final, NamedTuple

import pyarrow as pa

from zonewatch.dissectors.zeek.claims import claims
from zonewatch.dissectors.zeek.exchanges import Messages, exchanges, sides
from zonewatch.dissectors.zeek.rows import mapped, pc
from zonewatch.dissectors.zeek.told import DIRECTED, Found, Kind, Lines, ends, flows_of, key, sent

SERVICE: Final = "enip"


class _Service(NamedTuple):
    name: str
    operation: str


_COMMANDS: Final = {
    0x04: _Service("list_services", "discover"),
    0x63: _Service("list_identity", "discover"),
    0x64: _Service("list_interfaces", "discover"),
    0x65: _Service("register_session", "session"),
    0x66: _Service("unregister_session", "session"),
}
"""Commands of EtherNet/IP (CIP Networks Library volume 2, 2-3.2) that carry no message of CIP."""
_SERVICES: Final = {
    0x01: _Service("get_attributes_all", "read"),
    0x02: _Service("set_attributes_all", "write"),
    0x03: _Service("get_attribute_list", "read"),
    0x04: _Service("set_attribute_list", "write"),
    0x05: _Service("reset", "restart"),
    0x06: _Service("start", "start"),
    0x07: _Service("stop", "stop"),
    0x08: _Service("create", "configure"),
    0x09: _Service("delete", "configure"),
    0x0A: _Service("multiple_service_packet", "unknown"),
    0x0D: _Service("apply_attributes", "configure"),
    0x0E: _Service("get_attribute_single", "read"),
    0x10: _Service("set_attribute_single", "write"),
    0x11: _Service("find_next_object_instance", "discover"),
    0x15: _Service("restore", "configure"),
    0x16: _Service("save", "configure"),
    0x17: _Service("no_operation", "diagnose"),
    0x18: _Service("get_member", "read"),
    0x19: _Service("set_member", "write"),
    0x1A: _Service("insert_member", "write"),
    0x1B: _Service("remove_member", "write"),
    0x1C: _Service("group_sync", "time"),
    0x1D: _Service("get_connection_point_member_list", "read"),
}
"""Services that mean the same to every class (volume 1, appendix A-3)."""
_OF_CLASS: Final = {
    "4b": _Service("execute_pccc", "unknown"),
    "4c": _Service("read_tag", "read"),
    "4d": _Service("write_tag", "write"),
    "4e": _Service("read_modify_write_tag", "write"),
    "52": _Service("read_tag_fragmented", "read"),
    "53": _Service("write_tag_fragmented", "write"),
    "6.4e": _Service("forward_close", "session"),
    "6.52": _Service("unconnected_send", "unknown"),
    "6.54": _Service("forward_open", "session"),
    "6.5b": _Service("large_forward_open", "session"),
    "54": _Service("forward_open", "session"),
    "5b": _Service("large_forward_open", "session"),
    "37.4b": _Service("initiate_upload", "program_upload"),
    "37.4c": _Service("initiate_download", "program_download"),
    "37.4d": _Service("initiate_partial_read", "program_upload"),
    "37.4e": _Service("initiate_partial_write", "program_download"),
    "37.4f": _Service("upload_transfer", "program_upload"),
    "37.50": _Service("download_transfer", "program_download"),
    "37.51": _Service("clear_file", "program_download"),
}
"""Services of a class: that of connections (6), of files (0x37), else those of the makers of controllers."""
_CONFIGURE: Final = frozenset(("5e", "5f", "f4", "f5", "f6", "47", "48", "43"))
"""Classes of the device's place in the network: what is written there configures it."""
_IDENTITY: Final = "1"
_RESPONSE: Final = 0x80


def _service(word: str) -> _Service:
    """Service and class (`10.f5`) as the logs write them, in hexadecimal."""
    code, _, of = word.partition(".")
    try:
        number = int(code, 16) & ~_RESPONSE
        of = f"{int(of, 16):x}" if of else ""
    except ValueError:
        return _Service("unknown", "unknown")
    own = _OF_CLASS.get(f"{of}.{number:x}") or _OF_CLASS.get(f"{number:x}")
    found = _SERVICES.get(number) or own or _Service(f"service_0x{number:02x}", "unknown")
    if found.operation == "write" and of in _CONFIGURE:
        return found._replace(operation="configure")
    if found.operation == "read" and of == _IDENTITY:
        return found._replace(operation="discover")
    return found


def _cip(lines: Lines) -> Found:
    rows, ways = lines.rows, sent(lines)
    answers = pc.equal(pc.fill_null(rows.text("direction"), "request"), "response")
    code = pc.replace_substring_regex(pc.fill_null(rows.text("cip_service_code"), ""), "^0[xX]", "")
    of = pc.replace_substring_regex(pc.fill_null(rows.text("class_id"), ""), "^0[xX]", "")
    words = pc.binary_join_element_wise(code, of, ".")
    status = rows.hexadecimal("cip_status_code")
    said = pc.fill_null(rows.text("cip_status"), "")
    failed = pc.or_(
        pc.greater(pc.fill_null(status, 0), 0), pc.invert(pc.is_in(said, value_set=pa.array(["", "Success"])))
    )
    # Who asks is the client, whoever opened the connection.
    table = exchanges(
        len(lines),
        time=lines.time,
        line=rows.line,
        **sides(ways, answers),
        function_name=mapped(words, lambda word: _service(word).name, pa.utf8()),
        operation=mapped(words, lambda word: _service(word).operation, pa.utf8()),
        status=pc.if_else(failed, "error", "ok"),
        status_name=pc.if_else(failed, said, ""),
    )
    number = rows.text("packet_correlation_id", "cip_sequence_count")
    own = mapped(code, lambda word: _service(word).name, pa.utf8())
    return Found(
        messages=Messages(table, key(rows.text("uid"), number, own), pc.invert(answers)), flows=flows_of(lines)
    )


def _enip(lines: Lines) -> Found:
    rows, ways = lines.rows, sent(lines)
    found = flows_of(lines)
    if not rows.has("is_orig", "source_h"):
        return Found(flows=found)  # nothing says which of a pair it is
    code = rows.hexadecimal("enip_command_code").cast(pa.utf8())
    asks = ways["forward"]
    status = pc.fill_null(rows.text("enip_status"), "Success")
    failed = pc.not_equal(status, "Success")
    table = exchanges(
        len(lines),
        **ends(lines),
        function_name=mapped(code, lambda word: _command(word).name, pa.utf8()),
        operation=mapped(code, lambda word: _command(word).operation, pa.utf8()),
        status=pc.if_else(failed, "error", "ok"),
        status_name=pc.if_else(failed, status, ""),
    )
    told = pc.fill_null(mapped(code, lambda word: int(word) in _COMMANDS, pa.bool_()), False)
    closes = pc.equal(table["function_name"].combine_chunks(), "unregister_session")  # nobody answers it
    asks = pc.if_else(closes, pa.scalar(None, pa.bool_()), asks)
    return Found(
        messages=Messages(table.filter(told), key(rows.text("uid"), code).filter(told), asks.filter(told)), flows=found
    )


def _command(word: str) -> _Service:
    return _COMMANDS.get(int(word), _Service("unknown", "unknown"))


def _io(lines: Lines) -> Found:
    return Found(flows=flows_of(lines, "udp"))


def _identity(lines: Lines) -> Found:
    rows, ways = lines.rows, sent(lines)
    named = {
        "vendor_name": "vendor", "device_type_name": "description", "product_name": "model", "revision": "firmware",
        "serial_number": "serial",
    }  # fmt: skip
    # The object has the device's own address; it may be another one than the answer's, behind a bridge.
    own = rows.text("socket_address")
    own = pc.if_else(pc.is_in(own, value_set=pa.array(["0.0.0.0", "::"])), pa.scalar(None, pa.utf8()), own)
    address = pc.coalesce(own, ways["source"])
    found = [claims(lines, SERVICE, address, attribute, rows.words(name)) for name, attribute in named.items()]
    return Found(claims=tuple(found), flows=flows_of(lines))


KINDS: Final = (
    Kind("enip", (*DIRECTED, "enip_command_code", "enip_status"), _enip, SERVICE),
    Kind(
        "cip",
        (
            *DIRECTED, "packet_correlation_id", "cip_sequence_count", "direction", "cip_service_code",
            "cip_status_code", "cip_status", "class_id",
        ),
        _cip,
        SERVICE,
    ),
    Kind("cip_io", DIRECTED, _io, "enip-io"),
    Kind(
        "cip_identity",
        (
            *DIRECTED, "socket_address", "vendor_name", "device_type_name", "product_name", "revision",
            "serial_number",
        ),
        _identity,
        SERVICE,
    ),
)  # fmt: skip
