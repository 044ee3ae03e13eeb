"""The table of all facts: how each is measured, and what its absence may be told from.

facts = measure(result)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from zonewatch.reports.beside import beside
from zonewatch.reports.catalogue.load import fact_kinds
from zonewatch.reports.facts import coverage, flow, inventory, mon, op, sec, svc
from zonewatch.reports.facts.model import MINIMUM, WHOLE, Fact, FactStatus, Minimum, Place, Visibility
from zonewatch.reports.facts.packed import packed, unpacked
from zonewatch.reports.facts.seen import Seen
from zonewatch.reports.facts.told import Told, joined
from zonewatch.reports.result import AuditResult

__all__ = ["MEASURED", "NOT_YET", "Measure", "is_large", "measure", "visibilities"]


@dataclass(frozen=True, slots=True)
class Measure:
    """How one fact is measured; the function's docstring says it in words."""

    find: Callable[[Seen], Iterable[Told]]
    values: tuple[str, ...]  # names of the values of its sentence, in their order
    rules: tuple[str, ...] = ()  # that have to be on before its absence may be told
    needs: tuple[str, ...] = ()  # words of NEEDS
    never: str = ""  # why its absence is never told
    coverage: bool = False  # about the captures themselves: absence needs no visibility of zones


NEEDS: Final[Mapping[str, Callable[[Seen], bool]]] = {
    "no_policy": lambda seen: seen.result.policy.given,
    "no_assets": lambda seen: seen.listed,
    "no_baseline": lambda seen: any(rule.startswith("baseline.") for rule in seen.looked_for),
    "no_windows": lambda seen: bool(seen.result.policy.permits or seen.result.policy.remote_access),
    "no_safety_zone": lambda seen: any(flow.is_safety(seen, zone) for zone in seen.zones),
    "no_diode": lambda seen: any(
        conduit.kind == "one-way" or conduit.direction == "from-to-only" for conduit in seen.result.policy.conduits
    ),
}
"""What has to be given, by the reason that is told where it is not."""


def _measure(
    find: Callable[[Seen], Iterable[Told]],
    values: str,
    rules: tuple[str, ...] = (),
    needs: str = "",
    never: str = "",
) -> Measure:
    return Measure(find, tuple(values.split()), rules, tuple(needs.split()), never)


_EDGE: Final = "client server protocol"
_ROW: Final = "client server protocol operation"
_FINDING: Final = "rule assets"
_DONE: Final = f"{_ROW} function verdict by"

