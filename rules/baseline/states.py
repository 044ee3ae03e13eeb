"""The stages of assets, and the signature over the whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Literal

from zonewatch.rules.baseline.file import digest
from zonewatch.rules.baseline.merge import taken
from zonewatch.rules.baseline.model import Baseline, Review, Signature, Stage
from zonewatch.rules.policy.words import hint


class StageError(ValueError):
    """A stage cannot be changed: why."""


def reviewed(baseline: Baseline, assets: Iterable[str], to: Stage, by: str, on: dt.date) -> Baseline:
    """With these assets at another stage. What waited for the review of one of them counts from now on.

    Raises StageError where there is no such asset, or nobody answers for it.
    """
    if not by.strip():
        raise StageError("somebody has to answer for it: the name is empty")
    wanted = frozenset(assets)
    known = {asset.id for asset in baseline.assets}
    for name in sorted(wanted - known):
        raise StageError(f"no asset {name!r} in the baseline{hint(name, known)}")
    moved = tuple(
        asset.model_copy(update={"stage": to, "reviewed": Review(by=by, on=on)}) if asset.id in wanted else asset
        for asset in baseline.assets
    )
    waiting = frozenset(edge.key for edge in baseline.pending if wanted & {edge.client, edge.server})
    return taken(baseline.model_copy(update={"assets": moved}), waiting)


def signed(baseline: Baseline, by: str, on: dt.date) -> Baseline:
    """With somebody's word for the content as it is. Raises StageError where nobody gives it."""
    if not by.strip():
        raise StageError("somebody has to sign it: the name is empty")
    return baseline.model_copy(update={"signed": Signature(by=by, on=on, digest=f"sha256:{digest(baseline)}")})


Verified = Literal["unsigned", "changed", "as signed"]


def verified(baseline: Baseline) -> Verified:
    """Whether the content is what was signed."""
    if baseline.signed is None:
        return "unsigned"
    return "as signed" if baseline.signed.digest == f"sha256:{digest(baseline)}" else "changed"
