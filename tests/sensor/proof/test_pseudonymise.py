from __future__ import annotations

import ipaddress
import json
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from tests import command
from tests.sensor.proof.leaks import leaks
from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.reports.attestations import Attestation
from zonewatch.reports.entity import Entity
from zonewatch.reports.pseudonyms.beside import ATTESTED as ATTESTED_TREATED
from zonewatch.reports.pseudonyms.beside import ENTITY as ENTITY_TREATED
from zonewatch.reports.pseudonyms.fields import ATTRIBUTES, SENTENCE, VALUES, value_treatment
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
COMMON = {"", "localhost", "unknown", "workgroup", "mshome", "root", "admin", "/", "vendor", "north", "works"}
"""Words that everybody's texts hold, or columns and pages of the program."""


def run(*arguments: str | Path) -> None:
    done = command.run(*arguments)
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


ENTITY = """
name: Quellwerk Nord GmbH
registration: REG-77431-Q
sector: drinking_water
classification: essential
member_state: DE
national_act: BSIG
contacts:
  - {role: night desk of Quellwerk, name: Ottilie Brandauer, phone: "+49 30 5550199", email: ottilie@quellwerk.example}
measures:
  b: {owner: Ruprecht Sandholm, reference: "§ 30 (2) no. 2", review: 2027-01-31}
"""
ATTESTED = """
attested:
  - {requirement: SR 1.3, zone: filtration, by: Wilhelmine Storck, on: 2026-03-01, document: handbook-of-quellwerk.pdf,
     sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08}
"""
STATED = {
    "Quellwerk Nord GmbH", "REG-77431-Q", "night desk of Quellwerk", "Ottilie Brandauer", "+49 30 5550199",
    "ottilie@quellwerk.example", "Ruprecht Sandholm", "Wilhelmine Storck", "handbook-of-quellwerk.pdf",
    "entity-of-quellwerk.yaml", "stated-by-storck.yaml", "yesterday-at-quellwerk",
}  # fmt: skip
"""What persons state beside a result, and the names of their files."""


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


def test_nothing_that_persons_state_leaves(tmp_path: Path) -> None:
    """An entity, attestations, an incident and an earlier edition, by every option that names persons."""
    entity, attested = tmp_path / "entity-of-quellwerk.yaml", tmp_path / "stated-by-storck.yaml"
    entity.write_text(ENTITY)
    attested.write_text(ATTESTED)
    (tmp_path / "key").write_text("k" * 40)
    files = ("--policy", PLANT / "policy.yaml", "--assets", PLANT / "assets.csv", "--tags", PLANT / "tags.csv")
    run("audit", PLANT / "waterworks.pcap", *files, "--out", tmp_path / "real")
    run("audit", PLANT / "waterworks.pcap", "--out", tmp_path / "yesterday-at-quellwerk")
    incident = json.loads((tmp_path / "real" / "result.json").read_text())["incidents"][0]
    given = ("--since", tmp_path / "yesterday-at-quellwerk", "--attestations", attested)
    law = ("--entity", entity, "--incident", incident["id"][:6], "--aware", "2026-03-02T06:00")
    hidden = ("--pseudonymise", tmp_path / "key")
    for framework, more in (("nis2", law), ("iec62443", ())):
        out = tmp_path / "told" / framework
        report = ("report", tmp_path / "real", "--framework", framework, *given, *more)
        run(*report, "--out", out, *hidden)
        run(*report, "--out", tmp_path / "open" / framework)
        manifest = json.loads((out / "manifest.json").read_text())
        assert {row["kind"] for row in manifest["inputs"]} >= {"attestations"}
        texts = [(tmp_path / place / framework / "report.html").read_text() for place in ("told", "open")]
        assert abs(texts[0].count("<tr") - texts[1].count("<tr")) <= 1, "nothing is left out"
    assert leaks(tmp_path / "open", STATED), "the search finds what is there"
    assert leaks(tmp_path / "told", secrets(PLANT / "waterworks.pcap") | STATED) == []


def test_every_text_that_persons_state_has_its_treatment() -> None:
    def named(kind: type[BaseModel], place: str = "") -> set[str]:
        found: set[str] = set()
        for name, field in kind.model_fields.items():
            inner = [one for one in _kinds(field.annotation) if issubclass(one, BaseModel)]
            found |= named(inner[0], f"{place}{name}.") if inner else {f"{place}{name}"}
        return found

    assert named(Entity) == set(ENTITY_TREATED)
    assert {row.name for row in fields(Attestation)} == set(ATTESTED_TREATED)


def _kinds(hint: object) -> list[type]:
    inner = [one for arm in get_args(hint) for one in _kinds(arm)]
    return [hint, *inner] if isinstance(hint, type) and not get_args(hint) else inner


@pytest.mark.parametrize("name", CAPTURES)
def test_nothing_of_real_captures_leaves(name: str, tmp_path: Path) -> None:
    if not (REAL / name).is_file():
        pytest.skip("the real captures are not here")
    assert leaks(whole(REAL / name, tmp_path), secrets(REAL / name)) == []


@pytest.mark.parametrize(
    ("value", "stays"),
    [
        ("latch_on", True),
        ("pulse_on trip=trip count=1 on=500ms off=100ms", True),
        ("21.5", True),
        ("2026-03-02T08:00:09.125000000Z", True),
        ("latch_on the left pump", False),
        ("Pump 1", False),
    ],
)
def test_commands_of_the_protocol_are_no_names(value: str, *, stays: bool) -> None:
    """Else the packets of a report with pseudonyms would contradict it: they hold the command as it was."""
    assert (value_treatment("Change", "after", value) == SENTENCE) is stays
