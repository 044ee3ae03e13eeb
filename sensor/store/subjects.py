"""Findings and incidents of a pass against what the store holds: which rows are written, which alerts are told."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from zonewatch.reports.ecs import Alerts, event_id, telling
from zonewatch.reports.result import AuditResult
from zonewatch.rules.findings import SEVERITIES, Finding
from zonewatch.rules.incidents import Incident
from zonewatch.sensor.decisions.acceptances import Acceptance, accepted_by, conduit_pairs
from zonewatch.sensor.store.documents import read_subject, text_of
from zonewatch.sensor.store.told import Digests, Known, State, digests, is_told

__all__ = ["FINDINGS", "INCIDENTS", "Alert", "Moment", "Subjects", "put_in_outbox"]

FINDINGS: Final = "findings"
INCIDENTS: Final = "incidents"
TABLES: Final = (FINDINGS, INCIDENTS)
_NOTHING_TOLD: Final = Digests("", "")
_WRITE: Final = """
INSERT INTO {table} (id, rule, severity, owner, state, decision, first, last, period, earlier, gravity, story, told,
    told_at, changed, document)
VALUES (:id, :rule, :severity, :owner, :state, :decision, :first, :last, :period, :earlier, :gravity, :story, :told,
    :told_at, :at, :document)
ON CONFLICT (id) DO UPDATE SET rule = excluded.rule, severity = excluded.severity, owner = excluded.owner,
    changed = CASE WHEN state = excluded.state THEN changed ELSE excluded.changed END,
    state = excluded.state, decision = excluded.decision,
    first = CASE WHEN min(first, excluded.first) = 0 THEN max(first, excluded.first)
        ELSE min(first, excluded.first) END,
    last = max(last, excluded.last), period = excluded.period, earlier = excluded.earlier, gravity = excluded.gravity,
    story = excluded.story, told = excluded.told, told_at = excluded.told_at, document = excluded.document
"""
_MOVE: Final = """
UPDATE {table} SET changed = CASE WHEN state = :state THEN changed ELSE :at END, state = :state, decision = :decision,
    period = :period, earlier = :earlier, gravity = :gravity, story = :story, told = :told, told_at = :told_at
WHERE id = :id
"""
_READ: Final = """
SELECT id, state, owner, severity, decision, period, earlier, gravity, story, told, told_at FROM {table}
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """What a pass is judged with."""

    period: int
    at: int
    acceptances: tuple[Acceptance, ...]
    retell: int
    refresh: bool  # counts are written too
    final: bool  # the period ends


@dataclass(frozen=True, slots=True)
class Alert:
    """A row of the outbox."""

    event_id: str
    subject: str
    document: str
    order: tuple[int, int, str] = (0, 0, "")


@dataclass(slots=True)
class Plan:
    """All that a pass changes, so that it can be tried again where the disk was full."""

    known: dict[str, dict[str, Known]] = field(default_factory=lambda: {table: {} for table in TABLES})
    written: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {table: [] for table in TABLES})
    moved: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {table: [] for table in TABLES})
    alerts: list[Alert] = field(default_factory=list)
    decided: tuple[int, ...] | None = None  # by which all that is known was judged; none: only what is new was


