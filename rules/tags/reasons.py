"""The reasons of verdicts with the names of the points that they are about.

The policy counts in raw numbers: `holding-register 412 (40413) not in flow setpoints`. With tags the reason says
`holding-register 412 (40413) [LSHH-101]`, and a value beside its number what it stands for.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from zonewatch.rules.judge import Judgement
from zonewatch.rules.observe import Observation
from zonewatch.rules.tags.model import Point, Tags
from zonewatch.rules.tags.written import names_of_range
from zonewatch.rules.targets import target_text, value_text
from zonewatch.rules.verdicts import Decision, VerdictRow

_VALUE: Final = re.compile(r"\bvalue (-?[0-9][0-9.e+-]*)(?= \(allowed: )")


def named(judgement: Judgement, tags: Tags) -> Judgement:
    """The same verdicts, their reasons with names."""
    if not tags:
        return judgement
    return replace(
        judgement,
        rows=tuple(_row(row, tags) for row in judgement.rows),
        changes=tuple(replace(item, row=_row(item.row, tags)) for item in judgement.changes),
    )


def _row(row: VerdictRow, tags: Tags) -> VerdictRow:
    if row.decision.verdict == "allowed" or row.seen.object_start is None:
        return row
    return replace(row, decision=_decision(row.decision, row.seen, row.server.id, tags))


def _decision(decision: Decision, seen: Observation, asset: str, tags: Tags) -> Decision:
    start, kind = seen.object_start or 0, seen.object_kind or ""
    point = Point(seen.unit, seen.protocol, kind, start, seen.property_name)
    names = names_of_range(tags, asset, point, seen.object_count)
    if not names:
        return decision
    plain = re.compile(re.escape(target_text(kind, start, seen.object_count)) + "(?![-0-9])")
    reason, objects = plain.subn(lambda found: f"{found[0]} [{names}]", decision.reason, count=1)
    beside = "" if objects else f" [{names}]"
    reason = _VALUE.sub(
        lambda found: f"{found[0]}{_stands_for(found[1], seen, asset, point, tags) or beside}", reason, count=1
    )
    return replace(decision, reason=reason)


def _stands_for(raw: str, seen: Observation, asset: str, point: Point, tags: Tags) -> str:
    """` [Chlorine setpoint AC-301 1.3 mg/l]`; empty where it is one value among several, or a part of one."""
    tag = tags.at(asset, point) if seen.object_count <= 1 else None
    value = next((item for item in (seen.value_max, seen.value_min) if item is not None and _is(item, raw)), None)
    if tag is None or tag.words > 1 or value is None:
        return ""
    about = seen.property_name if seen.protocol == "bacnet" else ""
    return f" [{tag.title_at(point.number)} {tag.text(tag.value((value,), about), about)}]"


def _is(value: float, raw: str) -> bool:
    return value_text(None, value) == raw
