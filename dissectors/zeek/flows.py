"""Connections out of `conn` and, where a log of a protocol has some that `conn` lacks, out of that."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final

import pyarrow as pa

from zonewatch.dissectors.codes import table
from zonewatch.dissectors.schemas import ADDRESSES, FLOWS
from zonewatch.dissectors.zeek.rows import Rows, mapped, pc

MOST_FLOWS: Final = 50_000
"""Flows of a capture point told one by one; more are counted together without the client's port."""
MOST_FOLDED: Final = 50_000
"""Rows of flows counted together; beyond them the rest is one row for each transport."""
MOST_ADDRESSES: Final = 50_000
CONN: Final = (
    "ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration", "conn_state",
    "history", "orig_pkts", "orig_ip_bytes", "resp_pkts", "resp_ip_bytes", "orig_bytes", "resp_bytes", "missed_bytes",
    "vlan", "community_id", "orig_l2_addr", "resp_l2_addr",
)  # fmt: skip
_STATES: Final = {
    "S0": "attempted",
    "REJ": "refused",
    "S1": "established",
    "S2": "closed",
    "S3": "closed",
    "SF": "closed",
    "SH": "closed",
    "SHR": "closed",
    "RSTO": "reset",
    "RSTR": "reset",
    "RSTRH": "reset",
    "RSTOS0": "attempted",
    "OTH": "established",
}
"""Zeek's states of TCP; a connection without a SYN (`OTH`) is older than the logs."""
SERVICES: Final[Mapping[str, str]] = {
    "ssl": "tls",
    "krb": "kerberos",
    "krb_tcp": "kerberos",
    "krb_udp": "kerberos",
    "dce_rpc": "dce-rpc",
    "ntlm": "",
    "gssapi": "",
    "spnego": "",
    "dnp3_tcp": "dnp3",
    "dnp3_udp": "dnp3",
    "bacnet": "bacnet",
    "cip": "enip",
    "enip_tcp": "enip",
    "enip_udp": "enip",
    "opcua-binary": "opcua",
    "opcua_binary": "opcua",
    "spicy_opcua_binary": "opcua",
    "cotp": "",
    "s7comm_plus": "s7comm",
    "genisys_tcp": "genisys",
    "synchrophasor_tcp": "synchrophasor",
    "synchrophasor_udp": "synchrophasor",
    "hart_ip_tcp": "hart-ip",
    "hart_ip_udp": "hart-ip",
    "profinet_io_cm": "profinet-cm",
    "omron_fins": "fins",
    "omron_fins_tcp": "fins",
    "omron_fins_udp": "fins",
    "c1222_tcp": "c1222",
    "c1222_udp": "c1222",
    "radius": "radius",
    "ayiya": "",
    "teredo": "",
}
"""Zeek's words that have another one here; empty: a part of another service."""
_KEYS: Final = (
    "capture", "transport", "client", "server", "server_port", "vlan", "client_mac", "server_mac", "service", "state",
)  # fmt: skip
_TOTALS: Final = (
    ("packets_out", "sum"), ("packets_in", "sum"), ("bytes_out", "sum"), ("bytes_in", "sum"), ("first_time", "min"),
    ("last_time", "max"), ("first_frame", "min"), ("last_frame", "max"), ("flows", "sum"),
)  # fmt: skip


_SHAPE: Final = ("size_low", "size_middle", "size_high", "period", "entropy")
"""Of what nobody knows; no log has the sizes or the contents of single packets."""


