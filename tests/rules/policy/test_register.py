"""The zone register: out as CSV, back into the text with nothing else changed."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.rules.policy.test_load import FULL
from zonewatch.rules.policy.load import parse_policy
from zonewatch.rules.policy.register import COLUMNS, RegisterError, exported, imported

PLANT = (Path(__file__).parents[3] / "pcaps" / "waterworks" / "policy.yaml").read_text("utf-8")


def put(text: str, register: str) -> str:
    return imported(text, parse_policy(text), register, "zones.csv")


@pytest.mark.parametrize("text", [FULL, PLANT], ids=["full", "waterworks"])
def test_what_is_exported_changes_nothing_when_it_comes_back(text: str) -> None:
    assert put(text, exported(parse_policy(text))) == text


def test_each_zone_is_a_row_with_all_that_its_record_says() -> None:
    rows = list(csv.DictReader(io.StringIO(exported(parse_policy(FULL)))))
    assert [row["id"] for row in rows] == ["sup", "dmz", "ctl"]
    told = {key: value for key, value in rows[2].items() if value}
    assert told == {
        "id": "ctl",
        "name": "Control level 1/2",
        "purpose": "Pump control",
        "kind": "control",
        "purdue": "1",
        "trust": "3",
        "owner_organization": "Example Water",
        "owner_role": "operations",
        "site": "A",
        "building": "pump-house",
        "cabinet": "E1",
        "safety": "none",
        **{f"sl_t_{name}": "1" if name == "dc" else "2" for name in ("iac", "uc", "si", "dc", "rdf", "tre", "ra")},
        "subnets": "192.0.2.0/24",
        "vlans": "20",
        "access_logical": "c-scada-ctl",
        "access_physical": "cabinet E1 ports 1-8",
        "assumptions": "cabinet is locked",
        "dependencies": "ntp from dmz",
    }


@pytest.mark.parametrize(
    ("register", "old", "new"),
    [
        ("id,name\nsupervision,Main room\n", "name: Control room\n", "name: Main room\n"),
        (
            "id,subnets\ndistribution,10.20.12.0/24; 10.20.13.0/24\n",
            "{subnets: [10.20.12.0/24]}",
            "{subnets: [10.20.12.0/24, 10.20.13.0/24]}",
        ),
        ("id,purpose\nbuilding,Air\n", "10.20.30.0/24]}\n", "10.20.30.0/24]}\n    purpose: Air\n"),
        ("id,sl_t_rdf\nfiltration,2\n", "RDF: 3,", "RDF: 2,"),
        ("id,owner_it\nbuilding,Infrastructure\n", "{ot: Facilities}", "{ot: Facilities, it: Infrastructure}"),
        ("id,name\nbuilding,\n", "    name: Building automation\n", ""),
        (
            "id,kind,vlans\nlab,temporary,7;8\n",
            "10.20.99.0/24]}\n",
            "10.20.99.0/24]}\n  - id: lab\n    kind: temporary\n    members: {vlans: [7, 8]}\n",
        ),
        ("id,name\nbuilding,'=1+1\n", "name: Building automation", 'name: "=1+1"'),
    ],
)
def test_a_row_changes_what_differs(register: str, old: str, new: str) -> None:
    assert PLANT.count(old) == 1
    changed = put(PLANT, register)
    assert changed == PLANT.replace(old, new)
    parse_policy(changed)


def test_a_formula_is_disarmed_and_comes_back() -> None:
    text = PLANT.replace("name: Building automation", 'name: "=1+1"')
    assert "'=1+1" in exported(parse_policy(text))
    assert put(text, exported(parse_policy(text))) == text


@pytest.mark.parametrize(
    ("register", "told"),
    [
        ("", "zones.csv:1: column 'id' is missing"),
        ("id,subnet\n", "zones.csv:1: unknown column 'subnet'; did you mean 'subnets'?"),
        ("id,id\n", "zones.csv:1: column 'id' is there twice"),
        ("id,name\n,x\n", "zones.csv:2: column id is empty"),
        ("id\ndmz\n\ndmz\n", "zones.csv:4: zone 'dmz' is there twice"),
        ("id,purdue\ndmz,low\n", "zones.csv:2: column purdue: 'low' is no number"),
        ("id\ndmz,1\n", "zones.csv:2: 2 cells, the header has 1"),
        ('id,name\ndmz,"x\n', "is not a CSV file"),
    ],
)
def test_mistakes_are_told_with_their_line(register: str, told: str) -> None:
    with pytest.raises(RegisterError) as caught:
        put(PLANT, register)
    assert told in str(caught.value)


def test_a_policy_without_zones_takes_them() -> None:
    text = "policy_version: 1\nsuc: {id: s}\n"
    new = put(text, "id,subnets\na,10.1.0.0/24\n")
    assert [zone.id for zone in parse_policy(new).zones] == ["a"]
    assert len(COLUMNS) == len(set(COLUMNS))
