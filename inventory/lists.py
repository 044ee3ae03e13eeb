"""Lists that people keep as CSV files: their rows by column, and faults told with file, line and column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

Cells = Mapping[str, str]

MOST_BYTES: Final = 64 * 1024 * 1024


class ListError(ValueError):
    """The list cannot be used: what is wrong, and the file, line (1-based) and column where it is."""

    def __init__(self, problem: str, path: Path, line: int = 0, column: str = "") -> None:
        place = f"{path}:{line}" if line else f"{path}"
        super().__init__(f"{place}: {f'column {column}: ' if column else ''}{problem}")
        self.problem = problem
        self.path = path
        self.line = line
        self.column = column


class Fault(Exception):
    """What is wrong with one cell."""


def records(
    path: Path, columns: tuple[str, ...], needed: tuple[str, ...], hint: str = ""
) -> Iterator[tuple[int, Cells]]:
    """Line number and cells by column of each row that is not blank, in the order of the file.

    `needed` columns must be there; `hint` is said of a row with too many cells. Raises ListError at the first fault.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise ListError("too large to be a list that people keep", path)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise ListError(error.strerror or "cannot be read", path) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ListError("is not UTF-8 text; save it as CSV UTF-8", path, line) from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = tuple(cell.strip().lower() for cell in next(reader, []))
        _check_header(header, path, columns, needed)
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if len(cells) > len(header):
                problem = f"{len(cells)} cells, the header has {len(header)}{f' ({hint})' if hint else ''}"
                raise ListError(problem, path, reader.line_num)
            yield reader.line_num, dict(zip(header, cells, strict=False))
    except csv.Error as error:
        raise ListError(f"is not a CSV file: {error}", path, reader.line_num) from error


def _check_header(header: tuple[str, ...], path: Path, columns: tuple[str, ...], needed: tuple[str, ...]) -> None:
    if not any(header):
        raise ListError(f"is empty; the first line must name columns: {','.join(columns)}", path, 1)
    if len(header) == 1 and (mark := next((mark for mark in ";\t|" if mark in header[0]), "")):
        raise ListError(f"columns are separated by {mark!r}; a comma is expected", path, 1)
    for index, name in enumerate(header):
        if name not in columns:
            raise ListError(f"unknown column {name!r}{nearest(name, columns)}", path, 1, name)
        if name in header[:index]:
            raise ListError(f"column {name!r} is there twice", path, 1, name)
    for name in needed:
        if name not in header:
            raise ListError(f"column {name!r} is missing; the columns are {','.join(columns)}", path, 1, name)


def word(cell: str, words: tuple[str, ...]) -> str:
    """The cell in lower case where it is empty or one of the words. Raises Fault with the nearest word."""
    if cell and cell.lower() not in words:
        raise Fault(f"unknown word {cell!r}{nearest(cell, words)}")
    return cell.lower()


def nearest(text: str, words: tuple[str, ...]) -> str:
    """`; did you mean 'high'?`, or which words are known."""
    close = get_close_matches(text.lower(), words, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(words)}"
