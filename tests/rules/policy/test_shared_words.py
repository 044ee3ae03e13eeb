"""Words that the inventory and the policy share: one table each."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from zonewatch.dissectors.vocabulary import OT_SERVICES
from zonewatch.inventory.declared import ROLE_WORDS, read_assets
from zonewatch.inventory.model import Target
from zonewatch.reports.words import target
from zonewatch.rules.policy.load import parse_policy
from zonewatch.rules.policy.words import is_protocol
from zonewatch.rules.targets import target_text

SERVICES = Path(__file__).resolve().parents[3] / "dissectors" / "tables" / "services.toml"
POLICY = """
policy_version: 1
suc: {id: s}
zones: [{id: z}]
assets: [{id: a, zone: z, addresses: [192.0.2.1], role: ROLE}]
"""


@pytest.mark.parametrize("word", [*ROLE_WORDS, "Remote IO", "DCS-Controller", "jump  host"])
def test_a_role_word_is_the_same_in_asset_list_and_policy(tmp_path: Path, word: str) -> None:
    (tmp_path / "assets.csv").write_text(f"id,addresses,role\na,192.0.2.1,{word}\n", encoding="utf-8")
    [listed] = read_assets(tmp_path / "assets.csv")
    [declared] = parse_policy(POLICY.replace("ROLE", word)).assets
    assert listed.role == declared.role is not None


def test_a_policy_may_name_every_service_that_the_engine_names() -> None:
    tables = tomllib.loads(SERVICES.read_text(encoding="utf-8"))
    names = {row["name"] for table in tables.values() for row in table.values()}
    assert [name for name in sorted(names) if not is_protocol(name)] == []


@pytest.mark.parametrize("service", sorted(OT_SERVICES))
def test_a_policy_may_name_every_control_service(service: str) -> None:
    assert is_protocol(service)


@pytest.mark.parametrize(("start", "count"), [(0, 1), (99, 1), (9_990, 20), (10_000, 1), (65_535, 1)])
@pytest.mark.parametrize("kind", ["coil", "holding-register", "analog-input"])
def test_findings_and_reports_number_points_alike(kind: str, start: int, count: int) -> None:
    assert target_text(kind, start, count) == target(Target(kind, start, count))
