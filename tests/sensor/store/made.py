"""Results made up for the store, and stores with a clock that is moved by hand."""

from __future__ import annotations

import io
import json
import sqlite3
import sys
from collections.abc import Iterable
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.reports import sample
from zonewatch.reports.result import AuditResult
from zonewatch.rules.findings import Finding, Owner, Severity
from zonewatch.rules.incidents import Incident
from zonewatch.sensor import cli
from zonewatch.sensor.store.settings import StoreSettings
from zonewatch.sensor.store.store import NAME, Store

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
START = 1_772_442_000 * SECOND  # 2026-03-02T09:00Z
SETTINGS = StoreSettings.model_validate(
    {"reserve": "64 KiB", "least_free": "0 B", "refresh": "60 s", "retell": "10 min"}
)
POLICY = "policy_version: 1\n"


class Hands:
    """A clock moved by hand; time passes as the clock does, but where it is stepped."""

    def __init__(self, at: int = START) -> None:
        self.at = at
        self.passed = 0

    def now(self) -> int:
        return self.at

    def monotonic(self) -> int:
        return self.passed

    def go(self, by: int) -> int:
        self.at += by
        self.passed += by
        return self.at

    def step(self, by: int) -> int:
        self.at += by
        return self.at


def open_store(folder: Path, clock: Hands, settings: StoreSettings = SETTINGS) -> Store:
    return Store.open(folder, settings, now=clock.now, monotonic=clock.monotonic)


def begin(store: Store, clock: Hands) -> int:
    return store.begin(("tap",), "0.1.0", POLICY, "", clock.at)


def finding(
    name: str,
    severity: Severity = "medium",
    owner: Owner = "OT",
    zones: tuple[str, ...] = ("cell",),
    assets: tuple[str, ...] = ("plc-1",),
    **more: Any,
) -> Finding:
    values: dict[str, Any] = {
        "rule": "test.rule",
        "identity": (("name", name),),
        "title": f"finding {name}",
        "reasons": ("it is made up",),
        "description": "",
        "remedy": "none",
        "first_time": START,
        "last_time": START + SECOND,
        **more,
    }
    return Finding(severity=severity, owner=owner, zones=zones, assets=assets, **values)


def incident(findings: Iterable[Finding], severity: Severity = "high") -> Incident:
    ids = tuple(one.id for one in findings)
    return Incident(f"{ids[0][:15]}i", "a story", severity, ("why",), "OT", ("plc-1",), (), ids, ())


def result(*findings: Finding, incidents: tuple[Incident, ...] = (), at: int = START) -> AuditResult:
    return replace(sample.empty(), findings=findings, incidents=incidents, as_of=at)


def query(folder: Path, text: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(folder / NAME)) as db:
        return db.execute(text, values).fetchall()


def told(folder: Path) -> list[tuple[str, str]]:
    """The outbox: `event.id` and state of each alert, in order."""
    rows = query(folder, "SELECT event_id, document FROM outbox ORDER BY seq")
    return [(event, json.loads(document)["zonewatch"]["state"]) for event, document in rows]


def states(folder: Path) -> dict[str, str]:
    return dict(query(folder, "SELECT id, state FROM findings"))


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def run(*arguments: object) -> Done:
    """A command as the shell would run it, in this process: starting another takes longer than what it does."""
    out, errors, code = io.StringIO(), io.StringIO(), 0
    with patch.object(sys, "argv", ["zonewatch", *map(str, arguments)]), redirect_stdout(out), redirect_stderr(errors):
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), errors.getvalue())
