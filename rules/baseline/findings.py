"""Deviations as findings: a native detector for each kind."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from zonewatch.rules.baseline.compare import Comparison
from zonewatch.rules.baseline.deviation import KINDS, Deviation
from zonewatch.rules.context import Context, Detector, Fact, Told, sentence


def detectors(comparison: Comparison) -> tuple[Detector, ...]:
    """Those that tell a comparison, in the order of the kinds."""
    return tuple(
        Detector(
            f"baseline.{kind}",
            about.title,
            "medium",
            about.technique,
            about.requirement,
            "both" if about.part in ("who", "role") else "OT",
            about.remedy,
            partial(_told, tuple(one for one in comparison.told if one.kind == kind), comparison),
        )
        for kind, about in KINDS.items()
    )


def _told(
    found: tuple[Deviation, ...], comparison: Comparison, context: Context, detector: Detector, _: frozenset[Fact]
) -> Iterator[Told]:
    for one in found:
        assets = [asset for end in one.assets if (asset := comparison.assets.get(end)) is not None]
        learned = f"Learned on {one.days} day{'s' * (one.days != 1)}, {one.learned:,} times; surprise {one.bits:g} bits"
        yield Told(
            detector.finding(
                one.identity,
                one.text,
                one.severity,
                one.reasons,
                " ".join(sentence(text) for text in (detector.title, learned, *one.limits)),
                one.evidence,
                assets=assets,
                protocol=one.protocol,
                operation=one.operation,
                zones=[context.zone(asset) for asset in assets],
                count=one.count,
                when=(one.first_time, one.last_time),
            )
        )
