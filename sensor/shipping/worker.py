"""What one receiver is sent next, and what its answer means. Without threads and sleep: a turn at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from zonewatch.sensor.measures import SECOND
from zonewatch.sensor.shipping.backoff import Backoff
from zonewatch.sensor.shipping.clock import Clock
from zonewatch.sensor.shipping.delivery import Deliveries, Held
from zonewatch.sensor.shipping.outbox import Outbox, OutboxError
from zonewatch.sensor.shipping.receiver import Outcome, Receiver, Row, TooMuch, Unreachable
from zonewatch.sensor.shipping.secret import without

LONGEST_ERROR: Final = 1000
FAULTS: Final = 5
"""So often a row alone may make the receiver's own code fail before it waits by itself and lets others pass."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much at once: rows and octets of a batch, and rows that may be held before no further ones are taken.

    And how many refused rows are kept.
    """

    rows: int = 500
    octets: int = 4 << 20
    held: int = 1000
    refused: int = 10_000


class Worker:
    """Delivers to one receiver. Makes the connection when there is something to send."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], Receiver],
        outbox: Outbox,
        deliveries: Deliveries,
        backoff: Backoff,
        clock: Clock,
        limits: Limits | None = None,
        secrets: Collection[str] = (),
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.name = name
        self._connect = connect
        self._outbox = outbox
        self._deliveries = deliveries
        self._backoff = backoff
        self._clock = clock
        self._limits = limits or Limits()
        self._most = self._limits.rows
        self._secrets = secrets
        self._say = say
        self._receiver: Receiver | None = None
        self._faults = 0

    def close(self) -> None:
        """Lets go of the connection."""
        if self._receiver is not None:
            receiver, self._receiver = self._receiver, None
            receiver.close()

    def turn(self) -> int:
        """Sends what is due. Returns in how many nanoseconds there may be more to do: 0 at once, -1 when it is told."""
        try:
            return self._turn()
        except (OutboxError, sqlite3.Error) as error:
            self._say(f"{self.name}: {error}")
            return 5 * SECOND

    def _turn(self) -> int:
        now = self._clock()
        state = self._deliveries.state(self.name)
        if now < state.next_at <= now + self._backoff.longest:
            return state.next_at - now
        if self._outbox.is_another(state.position, state.position_event):
            self._say(f"{self.name}: the outbox is an older one than before: all of it is sent again")
            self._deliveries.go_to(self.name, 0, "")
            state = self._deliveries.state(self.name)
        held = self._deliveries.due(self.name, now, self._backoff.longest, self._most, self._limits.octets)
        if held:
            rows = [one.row for one in held]
            if not self._send(rows, state.attempts, {one.row.event_id: one for one in held}, None, ()):
                return 0
        if self._deliveries.waiting(self.name) >= self._limits.held:
            return 0 if held else self._pause()
        rows, behind, last = self._fresh(state.position)
        if last is None:
            return self._pause() if not held else 0
        if rows:
            self._send(rows, state.attempts, {}, last, behind)
        else:
            self._deliveries.settle(self.name, [], self._clock(), last, behind)
        return 0

    def _pause(self) -> int:
        due = self._deliveries.next_due(self.name)
        return -1 if due is None else max(due - self._clock(), SECOND // 100)

    def _fresh(self, position: int) -> tuple[list[Row], list[Row], Row | None]:
        """Rows to send, no two of one subject; rows that must wait behind one of their subject; the last of both."""
        rows: list[Row] = []
        behind: list[Row] = []
        last = None
        subjects: set[str] = set()
        for row in self._outbox.read(position, self._most, self._limits.octets):
            if row.subject in subjects:
                break
            if self._deliveries.waits(self.name, row.subject):
                behind.append(row)
            else:
                subjects.add(row.subject)
                rows.append(row)
            last = row
        return rows, behind, last

    def _send(
        self, rows: Sequence[Row], attempts: int, held: dict[str, Held], last: Row | None, behind: Sequence[Row]
    ) -> bool:
        """Sends the rows and keeps what became of them. False where the receiver as a whole took nothing."""
        outcomes = self._outcomes(rows, attempts, bool(held))
        if outcomes is None:
            return False
        now = self._clock()
        settled = []
        for row, outcome in zip(rows, outcomes, strict=True):
            tried = (held[row.event_id].attempts if row.event_id in held else 0) + 1
            outcome = Outcome(outcome.kind, self._shown(outcome.answer))
            settled.append((row, outcome, tried, now + self._backoff.wait(tried)))
        # One row that the receiver puts off again and again says nothing of the others; a whole batch of new ones does.
        put_off = not held and all(outcome.kind == "later" for outcome in outcomes)
        pause = (attempts + 1, now + self._backoff.wait(attempts + 1)) if put_off else None
        forgotten = self._deliveries.settle(self.name, settled, now, last, behind, pause, self._limits.refused)
        if forgotten:
            self._say(
                f"{self.name}: refused more than {self._limits.refused:,} alerts: the oldest {forgotten:,} are kept"
                " here no longer, and are in the store alone"
            )
        self._most = min(self._limits.rows, self._most * 2)
        self._faults = 0
        return not put_off

    def _outcomes(self, rows: Sequence[Row], attempts: int, held: bool) -> Sequence[Outcome] | None:
        try:
            found = self._connected().deliver(rows)
            if len(found) != len(rows):
                raise RuntimeError(f"{len(found)} outcomes for {len(rows)} rows")
        except TooMuch as error:
            if len(rows) == 1:
                return [Outcome("refused", str(error))]
            self._most = max(1, len(rows) // 2)
            return None
        except Unreachable as error:
            self._failed(attempts + 1, str(error), error.wait)
            return None
        except Exception as error:  # a fault of ours or of a library must not end the thread, nor lose a row
            told = f"{type(error).__name__}: {error}"
            self._faults += 1
            if len(rows) == 1 and (held or self._faults >= FAULTS):
                self.close()
                return [Outcome("later", told)]
            self._most = max(1, len(rows) // 2)
            if not held:
                self._failed(attempts + 1, told, 0)
            return None
        return found

    def _connected(self) -> Receiver:
        if self._receiver is None:
            try:
                self._receiver = self._connect()
            except Unreachable:
                raise
            except Exception as error:  # a certificate that is gone, a key that all may read: it is about no row
                raise Unreachable(f"{type(error).__name__}: {error}") from error
        return self._receiver

    def _failed(self, attempts: int, error: str, wait: int) -> None:
        self.close()
        now = self._clock()
        pause = min(max(wait, self._backoff.wait(attempts)), self._backoff.longest)
        text = self._shown(error)
        self._deliveries.failed(self.name, attempts, now + pause, text, now)
        if attempts == 1:
            self._say(f"{self.name}: {text}")

    def _shown(self, text: str) -> str:
        return without(" ".join(text.split()), self._secrets)[:LONGEST_ERROR]
