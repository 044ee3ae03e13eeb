"""Facts about protection: who proves who he is, what can be read and altered on the way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations
from typing import Final

from zonewatch.inventory.model import Activity, Edge, Function
from zonewatch.reports.facts.model import Observation
from zonewatch.reports.facts.seen import Seen, changes
from zonewatch.reports.facts.told import Shown, Sight, Told, frames, of_activity, of_edge, of_finding, of_row
from zonewatch.rules.exposure.weaknesses import (
    KNOWN_COMMUNITY,
    LET_IN,
    certificate,
    community,
    old_ssh,
    old_tls,
    readable_password,
)
from zonewatch.rules.findings import Finding
from zonewatch.rules.policy.words import CLEARTEXT, REMOTE_SERVICES
from zonewatch.rules.remote import TOO_LONG

ANONYMOUS_RULES: Final = (
    "exposure.anonymous_login",
    "exposure.open_screen",
    "exposure.mqtt_without_login",
    "malware.null_session",
    "malware.agent_without_login",
)
READABLE: Final = ("exposure.cleartext_login", "exposure.default_credential", "exposure.snmp_community")
KNOWN: Final = {"exposure.default_credential": LET_IN, "exposure.snmp_community": KNOWN_COMMUNITY}
"""Rules that tell of names and words that everybody knows, with the reason that says so. An agent answers no other
community than its own (RFC 1157, 4.1)."""
BURSTS: Final = (
    "pivot.login_burst",
    "pivot.login_guessed",
    "pivot.password_spray",
    "bacnet.password_guessing",
    "dnp3.authentication_guessing",
    "s7comm.password_guessing",
)
PROOFS: Final = frozenset(("kerberos", "ldap", "eapol", "radius"))
"""Protocols whose success means that somebody proved who he is, where no readable password was sent for it."""
NOBODY: Final = frozenset(("anonymous", "ftp", "guest", "none"))
_STRONG_TLS: Final = frozenset(("1.2", "1.3"))
"""Of TLS and of DTLS."""
_OBEYED: Final = "ok"


def _fields(activity: Activity) -> Mapping[str, str]:
    return dict(reversed(activity.fields))


def _ends(seen: Seen, client: str, server: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((seen.zone(client), seen.zone(server))))


def _obeyed(function: Function) -> int:
    """How many of its events were answered positively: of the others nobody knows whether they were done."""
    return next((count for status, count in function.statuses if status == _OBEYED), 0)


def unauth_control(seen: Seen) -> Iterator[Told]:
    """Commands that a device obeyed at a service that asked nobody who he is."""
    open_services = {
        (asset.id, service.protocol)
        for asset in seen.result.inventory.assets
        for service in asset.services
        if service.posture == "none"
    }
    for edge in seen.edges:
        if (edge.server, edge.protocol) not in open_services:
            continue
        rows = [row for row in edge.functions if changes(row.operation) and _obeyed(row)]
        if rows:
            operations = ", ".join(sorted({row.operation for row in rows}))
            yield Sight(
                (seen.zone(edge.server),),
                (seen.name(edge.client), seen.name(edge.server), edge.protocol, operations),
                "",
                ("client", "server", "protocol", "operations"),
                "sec.unauth_control",
                sum(map(_obeyed, rows)),
                edge.first_time,
                edge.last_time,
                Shown(edge.client, edge.server, rows),
            )


def auth_observed(seen: Seen) -> Iterator[Told]:
    """Logins that succeeded and were not readable, and services of the process at which authentication succeeded."""
    for asset in seen.result.inventory.assets:
        for service in asset.services:
            if service.posture == "used":
                yield Observation(
                    zone=seen.zone(asset.id),
                    key="sec.auth_observed",
                    values=(
                        ("client", ""),
                        ("server", seen.name(asset.id)),
                        ("protocol", service.protocol),
                        ("mechanism", "authenticate"),
                    ),
                    count=1,
                    first_time=asset.first_time,
                    last_time=asset.last_time,
                    evidence=frames((service.evidence,) if service.evidence else ()),
                )
    for activity in seen.result.inventory.activities:
        mechanism = _proof(activity, _fields(activity))
        if mechanism:
            zone = (seen.zone(activity.server),)
            yield of_activity(seen, "sec.auth_observed", activity, zone, mechanism=mechanism)


def _proof(activity: Activity, fields: Mapping[str, str]) -> str:
    """By what the client proved who he is; empty where that is not known."""
    if activity.status != "ok" or activity.coalesced:
        return ""
    if activity.protocol in ("tls", "dtls") and fields.get("tls.client.x509.subject"):
        return "client certificate"
    if activity.operation != "authenticate" or fields.get("user.name", "").lower() in NOBODY:
        return ""
    if fields.get("credential.kind") or fields.get("ntlm.version") in ("anonymous", "NTLMv1", "LM"):
        return ""  # readable, a word of many, or of unknown worth
    if fields.get("ldap.authentication") == "anonymous" or fields.get("smb.session") in ("guest", "anonymous"):
        return ""
    named = fields.get("authentication.mechanism", "")
    if named and named not in ("password", "none"):
        return named
    return activity.protocol if activity.protocol in PROOFS else ""


def anonymous_session(seen: Seen) -> Iterator[Told]:
    """Sessions of nobody."""
    for finding in seen.findings(ANONYMOUS_RULES):
        yield from of_finding(seen, "sec.anonymous_session", finding)


def cleartext_credentials(seen: Seen) -> Iterator[Told]:
    """Passwords and communities that anybody on the way can read. The secret itself is never kept."""
    told = set()
    for activity in seen.result.inventory.activities:
        fields = _fields(activity)
        known = fields.get("credential.kind") == "password" and fields.get("credential.default") == "true"
        if known or readable_password(activity, fields) or community(activity, fields):
            kind = fields.get("credential.kind", "community")
            ends = _ends(seen, activity.client, activity.server)
            told.add((activity.server, activity.protocol))
            yield of_activity(seen, "sec.cleartext_credentials", activity, ends, kind=kind)
    for finding in seen.findings(READABLE):
        if _untold(finding, told):
            yield from of_finding(seen, "sec.cleartext_credentials", finding)


def default_credentials(seen: Seen) -> Iterator[Told]:
    """Known names and words that a server accepted."""
    told = set()
    for activity in seen.result.inventory.activities:
        fields = _fields(activity)
        word = fields.get("snmp.community_class") in ("public", "private") and bool(community(activity, fields))
        if activity.status == "ok" and (fields.get("credential.default") == "true" or word):
            kind = fields.get("credential.kind", "community")
            zone = (seen.zone(activity.server),)
            told.add((activity.server, activity.protocol))
            yield of_activity(seen, "sec.default_credentials", activity, zone, kind=kind)
    answering = {edge.server for edge in seen.of_services(seen.answered, ("snmp",))}
    for finding in seen.findings(KNOWN):
        accepted = finding.protocol != "snmp" or not answering.isdisjoint(finding.assets)
        if accepted and KNOWN[finding.rule] in finding.reasons and _untold(finding, told):
            yield from of_finding(seen, "sec.default_credentials", finding)


def _untold(finding: Finding, told: Collection[tuple[str, str]]) -> bool:
    """Whether no activity that was kept tells it: of requests that carry a password (HTTP, SNMP) none is."""
    return not any((asset, finding.protocol) in told for asset in finding.assets)


def shared_account(seen: Seen) -> Iterator[Told]:
    """One name that logged in from several hosts at the same time. Accounts of machines and of nobody do not count."""
    logins: defaultdict[tuple[str, str, str], list[Activity]] = defaultdict(list)
    for activity in seen.result.inventory.activities:
        fields = _fields(activity)
        user = fields.get("user.name", "")
        named = user and not user.endswith("$") and user.lower() not in NOBODY
        if named and activity.status == "ok" and activity.operation in ("authenticate", "session"):
            zone = seen.zone(activity.server)
            logins[zone, user.lower(), fields.get("user.domain", "").lower()].append(activity)
    for (zone, user, _), rows in sorted(logins.items()):
        pairs = [
            (one, other)
            for one, other in combinations(rows[:_MOST_LOGINS], 2)
            if one.client != other.client and one.first_time <= other.last_time and other.first_time <= one.last_time
        ]
        if pairs:
            both = [activity for pair in pairs for activity in pair]
            yield Observation(
                zone,
                "sec.shared_account",
                (("user", user), ("clients", ", ".join(sorted({seen.name(row.client) for row in both})))),
                count=len({id(row) for row in both}),
                first_time=min(row.first_time for row in both),
                last_time=max(row.last_time for row in both),
                evidence=frames(row.evidence for row in both),
            )


_MOST_LOGINS: Final = 200


def auth_failure_burst(seen: Seen) -> Iterator[Told]:
    """Logins that failed again and again."""
    for finding in seen.findings(BURSTS):
        yield from of_finding(seen, "sec.auth_failure_burst", finding)


def _between_zones(seen: Seen, protocols: frozenset[str]) -> Iterator[tuple[Edge, tuple[str, ...]]]:
    """Edges of some services between two zones, or between a zone and what is in none, by which something was said."""
    for edge in seen.of_services(seen.spoken, protocols):
        ends = _ends(seen, edge.client, edge.server)
        if len(ends) > 1:
            yield edge, tuple([zone for zone in ends if zone])


def cleartext_conduit(seen: Seen) -> Iterator[Told]:
    """Readable protocols that cross a boundary."""
    for edge, zones in _between_zones(seen, CLEARTEXT):
        yield of_edge(seen, "sec.cleartext_conduit", edge, zones)


def no_integrity(seen: Seen) -> Iterator[Told]:
    """Protocols that cross a boundary without a code that shows changes. SNMP 3 and secure DNP3 may have one."""
    secured = {
        (asset.id, service.protocol)
        for asset in seen.result.inventory.assets
        for service in asset.services
        if service.posture == "used"
    }
    for edge, zones in _between_zones(seen, CLEARTEXT - {"snmp"}):
        if (edge.server, edge.protocol) not in secured:
            yield of_edge(seen, "sec.no_integrity", edge, zones)


_CARRIERS: Final = frozenset(("icmp", "icmpv6", "igmp", "vrrp", "hsrp"))
"""They keep the network running and carry nothing of anybody's; so does what has no address of IP."""


