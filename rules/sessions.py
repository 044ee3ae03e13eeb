"""Remote sessions: who was given a hand on which host, over what, from when to when.

A screen or a console is a session by its connection. Files on administrative shares, and services, tasks and processes
made over DCE/RPC, are one by what was done. Frames are those that opened it and those that did it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Activity, Evidence
from zonewatch.inventory.tables import plain
from zonewatch.rules.context import ANSWERED
from zonewatch.rules.policy.words import canonical_service
from zonewatch.rules.scan import MOST_PACKETS_ANSWERED

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column

MINUTE: Final = 60_000_000_000
MOST_FRAMES: Final = 3
MOST: Final = 100_000
"""Connections looked at."""

WEIGHTS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("rdp", "vnc", "ssh", "telnet", "rlogin", "rsh", "x11", "winrm"), 1.0),
    **dict.fromkeys(("teamviewer", "anydesk", "rustdesk", "radmin"), 1.0),
    "smb": 1.0,  # administration only
    "dcerpc": 1.0,
    "socks": 0.8,
    **dict.fromkeys(("openvpn", "wireguard", "isakmp", "ike", "l2tp", "pptp", "esp", "ipsec"), 0.6),
}
"""How much of a hand on the other host a session of this service gives."""

_BY_CONNECTION: Final = frozenset(WEIGHTS) - {"smb", "dcerpc"}
_MAKES_THINGS: Final = frozenset(("svcctl", "atsvc", "ITaskSchedulerService", "winreg", "IWbemServices"))
"""DCE/RPC interfaces by which services, tasks, keys of the registry and processes are made."""
_ADMIN_SHARE: Final = re.compile(r"(?:^|\\\\)(?:admin|[a-z])\$$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Session:
    """One remote session, or several of one sort that follow each other within a minute."""

    client: str  # asset id, or address
    server: str
    service: str
    what: str  # "remote session as vendor", "CreateServiceW as backdoor"
    start: int
    end: int
    evidence: tuple[Evidence, ...]
    failed: int = 0  # logins that failed before


def sessions(
    flows: pa.Table, activities: Iterable[Activity], ids: Mapping[tuple[str, str], str]
) -> tuple[Session, ...]:
    """All of them, by start, client, server and service."""
    rows = tuple(activities)
    found = [*_connections(flows, ids), *_administration(rows)]
    logins = _logins(rows)
    return tuple(_with_logins(session, logins) for session in _joined(found))


def _order(session: Session) -> tuple[int, str, str, str]:
    return session.start, session.client, session.server, session.service


def left_out(flows: pa.Table) -> int:
    """How many connections were not looked at."""
    return max(_remote(flows).num_rows - MOST, 0)


def gives_a_hand(service: Any) -> Any:
    """Whether a connection of these services (a column of words) is a remote session."""
    known = [word for word in service.unique().to_pylist() if canonical_service(word) in _BY_CONNECTION]
    return pc.is_in(service, value_set=pa.array(known, pa.utf8()))


def _remote(flows: pa.Table) -> pa.Table:
    """The connections that give somebody a hand on another host."""
    table = plain(flows)
    packets = pc.add(table["packets_out"], table["packets_in"])
    wanted = pc.and_(
        gives_a_hand(table["service"]),
        pc.is_in(table["state"], value_set=pa.array(sorted(ANSWERED))),
    )
    return table.filter(pc.and_(wanted, pc.greater(packets, pa.scalar(MOST_PACKETS_ANSWERED, pa.uint64()))))


def _connections(flows: pa.Table, ids: Mapping[tuple[str, str], str]) -> Iterator[Session]:
    table = _remote(flows)
    for row in table.sort_by([("first_time", "ascending"), ("first_frame", "ascending")]).slice(0, MOST).to_pylist():
        yield Session(
            ids.get((row["source"], row["client"]), row["client"]),
            ids.get((row["source"], row["server"]), row["server"]),
            canonical_service(row["service"]),
            "remote session",
            row["first_time"],
            row["last_time"],
            (Evidence(row["source"], row["capture"], row["first_frame"]),),
        )


def _administration(activities: Iterable[Activity]) -> Iterator[Session]:
    for activity in activities:
        service = canonical_service(activity.protocol)
        done = _done(activity, dict(activity.fields)) if service in ("smb", "dcerpc") else ""
        if done and activity.status != "error":
            ends = (activity.client, activity.server, service)
            yield Session(*ends, done, activity.first_time, activity.last_time, (activity.evidence,))


def _done(activity: Activity, fields: Mapping[str, str]) -> str:
    """What was administered, in words; empty for reading, and for files of other shares."""
    operation = fields.get("dce_rpc.operation", "")
    interface = fields.get("dce_rpc.interface", "")
    if operation and interface.startswith("IWbem"):
        return f"{interface} {operation}"
    if operation and interface in _MAKES_THINGS and activity.operation in STATE_CHANGING:
        return operation
    if (
        fields.get("file.name")
        and activity.operation in STATE_CHANGING
        and _ADMIN_SHARE.search(fields.get("smb.share", ""))
    ):
        share = fields["smb.share"].rpartition("\\")[2]
        return f"{fields.get('file.action') or activity.action} of {fields['file.name']} on {share}"
    return ""


def _joined(found: Iterable[Session]) -> list[Session]:
    """One session for those of one client, server and service that follow each other within a minute."""
    open_: dict[tuple[str, str, str], int] = {}
    result: list[Session] = []
    for session in sorted(found, key=_order):
        key = (session.client, session.server, session.service)
        place = open_.get(key)
        if place is not None and session.start <= result[place].end + MINUTE:
            known = result[place]
            words = known.what.split(", ")
            what = known.what if session.what in words or len(words) > 4 else f"{known.what}, {session.what}"
            evidence = tuple(dict.fromkeys((*known.evidence, *session.evidence)))[:MOST_FRAMES]
            result[place] = replace(known, what=what, end=max(known.end, session.end), evidence=evidence)
        else:
            open_[key] = len(result)
            result.append(session)
    return result


_LOGIN_BEFORE: Final = 30 * MINUTE


def _logins(activities: Iterable[Activity]) -> dict[tuple[str, str], list[Activity]]:
    """Activities that tell a user, or a login that failed, by client and server."""
    found: defaultdict[tuple[str, str], list[Activity]] = defaultdict(list)
    for activity in activities:
        if activity.operation == "authenticate" or any(name == "user.name" for name, _ in activity.fields):
            found[activity.client, activity.server].append(activity)
    return dict(found)


def _with_logins(session: Session, logins: Mapping[tuple[str, str], list[Activity]]) -> Session:
    """The session with the user that came in, and the logins that failed before."""
    near = [
        item
        for item in logins.get((session.client, session.server), ())
        if session.start - _LOGIN_BEFORE <= item.first_time <= session.end
    ]
    own = [item for item in near if canonical_service(item.protocol) == session.service and item.status != "error"]
    names = dict.fromkeys(value for item in own for name, value in item.fields if name == "user.name")
    failed = sum(item.count for item in near if item.operation == "authenticate" and item.status == "error")
    user = next(iter(names), "")
    frames = dict.fromkeys((*session.evidence, *(item.evidence for item in own[:1])))
    what = f"{session.what} as {user}" if user else session.what
    return replace(session, what=what, failed=failed, evidence=tuple(frames)[:MOST_FRAMES])