MEASURED: Final[Mapping[str, Measure]] = {
    "cov.window": Measure(
        coverage.window,
        ("source", "capture", "sha256", "packets", "bytes", "dropped", "gaps", "silence"),
        coverage=True,
    ),
    "cov.sensor_points": Measure(coverage.sensor_points, ("source", "vlans", "untagged"), coverage=True),
    "cov.zone_visibility": Measure(
        coverage.zone_visibility,
        ("declared", "seen", "connections", "both_ways", "sufficient", "reason"),
        needs=("no_policy",),
        coverage=True,
    ),
    "cov.one_sided": Measure(coverage.one_sided, ("connections",), coverage=True),
    "cov.undecoded_share": Measure(
        coverage.undecoded_share, ("bytes", "unknown", "undecoded", "encrypted"), coverage=True
    ),
    "inv.asset_seen": _measure(inventory.asset_seen, "assets with_vendor with_model with_role by_hints_only"),
    "inv.asset_undeclared": _measure(inventory.asset_undeclared, "asset address", needs="no_assets"),
    "inv.asset_unseen": _measure(inventory.asset_unseen, "asset", needs="no_assets"),
    "inv.identity_conflict": _measure(inventory.identity_conflict, _FINDING, inventory.CONFLICTS[:1]),
    "inv.new_asset": _measure(inventory.new_asset, _FINDING, inventory.NEW, "no_baseline"),
    "inv.transient_asset": _measure(inventory.transient_asset, "asset address seconds"),
    "inv.dual_homed": _measure(inventory.dual_homed, _FINDING, inventory.DUAL_HOMED, "no_policy"),
    "inv.wireless_indicator": _measure(inventory.wireless_indicator, f"{_EDGE} sign", never="radio"),
    "inv.firmware_known": _measure(inventory.firmware_known, "assets", never="only_if_used"),
    "inv.inventory_match": _measure(inventory.inventory_match, "declared seen undeclared", needs="no_assets"),
    "flow.cross_zone": _measure(flow.cross_zone, "from to protocol", needs="no_policy"),
    "flow.no_conduit": _measure(flow.no_conduit, f"{_ROW} from to", needs="no_policy"),
    "flow.conduit_violation": _measure(flow.conduit_violation, f"{_ROW} conduit flow aspects", needs="no_policy"),
    "flow.conduit_conform": _measure(flow.conduit_conform, "conduit from to flows", needs="no_policy"),
    "flow.conduit_rule_unused": _measure(flow.conduit_rule_unused, "conduit flow protocol", needs="no_policy"),
    "flow.it_to_ot_direct": _measure(flow.it_to_ot_direct, _EDGE, needs="no_policy"),
    "flow.pivot_path": _measure(flow.pivot_path, _FINDING, flow.PIVOTS),
    "flow.dmz_terminated": _measure(flow.dmz_terminated, "host from to", needs="no_policy"),
    "flow.ot_to_internet": _measure(flow.ot_to_internet, _EDGE),
    "flow.internet_to_ot": _measure(flow.internet_to_ot, _EDGE),
    "flow.safety_zone_cross": _measure(
        flow.safety_zone_cross, f"{_ROW} from to verdict", needs="no_policy no_safety_zone"
    ),
    "flow.shared_l2": _measure(flow.shared_l2, _FINDING, flow.SHARED, "no_policy"),
    "flow.vlan_map": _measure(flow.vlan_map, "vlan assets"),
    "flow.boundary_block": _measure(flow.boundary_block, _EDGE, needs="no_policy", never="only_if_used"),
    "flow.one_way": _measure(flow.one_way, "conduit from to", needs="no_policy no_diode"),
    "flow.new_pair": _measure(flow.new_pair, _FINDING, flow.NEW_PAIRS, "no_baseline"),
    "flow.shared_infra": _measure(flow.shared_infra, _EDGE, needs="no_policy"),
    "sec.unauth_control": _measure(sec.unauth_control, "client server protocol operations"),
    "sec.auth_observed": _measure(sec.auth_observed, f"{_EDGE} mechanism", never="only_if_used"),
    "sec.anonymous_session": _measure(sec.anonymous_session, _FINDING, sec.ANONYMOUS_RULES),
    "sec.cleartext_credentials": _measure(sec.cleartext_credentials, f"{_EDGE} kind", sec.READABLE),
    "sec.default_credentials": _measure(sec.default_credentials, f"{_EDGE} kind", tuple(sec.KNOWN)),
    "sec.shared_account": _measure(sec.shared_account, "user clients", never="encrypted"),
    "sec.auth_failure_burst": _measure(sec.auth_failure_burst, _FINDING, sec.BURSTS),
    "sec.cleartext_conduit": _measure(sec.cleartext_conduit, _EDGE, needs="no_policy"),
    "sec.no_integrity": _measure(sec.no_integrity, _EDGE, needs="no_policy"),
    "sec.integrity_open": _measure(sec.integrity_open, _EDGE, needs="no_policy"),
    "sec.crypto_ok": _measure(sec.crypto_ok, f"{_EDGE} version", never="only_if_used"),
    "sec.crypto_weak": _measure(sec.crypto_weak, f"{_EDGE} what"),
    "sec.cert_problem": _measure(sec.cert_problem, f"{_EDGE} what", never="encrypted"),
    "sec.session_overlong": _measure(sec.session_overlong, f"{_ROW} reason", needs="no_policy no_windows"),
    "sec.session_concurrent": _measure(sec.session_concurrent, "server clients"),
    "svc.exposed": _measure(svc.exposed, "asset services", never="only_if_used"),
    "svc.unneeded": _measure(svc.unneeded, _FINDING, svc.NEEDLESS),
    "svc.remote_access": _measure(svc.remote_access, _EDGE),
    "svc.remote_untrusted": _measure(svc.remote_untrusted, _EDGE),
    "svc.remote_direct": _measure(svc.remote_direct, _EDGE),
    "svc.remote_via_jump": _measure(svc.remote_via_jump, f"{_EDGE} access", needs="no_policy no_windows"),
    "svc.remote_unapproved": _measure(svc.remote_unapproved, _ROW, needs="no_policy no_windows"),
    "svc.messaging": _measure(svc.messaging, _FINDING, svc.MESSAGING),
    "svc.mgmt_inband": _measure(svc.mgmt_inband, _EDGE),
    "svc.mixed_role": _measure(svc.mixed_role, _EDGE),
    "svc.mail_dns_hygiene": _measure(svc.mail_dns_hygiene, f"{_EDGE} name", never="encrypted"),
    "op.write_unlisted": _measure(op.write_unlisted, f"{_ROW} function", needs="no_policy"),
    "op.write_seen": _measure(op.write_seen, f"{_ROW} function points statuses"),
    "op.program_transfer": _measure(op.program_transfer, _DONE),
    "op.firmware_transfer": _measure(op.firmware_transfer, _DONE),
    "op.mode_change": _measure(op.mode_change, _DONE),
    "op.change_unapproved": _measure(op.change_unapproved, f"{_ROW} function", needs="no_policy no_windows"),
    "op.restart": _measure(op.restart, _DONE),
    "op.parameter_change": _measure(op.parameter_change, _DONE, op.LIMITS),
    "op.scan": _measure(op.scan, _FINDING, op.SCANS),
    "op.malformed": _measure(op.malformed, _FINDING, op.MALFORMED),
    "op.exception_rate": _measure(op.exception_rate, "server protocol errors events"),
    "op.flood": _measure(op.flood, _FINDING, op.FLOODS),
    "op.load_profile": _measure(op.load_profile, "packets bytes seconds resets"),
    "op.failover": _measure(op.failover, "protocol group address from to", never="only_if_used"),
    "op.aitm": _measure(op.aitm, _FINDING, op.BETWEEN),
    "op.ioc_hit": _measure(op.ioc_hit, _FINDING, op.EXPLOITS, never="no_indicators"),
    "op.executable_transfer": _measure(op.executable_transfer, _FINDING, op.EXECUTABLES, never="encrypted"),
    "op.backup_traffic": _measure(op.backup_traffic, f"{_ROW} function", needs="no_policy"),
    "op.time_sync": _measure(op.time_sync, f"{_EDGE} source", needs="no_assets"),
    "op.time_foreign": _measure(op.time_foreign, f"{_EDGE} source", needs="no_assets"),
    "op.log_export": _measure(op.log_export, _EDGE, needs="no_assets"),
    "op.log_clear": _measure(op.log_clear, _EDGE),
    "mon.baseline_approved": Measure(
        mon.baseline_approved,
        ("policy", "sha256", "approved_by", "approved_on", "valid_until"),
        needs=("no_policy",),
        coverage=True,
    ),
    "mon.change_seen": _measure(mon.change_seen, _FINDING, mon.CHANGES, "no_baseline"),
}
"""Facts that an audit's result shows."""

