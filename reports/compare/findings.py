"""Changes of findings: new, closed, gone and nobody can say why, graver, milder, decided about."""

from __future__ import annotations

from collections.abc import Iterator

from zonewatch.reports.compare.model import Change, Move
from zonewatch.reports.compare.pairs import Pairs
from zonewatch.reports.compare.sight import Sight
from zonewatch.reports.result import AuditResult
from zonewatch.rules.findings import SEVERITIES, Finding

__all__ = ["finding_changes"]


def finding_changes(
    before: AuditResult, after: AuditResult, pairs: Pairs, could_before: Sight, could_after: Sight
) -> Iterator[Change]:
    """By the stable id, also where an asset of it has another address now. Resolved ones count as closed."""
    now = {finding.id: finding for finding in after.findings}
    was = {}
    for finding in before.findings:
        moved = pairs.finding(finding)
        was[moved if moved in now else finding.id] = finding
    earlier = {new.id: old.id for old, new in pairs.both}
    for name, finding in now.items():
        old = was.get(name)
        if old is not None:
            yield from _moves(name, old, finding)
        elif finding.state != "resolved":
            ends = [earlier.get(asset, "") for asset in finding.assets]
            reason = could_before.finding(finding, ends)
            yield _told("worse" if finding.state == "open" else "appeared", name, finding, reason=reason or "")
    for name, finding in was.items():
        if name not in now and finding.state != "resolved":
            reason = could_after.finding(finding, [pairs.end(asset) for asset in finding.assets])
            yield _told("unclear" if reason else "vanished", name, finding, reason=reason or "")


def _told(
    move: Move, name: str, finding: Finding, aspect: str = "", before: str = "", after: str = "", reason: str = ""
) -> Change:
    place = " → ".join(finding.zones)
    return Change("finding", move, name, finding.title, aspect, before, after, place, reason, finding.severity)


def _moves(name: str, was: Finding, now: Finding) -> Iterator[Change]:
    if was.severity != now.severity:
        graver = SEVERITIES.index(now.severity) > SEVERITIES.index(was.severity)
        yield _told("worse" if graver else "better", name, now, "severity", was.severity, now.severity)
    if was.state != now.state:
        # An acceptance changes nothing on the network: it is neither better nor worse.
        move: Move = "vanished" if now.state == "resolved" else "worse" if was.state == "resolved" else "changed"
        yield _told(move, name, now, "state", was.state, now.state)
