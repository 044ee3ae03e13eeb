"""What generated code calls: how a value of a record is read as text, number, address or time.

Text is compared without regard to case unless a rule says otherwise. A number and its digits are alike, and so are a
truth value and the words true and false. A list meets a test when any of its values does.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.rules.sigma.conditions import MANY, ONE

Record = Mapping[str, object]
TextTest = Callable[[str], bool]
Network = tuple[int, int, int]  # version, first address, mask

_SECOND: Final = 1_000_000_000
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
# Nanoseconds of the years 1 to 9999; others are no times that a calendar has.
_EARLIEST: Final = -62_135_596_800 * _SECOND
_LATEST: Final = 253_402_300_799 * _SECOND


def text(value: object) -> str:
    """A value as text: whole numbers without a fraction, truth in lower case."""
    if value.__class__ is str:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def many(value: object, test: TextTest) -> bool:
    """True if the text of any value meets the test."""
    if value is None:
        return False
    if isinstance(value, list | tuple):
        return any(test(text(item)) for item in value if item is not None)
    return test(text(value))


def words(record: Record, fields: tuple[str, ...], test: TextTest) -> bool:
    """True if the text of any of the fields meets the test."""
    return any(many(record.get(field), test) for field in fields)


def empty(value: object) -> bool:
    """True for a list without a value."""
    return isinstance(value, list | tuple) and all(item is None for item in value)


def compares(value: object, test: Callable[[Any], bool]) -> bool:
    """True if any value is a number, or the digits of one, and meets the test."""
    if isinstance(value, list | tuple):
        return any(compares(item, test) for item in value)
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return test(value)
    if isinstance(value, str) and len(value) <= 64:
        try:
            number = float(value)
        except ValueError:
            return False
        return math.isfinite(number) and test(number)
    return isinstance(value, dt.datetime) and test(_nanoseconds(value))


def moments(value: object, unit: str, test: Callable[[int], bool]) -> bool:
    """True if that part of any time, in UTC, meets the test. Weeks are those of ISO 8601."""
    if isinstance(value, list | tuple):
        return any(moments(item, unit, test) for item in value)
    moment = _moment(value)
    if moment is None:
        return False
    return test(moment.isocalendar().week if unit == "week" else getattr(moment, unit))


def _moment(value: object) -> dt.datetime | None:
    if isinstance(value, str):
        try:
            value = dt.datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, dt.datetime):
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
    if isinstance(value, int) and not isinstance(value, bool) and _EARLIEST <= value <= _LATEST:
        return _EPOCH + dt.timedelta(seconds=value // _SECOND)
    return None


def _nanoseconds(moment: dt.datetime) -> int:
    moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment
    return (moment - _EPOCH) // dt.timedelta(microseconds=1) * 1000


def alike(value: object, other: object, how: str) -> bool:
    """True if any value of one field is like any of the other."""
    if isinstance(value, list | tuple):
        return any(alike(item, other, how) for item in value)
    if isinstance(other, list | tuple):
        return any(alike(value, item, how) for item in other)
    if value is None or other is None:
        return False
    one, two = text(value).lower(), text(other).lower()
    if how == "eq":
        return one == two
    if how == "contains":
        return two in one
    return one.startswith(two) if how == "startswith" else one.endswith(two)


def network(cidr: str) -> Network:
    """A network as numbers, for `inside`."""
    net = ipaddress.ip_network(cidr)
    return net.version, int(net.network_address), int(net.netmask)


@lru_cache(maxsize=65536)
def _address(value: str) -> tuple[int, int]:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return 0, 0
    return address.version, int(address)


def inside(value: object, net: Network) -> bool:
    """True if any value is an address of the network."""
    if value.__class__ is str:
        version, number = _address(value)
        return version == net[0] and number & net[2] == net[1]
    return isinstance(value, list | tuple) and any(inside(item, net) for item in value)


def regex(pattern: str, flags: str) -> TextTest:
    """A search in a text. Raises ValueError at the first one if the expression is none of RE2's.

    Arrow searches with RE2, whose time grows with the length of the text whatever the expression: a value comes from
    the network, and may be made to keep Python's own search busy for years.
    """
    options = pyarrow.compute.MatchSubstringOptions(f"(?{flags}){pattern}" if flags else pattern)
    search = pyarrow.compute.get_function("match_substring_regex")

    def test(value: str) -> bool:
        whole = value.encode("utf-8", "replace").decode()  # a lone surrogate is no character to Arrow
        return bool(search.call([pa.scalar(whole, pa.utf8())], options).as_py())

    return test


def glob(parts: tuple[tuple[bool, str], ...]) -> TextTest:
    """A test for a text with wildcards. Each piece between two `*` is sought once, so the cost is bounded."""
    pieces: list[str] = [""]
    for wild, part in parts:
        if wild and part == MANY:
            pieces.append("")
        else:
            pieces[-1] += "." if wild and part == ONE else re.escape(part)
    if len(pieces) == 1:
        return _whole(pieces[0])
    first, *middle, last = pieces
    begins = re.compile(first, re.DOTALL).match
    ends = _whole(last)
    tail = sum(1 if wild else len(part) for wild, part in parts[_after_last(parts) :])
    seeks = [re.compile(piece, re.DOTALL) for piece in middle if piece]

    def test(value: str) -> bool:
        found = begins(value)
        if found is None:
            return False
        at = found.end()
        for piece in seeks:
            found = piece.search(value, at)
            if found is None:
                return False
            at = found.end()
        return len(value) - tail >= at and ends(value[len(value) - tail :])

    return test


def _after_last(parts: tuple[tuple[bool, str], ...]) -> int:
    return max(number for number, part in enumerate(parts) if part == (True, MANY)) + 1


def _whole(pattern: str) -> TextTest:
    match = re.compile(pattern, re.DOTALL).fullmatch
    return lambda value: match(value) is not None
