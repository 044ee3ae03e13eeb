"""Text to columns: Zeek's logs with tabs, and with a JSON object a line, a block at a time.

What is no row of its log is told with its line and left out; the rest of the block is not touched by it. A block is
read by Arrow's own parsers; only a block of JSON with a line that is broken goes through Python, line by line.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.csv
import pyarrow.json

from zonewatch.dissectors.zeek.streams import DamagedError

BLOCK: Final = 2 << 20
"""Octets of text read together."""
MOST_LINE: Final = 1 << 20
"""A longer line is no line of a log."""
MOST_ODDITIES: Final = 200
"""Of one file told one by one; the rest is counted."""
_MOST_HEADERS: Final = 1_000
_MOST_FIELDS: Final = 2_048
_HEADER: Final = re.compile(rb"^#(separator|set_separator|empty_field|unset_field|path|fields|types)\b[^\n]*\n", re.M)
_ESCAPED: Final = re.compile(rb"\\x([0-9a-fA-F]{2})")


@dataclass(frozen=True, slots=True)
class Oddity:
    """A line that is not what it should be."""

    line: int
    code: str  # one of vocabulary.OddityCode
    expected: str


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines of a log as columns: text where tabs separate, what JSON says where that is; unset is null."""

    columns: pa.Table
    lines: pa.Array[Any]
    set_separator: str = ","
    escaped: bool = False
    """Whether texts have escapes of their own, as those with tabs have; JSON's are undone by its parser."""


@dataclass
class Header:
    """What the lines with `#` say of those that follow."""

    separator: bytes = b"\t"
    set_separator: str = ","
    empty: str = "(empty)"
    unset: str = "-"
    path: str = ""
    fields: tuple[str, ...] = ()


@dataclass
class Log:
    """A log that is being read: which it is and what was wrong with it, as far as it was read."""

    header: Header = field(default_factory=Header)
    form: str = ""  # tsv, json
    lines: int = 0
    oddities: list[Oddity] = field(default_factory=list)
    odd: int = 0
    problem: str = ""
    rest: bytes = b""  # behind the last line's end

    def note(self, line: int, code: str, expected: str) -> None:
        """Tells a line that is not what it should be."""
        self.odd += 1
        if len(self.oddities) < MOST_ODDITIES:
            self.oddities.append(Oddity(line, code, expected))


def blocks(text: Iterable[bytes], log: Log, wanted: Collection[str], *, whole: bool = True) -> Iterator[Block]:
    """The rows of a log, those columns of them.

    `log` may have been read up to some line before: it goes on there. With `whole` the end of the text is the end of
    the log, and what has no line end is its last line; else that stays in `log.rest`.
    """
    held: list[bytes] = [log.rest]
    size = len(log.rest)
    skipping = False
    try:
        for piece in text:
            held.append(piece)
            size += len(piece)
            if size < BLOCK and not skipping:
                continue
            joined = b"".join(held)
            cut = joined.rfind(b"\n") + 1
            if skipping:
                first = joined.find(b"\n") + 1
                if not first:
                    held, size = [], 0
                    continue
                log.lines += 1
                joined, cut, skipping = joined[first:], max(cut - first, 0), False
            rest = joined[cut:]
            if cut:
                yield from _rows(joined[:cut], log, wanted)
            if len(rest) > MOST_LINE:
                log.note(log.lines + 1, "bad_length", f"a line of at most {MOST_LINE} octets")
                rest, skipping = b"", True
            held, size = [rest], len(rest)
    except DamagedError as error:
        log.problem = str(error)
    joined = b"".join(held)
    cut = joined.rfind(b"\n") + 1
    if cut and not skipping:
        yield from _rows(joined[:cut], log, wanted)
    log.rest = b"" if skipping else joined[cut:]
    if whole and log.rest.strip():
        if log.problem or not _ends(log):
            log.note(log.lines + 1, "truncated", "a whole line")
            log.lines += 1
        else:
            yield from _rows(log.rest + b"\n", log, wanted)
        log.rest = b""


def _ends(log: Log) -> bool:
    """Whether the last line, which has no end, could be a whole one."""
    if log.form == "json" or (not log.form and log.rest.lstrip().startswith(b"{")):
        return log.rest.rstrip().endswith(b"}")
    return log.rest.startswith(b"#") or log.rest.count(log.header.separator) == len(log.header.fields) - 1


def _rows(text: bytes, log: Log, wanted: Collection[str]) -> Iterator[Block]:
    """Blocks between headers."""
    if not log.form:
        start = text.lstrip()
        if not start:
            log.lines += text.count(b"\n")
            return
        log.form = "json" if start.startswith(b"{") else "tsv"
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b" ")
    if log.form == "json":
        yield from _of_json(text, log, wanted)
        return
    at = 0
    for count, found in enumerate(_HEADER.finditer(text)):
        if count >= _MOST_HEADERS:
            log.problem = log.problem or "headers without end"
            break
        yield from _of_tabs(text[at : found.start()], log, wanted)
        _heed(found.group(), log)
        log.lines += 1
        at = found.end()
    yield from _of_tabs(text[at:], log, wanted)


def _heed(line: bytes, log: Log) -> None:
    """Takes a line with `#` to heart."""
    header, text = log.header, line.rstrip(b"\n")
    if text.startswith(b"#separator"):
        # The only one that is behind a blank, whatever it says.
        found = _plain(text[len(b"#separator") :].strip(b" ") or b"\\x09")
        if len(found) != 1 or found in b'\n\r"':
            log.note(log.lines + 1, "bad_header", "a separator of one octet")
            return
        log.header = Header(separator=found)
        return
    name, *values = text.split(header.separator)
    words = [value.decode("utf-8", "replace") for value in values]
    if name == b"#fields":
        unique = dict.fromkeys(words)
        if not words or len(unique) != len(words) or len(words) > _MOST_FIELDS or "" in unique:
            log.note(log.lines + 1, "bad_header", "names of fields, each once")
        header.fields = tuple(words) if len(unique) == len(words) <= _MOST_FIELDS else ()
    elif not words or not words[0]:
        return
    elif name == b"#path":
        header.path = words[0]
    elif name == b"#set_separator":
        header.set_separator = words[0]
    elif name == b"#empty_field":
        header.empty = words[0]
    elif name == b"#unset_field":
        header.unset = words[0]


