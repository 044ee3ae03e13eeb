"""The clock of NIS2 Art. 23(4), in UTC from the moment of awareness. Who knew when is for people to say."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass
from typing import Final

__all__ = ["Deadlines", "deadlines", "month_later"]

SECOND: Final = 1_000_000_000
HOUR: Final = 3_600 * SECOND
WARNING: Final = 24 * HOUR
NOTIFICATION: Final = 72 * HOUR
TRUST_NOTIFICATION: Final = 24 * HOUR
"""Of providers of trust services (Art. 23(4), last subparagraph)."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """When the notices are due at the latest (UTC nanoseconds)."""

    warning: int
    notification: int
    final: int  # one month after the notification, were that sent at its last moment


def deadlines(aware: int, *, trust: bool = False) -> Deadlines:
    """Those of an incident that somebody became aware of at this moment."""
    notification = aware + (TRUST_NOTIFICATION if trust else NOTIFICATION)
    return Deadlines(aware + WARNING, notification, month_later(notification))


def month_later(moment: int) -> int:
    """The same day and time of the next month, or its last day where it has no such day.

    As Regulation (EEC, Euratom) No 1182/71 Art. 3(2)(c) counts months. That a period which ends on a holiday or at a
    weekend goes on to the next working day (Art. 3(4)) is left aside: the earlier moment is the safe one.
    """
    seconds, rest = divmod(moment, SECOND)
    at = dt.datetime.fromtimestamp(seconds, dt.UTC)
    year, month = (at.year + 1, 1) if at.month == 12 else (at.year, at.month + 1)
    day = min(at.day, calendar.monthrange(year, month)[1])
    return int(at.replace(year=year, month=month, day=day).timestamp()) * SECOND + rest
