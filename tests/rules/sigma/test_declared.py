"""Rules are told that a device is declared only where a person declared it."""

from __future__ import annotations

import pytest

from tests.inventory.network import network, talk
from tests.rules.plant import AS_OF, HMI, PLC_1, POLICY, policy
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.inventory.build import build
from zonewatch.inventory.declared import DeclaredAsset
from zonewatch.rules import engine
from zonewatch.rules.context import Context
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.sigma.records import records

LISTED = DeclaredAsset(id="hmi-1", addresses=(HMI,))


@pytest.mark.parametrize(
    ("by", "listed", "expected"),
    [
        pytest.param(None, (), (False, False), id="a proposal names devices by itself"),
        pytest.param(None, (LISTED,), (True, False), id="an asset list without a policy"),
        pytest.param(policy(POLICY), (), (True, True), id="a policy"),
    ],
)
def test_a_device_is_declared_by_people(
    by: Policy | None,
    listed: tuple[DeclaredAsset, ...],
    expected: tuple[bool, bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Context] = []
    monkeypatch.setattr(engine, "findings", lambda context, _: seen.append(context) or ())
    tables = network(talks=[talk(HMI, PLC_1, "write")])
    given = {"aggregates": tables.aggregates, "coverage": rows(schemas.COVERAGE, [{"source": "tap"}])}
    inventory = build(tables, declared_assets(by, listed) if by else listed)
    engine.audit(inventory, given, by, AS_OF)
    fields = ("source.asset.declared", "destination.asset.declared")
    activities = schemas.ACTIVITIES.empty_table()
    found = records(seen[0], activities, (), {"ot_operation": fields})["ot_operation"]
    assert tuple(found.to_pylist()[0][name] for name in fields) == expected
