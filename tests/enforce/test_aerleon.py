"""The export for aerleon: its text, and what aerleon makes of it for commercial firewalls."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from zonewatch.rules.enforce.aerleon import aerleon
from zonewatch.rules.enforce.plan import planned, shielded
from zonewatch.rules.policy.load import parse_policy

HERE = Path(__file__).parent
POLICY = (HERE / "policy.yaml").read_text("utf-8")
PLANT = (HERE.parents[1] / "pcaps" / "waterworks" / "policy.yaml").read_text("utf-8")
DAY = dt.date(2026, 3, 2)
needs_aerleon = pytest.mark.skipif(
    shutil.which("aclgen") is None, reason="aclgen is not on the path (pip install aerleon)"
)


def exported(text: str = POLICY, shield: str = "", day: dt.date = DAY) -> Mapping[str, str]:
    plan = planned(parse_policy(text), day)
    return aerleon(shielded(plan, shield) if shield else plan).files


@pytest.mark.parametrize("name", ["def/networks.yaml", "policies/pol/zones.yaml"])
def test_golden(name: str) -> None:
    assert exported()[name] == (HERE / "golden" / f"mill-{Path(name).name}").read_text("utf-8")


def test_hostile_names_stay_inside_their_strings() -> None:
    text = POLICY.replace("id: poll", "id: 'poll\":[#{é'").replace("process values", '"a\\n    action: deny \\" x"')
    filters = YAML(typ="safe").load(exported(text)["policies/pol/zones.yaml"])["filters"]
    assert [term["action"] for term in filters[0]["terms"]] == [*["accept"] * 5, "deny"]


def test_an_exception_that_has_not_begun_is_left_out() -> None:
    files = exported(day=dt.date(2026, 2, 27))
    assert "TCP_8443" not in files["def/services.yaml"]
    assert "TCP_8443" in exported(day=dt.date(2026, 3, 1))["def/services.yaml"]


@needs_aerleon
@pytest.mark.parametrize(("text", "shield"), [(POLICY, ""), (PLANT, ""), (PLANT, "plc-3")])
def test_aerleon_takes_it(tmp_path: Path, text: str, shield: str) -> None:
    text = text.replace("to: 2026-03-31", "to: 2099-03-31")  # or aerleon leaves the exception out by its own clock
    for name, content in exported(text, shield).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (tmp_path / "out").mkdir()
    folders = ("--base_directory", "policies", "--definitions_directory", "def", "--output_directory", "out")
    done = subprocess.run(["aclgen", *folders], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rules = {path.name: path.read_text() for path in (tmp_path / "out").iterdir()}
    assert rules.keys() == {"zones.srx", "zones.xml", "list.asa"}
    if text is not PLANT and "mill" in text:
        permitted = [line for line in rules["list.asa"].splitlines() if " permit " in line or " deny " in line]
        assert [line.removeprefix("access-list zonewatch extended ") for line in permitted] == [
            "permit tcp host 10.1.0.10 host 10.2.0.11 eq 502",
            "permit tcp host 10.1.0.15 host 10.2.0.11 eq 502",
            "permit tcp host 10.1.0.15 host 10.2.0.11 eq 502",
            "permit tcp host 10.1.0.10 host 10.2.0.21 eq 20000",
            "permit udp host 10.1.0.10 host 10.2.0.21 eq 20000",
            "permit tcp host 10.1.0.10 host 10.2.0.11 eq 8443",
            "permit udp 10.2.0.0 255.255.255.0 host 10.1.0.5 eq ntp",
            "deny ip any any",
        ]
