"""What an asset is worth and what was agreed weigh in the severity of a finding; every step has its reason.

weigh("high", ["outside its limits"], ...) → "critical", ["outside its limits", "raised: …"]
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from zonewatch.inventory.model import Asset
from zonewatch.rules.findings import SEVERITIES, Severity
from zonewatch.rules.matching import Ends
from zonewatch.rules.places import End
from zonewatch.rules.policy.model import MaintenanceWindow, Policy
from zonewatch.rules.policy.words import canonical_service
from zonewatch.rules.policy.zones import aliases

CEILINGS: Final[dict[str, Severity]] = {"critical": "critical", "high": "high"}
"""How far a criticality raises, one step at most: a device of high criticality alone makes nothing critical."""


@dataclass(frozen=True, slots=True)
class Act:
    """What was done, as far as a maintenance window speaks of it."""

    client: End
    server_zone: str
    protocol: str
    operation: str
    first_time: int
    last_time: int


def weigh(
    severity: Severity, reasons: Iterable[str], worth: Iterable[tuple[str, str]], windows: Iterable[str] = ()
) -> tuple[Severity, list[str]]:
    """The severity one step up for the worth of what was acted on, one down for an agreed maintenance.

    `worth` is who and how critical ("plc-3", "high"); `windows` the maintenance windows in which all of it was done.
    What is told for the record (info) stays so.
    """
    told = list(reasons)
    if severity == "info":
        return severity, told
    named = [(name, level) for name, level in worth if level in CEILINGS]
    if named:
        name, level = min(named, key=lambda item: list(CEILINGS).index(item[1]))
        raised = min(step(severity, 1), max(CEILINGS[level], severity, key=_rank), key=_rank)
        if raised != severity:
            severity = raised
            told.append(f"raised: {name} is of {level} criticality")
    inside = list(dict.fromkeys(windows))
    if inside:
        lowered = step(severity, -1)
        if lowered != severity:
            severity = lowered
            told.append(f"lowered: inside maintenance window {', '.join(inside)}")
    return severity, told


def step(severity: Severity, by: int) -> Severity:
    """So many steps more severe, or less; the ends of the scale hold."""
    return SEVERITIES[min(max(SEVERITIES.index(severity) + by, 0), len(SEVERITIES) - 1)]


def _rank(severity: Severity) -> int:
    return SEVERITIES.index(severity)


def worth_of(assets: Iterable[Asset]) -> list[tuple[str, str]]:
    """What `weigh` asks of assets."""
    return [(f"asset {asset.short_name}", asset.criticality) for asset in assets]


def windows_of(policy: Policy, acts: Iterable[Act]) -> tuple[str, ...]:
    """The maintenance windows that all of the acts were in; none where one act was in none of them."""
    if not policy.maintenance_windows:  # asked for every finding
        return ()
    names = aliases(policy)
    ready = [(window, Ends.of(window.clients, names)) for window in policy.maintenance_windows]
    found: dict[str, None] = {}
    for act in acts:
        held = [window.id for window, clients in ready if _holds(window, clients, act)]
        if not held:
            return ()
        found[held[0]] = None
    return tuple(found)


def _holds(window: MaintenanceWindow, clients: Ends, act: Act) -> bool:
    protocols = {canonical_service(name) for name in window.protocols}
    return (
        act.server_zone in window.zones
        and act.operation in window.allow
        and (not protocols or canonical_service(act.protocol) in protocols)
        and clients.has(act.client)
        and window.span.held(act.first_time, act.last_time) == "in"
    )