def integrity_open(seen: Seen) -> Iterator[Told]:
    """Traffic across a boundary, and control traffic inside a zone, for which no handshake that agreed on acceptable
    cryptography was seen, nor a service that checks who sends."""
    shown = {
        (activity.client, activity.server, activity.protocol)
        for activity in seen.result.inventory.activities
        if _accepted(activity)
    }
    secured = {
        (asset.id, service.protocol)
        for asset in seen.result.inventory.assets
        for service in asset.services
        if service.posture == "used"
    }
    covers = {(client, server) for client, server, _ in shown}
    coverable = {id(edge) for edge in seen.of_services(seen.spoken, _OVER_TLS)}
    for edge in seen.spoken:
        ends = _ends(seen, edge.client, edge.server)
        needs = edge.ot or (
            len(ends) > 1 and edge.protocol not in _CARRIERS and not edge.protocol.startswith("ethernet/")
        )
        kept = (edge.client, edge.server, edge.protocol) in shown or (
            id(edge) in coverable and (edge.client, edge.server) in covers
        )
        if needs and not kept and (edge.server, edge.protocol) not in secured:
            yield of_edge(seen, "sec.integrity_open", edge, [zone for zone in ends if zone])


_OVER_TLS: Final = frozenset(("tls", "dtls", "https", "quic", "ldaps", "smtps", "imaps", "pop3s", "ssh"))
"""Services whose handshakes are told as those of TLS or SSH, between the same ends."""