class Flows:
    """The connections of one capture point."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._single: list[pa.Table] = []
        self._rows = 0
        self._folded: pa.Table | None = None
        self._named: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._macs: dict[tuple[str, str, int | None], list[Any]] = {}
        self.udp: set[tuple[str, str]] = set()
        """Client and server of what speaks DNP3 over UDP, for its own log does not say."""
        self.folded = self.one_sided = self.packets = self.bytes = self.gaps = self.gap_bytes = self.unplaced = 0

    def add(self, rows: Rows, time: Any, capture: str) -> None:
        """The connections of a block of `conn`."""
        table = _read(rows, time, capture)
        self._note(rows, table)
        room = max(MOST_FLOWS - self._rows, 0)
        self._single.append(table.slice(0, room))
        self._rows += min(room, table.num_rows)
        if table.num_rows > room:
            self._fold(table.slice(room))

    def name(self, protocol: str, capture: str, rows: Mapping[str, Any]) -> None:
        """That these connections (columns: ends, ports, transport, times, lines) speak a protocol."""
        table = pa.table(dict(rows))
        keys = ["transport", "client", "server", "client_port", "server_port"]
        groups = table.group_by(keys, use_threads=False).aggregate(
            [("time", "min"), ("time", "max"), ("line", "min"), ("line", "max"), ("line", "count")]
        )
        for row in groups.to_pylist():
            key = tuple(row[name] for name in keys)
            known = self._named.get(key)
            if known is None:
                if len(self._named) >= MOST_FLOWS:
                    self.folded += 1
                    continue
                self._named[key] = {
                    **{name: row[name] for name in keys},
                    "service": protocol,
                    "capture": capture,
                    "first_time": row["time_min"],
                    "last_time": row["time_max"],
                    "first_frame": row["line_min"],
                    "last_frame": row["line_max"],
                }
            else:
                known["last_time"] = max(known["last_time"], row["time_max"])

    @property
    def count(self) -> int:
        """Connections told so far, or counted together."""
        return self._rows + self.folded

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Flows and addresses."""
        single = pa.concat_tables([_EMPTY, *self._single]).combine_chunks()
        single, left = self._with_names(single)
        ids = _community_ids(single)
        parts = [single.set_column(single.column_names.index("community_id"), "community_id", ids)]
        if self._folded is not None:
            parts.append(self._folded)
        found = pa.concat_tables(parts, promote_options="permissive")
        if left:
            found = pa.concat_tables([found, pa.Table.from_pylist(left, schema=_ROWS)], promote_options="permissive")
        count = found.num_rows
        columns: dict[str, Any] = {name: found[name] for name in _ROWS.names}
        columns["source"] = pa.repeat(pa.scalar(self._source), count)
        # As the engine: what no parser of Zeek recognised is told by the server's port.
        ports = pc.binary_join_element_wise(found["transport"], found["server_port"].cast(pa.utf8()), "/")
        by_port = mapped(_whole(ports), usual, pa.utf8())
        unnamed = pc.equal(_whole(found["service"]), "")
        columns["service"] = pc.if_else(unnamed, by_port, _whole(found["service"]))
        columns["basis"] = pc.if_else(unnamed, pc.if_else(pc.equal(by_port, ""), "", "port"), "content")
        columns["odd_port"] = pa.repeat(pa.scalar(False), count)
        for name in _SHAPE:
            columns[name] = pa.nulls(count)
        flows = pa.table({one.name: columns[one.name].cast(one.type, safe=False) for one in FLOWS}, schema=FLOWS)
        return flows, pa.Table.from_pylist(self._addresses(), schema=ADDRESSES)

    def _with_names(self, single: pa.Table) -> tuple[pa.Table, list[dict[str, Any]]]:
        """Services of flows that `conn` had no word for, and what it had not at all."""
        if not self._named:
            return single, []
        keys = ("transport", "client", "server", "client_port", "server_port")
        spelled = [_spelled(key) for key in self._named]
        own = pc.binary_join_element_wise(*(single[name].cast(pa.utf8()) for name in keys), "\x1f")
        at = pc.index_in(own, value_set=pa.array(spelled, pa.utf8()))
        words = pa.array([row["service"] for row in self._named.values()], pa.utf8())
        named = pc.fill_null(words.take(at.combine_chunks() if isinstance(at, pa.ChunkedArray) else at), "")
        service = pc.if_else(pc.equal(single["service"], ""), named, single["service"])
        single = single.set_column(single.column_names.index("service"), "service", service)
        there = {index for index in pc.unique(at).to_pylist() if index is not None}
        left = [_bare(row) for number, row in enumerate(self._named.values()) if number not in there]
        if self._folded is not None or self.folded:
            left = []  # what was counted together cannot be told from what is missing
        return single, left

    def _note(self, rows: Rows, table: pa.Table) -> None:
        self.packets += pc.sum(pc.add(table["packets_out"], table["packets_in"])).as_py() or 0
        self.bytes += pc.sum(pc.add(table["bytes_out"], table["bytes_in"])).as_py() or 0
        missed = pc.fill_null(rows.whole("missed_bytes", most=2**53), 0)
        self.gap_bytes += pc.sum(missed).as_py() or 0
        self.gaps += pc.sum(pc.greater(missed, 0)).as_py() or 0
        other = pc.and_(pc.equal(table["transport"], "tcp"), pc.equal(table["state"], "established"))
        one_way = pc.or_(pc.equal(table["packets_out"], 0), pc.equal(table["packets_in"], 0))
        self.one_sided += pc.sum(pc.and_(other, one_way)).as_py() or 0
        over_udp = table.filter(pc.and_(pc.equal(table["transport"], "udp"), pc.equal(table["service"], "dnp3")))
        for row in over_udp.select(["client", "server"]).to_pylist():
            if len(self.udp) < MOST_FLOWS:
                self.udp.add((row["client"], row["server"]))
        if rows.has("orig_l2_addr", "resp_l2_addr"):
            for end, way in (("client", "out"), ("server", "in")):
                self._seen(table, end, way)

    def _seen(self, table: pa.Table, end: str, way: str) -> None:
        sent = table.filter(pc.and_(pc.not_equal(table[f"{end}_mac"], ""), pc.greater(table[f"packets_{way}"], 0)))
        groups = sent.group_by([end, f"{end}_mac", "vlan", "capture"], use_threads=False).aggregate(
            [(f"packets_{way}", "sum"), ("first_time", "min"), ("last_time", "max"), ("first_frame", "min"),
             ("last_frame", "max")]
        )  # fmt: skip
        for row in groups.to_pylist():
            key = (row[end], row[f"{end}_mac"], row["vlan"])
            known = self._macs.get(key)
            if known is not None:
                known[1] += row[f"packets_{way}_sum"]
                known[2] = min(known[2], row["first_time_min"])
                known[3] = max(known[3], row["last_time_max"])
            elif len(self._macs) < MOST_ADDRESSES:
                self._macs[key] = [
                    row["capture"], row[f"packets_{way}_sum"], row["first_time_min"], row["last_time_max"],
                    row["first_frame_min"], row["last_frame_max"],
                ]  # fmt: skip
            else:
                self.unplaced += 1

    def _addresses(self) -> list[dict[str, Any]]:
        return [
            {
                "source": self._source, "capture": capture, "address": address, "mac": mac, "vlan": vlan, "via": "ip",
                "packets": packets, "first_time": first, "last_time": last, "first_frame": first_line,
                "last_frame": max(first_line, last_line),
            }
            for (address, mac, vlan), (capture, packets, first, last, first_line, last_line) in self._macs.items()
        ]  # fmt: skip

    def _fold(self, table: pa.Table) -> None:
        self.folded += table.num_rows
        held = [table] if self._folded is None else [self._folded, table]
        joined = pa.concat_tables(held, promote_options="permissive")
        self._folded = _together(joined, _KEYS)
        if self._folded.num_rows > MOST_FOLDED:
            head, rest = self._folded.slice(0, MOST_FOLDED), self._folded.slice(MOST_FOLDED)
            everyone = pa.repeat(pa.scalar("any/0"), rest.num_rows)
            nothing = pa.repeat(pa.scalar(""), rest.num_rows)
            many = {"client": everyone, "server": everyone, "client_mac": nothing, "server_mac": nothing}
            rest = pa.table({name: many.get(name, rest[name]) for name in rest.column_names})
            self._folded = _together(pa.concat_tables([head, rest]), _KEYS)


