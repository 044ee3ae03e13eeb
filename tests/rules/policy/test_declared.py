from __future__ import annotations

from tests.rules.plant import policy
from zonewatch.inventory.declared import DeclaredAsset
from zonewatch.rules.policy.declared import declared_assets


def test_policy_and_list_complete_each_other() -> None:
    listed = [
        DeclaredAsset("plc-1", name="Filter", addresses=("10.20.11.11", "fd00::11"), vendor="Acme", criticality="low"),
        DeclaredAsset("spare", addresses=("10.20.11.13", "10.20.11.99")),
    ]
    assets = {asset.id: asset for asset in declared_assets(policy(), listed)}
    plc = assets["plc-1"]
    assert (plc.name, plc.vendor, plc.criticality, plc.role, plc.zone) == (
        "Filter",
        "Acme",
        "high",
        "controller",
        "filtration",
    )
    assert plc.addresses == ("10.20.11.11", "fd00::11")
    assert assets["spare"].addresses == ("10.20.11.99",)
    assert list(assets) == ["plc-1", "spare", "hmi-1", "eng-1", "plc-3", "pc-1"]
