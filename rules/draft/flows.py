"""Uses to the fewest flows that allow them and little else.

What changes state is drafted by operation and function, with exactly the objects that it touched. What only reads is
drafted by client and server; where its ranges are many, one range of each kind covers them. Flows that differ in their
servers only, then in their clients only, are one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from zonewatch.dissectors.vocabulary import PROTOCOLS, STATE_CHANGING
from zonewatch.inventory.unknown import PREFIX
from zonewatch.rules.draft.usage import Use
from zonewatch.rules.matching import HOUSEKEEPING
from zonewatch.rules.observe import events_of
from zonewatch.rules.places import End, Places
from zonewatch.rules.policy.checks import zone_of_end
from zonewatch.rules.policy.values import ObjectRange, merged, widened
from zonewatch.rules.policy.words import OBJECT_KINDS, TRANSPORTS, canonical_service, is_protocol

MOST_RANGES: Final = 4
"""More ranges of one kind than this, of what only reads, become the one that holds them all."""
READING: Final = "read"


class _Cell(NamedTuple):
    """What is one flow as long as servers and clients are told apart."""

    protocol: str
    port: str
    part: str  # read, session, or the operation that changes state
    function: int | None  # of what changes state
    objects: bool  # whether its objects can be listed
    many: bool  # to a group of addresses


@dataclass(slots=True)
class Draft:
    """A flow that was drafted, with what it rests on."""

    protocol: str
    ports: tuple[str, ...]
    part: str
    clients: tuple[str, ...]
    servers: tuple[str, ...]
    operations: tuple[str, ...]
    codes: tuple[int, ...]
    objects: tuple[ObjectRange, ...]
    events: int
    days: frozenset[int]
    last: int
    combinations: int
    reasons: tuple[str, ...] = ()  # why it is to be reviewed

    @property
    def changes(self) -> bool:
        """True for one that changes state."""
        return any(operation in STATE_CHANGING for operation in self.operations)

    def include(self, other: Draft) -> None:
        """Counts what another rests on."""
        self.events += other.events
        self.days |= other.days
        self.last = max(self.last, other.last)
        self.combinations += other.combinations


@dataclass(slots=True)
class _Found:
    uses: list[Use] = field(default_factory=list)
    operations: set[str] = field(default_factory=set)
    codes: set[int] = field(default_factory=set)
    open_codes: bool = False


def drafted(uses: Iterable[Use], places: Places, reasons: tuple[str, ...] = ()) -> list[Draft]:
    """The flows for uses between one pair of zones."""
    found: defaultdict[tuple[str, str, _Cell], _Found] = defaultdict(_Found)
    for use in uses:
        seen = use.row.seen
        client, server = _label(use.row.client, use.row.client_zone, places), _label(use.row.server, "", places)
        if not use.row.server.many:
            server = _label(use.row.server, use.row.server_zone, places)
        cell = found[client, server, _cell(use)]
        cell.uses.append(use)
        if seen.operation:
            cell.operations.add(seen.operation)
            if seen.function is None:
                cell.open_codes = cell.open_codes or seen.operation not in HOUSEKEEPING
            else:
                cell.codes.add(seen.function)
        elif use.row.seen.protocol in PROTOCOLS:
            cell.operations.add("session")
    _drop_housekeeping(found)
    drafts = [
        _draft(client, server, cell, item, reasons)
        for (client, server, cell), item in sorted(found.items(), key=_order)
    ]
    return _joined(_joined(drafts, "servers"), "clients")


def _order(item: tuple[tuple[str, str, _Cell], _Found]) -> tuple[object, ...]:
    client, server, cell = item[0]
    code = -1 if cell.function is None else cell.function
    return cell.protocol, cell.port, cell.part, code, cell.objects, cell.many, client, server


def _label(end: End, zone: str, places: Places) -> str:
    """How a flow names an end: by its asset, unless the asset as a whole is of another zone."""
    if zone and end.label in places.ids and zone_of_end(end.label, places.zones, places.ids) != zone:
        return end.address or end.label
    return end.label


def _cell(use: Use) -> _Cell:
    seen = use.row.seen
    protocol, port = _protocol(seen.protocol, seen.transport, seen.server_port)
    if not seen.operation:
        return _Cell(protocol, port, "session" if seen.protocol in PROTOCOLS else "", None, False, use.row.server.many)
    changing = seen.operation in STATE_CHANGING or seen.operation in ("program_upload", "unknown")
    part = seen.operation if changing else "session" if seen.operation in HOUSEKEEPING else READING
    listed = seen.object_kind in OBJECT_KINDS and part != "session"
    return _Cell(protocol, port, part, seen.function if changing else None, listed, use.row.server.many)


def _protocol(protocol: str, transport: str, port: int) -> tuple[str, str]:
    """The word for a protocol, with its port where only that tells it."""
    plain = transport.removesuffix("v6")
    if protocol.startswith(("tcp/", "udp/", PREFIX)) and not protocol.endswith("/*"):
        return transport, f"{port}/{transport}"
    if is_protocol(protocol) and not protocol.endswith("/*"):
        return canonical_service(protocol), ""
    return (plain if plain in TRANSPORTS else "any"), ""


def _drop_housekeeping(found: dict[tuple[str, str, _Cell], _Found]) -> None:
    """Sessions come with every use of a protocol: where there is another flow of it, they need none."""
    used = {(*key[:2], key[2].protocol) for key in found if key[2].part not in ("session", "")}
    for key in [key for key in found if key[2].part == "session" and (*key[:2], key[2].protocol) in used]:
        del found[key]


def _draft(client: str, server: str, cell: _Cell, found: _Found, reasons: tuple[str, ...]) -> Draft:
    ranges = [_range(use) for use in found.uses] if cell.objects else []
    objects = merged(tuple(item for item in ranges if item is not None))
    if cell.part == READING:
        objects = _covered(objects)
    operations = sorted(found.operations) if cell.part else []
    uses = found.uses
    return Draft(
        protocol=cell.protocol,
        ports=(cell.port,) if cell.port else (),
        part=cell.part,
        clients=(client,),
        servers=(server,),
        operations=tuple(operations),
        codes=() if found.open_codes or cell.part == "session" else tuple(sorted(found.codes)),
        objects=objects,
        events=events_of((use.row.seen[1:11], use.events, use.further) for use in uses),
        days=frozenset(day for use in uses for day in use.days),
        last=max(use.last for use in uses),
        combinations=len(uses),
        reasons=reasons,
    )


def _range(use: Use) -> ObjectRange | None:
    seen = use.row.seen
    if seen.object_kind is None:
        return None
    return ObjectRange.of(seen.object_kind, seen.object_start, seen.object_count, seen.property_name)


def _covered(objects: Sequence[ObjectRange]) -> tuple[ObjectRange, ...]:
    """Of kinds with many ranges the one that holds them all."""
    kinds: defaultdict[str, list[ObjectRange]] = defaultdict(list)
    for item in objects:
        kinds[item.kind].append(item)
    return tuple(item for items in kinds.values() for item in (items if len(items) <= MOST_RANGES else widened(items)))


def _joined(drafts: list[Draft], key: str) -> list[Draft]:
    """Drafts that differ in their clients (or servers) only, as one."""
    other = "clients" if key == "servers" else "servers"
    groups: dict[tuple[object, ...], list[Draft]] = {}
    for draft in drafts:
        content = (draft.protocol, draft.ports, draft.part, draft.operations, draft.codes, draft.objects)
        groups.setdefault((*content, getattr(draft, other)), []).append(draft)
    result = []
    for group in groups.values():
        first = group[0]
        setattr(first, key, tuple(dict.fromkeys(end for draft in group for end in getattr(draft, key))))
        for draft in group[1:]:
            first.include(draft)
        result.append(first)
    return result