def _together(table: pa.Table, keys: tuple[str, ...]) -> pa.Table:
    groups = table.group_by(list(keys), use_threads=False).aggregate(list(_TOTALS))
    columns: dict[str, Any] = {name: groups[name] for name in keys} | {
        name: groups[f"{name}_{how}"] for name, how in _TOTALS
    }
    columns["client_port"] = pa.repeat(pa.scalar(0, pa.int64()), groups.num_rows)
    columns["community_id"] = pa.repeat(pa.scalar(""), groups.num_rows)
    return pa.table({name: columns[name] for name in _ROWS.names}, schema=_ROWS)


_COLUMNS: Final[list[tuple[str, pa.DataType]]] = [
    ("capture", pa.utf8()),
    ("transport", pa.utf8()),
    ("client", pa.utf8()),
    ("server", pa.utf8()),
    ("client_port", pa.int64()),
    ("server_port", pa.int64()),
    ("vlan", pa.int64()),
    ("client_mac", pa.utf8()),
    ("server_mac", pa.utf8()),
    ("community_id", pa.utf8()),
    ("service", pa.utf8()),
    ("state", pa.utf8()),
    ("packets_out", pa.int64()),
    ("packets_in", pa.int64()),
    ("bytes_out", pa.int64()),
    ("bytes_in", pa.int64()),
    ("first_time", pa.int64()),
    ("last_time", pa.int64()),
    ("first_frame", pa.int64()),
    ("last_frame", pa.int64()),
    ("flows", pa.int64()),
]
_ROWS: Final = pa.schema(_COLUMNS)
_EMPTY: Final = _ROWS.empty_table()


