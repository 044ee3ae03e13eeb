"""What is known of the ends of a record and of the way between them: asset, zone, conduit, verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

import pyarrow as pa

from zonewatch.inventory.addresses import is_group, parse
from zonewatch.inventory.model import Asset
from zonewatch.rules.context import Context
from zonewatch.rules.findings import Verdict
from zonewatch.rules.judge import VerdictRow
from zonewatch.rules.observe import Observation
from zonewatch.rules.places import End
from zonewatch.rules.policy.model import ZoneKind
from zonewatch.rules.sigma.columns import SEPARATOR, Column, Make, filled, joined, looked_up, pc, whole
from zonewatch.rules.verdicts import Decision

_GRAVITY: Final[tuple[Verdict, ...]] = ("allowed", "cannot_conclude", "unzoned", "violation")


class _Known(NamedTuple):
    """An end of records, as the taxonomy has it."""

    ip: str | None
    mac: str | None
    public: bool
    group: bool
    asset: str
    name: str
    role: str
    kind: str
    criticality: str | None
    declared: bool
    zone: str | None
    level: float | None
    nature: ZoneKind | None


_FIELDS: Final = (
    ("ip", "ip", pa.utf8()),
    ("mac", "mac", pa.utf8()),
    ("public", "public", pa.bool_()),
    ("group", "group", pa.bool_()),
    ("asset.id", "asset", pa.utf8()),
    ("asset.name", "name", pa.utf8()),
    ("asset.role", "role", pa.utf8()),
    ("asset.kind", "kind", pa.utf8()),
    ("asset.criticality", "criticality", pa.utf8()),
    ("asset.declared", "declared", pa.bool_()),
    ("zone.name", "zone", pa.utf8()),
    ("zone.purdue_level", "level", pa.float64()),
    ("zone.kind", "nature", pa.utf8()),
)


class Stamps:
    """Finds what is known of the ends of records; remembers what it found."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.levels = {zone.id: zone.purdue for zone in context.policy.zones}
        self.natures = {zone.id: zone.nature for zone in context.policy.zones}
        self._known: dict[str, _Known] = {}

    def ends(self, sources: Column, clients: Column, servers: Column) -> dict[str, Make]:
        """Columns of both ends and of the way between them."""
        rows = len(sources)
        sides = {
            "source": _Side(self, joined(sources, clients), clients),
            "destination": _Side(self, joined(sources, servers), servers),
        }
        makers: dict[str, Make] = {}
        for side, end in sides.items():
            makers[f"{side}.address"] = partial(getattr, end, "addresses")
            for name, attribute, kind in _FIELDS:
                makers[f"{side}.{name}"] = partial(end.column, attribute, kind)
        one, other = sides["source"], sides["destination"]
        makers["network.direction"] = lambda: _direction(
            one.column("public", pa.bool_()), other.column("public", pa.bool_())
        )
        makers["conduit.crosses_zone"] = lambda: pc.fill_null(
            pc.not_equal(one.column("zone", pa.utf8()), other.column("zone", pa.utf8())), False
        )
        makers["conduit.level_gap"] = lambda: pc.abs(
            pc.subtract(one.column("level", pa.float64()), other.column("level", pa.float64()))
        )
        makers["policy.approved"] = lambda: pa.repeat(not self.context.proposed, rows)
        return makers

    def known(self, place: str) -> _Known:
        """What is known of a capture point and an address."""
        found = self._known.get(place)
        if found is None:
            source, _, address = place.partition(SEPARATOR)
            found = self._known[place] = self._make(self.context.places.at(source, address), address)
        return found

    def _make(self, end: End, address: str) -> _Known:
        asset: Asset | None = self.context.assets.get(end.id)
        zone = end.zone or (asset.zone if asset is not None else "")
        mac = address if address.count(":") == 5 else (asset.macs[0] if asset is not None and asset.macs else "")
        return _Known(
            ip=address if parse(address) is not None else None,
            mac=mac or None,
            public=end.public,
            group=end.many or is_group(address),
            asset=end.id,
            name=asset.short_name if asset is not None else address,
            role=asset.role if asset is not None else "unknown",
            kind=asset.kind if asset is not None else "unknown",
            criticality=(asset.criticality or None) if asset is not None else None,
            declared=asset is not None and self.context.is_declared(asset),
            zone=zone or None,
            level=self.levels.get(zone),
            nature=self.natures.get(zone),
        )


