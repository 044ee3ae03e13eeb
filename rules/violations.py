"""Verdicts to findings: one for each thing that an engineer would change, with the flow that would allow it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Final

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Evidence
from zonewatch.rules.context import (
    MOST_CHANGES,
    REMOTE_SERVICES,
    Context,
    Detector,
    Fact,
    Told,
    changes_state,
    higher,
    listing,
    lower,
    named_changes,
    span,
    times,
    value_changes,
)
from zonewatch.rules.entries import jump_hosts
from zonewatch.rules.findings import Change, Finding, Severity
from zonewatch.rules.judge import JudgedChange, VerdictRow
from zonewatch.rules.safeguards import SAFEGUARDS
from zonewatch.rules.suggest import suggestion
from zonewatch.rules.tags.written import about_text
from zonewatch.rules.verdicts import counted
from zonewatch.rules.weigh import weigh, worth_of

_PROGRAM: Final = frozenset(("program_download", "firmware", "mode", "stop", "start", "restart", "file"))
_VERBS: Final = {
    "observe": "reads from",
    "control": "writes to or operates",
    "program": "changes the program or mode of",
    "traffic": "connects to",
    "attempt": "tries to connect to",
}
_COMMAND: Final = ("T1692.001", "T0855")
TECHNIQUES: Final[dict[str, tuple[str, ...]]] = {
    "write": (*_COMMAND, "T0836"),
    "operate": _COMMAND,
    "configure": (*_COMMAND, "T0836"),
    "time": (*_COMMAND, "T0836"),
    "program_download": ("T0843",),
    "program_upload": ("T0845",),
    "firmware": ("T1693.001", "T0857"),
    "mode": ("T0858",),
    "stop": ("T0881",),
    "start": ("T0858",),
    "restart": ("T0816",),
    "file": ("T0867",),
    "discover": ("T0846",),
    "read": ("T0802",),
    "subscribe": ("T0802",),
    "report": ("T0802",),
    "diagnose": ("T0888",),
}
"""ATT&CK for ICS by operation (v19.1; where v18.1 had another id, that follows)."""

_REMOTE_REMEDY: Final = (
    "Find out who opened the session and why. Let remote access come as it is declared (jump host, protocols, length), "
    "or change the declaration."
)

MOST_FRAMES: Final = 64
"""Frames of one violation: it may be of many servers. Its mini capture has the exchanges that they belong to."""

Group = tuple[str, str, str, str]
"""Client, server, protocol, and what kind of use."""

ChangeKey = tuple[str, ...]
"""What an engineer would change: a flow that is there already, by conduit and id and what keeps it; or a flow that is
missing, by client, zones, protocol and what kind of use."""


def use_of(row: VerdictRow) -> str:
    """What kind of use a row is: observe, control, program; traffic or attempt where no operation is known."""
    if not row.seen.operation:
        return "attempt" if row.attempted else "traffic"
    if row.seen.operation in _PROGRAM:
        return "program"
    return "control" if changes_state(row.seen.operation) else "observe"


def group_of(row: VerdictRow) -> Group:
    """The key of the finding that a row belongs to; attempts at all services of a server are one."""
    use = use_of(row)
    return row.client.id, row.server.id, "" if use == "attempt" else row.seen.protocol, use


LIMITS: Final = frozenset(("value", "schedule", "rate", "expiry")) | SAFEGUARDS
"""Aspects in which a flow that was meant, or what its conduit asks for, is the thing to change."""


def change_of(row: VerdictRow) -> ChangeKey:
    """The key of the finding of a violation: all that one change of the policy would settle."""
    decision, use = row.decision, use_of(row)
    if decision.differs and set(decision.differs) <= LIMITS:
        return decision.conduit, decision.flow, ", ".join(decision.differs)
    client, server, protocol, _ = group_of(row)
    if decision.differs == ("remote access",) or row.server.many:
        return client, server, protocol, use
    return client, row.client_zone, row.server_zone, protocol, use


@dataclass(slots=True)
class _Case:
    rows: list[VerdictRow] = field(default_factory=list)
    changes: list[JudgedChange] = field(default_factory=list)


def _cases(context: Context, verdict: str, key: Callable[[VerdictRow], ChangeKey]) -> dict[ChangeKey, _Case]:
    cases: defaultdict[ChangeKey, _Case] = defaultdict(_Case)
    for row in context.judgement.rows:
        if row.decision.verdict == verdict:
            cases[key(row)].rows.append(row)
    for item in context.judgement.changes:
        if item.row.decision.verdict == verdict and key(item.row) in cases:
            cases[key(item.row)].changes.append(item)
    return dict(sorted(cases.items()))


def violations(context: Context, detector: Detector, told: frozenset[Fact]) -> Iterator[Told]:
    """Traffic that no flow of the policy allows."""
    if context.proposed:
        return
    for key, case in _cases(context, "violation", change_of).items():
        facts = frozenset((row.client.id, row.server.id, row.seen.protocol) for row in case.rows)
        if facts <= told:
            continue
        yield Told(_violation(context, detector, key, case), facts)


_NAMES: Final[dict[int, tuple[str, ...]]] = {
    3: ("conduit", "flow", "limit"),
    4: ("client", "server", "protocol", "use"),
    5: ("client", "from", "to", "protocol", "use"),
}
"""What the parts of a change are, by how many there are."""
_WORST_FIRST: Final = ("program", "control", "traffic", "observe", "attempt")


def _violation(context: Context, detector: Detector, key: ChangeKey, case: _Case) -> Finding:
    rows = case.rows
    first = rows[0]
    use = min(map(use_of, rows), key=_WORST_FIRST.index)
    clients = list(dict.fromkeys(row.client.id for row in rows))
    servers = list(dict.fromkeys(row.server.id for row in rows))
    severity, reasons = _severity(context, use, rows)
    operations = sorted({row.seen.operation for row in rows if row.seen.operation})
    only_values = all(row.decision.differs == ("value",) for row in rows)
    count = len(case.changes) if only_values and case.changes else counted(rows)
    services = sorted({row.seen.protocol for row in rows})
    changes = _changes(context, servers, case.changes) if use in ("control", "program") else ()
    techniques = [item for operation in operations for item in TECHNIQUES.get(operation, ())]
    if use == "attempt":
        techniques = ["T0846"]
    elif REMOTE_SERVICES & set(services):
        techniques = ["T0886"]
    verb = "sends discovery to" if operations == ["discover"] else _VERBS[use]
    asset = context.assets.get(clients[0])
    if operations and asset is not None and context.is_unknown(asset):
        techniques.append("T0848")
    frames = _spread(case)
    finding = detector.finding(
        zip(_NAMES[len(key)], key, strict=True),
        f"{_several(context, clients)} {verb} {_several(context, servers)}: not allowed by the policy",
        severity,
        reasons,
        _description(context, rows, operations, services, count, changes, len(frames)),
        frames[:MOST_FRAMES],
        most=MOST_FRAMES,
        remedy=_REMOTE_REMEDY if _past_remote_access(rows) else _remedy(rows, use),
        assets=(*clients, *dict.fromkeys(row.server.id for row in rows if not row.server.many)),
        protocol=services[0] if use != "attempt" else listing(services, 4),
        operation=", ".join(operations),
        zones=(first.client_zone, first.server_zone),
        technique=tuple(dict.fromkeys(techniques)) or detector.technique,
        changes=changes,
        count=count,
        when=span((row.seen.first_time, row.seen.last_time) for row in rows),
    )
    asked = [[row for row in rows if row.client.id == client] for client in clients]
    settled = _past_remote_access(rows) or _lacks(first)  # a flow that allows it is there
    suggested = "" if settled else "".join(suggestion(context.policy, found, context.tags) for found in asked)
    return replace(finding, verdict="violation", suggestion=suggested)


def _several(context: Context, ids: list[str]) -> str:
    """`plc-3 (10.20.11.13)`, or that and how many more."""
    more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
    return context.name(ids[0]) + more


def _spread(case: _Case) -> list[Evidence]:
    """All frames that are known, those of each server in turn, as not all of them may be kept."""
    by_server: defaultdict[str, list[Evidence]] = defaultdict(list)
    for row in (*case.rows, *(item.row for item in case.changes)):
        by_server[row.server.id] += row.seen.evidence
    turns = zip_longest(*by_server.values())
    return list(dict.fromkeys(item for turn in turns for item in turn if item is not None))


def _changes(context: Context, servers: list[str], judged: Iterable[JudgedChange]) -> tuple[Change, ...]:
    """What was altered; with the name of the server where there are several."""
    listed = list(judged)
    if len(servers) == 1:
        return value_changes(listed, context.tags)
    return tuple(
        replace(change, target=f"{context.name(server)}: {change.target}")
        for server in servers
        for change in value_changes((item for item in listed if item.row.server.id == server), context.tags)
    )[:MOST_CHANGES]


def _past_remote_access(rows: list[VerdictRow]) -> bool:
    """A flow allows it already; it is the declared remote access that does not."""
    return all(row.decision.differs == ("remote access",) for row in rows)


def _lacks(row: VerdictRow) -> tuple[str, ...]:
    """What the conduit asks for and is not there."""
    return tuple(aspect for aspect in row.decision.differs if aspect in SAFEGUARDS)


_REMEDIES: Final = {
    "direction": "Find out why the other side sends or connects.",
    "encryption": "Use the encrypted variant of the service, or a tunnel between the zones.",
    "authentication": "Let the service ask who its clients are, or put something in front of it that does.",
}


def _description(
    context: Context,
    rows: list[VerdictRow],
    operations: list[str],
    services: list[str],
    count: int,
    changes: tuple[Change, ...],
    frames: int,
) -> str:
    first = rows[0]
    where = (
        f"inside zone {first.client_zone}"
        if first.client_zone == first.server_zone
        else f"from zone {first.client_zone} to zone {first.server_zone}"
    )
    if operations:
        functions = listing(dict.fromkeys(_function(row) for row in rows), 6)
        targets = dict.fromkeys(about_text(row.seen, row.server.id, context.tags) for row in rows)
        about = listing([text for text in targets if text], 6)
        what = f"{services[0]} {', '.join(operations)} {where}, {times(count, 'event')}: {functions}"
        what += f", on {about}" if about else ""
    else:
        ports = listing(dict.fromkeys(f"{row.seen.protocol}" for row in rows), 6)
        what = f"{ports} {where}, {times(count, 'packet')}"
    refused = counted(rows, "refused")
    if refused:
        what += f"; {refused:,} refused by the server"
    unanswered = counted(rows, "unanswered")
    if unanswered:
        what += f"; no answer to {unanswered:,} was seen"
    reasons = dict.fromkeys(row.decision.reason for row in rows)
    if sentences := named_changes(changes):
        what += f". {sentences}"
    more = f" Proof: {MOST_FRAMES} of {frames:,} frames." if frames > MOST_FRAMES else ""
    return f"{what}. The policy: {listing(reasons, 4)}.{more}"


def _function(row: VerdictRow) -> str:
    seen = row.seen
    if not seen.function_name:
        return "unnamed function" if seen.function is None else f"function {seen.function}"
    return seen.function_name if seen.function is None else f"{seen.function_name} ({seen.function})"


def _remedy(rows: list[VerdictRow], use: str) -> str:
    row = rows[0]
    lacking = _lacks(row)
    if lacking:
        mended = " ".join(_REMEDIES[aspect] for aspect in lacking)
        return f"{mended} Where that cannot be, change what conduit {row.decision.conduit} asks for, with an owner."
    ended = row.decision.differs == ("expiry",)
    clients = listing(dict.fromkeys(row.client.label for row in rows), 6)
    servers = listing(dict.fromkeys(row.server.label for row in rows), 6)
    block = f"Block {clients} from {servers} at the boundary of zone {row.server_zone or 'its zone'}"
    if ended:
        return f"Approve flow {row.decision.flow} again with a new date, or remove it. {block} until then."
    if use == "attempt":
        return f"Find out what on {clients} makes these attempts. {block}."
    if row.client_zone == row.server_zone:
        block = f"Stop it on {clients}"
    if set(row.decision.differs) <= LIMITS and row.decision.differs:
        return f"{block}, unless it is needed: then change the limits of flow {row.decision.flow}, with an owner."
    return f"{block}, unless it is needed: then approve the flow suggested here, with an owner and a date."


def _severity(context: Context, use: str, rows: list[VerdictRow]) -> tuple[Severity, list[str]]:
    """How bad a violation is, and why: a table of what raises, then what lowers."""
    first = rows[0]
    servers = sorted({row.server.id for row in rows})
    same = first.client_zone == first.server_zone
    conduit = any(row.decision.conduit for row in rows)
    assets = [context.assets[server] for server in servers if server in context.assets]
    critical = any(asset.criticality in ("high", "critical") for asset in assets)
    way = f"from {first.client_zone} to {first.server_zone}"
    severity: Severity
    if _lacks(first):
        changing = use in ("control", "program")
        reasons = [f"not as conduit {first.decision.conduit} asks: {', '.join(_lacks(first))}"]
        return ("high", [*reasons, "it changes the state of devices"]) if changing else ("medium", reasons)
    if use in ("control", "program"):
        names = ", ".join(sorted({row.seen.operation for row in rows}))
        if same:
            severity, reasons = "medium", [f"state-changing ({names}) inside zone {first.client_zone}, which denies it"]
        elif conduit:
            severity, reasons = "high", [f"state-changing ({names}) {way}, beyond what the conduit's flows allow"]
        else:
            severity, reasons = "high", [f"state-changing ({names}) {way}, where no conduit is"]
            if critical:
                severity = "critical"
                reasons.append("the device is of high criticality")
        severity, reasons = weigh(severity, reasons, worth_of(assets))
    elif use == "observe":
        severity = "low" if same else "medium"
        reasons = [f"reads {'inside zone ' + first.client_zone if same else way}, changes nothing"]
    else:
        severity, reasons = _traffic_severity(context, rows, way, same)
    if use in ("control", "program") and all(row.seen.refused >= row.seen.events for row in rows):
        severity = lower(severity)
        reasons.append("the device refused every one")
    if all(row.decision.differs == ("expiry",) for row in rows):
        severity = lower(severity)
        reasons.append("it was approved until then")
    if use == "traffic" and first.seen.protocol in REMOTE_SERVICES and any(map(context.is_process, servers)):
        severity = higher(severity, remote_severity(context, first.client.id)[0])
        reasons += remote_severity(context, first.client.id)[1]
    return severity, reasons


def _traffic_severity(context: Context, rows: list[VerdictRow], way: str, same: bool) -> tuple[Severity, list[str]]:
    first = rows[0]
    if all(row.attempted for row in rows):
        return "low", [f"only attempted {way}: refused or never answered"]
    if first.seen.transport.startswith("icmp"):
        return "low", [f"ICMP only, {way}"]
    if not same and (context.is_process(first.client.id) or context.is_process(first.server.id)):
        return "medium", [f"traffic {way} that reaches the process side"]
    return "low", [f"traffic {way}, no process device takes part"]


def remote_severity(context: Context, client: str) -> tuple[Severity, list[str]]:
    """How bad a remote session into the process side is, by who opened it."""
    asset = context.assets.get(client)
    if asset is None or context.is_unknown(asset):
        return "high", ["the client is in no list of known assets"]
    hosts = jump_hosts(context.policy)
    if hosts and not context.is_process(client) and not hosts & {client, asset.declared, *asset.addresses}:
        return "high", [f"past the jump host ({listing(sorted(hosts), 4)}) that the policy declares"]
    return "medium", ["remote access to a host of the process side"]


def undecided(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Traffic on which the policy could not be judged."""
    if context.proposed:
        return
    for (client, server, protocol, use), case in _cases(context, "cannot_conclude", group_of).items():
        rows = case.rows
        finding = detector.finding(
            (("client", client), ("server", server), ("protocol", protocol), ("use", use)),
            f"{context.name(client)} and {context.name(server)}: {protocol} could not be judged",
            detector.severity,
            ["what was kept is too coarse to judge by"],
            f"{listing(dict.fromkeys(row.decision.reason for row in rows), 4)}.",
            [item for row in rows for item in row.seen.evidence],
            assets=(client, server),
            protocol=protocol,
            zones=(rows[0].client_zone, rows[0].server_zone),
            count=counted(rows),
            when=span((row.seen.first_time, row.seen.last_time) for row in rows),
        )
        yield Told(replace(finding, verdict="cannot_conclude"))


