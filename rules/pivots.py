"""Pivots: chains of remote sessions that end in a state-changing operation on a device of the process.

Sessions and operations are taken in the order of their times. A session extends the longest chain that had reached its
client and was still alive, or begins a chain. An operation is scored against each chain that had reached its client:

    100 * (1 - product(1 - 0.8 * novelty)) * impact * (0.5 + 0.5 * weight of the last session's service)
        * (0.6 + 0.4 * exp(-lag / 600 s)) * (1.15 after failed logins) * (1 + 0.1 * hops beyond the first)

Novelty of each hop and of the operation is 1 less a quarter for each other day within four weeks on which the same was
seen; 0 for what the policy declares. A capture of fewer than five days cannot know what is routine: there, only what is
declared is. An operation that its host had done to the same object before the chain reached it says little.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from math import exp, prod
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.compute

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Evidence
from zonewatch.inventory.tables import plain
from zonewatch.rules.context import DEVICE_ROLES, MOST_EVIDENCE, Context, Detector, Fact, Told, listing, times
from zonewatch.rules.entries import declared_entries
from zonewatch.rules.findings import Finding, Severity, Step
from zonewatch.rules.observe import in_turns
from zonewatch.rules.seen import DAY
from zonewatch.rules.sessions import MINUTE, MOST, WEIGHTS, Session, sessions
from zonewatch.rules.sessions import left_out as sessions_left_out
from zonewatch.rules.violations import TECHNIQUES

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain word beside a column

ALIVE: Final = 30 * MINUTE
"""A chain lives on for so long after its last session's end."""
MOST_CHAINS: Final = 16
"""Chains that a host keeps, the newest."""
MOST_HOPS: Final = 8
MOST_OPERATIONS: Final = 50_000
"""Events looked at, of hosts that a session reached."""
ENOUGH: Final = 35.0
GRAVE: Final = 60.0
ROUTINE_DAYS: Final = 4
"""Seen on so many other days, something is routine."""
WINDOW: Final = 28
"""Days before and after that count."""
GOING_ON: Final = 0.4
"""Weight of an operation that went on already."""

IMPACT: Final[Mapping[str, float]] = {
    "program_download": 1.0,
    "firmware": 1.0,
    "mode": 1.0,
    "stop": 1.0,
    "write": 0.9,
    "operate": 0.9,
    "restart": 0.9,
    "start": 0.8,
    "configure": 0.8,
    "file": 0.8,
    "time": 0.5,
}
_FILES: Final = frozenset(("ftp", "tftp", "http", "snmp"))
"""Services by which a device's program or settings are changed beside the control protocols."""
UNTRUSTED: Final = 6.0
UNKNOWN: Final = 5.5
NO_LEVEL: Final = 3.0
OFFICE: Final = 4.0


class Operation(NamedTuple):
    """One state-changing operation of a host on a device."""

    time: int
    client: str
    server: str
    protocol: str
    operation: str
    function: str
    target: tuple[object, ...]
    obeyed: bool
    allowed: bool  # by a flow of the policy
    evidence: Evidence


Chain = tuple[Session, ...]


@dataclass(slots=True)
class _Story:
    """All that one root had done to one device."""

    chain: Chain
    score: float
    operations: list[Operation] = field(default_factory=list)


