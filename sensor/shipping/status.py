"""How far every receiver is: for `zonewatch ship --status` and for metrics."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zonewatch.reports.rows import Column, Rows
from zonewatch.reports.words import iso_time
from zonewatch.sensor.measures import SECOND
from zonewatch.sensor.shipping.delivery import DELIVERY, Deliveries, Standing
from zonewatch.sensor.shipping.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one receiver. Times are UTC nanoseconds, 0 where there is none."""

    receiver: str
    active: bool
    """It is in the configuration."""
    waiting: int
    """Alerts that it has not got yet."""
    oldest_at: int
    """When the oldest of them was promised."""
    delivered: int
    delivered_at: int
    refused: int
    """Alerts that it refused for good; `zonewatch ship --retry` sends them again."""
    forgotten: int
    """Refused alerts that are kept no longer, because there were too many; the store has their findings."""
    attempts: int
    """Attempts in vain since it last took something."""
    next_at: int
    error: str
    error_at: int


def figures(folder: Path) -> tuple[Figures, ...]:
    """The figures of every receiver of a store; none before `zonewatch ship` was run there."""
    if not (folder / DELIVERY).exists():
        return ()
    outbox = Outbox(folder)
    with closing(Deliveries(folder, read_only=True)) as deliveries:
        return tuple(_figures(one, outbox) for one in deliveries.standings())


def _figures(one: Standing, outbox: Outbox) -> Figures:
    backlog = outbox.backlog(one.position)
    return Figures(
        receiver=one.name,
        active=one.active,
        waiting=backlog.count + one.held,
        oldest_at=min((at for at in (backlog.oldest_at, one.held_since) if at), default=0),
        delivered=one.delivered,
        delivered_at=one.delivered_at,
        refused=one.refused,
        forgotten=one.forgotten,
        attempts=one.attempts,
        next_at=one.next_at,
        error=one.error,
        error_at=one.error_at,
    )


def figure_rows(found: tuple[Figures, ...], now: int) -> Rows:
    """The figures as a table."""
    columns = (
        Column("receiver"),
        Column("state"),
        Column("waiting", right=True),
        Column("oldest", right=True),
        Column("delivered", right=True),
        Column("refused", right=True),
        Column("forgotten", right=True, rank=4),
        Column("last_delivery", rank=2),
        Column("next_attempt", rank=3),
        Column("error", rank=1),
    )
    rows = [
        (
            one.receiver,
            _state(one),
            one.waiting,
            f"{max(now - one.oldest_at, 0) // SECOND} s" if one.oldest_at else "",
            one.delivered,
            one.refused,
            one.forgotten,
            _moment(one.delivered_at),
            _moment(one.next_at) if one.attempts else "",
            one.error,
        )
        for one in found
    ]
    return Rows(columns, tuple(rows), "Receivers")


def refused_rows(folder: Path, most: int) -> Rows:
    """What was refused for good, with the answers."""
    columns = (Column("receiver"), Column("event"), Column("refused"), Column("answer", rank=1))
    rows: list[tuple[str, str, str, str]] = []
    with closing(Deliveries(folder, read_only=True)) as deliveries:
        for one in deliveries.standings():
            for held in deliveries.held(one.name, refused=True, most=most):
                rows.append((one.name, held.row.event_id, _moment(held.answered_at), held.answer))
    return Rows(columns, tuple(rows), "Refused")


_GONE: Final = "not configured"


def _state(one: Figures) -> str:
    if not one.active:
        return _GONE
    return f"{one.attempts} attempts in vain" if one.attempts else "takes alerts"


def _moment(at: int) -> str:
    return iso_time(at)[:19] + "Z" if at else ""
