"""What a tag list makes findings of: values beyond their limits, limits that were moved, writes to safety points."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from zonewatch.rules.context import MOST_CHANGES, Context, Detector, Fact, Told, higher, listing, sentence, span, times
from zonewatch.rules.findings import Finding, Severity
from zonewatch.rules.judge import JudgedChange, VerdictRow
from zonewatch.rules.observe import StateChange
from zonewatch.rules.tags.model import LIMITING, OBJECT_LIMITS, PRESENT_VALUE, Tag
from zonewatch.rules.tags.written import Written, written
from zonewatch.rules.weigh import Act, step, weigh, windows_of, worth_of

SETTING: Final = frozenset(("write", "operate", "configure"))
"""Operations that set values of points."""
ENGINEERING: Final = "engineering_station"

Reason = tuple[Severity, str]
Pair = tuple[str, str, str]
"""Client, server, protocol."""


def limit(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Values written beyond what the tag list gives as limits, and limits that were moved themselves."""
    cases: defaultdict[Pair, dict[Written, Reason]] = defaultdict(dict)
    for value in _values(context):
        reason = _beyond(value)
        if reason is not None:
            cases[_pair(value)][value] = reason
    for pair, found in sorted(cases.items()):
        severity: Severity = "info"
        for level, _ in found.values():
            severity = higher(severity, level)
        # The reasons of the gravest values come first.
        told = sorted(found.items(), key=lambda row: (row[1][0] != severity, row[0].item.row.seen.first_time))
        reasons = list(dict.fromkeys(text for _, (_, text) in told))
        shown = [*reasons[:3], *((f"{times(len(reasons) - 3, 'value')} more",) if len(reasons) > 3 else ())]
        yield Told(_finding(context, detector, pair, [value for value, _ in told], severity, shown))


def safety_write(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Writes to points that the tag list marks as safety."""
    cases: defaultdict[Pair, list[Written]] = defaultdict(list)
    for value in _values(context):
        if value.tag is not None and value.tag.safety:
            cases[_pair(value)].append(value)
    stations = {asset.id for asset in context.inventory.assets if asset.role == ENGINEERING and asset.declared}
    declared = bool(stations) or any(asset.role == ENGINEERING for asset in context.policy.assets)
    for pair, values in sorted(cases.items()):
        severity: Severity = detector.severity
        reasons = ["safety tag"]
        if not declared:
            reasons.append("no engineering station is declared, so nobody can be told to be one")
        elif pair[0] not in stations:
            severity = "critical"
            reasons.append(f"{context.name(pair[0])} is no declared engineering station")
        yield Told(_finding(context, detector, pair, values, severity, reasons))


def _beyond(value: Written) -> Reason | None:
    """What is wrong with a value, and how grave that is; none where nothing is."""
    tag = value.tag
    if tag is None or tag.learned:
        return None
    if value.about in OBJECT_LIMITS or tag.use in LIMITING:
        if value.same:
            return None
        trip = tag.use == "trip" or tag.safety
        sort = "trip limit" if trip else "alarm limit"
        moved: Reason | None = ("high" if trip else "medium", f"the {sort} {value.title} was changed")
    else:
        moved = None
    if value.command or value.about not in ("", PRESENT_VALUE, tag.area):
        return moved
    if outside := tag.beyond(value.after):
        if tag.safety:
            return "critical", f"{value.title} is {outside}, the limit of a safety tag"
        return "high", f"{value.title} is {outside}, its limit"
    if moved is None and (outside := tag.alarming(value.after)):
        return "medium", f"{value.title} is {outside}, its alarm limit"
    return moved


def _values(context: Context) -> Iterator[Written]:
    """Values at points with a tag: of the events kept whole, then of single points that were only counted."""
    if not any(not tag.learned for tag in context.tags.all):
        return
    whole = context.judgement.changes
    seen = {(_place(item.row), value) for item in whole for value in item.change.values}
    counted = (
        JudgedChange(row, StateChange(row.seen, (extreme,), (), ""))
        for row in context.judgement.rows
        if row.seen.object_count == 1 and not row.seen.coalesced
        for extreme in dict.fromkeys((row.seen.value_min, row.seen.value_max))
        if extreme is not None and (_place(row), extreme) not in seen
    )
    for item in chain(whole, counted):
        if item.row.seen.operation in SETTING:
            yield from (
                value for value in written(item, context.tags) if value.tag is not None and not value.tag.learned
            )


def _place(row: VerdictRow) -> tuple[object, ...]:
    """The object of an event, at its ends: events that were only counted are not told where one kept whole is."""
    seen = row.seen
    what = (seen.protocol, seen.unit, seen.object_kind, seen.object_start, seen.property_name)
    return (row.client.id, row.server.id, *what)


def _pair(value: Written) -> Pair:
    row = value.item.row
    return row.client.id, row.server.id, row.seen.protocol


def _finding(
    context: Context, detector: Detector, pair: Pair, values: list[Written], severity: Severity, reasons: list[str]
) -> Finding:
    client, server, protocol = pair
    rows = [value.item.row for value in values]
    refused = not any(row.seen.obeyed for row in rows)
    if refused:
        severity = step(severity, -1)
        reasons = [*reasons, "lowered: the device was not seen to obey"]
    tags: dict[Tag, None] = dict.fromkeys(value.tag for value in values if value.tag is not None)
    worth = [(f"tag {tag.name}", tag.criticality) for tag in tags]
    worth += worth_of(asset for asset in (context.assets.get(server),) if asset is not None)
    severity, weighed = weigh(severity, reasons, worth, windows_of(context.policy, map(_act, rows)))
    changes = tuple(dict.fromkeys(value.change for value in values if value.item.row.seen.obeyed))[:MOST_CHANGES]
    first = values[0].change
    more = len(changes) - 1
    title = f"{first.sentence} by {context.name(client)}" + (f", and {times(more, 'value')} more" if more > 0 else "")
    return detector.finding(
        (("client", client), ("server", server), ("protocol", protocol)),
        f"Tried: {title}" if refused else title,
        severity,
        weighed,
        sentence(f"{context.name(client)} wrote to {context.name(server)} by {protocol}: {_listed(values)}"),
        [item for row in rows for item in row.seen.evidence],
        assets=(client, *(() if rows[0].server.many else (server,))),
        protocol=protocol,
        operation=", ".join(sorted({row.seen.operation for row in rows})),
        zones=(rows[0].client_zone, rows[0].server_zone),
        changes=changes,
        count=len({(row.seen.first_time, row.seen.evidence) for row in rows}),
        when=span((row.seen.first_time, row.seen.last_time) for row in rows),
    )


def _listed(values: Iterable[Written]) -> str:
    return listing(
        dict.fromkeys(f"{change.sentence} at {change.target}" for change in (value.change for value in values)), 4
    )


def _act(row: VerdictRow) -> Act:
    seen = row.seen
    return Act(row.client, row.server_zone, seen.protocol, seen.operation, seen.first_time, seen.last_time)
