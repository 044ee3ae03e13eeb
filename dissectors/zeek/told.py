"""What a log's lines tell, and how a log is read: one `Kind` for each log, one file of them for each family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.zeek.exchanges import Messages
from zonewatch.dissectors.zeek.rows import Rows, mapped, pc
from zonewatch.dissectors.zeek.words import Function

ENDS: Final = ("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p")
DIRECTED: Final = (*ENDS, "is_orig", "source_h", "source_p", "destination_h", "destination_p")

Told = Mapping[str, Any]
"""Columns."""


MOST_LEARNT: Final = 100_000
"""Rows of a log that are kept for those that refer to them; the oldest go."""


class Learnt:
    """What logs told that others refer to: by log, then by what they call it (`Kind.is_referred_to`)."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[str, Any]] = {}

    def learn(self, log: str, rows: Mapping[str, Any]) -> None:
        """Keeps what a block told."""
        if not rows:
            return
        known = self._rows.setdefault(log, {})
        known.update(rows)
        for old in list(known)[: max(len(known) - MOST_LEARNT, 0)]:
            del known[old]

    def of(self, log: str) -> Mapping[str, Any]:
        """What a log told."""
        return self._rows.get(log, {})


@dataclass(frozen=True, slots=True)
class Lines:
    """A block of a log: its rows, their times without nulls, and which of them had one."""

    rows: Rows
    time: Any
    timed: bool
    udp: frozenset[tuple[str, str]] | set[tuple[str, str]] = frozenset()
    learnt: Learnt = field(default_factory=Learnt)

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class Found:
    """What a block tells, each as columns."""

    messages: Messages | None = None  # to be paired
    events: pa.Table | None = None  # exchanges.EXCHANGES
    activities: tuple[pa.Table, ...] = ()  # activities.ROWS
    claims: tuple[pa.Table, ...] = ()  # claims.ROWS
    flows: Told | None = None  # connections that speak `Kind.protocol`
    odd: pa.Table | None = None  # columns of schemas.ODDITIES, those of the log left out
    learnt: Mapping[str, Any] = field(default_factory=dict)  # for logs that refer to this one


@dataclass(frozen=True, slots=True)
class Kind:
    """How a log is read."""

    name: str
    columns: tuple[str, ...]
    read: Callable[[Lines], Found]
    protocol: str = ""  # of its events, or of its flows
    beside: Mapping[str, Callable[[Lines], pa.Table]] = field(default_factory=dict)
    """Logs that tell the objects of this one's events: exchanges.EXCHANGES, `ident` as theirs."""
    beside_columns: tuple[str, ...] = ()
    is_referred_to: bool = False
    """Others are read with what it told (`Lines.learnt`), so that it comes before them."""
    instead: str = ""
    """A log that tells the same and more; where both are there this one is passed over."""
    needs: tuple[tuple[str, ...], ...] = (("ts",), ("id.orig_h",), ("id.resp_h",))
    """Columns without which nothing can be told: of each group one."""


def ends(lines: Lines) -> dict[str, Any]:
    """Client and server as who opened the connection."""
    rows = lines.rows
    return {
        "time": lines.time,
        "line": rows.line,
        "client": pc.fill_null(rows.text("id.orig_h"), ""),
        "server": pc.fill_null(rows.text("id.resp_h"), ""),
        "client_port": pc.fill_null(rows.whole("id.orig_p", most=65_535), 0),
        "server_port": pc.fill_null(rows.whole("id.resp_p", most=65_535), 0),
    }


def sent(lines: Lines) -> dict[str, Any]:
    """Sender and receiver of each line (`source`, `destination` and their ports), and `forward`: the opener sent it.

    By `source_h`, else by `is_orig`; else the opener did.
    """
    rows, known = lines.rows, ends(lines)
    forward = pc.fill_null(rows.flag("is_orig"), True)
    if rows.has("source_h"):
        told = pc.and_(
            pc.equal(rows.text("source_h"), known["client"]),
            pc.fill_null(pc.equal(rows.whole("source_p", most=65_535), known["client_port"]), True),
        )
        forward = pc.coalesce(told, forward)
    return {
        "forward": forward,
        "source": pc.if_else(forward, known["client"], known["server"]),
        "destination": pc.if_else(forward, known["server"], known["client"]),
        "source_port": pc.if_else(forward, known["client_port"], known["server_port"]),
        "destination_port": pc.if_else(forward, known["server_port"], known["client_port"]),
    }


def named(words: Any, look: Callable[[str], Function]) -> dict[str, Any]:
    """The columns `function`, `function_name` and `operation` of words."""
    return {
        "function": mapped(words, lambda word: look(word).code, pa.int64()),
        "function_name": mapped(words, lambda word: look(word).name, pa.utf8()),
        "operation": mapped(words, lambda word: look(word).operation, pa.utf8()),
    }


def key(*columns: Any) -> Any:
    """Columns as one, nulls as empty text."""
    words = [
        pc.fill_null(column if pa.types.is_string(column.type) else column.cast(pa.utf8()), "") for column in columns
    ]
    return pc.binary_join_element_wise(*words, "\x1f")


def moment(lines: Lines, *columns: Any, many: bool = False) -> Any:
    """The key of a message that other logs have too: its time and columns.

    Without times (logs made comparable have none) it is which of the messages with equal columns it is, in order; of a
    log with `many` lines for one message those that come one behind the other are one.
    """
    words = key(*columns)
    if lines.timed or not len(lines):
        return key(words, lines.time)
    counts: dict[str, int] = {}
    found, before = [], None
    for word in words.to_pylist():
        if not many or word != before:
            counts[word] = counts.get(word, 0) + 1
        before = word
        found.append(f"{word}\x1f{counts[word]}")
    return pa.array(found, pa.utf8())


def flows_of(lines: Lines, transport: str = "tcp") -> dict[str, Any]:
    """The connections of a log, for `Found.flows`."""
    found = ends(lines)
    return {**found, "transport": pa.repeat(pa.scalar(transport), len(lines))}
