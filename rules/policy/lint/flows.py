"""Checks of flows: as narrow as they can be, with a purpose, approved, and each needed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.rules.policy.document import Place
from zonewatch.rules.policy.edit import Remove, Replace
from zonewatch.rules.policy.lint.kinds import Check, Subject, Told, changing
from zonewatch.rules.policy.model import Conduit, Flow, Traffic
from zonewatch.rules.policy.values import inside, merged, parse_network
from zonewatch.rules.policy.words import ANY, TRANSPORTS, canonical_service
from zonewatch.rules.policy.zones import aliases


def wide_protocol(subject: Subject) -> Iterator[Told]:
    """More than one protocol."""
    for path, _, flow in subject.flows():
        if flow.protocol == ANY or (flow.protocol in TRANSPORTS[:2] and not flow.ports):
            yield Told((*path, "protocol"), f"flow {flow.id!r} allows every protocol ({flow.protocol})")
        elif any(ports.last > ports.first for ports in flow.ports) and flow.protocol in (ANY, *TRANSPORTS):
            yield Told((*path, "ports"), f"flow {flow.id!r} allows a range of ports of {flow.protocol}")


def without_clients(subject: Subject) -> Iterator[Told]:
    """Any client of the zone, or the zone by its name."""
    for path, conduit, flow in subject.flows():
        zone = next((text for text in flow.clients if text in subject.zones), None)
        if not flow.clients or zone is not None:
            yield Told(path, f"flow {flow.id!r} names no clients: every host of zone {conduit.from_!r} may use it")


def without_operations(subject: Subject) -> Iterator[Told]:
    """A control protocol with all it can do."""
    for path, _, flow in subject.flows():
        if not flow.operations and not flow.function_codes and changing(flow):
            message = f"flow {flow.id!r} names no operations: {flow.protocol} may also write, operate, stop and program"
            yield Told(path, message)


def change_without_purpose(subject: Subject) -> Iterator[Told]:
    """State-changing, and nobody says what for."""
    for path, _, flow in subject.flows():
        if changing(flow) and not flow.purpose.strip():
            yield Told(path, f"flow {flow.id!r} changes state ({_some(changing(flow))}) without a purpose")


def without_purpose(subject: Subject) -> Iterator[Told]:
    """Nobody says what for."""
    for path, _, flow in subject.flows():
        if not changing(flow) and not flow.purpose.strip():
            yield Told(path, f"flow {flow.id!r} has no purpose")


def change_unapproved(subject: Subject) -> Iterator[Told]:
    """State-changing, and nobody approved it."""
    for path, _, flow in subject.flows():
        if changing(flow) and (flow.approved is None or not flow.approved.by):
            yield Told(path, f"flow {flow.id!r} changes state ({_some(changing(flow))}), and nobody approved it")


def _some(operations: tuple[str, ...]) -> str:
    return "any operation" if len(operations) == len(STATE_CHANGING) else ", ".join(operations)


def expired(subject: Subject) -> Iterator[Told]:
    """No longer valid."""
    for path, _, flow in subject.flows():
        if flow.last_day is not None and flow.last_day < subject.today:
            key = ("expires",) if flow.expires == flow.last_day else ("approved", "until")
            yield Told((*path, *key), f"flow {flow.id!r} ended on {flow.last_day.isoformat()}")


def not_yet(subject: Subject) -> Iterator[Told]:
    """An approval that begins later, or ends before it begins."""
    for path, _, flow in subject.flows():
        begin = flow.approved.on if flow.approved is not None else None
        if begin is None:
            continue
        if begin > subject.today:
            yield Told((*path, "approved", "on"), f"the approval of flow {flow.id!r} begins on {begin.isoformat()}")
        elif flow.last_day is not None and flow.last_day < begin:
            message = (
                f"flow {flow.id!r} ends on {flow.last_day.isoformat()}, before it is approved ({begin.isoformat()})"
            )
            yield Told((*path, "approved", "on"), message)


def duplicate(subject: Subject) -> Iterator[Told]:
    """Two flows of one conduit that say the same in all but id and purpose."""
    for path, conduit in subject.conduits():
        first: dict[tuple[object, ...], Flow] = {}
        for j, flow in enumerate(conduit.flows):
            known = first.setdefault(_content(flow), flow)
            if known is not flow:
                place = (*path, "flows", j)
                same = known.purpose == flow.purpose or not flow.purpose
                yield Told(place, f"flow {flow.id!r} says the same as {known.id!r}", (Remove(place),) if same else ())


def _content(flow: Flow) -> tuple[object, ...]:
    lists = (flow.ports, flow.clients, flow.servers, flow.operations, flow.function_codes, flow.objects)
    rest = (flow.values, flow.rate_max_per_s, flow.schedule, flow.approved, flow.expires)
    return (canonical_service(flow.protocol), *map(frozenset, lists), *rest)


def shadowed(subject: Subject) -> Iterator[Told]:
    """A flow that a wider one between the same zones holds wholly."""
    between: defaultdict[tuple[str | None, ...], list[tuple[Place, Conduit, Flow]]] = defaultdict(list)
    for path, conduit, flow in subject.flows():
        between[conduit.from_, conduit.to, conduit.initiator].append((path, conduit, flow))
    names = aliases(subject.policy)
    for path, conduit, flow in subject.flows():
        for other_path, other, wide in between[conduit.from_, conduit.to, conduit.initiator]:
            if other_path == path:
                continue
            if _content(flow) == _content(wide) and (conduit is other or other_path > path):
                continue  # told as a duplicate, or by the second of two conduits
            if _holds_longer(wide, flow) and covers(wide, flow, names):
                where = "" if other is conduit else f" of conduit {other.id!r}"
                yield Told(path, f"flow {flow.id!r} adds nothing: flow {wide.id!r}{where} allows all of it")
                break


def _holds_longer(wide: Flow, flow: Flow) -> bool:
    """A flow that ends earlier, that is slower or holds for some hours only makes no other needless."""
    lasts = wide.last_day is None or (flow.last_day is not None and flow.last_day <= wide.last_day)
    rate = wide.rate_max_per_s is None or (
        flow.rate_max_per_s is not None and flow.rate_max_per_s <= wide.rate_max_per_s
    )
    return lasts and rate and (not wide.schedule.windows or wide.schedule == flow.schedule)


def covers(wide: Traffic, narrow: Traffic, names: dict[str, str]) -> bool:
    """True where everything that the one speaks of, the other speaks of too."""
    protocol, inner = canonical_service(wide.protocol), canonical_service(narrow.protocol)
    if protocol not in (ANY, inner):
        return False
    pairs = ((wide.operations, narrow.operations), (wide.function_codes, narrow.function_codes))
    if not all(not allowed or (asked and set(asked) <= set(allowed)) for allowed, asked in pairs):
        return False
    ends = ((wide.clients, narrow.clients), (wide.servers, narrow.servers))
    if not all(_ends_within(allowed, asked, names) for allowed, asked in ends):
        return False
    return _ports_within(wide, narrow) and _objects_within(wide, narrow) and _values_within(wide, narrow)


def _ends_within(allowed: tuple[str, ...], asked: tuple[str, ...], names: dict[str, str]) -> bool:
    if not allowed:
        return True
    known = {names.get(text, text) for text in allowed}
    networks = [network for text in allowed if (network := parse_network(text)) is not None]
    return bool(asked) and all(
        names.get(text, text) in known
        or ((network := parse_network(text)) is not None and any(inside(network, wide) for wide in networks))
        for text in asked
    )


def _ports_within(wide: Traffic, narrow: Traffic) -> bool:
    return not wide.ports or (
        bool(narrow.ports)
        and all(
            any(
                outer.first <= inner.first and inner.last <= outer.last and outer.transport in ("", inner.transport)
                for outer in wide.ports
            )
            for inner in narrow.ports
        )
    )


def _objects_within(wide: Traffic, narrow: Traffic) -> bool:
    return not wide.objects or (
        bool(narrow.objects) and merged((*wide.objects, *narrow.objects)) == merged(wide.objects)
    )


def _values_within(wide: Traffic, narrow: Traffic) -> bool:
    outer, inner = wide.values, narrow.values
    if outer is None:
        return True
    low = outer.min is None or (inner is not None and inner.min is not None and inner.min >= outer.min)
    high = outer.max is None or (inner is not None and inner.max is not None and inner.max <= outer.max)
    return low and high


def unmerged(subject: Subject) -> Iterator[Told]:
    """Ranges that overlap or touch."""
    for path, _, flow in subject.flows():
        distinct = tuple(dict.fromkeys(flow.objects))
        least = merged(distinct)
        if len(least) < len(distinct):
            text = f"[{', '.join(map(str, least))}]"
            edits = (Replace((*path, "objects"), text),)
            yield Told(
                (*path, "objects"), f"{len(distinct)} ranges of flow {flow.id!r} are {len(least)}: {text}", edits
            )


def idle_limits(subject: Subject) -> Iterator[Told]:
    """Limits of written values in a flow that writes nothing."""
    for path, _, flow in subject.flows():
        if flow.values is not None and flow.operations and not changing(flow):
            yield Told((*path, "values"), f"flow {flow.id!r} changes nothing, so its limits of values are never read")


CHECKS: Final[tuple[Check, ...]] = (
    Check("ZP301", "warning", "A flow is wider than one protocol", "ZCR 6.4 h, SR 5.2", wide_protocol),
    Check("ZP302", "warning", "A flow names no clients", "ZCR 6.4 h, SR 2.1", without_clients),
    Check("ZP303", "warning", "A control protocol with all its operations", "ZCR 6.4 h, SR 2.1", without_operations),
    Check("ZP304", "warning", "A state-changing flow has no purpose", "ZCR 6.4 h", change_without_purpose),
    Check("ZP305", "note", "A flow has no purpose", "ZCR 6.4 h", without_purpose),
    Check("ZP306", "warning", "Nobody approved a state-changing flow", "ZCR 7.1", change_unapproved),
    Check("ZP307", "warning", "A flow has ended", "ZCR 7.1", expired),
    Check("ZP308", "warning", "An approval does not hold yet", "ZCR 7.1", not_yet),
    Check("ZP309", "warning", "Two flows say the same", "ZCR 6.4 h", duplicate),
    Check("ZP310", "warning", "A flow is shadowed by a wider one", "ZCR 6.4 h", shadowed),
    Check("ZP311", "note", "Ranges of objects can be joined", "ZCR 6.4 h", unmerged),
    Check("ZP312", "warning", "Limits of values that nothing reads", "ZCR 6.4 h", idle_limits),
)
