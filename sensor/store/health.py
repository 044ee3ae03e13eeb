"""What is wrong with the sensor itself, told like findings."""

from __future__ import annotations

import json
import sqlite3

from zonewatch.reports.ecs import event_id, health_alert, telling
from zonewatch.rules.findings import Severity
from zonewatch.sensor.store.subjects import Alert, put_in_outbox

__all__ = ["Health"]


class Health:
    """The table of health; every method but `is_open` belongs inside a transaction."""

    def __init__(self, db: sqlite3.Connection, version: str) -> None:
        self._db, self._version = db, version

    def is_open(self, subject: str) -> bool:
        """Whether it was said to be wrong."""
        row = self._db.execute("SELECT state FROM health WHERE subject = ?", (f"health.{subject}",)).fetchone()
        return row is not None and row[0] == "open"

    def open_subjects(self) -> tuple[str, ...]:
        """What was said to be wrong and not to be right again."""
        rows = self._db.execute("SELECT subject FROM health WHERE state = 'open' ORDER BY subject")
        return tuple(row[0].removeprefix("health.") for row in rows)

    def say(self, subject: str, severity: Severity, title: str, text: str, at: int) -> bool:
        """Something is wrong; whether that was told."""
        name = f"health.{subject}"
        before = self._db.execute(
            "SELECT severity, title, state, told FROM health WHERE subject = ?", (name,)
        ).fetchone()
        tells = before is None or before[:3] != (severity, title, "open")
        told = (before[3] if before else 0) + tells
        self._db.execute(
            "INSERT INTO health (subject, severity, title, text, state, first, last, told)"
            " VALUES (?, ?, ?, ?, 'open', ?, ?, ?) ON CONFLICT DO UPDATE SET severity = excluded.severity,"
            " title = excluded.title, text = excluded.text, last = excluded.last, told = excluded.told,"
            " first = CASE WHEN state = 'open' THEN first ELSE excluded.first END, state = 'open'",
            (name, severity, title, text, at, at, told),
        )
        if tells:
            self._tell(name, severity, title, text, "open", told, at)
        return tells

    def resolve(self, subject: str, at: int) -> bool:
        """It is right again; whether that was told."""
        name = f"health.{subject}"
        row = self._db.execute(
            "UPDATE health SET state = 'resolved', last = ?, told = told + 1 WHERE subject = ? AND state = 'open'"
            " RETURNING severity, title, text, told",
            (at, name),
        ).fetchone()
        if row is not None:
            severity, title, text, told = row
            self._tell(name, severity, title, text, "resolved", told, at)
        return row is not None

    def _tell(self, name: str, severity: Severity, title: str, text: str, state: str, told: int, at: int) -> None:
        document = telling(health_alert(name, severity, title, text, at, self._version), told, state)
        put_in_outbox(self._db, [Alert(event_id(name, told), name, json.dumps(document, sort_keys=True))], at)
