"""The result in plain words: the sentences that stand on top of every report."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from zonewatch.reports.result import AuditResult, totals
from zonewatch.reports.speech import Speech
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


def summarise(result: AuditResult, speech: Speech) -> Summary:
    """What a reader should know before anything else."""
    open_findings = tuple(finding for finding in result.findings if finding.state == "open")
    severities = Counter(finding.severity for finding in open_findings)
    judged: Counter[Verdict] = Counter()
    for cell in result.matrix:
        if cell.operation:
            judged[cell.verdict] += cell.events
    total = totals(result.captures)
    parts = (
        _stories(result, speech),
        _seen(result, speech),
        _judged(result, judged, speech),
        _changed(open_findings, speech),
    )
    return Summary(
        headline(open_findings, speech),
        tuple(sentence for part in parts for sentence in part if sentence),
        tuple((severity, severities[severity]) for severity in reversed(SEVERITIES)),
        tuple((verdict, judged[verdict]) for verdict in ("violation", "unzoned", "cannot_conclude", "allowed")),
        speech.period(total.first_time, total.last_time),
        speech.duration(total.last_time - total.first_time),
        total.packets,
    )


def headline(findings: tuple[Finding, ...], speech: Speech) -> str:
    """One sentence on what needs acting on."""
    counts = {
        "critical_finding": sum(finding.severity == "critical" for finding in findings),
        "high_finding": sum(finding.severity == "high" for finding in findings),
    }
    grave = sum(counts.values())
    rest = len(findings) - grave
    if grave:
        found = speech.listed(speech.counted(count, name) for name, count in counts.items() if count)
        asks = speech.say("summary.asks" if grave == 1 else "summary.ask", found=found)
        return speech.say("summary.ask_and_rest", asks=asks, rest=rest) if rest else f"{asks}."
    return speech.say("summary.calm", count=rest) if rest else speech.say("summary.none")


def _stories(result: AuditResult, speech: Speech) -> tuple[str, ...]:
    """The incidents, the gravest by its title."""
    if not result.incidents:
        return ()
    first, more = result.incidents[0], len(result.incidents) - 1
    rest = speech.say("summary.more_incidents", count=more) if more else ""
    return (
        speech.say(
            "summary.incident",
            count=len(first.findings),
            severity=speech.word("severity", first.severity),
            title=speech.quoted(first.title),
            rest=rest,
        ),
    )


def _seen(result: AuditResult, speech: Speech) -> tuple[str, ...]:
    inventory, total = result.inventory, totals(result.captures)
    ot = [edge for edge in inventory.edges if edge.ot]
    names = sorted({edge.protocol for edge in ot})
    control, every = sum(asset.kind == "ot" for asset in inventory.assets), len(inventory.assets)
    part = speech.say("summary.of_them", control=control) if every > 1 else speech.say("summary.of_it")
    spoken = (
        speech.say("summary.protocols", names=speech.listed(names), connections=speech.counted(len(ot), "connection"))
        if names
        else speech.say("summary.no_protocol")
    )
    external = sum(asset.kind == "external" for asset in inventory.assets)
    unseen = inventory.unseen
    return (
        speech.say(
            "summary.seen",
            length=speech.duration(total.last_time - total.first_time),
            packets=speech.counted(total.packets, "packet"),
            inputs=_inputs(result, speech),
            count=every,
            part=part if control else "",
        ),
        spoken,
        speech.say("summary.external", count=external) if external else "",
        speech.say("summary.unseen", count=len(unseen), names=speech.listed(unseen, 5)) if unseen else "",
    )


def _inputs(result: AuditResult, speech: Speech) -> str:
    """`2 capture files and 14 Zeek logs`."""
    logs = sum(row.is_log for row in result.captures)
    files = len(result.captures) - logs
    parts = (
        speech.counted(files, "capture_file") if files or not logs else "",
        speech.counted(logs, "zeek_log") if logs else "",
    )
    return speech.listed(part for part in parts if part)


def _judged(result: AuditResult, judged: Counter[Verdict], speech: Speech) -> tuple[str, ...]:
    if not result.policy.given:
        return (speech.say("summary.no_policy"),)
    total = sum(judged.values())
    if not total:
        return (speech.say("summary.not_judged"),)
    parts = [
        speech.say("summary.allowed", events=judged["allowed"]),
        speech.say("summary.violation", events=judged["violation"]),
    ]
    if judged["unzoned"]:
        parts.append(speech.say("summary.unzoned", events=judged["unzoned"]))
    if judged["cannot_conclude"]:
        parts.append(speech.say("summary.cannot_conclude", events=judged["cannot_conclude"]))
    return (speech.say("summary.judged", count=total, parts=speech.listed(parts)),)


def _changed(findings: tuple[Finding, ...], speech: Speech) -> tuple[str, ...]:
    changing = [finding for finding in findings if finding.changes]
    if not changing:
        return ()
    words = sorted({speech.operation(finding.operation) for finding in changing if finding.operation})
    # Several findings may tell one change.
    values = len({(frozenset(finding.assets), change) for finding in changing for change in finding.changes})
    return (speech.say("summary.changed", count=values, words=speech.listed(words)),)
