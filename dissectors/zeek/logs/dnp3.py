"""`dnp3` (Zeek), and the objects of its messages: `dnp3_control`, `dnp3_objects` (ICSNPP). None has link addresses."""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.zeek.exchanges import exchanges
from zonewatch.dissectors.zeek.rows import mapped, pc
from zonewatch.dissectors.zeek.told import DIRECTED, ENDS, Found, Kind, Lines, ends, moment, named
from zonewatch.dissectors.zeek.words import DNP3_FUNCTIONS, UNKNOWN, entries, functions

PORT: Final = 20_000
_FUNCTIONS: Final = functions("dnp3", "functions", DNP3_FUNCTIONS)
_UNSOLICITED: Final = "UNSOLICITED_RESPONSE"
_UNANSWERED: Final = frozenset(word for word, found in _FUNCTIONS.items() if "no_ack" in found.kind)
_REFUSALS: Final = {
    int(code): entry["name"] for code, entry in entries("dnp3", "indications").items() if entry.get("kind") == "refusal"
}
_CONTROL: Final = {
    "nul": "nul", "pulse on": "pulse_on", "pulse off": "pulse_off", "latch on": "latch_on", "latch off": "latch_off",
}  # fmt: skip
_KINDS: Final = (
    ("class 0", "class", 0),
    ("class 1", "class", 1),
    ("class 2", "class", 2),
    ("class 3", "class", 3),
    ("control relay output", "control-relay-output", None),
    ("pattern control", "control-relay-output", None),
    ("double-bit", "double-bit-input", None),
    ("double bit", "double-bit-input", None),
    ("binary input", "binary-input", None),
    ("binary output", "binary-output", None),
    ("frozen counter", "frozen-counter", None),
    ("counter", "counter", None),
    ("frozen analog", "frozen-analog-input", None),
    ("analog input", "analog-input", None),
    ("analog output", "analog-output", None),
    ("time and date", "time", None),
    ("time delay", "time-delay", None),
    ("internal indications", "internal-indications", None),
    ("file", "file", None),
    ("octet string", "octet-string", None),
    ("device", "device-attribute", None),
)
"""How ICSNPP's names of objects begin or what is in them, the first that fits, and what they are here."""


def _dnp3(lines: Lines) -> Found:
    rows, base = lines.rows, ends(lines)
    asked, replied = rows.text("fc_request"), rows.text("fc_reply")
    # Who listens at the standard port is the outstation, whoever opened the connection.
    turned = pc.and_(pc.equal(base["client_port"], PORT), pc.not_equal(base["server_port"], PORT))
    base = _turned(base, turned)
    base["transport"] = _transport(lines, base)
    unasked = pc.equal(pc.fill_null(replied, ""), _UNSOLICITED)
    lone = pc.and_(pc.is_null(asked), pc.invert(unasked))
    iin = rows.whole("iin", most=65_535)
    refusal = mapped(iin.cast(pa.utf8()), _refusal, pa.int64())
    request = exchanges(
        len(lines),
        **base,
        **_function(pc.coalesce(asked, replied)),
        ident=moment(lines, rows.text("uid"), asked),
        kind=pc.if_else(lone, "response", "request"),
        status=_status(asked, replied, unasked, refusal),
        status_code=refusal,
        status_name=pc.fill_null(
            mapped(refusal.cast(pa.utf8()), lambda word: _REFUSALS.get(int(word), ""), pa.utf8()), ""
        ),
    )
    report = exchanges(
        len(lines),
        **base,
        **_function(replied),
        ident=moment(lines, rows.text("uid"), replied),
        kind="unsolicited",
        status="one_way",
    )
    wanted = pc.invert(pc.and_(pc.is_null(asked), unasked))
    return Found(events=pa.concat_tables([request.filter(wanted), report.filter(unasked)]))


def _turned(base: dict[str, Any], turned: Any) -> dict[str, Any]:
    return {
        **base,
        "client": pc.if_else(turned, base["server"], base["client"]),
        "server": pc.if_else(turned, base["client"], base["server"]),
        "client_port": pc.if_else(turned, base["server_port"], base["client_port"]),
        "server_port": pc.if_else(turned, base["client_port"], base["server_port"]),
    }


