"""The writing side of an outbox, as the store has it, and alerts to put there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.reports import sample
from tests.rules.test_incidents import act
from zonewatch.reports.ecs import alerts
from zonewatch.rules.incidents import incidents
from zonewatch.sensor.shipping.receiver import Row

SCHEMA = """
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, subject TEXT NOT NULL,
    at INTEGER NOT NULL, document TEXT NOT NULL
) STRICT
"""
START = 1_767_600_000_000_000_000


def put(folder: Path, rows: Sequence[tuple[str, str]], at: int = START, **fields: Any) -> None:
    """Adds rows of (event, subject)."""
    with closing(sqlite3.connect(folder / "store.db")) as opened, opened:
        opened.execute("PRAGMA journal_mode = WAL")
        opened.execute(SCHEMA)
        for event_id, subject in rows:
            document = json.dumps(alert(event_id, subject, **fields))
            query = "INSERT INTO outbox (event_id, subject, at, document) VALUES (?, ?, ?, ?)"
            opened.execute(query, (event_id, subject, at, document))


def alert(event_id: str, subject: str = "", **fields: Any) -> dict[str, Any]:
    """A small alert; `fields` are put over it."""
    return {
        "@timestamp": "2026-01-05T08:00:00.000Z",
        "event": {"id": event_id, "dataset": "zonewatch.findings", "kind": "alert", "severity": 73},
        "message": f"alert {event_id}",
        "observer": {"product": "zonewatch", "vendor": "zonewatch", "version": "0.1.0"},
        "rule": {"id": "policy.violation", "name": "policy: violation"},
        "zonewatch": {"severity": "high", "state": "open", "subject": subject or event_id},
        **fields,
    }


def row(event_id: str, subject: str = "", seq: int = 1, **fields: Any) -> Row:
    document = json.dumps(alert(event_id, subject, **fields))
    return Row(seq, event_id, subject or event_id, START, document)


def sample_alerts() -> list[dict[str, Any]]:
    """Findings and incidents as audits tell them, hostile text among them."""
    acts = (act("modbus.a", 0, "x", "plc", severity="critical"), act("modbus.b", 1, "x", "plc"))
    story = replace(sample.sample(), findings=acts, incidents=incidents(acts))
    results = (sample.sample(), sample.without_policy(), sample.hostile(), story)
    return [one for made in results for one in alerts(made)]


def sample_rows() -> list[Row]:
    return [
        Row(number, f"{one['event']['id']}-{number}", one["event"]["id"], START, json.dumps(one))
        for number, one in enumerate(sample_alerts(), 1)
    ]
