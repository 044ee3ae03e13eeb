"""`modbus` (Zeek) and `modbus_detailed` (ICSNPP). Addresses are zero-based in both, as on the wire."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.zeek.exchanges import NUMBERS, Messages, exchanges
from zonewatch.dissectors.zeek.rows import mapped, pc
from zonewatch.dissectors.zeek.told import DIRECTED, ENDS, Found, Kind, Lines, ends, key, named
from zonewatch.dissectors.zeek.words import (
    MODBUS_EXCEPTIONS,
    MODBUS_FUNCTIONS,
    MODBUS_RESERVED,
    UNKNOWN,
    Function,
    entries,
    functions,
)

_FUNCTIONS: Final = functions("modbus", "functions", MODBUS_FUNCTIONS) | {
    word: Function(code, "", "unknown") for word, code in MODBUS_RESERVED.items()
}
_EXCEPTIONS: Final = {
    MODBUS_EXCEPTIONS.get(code, entry["name"].upper()): (int(code), entry["name"])
    for code, entry in entries("modbus", "exceptions").items()
}
_SMALL: Final = {"and", "of"}
_SUBFUNCTIONS: Final = {
    entry["name"].replace("_", " "): (entry["name"], entry["operation"])
    for entry in entries("modbus", "diagnostics").values()
}
_FAILED: Final = "_EXCEPTION"
_LINK: Final = "modbus_detailed_link_id"
_NO_POINTS: Final = frozenset(("exception-status", "diagnostic", "comm-event-counter", "comm-event-log", "server-id"))
_POINTS: Final = frozenset(("coil", "discrete-input", "holding-register", "input-register", "fifo-queue"))


def function_of(word: str) -> Function:
    """`READ_COILS_EXCEPTION`, `unknown-38` → the function; codes from 128 on are those of exceptions."""
    name = word.removesuffix(_FAILED)
    found = _FUNCTIONS.get(name)
    if found is None and name.startswith("unknown-") and name[8:].isdecimal() and len(name) < 12:
        code = int(name[8:])
        found = Function(code & 0x7F if code >= 0x80 else code, "", "unknown")
    return found or UNKNOWN


def _failed(word: str) -> bool:
    tail = word.removeprefix("unknown-")
    return word.endswith(_FAILED) or (tail != word and tail.isdecimal() and int(tail[:6]) >= 0x80)


def _function(lines: Lines) -> dict[str, Any]:
    words = pc.fill_null(lines.rows.text("func"), "")
    exception = lines.rows.text("exception_code", "exception")
    failed = pc.or_(pc.is_valid(exception), mapped(words, _failed, pa.bool_()))
    return {
        **named(words, function_of),
        "operation": _operation(lines, words),
        "status_code": mapped(exception, lambda word: _EXCEPTIONS.get(word, (None, ""))[0], pa.int64()),
        "status_name": pc.fill_null(mapped(exception, lambda word: _EXCEPTIONS.get(word, (0, ""))[1], pa.utf8()), ""),
        "failed": failed,
        "of_kind": mapped(words, lambda word: function_of(word).kind or None, pa.utf8()),
        "words": words,
    }


def _operation(lines: Lines, words: Any) -> Any:
    """What it does; of diagnostics the sub-function tells, of an encapsulated transport its type."""
    found = mapped(words, lambda word: function_of(word).operation, pa.utf8())
    part = mapped(_subfunction(lines), lambda word: _SUBFUNCTIONS.get(word, ("", None))[1], pa.utf8())
    found = pc.coalesce(pc.if_else(pc.equal(words, "DIAGNOSTICS"), part, pa.scalar(None, pa.utf8())), found)
    identifies = pc.fill_null(pc.equal(lines.rows.text("mei_type"), "Read Device Identification"), False)
    return pc.if_else(identifies, "discover", found)


def _subfunction(lines: Lines) -> Any:
    return pc.utf8_lower(lines.rows.text("request_subfunction_code"))


def _base(lines: Lines) -> dict[str, Any]:
    columns = ends(lines)
    unit = lines.rows.whole("unit", "unit_id", most=255)
    return {**columns, "server_unit": unit.cast(pa.utf8())}


def _objects(lines: Lines, told: dict[str, Any]) -> dict[str, Any]:
    """The points of a request, where the log has them."""
    kind, address = told["of_kind"], lines.rows.whole("address", "start_address", most=65_535)
    quantity = lines.rows.whole("quantity", most=65_535)
    points = pc.and_(pc.fill_null(pc.is_in(kind, value_set=pa.array(sorted(_POINTS))), False), pc.is_valid(address))
    bare = pc.fill_null(pc.is_in(kind, value_set=pa.array(sorted(_NO_POINTS))), False)
    identity = pc.and_(
        pc.fill_null(pc.equal(kind, "device-identification"), False), pc.equal(told["operation"], "discover")
    )
    there = pc.or_(pc.or_(points, bare), identity)
    count = pc.if_else(points, pc.max_element_wise(pc.coalesce(quantity, pa.scalar(1, pa.int64())), 1), 1)
    named = mapped(_subfunction(lines), lambda word: _SUBFUNCTIONS.get(word, ("", ""))[0], pa.utf8())
    return {
        "object_kind": pc.if_else(there, kind, pa.scalar(None, pa.utf8())),
        "object_start": pc.if_else(points, address, pa.scalar(None, pa.int64())),
        "object_count": pc.if_else(there, count, 0),
        "text": pc.fill_null(named, ""),
    }


def _values(lines: Lines, *names: str) -> dict[str, Any]:
    """The first of those columns that has values."""
    found, written = lines.rows.numbers(names[0]), lines.rows.text(names[0])
    for name in names[1:]:
        found = pc.if_else(pc.is_valid(found), found, lines.rows.numbers(name))
        written = pc.coalesce(written, lines.rows.text(name))
    return {"values": found, "written": written}


def _detailed(lines: Lines) -> Found:
    rows = lines.rows
    told = _function(lines)
    columns = {**_base(lines), **_strip(told), **_objects(lines, told)}
    columns["ident"] = pc.fill_null(rows.text(_LINK), "")
    if rows.has("request_response"):  # before version 1.3: a line for each message
        return Found(messages=_messages(lines, columns, told, pc.utf8_upper(rows.text("request_response"))))
    columns |= _values(lines, "response_values", "request_values")
    matched = rows.flag("matched")
    answer_alone = pc.and_(pc.is_valid(rows.text("response_values")), pc.is_null(rows.text("request_values")))
    unmatched = pc.if_else(answer_alone, "response_only", "no_response")
    status = pc.if_else(told["failed"], "error", pc.if_else(pc.fill_null(matched, True), "ok", unmatched))
    kind = pc.if_else(pc.equal(status, "response_only"), "response", "request")
    table = exchanges(len(lines), **columns, status=status, kind=kind)
    # Functions without data are written twice, as request and as response, and nothing else tells which is which.
    twice = pc.and_(pc.is_null(matched), pc.invert(told["failed"]))
    if not pc.any(twice).as_py():
        return Found(events=table)
    asks = pc.if_else(
        twice, _by_turns(key(rows.text("uid"), rows.text("tid"), told["words"]), twice), pa.scalar(None, pa.bool_())
    )
    return Found(messages=Messages(table, key(rows.text("uid"), rows.text("tid"), told["words"]), asks))


def _requests(lines: Lines, kind: str, start: str, count: Any, **columns: Any) -> pa.Table:
    """Points of the requests of a log that `modbus_detailed` refers to."""
    rows = lines.rows
    table = exchanges(
        len(lines),
        **_base(lines),
        object_kind=kind,
        object_start=rows.whole(start, most=65_535),
        object_count=count,
        ident=rows.text(_LINK),
        **columns,
    )
    asks = pc.equal(pc.fill_null(rows.text("request_response"), ""), "REQUEST")
    return table.filter(pc.and_(asks, pc.is_valid(rows.text(_LINK))))


def _read_and_write(lines: Lines) -> pa.Table:
    """Function 23 reads one range and writes another."""
    rows, kind = lines.rows, "holding-register"
    written = _values(lines, "write_registers")
    many = pc.max_element_wise(pc.fill_null(pc.list_value_length(written["values"]), 0), 1)
    read = pc.coalesce(rows.whole("read_quantity", most=65_535), pa.scalar(1, pa.int64()))
    parts = [
        _requests(lines, kind, "read_start_address", read),
        _requests(lines, kind, "write_start_address", many, **written),
    ]
    return pa.concat_tables(parts)


def _masked(lines: Lines) -> pa.Table:
    """Function 22 keeps the bits of one mask and sets those of another."""
    masks = pc.binary_join_element_wise(lines.rows.text("and_mask"), lines.rows.text("or_mask"), ",")
    values = mapped(masks, lambda word: [float(part) for part in word.split(",") if part.isdecimal()], NUMBERS)
    return _requests(lines, "holding-register", "address", 1, values=values, written=pc.fill_null(masks, ""))


def _by_turns(keys: Any, wanted: Any) -> Any:
    """True for the first, third … of equal ones among the wanted."""
    seen: dict[str, bool] = {}
    found = []
    for word, one in zip(keys.to_pylist(), wanted.to_pylist(), strict=True):
        if one:
            seen[word] = not seen.get(word, False)
        found.append(seen[word] if one else None)
    return pa.array(found, pa.bool_())


def _strip(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("function", "function_name", "operation", "status_code", "status_name")}


def _messages(lines: Lines, columns: dict[str, Any], told: dict[str, Any], role: Any) -> Messages:
    rows = lines.rows
    asks = pc.if_else(told["failed"], False, pc.starts_with(pc.fill_null(role, "REQ"), "REQ"))
    values = _values(lines, "values") if rows.has("values") else {"values": pa.nulls(len(lines), NUMBERS)}
    status = pc.if_else(told["failed"], "error", "ok")
    table = exchanges(len(lines), **columns, **values, status=status)
    return Messages(table, key(rows.text("uid"), rows.text("tid"), columns["server_unit"]), asks)


def _plain(lines: Lines) -> Found:
    """Zeek's own log: since 6.0 a line for each message, before that one for each response."""
    told = _function(lines)
    columns = {**_base(lines), **_strip(told)}
    if lines.rows.has("pdu_type"):
        return Found(messages=_messages(lines, columns, told, lines.rows.text("pdu_type")))
    # Of an exception Zeek writes a line with its reason, and at times one without before it.
    doubled = pc.and_(pc.ends_with(told["words"], _FAILED), pc.is_null(lines.rows.text("exception_code", "exception")))
    table = exchanges(len(lines), **columns, status=pc.if_else(told["failed"], "error", "ok"))
    return Found(events=table.filter(pc.invert(doubled)))


_PLAIN: Final = (*ENDS, "tid", "unit", "func", "pdu_type", "exception")
_COLUMNS: Final = (*DIRECTED, "tid", "unit", "unit_id", "func")
KINDS: Final = (
    Kind("modbus", _PLAIN, _plain, "modbus", instead="modbus_detailed"),
    Kind(
        "modbus_detailed",
        (
            *_COLUMNS, "request_response", "address", "start_address", "quantity", "values", "request_values",
            "response_values", "matched", "request_subfunction_code", "exception_code", "mei_type",
            _LINK,
        ),
        _detailed,
        "modbus",
        beside={
            "modbus_read_write_multiple_registers": _read_and_write,
            "modbus_mask_write_register": _masked,
        },
        beside_columns=(
            *DIRECTED, _LINK, "unit", "request_response", "address", "and_mask", "or_mask", "read_start_address",
            "read_quantity", "write_start_address", "write_registers",
        ),
    ),
)  # fmt: skip
