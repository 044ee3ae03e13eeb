"""The audit's tables as records for rules: one Arrow table a category, its columns named by the taxonomy.

    tables = records(context, activities, wanted)

Beside the wanted fields each table has `_source`, `_capture` and `_frame` (where a record is seen), and `_event` (the
event's number, where it is known whole), which no rule reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.vocabulary import FIELDS as ACTIVITY_FIELDS
from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Asset
from zonewatch.inventory.tables import plain
from zonewatch.rules.context import Context
from zonewatch.rules.findings import Finding
from zonewatch.rules.policy.words import NAMED_KINDS
from zonewatch.rules.sigma.columns import (
    Column,
    Make,
    filled,
    is_one,
    joined,
    lists,
    made,
    number,
    pc,
    where,
    whole,
)
from zonewatch.rules.sigma.learned import stamped
from zonewatch.rules.sigma.operations import operations
from zonewatch.rules.sigma.stamps import OPERATION_KEY, Stamps, Verdicts, connection_verdicts, operation_verdicts
from zonewatch.rules.sigma.taxonomy import FIELDS, Category

PLACE: Final = ("_source", "_capture", "_frame", "_event")
TIMES: Final = ("@timestamp", "event.start", "event.end", "event.count")

_OUTCOMES: Final = {"ok": "success", "error": "failure"}

Wanted = Mapping[Category, Iterable[str]]


def records(context: Context, activities: pa.Table, findings: Sequence[Finding], wanted: Wanted) -> dict[str, pa.Table]:
    """The records of every category that is wanted, with the fields that are wanted of it."""
    stamps = Stamps(context)
    makers: Mapping[Category, Callable[[], tuple[int, dict[str, Make]]]] = {
        "ot_operation": lambda: _operations(context, stamps),
        "network_session": lambda: _sessions(activities, stamps),
        "network_connection": lambda: _connections(context, stamps),
        "protocol_violation": lambda: _violations(context, stamps),
        "asset": lambda: _assets(context),
        "detection": lambda: _detections(findings),
    }
    found: dict[str, pa.Table] = {}
    for category, fields in wanted.items():
        rows, columns = makers[category]()
        found[category] = made(rows, columns if rows else {}, (*PLACE, *TIMES, *fields))
    return found


def _timed(first: Column, last: Column, count: Column) -> dict[str, Make]:
    return {
        "@timestamp": lambda: first,
        "event.start": lambda: first,
        "event.end": lambda: last,
        "event.count": lambda: count,
    }


def _places(table: pa.Table, frame: str, event: Column | None = None) -> dict[str, Make]:
    return {
        "_source": lambda: whole(table["source"]),
        "_capture": lambda: whole(table["capture"]),
        "_frame": lambda: whole(table[frame]),
        "_event": lambda: event if event is not None else pa.nulls(table.num_rows, pa.uint64()),
        "observer.name": lambda: whole(table["source"]),
    }


def _traffic(table: pa.Table) -> dict[str, Make]:
    return {
        "network.protocol": lambda: filled(whole(table["protocol"])),
        "network.transport": lambda: whole(table["transport"]),
        "network.vlan.id": lambda: whole(table["vlan"]),
        "destination.port": lambda: whole(table["server_port"]),
    }


def _namespace(nodes: Column) -> Column:
    """The index in a node id; namespace 0 is not written, and one with a URI in its place has none."""
    index = pc.struct_field(pc.extract_regex(nodes, r"^(?:ns=(?P<index>[0-9]{1,5});)?[isgb]="), 0)
    return number(pc.if_else(pc.equal(index, ""), "0", index))


def _operations(context: Context, stamps: Stamps) -> tuple[int, dict[str, Make]]:
    table = operations(context.events, context.aggregates)
    column = {name: whole(table[name]) for name in table.column_names}
    protocol, kind, name, code = (column[key] for key in ("protocol", "kind", "function_name", "function"))
    object_kind, text, start = column["object_kind"], filled(column["text"]), column["object_start"]
    ends = stamps.ends(column["source"], column["client"], column["server"])
    verdicts: Verdicts = operation_verdicts(context)
    combination = joined(*(column["server_unit" if key == "unit" else key] for key in OPERATION_KEY))
    valued = joined(combination, column["value_low"], column["value_high"])

    def of(word: str, values: Column) -> Column:
        return where(is_one(protocol, word), values)

    def words_of(word: str, function: str) -> Column:
        return where(pc.and_(is_one(protocol, word), is_one(name, function)), text)

    def numbers_of(word: str, object_word: str) -> Column:
        return where(pc.and_(is_one(protocol, word), is_one(object_kind, object_word)), column["type_number"])

    def named(object_word: str) -> Column:
        return where(
            pc.and_(is_one(protocol, "opcua"), is_one(object_kind, object_word)), filled(column["property_name"])
        )

    def node() -> Column:
        return of("opcua", where(is_one(object_kind, *NAMED_KINDS), filled(column["property_name"])))

    learned: dict[str, Make] = {}
    if context.baseline is not None:
        parties = ends["source.asset.id"](), ends["destination.asset.id"]()
        learned = stamped(context, context.baseline, parties, column)
    link = pc.and_(is_one(protocol, "bacnet"), is_one(kind, "link"))
    application = pc.and_(is_one(protocol, "bacnet"), pc.invert(is_one(kind, "link", "network")))
    control = pc.and_(is_one(protocol, "dnp3"), is_one(object_kind, "control-relay-output"))
    last = pc.add(
        start.cast(pa.int64()), pc.max_element_wise(pc.subtract(column["object_count"].cast(pa.int64()), 1), 0)
    )
    return table.num_rows, {
        **_timed(column["first_time"], column["last_time"], column["count"]),
        **_places(table, "frame", column["event"]),
        **_traffic(table),
        **ends,
        **verdicts.columns(valued, combination),
        **learned,
        "source.port": lambda: column["client_port"],
        "pivot.ip": ends["source.ip"],
        "ot.protocol": lambda: protocol,
        "ot.message": lambda: kind,
        "ot.operation": lambda: column["operation"],
        "ot.changes_state": lambda: pc.is_in(column["operation"], value_set=pa.array(sorted(STATE_CHANGING))),
        "ot.function.code": lambda: code,
        "ot.function.name": lambda: filled(name),
        "ot.status": lambda: column["status"],
        "ot.status_code": lambda: column["status_code"],
        "ot.status_name": lambda: filled(column["status_name"]),
        "ot.unit": lambda: column["server_unit"],
        "ot.target.kind": lambda: object_kind,
        "ot.target.address": lambda: start,
        "ot.target.last_address": lambda: last,
        "ot.target.id": lambda: joined(column["server_unit"], object_kind, start, column["property_name"]),
        "ot.target.property": lambda: filled(column["property_name"]),
        "ot.target.text": lambda: text,
        "ot.value": lambda: column["values"],
        "ot.value_before": lambda: column["before"],
        "modbus.function_code": lambda: of("modbus", code),
        "modbus.unit_id": lambda: of("modbus", number(column["server_unit"])),
        "modbus.exception_code": lambda: of("modbus", where(is_one(column["status"], "error"), column["status_code"])),
        "modbus.subfunction": lambda: numbers_of("modbus", "diagnostic"),
        "modbus.mei_type": lambda: of("modbus", where(pc.equal(code, 43), column["type_number"])),
        "modbus.umas_function": lambda: numbers_of("modbus", "umas"),
        "dnp3.function_code": lambda: of("dnp3", where(pc.invert(is_one(kind, "link")), code)),
        "dnp3.link_function_code": lambda: of("dnp3", where(is_one(kind, "link"), code)),
        "dnp3.source": lambda: of("dnp3", number(column["client_unit"])),
        "dnp3.destination": lambda: of("dnp3", number(column["server_unit"])),
        "dnp3.object_group": lambda: of("dnp3", column["type_number"]),
        "dnp3.variation": lambda: of("dnp3", column["variation"]),
        "dnp3.control_code": lambda: where(
            control, pc.struct_field(pc.extract_regex(text, "^(?P<word>[a-z_0-9]+)"), 0)
        ),
        "bacnet.service": lambda: where(application, filled(name)),
        "bacnet.bvlc_function": lambda: where(link, filled(name)),
        "bacnet.object_type": lambda: of("bacnet", object_kind),
        "bacnet.instance": lambda: of("bacnet", start),
        "bacnet.property": lambda: of("bacnet", filled(column["property_name"])),
        "bacnet.priority": lambda: of("bacnet", column["priority"]),
        "bacnet.reinit_state": lambda: words_of("bacnet", "reinitialize_device"),
        "bacnet.comm_state": lambda: words_of("bacnet", "device_communication_control"),
        "bacnet.vendor": lambda: where(is_one(object_kind, "vendor-service"), text),
        "s7comm.function_code": lambda: of("s7comm", code),
        "s7comm.function": lambda: of("s7comm", filled(name)),
        "s7comm.area": lambda: of("s7comm", object_kind),
        "s7comm.db": lambda: of("s7comm", where(is_one(object_kind, "data-block"), column["property"])),
        "s7comm.szl": lambda: of(
            "s7comm", where(is_one(object_kind, "system-status-list"), filled(column["property_name"]))
        ),
        "opcua.service_id": lambda: of("opcua", code),
        "opcua.service": lambda: of("opcua", filled(name)),
        "opcua.node_id": node,
        "opcua.namespace": lambda: _namespace(node()),
        "opcua.attribute": lambda: where(pc.is_valid(node()), column["property"]),
        "opcua.security_mode": lambda: named("security-mode"),
        "opcua.security_policy": lambda: named("security-policy"),
        "opcua.user_token": lambda: named("user-token"),
    }


def _sessions(activities: pa.Table, stamps: Stamps) -> tuple[int, dict[str, Make]]:
    table = plain(activities)
    column = {name: whole(table[name]) for name in table.column_names}
    ends = stamps.ends(column["source"], column["client"], column["server"])
    fields = column["fields"]
    parents, items = pc.list_parent_indices(fields), pc.list_flatten(fields)
    names, values = pc.struct_field(items, "name").cast(pa.utf8()), pc.struct_field(items, "value")
    outcomes = pa.array(list(_OUTCOMES.values())).take(
        pc.index_in(column["status"], value_set=pa.array(list(_OUTCOMES)))
    )

    def field(name: str) -> Column:
        mask = pc.equal(names, name)
        found = lists(parents.filter(mask), values.filter(mask), table.num_rows)
        return _typed(found, FIELDS["network_session"][name].type)

    def extension() -> Column:
        first = pc.list_element(where(pc.greater(pc.list_value_length(field("file.name")), 0), field("file.name")), 0)
        return pc.utf8_lower(pc.struct_field(pc.extract_regex(first, r"\.(?P<end>[A-Za-z0-9_]{1,10})$"), 0))

    return table.num_rows, {
        **_timed(column["first_time"], column["last_time"], column["count"]),
        **_places(table, "first_frame"),
        "_frame": lambda: pc.coalesce(column["request_frame"], column["first_frame"]),
        **_traffic(table),
        **ends,
        "source.port": lambda: column["client_port"],
        "pivot.ip": ends["destination.ip"],
        "event.action": lambda: column["action"],
        "event.operation": lambda: column["operation"],
        "event.outcome": lambda: pc.fill_null(outcomes, "unknown"),
        "event.code": lambda: filled(column["code"]),
        "file.extension": extension,
        **{name: partial(field, name) for name in ACTIVITY_FIELDS},
    }


def _typed(column: Column, kind: str) -> Column:
    """A list column of text in the type that the taxonomy gives it."""
    if kind not in ("integer", "boolean"):
        return column
    items = column.values
    values = number(items) if kind == "integer" else pc.equal(items, "true")
    return pa.ListArray.from_arrays(column.offsets, values, mask=pc.is_null(column))


def _connections(context: Context, stamps: Stamps) -> tuple[int, dict[str, Make]]:
    table = plain(context.flows)
    column = {name: whole(table[name]) for name in table.column_names}
    ends = stamps.ends(column["source"], column["client"], column["server"])
    clients, servers = ends["source.asset.id"](), ends["destination.asset.id"]()
    ported = pc.binary_join_element_wise(column["transport"], column["server_port"].cast(pa.utf8()), "/")
    protocol = pc.coalesce(filled(column["service"]), ported)
    key = joined(clients, servers, protocol, column["transport"], column["server_port"])
    return table.num_rows, {
        **_timed(column["first_time"], column["last_time"], column["flows"]),
        **_places(table, "first_frame"),
        **_traffic(table.append_column("protocol", protocol)),
        **ends,
        **connection_verdicts(context).columns(key),
        "network.packets": lambda: pc.add(column["packets_out"], column["packets_in"]),
        "network.bytes": lambda: pc.add(column["bytes_out"], column["bytes_in"]),
        "source.port": lambda: column["client_port"],
        "source.mac": lambda: filled(column["client_mac"]),
        "destination.mac": lambda: filled(column["server_mac"]),
        "pivot.ip": ends["destination.ip"],
        "network.community_id": lambda: filled(column["community_id"]),
        "network.state": lambda: column["state"],
        "network.basis": lambda: filled(column["basis"]),
        "network.odd_port": lambda: column["odd_port"],
        "source.packets": lambda: column["packets_out"],
        "source.bytes": lambda: column["bytes_out"],
        "destination.packets": lambda: column["packets_in"],
        "destination.bytes": lambda: column["bytes_in"],
        "event.duration": lambda: pc.subtract(column["last_time"], column["first_time"]),
    }


def _violations(context: Context, stamps: Stamps) -> tuple[int, dict[str, Make]]:
    table = plain(context.oddities)
    column = {name: whole(table[name]) for name in table.column_names}
    ones: Any = pa.repeat(1, table.num_rows)
    return table.num_rows, {
        **_timed(column["time"], column["time"], ones),
        **_places(table, "frame"),
        **stamps.ends(column["source"], column["source_address"], column["destination_address"]),
        "ot.protocol": lambda: filled(column["protocol"]),
        "ot.malformed_reason": lambda: column["code"],
        "ot.malformed_layer": lambda: column["layer"],
        "ot.malformed_offset": lambda: column["offset"],
        "ot.malformed_expected": lambda: column["expected"],
    }


_Texts = tuple[str, ...]


def _assets(context: Context) -> tuple[int, dict[str, Make]]:
    assets = context.inventory.assets
    levels = {zone.id: zone.purdue for zone in context.policy.zones}
    natures = {zone.id: zone.nature for zone in context.policy.zones}

    def of(get: Callable[[Asset], Any], kind: pa.DataType) -> Make:
        return lambda: pa.array([get(asset) for asset in assets], kind)

    def text(get: Callable[[Asset], str]) -> Make:
        return of(lambda asset: get(asset) or None, pa.utf8())

    def texts(get: Callable[[Asset], Iterable[str]]) -> Make:
        return of(lambda asset: list(get(asset)), pa.list_(pa.utf8()))

    first, last = of(lambda asset: asset.first_time, pa.int64())(), of(lambda asset: asset.last_time, pa.int64())()
    proof = [asset.first_evidence for asset in assets]
    return len(assets), {
        **_timed(first, last, pa.repeat(1, len(assets))),
        "_source": lambda: pa.array([item.source if item else None for item in proof], pa.utf8()),
        "_capture": lambda: pa.array([item.capture if item else None for item in proof], pa.utf8()),
        "_frame": lambda: pa.array([item.frame if item else None for item in proof], pa.uint64()),
        "observer.name": lambda: pa.array([item.source if item else None for item in proof], pa.utf8()),
        "asset.id": text(lambda asset: asset.id),
        "asset.name": text(lambda asset: asset.short_name),
        "asset.ip": texts(lambda asset: asset.addresses),
        "asset.mac": texts(lambda asset: asset.macs),
        "asset.role": text(lambda asset: asset.role),
        "asset.kind": text(lambda asset: asset.kind),
        "asset.vendor": text(lambda asset: asset.vendor),
        "asset.model": text(lambda asset: asset.model),
        "asset.firmware": text(lambda asset: asset.firmware),
        "asset.operating_system": text(lambda asset: asset.operating_system),
        "asset.criticality": text(lambda asset: asset.criticality),
        "asset.declared": of(context.is_declared, pa.bool_()),
        "asset.listed": lambda: pa.repeat(context.listed, len(assets)),
        "asset.zone": text(lambda asset: asset.zone),
        "asset.purdue_level": of(lambda asset: levels.get(asset.zone), pa.float64()),
        "asset.zone_kind": of(lambda asset: natures.get(asset.zone), pa.utf8()),
        "asset.services": texts(lambda asset: sorted({item.protocol for item in asset.services})),
        "asset.unauthenticated_services": texts(
            lambda asset: sorted({item.protocol for item in asset.services if item.posture == "none"})
        ),
        "asset.users": texts(lambda asset: asset.users),
    }


def _detections(findings: Sequence[Finding]) -> tuple[int, dict[str, Make]]:
    proof = [finding.evidence[0] if finding.evidence else None for finding in findings]

    def of(get: Callable[[Finding], Any], kind: pa.DataType) -> Make:
        return lambda: pa.array([get(finding) for finding in findings], kind)

    def text(get: Callable[[Finding], str | None]) -> Make:
        return of(lambda finding: get(finding) or None, pa.utf8())

    first, last = of(lambda one: one.first_time, pa.int64())(), of(lambda one: one.last_time, pa.int64())()
    count = of(lambda one: one.count, pa.int64())()
    return len(findings), {
        **_timed(first, last, count),
        "_source": lambda: pa.array([item.source if item else None for item in proof], pa.utf8()),
        "_capture": lambda: pa.array([item.capture if item else None for item in proof], pa.utf8()),
        "_frame": lambda: pa.array([item.frame if item else None for item in proof], pa.uint64()),
        "observer.name": lambda: pa.array([item.source if item else None for item in proof], pa.utf8()),
        "rule.id": text(lambda finding: finding.rule),
        "rule.level": text(lambda finding: finding.severity),
        "detection.assets": of(lambda finding: list(finding.assets), pa.list_(pa.utf8())),
        "detection.zones": of(lambda finding: list(finding.zones), pa.list_(pa.utf8())),
        "detection.verdict": text(lambda finding: finding.verdict),
        "ot.operation": text(lambda finding: finding.operation),
        "network.protocol": text(lambda finding: finding.protocol),
    }
