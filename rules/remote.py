"""Declared remote access: by which host, over which protocols and for how long people may work in a zone.

It narrows what the flows of conduits allow (IEC 62443-3-2 ZCR 3.6); it allows nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from zonewatch.rules.findings import Verdict
from zonewatch.rules.observe import Observation
from zonewatch.rules.places import End
from zonewatch.rules.policy.model import Policy, RemoteAccess, parse_mac
from zonewatch.rules.policy.times import MINUTE
from zonewatch.rules.policy.words import REMOTE_SERVICES, canonical_service
from zonewatch.rules.policy.zones import aliases
from zonewatch.rules.verdicts import Decision

TOO_LONG: Final = "a session of"
"""How the reason begins where a session was longer than declared."""
OUTSIDE: Final = frozenset(("external", "remote", "business"))
"""Kinds of zones from which a session comes through the entry zone, where one is declared."""


def remote_decision(policy: Policy, seen: Observation, client: End, from_zone: str, to_zone: str) -> Decision | None:
    """What is wrong with an allowed session by the remote access declared for its target; none where nothing is."""
    service = canonical_service(seen.protocol)
    if service not in REMOTE_SERVICES:
        return None
    declared = [access for access in policy.remote_access if access.target_zone == to_zone]
    entering = [access for access in declared if access.entry_zone == from_zone]
    if not entering:
        outside = any(zone.id == from_zone and zone.nature in OUTSIDE for zone in policy.zones)
        return (
            _violation(f"past entry zone {_listed(declared, 'entry_zone')}", declared) if declared and outside else None
        )
    by_host = [access for access in entering if _is_host(policy, access, client)]
    if not by_host:
        return _violation(f"{client.label} is not the jump host {_listed(entering, 'jump_host')}", entering)
    fitting = [
        access for access in by_host if not access.protocols or service in map(canonical_service, access.protocols)
    ]
    if not fitting:
        return _violation(f"{seen.protocol} is not among the protocols", by_host)
    return _too_long(seen, fitting)


def _is_host(policy: Policy, access: RemoteAccess, client: End) -> bool:
    if access.jump_host is None:
        return True
    text = aliases(policy).get(access.jump_host, access.jump_host)
    return (parse_mac(text) or text) in client.names


def _too_long(seen: Observation, fitting: list[RemoteAccess]) -> Decision | None:
    limits = [access.max_minutes for access in fitting if access.max_minutes is not None]
    if len(limits) < len(fitting):
        return None
    most = max(limits)
    between = seen.last_time - seen.first_time if seen.lasted is None else seen.lasted
    if between <= most * MINUTE:
        return None
    if seen.lasted is None:
        told = f"cannot tell: sessions were counted together, the longest may pass {most:g} minutes"
        return _decision("cannot_conclude", told, fitting)
    return _violation(f"{TOO_LONG} {between // MINUTE} minutes, at most {most:g} are declared", fitting)


def _violation(reason: str, accesses: list[RemoteAccess]) -> Decision:
    return _decision("violation", reason, accesses)


def _decision(verdict: Verdict, reason: str, accesses: list[RemoteAccess]) -> Decision:
    return Decision(verdict, f"{reason} (remote access {_listed(accesses, 'id')})", differs=("remote access",))


def _listed(accesses: Iterable[RemoteAccess], key: str) -> str:
    return ", ".join(dict.fromkeys(str(getattr(access, key)) for access in accesses if getattr(access, key)))
