"""Rules over an audit: what they hit as findings, beside those of native detectors.

A rule on records of the category `detection` is the handle of a native detector: its findings carry the rule's id and
go when the rule is switched off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.rules.context import Context, times
from zonewatch.rules.detectors import weighed
from zonewatch.rules.findings import SEVERITIES, Finding
from zonewatch.rules.sigma.cache import rules
from zonewatch.rules.sigma.correlate import Burst, correlate
from zonewatch.rules.sigma.model import Correlation, Described, Rule, RuleSet
from zonewatch.rules.sigma.records import records
from zonewatch.rules.sigma.run import Hit, judge
from zonewatch.rules.sigma.settings import NOTHING, Settings, load_settings, suppressed
from zonewatch.rules.sigma.taxonomy import FIELDS, Category
from zonewatch.rules.sigma.told import SHOWN_ALWAYS, findings, of_bursts

HANDLES: Final = "detection"
BUNDLED: Final = Path(__file__).parents[1] / "detections"
"""The rules that come with zonewatch."""


@dataclass(frozen=True, slots=True)
class Detection:
    """The rules of an audit, and what the site changed of them."""

    rules: RuleSet
    settings: Settings = NOTHING


def load_detection(own: Iterable[Path] = (), settings: Path | None = None) -> Detection:
    """The bundled rules, the user's own beside them, and what the site changed.

    Raises RuleErrors and PolicyErrors with all that is wrong.
    """
    found = rules((BUNDLED, *own))
    if settings is None:
        return Detection(found)
    names = (one.name for one in (*found.rules, *found.correlations))
    counting = (one.name for one in found.correlations if one.kind in ("event_count", "value_count"))
    return Detection(found, load_settings(settings, names, counting))


@dataclass(frozen=True, slots=True)
class Detected:
    """All findings, the gravest first, and what was switched off or suppressed."""

    findings: tuple[Finding, ...]
    limits: tuple[str, ...]
    on: frozenset[str] = frozenset()  # rules that were on, and of which nothing was suppressed
    off: frozenset[str] = frozenset()  # the others


def detect(context: Context, activities: pa.Table, native: Sequence[Finding], detection: Detection) -> Detected:
    """Judges the rules over everything that is known; `native` are the findings of detectors."""
    on, off = _in_force(detection)
    tables = records(context, activities, native, _wanted(on))
    hits = judge(on.rules, tables)
    kept, limits = _handled(native, (hit for hit in hits if hit.category == HANDLES), off)
    told = [
        *_of_rules(hits, tables),
        *of_bursts((burst for burst in correlate(on.correlations, hits, tables) if _tells(burst, on)), tables),
    ]
    found = [*kept, *(weighed(context, one) if one.operation in STATE_CHANGING else one for one in told)]
    once = tuple(told_once(found, on))
    left, taken = suppressed(once, detection.settings, context.policy)
    kept_ids = {finding.id for finding in left}
    silent = {*off, *(finding.rule for finding in once if finding.id not in kept_ids)}
    names = {rule.name for rule in (*detection.rules.rules, *detection.rules.correlations)}
    order = sorted(left, key=lambda finding: (-SEVERITIES.index(finding.severity), finding.id))
    return Detected(tuple(order), (*limits, *taken), frozenset(names - silent), frozenset(silent))


def _in_force(detection: Detection) -> tuple[RuleSet, dict[str, Described]]:
    """The rules that are on, with the site's thresholds; and those that are off, by name."""
    changes = detection.settings.rules
    everything: tuple[Described, ...] = (*detection.rules.rules, *detection.rules.correlations)
    off = {}
    for rule in everything:
        change = changes.get(rule.name)
        enabled = change.enabled if change is not None and change.enabled is not None else rule.enabled
        if not enabled:
            off[rule.name] = rule
    correlations = tuple(_with_threshold(one, detection.settings) for one in detection.rules.correlations)
    needed = _needed(correlations, off)
    return (
        RuleSet(
            rules=tuple(rule for rule in detection.rules.rules if rule.name not in off or rule.name in needed),
            correlations=tuple(one for one in correlations if one.name not in off or one.name in needed),
        ),
        off,
    )


def _needed(correlations: Iterable[Correlation], off: Mapping[str, Described]) -> frozenset[str]:
    """Rules that are read by correlations that are on, and by what these read."""
    by_name = {one.name: one for one in correlations}
    waiting = [name for one in by_name.values() if one.name not in off for name in one.rules]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += by_name[name].rules if name in by_name else ()
    return frozenset(found)


def _with_threshold(correlation: Correlation, settings: Settings) -> Correlation:
    change = settings.rules.get(correlation.name)
    if change is None or change.threshold is None:
        return correlation
    return replace(correlation, count=change.threshold)


def _wanted(rules: RuleSet) -> dict[Category, frozenset[str]]:
    wanted = rules.wanted()
    return {
        category: wanted[category] | (frozenset(SHOWN_ALWAYS) & FIELDS[category].keys())
        for category in FIELDS
        if category in wanted
    }


def _handled(
    native: Sequence[Finding], hits: Iterable[Hit], off: Mapping[str, Described]
) -> tuple[list[Finding], tuple[str, ...]]:
    """The detectors' findings with the rules that are their handles; those of a handle that is off are counted only."""
    handles: dict[int, Rule] = {}
    for hit in hits:
        handles |= {number: hit.rule for number in _numbers(hit) if number not in handles}
    kept: list[Finding] = []
    dropped: Counter[str] = Counter()
    for number, finding in enumerate(native):
        rule = handles.get(number)
        if finding.rule in off:
            dropped[finding.rule] += 1
        elif rule is None:
            kept.append(finding)
        else:
            kept.append(replace(finding, uuid=rule.id, false_positives=rule.false_positives))
    return kept, tuple(
        f"{times(count, 'finding')} of {name} not told: the rule is off" for name, count in sorted(dropped.items())
    )


def _numbers(hit: Hit) -> list[int]:
    numbers: list[Any] = hit.rows.to_pylist()
    return numbers


def _of_rules(hits: Iterable[Hit], tables: Mapping[str, pa.Table]) -> Iterator[Finding]:
    for hit in hits:
        if hit.category != HANDLES and not hit.rule.seed:
            yield from findings(hit.rule, tables[hit.category].take(hit.rows))


def told_once(found: Sequence[Finding], rules: RuleSet, known: Sequence[Finding] = ()) -> Iterator[Finding]:
    """Without what a graver rule tells, or told in findings that are known, of the same actor."""
    unless = {one.name: one.unless for one in (*rules.rules, *rules.correlations) if one.unless}
    actors = {(finding.rule, finding.assets[0]) for finding in (*known, *found) if finding.assets}
    for finding in found:
        others = unless.get(finding.rule, ())
        if not any((other, asset) in actors for other in others for asset in finding.assets[:1]):
            yield finding


def told_apart(rules: RuleSet) -> frozenset[str]:
    """The names of rules of which so many findings are told one by one and no more: all but handles of detectors."""
    own = (rule.name for rule in rules.rules if rule.category != HANDLES)
    return frozenset((*own, *(one.name for one in rules.correlations)))


def _tells(burst: Burst, rules: RuleSet) -> bool:
    """True unless another correlation reads it and does not let its parts tell."""
    inner = {name for one in rules.correlations if not one.generate for name in one.rules}
    return burst.correlation.name not in inner
