"""What is never drafted by itself: somebody has to say what it is for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.rules.draft.usage import Use
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.policy.words import REMOTE_SERVICES, canonical_service
from zonewatch.rules.scan import FEWEST_TARGETS, SURROUNDINGS, Scan

PLANT: Final = frozenset(("control", "safety"))
PROCESS: Final = PLANT | {"supervisory"}
ENTERPRISE: Final = frozenset(("business", "external", "remote", "temporary"))
FEWEST_SILENT: Final = 3
"""Servers that did not answer one client that asked them for one service."""
FEWEST_SWEPT: Final = 100
"""Distinct places that one function reads at one server."""
MOST_REPEATED: Final = 2.0
"""Events for each of them: polling asks for the same ones again."""


class Review:
    """Judges uses by what is known of all of them."""

    def __init__(self, policy: Policy, uses: Iterable[Use], scans: Iterable[Scan]) -> None:
        self._natures = {zone.id: str(zone.nature or "") for zone in policy.zones}
        self._scans = {scan.client: scan for scan in scans}
        listed = list(uses)
        self._swept = _sweeps(listed)
        self._fans = _fans(listed)
        self._knocking = _knocking(listed)

    def reasons(self, use: Use) -> tuple[str, ...]:
        """Why a person has to decide; empty where it may be drafted."""
        row, seen = use.row, use.row.seen
        one, other = (self._natures.get(zone, "") for zone in (row.client_zone, row.server_zone))
        changing = seen.operation in STATE_CHANGING
        checks = (
            (row.client.public, "comes from the internet"),
            (row.server.public and one in PLANT, "goes from the plant to the internet"),
            (changing and one in ENTERPRISE and not row.client.public, f"changes state from a {one} zone"),
            (_is_remote(seen.protocol) and other in PROCESS, f"remote access ({seen.protocol}) to the process side"),
            (self._is_scan(use), "is part of what looks like a scan"),
            (seen.operation == "unknown", "a function whose effect is not known"),
            (changing and seen.coalesced, "changes state, and what it changes was told together"),
            (changing and not use.obeyed, "changes state, and was never seen to be obeyed"),
        )
        return tuple(reason for holds, reason in checks if holds)

    def _is_scan(self, use: Use) -> bool:
        row, seen = use.row, use.row.seen
        scan = self._scans.get(row.client.id)
        if scan is not None and use.first >= scan.first_time - SURROUNDINGS:
            return True
        if row.server.id in self._scans:
            return True  # what it was told
        if use.events <= MOST_REPEATED and (row.client.id, row.server.id, seen.protocol) in self._swept:
            return True
        if (row.client.id, seen.protocol) in self._knocking:
            return True
        return (row.client.id, seen.protocol, seen.operation) in self._fans


def _is_remote(protocol: str) -> bool:
    return canonical_service(protocol) in REMOTE_SERVICES


def _sweeps(uses: list[Use]) -> frozenset[tuple[str, str, str]]:
    """Clients that go through the objects of a server, each asked for once or twice."""
    found: defaultdict[tuple[str, str, str, int | None], list[int]] = defaultdict(list)
    for use in uses:
        row, seen = use.row, use.row.seen
        if seen.object_start is not None:
            found[row.client.id, row.server.id, seen.protocol, seen.function].append(use.events)
    return frozenset(
        key[:3]
        for key, events in found.items()
        if len(events) >= FEWEST_SWEPT and sum(events) / len(events) <= MOST_REPEATED
    )


def _fans(uses: list[Use]) -> frozenset[tuple[str, str, str]]:
    """Clients that ask many servers to tell of themselves, each once or twice."""
    found: defaultdict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for use in uses:
        row, seen = use.row, use.row.seen
        if seen.operation in ("discover", "diagnose") and not row.server.many:
            found[row.client.id, seen.protocol, seen.operation][row.server.id] += use.events
    return frozenset(
        key
        for key, servers in found.items()
        if len(servers) >= FEWEST_TARGETS and sum(servers.values()) / len(servers) <= MOST_REPEATED
    )


def _knocking(uses: list[Use]) -> frozenset[tuple[str, str]]:
    """Clients that asked several servers for one service in vain: by client and protocol."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for use in uses:
        if use.row.attempted and not use.row.server.many:
            found[use.row.client.id, use.row.seen.protocol].add(use.row.server.id)
    return frozenset(key for key, servers in found.items() if len(servers) >= FEWEST_SILENT)
