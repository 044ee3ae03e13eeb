"""Facts about what is done to devices and hosts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from zonewatch.inventory.model import Activity, Edge, Function
from zonewatch.reports.facts.model import WHOLE, Observation
from zonewatch.reports.facts.seen import Seen, changes
from zonewatch.reports.facts.told import Shown, Sight, Told, frames, of_edge, of_finding, of_row, with_value
from zonewatch.reports.result import VerdictRow

SCANS: Final = (
    "exposure.scan",
    "reconnaissance.arp_sweep",
    "reconnaissance.fast_arp_sweep",
    "reconnaissance.few_hosts_probed",
    "reconnaissance.few_ports_probed",
    "reconnaissance.host_sweep",
    "reconnaissance.internet_probe",
    "reconnaissance.protocol_probe",
    "reconnaissance.scanner_name",
    "reconnaissance.share_sweep",
    "reconnaissance.snmp_walk",
    "bacnet.device_search",
    "bacnet.property_sweep",
    "bacnet.who_is_storm",
    "dnp3.address_scan",
    "dnp3.function_sweep",
    "dnp3.master_address_scan",
    "modbus.function_sweep",
    "modbus.point_scan",
    "modbus.read_device_identification",
    "modbus.report_server_id",
    "modbus.unit_sweep",
    "s7comm.identification_by_new_host",
)
MALFORMED: Final = (
    "protocol.malformed",
    "dnp3.malformed_burst",
    "dnp3.other_protocol_on_port",
    "modbus.malformed_burst",
    "modbus.answers_do_not_fit",
    "modbus.not_modbus",
    "modbus.other_protocol_on_port",
    "modbus.unusual_function",
)
FLOODS: Final = (
    "modbus.write_flood",
    "modbus.busy_storm",
    "dnp3.command_flood",
    "dnp3.poll_storm",
    "dnp3.unsolicited_storm",
    "bacnet.who_is_storm",
    "s7comm.write_flood",
    "infrastructure.dhcp_starvation",
)
BETWEEN: Final = (
    "network.address_conflict",
    "infrastructure.gateway_changed",
    "infrastructure.icmp_redirect",
    "infrastructure.name_poisoner",
    "infrastructure.second_router",
    "infrastructure.two_dhcp_servers",
    "infrastructure.wpad_answer",
)
EXPLOITS: Final = (
    "malware.lookup_in_text",
    "malware.netlogon_forced",
    "malware.path_canonicalized",
    "malware.path_traversal",
    "malware.ransom_names",
    "malware.server_service_by_side_door",
)
EXECUTABLES: Final = ("malware.executable_fetched", "malware.executable_into_process", "pivot.remote_execution")
LIMITS: Final = ("process.limit", "bacnet.alarm_settings_changed")
TIME_SERVICES: Final = frozenset(("ntp", "ptp"))
LOG_SERVICES: Final = frozenset(("syslog", "snmp-trap"))
PROGRAM: Final = frozenset(("program_download", "program_upload"))
MODE: Final = frozenset(("mode", "start", "stop"))
ENGINEERING: Final = frozenset(("program_download", "firmware", "mode", "start", "stop", "restart", "configure"))
"""Changes of a device, beside those of the process that operators make all day."""
UNLISTED: Final = frozenset(("client", "server", "protocol", "operation"))
"""Aspects in which the nearest flow is none of this client's; the others are limits of a flow that is his."""


def _zone(seen: Seen, row: VerdictRow) -> tuple[str, ...]:
    return (row.server_zone or seen.zone(row.server) or row.client_zone,)


def _told(seen: Seen, key: str, wanted: Callable[[str], bool]) -> Iterator[Told]:
    """By verdicts where there is a policy; else by what devices were asked and obeyed."""
    if seen.result.policy.given:
        for row in seen.done(wanted):
            values = {"function": row.function, "verdict": row.verdict, "by": row.by}
            yield of_row(seen, key, row, _zone(seen, row), **values)
        return
    for edge in seen.result.inventory.edges:
        for function in edge.functions:
            failed = sum(count for status, count in function.statuses if status in ("error", "no_response"))
            if wanted(function.operation) and function.events > failed:
                yield Sight(
                    (WHOLE,),
                    (*_ends(seen, edge), function.operation, function.name, "", ""),
                    "",
                    (*_DONE, "verdict", "by"),
                    key,
                    function.events - failed,
                    edge.first_time,
                    edge.last_time,
                    Shown(edge.client, edge.server, (function,)),
                )


