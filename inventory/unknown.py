"""Traffic between devices of the control system that no decoder knows: what it looks like, and a name for it.

What looks alike has one name, `unknown-` and a number. The number is made of the profile, not counted: the same traffic
has it in every capture, whatever else is in there. A name that people gave takes its place.

Profiles are alike in transport and port of the server; where that port is one of those that hosts take as they come,
in the size of the packets, in how even their octets are, and in which side sends more.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.inventory.tables import plain
from zonewatch.inventory.traffic import Place

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column

PREFIX: Final = "unknown-"
NUMBERS: Final = 10_000
"""Names there are. Two profiles in one: the second, in order, takes the next free one."""

DYNAMIC: Final = 32_768
"""The least port that hosts take as they come (RFC 6335, 6, has 49152; common systems start here)."""

MOST_PROFILES: Final = 256
"""Profiles told by a name; traffic of further ones keeps its port."""

_EVEN: Final = ((3.0, "plain"), (6.5, "mixed"), (8.1, "even"))
"""Bits an octet: tables of numbers and text; records of both; compressed or encrypted."""
_MOSTLY: Final = 0.8


@dataclass(frozen=True, slots=True)
class UnknownProtocol:
    """Traffic that looks alike. Sizes are payload octets; `period` is in nanoseconds."""

    name: str
    fingerprint: str
    """Transport and port (`tcp/4711`), or the classes of the profile where the port is one of any."""
    ports: tuple[str, ...]
    pairs: int
    flows: int
    packets: int
    bytes: int
    size_low: int
    size_middle: int
    size_high: int
    period: int | None
    entropy: float
    client_share: float
    """What the client sends of all octets."""
    first_frame: int
    capture: str
    source: str


def named(
    flows: pa.Table, devices: Collection[Place], names: Mapping[str, str]
) -> tuple[pa.Table, tuple[UnknownProtocol, ...]]:
    """The flows with a name in `service` where both ends are among `devices` and nobody knows what they say, and the
    profiles behind the names, most octets first. `names` are people's: fingerprint, port or `unknown-` name → name.

    Only rows with a payload have a name. The column `basis` stays empty: what it is, nobody said.
    """
    rows = _candidates(flows, devices)
    if not rows:
        return flows, ()
    groups: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[_fingerprint(row)].append(row)
    numbered = _numbered(groups)
    told: list[UnknownProtocol] = []
    service: dict[int, str] = {}
    for fingerprint, number in numbered.items():
        members = groups[fingerprint]
        ports = tuple(sorted({_port(row) for row in members}))
        name = next((names[word] for word in (number, fingerprint, *ports) if word in names), number)
        told.append(_profile(name, fingerprint, ports, members))
        service.update((row["row"], name) for row in members)
    words = plain(flows)["service"].to_pylist()
    renamed: Any = pa.array([service.get(index, word) for index, word in enumerate(words)], pa.utf8())
    place = flows.column_names.index("service")
    renamed = renamed.cast(flows.schema.field(place).type)
    table = flows.set_column(place, flows.schema.field(place), renamed)
    return table, tuple(sorted(told, key=lambda item: (-item.bytes, item.name)))


def _candidates(flows: pa.Table, devices: Collection[Place]) -> list[dict[str, Any]]:
    table = plain(flows)
    table = table.append_column("row", pa.array(range(table.num_rows), pa.int64()))
    unknown = pc.and_(pc.equal(table["service"], ""), pc.is_valid(table["size_middle"]))
    known = set(devices)
    return [
        row
        for row in table.filter(unknown).to_pylist()
        if (row["source"], row["client"]) in known and (row["source"], row["server"]) in known
    ]


def _port(row: Mapping[str, Any]) -> str:
    transport, port = row["transport"], row["server_port"]
    if transport in ("tcp", "udp"):
        return f"{transport}/{port}"
    return f"{transport}/0x{port:04x}" if transport == "ethernet" else str(transport)


def _fingerprint(row: Mapping[str, Any]) -> str:
    if row["transport"] not in ("tcp", "udp") or 0 < row["server_port"] < DYNAMIC:
        return _port(row)
    size = math.floor(math.log2(max(row["size_middle"], 1)))
    even = next(word for least, word in _EVEN if row["entropy"] < least)
    return f"{row['transport']}/any, {1 << size} octets, {even}, {_way(_share([row]))}"


def _share(rows: Sequence[Mapping[str, Any]]) -> float:
    out, back = (sum(row[name] for row in rows) for name in ("bytes_out", "bytes_in"))
    return round(out / (out + back), 3) if out + back else 0.0


def _way(share: float) -> str:
    if share >= _MOSTLY:
        return "client sends"
    return "server sends" if share <= 1 - _MOSTLY else "both send"


def _numbered(groups: Mapping[str, list[dict[str, Any]]]) -> dict[str, str]:
    """A name of each fingerprint; of more than there are names for, those with most octets."""
    weight = {
        fingerprint: sum(row["bytes_out"] + row["bytes_in"] for row in rows) for fingerprint, rows in groups.items()
    }
    kept = sorted(sorted(groups, key=lambda word: (-weight[word], word))[:MOST_PROFILES])
    taken: dict[int, str] = {}
    for fingerprint in kept:
        number = int.from_bytes(hashlib.sha256(fingerprint.encode()).digest()[:4]) % NUMBERS
        while number in taken:
            number = (number + 1) % NUMBERS
        taken[number] = fingerprint
    return {fingerprint: f"{PREFIX}{number}" for number, fingerprint in sorted(taken.items())}


def _profile(name: str, fingerprint: str, ports: tuple[str, ...], rows: list[dict[str, Any]]) -> UnknownProtocol:
    # Of many flows the one with most packets is the best sample.
    best = max(rows, key=lambda row: (row["packets_out"] + row["packets_in"], -row["first_time"], -row["first_frame"]))
    first = min(rows, key=lambda row: (row["first_time"], row["source"], row["capture"], row["first_frame"]))
    return UnknownProtocol(
        name=name,
        fingerprint=fingerprint,
        ports=ports,
        pairs=len({(row["source"], row["client"], row["server"]) for row in rows}),
        flows=sum(row["flows"] for row in rows),
        packets=sum(row["packets_out"] + row["packets_in"] for row in rows),
        bytes=sum(row["bytes_out"] + row["bytes_in"] for row in rows),
        size_low=best["size_low"],
        size_middle=best["size_middle"],
        size_high=best["size_high"],
        period=best["period"],
        entropy=best["entropy"],
        client_share=_share(rows),
        first_frame=first["first_frame"],
        capture=first["capture"],
        source=first["source"],
    )


def takes_part(aggregates: pa.Table) -> frozenset[Place]:
    """Everyone who took part in a conversation of a control protocol."""
    table = plain(aggregates.select(["source", "client", "server"]))
    places: set[Place] = set()
    for end in ("client", "server"):
        rows = table.group_by(["source", end]).aggregate([])
        places.update(zip(*(rows[name].to_pylist() for name in ("source", end)), strict=True))
    return frozenset(places)
