"""The tables of a document as CSV, each with every row."""

from __future__ import annotations

from zonewatch.reports.document.model import Document, Table, Text, plain, tables
from zonewatch.reports.document.names import csv_names
from zonewatch.reports.rows import Cell, Column, Rows, csv_text

__all__ = ["csv_files"]


def csv_files(document: Document) -> dict[str, str]:
    """Text by name of file. Numbers are bare, and a text that a spreadsheet would run is led by an apostrophe."""
    names = csv_names(document)
    return {names[id(table)]: csv_text(_rows(table)) for table in tables(document)}


def _rows(table: Table) -> Rows:
    columns = tuple(Column(column.title) for column in table.columns)
    return Rows(columns, tuple([tuple([_cell(cell) for cell in row]) for row in table.rows]))


def _cell(cell: Text) -> Cell:
    if len(cell) != 1:
        return plain(cell)
    span = cell[0]
    return span.text if span.value is None else span.value