def _whole(column: Any) -> Any:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def usual(port: str) -> str:
    """The service that is usual at a port (`tcp/502`); empty where none is."""
    return _usual().get(port, "")


@cache
def _usual() -> Mapping[str, str]:
    """`tcp/502` → the service that is usual there."""
    return {
        f"{transport}/{port}": entry["name"]
        for transport in ("tcp", "udp")
        for port, entry in table("services").get(transport, {}).items()
    }


def _read(rows: Rows, time: Any, capture: str) -> pa.Table:
    count = len(rows)
    proto = pc.utf8_lower(pc.fill_null(rows.text("proto"), ""))
    transport = pc.if_else(pc.equal(proto, "icmp6"), "icmp", proto)
    tcp = pc.equal(proto, "tcp")
    out, back = (pc.fill_null(rows.whole(f"{side}_pkts", most=2**53), 0) for side in ("orig", "resp"))
    told = mapped(pc.fill_null(rows.text("conn_state"), ""), lambda word: _STATES.get(word, "established"), pa.utf8())
    other = pc.if_else(pc.greater(back, 0), "two_way", "one_way")
    # Without packets counted, what was said tells whether there was an answer.
    answered = pc.is_in(pc.fill_null(rows.text("conn_state"), ""), value_set=pa.array(["SF", "S1"]))
    other = pc.if_else(pc.and_(pc.equal(out, 0), answered), "two_way", other)
    lasted = pc.fill_null(pc.multiply(pc.round(pc.multiply(rows.number("duration"), 1e6)), 1e3), 0.0)
    lasted = pc.if_else(pc.and_(pc.greater_equal(lasted, 0.0), pc.less(lasted, 3.2e17)), lasted, 0.0).cast(pa.int64())
    last = pc.min_element_wise(pc.add(time, lasted), pa.scalar(2**63 - 1))
    ports = {
        end: pc.fill_null(rows.whole(f"id.{side}_p", most=65_535), 0)
        for end, side in (("client", "orig"), ("server", "resp"))
    }
    octets = {
        way: pc.fill_null(
            pc.coalesce(rows.whole(f"{side}_ip_bytes", most=2**53), rows.whole(f"{side}_bytes", most=2**53)), 0
        )
        for way, side in (("out", "orig"), ("in", "resp"))
    }
    columns = {
        "capture": pa.repeat(pa.scalar(capture), count),
        "transport": transport,
        "client": pc.fill_null(rows.text("id.orig_h"), ""),
        "server": pc.fill_null(rows.text("id.resp_h"), ""),
        "client_port": ports["client"],
        "server_port": ports["server"],
        "vlan": rows.whole("vlan", most=4_095),
        "client_mac": pc.utf8_lower(pc.fill_null(rows.text("orig_l2_addr"), "")),
        "server_mac": pc.utf8_lower(pc.fill_null(rows.text("resp_l2_addr"), "")),
        "community_id": pc.fill_null(rows.text("community_id"), ""),
        "service": _services(rows, transport),
        "state": pc.if_else(tcp, told, other),
        "packets_out": out,
        "packets_in": back,
        "bytes_out": octets["out"],
        "bytes_in": octets["in"],
        "first_time": time,
        "last_time": last,
        "first_frame": rows.line,
        "last_frame": rows.line,
        "flows": pa.repeat(pa.scalar(1, pa.int64()), count),
    }
    return pa.table(columns, schema=_ROWS).filter(
        pc.and_(pc.not_equal(columns["client"], ""), pc.not_equal(columns["server"], ""))
    )


