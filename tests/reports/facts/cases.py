"""What shows each fact, in a result made by hand; and what is near to it and does not."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.reports.facts import made
from tests.reports.facts.made import activity, asset, claim, conduit, edge, finding, function, ot, verdict
from zonewatch.reports.result import UnusedFlow


class Case(NamedTuple):
    name: str
    shown: dict[str, Any]  # what a result needs to show it
    zones: set[str]  # in which it then is observed
    near: dict[str, Any] | None = None  # what does not show it, though it looks alike


VIOLATION: dict[str, Any] = {"verdict": "violation", "differs": ("client",)}
WRITE: dict[str, Any] = {"operation": "write", "function": "write"}
DOWNLOAD: dict[str, Any] = {"operation": "program_download", "function": "download"}
TLS = {"tls__version": "1.2", "tls__cipher": "TLS_AES_128_GCM_SHA256"}
PASSWORD = {"credential__kind": "password", "user__name": "operator"}
SECOND = made.SECOND


def told(name: str, rule: str, *assets: str) -> Case:
    """A fact that findings of a rule tell; those of another do not."""
    return Case(
        name,
        {"findings": (finding(rule, *(assets or ("plc-1",))),)},
        {"cell"},
        {"findings": (finding("exposure.no_authentication", "plc-1"),)},
    )


CASES = [
    Case("cov.window", {}, {""}, {"capture": {"packets": 0}}),
    Case("cov.sensor_points", {}, {"", "office", "dmz", "control-room", "cell"}),
    Case("cov.zone_visibility", {}, {"office", "dmz", "control-room", "cell"}, {"given": False}),
    Case(
        "cov.one_sided",
        {"edges": [edge("scada-1", "plc-1", "modbus", state="one_way")]},
        {"control-room", "cell"},
        {"edges": [edge("scada-1", "plc-1", "syslog", transport="udp", state="one_way")]},
    ),
    Case("cov.undecoded_share", {}, {""}, {"capture": {"packets": 0}}),
    Case("inv.asset_seen", {}, {"office", "dmz", "control-room", "cell"}),
    Case("inv.asset_undeclared", {"assets": [asset("laptop-7")]}, {"cell"}, {"assets": [asset("8.8.4.4")]}),
    Case("inv.asset_unseen", {"unseen": ("plc-2",)}, {"cell"}),
    told("inv.identity_conflict", "network.address_conflict"),
    told("inv.new_asset", "baseline.new_asset"),
    Case(
        "inv.transient_asset",
        {"assets": [asset("laptop-7", first_time=made.MIDDLE, last_time=made.MIDDLE + 60 * SECOND)]},
        {"cell"},
        {"assets": [asset("plc-2", first_time=made.MIDDLE, last_time=made.MIDDLE + 60 * SECOND)]},
    ),
    told("inv.dual_homed", "exposure.dual_homed"),
    Case(
        "inv.wireless_indicator",
        {"edges": [edge("plc-2", "scada-1", "udp/5246", 5246, transport="udp", state="two_way")]},
        {"control-room", "cell"},
        {"edges": [edge("plc-2", "scada-1", "tcp/5246", 5246)]},
    ),
    Case(
        "inv.firmware_known",
        {"assets": [asset("plc-1", claims=(claim("firmware", "v3.2"),))]},
        {"cell"},
        {"assets": [asset("plc-1", claims=(claim("model", "M340"),))]},
    ),
    Case("inv.inventory_match", {"unseen": ("plc-2",)}, {"office", "dmz", "control-room"}),
    Case(
        "flow.cross_zone",
        {"verdicts": [verdict("scada-1", "plc-1", "modbus", operation="read")]},
        {"control-room", "cell"},
        {"verdicts": [verdict("scada-1", "eng-1", "smb")]},
    ),
    Case(
        "flow.no_conduit",
        {"verdicts": [verdict("pc-1", "plc-1", "modbus", **VIOLATION, **WRITE)]},
        {"office", "cell"},
        {"verdicts": [verdict("scada-1", "plc-1", "modbus", **VIOLATION, **WRITE)]},
    ),
    Case(
        "flow.conduit_violation",
        {"verdicts": [verdict("scada-1", "plc-1", "modbus", **VIOLATION, **WRITE)]},
        {"control-room", "cell"},
        {"verdicts": [verdict("scada-1", "plc-1", "http", **VIOLATION, state="attempted")]},
    ),
    Case(
        "flow.conduit_conform",
        {"verdicts": [verdict("scada-1", "plc-1", "modbus", operation="read", conduit="control-room-to-cell")]},
        {"control-room", "cell"},
        {
            "verdicts": [
                verdict("scada-1", "plc-1", "modbus", operation="read", conduit="control-room-to-cell"),
                verdict("eng-1", "plc-1", "http", **VIOLATION, state="attempted"),
            ]
        },
    ),
    Case(
        "flow.conduit_rule_unused",
        {"unused_flows": (UnusedFlow("control-room-to-cell", "poll", "control-room", "cell", "modbus"),)},
        {"control-room", "cell"},
        {
            "unused_flows": (UnusedFlow("control-room-to-cell", "poll", "control-room", "cell", "modbus"),),
            "unseen": ("plc-1", "plc-2"),
        },
    ),
    Case(
        "flow.it_to_ot_direct",
        {"edges": [edge("pc-1", "plc-1", "https", 443)]},
        {"office", "cell"},
        {"edges": [edge("pc-1", "mirror-1", "https", 443), edge("scada-1", "dc-1", "dns", 53)]},
    ),
    told("flow.pivot_path", "pivot.chain", "pc-1", "eng-1", "plc-1"),
    Case(
        "flow.dmz_terminated",
        {"edges": [edge("pc-1", "jump-1", "https", 443), edge("jump-1", "scada-1", "rdp", 3389)]},
        {"dmz", "control-room"},
        {"edges": [edge("pc-1", "jump-1", "https", 443), edge("mirror-1", "scada-1", "https", 443)]},
    ),
    Case(
        "flow.ot_to_internet",
        {"edges": [edge("scada-1", "8.8.4.4", "https", 443)]},
        {"control-room"},
        {"edges": [edge("scada-1", "8.8.4.4", "https", 443, state="attempted"), edge("pc-1", "8.8.4.4", "https", 443)]},
    ),
    Case(
        "flow.internet_to_ot",
        {"edges": [edge("8.8.4.4", "plc-1", "modbus", 502)]},
        {"cell"},
        {"edges": [edge("8.8.4.4", "plc-1", "modbus", 502, packets=4), edge("8.8.4.4", "pc-1", "http", 80)]},
    ),
    Case(
        "flow.safety_zone_cross",
        {
            "zones": made.zones(made.SAFE),
            "assets": [asset("sis-1")],
            "verdicts": [verdict("eng-1", "sis-1", "modbus", **VIOLATION, **WRITE)],
        },
        {"control-room", "safety"},
        {
            "zones": made.zones(made.SAFE),
            "assets": [asset("sis-1")],
            "verdicts": [verdict("eng-1", "sis-1", "modbus", operation="read", conduit="c", flow="f")],
        },
    ),
    told("flow.shared_l2", "exposure.shared_segment"),
    Case(
        "flow.vlan_map",
        {"assets": [asset("plc-1", interfaces=(made.Interface("tap", "10.4.0.1", "", 40, behind_router=False),))]},
        {"cell"},
        {"assets": [asset("plc-1", interfaces=(made.Interface("tap", "10.4.0.1", "", 40, behind_router=True),))]},
    ),
    Case(
        "flow.boundary_block",
        {"edges": [edge("pc-1", "plc-1", "http", 80, state="attempted"), edge("scada-1", "plc-1", "modbus", 502)]},
        {"office", "cell"},
        {
            "edges": [
                edge("pc-1", "plc-1", "http", 80, state="refused"),
                edge("pc-1", "plc-2", "http", state="attempted"),
            ]
        },
    ),
    Case(
        "flow.one_way",
        {
            "policy": {"conduits": (conduit("control-room", "dmz", direction="from-to-only"),)},
            "edges": [edge("scada-1", "mirror-1", "syslog", 514, transport="udp", state="one_way")],
        },
        {"control-room", "dmz"},
        {
            "policy": {"conduits": (conduit("control-room", "dmz", direction="from-to-only"),)},
            "edges": [edge("scada-1", "mirror-1", "https", 443)],
        },
    ),
    told("flow.new_pair", "baseline.new_edge"),
    Case(
        "flow.shared_infra",
        {"edges": [edge("scada-1", "dc-1", "dns", 53, transport="udp", state="two_way")]},
        {"control-room"},
        {"edges": [edge("pc-1", "dc-1", "dns", 53), edge("scada-1", "dc-1", "https", 443)]},
    ),
    Case(
        "sec.unauth_control",
        {
            "assets": [asset("plc-1", services=(made.service("modbus", "none"),))],
            "edges": [ot("scada-1", "plc-1", function("write"))],
        },
        {"cell"},
        {
            "assets": [asset("plc-1", services=(made.service("modbus", "none"),))],
            "edges": [ot("scada-1", "plc-1", function("read"), function("write", error=3, no_response=1))],
        },
    ),
    Case(
        "sec.auth_observed",
        {"activities": [activity("eng-1", "plc-1", "tls", "handshake", fields={"tls__client__x509__subject": "CN=e"})]},
        {"cell"},
        {
            "activities": [
                activity("eng-1", "plc-1", "ftp", "login", operation="authenticate", fields=PASSWORD),
                activity("eng-1", "plc-1", "kerberos", "logon", operation="authenticate", status="error"),
            ]
        },
    ),
    told("sec.anonymous_session", "exposure.anonymous_login"),
    Case(
        "sec.cleartext_credentials",
        {"activities": [activity("eng-1", "plc-1", "ftp", "login", operation="authenticate", fields=PASSWORD)]},
        {"control-room", "cell"},
        {
            "activities": [
                activity(
                    "eng-1", "plc-1", "ftp", "login", fields={"credential__kind": "password", "user__name": "anonymous"}
                )
            ]
        },
    ),
    Case(
        "sec.default_credentials",
        {
            "activities": [
                activity("eng-1", "plc-1", "ftp", "login", fields={**PASSWORD, "credential__default": "true"})
            ]
        },
        {"cell"},
        {
            "activities": [
                activity(
                    "eng-1", "plc-1", "ftp", "login", status="error", fields={**PASSWORD, "credential__default": "true"}
                )
            ]
        },
    ),
    Case(
        "sec.shared_account",
        {
            "activities": [
                activity(client, "plc-1", "smb", "logon", operation="authenticate", fields={"user__name": "op"})
                for client in ("scada-1", "eng-1")
            ]
        },
        {"cell"},
        {
            "activities": [
                activity("scada-1", "plc-1", "smb", "logon", operation="authenticate", fields={"user__name": "op"}),
                activity(
                    "eng-1",
                    "plc-1",
                    "smb",
                    "logon",
                    operation="authenticate",
                    fields={"user__name": "op"},
                    first_time=made.END - SECOND,
                    last_time=made.END,
                ),
            ]
        },
    ),
    told("sec.auth_failure_burst", "pivot.login_burst"),
    Case(
        "sec.cleartext_conduit",
        {"edges": [edge("scada-1", "plc-1", "http", 80)]},
        {"control-room", "cell"},
        {"edges": [edge("scada-1", "plc-1", "http", 80, packets=3), edge("scada-1", "eng-1", "http", 80)]},
    ),
    Case(
        "sec.no_integrity",
        {"edges": [ot("scada-1", "plc-1", function("read"))]},
        {"control-room", "cell"},
        {
            "assets": [asset("plc-1", services=(made.service("dnp3", "used"),))],
            "edges": [ot("scada-1", "plc-1", function("read"), protocol="dnp3")],
        },
    ),
    Case(
        "sec.integrity_open",
        {"edges": [edge("scada-1", "plc-1", "https", 443), edge("plc-1", "plc-2", "modbus", ot=True)]},
        {"control-room", "cell"},
        {
            "edges": [edge("scada-1", "plc-1", "https", 443), edge("scada-1", "plc-1", "icmp", state="two_way")],
            "activities": [activity("scada-1", "plc-1", "tls", "handshake", fields=TLS)],
        },
    ),
    Case(
        "sec.crypto_ok",
        {"activities": [activity("scada-1", "plc-1", "tls", "handshake", fields=TLS)]},
        {"control-room", "cell"},
        {
            "activities": [
                activity("scada-1", "plc-1", "tls", "handshake", status="error", fields=TLS),
                activity(
                    "scada-1",
                    "plc-1",
                    "tls",
                    "handshake",
                    fields={"tls__version": "1.2", "tls__cipher": "TLS_RSA_WITH_RC4_128_SHA"},
                ),
            ]
        },
    ),
    Case(
        "sec.crypto_weak",
        {"activities": [activity("scada-1", "plc-1", "tls", "handshake", fields={"tls__version": "1.0"})]},
        {"control-room", "cell"},
        {"activities": [activity("scada-1", "plc-1", "ssh", "connect", fields={"ssh__version": "1.99"})]},
    ),
    Case(
        "sec.cert_problem",
        {"activities": [activity("scada-1", "plc-1", "tls", "handshake", fields={"tls__server__self_signed": "true"})]},
        {"cell"},
        {
            "activities": [
                activity(
                    "scada-1",
                    "plc-1",
                    "tls",
                    "handshake",
                    fields={"tls__server__not_before": "2020-01-01", "tls__server__not_after": "2040-01-01"},
                )
            ]
        },
    ),
    Case(
        "sec.session_overlong",
        {
            "policy": {"remote_access": (made.ACCESS,)},
            "verdicts": [
                verdict(
                    "jump-1",
                    "plc-1",
                    "rdp",
                    "violation",
                    differs=("remote access",),
                    reason="a session of 90 minutes, at most 60 are declared (remote access ra1)",
                )
            ],
        },
        {"cell"},
        {
            "policy": {"remote_access": (made.ACCESS,)},
            "verdicts": [verdict("pc-1", "plc-1", "rdp", "violation", differs=("remote access",), reason="past entry")],
        },
    ),
    Case(
        "sec.session_concurrent",
        {"edges": [edge("scada-1", "eng-1", "rdp", 3389), edge("pc-1", "eng-1", "rdp", 3389)]},
        {"control-room"},
        {
            "edges": [
                edge("scada-1", "eng-1", "rdp", 3389),
                edge("pc-1", "eng-1", "rdp", 3389, first_time=made.END - SECOND, last_time=made.END),
            ]
        },
    ),
    Case(
        "svc.exposed",
        {"assets": [asset("plc-1", services=(made.service("modbus", "none"),))]},
        {"cell"},
        {"assets": [asset("pc-1", services=(made.service("smb", "unknown"),))]},
    ),
    told("svc.unneeded", "exposure.needless_service"),
    Case(
        "svc.remote_access",
        {"edges": [edge("eng-1", "plc-1", "ssh", 22)]},
        {"control-room", "cell"},
        {"edges": [edge("eng-1", "plc-1", "ssh", 22, packets=4), edge("eng-1", "plc-1", "http", 80)]},
    ),
    Case(
        "svc.remote_untrusted",
        {"edges": [edge("pc-1", "jump-1", "rdp", 3389)]},
        {"dmz"},
        {"edges": [edge("jump-1", "scada-1", "rdp", 3389)]},
    ),
    Case(
        "svc.remote_direct",
        {"edges": [edge("8.8.4.4", "scada-1", "vnc", 5900)]},
        {"control-room"},
        {"edges": [edge("8.8.4.4", "jump-1", "vnc", 5900), edge("jump-1", "scada-1", "rdp", 3389)]},
    ),
    Case(
        "svc.remote_via_jump",
        {"policy": {"remote_access": (made.ACCESS,)}, "edges": [edge("8.8.4.4", "jump-1", "rdp", 3389)]},
        {"dmz", "cell"},
        {"policy": {"remote_access": (made.ACCESS,)}, "edges": [edge("8.8.4.4", "mirror-1", "rdp", 3389)]},
    ),
    Case(
        "svc.remote_unapproved",
        {
            "edges": [edge("pc-1", "scada-1", "rdp", 3389)],
            "verdicts": [verdict("pc-1", "scada-1", "rdp", **VIOLATION)],
        },
        {"control-room"},
        {"edges": [edge("pc-1", "scada-1", "rdp", 3389)], "verdicts": [verdict("pc-1", "scada-1", "rdp")]},
    ),
    told("svc.messaging", "exposure.messaging"),
    Case(
        "svc.mgmt_inband",
        {"edges": [edge("eng-1", "plc-1", "snmp", 161, transport="udp", state="two_way")]},
        {"cell"},
        {"edges": [edge("eng-1", "plc-1", "modbus", 502), edge("eng-1", "scada-1", "ssh", 22)]},
    ),
    Case(
        "svc.mixed_role",
        {"edges": [edge("scada-1", "dc-1", "imap", 143)]},
        {"control-room"},
        {"edges": [edge("scada-1", "plc-1", "http", 80), edge("pc-1", "dc-1", "imap", 143)]},
    ),
    Case(
        "svc.mail_dns_hygiene",
        {
            "activities": [
                activity(
                    "scada-1",
                    "dc-1",
                    "dns",
                    "query",
                    fields={"dns__question__name": "a.com", "dns__answers": "8.8.4.4"},
                )
            ]
        },
        {"control-room"},
        {"activities": [activity("scada-1", "dc-1", "dns", "query", fields={"dns__answers": "10.4.0.1"})]},
    ),
    Case(
        "op.write_unlisted",
        {"verdicts": [verdict("eng-1", "plc-1", "modbus", **VIOLATION, **WRITE)]},
        {"cell"},
        {
            "verdicts": [
                verdict("scada-1", "plc-1", "modbus", "violation", differs=("value",), **WRITE),
                verdict("eng-1", "plc-1", "modbus", **VIOLATION, **WRITE, refused=3, unanswered=2),
            ]
        },
    ),
    Case(
        "op.write_seen",
        {"edges": [ot("scada-1", "plc-1", function("write", error=1))]},
        {"cell"},
        {"edges": [ot("scada-1", "plc-1", function("read"))]},
    ),
    Case(
        "op.program_transfer",
        {"verdicts": [verdict("eng-1", "plc-1", "s7comm", **DOWNLOAD)]},
        {"cell"},
        {"verdicts": [verdict("eng-1", "plc-1", "s7comm", **DOWNLOAD, refused=5)]},
    ),
    Case(
        "op.firmware_transfer",
        {"verdicts": [verdict("eng-1", "plc-1", "s7comm", operation="firmware")]},
        {"cell"},
        {"verdicts": [verdict("eng-1", "plc-1", "s7comm", operation="file")]},
    ),
    Case(
        "op.mode_change",
        {"verdicts": [verdict("eng-1", "plc-1", "s7comm", operation="stop")]},
        {"cell"},
        {"verdicts": [verdict("eng-1", "plc-1", "s7comm", operation="restart")]},
    ),
    Case(
        "op.change_unapproved",
        {"verdicts": [verdict("eng-1", "plc-1", "s7comm", **VIOLATION, **DOWNLOAD)]},
        {"cell"},
        {"verdicts": [verdict("eng-1", "plc-1", "s7comm", by="", **DOWNLOAD)]},  # no approvals are kept here at all
    ),
    Case(
        "op.restart",
        {"verdicts": [verdict("eng-1", "plc-1", "dnp3", operation="restart")]},
        {"cell"},
        {"verdicts": [verdict("eng-1", "plc-1", "dnp3", operation="read")]},
    ),
    Case(
        "op.parameter_change",
        {"verdicts": [verdict("eng-1", "plc-1", "dnp3", operation="configure")]},
        {"cell"},
        {"verdicts": [verdict("eng-1", "plc-1", "dnp3", operation="write")]},
    ),
    told("op.scan", "exposure.scan", "laptop-7", "plc-1"),
    told("op.malformed", "protocol.malformed"),
    Case(
        "op.exception_rate",
        {"edges": [ot("scada-1", "plc-1", function("read", ok=9, error=1))]},
        {"cell"},
        {"edges": [ot("scada-1", "plc-1", function("read", ok=9, no_response=1))]},
    ),
    told("op.flood", "modbus.write_flood"),
    Case("op.load_profile", {"edges": [edge("scada-1", "plc-1", "modbus")]}, {"control-room", "cell"}),
    Case(
        "op.failover",
        {
            "activities": [
                activity(
                    sender,
                    "224.0.0.18",
                    "vrrp",
                    "advertise",
                    first_time=start,
                    last_time=start + SECOND,
                    fields={"redundancy__group": "7", "redundancy__state": "master"},
                )
                for sender, start in (("scada-1", made.START), ("eng-1", made.MIDDLE))
            ]
        },
        {"control-room"},
        {
            "activities": [
                activity(
                    sender,
                    "224.0.0.18",
                    "vrrp",
                    "advertise",
                    fields={"redundancy__group": "7", "redundancy__state": "master"},
                )
                for sender in ("scada-1", "eng-1")
            ]
        },
    ),
    told("op.aitm", "infrastructure.name_poisoner"),
    told("op.ioc_hit", "malware.path_traversal"),
    told("op.executable_transfer", "malware.executable_into_process", "pc-1", "scada-1"),
    Case(
        "op.backup_traffic",
        {"verdicts": [verdict("eng-1", "plc-1", "s7comm", operation="program_upload")]},
        {"cell"},
        {"verdicts": [verdict("scada-1", "plc-1", "s7comm", operation="program_upload")]},
    ),
    Case(
        "op.time_sync",
        {"edges": [edge("scada-1", "dc-1", "ntp", 123, transport="udp", state="two_way")]},
        {"control-room"},
        {"edges": [edge("scada-1", "8.8.4.4", "ntp", 123, transport="udp", state="two_way")]},
    ),
    Case(
        "op.time_foreign",
        {"edges": [edge("scada-1", "8.8.4.4", "ntp", 123, transport="udp", state="two_way")]},
        {"control-room"},
        {"edges": [edge("scada-1", "dc-1", "ntp", 123, transport="udp", state="two_way")]},
    ),
    Case(
        "op.log_export",
        {"edges": [edge("plc-1", "dc-1", "syslog", 514, transport="udp", state="one_way")]},
        {"cell"},
        {"edges": [edge("plc-1", "8.8.4.4", "syslog", 514, transport="udp", state="one_way")]},
    ),
    Case(
        "op.log_clear",
        {"edges": [edge("plc-1", "dc-1", "syslog", 514, transport="udp", state="one_way")]},
        {"cell"},
        {"edges": [edge("plc-1", "dc-1", "tls", 6514)]},
    ),
    Case(
        "mon.baseline_approved",
        {},
        {"", "office", "dmz", "control-room", "cell"},
        {"policy": {"valid_until": "2026-01-02"}},
    ),
    told("mon.change_seen", "baseline.new_edge"),
]