_DONE: Final = ("client", "server", "protocol", "operation", "function")


def _ends(seen: Seen, edge: Edge) -> tuple[str, str, str]:
    return seen.name(edge.client), seen.name(edge.server), edge.protocol


def write_unlisted(seen: Seen) -> Iterator[Told]:
    """Commands of clients that no flow lets change this target; with the exception that covers them."""
    for row in seen.done(changes):
        stranger = row.verdict == "violation" and (not row.differs or bool(UNLISTED.intersection(row.differs)))
        if stranger or row.verdict == "unzoned" or row.by == "exception":
            yield of_row(seen, "op.write_unlisted", row, _zone(seen, row), function=row.function)


def write_seen(seen: Seen) -> Iterator[Told]:
    """Every command, by client, target and function, asked for and done or not."""
    names = (*_DONE, "points", "statuses")
    for edge in seen.result.inventory.edges:
        for function in edge.functions:
            if not changes(function.operation):
                continue
            points = [
                target.names or " ".join(filter(None, (target.kind, "" if target.start is None else str(target.start))))
                for target in function.targets[:_MOST_POINTS]
            ]
            statuses = [f"{status} {count}" for status, count in function.statuses]
            yield Sight(
                (seen.zone(edge.server) or seen.zone(edge.client),),
                (*_ends(seen, edge), function.operation, function.name, "; ".join(points), ", ".join(statuses)),
                "",
                names,
                "op.write_seen",
                function.events,
                edge.first_time,
                edge.last_time,
                Shown(edge.client, edge.server, (function,)),
            )


_MOST_POINTS: Final = 8


def program_transfer(seen: Seen) -> Iterator[Told]:
    """Programs that were loaded into or read out of devices."""
    return _told(seen, "op.program_transfer", PROGRAM.__contains__)


def firmware_transfer(seen: Seen) -> Iterator[Told]:
    """Firmware that was sent to devices."""
    return _told(seen, "op.firmware_transfer", frozenset(("firmware",)).__contains__)


def mode_change(seen: Seen) -> Iterator[Told]:
    """Devices that were started, stopped, or set to another mode."""
    return _told(seen, "op.mode_change", MODE.__contains__)


def restart(seen: Seen) -> Iterator[Told]:
    """Devices that were restarted."""
    return _told(seen, "op.restart", frozenset(("restart",)).__contains__)


def parameter_change(seen: Seen) -> Iterator[Told]:
    """Settings of devices that were changed; limits of points, where a tag list tells them."""
    for one in _told(seen, "op.parameter_change", frozenset(("configure",)).__contains__):
        yield one
    for finding in seen.findings(LIMITS):
        for one in of_finding(seen, "op.parameter_change", finding):
            ends = [seen.name(name) for name in finding.assets[:2]]
            client, server = [*ends, "", ""][:2]
            yield Observation(
                zone=one.zone,
                key=one.key,
                values=(
                    ("client", client),
                    ("server", server),
                    ("protocol", finding.protocol),
                    ("operation", finding.operation),
                    ("function", ""),
                    ("verdict", finding.verdict or ""),
                    ("by", ""),
                ),
                count=one.count,
                first_time=one.first_time,
                last_time=one.last_time,
                evidence=one.evidence,
                findings=one.findings,
            )


