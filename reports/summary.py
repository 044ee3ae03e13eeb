"""The result in plain words: the sentences that stand on top of every report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from zonewatch.reports.result import AuditResult, totals
from zonewatch.reports.words import counted, duration, listed, number, operation, period
from zonewatch.rules.findings import SEVERITIES, Finding, Severity, Verdict

__all__ = ["Summary", "headline", "summarise"]


@dataclass(frozen=True, slots=True)
class Summary:
    """Sentences, and the counts that stand beside them."""

    headline: str
    sentences: tuple[str, ...]
    severities: tuple[tuple[Severity, int], ...]  # open findings, the gravest first
    verdicts: tuple[tuple[Verdict, int], ...]  # events on control protocols
    period: str
    length: str
    packets: int


def summarise(result: AuditResult) -> Summary:
    """What a reader should know before anything else."""
    open_findings = tuple(finding for finding in result.findings if finding.state == "open")
    severities = Counter(finding.severity for finding in open_findings)
    judged: Counter[Verdict] = Counter()
    for cell in result.matrix:
        if cell.operation:
            judged[cell.verdict] += cell.events
    total = totals(result.captures)
    return Summary(
        headline(open_findings),
        tuple(
            sentence
            for sentence in (*_stories(result), *_seen(result), *_judged(result, judged), *_changed(open_findings))
            if sentence
        ),
        tuple((severity, severities[severity]) for severity in reversed(SEVERITIES)),
        tuple((verdict, judged[verdict]) for verdict in ("violation", "unzoned", "cannot_conclude", "allowed")),
        period(total.first_time, total.last_time),
        duration(total.last_time - total.first_time),
        total.packets,
    )


def headline(findings: tuple[Finding, ...]) -> str:
    """One sentence on what needs acting on."""
    grave = [
        counted(count, f"{severity} finding")
        for severity in ("critical", "high")
        if (count := sum(finding.severity == severity for finding in findings))
    ]
    rest = sum(finding.severity not in ("critical", "high") for finding in findings)
    if grave:
        tail = f", and {number(rest)} of lesser weight" if rest else ""
        return f"{listed(grave)} ask{'s' if len(findings) - rest == 1 else ''} for action{tail}."
    if rest:
        return f"No critical or high finding; {counted(rest, 'finding')} of lesser weight."
    return "No findings. This speaks only for the traffic that was seen."


def _stories(result: AuditResult) -> tuple[str, ...]:
    """The incidents, the gravest by its title."""
    if not result.incidents:
        return ()
    first, more = result.incidents[0], len(result.incidents) - 1
    rest = f", and {counted(more, 'incident')} more" if more else ""
    made = f"{counted(len(first.findings), 'finding')} make up an incident of {first.severity} severity"
    return (f"{made}: {first.title}{rest}.",)


def _seen(result: AuditResult) -> tuple[str, ...]:
    inventory, total = result.inventory, totals(result.captures)
    ot = [edge for edge in inventory.edges if edge.ot]
    names = sorted({edge.protocol for edge in ot})
    control, every = sum(asset.kind == "ot" for asset in inventory.assets), len(inventory.assets)
    part = f", {number(control)} of them part of the control system" if every > 1 else ", part of the control system"
    speakers = part if control else ""
    spoken = (
        f"Control protocols: {listed(names)}, on {counted(len(ot), 'connection')} between devices."
        if names
        else "No control protocol that zonewatch reads was seen."
    )
    external = sorted(asset.name for asset in inventory.assets if asset.kind == "external")
    return (
        f"In {duration(total.last_time - total.first_time)} of traffic ({counted(total.packets, 'packet')}, "
        f"{_inputs(result)}), {counted(len(inventory.assets), 'device')} "
        f"{'was' if len(inventory.assets) == 1 else 'were'} seen{speakers}.",
        spoken,
        f"{counted(len(external), 'public address', 'public addresses')} took part." if external else "",
        f"{counted(len(inventory.unseen), 'declared device')} did not show: {listed(inventory.unseen, 5)}."
        if inventory.unseen
        else "",
    )


def _inputs(result: AuditResult) -> str:
    """`2 capture files and 14 Zeek logs`."""
    logs = sum(row.is_log for row in result.captures)
    files = len(result.captures) - logs
    parts = (counted(files, "capture file") if files or not logs else "", counted(logs, "Zeek log") if logs else "")
    return listed(part for part in parts if part)


def _judged(result: AuditResult, judged: Counter[Verdict]) -> tuple[str, ...]:
    if not result.policy.given:
        return ("No policy was given: the zones shown are a proposal, and nothing was judged against rules of yours.",)
    total = sum(judged.values())
    if not total:
        return ("No control-protocol message could be judged against the policy.",)
    parts = [
        f"{number(judged['allowed'])} are allowed by the policy",
        f"{number(judged['violation'])} are not",
    ]
    if judged["unzoned"]:
        parts.append(f"{number(judged['unzoned'])} involve a device in no zone")
    if judged["cannot_conclude"]:
        parts.append(f"{number(judged['cannot_conclude'])} cannot be decided")
    return (f"Of {counted(total, 'control-protocol message exchange')}, {listed(parts)}.",)


def _changed(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    changing = [finding for finding in findings if finding.changes]
    if not changing:
        return ("",)
    words = sorted({operation(finding.operation) for finding in changing if finding.operation})
    # Several findings may tell one change.
    values = len({(frozenset(finding.assets), change) for finding in changing for change in finding.changes})
    return (
        f"{counted(values, 'value')} in the plant {'was' if values == 1 else 'were'} changed by what the findings "
        f"name ({listed(words)}); the values before and after are given with each.",
    )
