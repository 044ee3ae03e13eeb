"""`s7comm`, with what `s7comm_upload_download` and `s7comm_read_szl` add, and `s7comm_plus` (ICSNPP)."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.zeek.claims import claims
from zonewatch.dissectors.zeek.exchanges import Messages, exchanges, sides
from zonewatch.dissectors.zeek.rows import mapped, pc
from zonewatch.dissectors.zeek.told import DIRECTED, Found, Kind, Lines, key, moment, named, sent
from zonewatch.dissectors.zeek.words import UNKNOWN, Function, entries

_JOBS: Final = {
    int(code): Function(int(code), entry["name"], entry["operation"], entry.get("kind", ""))
    for code, entry in entries("s7comm", "functions").items()
}
_INVOCATIONS: Final = {entry["name"]: entry for entry in entries("s7comm", "program_invocations").values()}
_USERDATA: Final = entries("s7comm", "userdata")
_GROUPS: Final = entries("s7comm", "userdata_groups")
_LISTS: Final = {int(code): entry for code, entry in entries("s7comm", "status_lists").items()}
_ERRORS: Final = entries("s7comm", "errors")
_PLUS: Final = {
    int(code): Function(int(code), entry["name"], entry["operation"])
    for code, entry in entries("s7comm", "plus_functions").items()
}
_BLOCKS: Final = {
    "Organization Block": (8, "ob"),
    "Data Block": (10, "db"),
    "System Data Block": (11, "sdb"),
    "Function": (12, "fc"),
    "System Function": (13, "sfc"),
    "Function Block": (14, "fb"),
    "System Function Block": (15, "sfb"),
}
_USER_DATA: Final = 7
_OF_SERVER: Final = "server"  # jobs that the controller sends to the programmer's station
_PUSH: Final = 0x00
_CONTROL: Final = 40


def _function(text: str) -> Function:
    """ROSCTR, function and subfunction, as the log writes them."""
    rosctr, function, sub = text.split("\x1f")[:3]  # a text may have the separator in it
    code = _number(function)
    if code is None:
        return UNKNOWN
    if rosctr == str(_USER_DATA):
        group, part = code & 0x0F, _number(sub) or 0
        entry = _USERDATA.get(f"{group}.{part}") or _GROUPS.get(str(group)) or {}
        return Function((0x40 | group) << 8 | part, entry.get("name", ""), entry.get("operation", "unknown"))
    found = _JOBS.get(code, Function(code, "", "unknown"))
    called = _INVOCATIONS.get(sub)
    if code == _CONTROL and called is not None:
        return Function(code, called["kind"], called["operation"])
    return found


def _number(word: str) -> int | None:
    try:
        number = int(word, 0)
    except ValueError:
        return None
    return number if 0 <= number <= 0xFF else None


def _s7comm(lines: Lines) -> Found:
    rows, ways = lines.rows, sent(lines)
    rosctr = pc.fill_null(rows.text("rosctr_code"), "")
    sub = pc.fill_null(rows.text("subfunction_code"), "")
    function = pc.fill_null(rows.text("function_code"), "")
    words = pc.binary_join_element_wise(rosctr, function, sub, "\x1f")
    userdata = pc.equal(rosctr, str(_USER_DATA))
    kind_of = mapped(function, lambda word: (_number(word) or 0) >> 4, pa.int64())  # 4 asks, 8 answers, 0 tells unasked
    pushed = pc.and_(userdata, pc.fill_null(pc.equal(kind_of, _PUSH), False))
    answers = pc.or_(
        pc.and_(userdata, pc.fill_null(pc.equal(kind_of, 8), False)),
        pc.is_in(rosctr, value_set=pa.array(["2", "3"])),
    )
    code = pc.fill_null(rows.hexadecimal("error_code"), 0)
    group = pc.fill_null(rows.text("error_class"), "No error")
    failed = pc.and_(answers, pc.or_(pc.not_equal(group, "No error"), pc.greater(code, 0)))
    of_server = mapped(words, lambda text: _function(text).kind == _OF_SERVER, pa.bool_())
    # Who answers is the server; some jobs go the other way, and what is told unasked comes from the server.
    from_server = pc.xor(pc.or_(answers, pushed), of_server)
    asks = pc.if_else(pushed, pa.scalar(None, pa.bool_()), pc.invert(answers))
    is_control = pc.starts_with(pc.fill_null(rows.text("function_name"), ""), "PLC ")
    called = pc.if_else(pc.and_(is_control, pc.not_equal(sub, "")), sub, "")
    table = exchanges(
        len(lines),
        time=lines.time,
        line=rows.line,
        **sides(ways, from_server),
        kind=pc.if_else(pushed, "unsolicited", "request"),
        **named(words, _function),
        status=pc.if_else(failed, "error", pc.if_else(answers, "ok", pc.if_else(pushed, "one_way", "ok"))),
        status_code=pc.if_else(failed, code, pa.scalar(None, pa.int64())),
        status_name=pc.if_else(failed, mapped(code.cast(pa.utf8()), _error, pa.utf8()), ""),
        object_kind=pc.if_else(is_control, "program", pa.scalar(None, pa.utf8())),
        object_count=pc.if_else(is_control, 1, 0),
        text=called,
        ident=moment(lines, rows.text("uid"), ways["source"], rows.text("pdu_reference")),
    )
    return Found(messages=Messages(table, key(rows.text("uid"), rows.text("pdu_reference")), asks))


def _error(word: str) -> str:
    code = int(word)
    entry = _ERRORS.get(f"{code >> 8}.{code & 0xFF}")
    return entry["name"] if entry else ""


def _transfers(lines: Lines) -> pa.Table:
    """Blocks that are sent for or sent; of answers nothing is told."""
    rows = lines.rows
    block = mapped(
        pc.fill_null(rows.text("block_type"), ""), lambda word: _BLOCKS.get(word, (None, None))[0], pa.int64()
    )
    name = mapped(pc.fill_null(rows.text("block_type"), ""), lambda word: _BLOCKS.get(word, (0, ""))[1], pa.utf8())
    table = _table(
        lines,
        object_kind="block",
        object_start=mapped(rows.text("block_number"), _number_of_block, pa.int64()),
        object_count=1,
        property=block,
        property_name=name,
        text=pc.fill_null(rows.words("filename"), ""),
    )
    asks = pc.starts_with(pc.fill_null(rows.text("rosctr"), ""), "Job")
    return table.filter(pc.and_(asks, pc.is_valid(rows.text("filename"))))


def _number_of_block(word: str) -> int | None:
    return int(word) if word.isdecimal() and len(word) < 10 else None


def _lists(lines: Lines) -> pa.Table:
    """System status lists that are asked for: those that tell what a device is are discovery."""
    rows = lines.rows
    number = rows.hexadecimal("szl_id")
    entry = pc.bit_wise_and(number, 0xFF).cast(pa.utf8())
    operation = mapped(entry, lambda word: _LISTS.get(int(word), {}).get("operation", "diagnose"), pa.utf8())
    table = _table(
        lines,
        object_kind="system-status-list",
        object_start=number,
        object_count=1,
        property_name=mapped(entry, lambda word: _LISTS.get(int(word), {}).get("name", ""), pa.utf8()),
        operation=operation,
    )
    return table.filter(pc.equal(pc.fill_null(rows.text("method"), ""), "Request"))


def _table(lines: Lines, **columns: Any) -> pa.Table:
    ways = sent(lines)
    ident = moment(lines, lines.rows.text("uid"), ways["source"], lines.rows.text("pdu_reference"), many=True)
    return exchanges(
        len(lines),
        time=lines.time,
        line=lines.rows.line,
        client=ways["source"],
        server=ways["destination"],
        client_port=ways["source_port"],
        server_port=ways["destination_port"],
        ident=ident,
        **columns,
    )


def _plus(lines: Lines) -> Found:
    rows, ways = lines.rows, sent(lines)
    opcode = pc.fill_null(rows.hexadecimal("opcode"), 0)
    answers, tells = pc.equal(opcode, 0x32), pc.equal(opcode, 0x33)
    from_server = pc.or_(answers, tells)
    code = rows.hexadecimal("function_code")
    words = code.cast(pa.utf8())
    table = exchanges(
        len(lines),
        time=lines.time,
        line=rows.line,
        **sides(ways, from_server),
        kind=pc.if_else(tells, "unsolicited", "request"),
        **named(words, lambda word: _PLUS.get(int(word), Function(int(word), "", "unknown"))),
        status=pc.if_else(tells, "one_way", "ok"),
    )
    asks = pc.if_else(tells, pa.scalar(None, pa.bool_()), pc.invert(answers))
    return Found(messages=Messages(table, key(rows.text("uid"), words), asks))


def _known(lines: Lines) -> Found:
    rows = lines.rows
    address = rows.text("id.resp_h")
    named = {"automation_system_name": "name", "module_name": "description", "plant_name": "location",
             "module_serial": "serial"}  # fmt: skip
    return Found(
        claims=tuple(claims(lines, "s7comm", address, attribute, rows.words(name)) for name, attribute in named.items())
    )


_BASE: Final = (*DIRECTED, "pdu_reference")
KINDS: Final = (
    Kind(
        "s7comm",
        (
            *_BASE, "rosctr_code", "function_code", "function_name", "subfunction_code", "error_class", "error_code",
        ),
        _s7comm,
        "s7comm",
        beside={"s7comm_upload_download": _transfers, "s7comm_read_szl": _lists},
        beside_columns=(
            *_BASE, "rosctr", "block_type", "block_number", "filename", "method", "szl_id",
        ),
    ),
    Kind("s7comm_plus", (*DIRECTED, "opcode", "function_code"), _plus, "s7comm"),
    Kind(
        "s7comm_known_devices",
        (*DIRECTED, "automation_system_name", "module_name", "plant_name", "module_serial"),
        _known,
        "s7comm",
    ),
)  # fmt: skip