def change_unapproved(seen: Seen) -> Iterator[Told]:
    """Engineering that no flow, exception or maintenance window with an approval allowed.

    What an approved exception or window allowed is told with it. A default that allows all inside a zone is no approval
    of a change, where the policy holds exceptions or windows at all; else approvals may be kept elsewhere.
    """
    kept_here = bool(seen.result.policy.permits)
    approved = {
        (conduit.id, flow.id)
        for conduit in seen.result.policy.conduits
        for flow in conduit.flows
        if flow.approved_by and flow.operations
    }
    for row in seen.done(ENGINEERING.__contains__):
        if row.by == "flow" and (row.conduit, row.flow) in approved:
            continue
        if row.verdict == "allowed" and not kept_here:
            continue
        yield of_row(seen, "op.change_unapproved", row, _zone(seen, row), function=row.function)


def scan(seen: Seen) -> Iterator[Told]:
    """Searches for hosts, services, units and points."""
    for finding in seen.findings(SCANS):
        yield from of_finding(seen, "op.scan", finding)


def malformed(seen: Seen) -> Iterator[Told]:
    """Messages that break their protocol."""
    for finding in seen.findings(MALFORMED):
        yield from of_finding(seen, "op.malformed", finding)


def exception_rate(seen: Seen) -> Iterator[Told]:
    """The share of error answers of a device, by protocol."""
    totals: Counter[tuple[str, str]] = Counter()
    errors: Counter[tuple[str, str]] = Counter()
    edges: defaultdict[tuple[str, str], list[Edge]] = defaultdict(list)
    for edge in seen.result.inventory.edges:
        place = (edge.server, edge.protocol)
        for function in edge.functions:
            totals[place] += function.events
            if count := _errors(function):
                errors[place] += count
        edges[place].append(edge)
    for (server, protocol), count in sorted(errors.items()):
        if count:
            rows = edges[server, protocol]
            yield Observation(
                seen.zone(server),
                "op.exception_rate",
                (
                    ("server", seen.name(server)),
                    ("protocol", protocol),
                    ("errors", str(count)),
                    ("events", str(totals[server, protocol])),
                ),
                count=count,
                first_time=min(edge.first_time for edge in rows),
                last_time=max(edge.last_time for edge in rows),
                evidence=frames(*(row.evidence for edge in rows for row in edge.functions if _errors(row))),
            )


def _errors(function: Function) -> int:
    return next((count for status, count in function.statuses if status == "error"), 0)


def flood(seen: Seen) -> Iterator[Told]:
    """Far more requests than a device is made for."""
    for finding in seen.findings(FLOODS):
        yield from of_finding(seen, "op.flood", finding)