def reported(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Traffic that a default lets pass and asks to be told of: one finding for each pair of zones."""
    pairs: defaultdict[tuple[str, str], list[VerdictRow]] = defaultdict(list)
    for row in context.judgement.rows:
        if row.decision.reported and not context.proposed:
            pairs[row.client_zone, row.server_zone].append(row)
    for (one, other), rows in sorted(pairs.items()):
        where = f"inside zone {one}" if one == other else f"from zone {one} to zone {other}"
        changing = one != other and any(row.seen.operation in STATE_CHANGING for row in rows)
        uses = sorted({f"{row.seen.protocol} {row.seen.operation}".strip() for row in rows})
        finding = detector.finding(
            (("from", one), ("to", other)),
            f"Traffic {where} that no flow describes",
            "low" if changing else "info",
            ["state-changing across zones, reported by default"] if changing else ["reported by default"],
            f"{listing(uses)} by {listing(dict.fromkeys(context.name(row.client.id) for row in rows))}.",
            [item for row in rows for item in row.seen.evidence],
            assets=sorted({row.client.id for row in rows})[:20],
            zones=(one, other),
            count=counted(row for row in rows if row.seen.operation),
            when=span((row.seen.first_time, row.seen.last_time) for row in rows),
        )
        yield Told(replace(finding, verdict="allowed"))
