"""Whatever was seen: the draft loads, has no errors, and refuses nothing of it but what is on the review list."""

from __future__ import annotations

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inventory.network import Row, network
from tests.rules.plant import AS_OF
from tests.rules.test_engine import connections, talks
from zonewatch.dissectors import schemas
from zonewatch.inventory.build import build
from zonewatch.rules.draft.make import beside, fresh
from zonewatch.rules.draft.text import new_file
from zonewatch.rules.judge import judge
from zonewatch.rules.policy.declared import declared_assets
from zonewatch.rules.policy.lint.run import check_policy
from zonewatch.rules.policy.load import parse_policy


@settings(max_examples=150, deadline=None)
@given(st.lists(talks, max_size=10), st.lists(connections, max_size=10))
def test_a_draft_allows_what_it_was_made_from(given_talks: list[Row], given_flows: list[Row]) -> None:
    tables = network(talks=given_talks, flows=given_flows)
    given_tables = {"aggregates": tables.aggregates, "flows": tables.flows}
    made = fresh(build(tables), given_tables, AS_OF)
    text = new_file(made)
    report = check_policy(text, "draft.yaml", dt.date(2026, 6, 1), [])
    assert [item for item in report.diagnostics if item.severity == "error"] == []
    assert len(made.lines) <= made.combinations

    policy = parse_policy(text)
    inventory = build(tables, declared_assets(policy))
    events = schemas.EVENTS.empty_table()
    rows = judge(policy, inventory, tables.aggregates, events, AS_OF, flows=tables.flows).rows
    refused = [row for row in rows if row.decision.verdict == "violation" and not row.attempted]
    again = beside(policy, inventory, given_tables, AS_OF)
    assert again.lines == ()
    reviewed = {(line.from_zone, line.to_zone, line.draft.protocol) for line in made.review}
    assert {(row.client_zone, row.server_zone) for row in refused} <= {pair[:2] for pair in reviewed}
    if not made.review:
        assert refused == []
