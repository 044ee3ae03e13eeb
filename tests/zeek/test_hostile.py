"""Logs that are not what they should be: told with their line, never a traceback, and the rest of them is read."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.zeek.written import FIELDS, header, write_of
from zonewatch.dissectors.schemas import TABLES
from zonewatch.dissectors.vocabulary import FIELDS as ACTIVITY_FIELDS
from zonewatch.dissectors.vocabulary import KINDS, LOGGED_SERVICES, ODDITY_CODES, OPERATIONS, SERVICES, STATUSES
from zonewatch.dissectors.zeek.decoder import LogFile, decode
from zonewatch.dissectors.zeek.logs import BESIDE
from zonewatch.dissectors.zeek.logs import KINDS as LOGS

NAME = "modbus_detailed"
Tables = Mapping[str, pa.Table]


def read(folder: Path, **logs: bytes | str) -> Tables:
    """The tables of logs with these texts."""
    files = []
    for name, text in logs.items():
        path = folder / f"{name}.log"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        files.append(LogFile(path.name, path))
    return decode("x", files)


def events(tables: Tables) -> int:
    """How many events were counted."""
    return sum(tables["aggregates"]["events"].to_pylist())


def oddities(tables: Tables) -> list[tuple[str, int, str]]:
    """File, line and code of each."""
    return [(row["capture"], row["frame"], row["code"]) for row in tables["oddities"].to_pylist()]


def rows(count: int) -> str:
    """Rows of writes."""
    return "".join(map(write_of, range(count)))


GOOD = header(NAME) + rows(3)
UNSET = GOOD.replace("#unset_field\t-", "#unset_field\tNULL").replace("\t-\n", "\tNULL\n")
FIRST = len(header(NAME).splitlines()) + 1
"""Line of the first row."""


@pytest.mark.parametrize(
    ("text", "count", "odd"),
    [
        pytest.param(GOOD + "1.0\ttoo\tfew\n" + write_of(3), 4, [(FIRST + 3, "bad_length")], id="too few fields"),
        pytest.param(GOOD + "\n" + write_of(3), 4, [], id="an empty line"),
        pytest.param(GOOD + "#close\t2023-11-14-23-00-00\n", 3, [], id="closed"),
        pytest.param(GOOD + GOOD, 6, [], id="two logs one behind the other"),
        pytest.param(GOOD.replace("\n", "\r\n"), 3, [], id="line ends of Windows"),
        pytest.param(GOOD + write_of(3).rstrip("\n"), 4, [], id="no line end at the end"),
        pytest.param(GOOD + write_of(3)[:30], 3, [(FIRST + 3, "truncated")], id="ends within a line"),
        pytest.param(rows(2), 0, [(1, "bad_header")], id="no header"),
        pytest.param(UNSET, 3, [], id="unset"),
        pytest.param(GOOD.replace("#separator \\x09", "#separator \\x2c"), 0, None, id="a separator that is not there"),
        pytest.param(GOOD.replace("\t", ",").replace("\\x09", "\\x2c"), 3, [], id="commas"),
        pytest.param(header(NAME) + "x" * 3_000_000 + "\n" + rows(2), 2, None, id="a line without end"),
        pytest.param("", 0, [], id="nothing"),
        pytest.param(header(NAME), 0, [], id="no rows"),
    ],
)  # fmt: skip
def test_a_log_with_tabs(tmp_path: Path, text: str, count: int, odd: list[tuple[int, str]] | None) -> None:
    tables = read(tmp_path, modbus_detailed=text)
    assert events(tables) == count
    if odd is not None:
        assert [row[1:] for row in oddities(tables)] == odd


def test_the_order_of_columns_is_the_header_s(tmp_path: Path) -> None:
    names = FIELDS[NAME]
    order = sorted(names)
    lines = [dict(zip(names, line.split("\t"), strict=True)) for line in rows(3).splitlines()]
    text = header(NAME, order) + "".join("\t".join(line[name] for name in order) + "\n" for line in lines)
    ours, other = (read(tmp_path, modbus_detailed=one)["aggregates"] for one in (GOOD, text))
    assert ours.equals(other)


def test_a_column_that_is_missing_is_said(tmp_path: Path) -> None:
    names = [name for name in FIELDS[NAME] if name != "id.orig_h"]
    tables = read(tmp_path, modbus_detailed=header(NAME, names) + "\t".join("1" for _ in names) + "\n")
    (row,) = tables["coverage"].to_pylist()
    assert (row["status"], row["problem"]) == ("unreadable", "has no column id.orig_h")


def test_times_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    tables = read(tmp_path, modbus_detailed=GOOD + write_of(3).replace("1700000003.000003", "soon"))
    (row,) = tables["coverage"].to_pylist()
    assert (events(tables), row["untimed_packets"]) == (4, 1)
    assert oddities(tables) == [(f"zeek:{NAME}.log", FIRST + 3, "invalid_value")]


def test_times_out_of_order_are_counted(tmp_path: Path) -> None:
    late = write_of(7_200)
    tables = read(tmp_path, modbus_detailed=header(NAME) + late + rows(2))
    (row,) = tables["coverage"].to_pylist()
    assert (events(tables), row["clock_jumps"]) == (3, 1)


def test_a_packed_log_that_was_cut_gives_what_it_has(tmp_path: Path) -> None:
    whole = (header(NAME) + rows(20_000)).encode()
    path = tmp_path / f"{NAME}.log.gz"
    packed = gzip.compress(whole)
    path.write_bytes(packed[: len(packed) // 2])
    tables = decode("x", [LogFile(path.name, path)])
    (row,) = tables["coverage"].to_pylist()
    assert (row["status"], row["problem"]) == ("partial", "gzip ends too early")
    assert 5_000 < events(tables) < 20_000


@pytest.mark.parametrize("pack", ["gzip", "zstd"])
def test_packed_logs_are_read(tmp_path: Path, pack: str) -> None:
    path = tmp_path / f"{NAME}.log.packed"
    with pa.CompressedOutputStream(str(path), pack) as stream:
        stream.write(GOOD.encode())
    assert events(decode("x", [LogFile(f"{NAME}.log.packed", path)])) == 0  # no log's name
    assert events(decode("x", [LogFile(f"{NAME}.log.{'gz' if pack == 'gzip' else 'zst'}", path)])) == 3


def test_octets_that_are_no_text(tmp_path: Path) -> None:
    cells = dict.fromkeys(FIELDS["http"], "-") | {
        "ts": "1700000000.000000", "id.orig_h": "10.0.0.1", "id.orig_p": "40000", "id.resp_h": "10.0.0.2",
        "id.resp_p": "80", "method": "GET", "host": "h\\xc3\\xa4user", "uri": "/a?token=secret&page=1",
        "status_code": "200", "username": "domain\\\\user", "password": "secret",
    }  # fmt: skip
    line = "\t".join(cells[name] for name in FIELDS["http"]).encode()
    tables = read(tmp_path, http=header("http").encode() + line.replace(b"GET", b"G\xffT") + b"\n" + line + b"\n")
    first, second = (
        {field["name"]: field["value"] for field in row["fields"]} for row in tables["activities"].to_pylist()
    )
    assert first["http.request.method"] == "G\\XFFT"
    assert (second["url.domain"], second["user.name"]) == ("häuser", "domain\\user")
    assert (second["url.path"], second["url.parameters"]) == ("/a", "token, page")
    assert "secret" not in str([table.to_pylist() for table in tables.values()])


def as_json(line: str, **changed: object) -> str:
    """A row as JSON."""
    cells = dict(zip(FIELDS[NAME], line.rstrip("\n").split("\t"), strict=True))
    numbers = ("id.orig_p", "id.resp_p", "tid", "unit", "address", "quantity")
    row: dict[str, object] = {
        name: int(cell) if name in numbers else cell for name, cell in cells.items() if cell != "-"
    }
    row |= {
        "ts": float(cells["ts"]), "matched": True, "request_values": [int(cells["request_values"])],
        "response_values": [int(cells["response_values"])],
    }  # fmt: skip
    return json.dumps(row | changed) + "\n"


def test_json_tells_what_tabs_tell(tmp_path: Path) -> None:
    text = "".join(as_json(write_of(number)) for number in range(3))
    ours = read(tmp_path, modbus_detailed=GOOD)["aggregates"]
    other = read(tmp_path, modbus_detailed=text)["aggregates"]
    lines = ["first_frame", "last_frame", "sample_frames"]
    assert ours.drop_columns(lines).equals(other.drop_columns(lines))
    assert other["first_frame"].to_pylist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("broken", "odd"),
    [
        ('{"ts": 1, "id.orig_h":\n', 1),
        ("[1, 2]\n", 1),
        ("{}{}\n", 1),
        ("\n", 0),
        ('{"ts": {"a": 1}, "id.orig_h": 7, "id.resp_h": [], "func": {"b": []}}\n', 0),
        ("[" * 5_000 + "\n", 1),
    ],
)
def test_a_broken_line_of_json(tmp_path: Path, broken: str, odd: int) -> None:
    text = as_json(write_of(0)) + broken + as_json(write_of(1))
    tables = read(tmp_path, modbus_detailed=text)
    found = [row for row in oddities(tables) if row[1] == 2 and row[2] == "invalid_value"]
    assert len(found) >= odd
    assert events(tables) >= 2


def test_json_with_other_types_and_nested_names(tmp_path: Path) -> None:
    plain = json.loads(as_json(write_of(0)))
    nested = {name: value for name, value in plain.items() if not name.startswith("id.")}
    nested["id"] = {name[3:]: value for name, value in plain.items() if name.startswith("id.")}
    nested["ts"] = "2023-11-14T22:13:20.000000Z"
    tables = read(tmp_path, modbus_detailed=json.dumps(nested) + "\n")
    (row,) = tables["aggregates"].to_pylist()
    assert (row["client"], row["object_start"], row["first_time"].isoformat()) == (
        "10.0.0.5", 0, "2023-11-14T22:13:20+00:00",
    )  # fmt: skip


def test_too_many_combinations_are_told_as_ranges(tmp_path: Path) -> None:
    line = write_of(0).split("\t")
    text = "".join("\t".join([*line[:9], str(number), *line[10:]]) for number in range(3_000))
    tables = read(tmp_path, modbus_detailed=header(NAME) + text)
    assert events(tables) == 3_000
    assert tables["aggregates"].num_rows == 1_025
    assert tables["coverage"]["combinations_coalesced"].to_pylist() == [3_000 - 1_024]


def _words(tables: Tables) -> None:
    """All words are of the vocabularies, and all tables of their schemas."""
    for name, table in tables.items():
        assert table.schema.equals(TABLES[name])
        table.validate(full=True)
    for name, column, known in (
        ("aggregates", "operation", OPERATIONS),
        ("aggregates", "kind", KINDS),
        ("aggregates", "status", STATUSES),
        ("activities", "operation", OPERATIONS),
        ("activities", "status", STATUSES),
        ("activities", "protocol", (*SERVICES, *LOGGED_SERVICES)),
        ("oddities", "code", ODDITY_CODES),
    ):
        assert set(tables[name][column].to_pylist()) <= set(known)
    told = {field["name"] for row in tables["activities"]["fields"].to_pylist() for field in row}
    assert told <= set(ACTIVITY_FIELDS)


CELLS = st.one_of(
    st.sampled_from(
        ["-", "(empty)", "", "T", "F", "0", "1", "-1", "65536", "1e9", "nan", "inf", "1,2,3", "1700000000.5", "0x1d",
         "10.0.0.1", "fe80::1", "READ", "RESPONSE", "UNSOLICITED_RESPONSE", "CONFIRMED_REQUEST", "COMPLEX_ACK",
         "read_property", "read-property-ack", "device", "READ_COILS_EXCEPTION", "unknown-900", "Job-Request", "\\xff",
         "99999999999999999999", "SMB::FILE_WRITE", "AS", "TGS", "GET", "tcp", "udp", "SF", "\\x1e\\x1f"]
    ),
    st.text(st.characters(blacklist_characters="\t\n\r", blacklist_categories=("Cs",)), max_size=12),
)  # fmt: skip


@pytest.mark.parametrize("name", sorted({*LOGS, *BESIDE}))
@settings(max_examples=6, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_cells_of_any_log_make_rows_of_the_vocabulary(tmp_path: Path, name: str, data: st.DataObject) -> None:
    kind = LOGS.get(name) or LOGS[BESIDE[name]]
    columns = sorted({*kind.columns, *kind.beside_columns})
    lines = data.draw(st.lists(st.lists(CELLS, min_size=len(columns), max_size=len(columns)), max_size=6))
    text = header(name, columns) + "".join("\t".join(line) + "\n" for line in lines)
    _words(read(tmp_path, **{name: text}))
    objects = [
        dict(zip(columns, [int(cell) if cell.isascii() and cell.isdecimal() else cell for cell in line], strict=True))
        for line in lines
    ]
    _words(read(tmp_path, **{name: "".join(json.dumps(one) + "\n" for one in objects)}))


def test_any_octets_are_read_or_told(tmp_path: Path) -> None:
    chance = random.Random(20)
    whole = GOOD.encode()
    for _ in range(60):
        octets = bytearray(whole)
        for _ in range(chance.randrange(1, 12)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        _words(read(tmp_path, modbus_detailed=bytes(octets)))
