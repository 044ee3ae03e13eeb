"""The bundled plant: each step of its story is a finding, and nothing else is of high severity."""

from __future__ import annotations

from pathlib import Path

import pytest

from zonewatch.inventory.build import Tables, build
from zonewatch.rules.engine import Assessment, audit
from zonewatch.rules.findings import Finding
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.policy.load import load_policy

_TABLES = ("aggregates", "events", "flows", "activities", "claims", "addresses", "coverage", "oddities")
PLANT = Path(__file__).parents[2] / "pcaps" / "waterworks"


@pytest.fixture(scope="module")
def assessment() -> Assessment:
    pytest.importorskip("zonewatch.dissectors._native", reason="the engine is not built")
    from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

    decoder = Decoder([Source("core", (CaptureFile("waterworks.pcap", PLANT / "waterworks.pcap"),))])
    while decoder.advance():
        pass
    taken = {name: decoder.take(name) for name in _TABLES}
    policy = load_policy(PLANT / "policy.yaml")
    tables = Tables(**{name: table for name, table in taken.items() if name not in ("events", "oddities")})
    last = max(time.value for time in taken["coverage"]["last_time"])
    return audit(build(tables, declared_assets(policy)), taken, policy, last)


def _find(assessment: Assessment, rule: str, *assets: str) -> list[Finding]:
    return [item for item in assessment.findings if item.rule == rule and set(assets) <= set(item.assets)]


@pytest.mark.parametrize(
    ("rule", "assets"),
    [
        ("policy.unknown_asset", ("10.20.1.77",)),
        ("exposure.scan", ("10.20.1.77",)),
        ("exposure.remote_access", ("10.20.1.77", "eng-1")),
        ("exposure.public_client", ("plc-4", "45.83.64.10")),
        ("policy.violation", ("eng-1", "plc-3")),
        ("pivot.chain", ("10.20.1.77", "eng-1", "plc-3")),
    ],
)
def test_each_step_is_a_finding(assessment: Assessment, rule: str, assets: tuple[str, ...]) -> None:
    assert _find(assessment, rule, *assets)


def test_the_unapproved_writes_tell_the_values(assessment: Assessment) -> None:
    finding = next(item for item in _find(assessment, "policy.violation", "eng-1", "plc-3") if item.changes)
    assert any(change.before == "120" and change.after == "950" for change in finding.changes)


def test_nothing_else_is_of_high_severity(assessment: Assessment) -> None:
    rules = {item.rule for item in assessment.findings if item.severity in ("high", "critical")}
    expected = {"exposure.scan", "exposure.remote_access", "exposure.public_client", "policy.violation", "pivot.chain"}
    assert rules <= expected
    high = [item for item in assessment.findings if item.severity in ("high", "critical")]
    assert len(high) <= 5, [item.title for item in high]


def test_honest_traffic_is_not_called_malformed(assessment: Assessment) -> None:
    assert _find(assessment, "protocol.malformed") == []
