"""The document of assessment results, model 1.1.3 (https://pages.nist.gov/OSCAL/).

A finding of OSCAL is what is said of a requirement: `not-satisfied` where a fact contradicts it, `satisfied` where it
is supported in full. Whatever cannot be concluded is an observation and no finding. A finding of zonewatch is an
observation with its mini capture as evidence, and a risk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from zonewatch.inventory.model import Evidence
from zonewatch.reports.attestations import Attestation
from zonewatch.reports.catalogue.load import fact_kinds, framework
from zonewatch.reports.evidence import file_name
from zonewatch.reports.facts.measure import measure
from zonewatch.reports.facts.model import WHOLE, Fact
from zonewatch.reports.oscal.words import filled, line, moment, prop, prose, token, uuid5
from zonewatch.reports.result import AuditResult, totals
from zonewatch.reports.statuses import RequirementStatus, Status, statuses
from zonewatch.reports.words import by_frame, frames, named
from zonewatch.rules.findings import Finding

__all__ = ["OSCAL_VERSION", "assessment_results", "dumps"]

OSCAL_VERSION: Final = "1.1.3"
MOST_FRAMES: Final = 12
MOST_RELATED: Final = 50
STATES: Final[Mapping[Status, tuple[str, str]]] = {
    "contradicted": ("not-satisfied", "fail"),
    "excepted": ("not-satisfied", "other"),
    "supported": ("satisfied", "pass"),
}
"""State and reason of a target. Every other status concludes nothing: it becomes an observation alone."""
RISKS: Final = {"open": "open", "accepted": "deviation-approved", "resolved": "closed"}


@dataclass(frozen=True)
class _Results:
    result: AuditResult
    frameworks: tuple[str, ...]
    sha256: str
    attested: tuple[Attestation, ...]

    @cached_property
    def tool(self) -> str:
        return uuid5("component", "zonewatch", self.result.version)

    @cached_property
    def facts(self) -> tuple[Fact, ...]:
        return measure(self.result)

    @cached_property
    def asked(self) -> tuple[RequirementStatus, ...]:
        return tuple(
            row for name in self.frameworks for row in statuses(framework(name), self.facts, self.result, self.attested)
        )

    @cached_property
    def names(self) -> Mapping[str, str]:
        return {asset.id: named(asset) for asset in self.result.inventory.assets}

    @cached_property
    def known(self) -> frozenset[str]:
        return frozenset(finding.id for finding in self.result.findings)

    @cached_property
    def observed(self) -> frozenset[tuple[str, str]]:
        """Facts with the zones in which they were observed, and everywhere."""
        return frozenset(
            (fact.id, zone) for fact in self.facts for one in fact.observations for zone in (one.zone, WHOLE)
        )

    @property
    def origins(self) -> list[dict[str, Any]]:
        return [{"actors": [{"type": "tool", "actor-uuid": self.tool}]}]

    def document(self) -> dict[str, Any]:
        result, total = self.result, totals(self.result.captures)
        system = result.policy.system or result.title or "system"
        first = moment(total.first_time)
        found = filled(
            uuid=uuid5("result", self.sha256),
            title=line(f"What traffic shows of {system}"),
            description=prose(
                "Recorded traffic, judged by the zone policy where one was given. Nothing was sent into the network.",
                "A requirement without a finding was not concluded: its observation says why.",
                *result.limits,
            ),
            start=first,
            end=moment(total.last_time) if total.last_time else "",
            local_definitions=self._local(),
            reviewed_controls=self._reviewed(),
            observations=[
                *self._fact_observations(),
                *self._open_questions(),
                *self._statements(),
                *map(self._observation, result.findings),
            ],
            risks=[self._risk(finding) for finding in result.findings],
            findings=[self._conclusion(row) for row in self.asked if row.status in STATES],
        )
        return {
            "assessment-results": {
                "uuid": uuid5("assessment-results", self.sha256, *self.frameworks),
                "metadata": {
                    "title": line(f"Assessment results of {system}"),
                    "last-modified": moment(result.as_of),
                    "version": self.sha256[:12] or "1",
                    "oscal-version": OSCAL_VERSION,
                    "props": [prop("result-sha256", self.sha256 or "not taken"), prop("policy", result.policy.name)],
                },
                "import-ap": {"href": f"#{uuid5('plan')}"},
                "results": [found],
                "back-matter": {"resources": self._resources()},
            }
        }

    def _local(self) -> dict[str, Any]:
        component = {
            "uuid": self.tool,
            "type": "software",
            "title": "zonewatch",
            "description": "Learns an OT network by listening. It never sends a packet.",
            "props": [{"name": "version", "value": self.result.version or "–"}],
            "status": {"state": "operational"},
        }
        platform = {
            "uuid": uuid5("platform", self.result.version),
            "title": "zonewatch",
            "uses-components": [{"component-uuid": self.tool}],
        }
        items = [
            filled(
                uuid=_asset_uuid(asset.id),
                description=line(named(asset)),
                props=[
                    prop(name, value)
                    for name, value in (
                        ("asset-id", asset.id),
                        ("role", asset.role),
                        ("zone", asset.zone),
                        ("vendor", asset.vendor),
                        ("model", asset.model),
                        ("firmware", asset.firmware),
                        *(("address", address) for address in asset.addresses),
                    )
                    if value
                ],
            )
            for asset in self.result.inventory.assets
        ]
        return filled(
            inventory_items=items,
            assessment_assets={"components": [component], "assessment-platforms": [platform]},
        )

    def _reviewed(self) -> dict[str, Any]:
        selections = [
            {
                "description": line(framework(name).title),
                "include-controls": [
                    {"control-id": _control(row.framework, row.id)} for row in framework(name).requirements
                ],
            }
            for name in self.frameworks
        ]
        return {"control-selections": selections}

    def _fact_observations(self) -> Iterator[dict[str, Any]]:
        """One for each fact in each place that a requirement rests on."""
        kinds = fact_kinds()
        wanted = {
            (name, row.zone) for row in self.asked for name in (*row.refuting, *row.supporting, *row.prompting)
        } & self.observed
        for fact in self.facts:
            for zone in sorted(zone for name, zone in wanted if name == fact.id):
                rows = fact.seen_in(zone)
                proof = by_frame({item for one in rows for item in one.evidence})
                kind = kinds[fact.id]
                yield filled(
                    uuid=_fact_uuid(fact.id, zone),
                    title=line(kind.title),
                    description=prose(
                        f"{kind.measured}. Observed {sum(one.count for one in rows)} times{_where(zone)}.",
                        "; ".join(f"{name}: {value}" for name, value in rows[0].values if value),
                    ),
                    props=[prop("fact", fact.id), prop("observations", len(rows)), *_zone(zone)],
                    methods=["TEST"],
                    types=["control-objective"],
                    origins=self.origins,
                    relevant_evidence=self._frames(proof),
                    collected=moment(
                        min((one.first_time for one in rows if one.first_time), default=self.result.as_of)
                    ),
                )

    def _open_questions(self) -> Iterator[dict[str, Any]]:
        """What was asked and not concluded, with its reason."""
        for row in self.asked:
            if row.status in STATES or row.status == "not_asked":
                continue
            yield filled(
                uuid=uuid5("open", row.requirement.framework, row.requirement.id, row.zone),
                title=line(f"{row.requirement.id} {row.requirement.title}"),
                description=prose(f"Not concluded{_where(row.zone)}: {row.status.replace('_', ' ')}."),
                props=[
                    prop("status", row.status),
                    prop("control-id", _control(row.requirement.framework, row.requirement.id)),
                    *_zone(row.zone),
                    *([prop("reason", row.reason_key)] if row.reason_key else []),
                ],
                methods=["TEST"],
                types=["control-objective"],
                origins=self.origins,
                collected=moment(self.result.as_of),
            )

    def _statements(self) -> Iterator[dict[str, Any]]:
        """What persons state, with their document: examined by them, and concluded by nobody here."""
        for row in self.asked:
            one = row.attestation
            if one is None:
                continue
            control = _control(row.requirement.framework, row.requirement.id)
            yield filled(
                uuid=uuid5("attested", row.requirement.framework, row.requirement.id, row.zone),
                title=line(f"{row.requirement.id} {row.requirement.title}"),
                description=prose(f"Stated by {one.by}{_where(row.zone)}: {one.document}. No traffic shows it."),
                props=[
                    prop("status", row.status),
                    prop("control-id", control),
                    prop("by", one.by),
                    *_zone(row.zone),
                ],
                methods=["EXAMINE"],
                types=["control-objective"],
                relevant_evidence=[
                    {
                        "description": line(f"Document {one.document}, of {one.on}"),
                        "props": [prop("sha256", one.sha256)],
                    }
                ],
                collected=f"{one.on}T00:00:00Z",
            )

    def _observation(self, finding: Finding) -> dict[str, Any]:
        files = {row.finding for row in self.result.evidence}
        kept = [{"href": file_name(finding.id), "description": "Mini capture of the packets behind it."}]
        return filled(
            uuid=_observation_uuid(finding.id),
            title=line(finding.title),
            description=prose(finding.title, finding.description),
            props=[prop("finding", finding.id), prop("rule", finding.rule), prop("count", finding.count)],
            methods=["TEST"],
            types=["finding"],
            origins=self.origins,
            subjects=[
                {"subject-uuid": _asset_uuid(name), "type": "inventory-item", "title": line(self.names[name])}
                for name in dict.fromkeys(finding.assets)
                if name in self.names
            ],
            relevant_evidence=[*(kept if finding.id in files else []), *self._frames(finding.evidence)],
            collected=moment(finding.first_time or self.result.as_of),
        )

    def _frames(self, evidence: Iterable[Evidence]) -> list[dict[str, Any]]:
        told = frames(evidence, MOST_FRAMES)
        return [{"description": line(f"Frames of the captures: {told}")}] if told else []

    def _risk(self, finding: Finding) -> dict[str, Any]:
        facet = {"name": "severity", "system": "urn:zonewatch:severity", "value": finding.severity}
        return filled(
            uuid=_risk_uuid(finding.id),
            title=line(finding.title),
            description=prose(finding.description or finding.title),
            statement=prose("; ".join(finding.reasons) or finding.title),
            props=[prop("owner", finding.owner), *(prop("technique", name) for name in finding.technique)],
            status=RISKS[finding.state],
            origins=self.origins,
            characterizations=[{"origin": self.origins[0], "facets": [facet]}],
            remediations=[
                {
                    "uuid": uuid5("response", finding.id),
                    "lifecycle": "recommendation",
                    "title": "Remedy",
                    "description": prose(finding.remedy),
                }
            ]
            if finding.remedy
            else [],
            related_observations=[{"observation-uuid": _observation_uuid(finding.id)}],
        )

    def _conclusion(self, row: RequirementStatus) -> dict[str, Any]:
        state, reason = STATES[row.status]
        about = row.supporting if row.status == "supported" else row.refuting
        proof = [name for name in about if (name, row.zone) in self.observed]
        told = dict.fromkeys(
            finding
            for fact in self.facts
            if fact.id in proof
            for one in fact.seen_in(row.zone)
            for finding in one.findings
            if finding in self.known
        )
        related = [] if row.status == "supported" else list(told)[:MOST_RELATED]
        return filled(
            uuid=uuid5("finding", row.requirement.framework, row.requirement.id, row.zone),
            title=line(f"{row.requirement.id} {row.requirement.title}"),
            description=prose(
                f"{row.status.replace('_', ' ').capitalize()}{_where(row.zone)}, by what traffic shows: "
                f"{', '.join(about)}."
            ),
            props=[prop("status", row.status), *_zone(row.zone), *(prop("exception", name) for name in row.exceptions)],
            origins=self.origins,
            target={
                "type": "objective-id",
                "target-id": _control(row.requirement.framework, row.requirement.id),
                "status": {"state": state, "reason": reason},
            },
            related_observations=[
                *({"observation-uuid": _fact_uuid(name, row.zone)} for name in proof),
                *({"observation-uuid": _observation_uuid(name)} for name in related),
            ],
            related_risks=[{"risk-uuid": _risk_uuid(name)} for name in related],
        )

    def _resources(self) -> list[dict[str, Any]]:
        plan = {
            "uuid": uuid5("plan"),
            "title": "How traffic is assessed",
            "description": "No assessment plan in OSCAL: captures are decoded and judged by policy, facts and the "
            "rules of this version; the files that were assessed follow.",
        }
        given = [(capture.name, capture.sha256, "capture") for capture in self.result.captures]
        given += [(self.result.policy.name, self.result.policy.sha256, "policy")] if self.result.policy.given else []
        rows = [
            filled(
                uuid=uuid5("resource", kind, name, sha256, str(place)),
                title=line(name),
                props=[prop("kind", kind), *([prop("sha256", sha256)] if sha256 else [])],
            )
            for place, (name, sha256, kind) in enumerate(given)
        ]
        return [plan, *rows]


def _control(framework_name: str, requirement: str) -> str:
    """The id of a control: that of NIST's own catalogue where it is one of SP 800-53, else one of our own."""
    if framework_name in _OF_800_53:
        return token(_ENHANCEMENT.sub(r".\1", requirement))
    return token(f"{framework_name}_{requirement}")


