"""The bundled plant, audited once."""

from __future__ import annotations

from pathlib import Path

import pytest

from zonewatch.reports.result import AuditResult

PLANT = Path(__file__).parents[3] / "pcaps" / "waterworks"


@pytest.fixture(scope="session")
def waterworks() -> AuditResult:
    pytest.importorskip("zonewatch.dissectors._native", reason="the engine is not built")
    from zonewatch.inventory.declared import read_assets
    from zonewatch.rules.policy.load import load_policy
    from zonewatch.rules.sigma.detect import load_detection
    from zonewatch.sensor.decoding import decode
    from zonewatch.sensor.pipeline import Given, assess
    from zonewatch.sensor.sources import sources

    declared = read_assets(PLANT / "assets.csv")
    given = Given(
        policy=load_policy(PLANT / "policy.yaml", [asset.id for asset in declared]),
        policy_name="policy.yaml",
        declared=declared,
        detection=load_detection(),
    )
    return assess(decode(sources([str(PLANT / "waterworks.pcap")], [])), given, title="")
