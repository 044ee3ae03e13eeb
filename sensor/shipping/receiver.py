"""What a receiver is to the rest: rows in, one outcome a row out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Row:
    """One alert of the outbox."""

    seq: int
    event_id: str
    subject: str
    at: int
    document: str

    def alert(self) -> dict[str, Any]:
        """The ECS document; its `event.id` is the row's, by which receivers tell what they had before."""
        found = json.loads(self.document)
        if not isinstance(found, dict):
            raise ValueError("the document is no object")
        event = found.get("event")
        found["event"] = (event if isinstance(event, dict) else {}) | {"id": self.event_id}
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row: delivered; to be tried again later; or refused for good. `answer` is the receiver's."""

    kind: Literal["delivered", "later", "refused"]
    answer: str = ""


DELIVERED: Final = Outcome("delivered")


class Unreachable(Exception):
    """Nothing is known of any row of the batch: all are sent again. `wait` is what the receiver asked for, in ns."""

    def __init__(self, reason: str, wait: int = 0) -> None:
        super().__init__(reason)
        self.wait = wait


class TooMuch(Exception):
    """The receiver takes less at once, or one of the rows is not to its liking: fewer are tried."""


class Receiver(Protocol):
    """One place to deliver to. Used by one thread."""

    def deliver(self, rows: Sequence[Row]) -> Sequence[Outcome]:
        """Sends the rows, no two of one subject, and says what became of each."""
        ...

    def close(self) -> None:
        """Lets go of connections and files."""
        ...


def rendered(
    rows: Sequence[Row], render: Callable[[Row], bytes]
) -> tuple[list[Outcome | None], list[tuple[int, bytes]]]:
    """Each row in the receiver's form, with its place. A row that has none is refused, and holds up no other."""
    outcomes: list[Outcome | None] = [None] * len(rows)
    made: list[tuple[int, bytes]] = []
    for place, row in enumerate(rows):
        try:
            made.append((place, render(row)))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            outcomes[place] = Outcome("refused", f"cannot be written in this form: {error!r}"[:500])
    return outcomes, made


def filled(outcomes: Sequence[Outcome | None], rest: Outcome = DELIVERED) -> list[Outcome]:
    """The outcomes, where none is known `rest`."""
    return [found if found is not None else rest for found in outcomes]
