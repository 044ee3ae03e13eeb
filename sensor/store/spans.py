"""A span of time of a store: the results of its periods as one, and how the sensor watched meanwhile. Nothing here
writes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from zonewatch.reports.facts.flow import conduit_conform
from zonewatch.reports.facts.seen import Seen
from zonewatch.reports.json_result import ResultError, from_values, loads
from zonewatch.reports.merge import after
from zonewatch.reports.result import AuditResult, ordered
from zonewatch.reports.watched import Decided, Gap, Health, Told, Watched, WatchedPeriod
from zonewatch.reports.words import clock, parse_time
from zonewatch.rules.findings import Finding
from zonewatch.sensor.decisions import ledger
from zonewatch.sensor.decisions.acceptances import accepted_by, conduit_pairs, in_force
from zonewatch.sensor.decisions.chain import Decision, Head, first_broken, missing_heads
from zonewatch.sensor.store.database import StoreError
from zonewatch.sensor.store.documents import unpacked
from zonewatch.sensor.store.reading import looked_at

__all__ = ["last_span", "of_span"]

LEAST_GAP: Final = 1_000_000_000
"""Between two periods, and less than this, is no gap: one was written while the next began."""
_PERIODS: Final = """
SELECT number, version, coalesce(policy, ''), began, max(last, coalesce(ended, 0)), state,
    result IS NOT NULL, rest IS NOT NULL
