"""Remote access and the ways from IT to OT: sessions one by one, over time, and chains of several hops."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from zonewatch.inventory.model import Edge
from zonewatch.reports.document.model import Bullets, Figure, Paragraph, Section, Span, Table, Text, text
from zonewatch.reports.drawings.timeline import Track, timeline
from zonewatch.reports.packs.material import columns
from zonewatch.reports.packs.zoned import Zoned
from zonewatch.reports.result import edge_key, totals, worst
from zonewatch.rules.findings import Severity
from zonewatch.rules.paths import Paths, Way
from zonewatch.rules.policy.words import REMOTE_SERVICES, canonical_service

__all__ = ["remote"]

MOST_TRACKS: Final = 30
MOST_WAYS: Final = 40
_KINDS: Final[tuple[tuple[str, str, Severity], ...]] = (
    ("svc.remote_direct", "direct", "critical"),
    ("svc.remote_via_jump", "jump", "low"),
    ("svc.remote_untrusted", "untrusted", "high"),
    ("svc.remote_unapproved", "unapproved", "medium"),
)
"""Facts that say of a session how it came in, the first that holds, with its sign in the drawing."""
_CROSSING: Final = (
    "flow.it_to_ot_direct",
    "flow.internet_to_ot",
    "flow.ot_to_internet",
    "flow.dmz_terminated",
    "flow.pivot_path",
    "flow.shared_infra",
    "inv.dual_homed",
    "svc.mail_dns_hygiene",
    "svc.messaging",
)


@dataclass(frozen=True, slots=True)
class _Session:
    """The remote sessions of one pair over one protocol."""

    edge: Edge
    route: str
    severity: Severity
    approved: str


def remote(case: Zoned) -> Section:
    """Every session, then what else passes from IT to OT, then chains."""
    texts, sessions = case.texts, _sessions(case)
    told = (_drawn(case, sessions), _table(case, sessions)) if sessions else ()
    lead = "remote.lead" if sessions else "remote.none"
    return Section(
        "remote",
        texts.say("remote.title"),
        (Paragraph(texts.text(lead)), *told),
        (
            Section("declared-access", texts.say("access.title"), _declared(case)),
            Section("crossing", texts.say("crossing.title"), (_crossing(case),)),
            Section("ways", texts.say("ways.title"), _ways(case)),
        ),
    )


def _sessions(case: Zoned) -> tuple[_Session, ...]:
    named: defaultdict[tuple[str, str, str], set[str]] = defaultdict(set)
    for fact, *_ in _KINDS:
        for one in case.facts[fact].observations:
            values = dict(one.values)
            named[values["client"], values["server"], values["protocol"]].add(fact)
    known = case.facts["svc.remote_access"].observations
    ends = {tuple(dict(one.values)[name] for name in ("client", "server", "protocol")) for one in known}
    approvals = _approvals(case)
    found = []
    for edge in case.result.inventory.edges:
        key = (case.short(edge.client), case.short(edge.server), edge.protocol)
        if key not in ends:
            continue
        facts = named.get(key, set())
        route, severity = next(((word, mark) for fact, word, mark in _KINDS if fact in facts), ("inside", "info"))
        if "svc.remote_unapproved" in facts and severity in ("low", "info"):
            severity = "medium"
        found.append(_Session(edge, route, severity, approvals.get(edge_key(edge), "")))
    return tuple(sorted(found, key=lambda one: (one.edge.first_time, one.edge.client, one.edge.server)))


def _approvals(case: Zoned) -> dict[tuple[str, str, str], str]:
    """By pair and protocol, in words: what lets the session in."""
    texts = case.texts
    found: dict[tuple[str, str, str], str] = {}
    remote = [row for row in case.result.verdicts if canonical_service(row.protocol) in REMOTE_SERVICES]
    for row in remote:
        words = found.get((row.client, row.server, row.protocol), "")
        if row.verdict == "allowed":
            named = "/".join(filter(None, (row.conduit, row.flow))) or texts.say("remote.by_default")
            told = f"{case.verdict('allowed').text} {named}"
        else:
            told = case.verdict(worst((row.verdict,)) or row.verdict).text
        found[row.client, row.server, row.protocol] = told if told in words or not words else f"{words}; {told}"
    return found


def _drawn(case: Zoned, sessions: tuple[_Session, ...]) -> Figure:
    texts, total = case.texts, totals(case.result.captures)
    timed = [one for one in sessions if one.edge.first_time]
    graver = {"critical": 0, "high": 1, "medium": 2, "low": 3, "info": 4}
    kept = sorted(timed, key=lambda one: (graver[one.severity], one.edge.first_time))[:MOST_TRACKS]
    kept.sort(key=lambda one: (one.edge.first_time, one.edge.client, one.edge.server))
    tracks = []
    for one in kept:
        edge = one.edge
        label = f"{case.short(edge.client)} → {case.short(edge.server)} ({edge.protocol})"
        when = texts.period(edge.first_time, edge.last_time)
        tracks.append(
            Track(
                label,
                one.severity,
                edge.first_time,
                edge.last_time,
                f"{texts.word('route', one.route)}: {label} ({when})",
            )
        )
    first = total.first_time or min((one.edge.first_time for one in timed), default=0)
    last = total.last_time or max((one.edge.last_time for one in timed), default=0)
    description = texts.say("remote.drawn.description", count=len(kept), period=texts.period(first, last))
    svg = timeline(tracks, first, last, texts.say("remote.drawn"), description)
    return Figure("figure-remote", svg, texts.say("remote.drawn"), description)


def _table(case: Zoned, sessions: tuple[_Session, ...]) -> Table:
    texts = case.texts
    rows = []
    for one in sessions:
        edge = one.edge
        zones = [case.assets[name].zone if name in case.assets else "" for name in (edge.client, edge.server)]
        rows.append(
            (
                text(Span(case.short(edge.client), "asset"), ", ", case.zone(zones[0])),
                text(Span(case.short(edge.server), "asset"), ", ", case.zone(zones[1])),
                text(edge.protocol),
                text(texts.word("route", one.route)),
                text(texts.time(edge.first_time)),
                text(texts.duration(edge.last_time - edge.first_time)),
                text(one.approved or texts.say("matrix.unjudged")),
                case.frames(edge.evidence),
            )
        )
    described = columns(
        texts,
        ("from_host", 1.4),
        ("to_host", 1.4),
        ("protocol", 0.7),
        ("route", 1.2),
        ("first", 1.1),
        ("length", 0.9),
        ("approval", 1.2),
        ("proof", 1.2),
    )
    return Table("table-remote", described, tuple(rows), texts.say("remote.caption"), texts.text("remote.note"))


def _declared(case: Zoned) -> tuple[Paragraph | Table, ...]:
    texts, accesses = case.texts, case.result.policy.remote_access
    if not accesses:
        return (Paragraph(texts.text("access.none")),)
    rows = tuple(
        (
            text(Span(one.id, "code")),
            text(case.zone(one.entry_zone), " → ", case.zone(one.target_zone)),
            text(one.jump_host or texts.say("open")),
            text(", ".join(one.protocols) or texts.say("all")),
            text(one.user_group or texts.say("open")),
            text(texts.say("open") if one.mfa is None else texts.say("answer.yes" if one.mfa else "answer.no")),
            text(f"{one.max_minutes:g} min" if one.max_minutes is not None else texts.say("open")),
            text(one.approval or texts.say("open")),
        )
        for one in accesses
    )
    described = columns(
        texts,
        ("id", 0.9),
        ("zones", 1.6),
        ("jump_host", 1.0),
        ("protocol", 0.9),
        ("group", 1.0),
        ("mfa", 0.7),
        ("longest", 0.8),
        ("approval", 1.2),
    )
    return (Table("table-access", described, rows, texts.say("access.caption"), (), True),)


def _crossing(case: Zoned) -> Table:
    """What was looked for between IT and OT, seen or not."""
    texts = case.texts
    rows = tuple(
        (
            text(case.titled(name)),
            text(texts.word("fact_status", case.facts[name].status)),
            case.proof(name)[1:] if case.facts[name].observations else text(_reason(case, name)),
        )
        for name in _CROSSING
    )
    described = columns(texts, ("looked_for", 1.6), ("status", 1.0), ("evidence", 3.0))
    return Table("table-crossing", described, rows, texts.say("crossing.caption"), texts.text("crossing.note"), True)


def _reason(case: Zoned, name: str) -> str:
    key = case.facts[name].reason_key
    return case.reason(key) if key else "–"


def _ways(case: Zoned) -> tuple[Paragraph | Table | Bullets, ...]:
    """Chains of steps from outside to controllers, as seen and as permitted, and what closes them."""
    texts = case.texts
    rows = [(found, way) for found in case.result.paths for way in found.ways]
    if not rows:
        return (Paragraph(texts.text("ways.none")),)
    lines = tuple(
        (
            texts.text(f"basis.{found.basis}"),
            texts.text(f"origin_of.{way.origin.replace(' ', '_')}"),
            _steps(case, way),
            text(texts.say("answer.yes" if way.changes else "answer.no")),
            text(texts.say("answer.yes" if way.buffered else "answer.no")),
            case.frames(item for step in way.steps for item in step.evidence),
        )
        for found, way in rows[:MOST_WAYS]
    )
    described = columns(
        texts, ("basis", 0.9), ("origin", 0.9), ("way", 3.2), ("commands", 0.8), ("by_dmz", 0.7), ("proof", 1.2)
    )
    table = Table("table-ways", described, lines, texts.say("ways.caption"), texts.text("ways.note"))
    more = len(rows) - MOST_WAYS
    left = (Paragraph(texts.text("ways.more", count=more)),) if more > 0 else ()
    closings = tuple(part for found in case.result.paths for part in _closing(case, found))
    close = (Paragraph(texts.text("ways.close")), Bullets(closings)) if closings else ()
    return (Paragraph(texts.text("ways.lead")), table, *left, *close)


def _steps(case: Zoned, way: Way) -> Text:
    told: list[Text] = []
    for step in way.steps:
        uses = f" ({', '.join(step.uses[:3])})" if step.uses else ""
        told.append(text(_place(case, step.start), " → ", _place(case, step.end), case.quoted(uses)))
    return case.lines(told)


def _place(case: Zoned, name: str) -> Span:
    return Span(case.short(name), "asset") if name in case.assets else case.zone(name)


def _closing(case: Zoned, found: Paths) -> tuple[Text, ...]:
    texts = case.texts
    if not found.closable or found.level != "zones":
        return ()
    return tuple(
        texts.text(
            "ways.closing" if one.costs else "ways.closing_free",
            name=case.quoted(one.name),
            basis=texts.text(f"basis.{found.basis}"),
            **({"costs": case.quoted(", ".join(one.costs))} if one.costs else {}),
        )
        for one in found.close
    )
