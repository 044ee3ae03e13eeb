"""The fields of OPC UA that rules ask, on the bundled capture of a session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import run

CAPTURE = Path(__file__).parents[3] / "pcaps" / "opcua" / "session.pcap"
RULE = """\
title: Trial
id: 0f8e0ad2-76a9-5a58-b44e-938eb9b742aa
name: own.trial
status: test
taxonomy: zonewatch
description: Trial.
logsource: {{product: zonewatch, category: ot_operation}}
detection:
  selection: {{{selection}}}
  condition: selection
level: low
zonewatch: {{owner: OT, remedy: None.}}
"""


@pytest.mark.parametrize(
    ("selection", "count"),
    [
        ("opcua.service: write, opcua.service_id: 673, opcua.namespace: 2, opcua.attribute: 13", 2),
        ("opcua.service: write, opcua.node_id: 'ns=2;s=Pump.Speed', ot.status: ok", 1),
        ("opcua.service: call, opcua.node_id: 'ns=2;i=7001'", 1),
        ("opcua.service: read, opcua.namespace: 0", 4),
        ("opcua.service: read, opcua.attribute: 4", 1),
        ("opcua.service: write, opcua.namespace: 0", 0),
        ("opcua.service: activate_session, opcua.user_token: anonymous", 1),
        ("opcua.service: activate_session, opcua.user_token: user_name, ot.status: error", 1),
        ("opcua.service: activate_session, opcua.security_mode: none", 2),
        ("opcua.service: open_secure_channel, opcua.security_policy: None", 1),
        ("opcua.service: get_endpoints, opcua.security_policy: Basic128Rsa15", 1),
    ],
)
def test_what_a_field_finds(selection: str, count: int, tmp_path: Path) -> None:
    (tmp_path / "own.yml").write_text(RULE.format(selection=selection), encoding="utf-8")
    done = run("rules", "test", tmp_path / "own.yml", CAPTURE, "--format", "jsonl")
    assert done.returncode == (0 if count else 1), done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert sum(finding["count"] for finding in found) == count
