"""Facts about the watch itself, as far as one audit can show them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from zonewatch.reports.facts.model import WHOLE, Observation
from zonewatch.reports.facts.seen import Seen
from zonewatch.reports.facts.told import Told, of_finding

CHANGES: Final = (
    "baseline.changed_period",
    "baseline.direct_operate",
    "baseline.identity_changed",
    "baseline.new_asset",
    "baseline.new_edge",
    "baseline.new_function",
    "baseline.new_object",
    "baseline.new_operation",
    "baseline.off_hours",
    "baseline.role_change",
    "baseline.second_master",
    "baseline.silent_device",
    "baseline.unusual_transition",
    "baseline.value_range",
)


def baseline_approved(seen: Seen) -> Iterator[Told]:
    """A policy that its owner approved and that was valid on the day of the audit, compared with all traffic seen.

    Less than the set minimum of time is no watch.
    """
    policy = seen.result.policy
    today = dt.datetime.fromtimestamp(seen.result.as_of // 1_000_000_000, dt.UTC).date().isoformat()
    valid = policy.given and policy.approved_by and (not policy.valid_until or policy.valid_until >= today)
    if valid and seen.window >= seen.minimum.window:
        for zone in (WHOLE, *seen.zones):
            yield Observation(
                zone,
                "mon.baseline_approved",
                (
                    ("policy", policy.name),
                    ("sha256", policy.sha256),
                    ("approved_by", policy.approved_by),
                    ("approved_on", policy.approved_on),
                    ("valid_until", policy.valid_until),
                ),
                count=len(seen.result.verdicts),
                first_time=seen.total.first_time,
                last_time=seen.total.last_time,
            )


def change_seen(seen: Seen) -> Iterator[Told]:
    """What differs from the baseline."""
    for finding in seen.findings(CHANGES):
        yield from of_finding(seen, "mon.change_seen", finding)
