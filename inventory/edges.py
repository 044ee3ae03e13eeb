"""Who speaks what to whom: edges out of conversations and links."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from zonewatch.dissectors.vocabulary import Operation
from zonewatch.inventory.claims import unit_order
from zonewatch.inventory.flows import STATES, Link
from zonewatch.inventory.model import Edge, Evidence, Function, Target
from zonewatch.inventory.targets import merge_targets
from zonewatch.inventory.traffic import Conversation, Place

MOST_EVIDENCE: Final = 4
BROADCAST: Final = "broadcast:"
"""Prefix of an endpoint that is no asset: broadcast, multicast, or a subnet whose silent addresses were swept."""

_Key = tuple[str, str, str, str, int]  # client, server, protocol, transport, server port
_Call = tuple[int | None, str, Operation, str]  # code, name, operation, unit


def edges(talks: Iterable[Conversation], links: Iterable[Link], ids: Mapping[Place, str]) -> tuple[Edge, ...]:
    """All edges, sorted. Links that carry conversations add their traffic to the conversations' edge."""
    conversations: defaultdict[_Key, list[Conversation]] = defaultdict(list)
    for talk in talks:
        client, server = _end(talk.source, talk.client, ids), _end(talk.source, talk.server, ids)
        conversations[client, server, talk.protocol, talk.transport, talk.server_port].append(talk)
    owner: dict[tuple[str, str, str, int], _Key] = {}
    for key in conversations:
        client, server, _, transport, port = key
        owner.setdefault((client, server, transport, port), key)
    traffic: defaultdict[_Key, list[Link]] = defaultdict(list)
    for link in links:
        client, server = _end(link.source, link.client, ids), _end(link.source, link.server, ids)
        ports = (link.server_port, 0) if link.ot else ()
        carrier = next((owner[way] for port in ports if (way := (client, server, link.transport, port)) in owner), None)
        traffic[carrier or (client, server, link.protocol, link.transport, link.server_port)].append(link)
    return tuple(
        _edge(key, conversations.get(key, ()), traffic.get(key, ())) for key in sorted({*conversations, *traffic})
    )


def _end(source: str, place: str, ids: Mapping[Place, str]) -> str:
    return ids.get((source, place)) or f"{BROADCAST}{place}"


def _edge(key: _Key, rows: Sequence[Conversation], links: Sequence[Link]) -> Edge:
    """`rows` and `links` are by first time, and one of them has something."""
    client, server, protocol, transport, port = key
    calls: defaultdict[_Call, list[Conversation]] = defaultdict(list)
    for row in rows:
        calls[row.function, row.function_name, row.operation, row.server_unit or ""].append(row)
    first: Conversation | Link = rows[0] if rows else links[0]
    server_address = first.server.partition("/")[0] if "/" in first.server else first.server
    return Edge(
        client=client,
        server=server,
        client_address=first.client,
        server_address=server_address,
        protocol=protocol,
        transport=transport,
        server_port=port,
        ot=bool(rows),
        functions=tuple(_function(call, calls[call]) for call in sorted(calls, key=_call_order)),
        operations=tuple(sorted({row.operation for row in rows})),
        events=sum(row.events for row in rows),
        packets=sum(link.packets for link in links),
        bytes=sum(link.bytes for link in links),
        state=max((link.state for link in links), key=_state_order, default=""),
        first_time=min(part[0].first_time for part in (rows, links) if part),
        last_time=max(row.last_time for part in (rows, links) for row in part),
        # One frame of each function before a second one of any.
        evidence=_evidence([found[0] for found in calls.values()]) if rows else (first.evidence,),
    )


def _state_order(state: str) -> int:
    return STATES.index(state) if state in STATES else 0


def _call_order(call: _Call) -> tuple[object, ...]:
    code, name, operation, unit = call
    return -1 if code is None else code, name, operation, unit_order(unit)


def _function(call: _Call, rows: Sequence[Conversation]) -> Function:
    code, name, operation, unit = call
    statuses: Counter[str] = Counter()
    for row in rows:
        statuses[row.status] += row.events
    return Function(
        code=code,
        name=name,
        operation=operation,
        unit=unit,
        events=sum(row.events for row in rows),
        targets=merge_targets(
            Target(row.object_kind, row.object_start, row.object_count, row.property_name)
            for row in rows
            if row.object_kind is not None
        ),
        statuses=tuple(sorted((status, count) for status, count in statuses.items() if count)),
        evidence=_evidence(rows),
    )


def _evidence(rows: Sequence[Conversation]) -> tuple[Evidence, ...]:
    """First frames of the first rows, then further samples of the very first."""
    frames = [row.evidence for row in rows[:MOST_EVIDENCE]]
    if rows[0].capture == rows[0].last_capture:  # samples of a row over two captures could be in either
        frames += [Evidence(rows[0].source, rows[0].capture, frame) for frame in rows[0].sample_frames]
    return tuple(sorted(tuple(dict.fromkeys(frames))[:MOST_EVIDENCE]))
