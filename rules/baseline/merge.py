"""Adding what is newly seen to a baseline, without touching what somebody has reviewed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.rules.baseline.known import Known
from zonewatch.rules.baseline.model import (
    STAGES,
    Baseline,
    Capture,
    Edge,
    EdgeKey,
    Function,
    Habit,
    KnownAsset,
    Objects,
    SeenRecord,
    Stage,
    Transition,
)

LEARNING: Final = "learning"


def extended(old: Baseline, new: Baseline) -> Baseline:
    """The old baseline with what is new in the other. What was learned from a capture before is not counted again.

    Edges whose both ends are still learning take everything. Of the others nothing changes: what they do beyond what
    is known goes to `pending`.
    """
    stages = {asset.id: asset.stage for asset in old.assets}
    known = Known(old)
    edges = dict(known.edges)
    waiting = {edge.key: edge for edge in old.pending}
    for edge in new.edges:
        if stage_of(edge.key, stages) == LEARNING:
            edges[edge.key] = joined(edges.get(edge.key), edge)
            continue
        rest = beyond(edge, known)
        if rest is not None:
            waiting[edge.key] = joined(waiting.get(edge.key), rest)
    return old.model_copy(
        update={
            "learned": _captures((*old.learned, *new.learned)),
            "assets": _assets(old.assets, new.assets),
            "edges": tuple(edges[key] for key in sorted(edges)),
            "pending": tuple(waiting[key] for key in sorted(waiting)),
        }
    )


def is_learned(old: Baseline, captures: Iterable[Capture]) -> tuple[str, ...]:
    """Names of captures that the baseline was learned from already."""
    digests = {capture.sha256 for capture in old.learned if capture.sha256}
    return tuple(capture.capture for capture in captures if capture.sha256 in digests)


def with_pending(baseline: Baseline) -> Baseline:
    """As if everything that waits were reviewed."""
    return taken(baseline, frozenset(edge.key for edge in baseline.pending))


def taken(baseline: Baseline, keys: frozenset[EdgeKey]) -> Baseline:
    """With these of what waits put to the rest."""
    edges = {edge.key: edge for edge in baseline.edges}
    for edge in baseline.pending:
        if edge.key in keys:
            edges[edge.key] = joined(edges.get(edge.key), edge)
    rest = tuple(edge for edge in baseline.pending if edge.key not in keys)
    return baseline.model_copy(update={"edges": tuple(edges[key] for key in sorted(edges)), "pending": rest})


def stage_of(edge: EdgeKey, stages: dict[str, Stage]) -> Stage:
    """The stage of an edge: the further one of its ends."""
    return max((stages.get(end, "learning") for end in edge[:2]), key=STAGES.index)


def beyond(new: Edge, known: Known) -> Edge | None:
    """What an edge does that is not known of it; none where there is nothing."""
    old = known.edges.get(new.key)
    if old is None:
        return new
    functions = [part for function in new.functions if (part := _part(new.key, function, known)) is not None]
    pairs = {(item.before, item.after) for item in old.transitions}
    transitions = tuple(item for item in new.transitions if (item.before, item.after) not in pairs)
    units = tuple(unit for unit in new.client_units if unit not in old.client_units)
    habit = new.select_before_operate
    direct = (
        habit is not None and habit.direct and not (old.select_before_operate or Habit(selected=0, direct=0)).direct
    )
    answered = new.answered and not old.answered
    # Between functions that are all known, a new order of them is no more than a count.
    if not (functions or units or direct or answered):
        return None
    return new.model_copy(
        update={
            "functions": tuple(functions),
            "transitions": transitions,
            "client_units": units,
            "select_before_operate": habit if direct else None,
        }
    )


def _part(edge: EdgeKey, function: Function, known: Known) -> Function | None:
    old = known.functions.get((edge, function.key))
    if old is None:
        return function
    changing = function.operation in STATE_CHANGING
    objects = []
    for item in function.objects:
        expected = known.expected(edge, function.unit, item.range, changing=changing)
        leaves = expected is not None and item.values is not None and expected.leaves(item.values.low, item.values.high)
        if leaves or (changing and not known.written(edge, function.unit, item.range)):
            objects.append(item)
    new_hours = changing and not set(function.seen.hours) <= set(old.seen.hours)
    return function.model_copy(update={"objects": tuple(objects)}) if objects or new_hours else None


def joined(old: Edge | None, new: Edge) -> Edge:
    """Both as one; what somebody wrote beside the old one stays."""
    if old is None:
        return new
    functions = {function.key: function for function in old.functions}
    for function in new.functions:
        functions[function.key] = _function(functions.get(function.key), function)
    pairs = {(item.before, item.after): item.times for item in old.transitions}
    for item in new.transitions:
        pairs[item.before, item.after] = pairs.get((item.before, item.after), 0) + item.times
    units = {*old.client_units, *new.client_units}
    return old.model_copy(
        update={
            "answered": old.answered or new.answered,
            "client_units": tuple(sorted(units, key=lambda unit: (len(unit), unit))),
            "seen": together(old.seen, new.seen),
            "select_before_operate": _habit(old.select_before_operate, new.select_before_operate),
            "functions": tuple(sorted(functions.values(), key=lambda function: function.order)),
            "transitions": tuple(
                Transition(before=before, after=after, times=times) for (before, after), times in sorted(pairs.items())
            ),
        }
    )


def _habit(old: Habit | None, new: Habit | None) -> Habit | None:
    if old is None or new is None:
        return old or new
    return Habit(selected=old.selected + new.selected, direct=old.direct + new.direct)


def _function(old: Function | None, new: Function) -> Function:
    if old is None:
        return new
    objects = {item.range: item for item in old.objects}
    for item in new.objects:
        objects[item.range] = _objects(objects.get(item.range), item)
    ordered = sorted(objects.values(), key=lambda item: item.range.order)
    return old.model_copy(update={"seen": together(old.seen, new.seen), "objects": tuple(ordered)})


def _objects(old: Objects | None, new: Objects) -> Objects:
    if old is None:
        return new
    values = old.values.joined(new.values) if old.values and new.values else old.values or new.values
    paced = new if new.gaps > old.gaps else old
    longest = max(old.longest or 0.0, new.longest or 0.0) if paced.period is not None else None
    return old.model_copy(
        update={
            "times": old.times + new.times,
            "values": values,
            "changes": old.changes + new.changes,
            "period": paced.period,
            "mad": paced.mad,
            "gaps": paced.gaps,
            "longest": longest,
        }
    )


def together(old: SeenRecord, new: SeenRecord) -> SeenRecord:
    """Both counts. Where their days overlap, as many as are known for certain to be different."""
    if new.first > old.last or new.last < old.first:
        days = old.days + new.days
    elif new.first == old.last or new.last == old.first:
        days = old.days + new.days - 1
    else:
        days = max(old.days, new.days)
    return SeenRecord(
        times=old.times + new.times,
        days=days,
        first=min(old.first, new.first),
        last=max(old.last, new.last),
        hours=tuple(sorted({*old.hours, *new.hours})),
    )


def _captures(captures: Iterable[Capture]) -> tuple[Capture, ...]:
    return tuple(dict.fromkeys(captures))


def _assets(old: Iterable[KnownAsset], new: Iterable[KnownAsset]) -> tuple[KnownAsset, ...]:
    """New devices begin at learning; of those that are known, what was said of them stays where it was reviewed."""
    found = {asset.id: asset for asset in old}
    for asset in new:
        known = found.get(asset.id)
        if known is None:
            found[asset.id] = asset
        elif known.stage == LEARNING:
            found[asset.id] = known.model_copy(
                update={
                    "role": asset.role if known.role == "unknown" else known.role,
                    "addresses": tuple(dict.fromkeys((*known.addresses, *asset.addresses))),
                    "macs": tuple(dict.fromkeys((*known.macs, *asset.macs))),
                    "identity": {**asset.identity, **known.identity},
                    "seen": together(known.seen, asset.seen),
                }
            )
    return tuple(found[name] for name in sorted(found))
