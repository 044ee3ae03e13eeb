"""The audit's stages, wired in one place: captures → tables → inventory → assessment → result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from zonewatch import __version__
from zonewatch.dissectors import schemas
from zonewatch.dissectors.decoder import Decoder, Detail, Source
from zonewatch.inventory.build import build
from zonewatch.inventory.declared import DeclaredAsset
from zonewatch.inventory.tables import Tables, plain
from zonewatch.reports import collect
from zonewatch.reports.ecs import finding_flows
from zonewatch.reports.result import AuditResult, MatrixCell, PolicyInfo, UnusedFlow, VerdictRow, ZoneInfo
from zonewatch.rules.engine import Assessment, audit
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.propose import draft_yaml

_KEPT: Final = ("events", "aggregates", "flows", "claims", "addresses", "oddities", "coverage")

Progress = Callable[[int, int], None]
"""Called with the packets and the octets of input read so far."""


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


def decode(
    points: Sequence[Source], detail: Detail = "aggregates", progress: Progress | None = None
) -> dict[str, pa.Table]:
    """All tables of one pass over the captures."""
    decoder = Decoder(points if isinstance(points, list) else list(points), detail=detail)
    pieces: dict[str, list[pa.Table]] = {name: [] for name in _KEPT}
    going = True
    while going:
        going = decoder.advance()
        for name in _KEPT:
            table = decoder.take(name)
            if table.num_rows or not pieces[name]:
                pieces[name].append(table)
        if progress is not None:
            progress(decoder.packets, decoder.bytes_read)
    return {name: pa.concat_tables(found).unify_dictionaries() for name, found in pieces.items()}


def assess(tables: dict[str, pa.Table], given: Given, title: str) -> AuditResult:
    """Judges decoded tables and gives the whole result."""
    tables = within(tables, given.begin, given.end)
    inventory = build(Tables(**{name: tables[name] for name in _INVENTORY}), given.declared)
    as_of = given.as_of if given.as_of is not None else _last_time(tables["coverage"])
    assessment = audit(inventory, tables, given.policy, as_of)
    captures = collect.captures(tables["coverage"])
    return AuditResult(
        version=__version__,
        title=title,
        as_of=as_of,
        captures=captures,
        inventory=assessment.inventory,
        policy=_policy_info(assessment, given),
        zones=tuple(_zone(zone) for zone in assessment.policy.zones),
        verdicts=_verdict_rows(assessment),
        matrix=_matrix(assessment),
        findings=assessment.findings,
        flows=finding_flows(assessment.findings, tables["events"]),
        oddities=collect.oddity_counts(tables["oddities"]),
        unused_flows=_unused(assessment),
        limits=(*collect.limits(captures), *assessment.limits),
    )


_INVENTORY: Final = ("aggregates", "flows", "claims", "addresses", "coverage")
_SPANS: Final = {
    "events": ("time", "time"),
    "aggregates": ("first_time", "last_time"),
    "flows": ("first_time", "last_time"),
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
            table = table.filter(pc.greater_equal(table[last].cast(pa.int64()), begin))
        if end is not None:
            table = table.filter(pc.less_equal(table[first].cast(pa.int64()), end))
        kept[name] = table
    return kept


def write_events(tables: dict[str, pa.Table], folder: Path) -> Path:
    """`events.parquet`: the events kept whole, words as plain text, the same bytes for the same rows."""
    path = folder / "events.parquet"
    pq.write_table(spelled(tables["events"]), path, compression="zstd", store_schema=False)
    return path


def spelled(table: pa.Table) -> pa.Table:
    """The same rows with dictionary words as plain text."""
    columns = {
        field.name: table[field.name].cast(pa.utf8()) if field.type == schemas.WORD else table[field.name]
        for field in table.schema
    }
    return pa.table(columns)


def _last_time(coverage: pa.Table) -> int:
    return max((int(value) for value in plain(coverage)["last_time"].to_pylist() if value is not None), default=0)


def _policy_info(assessment: Assessment, given: Given) -> PolicyInfo:
    suc = assessment.policy.suc
    if assessment.proposed:
        return PolicyInfo(proposal=draft_yaml(assessment.policy))
    owner = getattr(suc, "owner", None)
    return PolicyInfo(
        name=given.policy_name,
        sha256=given.policy_sha256,
        system=getattr(suc, "name", "") or getattr(suc, "id", "") or "",
        owner=str(getattr(owner, "organization", "") or "") if owner is not None else "",
    )


def _zone(zone: object) -> ZoneInfo:
    target = getattr(zone, "sl_t", None)
    members = getattr(zone, "members", None)
    if target is None or isinstance(target, int):
        words = "" if target is None else str(target)
    else:
        levels = target.items() if isinstance(target, dict) else target.model_dump(exclude_none=True).items()
        words = ", ".join(f"{name} {level}" for name, level in levels)
    listed: Iterable[object] = (
        *(getattr(members, "subnets", ()) or ()),
        *(f"VLAN {vlan}" for vlan in getattr(members, "vlans", ()) or ()),
        *(getattr(members, "include", ()) or ()),
    )
    return ZoneInfo(
        id=str(getattr(zone, "id", "")),
        name=str(getattr(zone, "name", "") or ""),
        purdue=getattr(zone, "purdue", None),
        target=words,
        members=tuple(str(member) for member in listed),
    )


def _verdict_rows(assessment: Assessment) -> tuple[VerdictRow, ...]:
    return tuple(
        VerdictRow(
            client=row.client,
            server=row.server,
            protocol=row.protocol,
            function=row.function_name,
            operation=row.operation,
            verdict=row.verdict,
            client_zone=row.client_zone,
            server_zone=row.server_zone,
            conduit=row.conduit,
            flow=row.flow,
            reason=row.reason,
            events=row.count,
            evidence=row.evidence,
        )
        for row in assessment.verdicts
    )


def _matrix(assessment: Assessment) -> tuple[MatrixCell, ...]:
    counts: dict[tuple[str, str, str, str, str], int] = {}
    for row in assessment.verdicts:
        key = (row.client_zone, row.server_zone, row.protocol, row.operation, row.verdict)
        counts[key] = counts.get(key, 0) + row.count
    return tuple(
        MatrixCell(one, other, protocol, operation, verdict, events)  # type: ignore[arg-type]
        for (one, other, protocol, operation, verdict), events in sorted(counts.items())
    )


def _unused(assessment: Assessment) -> tuple[UnusedFlow, ...]:
    unused = set(assessment.unused)
    return tuple(
        UnusedFlow(
            conduit=conduit.id,
            flow=flow.id,
            from_zone=conduit.from_,
            to_zone=conduit.to,
            protocol=str(flow.protocol),
            operations=tuple(flow.operations),
            purpose=flow.purpose or "",
            until=str(flow.approved.until or "") if flow.approved else "",
        )
        for conduit in assessment.policy.conduits
        for flow in conduit.flows
        if (conduit.id, flow.id) in unused
    )
