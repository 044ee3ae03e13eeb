"""A replay as rows: what a policy that is not in force would stop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zonewatch.reports.rows import Column, Rows
from zonewatch.reports.words import iso_time
from zonewatch.rules.context import times
from zonewatch.rules.replay import Replayed

_COLUMNS: Final = (
    Column("outcome"),
    Column("asset"),
    Column("client"),
    Column("protocol"),
    Column("operation"),
    Column("function", rank=1),
    Column("objects", rank=2),
    Column("events", right=True),
    Column("last_seen", "last seen", rank=4),
    Column("from_zone", "from", rank=5),
    Column("to_zone", "to", rank=5),
    Column("conduit", rank=3),
    Column("flow", rank=3),
    Column("reason", rank=6),
)
_OUTCOMES: Final = {"violation": "breaks", "cannot_conclude": "cannot conclude", "unzoned": "in no zone"}


def replay_rows(outcome: Replayed) -> Rows:
    """One row for each function of an asset that does not pass."""
    return Rows(
        _COLUMNS,
        tuple(
            (
                _OUTCOMES[item.verdict],
                item.server,
                item.client,
                item.protocol,
                item.operation or "connection",
                item.function,
                item.objects,
                item.events,
                iso_time(item.last_time),
                item.from_zone,
                item.to_zone,
                item.conduit,
                item.flow,
                item.reason,
            )
            for item in outcome.stopped
        ),
    )


def replay_summary(outcome: Replayed) -> Iterator[str]:
    """In words."""
    broken = [item for item in outcome.stopped if item.verdict == "violation"]
    assets = len({item.server for item in broken})
    yield f"{times(len(broken), 'function')} of {times(assets, 'asset')} would break." if broken else "Nothing breaks."
    undecided = outcome.count("cannot_conclude")
    if undecided:
        yield f"{times(undecided, 'function')} cannot be concluded: the record is too coarse."
    unzoned = outcome.count("unzoned")
    if unzoned:
        yield f"{times(unzoned, 'function')} with an end in no zone: the policy does not judge them."
    if outcome.failing:
        yield f"{times(outcome.failing, 'combination')} failed in the record already, and would be stopped."
