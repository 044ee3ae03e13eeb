"""What is counted: the facts of a message that both readers tell, by protocol.

A fact is what a message says of itself (a function, an exception, a link function); it is counted by sender, receiver
and code. Facts are counted each for itself: where a frame holds several messages, tshark's lists of fields do not say
which value of one belongs to which of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

__all__ = ["FIELDS", "MAIN", "Key", "of_fields", "of_message"]


class Key(NamedTuple):
    """What is counted."""

    protocol: str
    fact: str
    sender: str
    receiver: str
    code: str


MAIN: Final = {"modbus": "function", "dnp3": "function", "bacnet": "message", "s7comm": "message type"}
"""The fact that every message of a protocol has once, by which messages are counted; of DNP3 fragments."""

Ends = tuple[str, str]
Row = Mapping[str, Any]
_DNP3_USER_DATA: Final = frozenset((3, 4))
"""Link functions of the primary station whose messages are counted as fragments."""


def of_message(row: Row) -> Iterator[Key]:
    """The facts of one of our PDUs; none where the protocol is not compared."""
    ends = (row["source_address"], row["destination_address"])
    tell = _OURS.get(row["protocol"])
    for fact, code in tell(row) if tell else ():
        yield Key(row["protocol"], fact, *ends, code)


def _modbus(row: Row) -> Iterator[tuple[str, str]]:
    if row["function"] is not None:
        yield "function", str(row["function"])
    unit = row["destination_unit"] if row["kind"] in ("request", "unconfirmed") else row["source_unit"]
    if unit is not None:
        yield "unit", unit
    if row["kind"] == "error" and row["status_code"] is not None:
        yield "exception", str(row["status_code"])


def _dnp3(row: Row) -> Iterator[tuple[str, str]]:
    if row["kind"] == "link":
        yield "link function", f"{'primary' if row['link_code'] & 0x40 else 'secondary'} {row['function']}"
    elif row["function"] is not None:
        yield "function", str(row["function"])


def _bacnet(row: Row) -> Iterator[tuple[str, str]]:
    kind, function = row["message_type"], row["function"]
    link = "" if row["link_code"] is None else str(row["link_code"])
    yield (
        "message",
        " ".join(part for part in (link and f"bvlc {link}", "" if kind is None else f"apdu {kind}") if part)
        or "network",
    )
    if kind is not None and function is not None and kind in _WITH_SERVICE:
        yield "service", f"{'unconfirmed' if kind == _UNCONFIRMED else 'confirmed'} {function}"


_UNCONFIRMED: Final = 1
_WITH_SERVICE: Final = frozenset((0, 1, 2, 3, 5))
"""APDU types that name a service; Segment-ACK, Reject and Abort do not."""


def _s7comm(row: Row) -> Iterator[tuple[str, str]]:
    rosctr, function = row["message_type"], row["function"]
    plus = rosctr not in _ROSCTR or (function or 0) in _PLUS_FUNCTIONS
    if row["link_code"] != _COTP_DATA or plus:
        return  # the transport connection, and S7comm-plus, are no messages to the other reader
    yield "message type", str(rosctr)
    if function is None:
        return
    if rosctr != _USERDATA:
        yield "function", str(function)
    else:
        yield "function group", str(function >> 8 & 0x0F)


_COTP_DATA: Final = 0xF0
_ROSCTR: Final = (1, 2, 3, 7)
_USERDATA: Final = 7
_PLUS_FUNCTIONS: Final = range(0x0400, 0x0600)

_OURS: Final[dict[str, Callable[[Row], Iterator[tuple[str, str]]]]] = {
    "modbus": _modbus,
    "dnp3": _dnp3,
    "bacnet": _bacnet,
    "s7comm": _s7comm,
}

FIELDS: Final = (
    "modbus.func_code",
    "mbtcp.unit_id",
    "modbus.exception_code",
    "dnp3.ctl",
    "dnp3.al.func",
    "bvlc.function",
    "bacapp.type",
    "bacapp.confirmed_service",
    "bacapp.unconfirmed_service",
    "bacnet.control",
    "s7comm.header.rosctr",
    "s7comm.param.func",
    "s7comm.param.userdata.funcgroup",
)
"""Fields of tshark that tell them, in the order of their columns."""


def of_fields(cells: Sequence[str], ends: Ends) -> list[Key]:
    """The facts that tshark's fields of one frame tell. Of each field the values of all messages, comma-separated."""
    (
        modbus,
        units,
        exceptions,
        links,
        fragments,
        bvlc,
        kinds,
        confirmed,
        unconfirmed,
        npdu,
        rosctr,
        functions,
        groups,
    ) = cells
    found: list[Key] = []

    def add(protocol: str, fact: str, values: str) -> None:
        for value in _numbers(values):
            found.append(Key(protocol, fact, *ends, str(value)))

    if modbus or units:
        add("modbus", "function", modbus)
        add("modbus", "unit", units)
        add("modbus", "exception", exceptions)
    if links or fragments:
        for control in _numbers(links):
            primary, function = bool(control & 0x40), control & 0x0F
            if not (primary and function in _DNP3_USER_DATA):
                found.append(Key("dnp3", "link function", *ends, f"{'primary' if primary else 'secondary'} {function}"))
        add("dnp3", "function", fragments)
    if bvlc or kinds or npdu:
        parts = [f"bvlc {value}" for value in _numbers(bvlc)[:1]] + [f"apdu {value}" for value in _numbers(kinds)[:1]]
        found.append(Key("bacnet", "message", *ends, " ".join(parts) or "network"))
        for word, values in (("confirmed", confirmed), ("unconfirmed", unconfirmed)):
            found += [Key("bacnet", "service", *ends, f"{word} {value}") for value in _numbers(values)[:1]]
    if rosctr:
        add("s7comm", "message type", rosctr)
        add("s7comm", "function", functions)
        add("s7comm", "function group", groups)
    return found


def _numbers(values: str) -> list[int]:
    return [number for value in values.split(",") if value and (number := _number(value)) is not None]


def _number(value: str) -> int | None:
    try:
        return int(value, 0)
    except ValueError:
        return None