class Subjects:
    """The findings and incidents of the store, with what was told of them last."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.known: dict[str, dict[str, Known]] = {table: dict(self._read(table)) for table in TABLES}
        self._decided: tuple[int, ...] | None = None  # what all that is known was judged by last

    def _read(self, table: str) -> Iterator[tuple[str, Known]]:
        for row in self._db.execute(_READ.format(table=table)):
            name, state, owner, severity, decision, period, earlier, gravity, story, told, told_at = row
            about = (state, owner, severity, decision, period, earlier)
            yield name, Known(*about, Digests(gravity, story), told, told_at)

    def plan(self, result: AuditResult, moment: Moment) -> Plan:
        """What the pass changes. Nothing is changed yet."""
        plan = Plan(decided=tuple(one.number for one in moment.acceptances))
        alerts = Alerts(result)
        pairs = conduit_pairs(result) if moment.acceptances else {}
        present: dict[str, dict[str, Finding | Incident]] = {
            FINDINGS: {finding.id: finding for finding in result.findings},
            INCIDENTS: {incident.id: incident for incident in result.incidents},
        }
        again = self._decided != plan.decided
        for table in TABLES:
            for name, subject in present[table].items():
                judged = self._state(subject, moment.acceptances, pairs, plan)
                self._present(plan, table, subject, judged, self.known[table].get(name), moment, alerts)
            for name, known in self.known[table].items():
                if name in present[table] or known.state == "resolved":
                    continue
                withdrawn = known.period == moment.period
                if withdrawn and known.earlier is None:
                    self._resolved(plan, table, name, known, moment, alerts)
                elif withdrawn or again:  # what an earlier period supports is judged by the decisions of today
                    subject = self._stored(table, name)
                    judged = self._state(subject, moment.acceptances, pairs, plan)
                    stays = replace(known, period=known.earlier, earlier=None) if known.earlier and withdrawn else known
                    before = replace(moment, period=stays.period, refresh=False, final=False)
                    self._present(plan, table, subject, judged, stays, before, alerts)
        plan.alerts.sort(key=lambda alert: alert.order)
        return plan

    def plan_new(self, result: AuditResult, moment: Moment) -> Plan:
        """The findings that are not known. What else the pass says, or no longer says, is left to one that saw all."""
        plan, alerts = Plan(), Alerts(result)
        pairs = conduit_pairs(result) if moment.acceptances else {}
        for finding in result.findings:
            if finding.id not in self.known[FINDINGS]:
                judged = self._state(finding, moment.acceptances, pairs, plan)
                self._present(plan, FINDINGS, finding, judged, None, moment, alerts)
        plan.alerts.sort(key=lambda alert: alert.order)
        return plan

    def apply(self, plan: Plan, at: int) -> None:
        """Writes it, inside the transaction at hand."""
        for table in TABLES:
            self._db.executemany(_WRITE.format(table=table), plan.written[table])
            self._db.executemany(_MOVE.format(table=table), plan.moved[table])
        put_in_outbox(self._db, plan.alerts, at)

    def done(self, plan: Plan) -> None:
        """The transaction is on the disk."""
        for table in TABLES:
            self.known[table].update(plan.known[table])
        if plan.decided is not None:
            self._decided = plan.decided

    def forget(self, table: str, names: Iterable[str]) -> None:
        """Rows that were removed for their age."""
        for name in names:
            self.known[table].pop(name, None)

    def _stored(self, table: str, name: str) -> Finding | Incident:
        row = self._db.execute(f"SELECT document FROM {table} WHERE id = ?", (name,)).fetchone()
        return read_subject(table, row[0])

    def _state(
        self,
        subject: Finding | Incident,
        acceptances: Sequence[Acceptance],
        pairs: Mapping[str, set[frozenset[str]]],
        plan: Plan,
    ) -> tuple[State, int | None]:
        """A finding is as people decided; an incident is accepted when all of its findings are."""
        if isinstance(subject, Finding):
            decision = accepted_by(subject, acceptances, pairs)
            return ("open" if decision is None else "accepted"), decision
        of = [plan.known[FINDINGS].get(name) or self.known[FINDINGS].get(name) for name in subject.findings]
        accepted = bool(of) and all(one is not None and one.state == "accepted" for one in of)
        return ("accepted" if accepted else "open"), None

    def _present(
        self,
        plan: Plan,
        table: str,
        subject: Finding | Incident,
        judged: tuple[State, int | None],
        known: Known | None,
        moment: Moment,
        alerts: Alerts,
    ) -> None:
        (state, decision), name, now = judged, subject.id, digests(subject)
        tells = is_told(known, state, now, moment.at, moment.retell, final=moment.final)
        earlier = None if known is None or known.state == "resolved" else known.earlier
        if known is not None and known.state != "resolved" and known.period != moment.period:
            earlier = known.period
        about = (state, subject.owner, subject.severity, decision, moment.period, earlier)
        before = (_NOTHING_TOLD, 0, 0) if known is None else (known.digests, known.told, known.told_at)
        new = Known(*about, *((now, before[1] + 1, moment.at) if tells else before))
        if tells:
            plan.alerts.append(_alert(alerts, subject, new))
        changed = new != self.known[table].get(name)
        if changed:
            plan.known[table][name] = new
        if changed or moment.refresh or moment.final:
            told = replace(subject, state=state) if isinstance(subject, Finding) else subject
            rule = subject.rule if isinstance(subject, Finding) else subject.pattern
            times = {"first": subject.first_time, "last": subject.last_time}
            row = {**_row(name, new, moment.at), **times, "rule": rule, "document": text_of(told)}
            plan.written[table].append(row)

    def _resolved(self, plan: Plan, table: str, name: str, known: Known, moment: Moment, alerts: Alerts) -> None:
        """A later pass of the period supports it no longer, and no earlier period did."""
        new = replace(known, state="resolved", decision=None)
        if is_told(known, "resolved", known.digests, moment.at, moment.retell, final=moment.final):
            new = replace(new, told=known.told + 1, told_at=moment.at)
            plan.alerts.append(_alert(alerts, self._stored(table, name), new))
        plan.known[table][name] = new
        plan.moved[table].append(_row(name, new, moment.at))


def _row(name: str, known: Known, at: int) -> dict[str, Any]:
    return {
        **{"id": name, "at": at, "owner": known.owner, "severity": known.severity},
        **{"state": known.state, "decision": known.decision, "period": known.period, "earlier": known.earlier},
        **{"gravity": known.digests.gravity, "story": known.digests.story},
        **{"told": known.told, "told_at": known.told_at},
    }


def _alert(alerts: Alerts, subject: Finding | Incident, known: Known) -> Alert:
    """Findings come before incidents, the gravest first."""
    document = telling(alerts.of(subject), known.told, known.state)
    order = (int(isinstance(subject, Incident)), -SEVERITIES.index(subject.severity), subject.id)
    text = json.dumps(document, sort_keys=True, allow_nan=False)
    return Alert(event_id(subject.id, known.told), subject.id, text, order)


def put_in_outbox(db: sqlite3.Connection, alerts: Iterable[Alert], at: int) -> None:
    """Adds alerts, inside the transaction at hand."""
    rows = ((alert.event_id, alert.subject, at, alert.document) for alert in alerts)
    db.executemany("INSERT INTO outbox (event_id, subject, at, document) VALUES (?, ?, ?, ?)", rows)