FROM periods WHERE passes > 0 ORDER BY number
"""
_WITHIN: Final = {
    "assets": "SELECT document FROM assets WHERE first <= :last AND last >= :began ORDER BY id",
    "edges": "SELECT document FROM edges WHERE first <= :last AND last >= :began ORDER BY client, server, protocol,"
    " transport, server_port, client_address, server_address",
}
"""What a period showed that did not end whole: those are told by their times."""


@dataclass(frozen=True, slots=True)
class _Period:
    number: int
    version: str
    policy: str
    began: int
    last: int
    state: Any
    whole: int  # its result is there
    parts: int  # what no other table holds of it is there

    @property
    def kept(self) -> bool:
        return bool(self.whole or self.parts)


def of_span(folder: Path, begin: int | None, end: int | None) -> tuple[AuditResult, Watched]:
    """The periods that overlap a span, whole, with the findings in the state that they had at its end.

    Without `begin` it is from the first record on, without `end` up to the last. Raises StoreError, ResultError.
    """
    with looked_at(folder) as db:
        periods = _periods(db, folder)
        low = periods[0].began if begin is None else begin
        high = max(period.last for period in periods) if end is None else end
        if low >= high:
            raise ResultError(f"{folder}: the span from {clock(low)} to {clock(high)} is empty")
        chosen = [period for period in periods if period.began < high and period.last >= low]
        if not any(period.kept for period in chosen):
            raise ResultError(f"{folder}: {_nothing(periods, chosen, low, high)}")
        found, rows = _joined(db, folder, chosen)
        trusted, problem = _decisions(db, folder, high)
        result = _with_states(found, db, trusted, high)
        return ordered(result), _watched(db, chosen, rows, (low, high), trusted, problem, _is_last(periods, chosen))


def last_span(folder: Path) -> Watched:
    """How the sensor watched the last period. Raises StoreError, ResultError."""
    with looked_at(folder) as db:
        last = _periods(db, folder)[-1]
    return of_span(folder, last.began, max(last.last, last.began + LEAST_GAP))[1]


def _periods(db: sqlite3.Connection, folder: Path) -> list[_Period]:
    found = [_Period(*row) for row in db.execute(_PERIODS)]
    if not found:
        raise ResultError(f"{folder}: the sensor has recorded nothing yet")
    return found


def _is_last(periods: Sequence[_Period], chosen: Sequence[_Period]) -> bool:
    return bool(chosen) and chosen[-1].number == periods[-1].number


def _nothing(periods: Sequence[_Period], chosen: Sequence[_Period], low: int, high: int) -> str:
    span = f"from {clock(low)} to {clock(high)}"
    if chosen:
        return f"the results {span} were removed for their age"
    return f"nothing was recorded {span}; the record goes from {clock(periods[0].began)} to {clock(periods[-1].last)}"


def _joined(
    db: sqlite3.Connection, folder: Path, chosen: Iterable[_Period]
) -> tuple[AuditResult, tuple[WatchedPeriod, ...]]:
    """One result at a time is held beside the sum."""
    found: AuditResult | None = None
    rows = []
    for period in chosen:
        one = _result(db, folder, period) if period.kept else None
        rows.append(_row(period, one))
        if one is not None:
            found = one if found is None else after(found, one)
    assert found is not None  # one of them is kept
    return found, tuple(rows)


def _result(db: sqlite3.Connection, folder: Path, period: _Period) -> AuditResult:
    octets = db.execute("SELECT coalesce(result, rest) FROM periods WHERE number = ?", (period.number,)).fetchone()[0]
    try:
        text = unpacked(octets)
    except OSError as error:
        raise StoreError(f"{folder}: the result of period {period.number} cannot be read: {error}") from None
    if period.whole:
        return loads(text)
    values: dict[str, Any] = json.loads(text)
    span = {"began": period.began, "last": period.last}
    for name, query in _WITHIN.items():
        values[name] = [json.loads(document) for (document,) in db.execute(query, span)]
    values["captures"] = [
        json.loads(row[0])
        for row in db.execute("SELECT document FROM coverage WHERE period = ? ORDER BY place", (period.number,))
    ]
    for table in ("findings", "incidents"):
        rows = db.execute(
            f"SELECT document, state FROM {table} WHERE first <= :last AND last >= :began ORDER BY id", span
        )
        values[table] = [{**json.loads(document), "state": state} for document, state in rows]
    return ordered(from_values(values))


def _row(period: _Period, result: AuditResult | None) -> WatchedPeriod:
    row = WatchedPeriod(
        period.number,
        period.began,
        period.last,
        period.state,
        result is not None,
        period.version,
        period.policy,
    )
    if result is None:
        return row
    counts = {"allowed": 0, "violation": 0}
    for cell in result.matrix:
        if cell.operation and cell.verdict in counts:
            counts[cell.verdict] += cell.events
    return replace(
        row,
        packets=sum(capture.packets for capture in result.captures),
        dropped=sum(capture.reported_drops or 0 for capture in result.captures),
        allowed=counts["allowed"],
        violations=counts["violation"],
        judged=len({verdict.conduit for verdict in result.verdicts if verdict.conduit}),
        conform=len({dict(one.values)["conduit"] for one in conduit_conform(Seen(result))}),
    )


def _decisions(db: sqlite3.Connection, folder: Path, high: int) -> tuple[tuple[Decision, ...], str]:
    """Those made up to a moment whose chain holds, and what is wrong with the rest."""
    found = ledger.read(folder)
    heads = [Head(*row) for row in db.execute("SELECT number, hash FROM heads ORDER BY number")]
    broken = first_broken(found) or missing_heads(found, heads)
    trusted = found if broken is None else found[: broken.number - 1]
    problem = "" if broken is None else f"decision {broken.number} {broken.why}"
    return tuple(one for one in trusted if one.kind != "export" and parse_time(one.time) <= high), problem


def _with_states(found: AuditResult, db: sqlite3.Connection, decisions: Sequence[Decision], high: int) -> AuditResult:
    """What was accepted then, by the decisions made so far; resolved is what the sensor no longer saw by then."""
    holding = in_force(decisions, high)
    pairs = conduit_pairs(found) if holding else {}
    gone = {row[0] for row in db.execute("SELECT id FROM findings WHERE state = 'resolved' AND changed <= ?", (high,))}

    def state(finding: Finding) -> Literal["open", "accepted", "resolved"]:
        if finding.id in gone:
            return "resolved"
        return "open" if accepted_by(finding, holding, pairs) is None else "accepted"

    return replace(found, findings=tuple(replace(one, state=state(one)) for one in found.findings))


def _watched(
    db: sqlite3.Connection,
    chosen: Sequence[_Period],
    rows: tuple[WatchedPeriod, ...],
    span: tuple[int, int],
    decisions: Sequence[Decision],
    problem: str,
    is_last: bool,
) -> Watched:
    low, high = span
    holds = {one.number for one in in_force(decisions, high)}
    return Watched(
        low,
        high,
        rows,
        tuple(_gaps(chosen, low, high, is_last=is_last)),
        tuple(
            Health(*row)
            for row in db.execute(
                "SELECT severity, title, text, state, first, last FROM health WHERE first < ? AND last >= ?"
                " ORDER BY first, subject",
                (high, low),
            )
        ),
        tuple(
            Decided(
                one.number,
                parse_time(one.time),
                one.who,
                one.kind,
                one.subject,
                _until(one.until),
                one.reason,
                one.number in holds,
                one.subject if one.kind == "acceptance" else "",
            )
            for one in decisions
        ),
        _told(db),
        problem,
    )


def _until(text: str) -> int:
    try:
        return parse_time(text)
    except (ValueError, OverflowError):
        return 0


def _told(db: sqlite3.Connection) -> Told:
    told = sum(
        db.execute(f"SELECT coalesce(sum(told), 0) FROM {table}").fetchone()[0]
        for table in ("findings", "incidents", "health")
    )
    waiting, oldest = db.execute("SELECT count(*), coalesce(min(at), 0) FROM outbox").fetchone()
    return Told(told, waiting, oldest)


def _gaps(chosen: Sequence[_Period], low: int, high: int, *, is_last: bool) -> Iterator[Gap]:
    """Stretches in which no period ran, and periods whose result is gone."""
    reached = low
    for place, period in enumerate(chosen):
        if period.began - reached >= LEAST_GAP:
            yield Gap(reached, period.began, "not_running")
        following = chosen[place + 1].began if place + 1 < len(chosen) else high
        stop = min(period.last, following, high)
        if not period.kept and stop > max(period.began, low):
            yield Gap(max(period.began, low), stop, "not_kept")
        reached = max(reached, min(period.last, high))
    if high - reached >= LEAST_GAP:
        yield Gap(reached, high, "not_yet" if is_last else "not_running")
