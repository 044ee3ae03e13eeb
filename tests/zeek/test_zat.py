"""A second reader of the same logs: zat, row by row, cell by cell as text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.oracles.compare import CAPTURES
from tests.zeek.compare import there
from tests.zeek.written import FIELDS, header, write_of
from zonewatch.dissectors.zeek.reading import Log, blocks
from zonewatch.dissectors.zeek.streams import pieces

zat = pytest.importorskip("zat.zeek_log_reader")
PATHS = sorted({file.path for logs in there() for file in logs.files}) if CAPTURES.is_dir() else []


def ours(path: Path, names: list[str]) -> list[dict[str, Any]]:
    """The rows as text."""
    log = Log()
    return [row for block in blocks(pieces(path), log, names) for row in block.columns.to_pylist()]


def theirs(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """The names of the fields, and the rows as they are written."""
    reader = zat.ZeekLogReader(str(path))
    reader.make_dict = lambda cells: dict(zip(reader.field_names, cells, strict=True))  # types are another matter
    rows = list(reader.readrows())
    return list(reader.field_names), rows


def compared(path: Path) -> int:
    """How many rows both read the same."""
    names, rows = theirs(path)
    plain = [{name: None if cell in ("-", "(empty)") else cell for name, cell in row.items()} for row in rows]
    assert ours(path, names) == plain
    return len(rows)


def test_a_log_that_was_made(tmp_path: Path) -> None:
    path = tmp_path / "modbus_detailed.log"
    path.write_text(header("modbus_detailed") + "".join(map(write_of, range(50))), "utf-8")
    assert compared(path) == 50
    assert list(FIELDS["modbus_detailed"]) == theirs(path)[0]


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the public captures are not here")
def test_public_logs() -> None:
    # Without #types zat takes the first row for them, and behind #close (logs that were sorted, or put one behind the
    # other) it reads no more.
    texts = {path: path.read_bytes() for path in PATHS}
    typed = [path for path, text in texts.items() if text.count(b"\n#types") == 1 and b"diff-sort" not in text]
    assert len(typed) > 50
    assert sum(map(compared, typed)) > 5_000
