"""Of the lines between two zones, those that come nearest to what was seen.

What is used, the client and the server are compared with each line once, and put together from there: many hosts that
do the same under many flows are few comparisons.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from zonewatch.rules.matching import WEIGHTS, Difference, Line, distance, is_folded, is_hidden, use_differences
from zonewatch.rules.observe import Observation
from zonewatch.rules.places import End


class Candidates(NamedTuple):
    """Lines, each with what it differs in but for objects, values and time."""

    lines: tuple[tuple[Line, tuple[Difference, ...]], ...]
    hopeless: bool  # none of them can allow it


class _Uses(NamedTuple):
    """What is used, compared with each line."""

    differences: tuple[tuple[Difference, ...], ...]
    distances: tuple[int, ...]


class Nearest:
    """Finds them, and keeps what it found. A table of lines is known by being the same object."""

    def __init__(self) -> None:
        self._found: dict[tuple[object, ...], Candidates] = {}
        self._uses: dict[tuple[object, ...], _Uses] = {}
        self._ends: dict[tuple[object, ...], bytes] = {}

    def of(self, table: Sequence[Line], seen: Observation, client: End, server: End) -> Candidates:
        """The flows that differ least; of exceptions and maintenance windows those that do not differ."""
        use = (
            id(table),
            *seen[3:6],
            seen.function,
            seen.operation,
            seen.kind == "link",
            is_folded(seen),
            is_hidden(seen),
        )
        key = (client.id, client.address, server.id, server.address, use)
        found = self._found.get(key)
        if found is None:
            uses = self._uses.get(use)
            if uses is None:
                differences = tuple(use_differences(line, seen) for line in table)
                uses = self._uses[use] = _Uses(differences, tuple(map(distance, differences)))
            found = self._found[key] = _nearest(
                table,
                uses,
                (self._strange(table, client, is_client=True), Difference("client", f"client {client.label}")),
                (self._strange(table, server, is_client=False), Difference("server", f"server {server.label}")),
            )
        return found

    def _strange(self, table: Sequence[Line], end: End, *, is_client: bool) -> bytes:
        """For each line, how far it is from speaking of this end: an octet, as there may be many ends."""
        key = (id(table), is_client, end.id, end.address)
        found = self._ends.get(key)
        if found is None:
            weight = WEIGHTS["client" if is_client else "server"]
            ends = (line.clients if is_client else line.servers for line in table)
            found = self._ends[key] = bytes(0 if named.has(end) else weight for named in ends)
        return found


def _nearest(
    table: Sequence[Line], uses: _Uses, client: tuple[bytes, Difference], server: tuple[bytes, Difference]
) -> Candidates:
    far = list(map(sum, zip(uses.distances, client[0], server[0], strict=True)))
    least = min((far[place] for place, line in enumerate(table) if line.sort == "flow"), default=0)
    found = []
    for place, line in enumerate(table):
        if line.sort == "flow" and far[place] != least:
            continue
        ends = (difference for strange, difference in (client, server) if strange[place])
        fixed = tuple(sorted((*uses.differences[place], *ends), key=lambda item: _ORDER.index(item.aspect)))
        if line.sort == "flow" or not any(item.certain for item in fixed):
            found.append((line, fixed))
    return Candidates(tuple(found), all(any(item.certain for item in fixed) for _, fixed in found))


_ORDER = ("protocol", "port", "client", "server", "operation", "function")
"""In which differences are told."""
