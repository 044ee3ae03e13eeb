"""The mini captures of an audit, read by a reader of their own."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest

from tests.command import run
from tests.sensor import test_cli
from tests.sensor.test_cli import PLANT, SMALL
from zonewatch.dissectors.extract import Wanted, extract
from zonewatch.reports.json_result import document, result_schema
from zonewatch.reports.result import ordered
from zonewatch.sensor.decoding import decode
from zonewatch.sensor.evidence import Proven, prove, versions
from zonewatch.sensor.pipeline import Given, assess
from zonewatch.sensor.sources import sources

CAPTURE = PLANT / "waterworks.pcap"


class Packet(NamedTuple):
    time: int
    octets: bytes
    wire_length: int
    comment: str = ""


@cache
def pcap(path: Path) -> list[Packet]:
    """The packets of a little-endian pcap of microseconds."""
    data, place, packets = path.read_bytes(), 24, []
    assert data.startswith(b"\xd4\xc3\xb2\xa1")
    while place < len(data):
        seconds, micros, captured, wire = struct.unpack_from("<4I", data, place)
        octets = data[place + 16 : place + 16 + captured]
        packets.append(Packet((seconds * 1_000_000 + micros) * 1_000, octets, wire))
        place += 16 + captured
    return packets


def blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place < len(data):
        kind, length = struct.unpack_from("<2I", data, place)
        assert data[place + length - 4 : place + length] == struct.pack("<I", length)
        yield kind, data[place + 8 : place + length - 4]
        place += length


def options(body: bytes, place: int) -> dict[int, bytes]:
    found = {}
    while place < len(body):
        code, length = struct.unpack_from("<2H", body, place)
        found[code] = body[place + 4 : place + 4 + length]
        place += 4 + (length + 3) // 4 * 4
    return found


def mini(data: bytes) -> list[Packet]:
    """The packets of a mini capture."""
    found = list(blocks(data))
    assert found[0][0] == 0x0A0D0D0A
    assert options(found[0][1], 16) == {4: b"zonewatch", 0: b""}
    packets = []
    for kind, body in found[1:]:
        assert kind in (1, 6)
        if kind == 1:
            assert options(body, 8)[9] == b"\x09"  # nanoseconds
        else:
            _, high, low, captured, wire = struct.unpack_from("<5I", body)
            comment = options(body, 20 + (captured + 3) // 4 * 4)[1].decode()
            packets.append(Packet(high << 32 | low, body[20 : 20 + captured], wire, comment))
    return packets


def audited(capture: Path, folder: Path) -> dict[str, Any]:
    done = run("audit", capture, "--policy", PLANT / "policy.yaml", "--assets", PLANT / "assets.csv", "--out", folder)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return result


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("plant")
    return audited(CAPTURE, folder), folder


def test_every_finding_has_the_packets_that_it_names(plant: tuple[dict[str, Any], Path]) -> None:
    result, folder = plant
    assert result["findings"]
    original = pcap(CAPTURE)
    packets = {row["finding"]: (row["packets"], row["left_out"]) for row in result["evidence"]}
    for finding in result["findings"]:
        assert finding["evidence_file"] == f"evidence/{finding['id']}.pcapng"
        found = mini((folder / finding["evidence_file"]).read_bytes())
        numbers = [int(re.fullmatch(r"frame (\d+) of waterworks\.pcap", packet.comment)[1]) for packet in found]  # type: ignore[index]
        for number, packet in zip(numbers, found, strict=True):
            before = original[number - 1]
            if len(packet.octets) < len(before.octets):  # cut where a service's content starts
                assert packet.octets[:16] == before.octets[:16]
                assert packet.wire_length == len(packet.octets)
                before = before._replace(octets=packet.octets, wire_length=packet.wire_length)
            assert packet == before._replace(comment=packet.comment)
        assert numbers == sorted(set(numbers))
        assert {row["frame"] for row in finding["evidence"]} <= set(numbers)
        assert packets[finding["id"]] == (len(found), 0)
    assert len(packets) == len(result["findings"])


def test_the_response_to_a_write_is_there(plant: tuple[dict[str, Any], Path]) -> None:
    result, folder = plant
    finding = next(row for row in result["findings"] if row["rule"] == "policy.violation")
    requests = [row["frame"] for row in finding["evidence"]]
    opening, *found = mini((folder / finding["evidence_file"]).read_bytes())
    assert len(found) == 2 * len(requests)
    # Addresses of IPv4, behind Ethernet and one VLAN tag; flags of TCP behind them.
    assert opening.octets[51] == 2, "SYN: who opened the connection"
    ends = [(packet.octets[30:34], packet.octets[34:38]) for packet in found]
    assert (opening.octets[30:34], opening.octets[34:38]) == ends[0]
    assert ends[1::2] == [(receiver, sender) for sender, receiver in ends[::2]]


def test_the_folder_names_its_files(plant: tuple[dict[str, Any], Path]) -> None:
    result, folder = plant
    files = sorted(row["evidence_file"] for row in result["findings"])
    assert sorted(path.relative_to(folder).as_posix() for path in (folder / "evidence").iterdir()) == files
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in manifest["outputs"] if row["name"].startswith("evidence/")] == files
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert all(f'<a href="{file}">' in page for file in files)
    told = json.loads((folder / "findings.json").read_text(encoding="utf-8"))["findings"]
    assert told == result["findings"]


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_a_mini_capture(plant: tuple[dict[str, Any], Path]) -> None:
    result, folder = plant
    finding = next(row for row in result["findings"] if row["rule"] == "policy.violation")
    fields = ("frame.time_epoch", "frame.len", "frame.comment", "modbus.func_code")
    command = ["tshark", "-r", folder / finding["evidence_file"], "-T", "fields", *(f"-e{name}" for name in fields)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = mini((folder / finding["evidence_file"]).read_bytes())
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [line[:3] for line in lines] == [
        [f"{packet.time // 10**9}.{packet.time % 10**9:09d}", str(packet.wire_length), packet.comment]
        for packet in found
    ]
    opening, *functions = [line[3] for line in lines]
    assert opening == ""
    assert functions[::2] == functions[1::2]
    assert set(functions) <= {"5", "6", "15", "16"}


def proven(capture: str, folder: Path, between: Any = lambda: None) -> Proven:
    points = sources([capture], [])
    before = versions(points)
    tables = decode(points)
    result = assess(tables, Given(), "")
    between()
    return prove(result, tables, points, before, folder)


def test_the_result_keeps_its_schema(tmp_path: Path) -> None:
    result = proven(str(CAPTURE), tmp_path).result
    jsonschema.Draft202012Validator(result_schema()).validate(json.loads(json.dumps(document(result))))
    assert result.evidence


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (Path.unlink, "No such file"),
        (lambda path: path.write_bytes(CAPTURE.read_bytes()[:200_000]), "changed while it was audited"),
        (lambda path: os.utime(path, (1, 1)), "changed while it was audited"),
    ],
    ids=["vanished", "shortened", "touched"],
)
def test_an_input_that_is_gone_costs_its_packets_only(tmp_path: Path, change: Any, said: str) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.pcap", "b.pcap"):
        shutil.copy(CAPTURE, tmp_path / "in" / name)
    found = proven(str(tmp_path / "in"), tmp_path, lambda: change(tmp_path / "in" / "a.pcap"))
    assert [name for name, _ in found.unread] == ["a.pcap"]
    assert said in found.unread[0][1]
    lines = [line for line in found.result.limits if line.startswith("evidence/ lacks")]
    assert len(lines) == 1
    assert "a.pcap" in lines[0]
    written = [packet for path in (tmp_path / "evidence").iterdir() for packet in mini(path.read_bytes())]
    assert {packet.comment.split(" of ")[1] for packet in written} <= {"b.pcap"}
    named = {row.finding: row for row in found.result.evidence}
    for finding in found.result.findings:
        if lost := sum(row.capture == "a.pcap" for row in finding.evidence):
            assert finding.id not in named or named[finding.id].left_out >= lost


def test_damage_behind_the_evidence_costs_nothing(tmp_path: Path) -> None:
    capture = tmp_path / "cut.pcap"
    capture.write_bytes(CAPTURE.read_bytes()[:-7])
    found = proven(str(capture), tmp_path)
    assert found.unread == ()
    assert found.result.partial
    assert len(found.result.evidence) == sum(bool(finding.evidence) for finding in found.result.findings)


def test_standard_input_is_not_read_twice(tmp_path: Path) -> None:
    done = test_cli.run("audit", "-", "--out", tmp_path, input=CAPTURE.read_bytes())
    assert done.returncode == 0, done.stderr
    assert b"zonewatch:" not in done.stderr
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert [line for line in result["limits"] if "evidence/" in line] == [
        "evidence/ lacks packets of stdin: standard input cannot be read twice."
    ]
    assert result["findings"]
    assert result["evidence"] == []
    assert {row["evidence_file"] for row in result["findings"]} == {""}
    assert not (tmp_path / "evidence").exists()
    assert "mini capture" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_an_audit_into_the_same_folder_leaves_nothing_of_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / f"{'0' * 16}.pcapng").write_bytes(b"old")
    (tmp_path / "evidence" / "mine.pcapng").write_bytes(b"not ours")
    found = proven(str(CAPTURE), tmp_path)
    names = {f"{row.finding}.pcapng" for row in found.result.evidence}
    assert {path.name for path in (tmp_path / "evidence").iterdir()} == {*names, "mine.pcapng"}


def test_evidence_of_an_audit_before_is_no_input(tmp_path: Path) -> None:
    shutil.copy(CAPTURE, tmp_path)
    assert run("audit", tmp_path, "--out", tmp_path / "result").returncode == 0
    assert (tmp_path / "result" / "evidence").is_dir()
    names = [file.name for file in sources([str(tmp_path)], [])[0].files]
    assert names == ["waterworks.pcap"]
    asked_for = sources([str(tmp_path / "result" / "evidence")], [])[0].files
    assert {file.path.suffix for file in asked_for if isinstance(file.path, Path)} == {".pcapng"}


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_any_form_of_a_capture_gives_the_same_packets(tmp_path: Path, packed: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "stored"
    path.write_bytes(packed(SMALL.read_bytes()))
    found = extract([Wanted("span", "a.pcap", path, ((7, 0, None), (42, 0, None)))], 1, 10_000)
    original = pcap(SMALL)
    assert mini(found.captures[0].octets) == [
        original[number - 1]._replace(comment=f"frame {number} of a.pcap") for number in (7, 42)
    ]


def test_bounds_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zonewatch.sensor.evidence.MOST_OCTETS", 3_000)
    result = proven(str(CAPTURE), tmp_path).result
    written = {path.stem: path.stat().st_size for path in (tmp_path / "evidence").iterdir()}
    assert 0 < sum(written.values()) <= 3_000
    assert {row.finding for row in result.evidence} == set(written)
    assert result.limits[-1].startswith("evidence/ lacks ")
    gravest = [finding.id for finding in ordered(result).findings if finding.evidence]
    assert set(gravest[: len(written)]) == set(written), "the least severe go without first"


def test_a_packet_of_which_less_is_shown_says_nothing_of_the_rest() -> None:
    frame = next(number for number, packet in enumerate(pcap(SMALL), start=1) if packet.octets[47] & 8)  # PSH
    found = extract([Wanted("span", "a.pcap", SMALL, ((frame, 0, 2), (frame, 1, None)))], 2, 10_000)
    [short], [whole] = (mini(capture.octets) for capture in found.captures)
    assert whole.octets == pcap(SMALL)[frame - 1].octets
    assert short.wire_length == len(short.octets) == 14 + 20 + 20 + 2
    assert struct.unpack_from(">H", short.octets, 16) == (42,)
    assert whole.octets[20:24] in short.octets