_OF_800_53: Final = frozenset(("nist-800-82r3",))
"""Frameworks that choose among the controls of SP 800-53: `AC-2(1)` is `ac-2.1` in its catalogue in OSCAL."""
_ENHANCEMENT: Final = re.compile(r" ?\(([0-9]+)\)")


def _where(zone: str) -> str:
    return f" in zone {zone}" if zone else ""


def _zone(zone: str) -> list[dict[str, str]]:
    return [prop("zone", zone)] if zone else []


def _asset_uuid(name: str) -> str:
    return uuid5("asset", name)


def _fact_uuid(name: str, zone: str) -> str:
    return uuid5("fact", name, zone)


def _observation_uuid(finding: str) -> str:
    return uuid5("observation", finding)


def _risk_uuid(finding: str) -> str:
    return uuid5("risk", finding)


def assessment_results(
    result: AuditResult,
    sha256: str = "",
    frameworks: tuple[str, ...] = ("iec62443-3-3",),
    attested: tuple[Attestation, ...] = (),
) -> dict[str, Any]:
    """The document as JSON values. `sha256` is that of `result.json`; the same inputs give the same ids.

    `frameworks` are those of the catalogue. What persons attest is an observation of theirs, never a conclusion.
    """
    return _Results(result, frameworks, sha256, attested).document()


def dumps(
    result: AuditResult,
    sha256: str = "",
    frameworks: tuple[str, ...] = ("iec62443-3-3",),
    attested: tuple[Attestation, ...] = (),
) -> str:
    """The text of `oscal.json`: ASCII, one newline at the end."""
    return json.dumps(assessment_results(result, sha256, frameworks, attested), indent=2) + "\n"
