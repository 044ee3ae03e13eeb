"""Live capture with files in the place of interfaces: its rows are those of the files, whenever they are looked at."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from zonewatch.dissectors import _native
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Detail, Source
from zonewatch.dissectors.extract import MiniCapture, Wanted, extract
from zonewatch.dissectors.live import Live
from zonewatch.dissectors.schemas import TABLES

PCAPS = Path(__file__).resolve().parents[2] / "pcaps"
PLANT = PCAPS / "waterworks" / "waterworks.pcap"
CAPTURES = [path for path in sorted(PCAPS.glob("[!w]*/*.pcap")) if path.stat().st_size < 200_000]
SOME = [*CAPTURES[::4], PLANT]
OF_FILES = ("format", "sha256", "reported_drops")
"""What coverage says of a file only."""


def rows(tables: Iterator[Any]) -> list[str]:
    """Rows in no order."""
    told = (row for table in tables for row in table.to_pylist())
    return sorted(repr({name: cell for name, cell in row.items() if name not in OF_FILES}) for row in told)


def decoded(path: Path, detail: Detail) -> dict[str, list[str]]:
    decoder = Decoder([Source("point", (CaptureFile("capture", path),))], detail=detail)
    while decoder.advance():
        pass
    return {table: rows(iter([decoder.take(table)])) for table in TABLES}


@pytest.mark.parametrize("path", SOME, ids=lambda path: path.stem)
def test_rows_are_those_of_the_file_whenever_they_are_looked_at(path: Path) -> None:
    chance = random.Random(path.stem)
    detail: Detail = chance.choice(["aggregates", "events", "pdus"])
    told: dict[str, list[Any]] = {table: [] for table in TABLES}
    ring = chance.choice([1, 10_000, 1 << 26])
    live = Live("point", files=[path], capture="capture", detail=detail, ring_octets=ring)
    while live.advance(chance.choice([0, 1, 5])):
        for table in chance.sample(sorted(TABLES), chance.randrange(4)):
            told[table].append(live.take(table))
        if chance.random() < 0.3:
            live.snapshot()
    snapshot = live.snapshot()
    as_if = {table: rows(iter([*told[table], snapshot.take(table)])) for table in TABLES}
    live.close()
    assert {table: rows(iter([*told[table], live.take(table)])) for table in TABLES} == as_if == decoded(path, detail)
    assert all(live.take(table).schema == TABLES[table] for table in TABLES)


def test_a_snapshot_is_that_of_the_packets_so_far(tmp_path: Path) -> None:
    looked = 0
    with Live("point", files=[PLANT], capture="capture", ring_octets=1, most_remembered_octets=1 << 26) as live:
        while live.advance(1):
            if (packets := live.counts().packets) < 400 * (looked + 1):
                continue
            looked += 1
            snapshot = live.snapshot()
            (made,) = live.packets([(frame, 0, None) for frame in range(1, packets + 1)], 1, 1 << 30)
            assert (made.packets, made.left_out) == (packets, 0)
            so_far = tmp_path / f"{looked}.pcapng"
            so_far.write_bytes(made.octets)
            assert {table: rows(iter([snapshot.take(table)])) for table in TABLES} == decoded(so_far, "aggregates")
            if looked == 5:
                break
    assert looked > 1


def test_recent_packets_are_those_of_the_file_with_the_same_octets_left_out() -> None:
    path = PCAPS / "services" / "ftp.pcap"
    frames = [(1, 0, None), (5, 0, 0), (6, 1, 5), (9, 1, None), (9, 0, 3)]
    with Live("point", files=[path], capture="capture") as live:
        while live.advance(10):
            pass
        made = live.packets([*frames, (1_000_000, 1, None)], 2, 1 << 20)
    again = extract([Wanted("point", "capture", path, tuple(frames))], 2, 1 << 20).captures
    assert [one.octets for one in made] == [one.octets for one in again]
    assert [(one.packets, one.left_out) for one in made] == [(3, 0), (2, 1)]


def test_no_more_is_remembered_than_may_be() -> None:
    for most in (0, 50_000):
        with Live("point", files=[PLANT], most_remembered_octets=most) as live:
            while live.advance(10):
                assert live.remembered_octets <= most
            packets = live.counts().packets
            (made,) = live.packets([(1, 0, None), (packets, 0, None)], 1, 1 << 20)
            assert (made.packets, made.left_out) == ((1, 1) if most else (0, 2))


def test_coverage_names_the_capture_and_what_is_wrong(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes((PCAPS / "modbus" / "read_write.pcap").read_bytes()[:-3])
    live = Live("span", files=[cut])
    live.advance(1_000)
    live.turn("2026-03-02")
    live.close()
    first, second = live.take("coverage").to_pylist()
    assert (first["capture"], first["format"], first["status"]) == ("span", "live", "partial")
    assert "the file ends" in first["problem"] or "cut" in first["problem"]
    assert (second["capture"], second["packets"]) == ("2026-03-02", 0)
    assert not live.advance(1_000)
    live.close()


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(OSError, match=r"there is no such interface|capability|Linux") as caught:
        Live("span", ["zonewatch-no-such"])
    assert caught.value.filename in ("zonewatch-no-such", None)
    with pytest.raises(ValueError, match="either"):
        Live("span")
    with pytest.raises(KeyError, match="no table 'rows'"):
        Live("span", files=[CAPTURES[0]]).take("rows")
    with pytest.raises(ValueError, match="unknown detail"):
        _native.Live("span", "span", [], ["a"], 1, 1, 1, 1, "much")


def test_mini_captures_have_the_shape_of_evidence() -> None:
    with Live("point", files=[CAPTURES[0]]) as live:
        while live.advance(10):
            pass
        assert live.packets([], 2, 100) == (MiniCapture(b"", 0, 0), MiniCapture(b"", 0, 0))
