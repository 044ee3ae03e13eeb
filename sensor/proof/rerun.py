"""A finding judged again on its mini capture, by the same rules and what the audit was given."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.reports.proof import pcapng
from zonewatch.reports.proof.cut import cut_packets
from zonewatch.reports.proof.kinds import kind_of
from zonewatch.reports.proof.pcapng import PcapngError
from zonewatch.reports.result import AuditResult
from zonewatch.reports.words import listed, visible
from zonewatch.rules.findings import Finding
from zonewatch.sensor.decoding import decode
from zonewatch.sensor.pipeline import Given, assess

__all__ = ["OUTCOMES", "Judged", "Outcome", "differs", "judged", "shows_less"]

Outcome = Literal["holds", "does not hold", "needs the whole capture", "no evidence"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("does not hold", "no evidence", "needs the whole capture", "holds")
"""Those that ask for attention first."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What a mini capture says of its finding."""

    finding: str  # its id
    rule: str
    severity: str
    title: str
    outcome: Outcome
    why: str = ""


def judged(finding: Finding, octets: bytes | None, result: AuditResult, given: Given, lacking: str = "") -> Judged:
    """Judges a finding by its mini capture alone. `octets` is none where there is no such file.

    `lacking` says what the audit was given and is not at hand, should there be something.
    """
    outcome, why = _outcome(finding, octets, result, given, lacking)
    return Judged(finding.id, finding.rule, finding.severity, finding.title, outcome, why)


def _outcome(
    finding: Finding, octets: bytes | None, result: AuditResult, given: Given, lacking: str
) -> tuple[Outcome, str]:
    kind = kind_of(finding.rule)
    if kind is not None and kind.needs == "silence":
        return "needs the whole capture", kind.why
    if octets is None:
        return "no evidence", "there is no mini capture of it" if finding.evidence else "it names no packets"
    try:
        again = _assessed(octets, result, given)
    except PcapngError as error:
        return "no evidence", f"its mini capture cannot be read: {error}"
    if again.partial:
        problems = [row.problem for row in again.captures if row.problem]
        return "no evidence", f"its mini capture cannot be read whole: {visible(listed(problems))}"
    why = differs(finding, again.findings)
    if not why and kind is not None and kind.needs == "roles" and (others := _other_roles(finding, result, again)):
        return "needs the whole capture", f"{kind.why}: {visible(listed(others))}"
    if not why:
        return "holds", _shown(finding, again)
    if kind is not None:
        return "needs the whole capture", kind.why
    if lacking:
        return "needs the whole capture", f"{why}; {lacking}"
    if _left_out(finding, result):
        return "needs the whole capture", f"{why}; its mini capture lacks packets, as there were too many"
    if cut_packets(pcapng.loads(octets)):
        return "needs the whole capture", f"{why}; contents that may hold secrets are cut out of its mini capture"
    if shows_less(finding, result, again):
        return (
            "needs the whole capture",
            f"{why}; how its connections were answered is in packets that its mini capture lacks",
        )
    return "does not hold", why


def shows_less(finding: Finding, result: AuditResult, again: AuditResult) -> bool:
    """Whether a connection that is judged as a whole has another state or service by the mini capture: of what nobody
    decoded, it holds the packet that opened it."""
    return not finding.operation and not _connections(finding, again) <= _connections(finding, result)


def _connections(finding: Finding, result: AuditResult) -> set[tuple[str, str, str, str]]:
    return {
        (edge.client, edge.server, edge.protocol, edge.state)
        for edge in result.inventory.edges
        if {edge.client, edge.server}.issubset(finding.assets)
    }


def _assessed(octets: bytes, result: AuditResult, given: Given) -> AuditResult:
    """The mini capture's own result, at the capture points of the audit: ids of assets may name them."""
    points = list(dict.fromkeys(row.source for row in result.captures))
    whole = pcapng.loads(octets)
    with tempfile.TemporaryDirectory(prefix="zonewatch-") as folder:
        sources = []
        for number, point in enumerate(points):
            path = Path(folder) / f"{number}.pcapng"
            path.write_bytes(octets if len(points) == 1 else pcapng.dumps(pcapng.of_point(whole, point)))
            sources.append(Source(point, (CaptureFile(path.name, path),)))
        return assess(decode(sources), given, title="", findings_alone=True)


def differs(finding: Finding, found: Iterable[Finding]) -> str:
    """In what the findings of a mini capture are not this one; empty where it is among them.

    Identity (the id), protocol, operation and verdict are the same, no other party is in it, and values were changed to
    the same ones. A finding names at most eight packets: of many parties these show some.
    """
    same = [one for one in found if one.id == finding.id]
    if not same:
        return "the rule does not tell it of these packets"
    again = same[0]
    for name in ("protocol", "operation", "verdict"):
        if (told := getattr(finding, name)) != (seen := getattr(again, name)):
            return f"{name} is {visible(str(seen or 'none'))} in these packets, not {visible(str(told or 'none'))}"
    if others := sorted(set(again.assets) - set(finding.assets)):
        return f"these packets are of {visible(listed(others))} too"
    return _values_differ(finding, again)


def _values_differ(finding: Finding, again: Finding) -> str:
    """What was set to another value in the packets. They may show more: to a part of the traffic every value is new."""
    seen: defaultdict[str, set[str]] = defaultdict(set)
    for change in again.changes:
        seen[change.target].add(change.after)
    known = [change for change in finding.changes if change.target in seen]
    for change in known or finding.changes[:1]:
        if change.after not in seen[change.target]:
            packets = visible(listed(sorted(seen[change.target]))) or "nothing"
            return f"{visible(change.target)} is set to {packets} in these packets, not to {visible(change.after)}"
    return ""


def _shown(finding: Finding, again: AuditResult) -> str:
    """How many of its parties the packets show, where these are not all."""
    parties = {name for one in again.findings if one.id == finding.id for name in one.assets}
    if len(parties) >= len(finding.assets):
        return ""
    return f"its packets show {len(parties)} of {len(finding.assets)} parties"


def _left_out(finding: Finding, result: AuditResult) -> int:
    return next((row.left_out for row in result.evidence if row.finding == finding.id), 0)


def _other_roles(finding: Finding, result: AuditResult, again: AuditResult) -> Sequence[str]:
    """Names of the finding's assets that have another role by these packets alone."""
    now = {asset.id: asset.role for asset in again.inventory.assets}
    return [
        asset.short_name
        for asset in result.inventory.assets
        if asset.id in finding.assets and now.get(asset.id, asset.role) != asset.role
    ]
