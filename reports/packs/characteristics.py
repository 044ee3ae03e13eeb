"""The records that ZCR 6.4 asks of zones and conduits: what is declared beside what was observed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.model import Asset, Evidence
from zonewatch.reports.declared import ConduitInfo, FlowInfo, RecordInfo, RequirementInfo
from zonewatch.reports.document.model import Block, Field, Paragraph, Record, Section, Span, Table, Text, anchor, text
from zonewatch.reports.packs.asked import MARKS
from zonewatch.reports.packs.material import columns
from zonewatch.reports.packs.zoned import Zoned
from zonewatch.reports.result import EXTERNAL, VerdictRow, ZoneInfo, declared_as, worst
from zonewatch.reports.statuses import STATUSES
from zonewatch.reports.words import first_frames, label
from zonewatch.rules.findings import VERDICTS, Verdict
from zonewatch.rules.verdicts import ATTEMPTED

__all__ = ["conduit_records", "undeclared", "zone_records"]

MOST_LISTED: Final = 12
"""Names in one line of a record; tables hold all."""
MOST_NAMED: Final = 4
ATTEMPTS: Final = 2
MOST_RECORDS: Final = 200
"""Records of one kind that are written out; tables hold the rest."""


def zone_records(case: Zoned) -> Section:
    """One record a zone, with its devices."""
    texts, zones = case.texts, case.result.zones
    more = len(zones) - MOST_RECORDS
    members: defaultdict[str, list[Asset]] = defaultdict(list)
    for asset in case.result.inventory.assets:
        members[asset.zone].append(asset)
    return Section(
        "zone-records",
        texts.say("zone_records.title"),
        (
            Paragraph(texts.text("zone_records.lead" if zones else "zone_records.none")),
            *((Paragraph(texts.text("records.more", count=more)),) if more > 0 else ()),
        ),
        tuple(
            Section(
                anchor("zone", zone.id),
                case.zone(zone.id).text,
                (_zone(case, zone, members[zone.id]), *_devices(case, zone, members[zone.id])),
            )
            for zone in zones[:MOST_RECORDS]
        ),
    )


def _zone(case: Zoned, zone: ZoneInfo, members: list[Asset]) -> Record:
    texts, record = case.texts, zone.record
    kind = texts.word("zone_kind", zone.kind) if zone.kind else ""
    fields = (
        case.declared("zcr.a", text(Span(zone.name or zone.id), " (", Span(zone.id, "code"), ")")),
        case.declared("zcr.kind", text(kind, " · ", case.level(zone.purdue)) if kind else ""),
        case.declared("zcr.purpose", record.purpose),
        case.declared("zcr.b", record.owner),
        case.declared("zcr.c", case.joined(Span(member, "code") for member in zone.members)),
        case.measured("zcr.c", _boundary(case, zone, members)),
        case.declared("zcr.d", record.location),
        _safety(case, zone),
        case.declared("zcr.f", ", ".join(record.logical)),
        case.measured("zcr.f", _access(case, zone.id)),
        case.declared("zcr.g", ", ".join(record.physical)),
        case.measured("zcr.h", _flows(case, zone.id)),
        case.declared("zcr.i", _joined_to(case, zone.id)),
        case.measured("zcr.undeclared", _undeclared(case, zone.id)),
        case.measured("zcr.j", _counted(case, zone, members)),
        case.declared("zcr.k", zone.target),
        case.measured("zcr.l", _statuses(case, zone.id)),
        *_requirements(case, zone.requirements),
        *_stated(case, record),
        case.measured("zcr.n", _depends(case, zone.id)),
        case.measured("zcr.coverage", _coverage(case, zone.id)),
        case.measured("zcr.findings", case.numbers_of((one.id for one in case.by_zone.get(zone.id, ())), 8)),
    )
    return Record(anchor("zone-record", zone.id), case.texts.text("zcr.record"), fields)


def _stated(case: Zoned, record: RecordInfo) -> tuple[Field, ...]:
    return (
        case.declared("zcr.m", ", ".join(record.policies)),
        case.declared("zcr.n", "; ".join((*record.assumptions, *record.dependencies))),
        case.declared("zcr.points", ", ".join(record.points)),
    )


def _requirements(case: Zoned, rows: tuple[RequirementInfo, ...]) -> tuple[Field, ...]:
    told = [
        text(
            Span(row.id, "requirement"),
            f": {case.texts.word('record_status', row.status)}",
            *((f", {row.compensating}",) if row.compensating else ()),
            *((f", {row.owner}",) if row.owner else ()),
            *((f", {row.due}",) if row.due else ()),
        )
        for row in rows
    ]
    return (case.declared("zcr.l", case.lines(told)),)


def _boundary(case: Zoned, zone: ZoneInfo, members: list[Asset]) -> Text:
    vlans = sorted({int(dict(one.values)["vlan"]) for one in case.observed.get(("flow.vlan_map", zone.id), ())})
    foreign = [asset for asset in members if not declared_as(case.result, asset) and asset.kind != "external"]
    told = [case.texts.text("boundary.seen", count=len(members))]
    if vlans:
        told.append(text(f"VLAN {', '.join(map(str, vlans[:MOST_LISTED]))}"))
    if foreign and any(declared_as(case.result, asset) for asset in members):
        names = case.assets_listed(asset.id for asset in foreign[:MOST_LISTED])
        told.append(case.texts.text("boundary.foreign", count=len(foreign), names=names))
    return case.lines(told)


def _safety(case: Zoned, zone: ZoneInfo) -> Field:
    if not case.result.policy.given:
        return case.declared("zcr.e", "")  # a proposal knows nothing of safety
    sil = f", SIL {zone.record.sil}" if zone.record.sil else ""
    word = case.texts.word("safety", zone.safety) + sil
    crossing = case.observed.get(("flow.safety_zone_cross", zone.id), ())
    told = text(word, " · ", *case.proof("flow.safety_zone_cross", zone.id)) if crossing else text(word)
    return case.declared("zcr.e", told)


def _access(case: Zoned, zone: str) -> Text:
    names = (
        "svc.remote_access",
        "flow.internet_to_ot",
        "flow.ot_to_internet",
        "inv.dual_homed",
        "inv.wireless_indicator",
    )
    return case.lines(case.proof(name, zone) for name in names if (name, zone) in case.observed)


def _joined_to(case: Zoned, zone: str) -> Text:
    conduits = (one for one in case.result.policy.conduits if zone in (one.from_zone, one.to_zone))
    return case.lines(
        text(case.conduit_link(one.id), " (", case.zone(one.from_zone), " → ", case.zone(one.to_zone), ")")
        for one in conduits
    )


def _flows(case: Zoned, zone: str) -> Text:
    """Zone by zone, how much was counted in each direction."""
    told = [
        text(case.zone(start), " → ", case.zone(end), f": {case.texts.number(count)}")
        for (start, end), count in sorted(case.traffic.get(zone, {}).items())
    ]
    return case.lines(told[:MOST_LISTED])


def _undeclared(case: Zoned, zone: str) -> Text:
    names = ("flow.no_conduit", "flow.conduit_violation")
    return case.lines(case.proof(name, zone) for name in names if (name, zone) in case.observed)


def _counted(case: Zoned, zone: ZoneInfo, members: list[Asset]) -> Text:
    worth = Counter(asset.criticality for asset in members if asset.criticality)
    told = [case.texts.text("devices.counted", seen=len(members), declared=len(zone.declared))]
    told += [text(f"{case.texts.word('criticality', name)} {count}") for name, count in sorted(worth.items())]
    return case.lines(told)


def _statuses(case: Zoned, zone: str) -> Text:
    counts = Counter(row.status for row in case.judged.get(zone, ()))
    told = [
        text(f"{MARKS[word]} {case.texts.word('asked', word)} {case.texts.number(counts[word])}")
        for word in STATUSES
        if counts[word]
    ]
    return case.lines(told)


def _depends(case: Zoned, zone: str) -> Text:
    """Services of other zones that hosts of this one were seen to use."""
    used: defaultdict[str, set[str]] = defaultdict(set)
    for end, rows in case.outgoing.get(zone, ()):
        for row in rows:
            if not row.operation and row.state not in ("attempted", "refused"):
                used[end].add(row.protocol)
    told = [text(case.zone(end), f": {', '.join(sorted(names)[:MOST_LISTED])}") for end, names in sorted(used.items())]
    return case.lines(told)


def _coverage(case: Zoned, zone: str) -> Text:
    row = case.sight.get(zone)
    if row is None:
        return ()
    told = case.texts.text("visible.of", seen=row.seen, count=row.declared)
    both = case.texts.text("visible.ways", seen=row.both_ways, all=row.connections)
    reason = case.reason(row.reason_key) if row.reason_key else case.texts.say("visible.enough")
    return case.lines((told, both, text(reason)))


def _devices(case: Zoned, zone: ZoneInfo, members: list[Asset]) -> tuple[Table, ...]:
    """Every device with the frame that first showed it; those that are declared and did not show, too."""
    texts = case.texts
    more = {row.id: row for row in case.result.policy.assets}
    rows: list[tuple[Text, ...]] = []
    for asset in members:
        stated = more.get(asset.declared or asset.id)
        worth = (
            asset.criticality and texts.word("criticality", asset.criticality),
            *((stated.classification, stated.value, stated.consequence) if stated is not None else ()),
        )
        rows.append(
            (
                text(Span(label(asset), "asset")),
                text(Span(", ".join(asset.addresses[:3] or asset.macs[:3]), "code")),
                text(texts.word("role", asset.role)),
                text(", ".join(filter(None, worth))),
                texts.text("devices.declared" if declared_as(case.result, asset) else "devices.undeclared"),
                case.frames((asset.first_evidence,) if asset.first_evidence else ()),
            )
        )
    unseen = frozenset(case.result.inventory.unseen)
    rows += [
        (text(Span(name, "asset")), (), (), (), texts.text("devices.unseen"), ())
        for name in zone.declared
        if name in unseen
    ]
    if not rows:
        return ()
    described = columns(
        texts, ("name", 1.3), ("address", 1.3), ("role", 1.0), ("worth", 1.1), ("state", 1.0), ("first_frame", 1.4)
    )
    caption = texts.say("devices.caption", zone=case.zone(zone.id).text)
    return (Table(anchor("table-devices", zone.id), described, tuple(rows), caption, heads=True),)


def conduit_records(case: Zoned) -> Section:
    """One record a conduit, flow by flow; then what no conduit carries."""
    texts, conduits = case.texts, case.result.policy.conduits
    used: defaultdict[tuple[str, str], list[VerdictRow]] = defaultdict(list)
    for rows in case.passing.values():
        for row in rows:
            if row.verdict == "allowed" and row.by:
                used[row.conduit, row.flow].append(row)
    more = len(conduits) - MOST_RECORDS
    lead = "conduit_records.lead" if conduits else "conduit_records.none"
    return Section(
        "conduit-records",
        texts.say("conduit_records.title"),
        (
            Paragraph(texts.text(lead)),
            *((Paragraph(texts.text("records.more", count=more)),) if more > 0 else ()),
        ),
        (
            *(
                Section(anchor("conduit", one.id), one.name or one.id, _conduit(case, one, used))
                for one in conduits[:MOST_RECORDS]
            ),
            *undeclared(case),
        ),
    )


def _conduit(case: Zoned, one: ConduitInfo, used: dict[tuple[str, str], list[VerdictRow]]) -> tuple[Block, ...]:
    texts = case.texts
    pair = (one.from_zone, one.to_zone)
    rows = case.passing.get(pair, ())
    beyond = [row for row in rows if row.verdict != "allowed" and row.conduit in ("", one.id)]
    levels = dict(one.levels)
    same = set(levels.values())
    target = str(same.pop()) if len(same) == 1 else ", ".join(f"{name} {value}" for name, value in levels.items())
    device = ", ".join(filter(None, (one.device, one.ruleset)))
    denial = "" if one.deny_by_default is None else texts.say("answer.yes" if one.deny_by_default else "answer.no")
    wanted = texts.say("safeguard.asked") if one.encryption else texts.say("safeguard.not_asked")
    proved = texts.say("safeguard.asked") if one.authentication else texts.say("safeguard.not_asked")
    fields = (
        case.declared("zcr.a", text(Span(one.id, "code"))),
        case.declared("zcr.i", text(case.zone_link(one.from_zone), " → ", case.zone_link(one.to_zone))),
        case.declared(
            "conduit.kind",
            f"{texts.word('conduit_kind', one.kind)}, {texts.word('direction', one.direction)}",
        ),
        case.declared("zcr.b", one.record.owner or one.owner),
        case.declared("zcr.purpose", one.record.purpose),
        case.declared("zcr.k", target),
        case.declared("conduit.device", device),
        case.declared("conduit.deny", denial),
        case.declared("conduit.encryption", ", ".join(filter(None, (wanted, one.minimum)))),
        case.measured("conduit.encryption", _shown(case, pair, ("sec.crypto_ok", "sec.crypto_weak"))),
        case.declared("conduit.authentication", ", ".join(filter(None, (proved, one.compensating)))),
        case.measured("conduit.differs", _beyond(case, beyond)),
        *_requirements(case, one.requirements),
        *_stated(case, one.record),
    )
    record = Record(anchor("conduit-record", one.id), texts.text("zcr.record"), fields)
    return (record, *_flow_table(case, one, used), *_rest(case, f"beyond-{one.id}", beyond, one.id))


def _shown(case: Zoned, pair: tuple[str, str], names: Iterable[str]) -> Text:
    """What was seen of handshakes between two zones: the same observation stands in both."""
    told = []
    for name in names:
        ends = [{one.values for one in case.observed.get((name, zone), ())} for zone in pair]
        both = ends[0] & ends[1]
        if both:
            told.append(text(case.titled(name), f" ({case.texts.say('seen.times', count=len(both))})"))
    return case.lines(told)


def _beyond(case: Zoned, rows: list[VerdictRow]) -> Text:
    counts = Counter(row.verdict for row in rows)
    told = [text(case.verdict(verdict), f" {case.texts.number(count)}") for verdict, count in sorted(counts.items())]
    return case.lines(told)


def _flow_table(case: Zoned, one: ConduitInfo, used: dict[tuple[str, str], list[VerdictRow]]) -> tuple[Table, ...]:
    texts = case.texts
    exceptions = [permit for permit in case.result.policy.permits if permit.conduit == one.id]
    rows = [
        (
            text(Span(flow.id, "code")),
            text(_what(case, flow)),
            text(f"{_ends(case, flow.clients)} → {_ends(case, flow.servers)}"),
            text(_objects(flow)),
            text("; ".join(filter(None, (flow.purpose, flow.approved_by, flow.until)))),
            _use(case, used.get((one.id, flow.id), [])),
        )
        for flow in one.flows
    ]
    rows += [
        (
            text(Span(permit.id, "code")),
            text(", ".join(texts.word("operation", word) for word in permit.operations) or texts.say("all")),
            texts.text("permit.exception"),
            (),
            text("; ".join(filter(None, (permit.reason, permit.approved_by, permit.ticket)))),
            _use(case, used.get((one.id, permit.id), [])),
        )
        for permit in exceptions
    ]
    if not rows:
        return ()
    described = columns(
        texts, ("flow", 0.9), ("allows", 1.2), ("ends", 1.7), ("objects", 1.2), ("because", 1.7), ("use", 1.6)
    )
    return (
        Table(
            anchor("table-flows", one.id), described, tuple(rows), texts.say("flows.caption", conduit=one.id), (), True
        ),
    )


def _what(case: Zoned, flow: FlowInfo) -> str:
    words = ", ".join(case.texts.word("operation", word) for word in flow.operations)
    codes = ", ".join(map(str, flow.function_codes))
    limited = case.texts.say("flow.codes", codes=codes) if codes else ""
    return " ".join(filter(None, (flow.protocol, words, limited, ", ".join(flow.ports))))


def _ends(case: Zoned, names: tuple[str, ...]) -> str:
    more = len(names) - MOST_LISTED
    shown = ", ".join(names[:MOST_LISTED])
    return (shown + (f" {case.texts.say('more', count=more)}" if more > 0 else "")) if names else case.texts.say("all")


def _objects(flow: FlowInfo) -> str:
    limits = "" if flow.least is None and flow.greatest is None else f"{_limit(flow.least)} … {_limit(flow.greatest)}"
    return "; ".join(filter(None, (", ".join(flow.objects), limits)))


def _limit(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _use(case: Zoned, rows: list[VerdictRow]) -> Text:
    texts = case.texts
    if not rows:
        return texts.text("use.none")
    first = min((row.first_time for row in rows if row.first_time), default=0)
    last = max(row.last_time for row in rows)
    who = sorted({case.short(row.client) for row in rows})
    more = len(who) - MOST_NAMED
    names = ", ".join(who[:MOST_NAMED]) + (f" {texts.say('more', count=more)}" if more > 0 else "")
    count = Span(texts.number(sum(row.events for row in rows)), value=sum(row.events for row in rows))
    return text(count, f" · {names} · {texts.period(first, last)}")


def undeclared(case: Zoned) -> Iterator[Section]:
    """Traffic between two zones that no conduit joins, or with an end in no zone."""
    texts = case.texts
    joined = {(one.from_zone, one.to_zone) for one in case.result.policy.conduits}
    rows = [
        row
        for pair, found in sorted(case.crossing.items())
        if pair not in joined
        for row in found
        if row.verdict != "allowed"
    ]
    if case.result.policy.given:
        lead = Paragraph(texts.text("undeclared.lead" if rows else "undeclared.none"))
        yield Section("undeclared", texts.say("undeclared.title"), (lead, *_rest(case, "undeclared", rows, "")))


def _rest(case: Zoned, name: str, rows: list[VerdictRow], conduit: str) -> tuple[Table, ...]:
    """Rows that no flow allows: each function, the traffic of each pair, and all attempts of a client as one."""
    if not rows:
        return ()
    texts = case.texts
    groups: defaultdict[tuple[int, str, str, str, str, str], list[VerdictRow]] = defaultdict(list)
    for row in rows:
        tried = row.state in ATTEMPTED
        server, what = ("", "") if tried else (row.server, row.operation and f"{row.protocol} {row.operation}")
        order = ATTEMPTS if tried else 0 if row.operation in STATE_CHANGING else 1
        groups[order, row.client, server, what, row.client_zone, row.server_zone].append(row)
    ends: dict[tuple[str, str], Text] = {}  # what comes again in row after row is made once
    verdicts = {word: text(case.verdict(word)) for word in VERDICTS}
    arrow = Span(" → ")
    lines = []
    for (order, client, _, _, start, end), found in sorted(groups.items()):
        pair = (start or _outside(case, client), end)
        if pair not in ends:
            ends[pair] = text(case.zone(pair[0]), " → ", case.zone(end))
        verdict, events, first, proof = _summed(found)
        lines.append(
            (
                (case.short_span(client), arrow, *_servers(case, found)),
                ends[pair],
                text(_said(case, order, found)),
                verdicts[verdict],
                case.number(events),
                (Span(texts.time(first)),),
                case.frames(proof if len(proof) <= MOST_NAMED else first_frames(proof, MOST_NAMED)),
            )
        )
    described = columns(
        texts,
        ("ends", 1.7),
        ("zones", 1.5),
        ("allows", 1.2),
        ("verdict", 0.9),
        ("counted", 0.7, "right"),
        ("first", 1.1),
        ("proof", 1.4),
    )
    caption = texts.say("beyond.caption", conduit=conduit) if conduit else texts.say("undeclared.caption")
    return (Table(anchor("table", name), described, tuple(lines), caption),)


def _summed(rows: list[VerdictRow]) -> tuple[Verdict, int, int, Sequence[Evidence]]:
    """The worst verdict, how many events, the first time and the frames. One row alone is the rule."""
    if len(rows) == 1:
        row = rows[0]
        return row.verdict, row.events, row.first_time, row.evidence
    return (
        worst([row.verdict for row in rows]) or rows[0].verdict,
        sum([row.events for row in rows]),
        min([row.first_time for row in rows if row.first_time], default=0),
        [item for row in rows for item in row.evidence],
    )


def _servers(case: Zoned, rows: list[VerdictRow]) -> Text:
    if len(rows) == 1:
        return (case.short_span(rows[0].server),)
    names = list(dict.fromkeys(row.server for row in rows))
    more = len(names) - MOST_NAMED
    told = case.joined(case.short_span(name) for name in names[:MOST_NAMED])
    return text(*told, " ", *case.texts.text("more", count=more)) if more > 0 else told


def _said(case: Zoned, order: int, rows: list[VerdictRow]) -> str:
    """`modbus write`; of traffic its services; of attempts that they were such."""
    texts = case.texts
    names = [rows[0].protocol] if len(rows) == 1 else list(dict.fromkeys(row.protocol for row in rows))
    more = f" {texts.say('more', count=len(names) - MOST_LISTED)}" if len(names) > MOST_LISTED else ""
    told = ", ".join(names[:MOST_LISTED]) + more
    if order == ATTEMPTS:
        return texts.say("beyond.attempts", services=told)
    operation = rows[0].operation
    return f"{told} {texts.word('operation', operation)}" if operation else told


def _outside(case: Zoned, name: str) -> str:
    asset = case.assets.get(name)
    return EXTERNAL if asset is not None and asset.kind == "external" else ""
