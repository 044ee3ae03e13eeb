"""Clients and servers parted into groups of which the same permits speak, so that what is not permitted can be said.

A rule that lets one message pass lets the whole connection pass in Suricata. So where messages are checked, nothing is
passed: what is not permitted is denied, group by group.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from netaddr import IPSet

from zonewatch.rules.enforce.plan import Permit
from zonewatch.rules.enforce.space import Space


class Cell(NamedTuple):
    """Connections from any of these clients to any of these servers fall under just these permits."""

    clients: Space
    servers: Space
    permits: tuple[Permit, ...]


class Servers(NamedTuple):
    """Servers that the same clients may open connections to."""

    servers: Space
    clients: Space  # none: nobody


def cells(permits: Sequence[Permit]) -> list[Cell]:
    """Every pair of a client and a server that a permit speaks of is in just one."""
    found = []
    for servers, theirs in _parts([(permit.destination, permit) for permit in permits]):
        for clients, both in _parts([(permit.source, permit) for permit in theirs]):
            found.append(Cell(clients, servers, both))
    return found


def served(permits: Sequence[Permit], whole: Space) -> list[Servers]:
    """All of `whole`, parted by who may open connections to it."""
    found, rest = [], whole
    for servers, theirs in _parts([(permit.destination & whole, permit) for permit in permits]):
        clients = IPSet()
        for permit in theirs:
            clients |= permit.source
        found.append(Servers(servers, clients))
        rest = rest - servers
    return [*found, Servers(rest, IPSet())] if rest else found


def _parts(spaces: Sequence[tuple[Space, Permit]]) -> list[tuple[Space, tuple[Permit, ...]]]:
    parts: list[tuple[Space, tuple[Permit, ...]]] = []
    for space, permit in spaces:
        parted: list[tuple[Space, tuple[Permit, ...]]] = []
        rest = space
        for known, permits in parts:
            both = known & space
            if both:
                parted.append((both, (*permits, permit)))
                rest = rest - both
            if other := known - both:
                parted.append((other, permits))
        if rest:
            parted.append((rest, (permit,)))
        parts = parted
    return parts