def _plain(text: bytes) -> bytes:
    return _ESCAPED.sub(lambda found: bytes((int(found[1], 16),)), text)


def _of_tabs(text: bytes, log: Log, wanted: Collection[str]) -> Iterator[Block]:
    if not text:
        return
    header, first, rows = log.header, log.lines + 1, text.count(b"\n")
    log.lines += rows
    if not header.fields:
        if any(line and not line.startswith(b"#") for line in text[:MOST_LINE].split(b"\n")):
            log.note(first, "bad_header", "#fields before the first row")
        return
    text = _as_text(text, log, first)
    numbers: Sequence[int] = range(first, first + rows)
    if b"\n\n" in text or text.startswith(b"\n"):  # Arrow would make rows of them
        lines = text.split(b"\n")[:-1]
        numbers = [number for number, line in zip(numbers, lines, strict=True) if line]
        text = b"".join(line + b"\n" for line in lines if line)
        if not text:
            return
    left_out: set[int] = set()

    def refuse(row: Any) -> Literal["skip", "error"]:
        number = row.number if row.number is not None else 1
        left_out.add(number - 1)
        if row.text and not row.text.startswith("#"):
            log.note(numbers[number - 1], "bad_length", f"{row.expected_columns} fields, not {row.actual_columns}")
        return "skip"

    if len(header.fields) == 1:
        log.note(first, "bad_header", "more than one field; the separator may be wrong")
        return
    columns = [name for name in header.fields if name in wanted]
    try:
        table = pyarrow.csv.read_csv(
            io.BytesIO(text),
            read_options=pyarrow.csv.ReadOptions(
                column_names=list(header.fields), use_threads=False, block_size=len(text) + 1
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=header.separator.decode("latin-1"),
                quote_char=False,
                double_quote=False,
                escape_char=False,
                newlines_in_values=False,
                ignore_empty_lines=False,
                invalid_row_handler=refuse,
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(header.fields, pa.utf8()),
                include_columns=columns or [header.fields[0]],
                null_values=[header.unset, header.empty],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid as error:
        log.note(first, "bad_length", f"rows that can be read: {str(error)[:120]}")
        return
    kept = [number for row, number in enumerate(numbers) if row not in left_out] if left_out else numbers
    yield Block(table.select(columns).combine_chunks(), pa.array(kept, pa.int64()), header.set_separator, escaped=True)


def _as_text(text: bytes, log: Log, first: int) -> bytes:
    """UTF-8, or else each wrong octet as Zeek writes it: `\\xff`."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        log.note(first + text.count(b"\n", 0, error.start), "invalid_value", "UTF-8")
        return text.decode("utf-8", "backslashreplace").encode()
    return text


def _of_json(text: bytes, log: Log, wanted: Collection[str]) -> Iterator[Block]:
    first, rows = log.lines + 1, text.count(b"\n")
    log.lines += rows
    text = _as_text(text, log, first)
    try:
        table = pyarrow.json.read_json(
            io.BytesIO(text),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=pyarrow.json.ParseOptions(newlines_in_values=False),
        )
        if table.num_rows == rows:
            yield Block(_chosen(table, log, wanted), pa.array(range(first, first + rows), pa.int64()))
            return
    except pa.ArrowException:
        pass  # one line at a time tells which it is
    yield from _line_by_line(text, log, wanted, first)


def _chosen(table: pa.Table, log: Log, wanted: Collection[str]) -> pa.Table:
    for _ in range(3):
        if not any(pa.types.is_struct(column.type) for column in table.schema):
            break
        table = table.flatten()
    if not log.header.path and "_path" in table.column_names and table.num_rows:
        log.header.path = str(table["_path"][0].as_py() or "")
    return table.select([name for name in dict.fromkeys(table.column_names) if name in wanted]).combine_chunks()


def _line_by_line(text: bytes, log: Log, wanted: Collection[str], first: int) -> Iterator[Block]:
    found: list[dict[str, Any]] = []
    lines: list[int] = []
    for number, line in enumerate(text.split(b"\n")[:-1], first):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            log.note(number, "invalid_value", "a JSON object a line")
            continue
        if not isinstance(value, dict):
            log.note(number, "invalid_value", "a JSON object a line")
            continue
        found.append(_flat(value))
        lines.append(number)
    if not found:
        return
    if not log.header.path:
        log.header.path = str(found[0].get("_path") or "")
    names = [name for name in dict.fromkeys(name for row in found for name in row) if name in wanted]
    columns = {name: pa.array([_text(row.get(name)) for row in found], pa.utf8()) for name in names}
    yield Block(pa.table(columns) if names else pa.table({}), pa.array(lines, pa.int64()))


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    """`{"id": {"orig_h": …}}` as `id.orig_h`."""
    found: dict[str, Any] = {}
    for name, one in value.items():
        if isinstance(one, dict):
            found.update({f"{name}.{inner}": other for inner, other in one.items()})
        else:
            found[name] = one
    return found


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, dict):
        return None
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, float):
        return f"{value:.6f}"
    if isinstance(value, list):
        return ",".join(text for one in value if (text := _text(one)) is not None)
    return str(value).encode("utf-8", "replace").decode()
