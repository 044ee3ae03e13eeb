from __future__ import annotations

import ipaddress
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sensor.proof.leaks import leaks
from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.reports.pseudonyms.fields import ATTRIBUTES, VALUES
from zonewatch.reports.pseudonyms.fields import TELLS as HIDDEN
from zonewatch.sensor.decoding import decode

ROOT = Path(__file__).resolve().parents[3]
PLANT = ROOT / "pcaps" / "waterworks"
REAL = ROOT.parent / "shared" / "pcaps"
CAPTURES = (
    "cisagov__icsnpp-bacnet/testing/traces/bacnet_example.pcap",
    "cisagov__icsnpp-s7comm/tests/traces/snap7.pcap",
    "zeek__zeek/testing/btest/Traces/dce-rpc/mapi.pcap",
    "cisagov__icsnpp-hart-ip/testing/traces/hart-ip.pcap",
)
COMMON = {"", "localhost", "unknown", "workgroup", "mshome", "root", "admin", "/", "vendor", "north"}
"""Words that everybody's texts hold, or columns and pages of the program."""


def run(*arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from zonewatch.sensor.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 3), done.stderr


def secrets(capture: Path) -> set[str]:
    """Addresses, names and serial numbers that the engine reads in a capture."""
    tables = decode([Source("capture", (CaptureFile(capture.name, capture),))])
    found = {capture.name}
    for row in tables["addresses"].to_pylist():
        found |= {row["address"], row["mac"]}
    for row in tables["claims"].to_pylist():
        if ATTRIBUTES.get(row["attribute"], "text") in HIDDEN:
            found.add(row["value"])
    for row in tables["activities"].to_pylist():
        found |= {f["value"] for f in row["fields"] if VALUES.get(f["name"], "text") in HIDDEN}
    return {text for text in found if len(text) >= 4 and text.lower() not in COMMON and not _plain(text)}


def _plain(text: str) -> bool:
    if text.replace(".", "").isdecimal() and text.count(".") != 3:
        return len(text) < 6
    try:
        one = ipaddress.ip_address(text)
    except ValueError:
        return text.count(":") == 5 and int(text[:2], 16) & 1 == 1
    return one.is_multicast or one.is_loopback or one.is_unspecified or int(one) == 0xFFFFFFFF


def whole(capture: Path, folder: Path, *given: str | Path) -> Path:
    """A result and a report with pseudonyms, beside each other."""
    (folder / "key").write_text("k" * 40)
    run("audit", capture, *given, "--out", folder / "real")
    run("pseudonymise", folder / "real", "--out", folder / "told" / "result", "--key", folder / "key")
    report = ("report", folder / "real", "--framework", "iec62443", "--out", folder / "told" / "report")
    run(*report, "--pseudonymise", folder / "key")
    return folder / "told"


def test_nothing_of_the_bundled_plant_leaves(tmp_path: Path) -> None:
    files = ("--policy", PLANT / "policy.yaml", "--assets", PLANT / "assets.csv", "--tags", PLANT / "tags.csv")
    told = whole(PLANT / "waterworks.pcap", tmp_path, *files)
    lists = {line.split(",")[0] for line in (PLANT / "assets.csv").read_text().splitlines()[1:]}
    wanted = secrets(PLANT / "waterworks.pcap") | lists | {"Riverside", "plant manager"}
    assert len(wanted) > 60
    assert leaks(tmp_path / "real", ["plc-3"]), "the search finds what is there"
    assert leaks(told, wanted) == []
    assert json.loads((told / "report" / "manifest.json").read_text())["pseudonyms"] is True
    real = json.loads((tmp_path / "real" / "result.json").read_text())
    again = json.loads((told / "result" / "result.json").read_text())
    assert [len(real[name]) for name in ("assets", "edges", "findings", "verdicts")] == [
        len(again[name]) for name in ("assets", "edges", "findings", "verdicts")
    ]


@pytest.mark.parametrize("name", CAPTURES)
def test_nothing_of_real_captures_leaves(name: str, tmp_path: Path) -> None:
    if not (REAL / name).is_file():
        pytest.skip("the real captures are not here")
    assert leaks(whole(REAL / name, tmp_path), secrets(REAL / name)) == []