def _accepted(activity: Activity) -> bool:
    fields = _fields(activity)
    return activity.status == "ok" and bool(_strong(activity, fields)) and not old_tls(activity, fields)


def crypto_ok(seen: Seen) -> Iterator[Told]:
    """Handshakes that agreed on TLS 1.2 or newer, or on SSH 2, with no weak cipher."""
    for activity in seen.result.inventory.activities:
        fields = _fields(activity)
        if _accepted(activity):
            ends = _ends(seen, activity.client, activity.server)
            yield of_activity(seen, "sec.crypto_ok", activity, ends, version=_strong(activity, fields))


def _strong(activity: Activity, fields: Mapping[str, str]) -> str:
    if activity.protocol == "ssh":
        return "SSH 2" if fields.get("ssh.version", "").startswith("2") else ""
    version = fields.get("tls.version", "")
    return f"TLS {version}" if version in _STRONG_TLS else ""


def crypto_weak(seen: Seen) -> Iterator[Told]:
    """Versions and ciphers that are deprecated. A server that offers SSH 1 beside 2 was not seen to use it."""
    for activity in seen.result.inventory.activities:
        fields = _fields(activity)
        weak = old_tls(activity, fields) or (fields.get("ssh.version") != "1.99" and old_ssh(activity, fields))
        if weak:
            ends = _ends(seen, activity.client, activity.server)
            yield of_activity(seen, "sec.crypto_weak", activity, ends, what=weak.text)