def _transport(lines: Lines, base: dict[str, Any]) -> Any:
    if not lines.udp:
        return pa.repeat(pa.scalar("tcp"), len(lines))
    pairs = pa.array(["\x1f".join(pair) for found in lines.udp for pair in (found, found[::-1])])
    own = pc.binary_join_element_wise(base["client"], base["server"], "\x1f")
    return pc.if_else(pc.is_in(own, value_set=pairs), "udp", "tcp")


def _function(words: Any) -> dict[str, Any]:
    return named(pc.fill_null(words, ""), lambda word: _FUNCTIONS.get(word, UNKNOWN))


def _status(asked: Any, replied: Any, unasked: Any, refusal: Any) -> Any:
    silent = mapped(pc.fill_null(asked, ""), lambda word: word in _UNANSWERED, pa.bool_())
    answered = pc.and_(pc.is_valid(replied), pc.invert(unasked))
    outcome = pc.if_else(pc.is_valid(refusal), "error", "ok")
    unanswered = pc.if_else(silent, "one_way", "no_response")
    return pc.if_else(pc.is_null(asked), "response_only", pc.if_else(answered, outcome, unanswered))


def _refusal(word: str) -> int | None:
    """The first refusal among the indications; Zeek has their first octet in front (IIN1, IIN2)."""
    value = int(word)
    bits = (value >> 8) | (value & 0xFF) << 8
    return next((bit for bit in sorted(_REFUSALS) if bits >> bit & 1), None)


def _objects(lines: Lines) -> pa.Table:
    """What requests name, and what is reported unasked; what responses carry is no target."""
    rows = lines.rows
    words = rows.text("function_code")
    name = pc.utf8_lower(pc.fill_null(rows.text("object_type"), ""))
    low, high = rows.whole("range_low"), rows.whole("range_high")
    point = mapped(name, lambda word: _object(word)[1], pa.int64())
    spanned = pc.and_(pc.is_valid(low), pc.greater_equal(high, low))
    count = pc.coalesce(
        pc.if_else(spanned, pc.add(pc.subtract(high, low), 1), pa.scalar(None, pa.int64())),
        rows.whole("object_count"),
        pa.scalar(1, pa.int64()),
    )
    table = _table(lines, words, mapped(name, lambda word: _object(word)[0], pa.utf8()), pc.coalesce(point, low), count)
    return table.filter(pc.not_equal(pc.fill_null(words, ""), "RESPONSE"))


def _object(word: str) -> tuple[str, int | None]:
    return next(((kind, point) for part, kind, point in _KINDS if part in word), (word or "object", None))


def _controls(lines: Lines) -> pa.Table:
    rows = lines.rows
    words = rows.text("function_code")
    told = [pc.utf8_lower(pc.fill_null(rows.text(name), "")) for name in ("operation_type", "trip_control_code")]
    done = mapped(told[0], lambda word: _CONTROL.get(word, word.replace(" ", "_")), pa.utf8())
    text = pc.if_else(
        pc.is_in(told[1], value_set=pa.array(["", "nul"])), done, pc.binary_join_element_wise(told[1], done, " ")
    )
    kind = pa.repeat(pa.scalar("control-relay-output"), len(lines))
    one = pa.repeat(pa.scalar(1, pa.int64()), len(lines))
    table = _table(lines, words, kind, rows.whole("index_number"), one, text)
    return table.filter(pc.not_equal(pc.fill_null(words, ""), "RESPONSE"))


def _table(lines: Lines, words: Any, kind: Any, start: Any, count: Any, text: Any = None) -> pa.Table:
    return exchanges(
        len(lines),
        **_turned(ends(lines), pc.fill_null(pc.invert(lines.rows.flag("is_orig")), False)),
        **_function(words),
        object_kind=kind,
        object_start=start,
        object_count=count,
        text=text,
        kind=pc.if_else(pc.equal(pc.fill_null(words, ""), _UNSOLICITED), "unsolicited", "request"),
        ident=moment(lines, lines.rows.text("uid"), words, many=True),
    )


KINDS: Final = (
    Kind(
        "dnp3",
        (*ENDS, "fc_request", "fc_reply", "iin"),
        _dnp3,
        "dnp3",
        beside={"dnp3_control": _controls, "dnp3_objects": _objects},
        beside_columns=(
            *DIRECTED, "function_code", "object_type", "object_count", "range_low", "range_high", "block_type",
            "index_number", "trip_control_code", "operation_type",
        ),
    ),
)  # fmt: skip