def _services(rows: Rows, transport: Any) -> Any:
    """Our word for the service: the last of several that is one of its own, as the innermost comes last."""
    services = mapped(pc.fill_null(rows.text("service"), ""), service_of, pa.utf8())
    port = rows.whole("id.resp_p", most=65_535)
    names = pc.equal(services, "dns")
    for number, name in ((5_353, "mdns"), (5_355, "llmnr"), (137, "netbios-ns")):
        services = pc.if_else(pc.and_(names, pc.fill_null(pc.equal(port, number), False)), name, services)
    icmp = pc.equal(transport, "icmp")
    return pc.if_else(icmp, "icmp", services)


def service_of(words: str) -> str:
    """`ssl,rdp` → `rdp`."""
    found = [SERVICES.get(word, word) for word in words.split(",") if word and not word.startswith("-")]
    kept = [word for word in found if word]
    inner = [word for word in kept if word != "tls"]
    # SMB carries remote procedure calls; TLS carries others.
    if "smb" in kept:
        return "smb"
    return inner[-1] if inner else kept[0] if kept else ""


def _bare(row: Mapping[str, Any]) -> dict[str, Any]:
    """A flow of which only its own protocol's log tells: no packets are known."""
    return {
        **row, "vlan": None, "client_mac": "", "server_mac": "", "community_id": "",
        "state": "established" if row["transport"] == "tcp" else "two_way", "packets_out": 0, "packets_in": 0,
        "bytes_out": 0, "bytes_in": 0, "flows": 1,
    }  # fmt: skip


def _spelled(key: tuple[Any, ...]) -> str:
    return "\x1f".join(map(str, key))


def _community_ids(table: pa.Table) -> Any:
    names = ("transport", "client", "server", "client_port", "server_port", "community_id")
    columns = [table[name].to_pylist() for name in names]
    return pa.array([row[5] or community_id(*row[:5]) for row in zip(*columns, strict=True)], pa.utf8())


@lru_cache(maxsize=MOST_FLOWS)
def _packed(address: str) -> bytes:
    """The octets of an address; none where it is not one of IP."""
    try:
        return ipaddress.ip_address(address).packed
    except ValueError:
        return b""


def community_id(transport: str, client: str, server: str, client_port: int, server_port: int) -> str:
    """Version 1, seed 0, of TCP and UDP (github.com/corelight/community-id-spec); empty for all else."""
    number = {"tcp": 6, "udp": 17}.get(transport)
    ends = sorted(((_packed(client), client_port), (_packed(server), server_port)))
    if number is None or not ends[0][0]:
        return ""
    (one, one_port), (other, other_port) = ends
    octets = b"\0\0" + one + other + bytes((number, 0)) + one_port.to_bytes(2, "big") + other_port.to_bytes(2, "big")
    digest = hashlib.sha1(octets, usedforsecurity=False).digest()
    return "1:" + base64.b64encode(digest).decode()
