"""Incidents: findings that share assets and follow one another, told as one story in time order.

A finding has an actor and those that he acts on. It belongs to a story that is still going on when the same actor goes
on, or when a host acts that the story had reached before: by a session, a login, a command; not by a mere scan. States
of the network (an old protocol, a device without authentication) are no acts and make no story.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Evidence
from zonewatch.rules.context import MOST_EVIDENCE, listing
from zonewatch.rules.findings import SEVERITIES, Change, Finding, Owner, Severity, Step

GOING_ON: Final = 2 * 3600 * 1_000_000_000
"""A story goes on for so long after the last that was seen of it (nanoseconds)."""
MOST_STEPS: Final = 40
FEWEST_RULES: Final = 2
RAISED_AT: Final = 3
"""Different rules that agree, one of them about a change of the process: the story is graver than each."""

PATTERNS: Final[Mapping[str, str]] = {
    "modbus.stranger_takes_over": "Modbus registers read and overwritten from outside, as FrostyGoop did",
    "bacnet.mass_override": "BACnet's priority arrays taken over",
    "dnp3.silenced_before_control": "a DNP3 outstation silenced, then operated",
    "s7comm.stop_and_download": "an S7 controller stopped, then loaded",
    "pivot.remote_execution": "a program carried over an administrative share and started as a service",
}
"""Rules that know a whole attack, and what it is known as; they name the story."""
CHAIN: Final = "pivot.chain"

ACTS: Final = frozenset(
    (
        CHAIN,
        "policy.violation",
        "policy.unknown_asset",
        "network.address_conflict",
        "exposure.blind_writer",
        "exposure.scan",
        "exposure.public_client",
        "exposure.remote_access",
        "exposure.remote_support",
        "exposure.cleartext_console",
        "exposure.default_credential",
        "process.limit",
        "process.safety_write",
    )
)
"""Native detectors that tell what somebody did; of rules all that are about traffic do."""
STATES: Final = ("exposure.", "policy.", "network.", "protocol.")
"""Rules about how the network is, but for those above."""
DEVICE_FIRST: Final = frozenset(("exposure.public_client", "exposure.default_credential"))
"""Findings that name the device before who acts on it."""
LOOKS: Final = ("scan", "sweep", "discover", "probe")
"""Words in the names of rules that reach nobody."""

TRIED: Final = ("refused", "unanswered")
"""Words in the names of rules about commands that nobody was seen to carry out."""


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One step of a story in plain words, with its proof and the findings that tell more."""

    text: str
    client: str
    servers: tuple[str, ...]
    first_time: int
    last_time: int
    evidence: tuple[Evidence, ...]
    findings: tuple[str, ...]  # ids


@dataclass(frozen=True, slots=True)
class Incident:
    """A story. Its id is that of its first finding's making, and stays while the story grows."""

    id: str
    title: str
    severity: Severity
    reasons: tuple[str, ...]  # why this severity
    owner: Owner
    assets: tuple[str, ...]
    steps: tuple[StoryStep, ...]  # in the order of their times
    findings: tuple[str, ...]  # ids, in the order of the steps
    technique: tuple[str, ...]
    pattern: str = ""  # what this attack is known as
    first_time: int = 0
    last_time: int = 0


@dataclass(slots=True)
class _Story:
    findings: list[Finding] = field(default_factory=list)
    actors: set[str] = field(default_factory=set)
    reached: set[str] = field(default_factory=set)
    last_time: int = 0

    def takes(self, finding: Finding) -> bool:
        actor = _actor(finding)
        return finding.first_time <= self.last_time + GOING_ON and (actor in self.actors or actor in self.reached)

    def add(self, finding: Finding) -> None:
        self.findings.append(finding)
        self.actors.add(_actor(finding))
        self.reached.update(_reached(finding))
        self.last_time = max(self.last_time, finding.last_time)


def incidents(findings: Iterable[Finding]) -> tuple[Incident, ...]:
    """The stories, the gravest first."""
    stories: list[_Story] = []
    for finding in sorted(filter(_is_act, findings), key=_order):
        taking = [story for story in stories if story.takes(finding)]
        story = taking[0] if taking else _Story()
        for other in taking[1:]:  # two stories that meet are one
            for item in other.findings:
                story.add(item)
            stories.remove(other)
        if not taking:
            stories.append(story)
        story.add(finding)
    told = [_incident(sorted(story.findings, key=_order)) for story in stories if _is_story(story.findings)]
    return tuple(sorted(told, key=lambda one: (-SEVERITIES.index(one.severity), one.first_time, one.id)))


def _order(finding: Finding) -> tuple[int, int, str]:
    return finding.first_time, finding.last_time, finding.id


def _is_act(finding: Finding) -> bool:
    if not (finding.first_time and finding.assets):
        return False
    return finding.rule in ACTS or (not finding.rule.startswith(STATES) and _is_weighty(finding))


def _is_weighty(finding: Finding) -> bool:
    return SEVERITIES.index(finding.severity) >= SEVERITIES.index("medium")


def _actor(finding: Finding) -> str:
    if finding.rule in DEVICE_FIRST and len(finding.assets) > 1:
        return finding.assets[1]
    return finding.assets[0]


def _targets(finding: Finding) -> tuple[str, ...]:
    actor = _actor(finding)
    return tuple(asset for asset in finding.assets if asset != actor)


