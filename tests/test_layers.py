"""What is below the protocols: captures made for it, with every PDU, flow around it, and oddity that is in them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

LAYERS: Final = Path(__file__).resolve().parents[1] / "pcaps" / "layers"
TRUTH: Final[dict[str, dict[str, Any]]] = json.loads((LAYERS / "truth.json").read_text(encoding="utf-8"))
TSHARK: Final = shutil.which("tshark")
TSHARK_MISSES: Final = {
    "vxlan_elsewhere": "VXLAN is known by its port",
    "responses_first": "a segment that was acknowledged before it is taken for a retransmission",
}
"""What tshark does not find with its default preferences, and why."""

Rows = dict[str, list[dict[str, Any]]]


def decode(*names: str, detail: str = "pdus") -> Rows:
    """The tables of captures, each a source of its own."""
    files = [Source(name, (CaptureFile(name, LAYERS / f"{name}.pcap"),)) for name in names]
    decoder = Decoder(files, detail=detail)  # type: ignore[arg-type]
    while decoder.advance():
        pass
    return {name: decoder.take(name).to_pylist() for name in (detail, "flows", "oddities", "coverage")}


def line(row: dict[str, Any]) -> str:
    """A PDU as the truth writes it."""
    number = "-" if row["transaction"] is None else row["transaction"]
    ends = f"{row['source_address']} {row['destination_address']}"
    return f"{row['frame']} {row['protocol']} {ends} {row['kind']} {row['function']} {number}"


def frames(name: str) -> set[int]:
    return {int(pdu.split()[0]) for pdu in TRUTH[name]["pdus"]}


@pytest.mark.parametrize("name", TRUTH)
def test_every_pdu_and_nothing_extra(name: str) -> None:
    rows, truth = decode(name), TRUTH[name]
    assert sorted(map(line, rows["pdus"])) == sorted(truth["pdus"])
    assert all(row["complete"] for row in rows["pdus"])
    assert [row["code"] for row in rows["oddities"]] == truth["oddities"]
    (coverage,) = rows["coverage"]
    counted = ("undecoded_packets", "unknown_link_packets", "one_sided_flows", "gaps")
    assert {field: coverage[field] for field in counted if coverage[field]} == truth["coverage"]


@pytest.mark.parametrize("name", TRUTH)
def test_a_tunnel_is_a_flow_and_what_is_inside_another(name: str) -> None:
    rows = decode(name)
    flows = rows["flows"]
    by_content = {row["service"] for row in flows if row["basis"] == "content"}
    protocols = {pdu.split()[1] for pdu in TRUTH[name]["pdus"]}
    assert by_content == protocols | set(TRUTH[name]["services"])
    conversations = [row for row in flows if row["service"] == "modbus"]
    for row in conversations:
        assert (row["client"], row["server"]) == ("10.0.0.10", "10.0.0.20")
        assert row["packets_out"] + row["packets_in"] == rows["coverage"][0]["packets"], "each frame once"
    assert len(conversations) == ("modbus" in protocols)


def test_the_vlan_that_a_mirror_took_off_is_known() -> None:
    assert {row["vlan"] for row in decode("erspan_2")["pdus"]} == {11}


@pytest.mark.parametrize(
    "name",
    [
        "sequence_wrap",
        "zero_window",
        "keep_alive",
        "jumbo",
        "offloaded",
        "vxlan",
        "transaction_reused",
        "responses_first",
    ],
)
def test_every_request_finds_its_answer(name: str) -> None:
    events = decode(name, detail="events")["events"]
    assert len(events) == len(TRUTH[name]["pdus"]) / 2
    assert {row["status"] for row in events} == {"ok"}


def test_equal_addresses_of_two_sources_are_apart() -> None:
    both = decode("site_1", "site_2", detail="events")
    assert Counter((row["source"], row["objects"][0]["start"]) for row in both["events"]) == {
        ("site_1", 100): 3,
        ("site_2", 200): 3,
    }
    assert [row["source"] for row in both["flows"]] == ["site_1", "site_2"]


@pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")
@pytest.mark.parametrize("name", [name for name in TRUTH if TRUTH[name]["pdus"]])
def test_tshark_finds_the_same_frames(name: str) -> None:
    command = [str(TSHARK), "-n", "-r", str(LAYERS / f"{name}.pcap"), "-Y", "mbtcp || bacapp", "-T", "fields"]
    output = subprocess.run([*command, "-e", "frame.number"], capture_output=True, text=True, check=True).stdout
    found = {int(number) for number in output.split()}
    assert (found == frames(name)) == (name not in TSHARK_MISSES), found
