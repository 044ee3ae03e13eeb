"""The audit's stages, wired in one place: tables → inventory → assessment → result."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq

from zonewatch import __version__
from zonewatch.inventory.build import build
from zonewatch.inventory.crowd import without_crowds
from zonewatch.inventory.declared import DeclaredAsset
from zonewatch.inventory.model import Inventory
from zonewatch.inventory.tables import Tables, plain
from zonewatch.inventory.unknown import UnknownProtocol, named, takes_part
from zonewatch.reports.assemble import assemble
from zonewatch.reports.result import AuditResult
from zonewatch.reports.words import clock, listed
from zonewatch.rules.baseline.model import Baseline
from zonewatch.rules.engine import audit
from zonewatch.rules.policy.declared import declared_assets, unknown_names
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.sigma.detect import Detection
from zonewatch.rules.tags.model import Tag
from zonewatch.sensor.decoding import spelled
from zonewatch.sensor.memory import give_back

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column

_SEPARATOR: Final = "\x1f"


@dataclass(frozen=True, slots=True)
class Given:
    """What the user gave besides captures."""

    policy: Policy | None = None
    policy_name: str = ""
    policy_sha256: str = ""
    declared: tuple[DeclaredAsset, ...] = ()
    begin: int | None = None  # nanoseconds since the epoch
    end: int | None = None
    as_of: int | None = None
    tags: tuple[Tag, ...] = ()
    baseline: Baseline | None = None
    detection: Detection | None = None


def assess(
    tables: dict[str, pa.Table],
    given: Given,
    title: str,
    *,
    findings_alone: bool = False,
    known: Collection[str] = (),
) -> AuditResult:
    """Judges decoded tables and gives the whole result.

    With `findings_alone` it is without paths and commands, and without the flows of findings that are `known` by their
    ids.
    """
    tables, crowd = without_crowds(within(tables, given.begin, given.end))
    declared = declared_assets(given.policy, given.declared) if given.policy is not None else given.declared
    tables, unknown = with_unknown_named(tables, given.policy)
    inventory = build(Tables(**{name: tables[name] for name in INVENTORY_TABLES}), declared)
    give_back()
    as_of = given.as_of if given.as_of is not None else last_time(tables["coverage"])
    assessment = audit(
        inventory,
        tables,
        given.policy,
        as_of,
        tags=given.tags,
        baseline=given.baseline,
        detection=given.detection,
        declared=declared,
        findings_alone=findings_alone,
    )
    return assemble(
        assessment,
        tables,
        version=__version__,
        title=title,
        policy_name=given.policy_name,
        policy_sha256=given.policy_sha256,
        unknown=unknown,
        known=known if findings_alone else (),
        notes=(*_span_notes(given), *_crowd_notes(crowd), *_unknown_notes(unknown)),
    )


def with_unknown_named(
    tables: dict[str, pa.Table], policy: Policy | None
) -> tuple[dict[str, pa.Table], tuple[UnknownProtocol, ...]]:
    """The tables with names for unknown protocols between control systems' devices, and the profiles behind them."""
    flows, unknown = named(tables["flows"], takes_part(tables["aggregates"]), unknown_names(policy))
    return {**tables, "flows": flows}, unknown


def _span_notes(given: Given) -> tuple[str, ...]:
    """That the rest of the captures was left out, should it be so."""
    if given.begin is None and given.end is None:
        return ()
    since = f" from {clock(given.begin)}" if given.begin is not None else ""
    until = f" to {clock(given.end)}" if given.end is not None else ""
    return (
        f"Only traffic{since}{until} was judged, though the captures hold more: what was counted together over a "
        "quarter of an hour is told whole where it touches that time, and so are connections; what devices said of "
        "themselves is told whenever it was said.",
    )


def _unknown_notes(unknown: Sequence[UnknownProtocol]) -> Iterator[str]:
    """Which traffic between devices of the control system nobody decodes."""
    if unknown:
        names = [
            f"{item.name} ({item.fingerprint})" if item.name != item.fingerprint else item.name for item in unknown
        ]
        yield (
            f"Between devices of the control system, no decoder knows {listed(names, 6)}: that they speak so is told, "
            "and what it looks like, but not what it does."
        )


def _crowd_notes(crowd: Mapping[str, int]) -> tuple[str, ...]:
    """Which addresses are not told one by one."""
    return tuple(
        f'Told as one, named "{kind}": {count:,} addresses or networks beyond those that are told one by one.'
        for kind, count in crowd.items()
    )


INVENTORY_TABLES: Final = ("aggregates", "flows", "claims", "activities", "addresses", "coverage")
_SPANS: Final = {
    "events": ("time", "time"),
    "aggregates": ("first_time", "last_time"),
    "flows": ("first_time", "last_time"),
    "activities": ("first_time", "last_time"),
    "oddities": ("time", "time"),
}


def within(tables: dict[str, pa.Table], begin: int | None, end: int | None) -> dict[str, pa.Table]:
    """Rows that touch the span; what is known of devices stays, whenever it was said."""
    if begin is None and end is None:
        return tables
    kept = dict(tables)
    for name, (first, last) in _SPANS.items():
        table = kept[name]
        if begin is not None:
            table = table.filter(pc.field(last).cast(pa.int64()) >= begin)
        if end is not None:
            table = table.filter(pc.field(first).cast(pa.int64()) <= end)
        kept[name] = table
    return kept


def write_events(tables: dict[str, pa.Table], inventory: Inventory, folder: Path) -> None:
    """`events.parquet` and `activities.parquet`: the events kept whole and the activities of services, words as plain
    text, both ends by their names too, the same bytes for the same rows."""
    for name in ("events", "activities"):
        table = with_names(spelled(tables[name]), inventory)
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd", store_schema=False)


def with_names(table: pa.Table, inventory: Inventory) -> pa.Table:
    """The same rows with `client_name` and `server_name` behind the addresses; empty where there is no better one."""
    names = {asset.id: asset.short_name for asset in inventory.assets}
    known = [(place, names[asset]) for place, asset in inventory.by_address.items() if names[asset] != place[1]]
    keys = pa.array([_SEPARATOR.join(place) for place, _ in known], pa.utf8())
    values = pa.array([name for _, name in known], pa.utf8())
    for end in ("client", "server"):
        places = pc.binary_join_element_wise(table["source"], table[end], _SEPARATOR)
        found = pc.fill_null(values.take(pc.index_in(places, value_set=keys).combine_chunks()), "")
        table = table.add_column(table.column_names.index(end) + 1, f"{end}_name", found)
    return table


def last_time(coverage: pa.Table) -> int:
    """When the last packet came (UTC nanoseconds); zero where none did."""
    return max((int(value) for value in plain(coverage)["last_time"].to_pylist() if value is not None), default=0)
