"""Services that a device serves, and whether it was seen to ask who is asking."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from zonewatch.dissectors.vocabulary import STATE_CHANGING, Operation
from zonewatch.inventory.flows import Link
from zonewatch.inventory.model import Evidence, Posture, Service
from zonewatch.inventory.traffic import Conversation, Place

BY_CONTENT: Final = "recognised by content"
"""The reason of a service whose octets told what it is."""
_REACHES_NOTHING: Final[frozenset[Operation]] = frozenset(("discover", "session", "authenticate", "unknown"))
"""Operations that a device may well do for everybody."""
_ANONYMOUS: Final = ("user-token", "anonymous")
"""Kind of object and property of a login in OPC UA that names nobody (OPC 10000-4, 7.41.3)."""


def services(
    talks: Iterable[Conversation], links: Iterable[Link], ids: Mapping[Place, str]
) -> Mapping[str, tuple[Service, ...]]:
    """Services of each asset id, sorted by protocol and port."""
    served: defaultdict[tuple[str, str, str, int], list[Conversation]] = defaultdict(list)
    for talk in talks:
        asset = ids.get((talk.source, talk.server))
        # Being told something unasked (I-Am, a notification) makes no server of a device.
        if asset and (talk.kind != "unconfirmed" or talk.answered):
            served[asset, talk.protocol, talk.transport, talk.server_port].append(talk)
    found: defaultdict[str, dict[tuple[str, str, int], Service]] = defaultdict(dict)
    for (asset, protocol, transport, port), rows in served.items():
        posture, reason, evidence = _posture(rows)
        found[asset][protocol, transport, port] = Service(protocol, transport, port, posture, reason, evidence)
    for link in links:
        asset = ids.get((link.source, link.server))
        if asset and not link.ot and link.answered and link.transport in ("tcp", "udp"):
            known = {"content": BY_CONTENT, "port": "named by its port alone"}.get(link.basis, "not known")
            found[asset].setdefault(
                (link.protocol, link.transport, link.server_port),
                Service(link.protocol, link.transport, link.server_port, "unknown", known, link.evidence),
            )
    return {asset: tuple(rows[key] for key in sorted(rows)) for asset, rows in found.items()}


def _posture(rows: Sequence[Conversation]) -> tuple[Posture, str, Evidence | None]:
    """Posture of an OT service with its reason; `rows` are its conversations by first time."""
    authentic = [row for row in rows if row.operation == "authenticate" and _is_somebody(row)]
    nobody = [row for row in rows if row.status == "ok" and (row.object_kind, row.property_name) == _ANONYMOUS]
    accepted = [row for row in authentic if row.status == "ok"]
    obeyed = [row for row in rows if row.status == "ok" and row.operation not in _REACHES_NOTHING]
    commands = [row for row in obeyed if row.operation in STATE_CHANGING]
    answered = [row for row in rows if row.answered]
    if nobody and obeyed:
        row = nobody[0]
        return "none", f"let an anonymous client in by {_name(row)}, {_frame(row)}", row.evidence
    if authentic:
        row = (accepted or authentic)[0]
        return (
            ("used", f"answered {_name(row)}, {_frame(row)}", row.evidence)
            if accepted
            else ("offered", f"{_name(row)} was seen, {_frame(row)}, but no positive answer to it", row.evidence)
        )
    if obeyed:
        row = (commands or obeyed)[0]
        did = "obeyed" if commands else "answered"
        return "none", f"{did} {_name(row)} without authentication, {_frame(row)}", row.evidence
    if answered:
        row = answered[0]
        return "unknown", f"was not seen to obey an operation; first heard in {_frame(row)}", row.evidence
    asked = sum(row.events for row in rows)
    return "unknown", f"was asked {asked} time{'' if asked == 1 else 's'} and not seen to answer", rows[0].evidence


def _is_somebody(row: Conversation) -> bool:
    """False for a login that says of nobody who it is: every session of OPC UA is activated, those of anybody too."""
    return row.protocol != "opcua" or (row.object_kind == _ANONYMOUS[0] and row.property_name != _ANONYMOUS[1])


def _name(row: Conversation) -> str:
    return row.function_name or (f"function {row.function}" if row.function is not None else row.operation)


def _frame(row: Conversation) -> str:
    return f"{row.evidence.unit} {row.first_frame}"