def _reached(finding: Finding) -> tuple[str, ...]:
    looks = not _changes(finding) and any(word in f"{finding.operation} {finding.rule}" for word in LOOKS)
    return () if looks else (*_targets(finding), *(step.server for step in finding.steps))


def _is_story(findings: Sequence[Finding]) -> bool:
    """Several kinds of acts of some weight, or one that is a story by itself."""
    if any(_names_story(finding) for finding in findings):
        return True
    return len({finding.rule for finding in findings if _is_weighty(finding)}) >= FEWEST_RULES


def _bounded(steps: tuple[StoryStep, ...]) -> tuple[StoryStep, ...]:
    """The first of a long story, and how many come after them."""
    if len(steps) <= MOST_STEPS:
        return steps
    rest = steps[MOST_STEPS - 1 :]
    servers = tuple(dict.fromkeys(server for step in rest for server in step.servers))
    told = tuple(dict.fromkeys(finding for step in rest for finding in step.findings))
    last = max(step.last_time for step in rest)
    text = f"And {len(rest)} further steps, which their findings tell."
    return (*steps[: MOST_STEPS - 1], StoryStep(text, "", servers, rest[0].first_time, last, (), told))


def _incident(findings: Sequence[Finding]) -> Incident:
    head = max(findings, key=lambda one: (_names_story(one), SEVERITIES.index(one.severity), -one.first_time))
    severity, reasons = _severity(findings)
    steps = tuple(_steps(findings))
    owners = {finding.owner for finding in findings}
    key = "\x1f".join(("incident", findings[0].id))
    return Incident(
        id=hashlib.sha256(key.encode()).hexdigest()[:16],
        title=head.title,
        severity=severity,
        reasons=reasons,
        owner=owners.pop() if len(owners) == 1 else "both",
        assets=tuple(dict.fromkeys(asset for finding in findings for asset in (_actor(finding), *_reached(finding)))),
        steps=_bounded(steps),
        findings=tuple(finding.id for finding in findings),
        technique=tuple(dict.fromkeys(item for finding in findings for item in finding.technique)),
        pattern=PATTERNS.get(head.rule, ""),
        first_time=min(finding.first_time for finding in findings),
        last_time=max(finding.last_time for finding in findings),
    )


def _names_story(finding: Finding) -> int:
    return 2 if finding.rule in PATTERNS else int(finding.rule == CHAIN)


def _severity(findings: Sequence[Finding]) -> tuple[Severity, tuple[str, ...]]:
    """The gravest of its findings; one more where several kinds of them end in a change of the process."""
    worst = max(findings, key=lambda one: SEVERITIES.index(one.severity))
    reasons = [f"{worst.severity}: {worst.title}"]
    reasons += dict.fromkeys(f"known as: {PATTERNS[one.rule]}" for one in findings if one.rule in PATTERNS)
    weighty = sorted({one.rule for one in findings if _is_weighty(one)})
    changes = any(_changes(finding) for finding in findings)
    severity = worst.severity
    if len(weighty) >= RAISED_AT and changes and severity != "critical":
        severity = SEVERITIES[SEVERITIES.index(severity) + 1]
        reasons.append(
            f"raised: {len(weighty)} different rules agree ({listing(weighty)}), and the process was changed"
        )
    return severity, tuple(reasons)


def _changes(finding: Finding) -> bool:
    if any(word in finding.rule for word in TRIED):
        return False
    return bool(finding.changes) or bool(STATE_CHANGING & set(finding.operation.replace(",", " ").split()))


def _steps(findings: Sequence[Finding]) -> Iterator[StoryStep]:
    """What each finding tells; of a chain only what no other finding tells."""
    plain = [finding for finding in findings if finding.rule != CHAIN]
    groups: dict[tuple[str, str], list[Finding]] = {}
    for finding in plain:
        groups.setdefault((finding.rule, _actor(finding)), []).append(finding)
    seen: set[Change] = set()
    told = [_step(group, seen) for group in groups.values()]
    known = {(step.client, server) for step in told for server in step.servers}
    for finding in findings:
        if finding.rule == CHAIN:
            told += [_hop(step, finding) for step in finding.steps if (step.client, step.server) not in known]
    yield from sorted(told, key=lambda step: (step.first_time, step.last_time, step.text))


def _step(findings: Sequence[Finding], seen: set[Change]) -> StoryStep:
    """What a rule tells of one actor, whomever he acts on. `seen` are changes that a step before has told."""
    first = findings[0]
    new = [one for finding in findings for one in finding.changes if one not in seen]
    seen.update(new)
    changed = [f"{one.target}: {one.before} to {one.after}" for one in new]
    more = f", and {len(findings) - 1} more of this kind" if len(findings) > 1 else ""
    return StoryStep(
        text=f"{first.title}{more}{f' ({listing(changed, 4)})' if changed else ''}",
        client=_actor(first),
        servers=tuple(dict.fromkeys(target for finding in findings for target in _targets(finding))),
        first_time=first.first_time,
        last_time=max(finding.last_time for finding in findings),
        evidence=tuple(item for finding in findings for item in finding.evidence)[:MOST_EVIDENCE],
        findings=tuple(finding.id for finding in findings),
    )


def _hop(step: Step, finding: Finding) -> StoryStep:
    return StoryStep(
        text=f"{step.client} to {step.server}: {step.protocol} {step.what}",
        client=step.client,
        servers=(step.server,),
        first_time=step.first_time,
        last_time=step.last_time,
        evidence=step.evidence,
        findings=(finding.id,),
    )
