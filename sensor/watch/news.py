"""What a pass over the newest events may tell: nothing that a pass over all events would not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from zonewatch.rules.findings import Finding
from zonewatch.rules.sigma.detect import Detection, told_apart, told_once
from zonewatch.rules.sigma.told import BEYOND, MOST_FINDINGS

_OF_ALL: Final = frozenset({"malware.beacon", "baseline.unusual_transition", "policy.unused", "policy.cannot_conclude"})
"""Native rules that may hold of some rows and not of all: calls are steady or not, orders follow each other or not,
what some rows do not use or leave open others use or decide."""


def news(found: Sequence[Finding], known: Sequence[Finding], detection: Detection | None) -> tuple[Finding, ...]:
    """The findings that nobody knows; `known` is what the last pass over everything found, and what was told since.

    Left to a pass over everything is what holds of few rows and not of more, what a graver rule told already of the
    same actor, and more of what was too much to be told one by one.
    """
    left = {finding.rule for finding in known if finding.identity == BEYOND} | _OF_ALL
    bounded = frozenset[str]()
    if detection is not None:
        left |= detection.rules.needs_all()
        bounded = told_apart(detection.rules)
        found = tuple(told_once(found, detection.rules, known))
    ids = {finding.id for finding in known}
    new = tuple(finding for finding in found if finding.rule not in left and finding.id not in ids)
    told = Counter(finding.rule for finding in known)
    one_by_one = set[str]()
    for finding in sorted(new, key=lambda finding: (finding.first_time, finding.id)):
        if finding.rule not in bounded or finding.identity == BEYOND or told[finding.rule] < MOST_FINDINGS:
            told[finding.rule] += finding.identity != BEYOND
            one_by_one.add(finding.id)
    return tuple(finding for finding in new if finding.id in one_by_one)
