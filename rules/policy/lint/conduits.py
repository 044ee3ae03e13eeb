"""Checks of conduits: what they join, at which security level, held by what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zonewatch.rules.policy.lint.kinds import Check, Subject, Told
from zonewatch.rules.policy.model import Conduit
from zonewatch.rules.policy.records import FOUNDATIONAL_REQUIREMENTS, SecurityLevels
from zonewatch.rules.policy.words import CLEARTEXT, canonical_service

PLANT: Final = frozenset(("control", "safety"))
INTERNET: Final = frozenset(("external", "remote"))


def _natures(subject: Subject, conduit: Conduit) -> tuple[str, str]:
    ends = [subject.zones.get(zone) for zone in (conduit.from_, conduit.to)]
    one, other = (str(zone.nature or "") if zone is not None else "" for zone in ends)
    return one, other


def _joins(subject: Subject, outside: frozenset[str]) -> Iterator[Told]:
    for path, conduit in subject.conduits():
        one, other = _natures(subject, conduit)
        if {one, other} & outside and {one, other} & PLANT:
            message = (
                f"{conduit.id!r} joins {conduit.from_!r} ({one}) and {conduit.to!r} ({other}) without a DMZ between"
            )
            yield Told(path, message)


def internet_to_plant(subject: Subject) -> Iterator[Told]:
    """The internet or remote access straight to control or safety."""
    yield from _joins(subject, INTERNET)


def business_to_plant(subject: Subject) -> Iterator[Told]:
    """The enterprise straight to control or safety."""
    yield from _joins(subject, frozenset(("business",)))


def step_without_device(subject: Subject) -> Iterator[Told]:
    """Two security levels with nothing between that holds the traffic to the flows."""
    for path, conduit in subject.conduits():
        levels = [_levels(subject, zone) for zone in (conduit.from_, conduit.to)]
        if levels[0] is None or levels[1] is None or conduit.enforcement.device:
            continue
        one, other = levels
        steps = [name for name in FOUNDATIONAL_REQUIREMENTS if getattr(one, name) != getattr(other, name)]
        if steps:
            what = "SL-T" if len(steps) == len(FOUNDATIONAL_REQUIREMENTS) else f"SL-T of {', '.join(steps)}"
            message = f"{what} differs between {conduit.from_!r} and {conduit.to!r}, and no enforcement device is named"
            yield Told(path, message)


def level_too_low(subject: Subject) -> Iterator[Told]:
    """A conduit with a lower SL-T than one of its zones relies on."""
    for path, conduit in subject.conduits():
        if conduit.sl_t is None:
            continue
        for zone in (conduit.from_, conduit.to):
            levels = _levels(subject, zone)
            lower = [] if levels is None else _lower(conduit.sl_t, levels)
            if lower:
                yield Told((*path, "sl_t"), f"SL-T of {', '.join(lower)} is lower than that of zone {zone!r}")


def _lower(levels: SecurityLevels, than: SecurityLevels) -> list[str]:
    return [name for name in FOUNDATIONAL_REQUIREMENTS if getattr(levels, name) < getattr(than, name)]


def _levels(subject: Subject, zone: str) -> SecurityLevels | None:
    """Of a zone, or inherited."""
    seen: set[str] = set()
    known = subject.zones.get(zone)
    while known is not None and known.id not in seen:
        if known.sl_t is not None:
            return known.sl_t
        seen.add(known.id)
        known = subject.zones.get(known.parent or "")
    return None


def not_denying(subject: Subject) -> Iterator[Told]:
    """An enforcement device that lets pass what it does not know."""
    for path, conduit in subject.conduits():
        if conduit.enforcement.deny_by_default is False:
            message = f"the enforcement of {conduit.id!r} does not deny by default"
            yield Told((*path, "enforcement", "deny_by_default"), message)


def cleartext(subject: Subject) -> Iterator[Told]:
    """A protocol that does not encrypt in a conduit that asks for it."""
    for path, conduit, flow in subject.flows():
        if conduit.encryption.required and canonical_service(flow.protocol) in CLEARTEXT:
            message = f"conduit {conduit.id!r} requires encryption, {flow.protocol} has none of its own"
            yield Told((*path, "protocol"), message)


def twice(subject: Subject) -> Iterator[Told]:
    """A second conduit the same way between the same zones."""
    first: dict[tuple[str, str], str] = {}
    for path, conduit in subject.conduits():
        holder = first.setdefault((conduit.from_, conduit.to), conduit.id)
        if holder != conduit.id:
            yield Told(path, f"conduit {holder!r} goes from {conduit.from_!r} to {conduit.to!r} already")


def without_flows(subject: Subject) -> Iterator[Told]:
    """A conduit that allows nothing."""
    for path, conduit in subject.conduits():
        if not conduit.flows and not conduit.exceptions:
            yield Told(path, f"conduit {conduit.id!r} has no flows: it allows nothing")


def two_ways(subject: Subject) -> Iterator[Told]:
    """A conduit of one direction beside one that goes back."""
    ways = {(conduit.from_, conduit.to): conduit.id for _, conduit in subject.conduits()}
    for path, conduit in subject.conduits():
        back = ways.get((conduit.to, conduit.from_))
        if back is not None and (conduit.kind == "one-way" or conduit.direction == "from-to-only"):
            yield Told(path, f"conduit {conduit.id!r} is of one direction, but {back!r} goes back")


CHECKS: Final = (
    Check("ZP201", "error", "Internet or remote access joined to control or safety", "ZCR 3.6", internet_to_plant),
    Check("ZP202", "warning", "Enterprise joined to control or safety", "ZCR 3.2, ZCR 3.3", business_to_plant),
    Check("ZP203", "warning", "A step of SL-T without an enforcement device", "ZCR 5.8, SR 5.2", step_without_device),
    Check("ZP204", "warning", "A conduit's SL-T is lower than a zone's", "ZCR 5.6", level_too_low),
    Check("ZP205", "warning", "The enforcement device does not deny by default", "SR 5.2 RE 1", not_denying),
    Check("ZP206", "warning", "Cleartext where encryption is required", "ZCR 6.4 l, SR 4.1", cleartext),
    Check("ZP207", "note", "Two conduits the same way", "ZCR 6.4 i", twice),
    Check("ZP208", "note", "A conduit allows nothing", "ZCR 6.4 h", without_flows),
    Check("ZP209", "warning", "A one-way conduit has a way back", "ZCR 6.4 h", two_ways),
)