def load_profile(seen: Seen) -> Iterator[Told]:
    """Traffic of a zone's hosts, and how many of their connections were reset."""
    edges: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in seen.edges:
        for zone in {seen.zone(edge.client), seen.zone(edge.server)}:
            edges[zone].append(edge)
    for zone, rows in sorted(edges.items()):
        packets = sum([edge.packets for edge in rows])
        yield Observation(
            zone,
            "op.load_profile",
            (
                ("packets", str(packets)),
                ("bytes", str(sum([edge.bytes for edge in rows]))),
                ("seconds", str(seen.window // 1_000_000_000)),
                ("resets", str(sum([edge.state == "reset" for edge in rows]))),
            ),
            count=packets,
            first_time=min([edge.first_time for edge in rows]),
            last_time=max([edge.last_time for edge in rows]),
            evidence=frames(*(edge.evidence for edge in rows[:_MOST_POINTS])),
        )


def failover(seen: Seen) -> Iterator[Told]:
    """Virtual routers whose address another router began to announce after the first had ended (VRRP, HSRP)."""
    senders: defaultdict[tuple[str, str, str], dict[str, list[Activity]]] = defaultdict(lambda: defaultdict(list))
    for activity in seen.result.inventory.activities:
        if activity.protocol in ("vrrp", "hsrp", "carp"):
            fields = dict(reversed(activity.fields))
            if fields.get("redundancy.state", "").lower() in ("active", "master"):
                place = (activity.protocol, fields.get("redundancy.group", ""), fields.get("redundancy.virtual_ip", ""))
                senders[place][activity.client].append(activity)
    for (protocol, group, address), found in sorted(senders.items()):
        spans = sorted(
            (min(row.first_time for row in rows), max(row.last_time for row in rows), client)
            for client, rows in found.items()
        )
        for (_, end, one), (start, _, other) in pairwise(spans):
            if start > end:
                rows = [*found[one], *found[other]]
                yield Observation(
                    seen.zone(other) or seen.zone(one),
                    "op.failover",
                    (
                        ("protocol", protocol),
                        ("group", group),
                        ("address", address),
                        ("from", seen.name(one)),
                        ("to", seen.name(other)),
                    ),
                    count=1,
                    first_time=end,
                    last_time=start,
                    evidence=frames(row.evidence for row in rows),
                )


def aitm(seen: Seen) -> Iterator[Told]:
    """Signs that somebody puts himself between others."""
    for finding in seen.findings(BETWEEN):
        yield from of_finding(seen, "op.aitm", finding)


def ioc_hit(seen: Seen) -> Iterator[Told]:
    """Known ways of exploits and of malware."""
    for finding in seen.findings(EXPLOITS):
        yield from of_finding(seen, "op.ioc_hit", finding)


def executable_transfer(seen: Seen) -> Iterator[Told]:
    """Programs that went to hosts of the process."""
    for finding in seen.findings(EXECUTABLES):
        if any(map(seen.is_process, finding.assets)):
            yield from of_finding(seen, "op.executable_transfer", finding)


def backup_traffic(seen: Seen) -> Iterator[Told]:
    """Programs that a declared engineering station read out of a device, and was allowed to."""
    for row in seen.done(frozenset(("program_upload",)).__contains__):
        asset = seen.assets.get(row.client)
        if asset and seen.is_declared(asset) and asset.role == "engineering_station" and row.verdict == "allowed":
            yield of_row(seen, "op.backup_traffic", row, _zone(seen, row), function=row.function)


def time_sync(seen: Seen) -> Iterator[Told]:
    """Hosts that take their time from a declared clock over NTP, and devices whose allowed client sets theirs."""
    for edge in seen.of_services(seen.answered, ("ntp",)):
        source = seen.assets.get(edge.server)
        if source is not None and seen.is_declared(source):
            yield of_edge(seen, "op.time_sync", edge, (seen.zone(edge.client),), source=seen.name(edge.server))
    for row in seen.done(frozenset(("time",)).__contains__):
        asset = seen.assets.get(row.client)
        if row.verdict == "allowed" and asset is not None and seen.is_declared(asset):
            one = of_row(seen, "op.time_sync", row, _zone(seen, row))
            yield with_value(one, "operation", "source", seen.name(row.client))


def time_foreign(seen: Seen) -> Iterator[Told]:
    """Time from the internet, from a host in no list, or set by somebody whom the policy does not let."""
    for edge in seen.of_services(seen.answered, TIME_SERVICES):
        source = seen.assets.get(edge.server)
        stranger = seen.is_public(edge.server) or (seen.listed and source is not None and not seen.is_declared(source))
        inside = not seen.is_public(edge.client)
        if stranger and inside:
            yield of_edge(seen, "op.time_foreign", edge, (seen.zone(edge.client),), source=seen.name(edge.server))
    for row in seen.done(frozenset(("time",)).__contains__):
        if row.verdict in ("violation", "unzoned") or row.by == "exception":
            one = of_row(seen, "op.time_foreign", row, _zone(seen, row))
            yield with_value(one, "operation", "source", seen.name(row.client))


def log_export(seen: Seen) -> Iterator[Told]:
    """Logs that go to a declared host; that it keeps them is not seen."""
    for edge in seen.of_services(seen.spoken, LOG_SERVICES):
        collector = seen.assets.get(edge.server)
        if collector is not None and seen.is_declared(collector):
            yield of_edge(seen, "op.log_export", edge, (seen.zone(edge.client),))


def log_clear(seen: Seen) -> Iterator[Told]:
    """Logs that anybody on the way can read and alter: syslog over UDP or TCP without TLS."""
    for edge in seen.of_services(seen.spoken, ("syslog",)):
        yield of_edge(seen, "op.log_clear", edge, (seen.zone(edge.client),))
