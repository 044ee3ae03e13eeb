"""Roles and Purdue levels, inferred from facts by a table of rules.

Each rule that holds gives its role points, with a reason. The role with the most points wins. No rule looks at a port
alone, but for two that say so and have low confidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from zonewatch.inventory.facts import NOTHING, OT_FACTS, Fact, Facts, Tally
from zonewatch.inventory.identity import Router
from zonewatch.inventory.model import ROLES, Confidence, Role

MANY_SERVERS: Final = 3
STEADY_EVENTS: Final = 60

_CHANGES: Final[tuple[Fact, ...]] = ("writes", "engineering", "configures")


@dataclass(frozen=True, slots=True)
class RoleRule:
    """A fact that speaks for a role. `text` is a template over events, peers, words and the first frame."""

    role: Role
    points: int
    confidence: Confidence
    fact: Fact
    text: str
    events: int = 1  # at least
    peers: int = 0  # at least
    absent: tuple[Fact, ...] = ()  # facts that must not be there

    def holds(self, facts: Facts) -> bool:
        """True where the facts are so."""
        tally = facts.get(self.fact, NOTHING)
        return (
            bool(tally)
            and tally.events >= self.events
            and tally.peers >= self.peers
            and not any(facts.get(fact) for fact in self.absent)
        )


RULES: Final[tuple[RoleRule, ...]] = (
    RoleRule("external", 200, "high", "public", "has the public address {words}"),
    RoleRule("router", 100, "high", "router", "{words}"),
    RoleRule("gateway", 80, "high", "units", "{events:unit} behind one address answered ({words})", events=2),
    RoleRule(
        "gateway", 80, "high", "networks", "{events:device} on other BACnet networks answered through it ({words})"
    ),
    # A device that is server and client both (PLC to PLC) is a controller: its points exceed a client's.
    RoleRule("rtu", 30, "high", "outstation", "sent {events:outstation message} to {peers:master}{frame}"),
    RoleRule("controller", 30, "high", "answered_process", "answered {events:read} of {peers:client} ({words}){frame}"),
    RoleRule("controller", 20, "high", "obeyed", "obeyed {events:command} of {peers:client} ({words}){frame}"),
    RoleRule("rtu", 6, "medium", "outstation_service", "serves {words}, recognised by content{frame}"),
    RoleRule("controller", 6, "medium", "ot_service", "serves {words}, recognised by content{frame}"),
    RoleRule("controller", 5, "low", "answered_error", "answered {events:request} negatively ({words}){frame}"),
    RoleRule("controller", 3, "low", "answered_identity", "answered {events:identification request} ({words}){frame}"),
    RoleRule("controller", 2, "low", "announced", "states its identity as a {words} device{frame}"),
    RoleRule(
        "engineering_station",
        11,
        "high",
        "engineering",
        "sent {events:program, firmware, file or mode operation} to {peers:server} ({words}){frame}",
    ),
    RoleRule(
        "engineering_station",
        10,
        "medium",
        "identify_and_write",
        "identified devices and wrote to only {peers:server} ({words}){frame}",
    ),
    RoleRule(
        "engineering_station",
        4,
        "low",
        "configures",
        "configured or restarted {peers:server} ({words}){frame}",
    ),
    RoleRule("hmi_scada", 5, "medium", "reads", "read {events:time} from {peers:server} ({words}){frame}"),
    RoleRule("hmi_scada", 3, "medium", "reads", "reads many servers ({peers})", peers=MANY_SERVERS),
    RoleRule("hmi_scada", 2, "medium", "reads", "polls steadily", events=STEADY_EVENTS),
    RoleRule("hmi_scada", 4, "high", "writes", "wrote or operated {events:time} on {peers:server} ({words}){frame}"),
    RoleRule("hmi_scada", 4, "medium", "polls_outstations", "is the master of {peers:outstation}"),
    RoleRule("hmi_scada", 3, "medium", "subscribes", "subscribed to {peers:server} ({words}){frame}"),
    RoleRule("hmi_scada", 2, "medium", "fed", "is sent unsolicited data by {peers:outstation}{frame}"),
    RoleRule("hmi_scada", 4, "low", "ot_client", "is a client of {words}, recognised by content{frame}"),
    RoleRule(
        "historian",
        12,
        "medium",
        "reads",
        "only reads, from {peers:server} ({words}), and changes nothing{frame}",
        peers=MANY_SERVERS,
        absent=(*_CHANGES, "subscribes"),
    ),
    RoleRule("network_device", 5, "medium", "bridge", "sent bridge protocol messages{frame}"),
    RoleRule("network_device", 3, "low", "cdp", "sent Cisco discovery messages{frame}"),
    RoleRule(
        "network_device",
        1,
        "low",
        "lldp",
        "sent LLDP messages, and nothing that tells more{frame}",
        absent=(*OT_FACTS, "served_content", "served_port", "used_content", "used_port", "said_station"),
    ),
    # What is only said comes after what was done in the process, and before what services alone suggest.
    RoleRule("controller", 8, "medium", "said_controller", "is said to be {words}{frame}"),
    RoleRule("io_device", 8, "medium", "said_io_device", "is said to be {words}{frame}"),
    RoleRule("gateway", 8, "medium", "said_gateway", "is said to be {words}{frame}"),
    RoleRule("hmi_scada", 8, "medium", "said_hmi_scada", "is said to be {words}{frame}"),
    RoleRule("engineering_station", 8, "medium", "said_engineering_station", "is said to be {words}{frame}"),
    RoleRule("router", 8, "medium", "said_router", "is said to be {words}{frame}"),
    RoleRule("network_device", 8, "medium", "said_network_device", "is said to be {words}{frame}"),
    RoleRule("it_server", 4, "medium", "said_it_server", "is said to be {words}{frame}"),
    RoleRule("it_host", 3, "medium", "said_it_host", "is said to be {words}{frame}"),
    RoleRule("it_server", 3, "medium", "served_content", "serves {words}, recognised by content{frame}"),
    RoleRule("it_server", 1, "medium", "served_content", "{peers:client} used its services", peers=MANY_SERVERS),
    RoleRule("it_server", 2, "low", "served_port", "seems to serve {words}, by the port alone{frame}"),
    RoleRule("it_host", 2, "medium", "used_content", "uses {words}, recognised by content{frame}"),
    RoleRule("it_host", 1, "low", "used_port", "seems to use {words}, by the port alone{frame}"),
)

PURDUE: Final[Mapping[Role, float]] = {
    "io_device": 1,
    "controller": 1,
    "rtu": 1,
    "gateway": 1,
    "hmi_scada": 2,
    "engineering_station": 2,
    "historian": 3,
    "it_host": 4,
    "it_server": 4,
    "external": 5,
}
"""Purdue level where the role alone tells one."""

ROLE_NAMES: Final[Mapping[Role, str]] = {
    "controller": "controller",
    "rtu": "RTU",
    "io_device": "I/O device",
    "gateway": "gateway",
    "hmi_scada": "HMI / SCADA",
    "engineering_station": "engineering station",
    "historian": "historian",
    "router": "router",
    "network_device": "network device",
    "it_host": "IT host",
    "it_server": "IT server",
    "external": "external host",
    "unknown": "unknown",
}
"""What people call the roles."""

KINDS: Final[Mapping[Role, Literal["ot", "it", "external"]]] = {
    **dict.fromkeys(
        ("controller", "rtu", "io_device", "gateway", "hmi_scada", "engineering_station", "historian"), "ot"
    ),
    "it_host": "it",
    "it_server": "it",
    "external": "external",
}

_SURENESS: Final[tuple[Confidence, ...]] = ("low", "medium", "high", "declared")


@dataclass(frozen=True, slots=True)
class Inference:
    """A role, how sure it is, and why."""

    role: Role = "unknown"
    confidence: Confidence = "low"
    reasons: tuple[str, ...] = ()


class _Count(int):
    """A number that says what it counts: `{events:read}` is "1 read" or "2 reads"."""

    def __format__(self, noun: str) -> str:
        return f"{int(self)} {noun}{'' if self == 1 else 's'}" if noun else str(int(self))


def infer(facts: Facts) -> Inference:
    """The role that the facts speak for most; unknown where none does."""
    matches = [rule for rule in RULES if rule.holds(facts)]
    if not matches:
        return Inference()
    points = {role: sum(rule.points for rule in matches if rule.role == role) for role in ROLES}
    best = max(ROLES, key=lambda role: points[role])  # the first of equals
    winning = sorted((rule for rule in matches if rule.role == best), key=lambda rule: -rule.points)
    return Inference(
        best,
        max((rule.confidence for rule in winning), key=_SURENESS.index),
        tuple(_reason(rule, facts[rule.fact]) for rule in winning),
    )


def decide(facts: Facts, declared: Role | None, router: Router | None = None) -> Inference:
    """The declared role, or else the inferred one. Where they differ, the reasons tell what traffic suggests."""
    inferred = infer(facts)
    if router is not None and inferred.role == "router":
        inferred = replace(inferred, confidence=router.confidence)
    if declared is None:
        return inferred
    agrees = inferred.role in (declared, "unknown")
    suggestion = "" if agrees else f"traffic suggests {ROLE_NAMES[inferred.role]}: "
    return Inference(
        declared, "declared", ("declared in the asset list", *(f"{suggestion}{reason}" for reason in inferred.reasons))
    )


def _reason(rule: RoleRule, tally: Tally) -> str:
    evidence = tally.evidence
    return rule.text.format(
        events=_Count(tally.events),
        peers=_Count(tally.peers),
        words=_listed(tally.words),
        frame=f", first in {evidence.capture} {evidence.unit} {evidence.frame}" if evidence else "",
    )


def _listed(words: tuple[str, ...], most: int = 6) -> str:
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more