BESIDE: Final = ("sec.", "op.write_", "op.exception_", "mon.")
"""Of a large result these are measured on a second processor: with their way back some half of the work."""
MANY_ROWS: Final = 100_000
"""Edges and verdicts: from here on it is worth the start of a process, some four seconds without it."""

NOT_YET: Final[Mapping[str, str]] = {
    "inv.vuln_match": "No advisories (CSAF, CPE) are read, so no version is compared with any.",
    "flow.island_seen": (
        "It needs the rates of a boundary and of the control traffic behind it in short steps of time; a result holds "
        "sums over the whole window."
    ),
    "sec.session_id_weak": "Session handles, cookies and sequence numbers are not kept: they are secrets of a session.",
    "op.degraded_response": (
        "It needs response times and lost polls in short steps of time beside the load; a result holds sums over the "
        "whole window."
    ),
    "op.update_traffic": (
        "A policy has no word for servers of updates and signatures, so none can be recognised as declared."
    ),
    "op.clock_skew": "Times that devices put into their messages are not compared with the time of the packets.",
    "op.log_silent": (
        "That a source has gone silent needs its rhythm before; a baseline keeps that of control traffic, not of logs."
    ),
    "mon.sensor_uptime": "An audit reads captures: how a sensor ran is known where it ran continuously.",
    "mon.alert_delivery": "An audit sends no alerts; what was sent and acknowledged is known where a sensor ran.",
}
"""Facts of the vocabulary that this version does not measure, each with its reason."""


