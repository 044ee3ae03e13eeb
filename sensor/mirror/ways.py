"""Which directions arrive, by capture point; by columns, as the sensor looks at it with every pass.

The doctor tells the same conversations, one by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from zonewatch.inventory.tables import plain

__all__ = ["LEAST", "Ways", "conversations", "ways"]

ASKED: Final = ("ok", "error", "no_response", "response_only")
"""States of an event that has a request and an answer, whichever was heard."""
LEAST: Final = 3
"""Packets of a conversation from which it counts: a capture begins and ends within some."""
_PAIR: Final = ["source", "client", "server", "service"]
_WAYS: Final = ["packets_out", "packets_in"]
_NONE: Final = pa.scalar(0)
_TO_MANY: Final = "^.[13579bdf]:|^(22[4-9]|23[0-9])[.]|^255[.]255[.]255[.]255$|^ff"
"""The group bit of a MAC address (IEEE 802, 8.2.2); IPv4 and IPv6 multicast (RFC 5771, 4291) where there is none."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Conversations over UDP: pairs of hosts and a protocol that asks and answers."""

    both: int = 0
    answers: int = 0  # answers alone were heard
    asked: int = 0  # requests alone: so it is, too, where the one who is asked is switched off
    tcp: bool = False  # some connection of TCP was heard from both its ends


def ways(tables: Mapping[str, pa.Table]) -> dict[str, Ways]:
    """By capture point, where there is anything of it."""
    flows = plain(tables["flows"].select(["source", "transport", *_WAYS]))
    heard = pc.and_(pc.greater(flows["packets_out"], _NONE), pc.greater(flows["packets_in"], _NONE))
    connected = flows.filter(pc.and_(pc.equal(flows["transport"], pa.scalar("tcp")), heard))
    by_tcp = {str(source) for source in connected["source"].unique().to_pylist()}
    pairs = conversations(tables)
    counted = pairs.append_column("out", pc.greater(pairs["packets_out"], _NONE))
    counted = counted.append_column("in", pc.greater(pairs["packets_in"], _NONE))
    found: dict[str, dict[tuple[bool, bool], int]] = {}
    for row in counted.group_by(["source", "out", "in"]).aggregate([([], "count_all")]).to_pylist():
        found.setdefault(row["source"], {})[row["out"], row["in"]] = row["count_all"]
    made = {}
    for source in sorted(found.keys() | by_tcp):
        each = found.get(source, {})
        both, answers, asked = (each.get(kind, 0) for kind in ((True, True), (False, True), (True, False)))
        made[source] = Ways(both, answers, asked, source in by_tcp)
    return made


def conversations(tables: Mapping[str, pa.Table]) -> pa.Table:
    """Pairs of hosts and a protocol over UDP of which something was asked or answered, and packets of each way.

    Columns `source`, `client`, `server`, `service`, `server_port` (the lowest), `packets_out`, `packets_in`.
    """
    flows = plain(tables["flows"].select([*_PAIR, "transport", "server_port", "server_mac", *_WAYS]))
    receiver = pc.if_else(pc.equal(flows["server_mac"], pa.scalar("")), flows["server"], flows["server_mac"])
    of_two = pc.invert(pc.match_substring_regex(receiver, _TO_MANY))
    flows = flows.filter(pc.and_(pc.equal(flows["transport"], pa.scalar("udp")), of_two))
    pairs = flows.group_by(_PAIR).aggregate([("server_port", "min"), *((way, "sum") for way in _WAYS)])
    pairs = pairs.rename_columns({"server_port_min": "server_port", **{f"{way}_sum": way for way in _WAYS}})
    pairs = pairs.join(_asking(tables), _PAIR, join_type="left semi")
    return pairs.filter(pc.greater_equal(pc.add(pairs["packets_out"], pairs["packets_in"]), pa.scalar(LEAST)))


def _asking(tables: Mapping[str, pa.Table]) -> pa.Table:
    """Pairs of which something was asked or answered."""
    columns = ["source", "client", "server", "protocol", "transport", "status"]
    found = pa.concat_tables([plain(tables[name].select(columns)) for name in ("aggregates", "activities")])
    known = pc.and_(pc.equal(found["transport"], pa.scalar("udp")), pc.is_in(found["status"], pa.array(ASKED)))
    return found.filter(known).rename_columns({"protocol": "service"}).group_by(_PAIR).aggregate([])
