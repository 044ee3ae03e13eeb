"""One deviation, how severe it is, and the words for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from zonewatch.inventory.model import Evidence
from zonewatch.rules.baseline.model import STAGES, Stage
from zonewatch.rules.findings import Severity

Kind = Literal[
    "new_asset",
    "new_edge",
    "new_operation",
    "new_function",
    "new_object",
    "value_range",
    "changed_period",
    "silent_device",
    "unusual_transition",
    "direct_operate",
    "second_master",
    "off_hours",
    "role_change",
    "identity_changed",
]
Part = Literal["who", "role", "what", "value", "time", "device"]


class About(NamedTuple):
    """What is said of all deviations of a kind."""

    part: Part  # two of different parts are independent of each other
    title: str
    technique: tuple[str, ...]
    requirement: tuple[str, ...]
    remedy: str


KINDS: Final[Mapping[Kind, About]] = {
    "new_asset": About(
        "who", "A device that the baseline does not know", ("T0864",), ("SR 7.8", "SR 6.2"), "Find it, and who put it."
    ),
    "new_edge": About(
        "who",
        "A conversation that the baseline does not know",
        ("T0886",),
        ("SR 6.2", "SR 5.2"),
        "Ask who needs it. Learn and review it, or block it.",
    ),
    "new_operation": About(
        "what",
        "An operation that was never used",
        ("T1692.001", "T0855"),
        ("SR 2.1",),
        "Compare with the log of changes; ask the person at the client.",
    ),
    "new_function": About(
        "what",
        "A function that was never used",
        ("T1692.001", "T0855"),
        ("SR 2.1",),
        "Compare with the log of changes; ask the person at the client.",
    ),
    "new_object": About(
        "what",
        "Objects were written that never were before",
        ("T0836",),
        ("SR 2.1", "SR 3.6"),
        "Compare the values with what the drawings and the log of changes say.",
    ),
    "value_range": About(
        "value",
        "A value outside its learned range",
        ("T0836",),
        ("SR 3.5", "SR 3.6"),
        "Compare with the process. Set `limits` in the baseline where the range is too narrow.",
    ),
    "changed_period": About(
        "time",
        "Polling is not as it was",
        ("T0830",),
        ("SR 3.1", "SR 7.1"),
        "See whether the client was changed or restarted, and whether anything sits between the two.",
    ),
    "silent_device": About(
        "time",
        "A device has fallen silent",
        ("T0815",),
        ("SR 7.1", "SR 6.2"),
        "See whether the device is up. If it is, see whether the capture still sees its segment.",
    ),
    "unusual_transition": About(
        "what",
        "Functions in an order that was never seen",
        ("T1692.001", "T0855"),
        ("SR 6.2",),
        "Compare with how the operators work.",
    ),
    "direct_operate": About(
        "what",
        "A command without selecting first, where selecting is the habit",
        ("T1692.001", "T0855"),
        ("SR 2.1", "SR 3.6"),
        "Ask who gave the command; compare with the master's own log.",
    ),
    "second_master": About(
        "role",
        "An outstation has a second master",
        ("T0848",),
        ("SR 1.2", "SR 2.1"),
        "Find the device. If it is the redundant master, learn and review it.",
    ),
    "off_hours": About(
        "time",
        "A change at an hour at which nobody makes one",
        ("T0859",),
        ("SR 2.1",),
        "Ask who was at work.",
    ),
    "role_change": About(
        "role",
        "A device in a role that it never had",
        ("T0848",),
        ("SR 1.2",),
        "See whether its program was changed; treat it as taken over until somebody answers for it.",
    ),
    "identity_changed": About(
        "device",
        "A device says that it is another one",
        ("T1693.001", "T0857"),
        ("SR 3.4", "SR 7.8"),
        "Compare with the maintenance record; compare the program with the last known good one.",
    ),
}


@dataclass(frozen=True, slots=True)
class Deviation:
    """Something that is not as it was learned."""

    kind: Kind
    identity: tuple[tuple[str, str], ...]  # what makes it the same deviation next week
    text: str
    bits: float  # surprise
    days: int  # on which it was learned what is usual
    learned: int  # how often
    count: int  # how often it deviates now
    first_time: int
    last_time: int
    evidence: tuple[Evidence, ...]
    client: str = ""
    server: str = ""  # or the device that it is about
    protocol: str = ""
    function: str = ""
    operation: str = ""
    target: str = ""
    several: tuple[str, ...] = ()  # devices that it is about beside those
    limits: tuple[str, ...] = ()  # why it may be less than it seems
    mild: str = ""  # why it is less than others of its kind
    stage: Stage = "learning"
    severity: Severity = "info"
    reasons: tuple[str, ...] = ()

    @property
    def part(self) -> Part:
        """The part of what is known that it is about."""
        return KINDS[self.kind].part

    @property
    def assets(self) -> tuple[str, ...]:
        """The devices that it is about."""
        ends = (self.client, self.server, *self.several)
        return tuple(dict.fromkeys(end for end in ends if end and not end.startswith("broadcast:")))

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from others."""
        return self.kind, self.identity


def judged(
    deviations: Iterable[Deviation], stage: Callable[[Deviation], Stage], waiting: frozenset[tuple[object, ...]]
) -> tuple[Deviation, ...]:
    """With stage and severity, the most severe first.

    Enforcing is medium, and high where two or more independent parts agree about the same two devices. What the
    capture itself may have caused agrees with nothing.
    """
    found = list(deviations)
    parts: defaultdict[tuple[str, ...], set[str]] = defaultdict(set)
    for one in found:
        # What a device says to all is no word about the device alone.
        if not one.limits and not one.mild and (len(one.assets) > 1 or not one.client):
            parts[one.assets].add(one.part)
    result = []
    for one in found:
        agreeing = set[str]()
        if not one.limits:
            agreeing |= {one.part} | parts[one.assets]
            for end in one.assets:
                agreeing |= parts[(end,)]
        at = "review" if one.key in waiting else stage(one)
        severity, reasons = _severity(at, agreeing, one, waits=one.key in waiting)
        result.append(replace(one, stage=at, severity=severity, reasons=reasons))
    return tuple(sorted(result, key=_order))


def _severity(stage: Stage, agreeing: set[str], one: Deviation, *, waits: bool) -> tuple[Severity, tuple[str, ...]]:
    reasons = [f"stage {stage}", f"surprise of {one.bits:g} bits"]
    if waits:
        return "low", ("it was learned, and waits for review", *reasons[1:])
    if stage != "enforcing":
        return ("low" if stage == "review" else "info"), tuple(reasons)
    if one.limits or one.mild:
        return "low", (*reasons, *filter(None, (one.mild, *one.limits)))
    if len(agreeing) > 1:
        return "high", (*reasons, f"{len(agreeing)} independent parts agree: {', '.join(sorted(agreeing))}")
    return "medium", (*reasons, f"only one part deviates: {one.part}")


def _order(one: Deviation) -> tuple[object, ...]:
    return -STAGES.index(one.stage), one.severity != "high", -one.bits, one.first_time, one.kind, one.identity
