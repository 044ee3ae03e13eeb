"""The tables of a document as a workbook: one sheet a table, and one that names them all.

Every text is written as text: a cell that begins like a formula stays what it is. Numbers stay numbers.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Final

from zonewatch.reports.document.model import Document, Table, plain, rows_each, tables
from zonewatch.reports.document.names import sheet_names
from zonewatch.reports.texts import Texts
from zonewatch.reports.words import SECOND, visible

__all__ = ["MOST_ROWS", "WorkbookUnavailable", "workbook"]

MOST_ROWS: Final = 1_048_000
"""Of one sheet; the format ends at 1,048,576."""
ROWS_IN_ALL: Final = 150_000
"""Of all sheets: spreadsheets take minutes to open more. The CSV files have every row."""
MOST_TEXT: Final = 32_000
"""Characters of one cell; the format ends at 32,767."""
_SAMPLE: Final = 200
"""Rows by which a column's width is chosen."""
_WIDEST: Final = 60
_TITLE: Final = 2
"""Rows over the head of a table: its caption, and an empty one."""


class WorkbookUnavailable(Exception):
    """The package `XlsxWriter` is not installed."""


def _text(text: str) -> str:
    return visible(text, MOST_TEXT)


def workbook(document: Document, texts: Texts) -> bytes:
    """The file. Raises WorkbookUnavailable."""
    try:
        xlsxwriter = import_module("xlsxwriter")
    except ImportError:
        raise WorkbookUnavailable(
            "tables.xlsx needs the package XlsxWriter: pip install 'zonewatch[reports]'"
        ) from None
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    )
    created = datetime.fromtimestamp(document.as_of // SECOND, UTC).replace(tzinfo=None)
    book.set_properties({"title": _text(document.title), "subject": _text(document.subtitle), "created": created})
    first = texts.say("form.sheet.cover")
    names = sheet_names(document, first)
    _cover(book, document, texts, first, names)
    every = tables(document)
    most = rows_each((len(table.rows) for table in every), MOST_ROWS, ROWS_IN_ALL)
    for table, name in zip(every, names, strict=True):
        _sheet(book, table, texts, name, most)
    book.close()
    return out.getvalue()


def _cover(book: Any, document: Document, texts: Texts, name: str, names: list[str]) -> None:
    sheet = book.add_worksheet(name)
    title, bold = book.add_format({"bold": True, "font_size": 16}), book.add_format({"bold": True})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.write_string(0, 0, _text(document.title), title)
    sheet.write_string(1, 0, _text(document.subtitle), bold)
    row = 3
    for field in document.cover:
        sheet.write_string(row, 0, _text(field.label), bold)
        sheet.write_string(row, 1, _text(plain(field.cell)), wrapped)
        row += 1
    row += 1
    sheet.write_string(row, 0, texts.say("form.sheet"), bold)
    for place, (table, own) in enumerate(zip(tables(document), names, strict=True), row + 1):
        sheet.write_url(place, 0, f"internal:'{own}'!A1", string=own)
        sheet.write_string(place, 1, _text(table.caption))
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 80)


def _sheet(book: Any, table: Table, texts: Texts, name: str, most: int) -> None:
    sheet = book.add_worksheet(name)
    rows, last = table.rows[:most], max(len(table.columns) - 1, 0)
    left = book.add_format({"valign": "top", "text_wrap": True})
    number = book.add_format({"valign": "top", "num_format": "#,##0.###;-#,##0.###;0"})
    sheet.write_string(0, 0, _text(table.caption), book.add_format({"bold": True, "font_size": 13}))
    if len(table.rows) > len(rows):
        sheet.write_string(1, 0, texts.say("form.sheet.more", shown=len(rows), count=len(table.rows)))
    elif table.note:
        sheet.write_string(1, 0, _text(plain(table.note)))
    for place, column in enumerate(table.columns):
        head = {"bold": True, "bottom": 1, "bg_color": "#ECEFF3", "text_wrap": True, "align": column.align}
        sheet.write_string(_TITLE, place, _text(column.title), book.add_format(head))
    write_string, write_number = sheet.write_string, sheet.write_number
    for line, row in enumerate(rows, _TITLE + 1):
        for place, cell in enumerate(row):
            value = cell[0].value if len(cell) == 1 else None
            if value is not None:
                write_number(line, place, value, number)
            elif cell:
                write_string(line, place, _text(plain(cell)), left)
    for place, column in enumerate(table.columns):
        longest = max((len(plain(row[place])) for row in rows[:_SAMPLE] if place < len(row)), default=0)
        sheet.set_column(place, place, min(max(longest, len(column.title), 8) + 2, _WIDEST))
    sheet.freeze_panes(_TITLE + 1, 1 if table.heads else 0)
    sheet.autofilter(_TITLE, 0, _TITLE + max(len(rows), 1), last)
    sheet.repeat_rows(_TITLE)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