def cert_problem(seen: Seen) -> Iterator[Told]:
    """Certificates that are expired, not yet valid, or signed by themselves."""
    for activity in seen.result.inventory.activities:
        fields = _fields(activity)
        weak = certificate(activity, fields)
        if weak and (fields.get("tls.server.self_signed") == "true" or _out_of_time(weak.text)):
            zone = (seen.zone(activity.server),)
            yield of_activity(seen, "sec.cert_problem", activity, zone, what=weak.text)


def _out_of_time(text: str) -> bool:
    return "expired on " in text or "valid from " in text


def session_overlong(seen: Seen) -> Iterator[Told]:
    """Remote sessions that were longer than the policy declares."""
    limits = [access.max_minutes for access in seen.result.policy.remote_access if access.max_minutes is not None]
    for row in seen.result.verdicts:
        long = row.differs == ("remote access",) and row.reason.startswith(TOO_LONG)
        if limits and long and row.verdict == "violation":
            zones = (row.server_zone,)
            yield of_row(seen, "sec.session_overlong", row, zones, ("policy.violation",), reason=row.reason)


def session_concurrent(seen: Seen) -> Iterator[Told]:
    """Hosts that held remote sessions on one server within the same time. Each span may be of several sessions."""
    edges: defaultdict[str, list[Edge]] = defaultdict(list)
    for edge in seen.of_services(seen.answered, REMOTE_SERVICES):
        edges[edge.server].append(edge)
    for server, rows in sorted(edges.items()):
        both = {
            id(edge): edge
            for one, other in combinations(rows[:_MOST_LOGINS], 2)
            if one.client != other.client and one.first_time <= other.last_time and other.first_time <= one.last_time
            for edge in (one, other)
        }
        if both:
            found = list(both.values())
            yield Observation(
                seen.zone(server),
                "sec.session_concurrent",
                (
                    ("server", seen.name(server)),
                    ("clients", ", ".join(sorted({seen.name(edge.client) for edge in found}))),
                ),
                count=len(found),
                first_time=max(edge.first_time for edge in found),
                last_time=min(edge.last_time for edge in found),
                evidence=frames(*(edge.evidence for edge in found)),
            )
