"""What the facts say of each requirement, zone by zone. Never "compliant", no score: seven words, each with its rule.

    statuses(framework("iec62443-3-3"), measure(result), result)

| status | rule |
|---|---|
| contradicted | a refuting fact was observed, and no approved exception covers it |
| excepted | every refuting fact observed is covered by an approved exception, or by an approved record of the zone |
| supported | observable in full, enough seen, no refuting fact, a supporting one |
| partly_supported | the same where it is observable in part, or where a fact shows that it holds for a part only |
| no_evidence | enough seen, and nothing for or against |
| not_observable | not to be seen on the network, or not enough seen |
| attested | the two before it, where a person gave a document |
| not_asked | the security level target of the zone does not ask for it |
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from zonewatch.reports.attestations import Attestation, attestation_of
from zonewatch.reports.catalogue.model import Framework, Requirement
from zonewatch.reports.facts.measure import visibilities
from zonewatch.reports.facts.model import MINIMUM, WHOLE, Fact, FactStatus, Minimum, Visibility
from zonewatch.reports.result import AuditResult, ZoneInfo

__all__ = ["STATUSES", "RequirementStatus", "Status", "statuses"]

Status = Literal[
    "contradicted",
    "excepted",
    "supported",
    "partly_supported",
    "no_evidence",
    "not_observable",
    "attested",
    "not_asked",
]
STATUSES: Final[tuple[Status, ...]] = (
    "contradicted",
    "excepted",
    "not_observable",
    "no_evidence",
    "partly_supported",
    "supported",
    "attested",
    "not_asked",
)
"""From the worst to the best; the last is none of them."""
NO_SUBJECT: Final = "no_safety_zone"
"""Why nothing supports a requirement about safety zones where there is none: it would be about nothing."""
_SETTLED: Final = frozenset(("compensated", "excepted"))


@dataclass(frozen=True, slots=True)
class RequirementStatus:
    """The status of a requirement in a zone, with the facts (ids) behind it."""

    requirement: Requirement
    zone: str  # WHOLE: the whole system
    status: Status
    target: int | None = None  # SL-T of its foundational requirement; none where none is set, or none is asked for
    refuting: tuple[str, ...] = ()
    supporting: tuple[str, ...] = ()
    narrowing: tuple[str, ...] = ()  # what keeps the supporting facts to a part: observed, or not to be told
    prompting: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()  # refuting facts of which nothing can be said here: evidence still missing
    exceptions: tuple[str, ...] = ()  # ids of exceptions and windows; zone/requirement of a record
    attestation: Attestation | None = None
    reason_key: str = ""  # why it is not observable


def statuses(
    framework: Framework,
    facts: Iterable[Fact],
    result: AuditResult,
    attestations: Iterable[Attestation] = (),
    minimum: Minimum = MINIMUM,
    sight: Iterable[Visibility] | None = None,
) -> tuple[RequirementStatus, ...]:
    """Each requirement of a framework in each zone of the policy; of one without zones in the whole system.

    `minimum` is the one that the facts were measured with, and `sight` what `visibilities` says by it, where known.
    """
    known = {fact.id: _Known(fact) for fact in facts}
    attested = tuple(attestations)
    seen = visibilities(result, minimum) if sight is None else sight
    blind = {row.zone: row.reason_key for row in seen}
    blind[WHOLE] = next(filter(None, blind.values()), "") if blind else "nothing_declared"
    places: list[ZoneInfo | None] = [None]
    if framework.zoned and result.policy.given:
        places = [zone for zone in result.zones if zone.kind != "external"]
    return tuple(
        _status(requirement, place, known, result, attested, blind[place.id if place is not None else WHOLE])
        for place in places
        for requirement in framework.requirements
    )


def _status(
    requirement: Requirement,
    place: ZoneInfo | None,
    facts: Mapping[str, _Known],
    result: AuditResult,
    attested: tuple[Attestation, ...],
    blind: str,
) -> RequirementStatus:
    zone = place.id if place is not None else WHOLE
    target = dict(place.levels).get(requirement.foundation) if place is not None else None
    if target is not None and requirement.min_sl > target:
        return RequirementStatus(requirement, zone, "not_asked", target)
    relations = requirement.relations
    record = _record(requirement, place, result)
    refuting, excepted, exceptions = _refuting(relations.refutes, zone, facts, record)
    supporting = _observed(relations.supports, zone, facts)
    unknown = tuple(name for name in relations.refutes if facts[name].status(zone) == "not_observable")
    narrowing = tuple(name for name in relations.narrows if facts[name].status(zone) != "not_observed")
    status, reason = _rule(requirement, refuting, excepted, supporting, narrowing, unknown, blind, zone, facts)
    attestation = attestation_of(attested, requirement.framework, requirement.id, zone)
    if attestation is not None and status in ("no_evidence", "not_observable"):
        status = "attested"
    return RequirementStatus(
        requirement=requirement,
        zone=zone,
        status=status,
        target=target,
        refuting=(*refuting, *excepted),
        supporting=supporting,
        narrowing=narrowing if supporting else (),
        prompting=_observed(relations.prompts, zone, facts),
        inputs=_observed(relations.inputs, zone, facts),
        unknown=unknown,
        exceptions=exceptions,
        attestation=attestation,
        reason_key=reason,
    )


def _rule(
    requirement: Requirement,
    refuting: tuple[str, ...],
    excepted: tuple[str, ...],
    supporting: tuple[str, ...],
    narrowing: tuple[str, ...],
    unknown: tuple[str, ...],
    blind: str,
    zone: str,
    facts: Mapping[str, _Known],
) -> tuple[Status, str]:
    """The first rule that holds, and the reason where nothing can be said."""
    if refuting:
        return "contradicted", ""
    if excepted:
        return "excepted", ""
    if requirement.observable == "none":
        return "not_observable", "not_on_the_network"
    if blind:
        return "not_observable", blind
    if not supporting:
        return "no_evidence", ""
    relations = requirement.relations
    for name in (*relations.refutes, *relations.prompts):
        if _reason(facts[name], zone) == NO_SUBJECT:
            return "not_observable", NO_SUBJECT
    if requirement.observable == "partial" or narrowing:
        return "partly_supported", ""
    if unknown:
        # Of a fact that was not looked for nobody can say that there is none.
        return "not_observable", _reason(facts[unknown[0]], zone)
    return "supported", ""


class _Known:
    """A fact with its observations by zone."""

    __slots__ = ("by_zone", "fact", "places")

    def __init__(self, fact: Fact) -> None:
        self.fact = fact
        self.places = {place.zone: place for place in fact.places}
        self.by_zone: dict[str, dict[str, None]] = {}
        for own, exception in dict.fromkeys([(one.zone, one.exception) for one in fact.observations]):
            for zone in {own, WHOLE}:
                self.by_zone.setdefault(zone, {})[exception] = None

    def status(self, zone: str) -> FactStatus:
        """What may be said of it in a zone."""
        if zone == WHOLE:
            return self.fact.status
        return self.places[zone].status if zone in self.places else "not_observable"

    def exceptions(self, zone: str) -> tuple[str, ...]:
        """The exceptions of its observations in a zone, an empty one where nothing covers it; none: not observed."""
        return tuple(self.by_zone.get(zone, ()))


def _reason(known: _Known, zone: str) -> str:
    place = known.places.get(zone)
    return place.reason_key if place is not None else known.fact.reason_key


def _observed(names: Iterable[str], zone: str, facts: Mapping[str, _Known]) -> tuple[str, ...]:
    return tuple(name for name in names if facts[name].exceptions(zone))


def _refuting(
    names: Iterable[str], zone: str, facts: Mapping[str, _Known], record: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The refuting facts observed that nothing covers, those that are covered, and what covers them."""
    open_, covered, exceptions = [], [], dict[str, None]()
    for name in names:
        covering = facts[name].exceptions(zone)
        if not covering:
            continue
        if record or all(covering):
            covered.append(name)
        else:
            open_.append(name)
        exceptions |= dict.fromkeys(filter(None, covering))
    if covered and record:
        exceptions[record] = None
    return tuple(open_), tuple(covered), tuple(exceptions)


def _record(requirement: Requirement, place: ZoneInfo | None, result: AuditResult) -> str:
    """Where the approved policy says of a zone that a requirement is compensated or excepted; empty where nowhere."""
    policy = result.policy
    today = dt.datetime.fromtimestamp(result.as_of // 1_000_000_000, dt.UTC).date().isoformat()
    if place is None or not policy.approved_by or (policy.valid_until and policy.valid_until < today):
        return ""
    for row in place.requirements:
        stated = row.status in _SETTLED and (row.compensating or row.status == "excepted")
        if row.id == requirement.id and stated and (not row.due or row.due >= today):
            return f"{place.id}/{row.id}"
    return ""
