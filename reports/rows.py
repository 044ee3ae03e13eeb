"""Columns and rows, shown as a table for people, CSV or JSON lines."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TextIO

import pyarrow as pa
from rich import box
from rich.console import Console as RichConsole
from rich.table import Table as RichTable
from rich.text import Text

from zonewatch.reports.words import field_words, iso_time, visible

__all__ = [
    "Cell",
    "Column",
    "Console",
    "Format",
    "Rows",
    "csv_text",
    "emit",
    "from_arrow",
    "json_lines",
    "lenient",
    "object_words",
]

Cell = str | int | float | bool | None | tuple[str, ...]
Format = Literal["table", "csv", "jsonl"]
_FORMULA: Final = frozenset(("=", "+", "-", "@", "\t", "\r"))


class Console(RichConsole):
    """A console that prints what it is given, and leaves it to its caller that the reader of its output left."""

    def __init__(self, **given: Any) -> None:
        # To rich the place `rule.yml:100:5` holds the emoji of a hundred points.
        super().__init__(**{"emoji": False, **given})

    def on_broken_pipe(self) -> None:
        """Raises the BrokenPipeError at hand, where rich would end the program."""
        raise


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in files, its head for people, and how soon it is left out on a narrow terminal."""

    name: str
    title: str = ""  # empty: the name
    right: bool = False
    rank: int = 0  # 0 stays always; higher ranks go first
    style: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """A table of plain cells."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""


def csv_text(rows: Rows) -> str:
    """RFC 4180 with a header. A text that a spreadsheet would run as a formula is led by an apostrophe."""
    out = io.StringIO()
    _write_csv(rows.columns, rows.rows, out)
    return out.getvalue()


def _write_csv(columns: tuple[Column, ...], rows: Iterable[tuple[Cell, ...]], out: TextIO) -> None:
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([_csv_cell(column.name) for column in columns])
    writer.writerows([_csv_cell(cell) for cell in row] for row in rows)


def _csv_cell(cell: Cell) -> str | int | float:
    if isinstance(cell, tuple):
        cell = ";".join(cell)
    if isinstance(cell, str):
        text = cell if cell.isprintable() else visible(cell)
        return f"'{text}" if text[:1] in _FORMULA else text
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return cell


def json_lines(rows: Rows) -> Iterator[str]:
    """One object a row, ASCII, without the newline."""
    names = [column.name for column in rows.columns]
    for row in rows.rows:
        yield json.dumps(dict(zip(names, row, strict=True)), allow_nan=False)


def emit(rows: Rows, form: Format, out: TextIO, console: Console | None = None, limit: int = 0) -> None:
    """Writes the rows. A table for people goes to the console and is shortened after `limit` rows (0: never)."""
    lenient(out)
    if form == "csv":
        _write_csv(rows.columns, rows.rows, out)
    elif form == "jsonl":
        out.writelines(line + "\n" for line in json_lines(rows))
    else:
        console = console or Console(file=out)
        lenient(console.file)
        console.print(rich_table(rows, console.width, limit))
        hidden = len(rows.rows) - limit if limit else 0
        if hidden > 0:
            console.print(Text(f"… {hidden:,} more (--format csv shows all)", style="dim"))


def lenient(stream: object) -> None:
    """Makes a stream write what its encoding lacks as an escape, where it would raise."""
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="backslashreplace")


def rich_table(rows: Rows, width: int, limit: int = 0) -> RichTable:
    """As many columns as fit: those of the highest rank go first."""
    shown = rows.rows[:limit] if limit else rows.rows
    texts = [tuple(cell_text(cell) for cell in row) for row in shown]
    kept, fits = _fitting(rows.columns, texts, width)
    numbers = [index for index in kept if rows.columns[index].right]
    named = sum(min(max((len(row[index]) for row in texts), default=1), 18) for index in kept if index not in numbers)
    share = (width - named - 3 * len(kept)) // max(len(numbers), 1)
    table = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, title=rows.title or None, title_justify="left", expand=False)
    for index in kept:
        column = rows.columns[index]
        longest = max((len(row[index]) for row in texts), default=1)
        table.add_column(
            Text(column.title or column.name),
            justify="right" if column.right else "left",
            style=column.style or None,
            no_wrap=column.right and fits,  # else heads would take the width of all texts
            width=None if fits else max(share, longest) if column.right else min(longest, 18),
            overflow="fold",
        )
    for row in texts:
        table.add_row(*(Text(row[index]) for index in kept))
    if not rows.rows:
        table.caption = "nothing"
    return table


def _fitting(columns: tuple[Column, ...], texts: list[tuple[str, ...]], width: int) -> tuple[list[int], bool]:
    """The columns that are shown, and whether they have the width that they need."""
    # A text column may fold down to 18 cells before another one is given up for it.
    needs = []
    for index, column in enumerate(columns):
        longest = max((len(row[index]) for row in texts), default=0)
        needs.append(max(len(column.title or column.name), longest if column.right else min(longest, 18)) + 2)
    kept = list(range(len(columns)))
    while sum(needs[index] for index in kept) > width:
        spare = [index for index in kept if columns[index].rank]
        if not spare:
            break
        kept.remove(max(spare, key=lambda index: (columns[index].rank, index)))
    return kept, sum(needs[index] for index in kept) <= width


def cell_text(cell: Cell) -> str:
    """A cell for people."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:g}"
    return visible(", ".join(cell) if isinstance(cell, tuple) else cell)


def from_arrow(table: pa.Table, keep: tuple[str, ...] = ()) -> Rows:
    """The rows of an Arrow table: times in UTC, lists and objects put into words."""
    names = keep or tuple(table.column_names)
    columns = tuple(
        Column(name, name.replace("_", " "), right=_is_count(table.schema.field(name).type)) for name in names
    )
    values = [_plain(table.column(name)) for name in names]
    return Rows(columns, tuple(zip(*values, strict=True)) if values else ())


def _is_count(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _plain(column: Any) -> list[Cell]:
    if pa.types.is_timestamp(column.type):
        return [None if value is None else iso_time(value) for value in column.cast(pa.int64()).to_pylist()]
    return [_value(value) for value in column.to_pylist()]


def _value(value: Any) -> Cell:
    if isinstance(value, list):
        return tuple(object_words(item) if isinstance(item, dict) else str(_value(item)) for item in value)
    if isinstance(value, dict):
        return object_words(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def object_words(value: dict[str, Any]) -> str:
    """An event's object: `holding-register 99-100 = 7, 9 (before 6, 9)`; an activity's field: `user eva`."""
    if value.keys() == {"name", "value"}:
        return f"{field_words(value['name'])} {value['value']}"
    words = [str(value.get("kind", ""))]
    start, count = value.get("start"), value.get("count") or 1
    if start is not None:
        words.append(str(start) if count == 1 else f"{start}-{start + count - 1}")
    words += [str(value[name]) for name in ("property_name", "text") if value.get(name)]
    if value.get("values"):
        words.append("= " + ", ".join(f"{item:g}" for item in value["values"]))
    if value.get("before"):
        words.append(f"(before {', '.join(f'{item:g}' for item in value['before'])})")
    return " ".join(word for word in words if word)