def is_large(result: AuditResult) -> bool:
    """Whether a second process is worth its start."""
    return len(result.inventory.edges) + len(result.verdicts) >= MANY_ROWS


def visibilities(result: AuditResult, minimum: Minimum = MINIMUM) -> tuple[Visibility, ...]:
    """How much of each zone of the policy was seen."""
    return tuple(Seen(result, minimum).visibilities.values())


def measure(result: AuditResult, minimum: Minimum = MINIMUM) -> tuple[Fact, ...]:
    """All facts of the vocabulary, in its order."""
    names = fact_kinds()
    second = [name for name in names if name.startswith(BESIDE)]
    seen = Seen(result, minimum)
    with beside(lambda: [packed(_fact(seen, name)) for name in second], is_large(result)) as others:
        found = {name: _fact(seen, name) for name in names if not name.startswith(BESIDE)}
        found |= {name: unpacked(fact) for name, fact in zip(second, others(), strict=True)}
    return tuple(found[name] for name in names)


def _fact(seen: Seen, name: str) -> Fact:
    how = MEASURED.get(name)
    if how is None:
        places = tuple(Place(zone, "not_observable", "not_measured") for zone in seen.zones)
        return Fact(name, "not_observable", "not_measured", places=places)
    observations = joined(seen, how.find(seen))
    absence = _absence(seen, how)
    found = {one.zone for one in observations}
    places = tuple(_place(zone, zone in found, absence or _blind(seen, how, zone)) for zone in seen.zones)
    whole = _place(WHOLE, bool(observations), absence or next(_whole(seen, how), ""))
    return Fact(name, whole.status, whole.reason_key, observations, places)


def _place(zone: str, observed: bool, reason: str) -> Place:
    status: FactStatus = "observed" if observed else "not_observable" if reason else "not_observed"
    return Place(zone, status, "" if observed else reason)


def _absence(seen: Seen, how: Measure) -> str:
    """Why nothing may be said of an absence in any zone; empty: it depends on the zone."""
    lacking = next((reason for reason in how.needs if not NEEDS[reason](seen)), "")
    if lacking:
        return lacking
    if not seen.looked_for.issuperset(how.rules):
        return "rule_off"
    return how.never


def _blind(seen: Seen, how: Measure, zone: str) -> str:
    if how.coverage:
        return "" if seen.total.packets else "no_capture"
    return seen.visibilities[zone].reason_key


def _whole(seen: Seen, how: Measure) -> Iterator[str]:
    """Why nothing may be said of an absence in the whole system: any zone that is not seen well enough."""
    if how.coverage:
        yield "" if seen.total.packets else "no_capture"
        return
    yield from filter(None, (seen.blind,))
    if not seen.zones:
        yield "nothing_declared"
    yield from filter(None, (row.reason_key for row in seen.visibilities.values()))