def pivots(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """One finding for each root and device."""
    found = sessions(context.flows, context.activities, context.inventory.by_address)
    if not found:
        return
    reached = {session.server for session in found}
    operations = sorted((*_operations(context, reached), *_by_files(context, reached)), key=_order)
    for (root, target), story in sorted(_stories(context, found, operations).items()):
        yield Told(_finding(context, detector, root, target, story))


def left_out(context: Context) -> Iterator[str]:
    """What was not looked at, in words."""
    connections = sessions_left_out(context.flows)
    if connections:
        yield f"not looked at for pivots: {times(connections, 'connection')} beyond the first {MOST}"
    if context.events.num_rows <= MOST_OPERATIONS:
        return
    found = sessions(context.flows, context.activities, context.inventory.by_address)
    events = _changing(context, {session.server for session in found}).num_rows - MOST_OPERATIONS
    if events > 0:
        yield f"not looked at for pivots: {times(events, 'state-changing event')} beyond the first {MOST_OPERATIONS}"


def _changing(context: Context, hosts: set[str]) -> pa.Table:
    """State-changing events of these hosts, the earlier ones too."""
    ids, events = context.inventory.by_address, pa.concat_tables([context.earlier, context.events])
    clients = sorted({address for (_, address), asset in ids.items() if asset in hosts} | hosts)
    wanted = pc.and_(
        pc.is_in(events["operation"].cast(pa.utf8()), value_set=pa.array(sorted(STATE_CHANGING))),
        pc.is_in(events["client"].cast(pa.utf8()), value_set=pa.array(clients, pa.utf8())),
    )
    return events.filter(wanted)


def _operations(context: Context, hosts: set[str]) -> Iterator[Operation]:
    """The first of these events."""
    ids = context.inventory.by_address
    chosen = plain(_changing(context, hosts))
    if chosen.num_rows > MOST_OPERATIONS:
        chosen = in_turns(chosen, MOST_OPERATIONS)
    for row in chosen.sort_by([("time", "ascending"), ("event", "ascending")]).to_pylist():
        client = ids.get((row["source"], row["client"]), row["client"])
        server = ids.get((row["source"], row["server"]), row["server"])
        frames = row["request_frames"] or row["response_frames"]
        if client not in hosts or not frames or client == server:
            continue
        yield Operation(
            row["time"],
            client,
            server,
            row["protocol"],
            row["operation"],
            row["function_name"],
            (row["function"], row["server_unit"], *_first_object(row["objects"])),
            row["status"] not in ("error", "no_response"),
            bool(context.flow_for((client, server, row["protocol"]))),
            Evidence(row["source"], row["capture"], frames[0]),
        )


def _order(item: Operation) -> tuple[object, ...]:
    return item.time, item.client, item.server, item.protocol, item.operation, item.function, item.evidence


def _first_object(objects: list[dict[str, Any]]) -> tuple[object, ...]:
    return tuple(objects[0][name] for name in ("kind", "start", "property_name")) if objects else ()


def _by_files(context: Context, hosts: set[str]) -> Iterator[Operation]:
    """Files stored on devices, and settings changed by their web pages or SNMP."""
    for activity in context.activities:
        asset = context.assets.get(activity.server)
        if activity.client not in hosts or asset is None or asset.role not in DEVICE_ROLES:
            continue
        if activity.protocol in _FILES and activity.operation in STATE_CHANGING:
            yield Operation(
                activity.first_time,
                activity.client,
                activity.server,
                activity.protocol,
                activity.operation,
                activity.action,
                activity.fields,
                activity.status != "error",
                bool(context.flow_for((activity.client, activity.server, activity.protocol))),
                activity.evidence,
            )


def _stories(
    context: Context, found: tuple[Session, ...], operations: list[Operation]
) -> dict[tuple[str, str], _Story]:
    judge = _Judge(context, found)
    chains: defaultdict[str, list[Chain]] = defaultdict(list)
    began: dict[tuple[object, ...], int] = {}
    stories: dict[tuple[str, str], _Story] = {}
    waiting = list(reversed(found))
    for operation in operations:
        while waiting and waiting[-1].start <= operation.time:
            _extend(chains, waiting.pop())
        key = (operation.client, operation.server, operation.operation, *operation.target)
        first = began.setdefault(key, operation.time)
        for chain in _reaching(chains[operation.client], operation.time):
            root = chain[0].client
            if root == operation.server or not judge.is_less_trusted(root, operation.client):
                continue
            score = judge.score(chain, operation, going_on=first < chain[-1].start)
            if score < ENOUGH:
                continue
            story = stories.setdefault((root, operation.server), _Story(chain, score))
            if score > story.score:
                story.chain, story.score = chain, score
            story.operations.append(operation)
    return stories


def _extend(chains: defaultdict[str, list[Chain]], session: Session) -> None:
    """A session makes a chain longer that had reached its client, and begins one."""
    longest: Chain = ()
    for chain in chains[session.client]:
        alive = chain[-1].start <= session.start <= chain[-1].end + ALIVE
        loops = session.server in {chain[0].client, *(hop.server for hop in chain)}
        if alive and not loops and len(longest) < len(chain) < MOST_HOPS:
            longest = chain
    kept = chains[session.server]
    if longest:
        kept.append((*longest, session))
    if session.client != session.server:
        kept.append((session,))
    del kept[:-MOST_CHAINS]


def _reaching(chains: list[Chain], time: int) -> list[Chain]:
    """The chains alive at a time; the end of a longer one is not told again."""
    alive = [chain for chain in chains if chain[-1].start <= time <= chain[-1].end + ALIVE]
    ends = {chain[start:] for chain in alive for start in range(1, len(chain))}
    return [chain for chain in alive if chain not in ends]


class _Judge:
    """Trust, novelty and score in one audit."""

    def __init__(self, context: Context, found: tuple[Session, ...]) -> None:
        self.context = context
        self.too_short = context.days <= ROUTINE_DAYS
        self.days: defaultdict[tuple[str, ...], set[int]] = defaultdict(set)
        for session in found:
            self.days[session.client, session.server, session.service].update(
                range(session.start // DAY, session.end // DAY + 1)
            )
        if not self.too_short:
            self._learn()
        self.declared = declared_entries(context.policy) if not context.proposed else ()

    def _learn(self) -> None:
        """On which days each operation was seen."""
        table = plain(self.context.aggregates.select(["source", "client", "server", "operation", "first_time"]))
        day: Any = pc.divide(table["first_time"], DAY)
        keys = ["source", "client", "server", "operation", "day"]
        ids = self.context.inventory.by_address
        for row in table.append_column("day", day).group_by(keys).aggregate([]).to_pylist():
            if row["operation"] in STATE_CHANGING:
                ends = (ids.get((row["source"], row[end]), row[end]) for end in ("client", "server"))
                self.days[*ends, "operation", row["operation"]].add(row["day"])

    def distrust(self, end: str) -> float:
        """The Purdue level of an end, or what stands for one: higher is less trusted."""
        context = self.context
        asset = context.assets.get(end)
        if asset is None or asset.kind == "external":
            return UNTRUSTED
        if context.is_unknown(asset):
            return UNKNOWN
        levels = {zone.id: zone.purdue for zone in context.policy.zones}
        level = levels.get(asset.zone)
        if context.proposed and asset.kind == "it":
            return max(level or 0.0, OFFICE)  # a proposal puts whoever is in a subnet into its zone
        known = level if level is not None else asset.purdue
        return NO_LEVEL if known is None else known

    def is_less_trusted(self, root: str, host: str) -> bool:
        """True where a chain from `root` to `host` goes down into the plant."""
        return self.distrust(root) > self.distrust(host)

    def score(self, chain: Chain, operation: Operation, *, going_on: bool) -> float:
        """0 to about 130: see the head of this module."""
        novelties = [self._hop(session, operation.time) for session in chain]
        novelties.append(self._operation(operation))
        last = chain[-1]
        lag = max(operation.time - last.end, 0) / 1e9
        return (
            100
            * (1 - prod(1 - 0.8 * novelty for novelty in novelties))
            * IMPACT.get(operation.operation, 0.8)
            * (0.5 + 0.5 * WEIGHTS.get(last.service, 0.5))
            * (0.6 + 0.4 * exp(-lag / 600))
            * (1.15 if any(session.failed for session in chain) else 1)
            * (1 + 0.1 * (len(chain) - 1))
            * (GOING_ON if going_on else 1)
            * (1 if operation.obeyed else 0.7)
        )

    def is_declared(self, session: Session) -> bool:
        """True where a flow, or a line of the policy's remote access, allows the session."""
        if self.context.flow_for((session.client, session.server, session.service)):
            return True
        zones = self.context.zone(session.client), self.context.zone(session.server)
        for line in self.declared:
            if line.protocols and session.service not in line.protocols:
                continue
            to_jump = line.jump_host and self._is(session.server, line.jump_host)
            from_jump = not line.jump_host or self._is(session.client, line.jump_host)
            if to_jump and (not line.entry_zone or line.entry_zone in zones):
                return True
            if from_jump and line.target_zone and line.target_zone == zones[1]:
                return True
        return False

    def _is(self, end: str, name: str) -> bool:
        asset = self.context.assets.get(end)
        return name == end or (asset is not None and name in (asset.declared, *asset.addresses))

    def _hop(self, session: Session, time: int) -> float:
        if self.is_declared(session):
            return 0.0
        return self._novelty((session.client, session.server, session.service), time)

    def _operation(self, operation: Operation) -> float:
        if operation.allowed:
            return 0.0
        return self._novelty((operation.client, operation.server, "operation", operation.operation), operation.time)

    def _novelty(self, key: tuple[str, ...], time: int) -> float:
        if self.too_short:
            return 1.0
        today = time // DAY
        others = sum(1 for day in self.days[key] if day != today and abs(day - today) <= WINDOW)
        return max(0.0, 1 - others / ROUTINE_DAYS)


def _finding(context: Context, detector: Detector, root: str, target: str, story: _Story) -> Finding:
    chain, operations = story.chain, story.operations
    ways = [root, *(session.server for session in chain)]
    severity: Severity = "critical" if story.score >= GRAVE else "high"
    reasons = [f"score {story.score:.0f} of 100: {ENOUGH:.0f} are a pivot, {GRAVE:.0f} a grave one"]
    reasons.append(f"{context.name(root)} is trusted less than {context.name(chain[-1].server)}")
    if any(session.failed for session in chain):
        reasons.append(f"{times(sum(session.failed for session in chain), 'login')} failed before")
    if context.days <= ROUTINE_DAYS:
        short = f"the capture touches {times(context.days, 'day')}, too few to know what is routine"
        if context.proposed:
            severity = "high"
            reasons.append(f"{short}, and no policy declares remote access: every session counts as new")
        else:
            reasons.append(f"{short}: judged by the remote access that the policy declares")
    done = sorted({operation.operation for operation in operations})
    steps = (*(_hop(session) for session in chain), *_ends(operations))
    asset = context.assets.get(target)
    evidence = dict.fromkeys(item for step in steps for item in step.evidence[:1])
    more = [item for step in steps for item in step.evidence[1:]]
    kept = tuple(dict.fromkeys((*evidence, *more)))[:MOST_EVIDENCE]
    return replace(
        detector.finding(
            (("root", root), ("target", target)),
            f"{context.name(root)} came through {context.names(ways[1:])} and changed {context.name(target)}",
            severity,
            reasons,
            " Then ".join(_sentence(context, step) for step in steps),
            kept,
            assets=(root, *ways[1:], target),
            protocol=listing(dict.fromkeys(step.protocol for step in steps)),
            operation=", ".join(done),
            zones=[context.zone(end) for end in (*ways, target)] if asset else (),
            technique=tuple(
                dict.fromkeys((*detector.technique, *(item for word in done for item in TECHNIQUES.get(word, ()))))
            ),
            steps=steps,
            count=len(operations),
            when=(chain[0].start, max(operation.time for operation in operations)),
        ),
        evidence=tuple(sorted(kept)),
    )


def _hop(session: Session) -> Step:
    return Step(
        session.client, session.server, session.service, session.what, session.evidence, session.start, session.end
    )


def _ends(operations: list[Operation]) -> Iterator[Step]:
    """The operations as steps: those of one host and function together, in the order of their first times."""
    groups: defaultdict[tuple[str, ...], list[Operation]] = defaultdict(list)
    for item in sorted(dict.fromkeys(operations), key=_order):
        groups[item.client, item.server, item.protocol, item.operation, item.function].append(item)
    for (client, server, protocol, operation, function), rows in groups.items():
        name = f" ({function})" if function else ""
        what = f"{operation}{name}, {times(len(rows), 'event')}"
        frames = tuple(dict.fromkeys(row.evidence for row in rows))[:3]
        yield Step(client, server, protocol, what, frames, rows[0].time, rows[-1].time)


def _sentence(context: Context, step: Step) -> str:
    frames = ", ".join(str(item.frame) for item in step.evidence)
    return (
        f"{context.name(step.client)} to {context.name(step.server)}: {step.protocol} {step.what} "
        f"(frame{'s' if len(step.evidence) > 1 else ''} {frames})."
    )
