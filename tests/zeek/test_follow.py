"""A folder that Zeek keeps writing: nothing is lost, nothing is told twice."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from tests.zeek.test_logs import s7, written
from tests.zeek.written import START, header, write_of
from zonewatch.dissectors.zeek.decoder import LogFile, decode
from zonewatch.dissectors.zeek.follow import Followed

ROOT = Path(__file__).resolve().parents[2]
NAME = "modbus_detailed"


def events(table: pa.Table) -> int:
    """How many events the aggregates count."""
    return sum(table["events"].to_pylist())


def seen(followed: Followed) -> int:
    """Events of the present capture, of all that is written by now."""
    followed.advance(0)
    return events(followed.snapshot().take("aggregates"))


def current(folder: Path, numbers: range) -> Path:
    """A log as it is just being written."""
    path = folder / f"{NAME}.log"
    path.write_text(header(NAME) + "".join(map(write_of, numbers)), "utf-8")
    return path


def test_a_log_is_read_on_as_it_grows(tmp_path: Path) -> None:
    path = current(tmp_path, range(3))
    with Followed("zeek", tmp_path) as followed:
        assert seen(followed) == 3
        with path.open("a") as file:
            file.write(write_of(3))
        assert seen(followed) == 4


def test_half_a_line_waits_for_its_end(tmp_path: Path) -> None:
    path = current(tmp_path, range(2))
    line = write_of(2)
    with Followed("zeek", tmp_path) as followed:
        with path.open("a") as file:
            file.write(line[:40])
        assert seen(followed) == 2
        with path.open("a") as file:
            file.write(line[40:])
        assert seen(followed) == 3
        assert followed.snapshot().take("oddities").num_rows == 0


def test_a_log_that_is_renamed_and_packed_is_read_once(tmp_path: Path) -> None:
    path = current(tmp_path, range(5))
    with Followed("zeek", tmp_path) as followed:
        assert seen(followed) == 5
        with path.open("a") as file:
            file.write(write_of(5))  # written after it was looked at last
        rotated = path.rename(tmp_path / f"{NAME}-23-11-14_22.00.00.log")
        current(tmp_path, range(100, 103))
        assert seen(followed) == 9
        day = tmp_path / "2023-11-14"
        day.mkdir()
        (day / f"{NAME}.22:00:00-23:00:00.log.gz").write_bytes(gzip.compress(rotated.read_bytes()))
        assert seen(followed) == 9
        rotated.unlink()
        assert seen(followed) == 9


def test_what_was_packed_before_it_was_read_to_its_end_is_read_on(tmp_path: Path) -> None:
    path = current(tmp_path, range(5))
    with Followed("zeek", tmp_path) as followed:
        assert seen(followed) == 5
        with path.open("a") as file:
            file.writelines(map(write_of, range(5, 9)))
        (tmp_path / f"{NAME}.22:00:00-23:00:00.log.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
        assert seen(followed) == 9


def test_a_log_that_is_begun_anew_in_its_place_is_another_one(tmp_path: Path) -> None:
    current(tmp_path, range(5))
    with Followed("zeek", tmp_path) as followed:
        assert seen(followed) == 5
        current(tmp_path, range(50, 52))
        assert seen(followed) == 7


def test_a_restart_goes_on_where_findings_were_kept(tmp_path: Path) -> None:
    logs, position = tmp_path / "logs", tmp_path / "position.json"
    logs.mkdir()
    path = current(logs, range(5))
    with Followed("zeek", logs, position) as followed:
        assert seen(followed) == 5
        followed.take("aggregates")  # the next pass: what the last one found is kept
        with path.open("a") as file:
            file.write(write_of(5))
        assert seen(followed) == 6  # and this one is not: the process ends before
    with Followed("zeek", logs, position) as followed:
        assert seen(followed) == 1
        (row,) = followed.snapshot().take("aggregates").to_pylist()
        assert row["first_frame"] == len(path.read_text().splitlines())
        followed.close()
        followed.saved()
    with Followed("zeek", logs, position) as followed:
        assert seen(followed) == 0


def test_archives_of_the_time_before_are_passed_over(tmp_path: Path) -> None:
    old = current(tmp_path, range(100, 110))
    (tmp_path / f"{NAME}.21:00:00-22:00:00.log.gz").write_bytes(gzip.compress(old.read_bytes()))
    current(tmp_path, range(2))
    with Followed("zeek", tmp_path) as followed:
        assert seen(followed) == 2


def test_a_turn_loses_nothing(tmp_path: Path) -> None:
    path = current(tmp_path, range(4))
    with Followed("zeek", tmp_path) as followed:
        assert seen(followed) == 4
        with path.open("a") as file:
            file.write(write_of(4))
        followed.turn("next")
        before = events(followed.take("aggregates"))
        assert before + seen(followed) == 5


@pytest.mark.parametrize("lines", [3_000])
def test_a_process_that_writes_and_rotates_is_followed_whole(tmp_path: Path, lines: int) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    with Followed("zeek", logs, tmp_path / "position.json") as followed:
        writer = subprocess.Popen([sys.executable, "-m", "tests.zeek.written", str(logs), str(lines), "400"], cwd=ROOT)
        while writer.poll() is None:
            followed.advance(5)
            followed.snapshot()
        assert writer.returncode == 0
        followed.close()
        found = followed.take("aggregates")
    assert events(found) == lines
    archives = [LogFile(path.name, path) for path in sorted((logs / "2023-11-14").iterdir())]
    assert events(decode("zeek", archives)["aggregates"]) == lines


@pytest.mark.parametrize("turns", [False, True], ids=["one capture", "a capture that is turned between"])
def test_an_answer_in_the_next_rotated_log_is_its_requests(tmp_path: Path, *, turns: bool) -> None:
    asked = written(tmp_path, "s7comm", [s7(1, 1)]).path
    with Followed("zeek", tmp_path) as followed:
        assert seen(followed) == 0, "it waits"
        asked.rename(tmp_path / "s7comm.11:00:00-12:00:00.log")
        if turns:
            followed.turn("next")
            assert events(followed.take("aggregates")) == 0
        written(tmp_path, "s7comm", [{**s7(3, 1), "ts": START + 5}])
        assert seen(followed) == 1
        found = followed.snapshot().take("events").to_pylist()
        assert [(row["status"], len(row["request_frames"]), len(row["response_frames"])) for row in found] == [
            ("ok", 1, 1)
        ]
        assert found[0]["capture"] != found[0]["response_capture"]
