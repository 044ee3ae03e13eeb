"""Rows of the store as JSON documents, and what of an asset or edge is more than a count."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa

from zonewatch.inventory.model import Asset, Edge, Inventory
from zonewatch.reports.codec import decode, indented, values
from zonewatch.reports.json_result import dumps
from zonewatch.reports.result import AuditResult
from zonewatch.rules.findings import Finding
from zonewatch.rules.incidents import Incident

__all__ = [
    "asset_meaning",
    "edge_key",
    "edge_meaning",
    "packed",
    "packed_octets",
    "read_subject",
    "rest",
    "text_of",
    "unpacked",
    "unpacked_octets",
]

EdgeKey = tuple[str, str, str, str, int, str, str]
KINDS: Final[dict[str, Any]] = {"findings": Finding, "incidents": Incident}
"""Tables of subjects, with what they hold."""


def text_of(row: object) -> str:
    """The JSON document of a row."""
    return indented({"id": row.id, **values(row)} if isinstance(row, Finding) else row, "")


def read_subject(table: str, document: str) -> Finding | Incident:
    """A finding or incident of its document."""
    found: Finding | Incident = decode(KINDS[table], json.loads(document))
    return found


def asset_meaning(asset: Asset) -> tuple[object, ...]:
    """What of an asset is written at once: all but counts and its last time."""
    claims = tuple((claim.attribute, claim.value, claim.winner) for claim in asset.claims)
    units = tuple((unit.protocol, unit.unit, len(unit.claims)) for unit in asset.units)
    services = tuple((row.protocol, row.transport, row.port, row.posture) for row in asset.services)
    product = (asset.vendor, asset.model, asset.firmware, asset.serial, asset.operating_system)
    place = (asset.name, asset.interfaces, asset.role, asset.purdue, asset.criticality, asset.declared, asset.zone)
    return (*place, *product, asset.kind, asset.users, claims, units, services)


def edge_key(edge: Edge) -> EdgeKey:
    """What makes it the same edge."""
    ends = (edge.client_address, edge.server_address)
    return (edge.client, edge.server, edge.protocol, edge.transport, edge.server_port, *ends)


def edge_meaning(edge: Edge) -> tuple[object, ...]:
    """What of an edge is written at once: all but counts and its last time."""
    return (edge.state, edge.ot, tuple((row.code, row.name, row.unit, row.targets) for row in edge.functions))


def rest(result: AuditResult) -> bytes:
    """What of a result no other table holds, packed."""
    inventory = result.inventory
    empty = Inventory((), (), inventory.unseen, {}, inventory.activities)
    return packed(dumps(replace(result, inventory=empty, findings=(), incidents=(), captures=())))


def packed(text: str) -> bytes:
    """The text as zstd."""
    return packed_octets(text.encode("utf-8", "backslashreplace"))


def packed_octets(octets: bytes) -> bytes:
    """A file as zstd."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(octets)
    return bytes(sink.getvalue())


def unpacked(octets: bytes) -> str:
    """The text again. Raises OSError."""
    return unpacked_octets(octets).decode()


def unpacked_octets(octets: bytes) -> bytes:
    """The file again. Raises OSError."""
    with pa.CompressedInputStream(pa.BufferReader(octets), "zstd") as file:
        return bytes(file.read())