class _Side:
    """One end of all records."""

    def __init__(self, stamps: Stamps, places: Column, addresses: Column) -> None:
        encoded = whole(places).dictionary_encode()
        self.addresses = addresses
        self._codes = encoded.indices
        self._known = [stamps.known(place) for place in encoded.dictionary.to_pylist()]
        self._made: dict[str, Column] = {}

    def column(self, attribute: str, kind: pa.DataType) -> Column:
        """One attribute of the end, for each record."""
        if attribute not in self._made:
            values: Any = pa.array([getattr(known, attribute) for known in self._known], kind)
            self._made[attribute] = values.take(self._codes)
        return self._made[attribute]


def _direction(source: Column, destination: Column) -> Column:
    words = pa.array(["internal", "inbound", "outbound", "external"])
    return words.take(pc.add(source.cast(pa.int8()), pc.multiply(destination.cast(pa.int8()), pa.scalar(2, pa.int8()))))


class Verdicts:
    """Verdicts by what they are about, as text keys; of several on one key the gravest."""

    def __init__(self, keyed: Iterable[tuple[str, Decision]]) -> None:
        self._decisions: list[Decision] = []
        self._known: dict[str, int] = {}
        for key, decision in keyed:
            before = self._known.get(key)
            if before is None or _gravity(self._decisions[before]) < _gravity(decision):
                self._known[key] = len(self._decisions)
                self._decisions.append(decision)

    def columns(self, *keys: Column) -> dict[str, Make]:
        """Columns of the verdict of each record: by the first of `keys` that is known."""
        places = looked_up(keys[0], self._known)
        for key in keys[1:]:
            places = pc.coalesce(places, looked_up(key, self._known))

        def of(values: Iterable[object], kind: pa.DataType) -> Column:
            return pa.array(list(values), kind).take(places)

        return {
            "conduit.verdict": lambda: of((item.verdict for item in self._decisions), pa.utf8()),
            "conduit.id": lambda: filled(of((item.conduit for item in self._decisions), pa.utf8())),
            "conduit.flow": lambda: filled(of((item.flow for item in self._decisions), pa.utf8())),
            "conduit.reason": lambda: of((list(item.differs) for item in self._decisions), pa.list_(pa.utf8())),
        }


def _gravity(decision: Decision) -> int:
    return _GRAVITY.index(decision.verdict)


OPERATION_KEY: Final = Observation._fields[: Observation._fields.index("coalesced")]
"""What tells operations apart, but for their values; a record's `server_unit` is the observation's `unit`."""


def operation_verdicts(context: Context) -> Verdicts:
    """Verdicts on operations: with the values of the objects written, and without."""
    return Verdicts(_keyed_operations(context))


def _keyed_operations(context: Context) -> Iterator[tuple[str, Decision]]:
    if context.proposed:
        return
    changes = context.judgement.changes
    keys = joined(
        pa.array([_operation_key(item.row) for item in changes], pa.utf8()),
        *(
            pa.array([getattr(item.row.seen, name) for item in changes], pa.float64())
            for name in ("value_min", "value_max")
        ),
    )
    yield from zip(keys.to_pylist(), (item.row.decision for item in changes), strict=True)
    for row in context.judgement.rows:
        if row.seen.operation:
            yield _operation_key(row), row.decision


def _operation_key(row: VerdictRow) -> str:
    return SEPARATOR.join("" if part is None else str(part) for part in row.seen[: len(OPERATION_KEY)])


def connection_verdicts(context: Context) -> Verdicts:
    """Verdicts on connections of which no operations are known."""
    return Verdicts(_keyed_connections(context))


def _keyed_connections(context: Context) -> Iterator[tuple[str, Decision]]:
    if context.proposed:
        return
    for row in context.judgement.rows:
        if not row.seen.operation:
            parts = (row.client.id, row.server.id, row.seen.protocol, row.seen.transport, str(row.seen.server_port))
            yield SEPARATOR.join(parts), row.decision
