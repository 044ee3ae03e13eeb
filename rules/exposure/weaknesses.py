"""Weak protection that activities show: known and readable passwords, old versions, certificates, open screens.

A test looks at one activity and says what is weak in it, or nothing. Each server of the process side is a finding; the
others of a zone are one, a step less severe.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final, NamedTuple

from zonewatch.inventory.addresses import is_public
from zonewatch.inventory.model import Activity
from zonewatch.rules.context import Context, Detector, Fact, Told, higher, listing, lower, sentence, span, times
from zonewatch.rules.findings import SEVERITIES, Finding, Severity
from zonewatch.rules.safeguards import ANONYMOUS

LONGEST_DAYS: Final = 3653
"""A certificate that is valid for longer than ten years outlives its key's strength and whoever issued it."""

OLD_TLS: Final = frozenset(("SSL 2.0", "SSL 3.0", "1.0", "1.1"))
"""Deprecated by RFC 6176, RFC 7568 and RFC 8996."""
WEAK_CIPHERS: Final = ("_NULL_", "_RC4_", "_EXPORT_", "_DES_", "_DES40_", "_3DES_", "_RC2_", "_anon_")
"""Parts of the names of cipher suites that protect nothing, or little (RFC 7465, RFC 9325)."""
SMB_1: Final = ("NT LM 0.12", "LANMAN", "LM1.2", "PC NETWORK", "MICROSOFT NETWORKS", "DOS LANMAN", "Windows for")
"""Beginnings of the names of SMB 1 dialects (MS-CIFS, 1.7)."""
LET_IN: Final = "the server let it in"
KNOWN_COMMUNITY: Final = "the community is one that everybody knows"
SHARED_WORDS: Final = frozenset(("community", "hsrp text", "vrrp password", "routing password"))
"""Kinds of credentials that are a word of many devices and no login."""


class Weak(NamedTuple):
    """What is weak: in words, and how bad where that is not as the detector has it."""

    text: str
    severity: Severity | None = None
    reason: str = ""


Fields = Mapping[str, str]
Test = Callable[[Activity, Fields], Weak | None]


def default_credential(activity: Activity, fields: Fields) -> Weak | None:
    """A login with a name and password that everybody knows."""
    if fields.get("credential.default") != "true" or fields.get("credential.kind") in SHARED_WORDS:
        return None
    who = f" as {fields['user.name']}" if fields.get("user.name") else ""
    if activity.status == "error":
        return Weak(f"{activity.protocol} login{who}, refused", "medium", "the server refused it")
    return Weak(f"{activity.protocol} login{who}", reason=LET_IN if activity.status == "ok" else "")


def readable_password(activity: Activity, fields: Fields) -> Weak | None:
    """A password that anybody on the way can read."""
    if fields.get("credential.kind") != "password" or fields.get("credential.default") == "true":
        return None
    user = fields.get("user.name", "")
    return None if user.lower() in ANONYMOUS else Weak(f"{activity.protocol} login{f' as {user}' if user else ''}")


def community(_: Activity, fields: Fields) -> Weak | None:
    """SNMP that knows nothing but a word in the clear (RFC 1157, RFC 1901)."""
    version, word = fields.get("snmp.version", ""), fields.get("snmp.community_class", "")
    if version not in ("1", "2c"):
        return None
    known = word in ("public", "private") or fields.get("credential.default") == "true"
    text = f"SNMP {version}, community {f'{word!r}' if word in ('public', 'private') else 'of its own'}"
    return Weak(text, "high" if known else None, KNOWN_COMMUNITY if known else "")


def changed_by_community(activity: Activity, fields: Fields) -> Weak | None:
    """The same, and something was set by it."""
    weak = community(activity, fields)
    if weak is None or activity.action != "set" or activity.status != "ok":
        return weak
    return Weak(f"{weak.text}, set", "high", "settings were changed by it")


def smb_1(activity: Activity, fields: Fields) -> Weak | None:
    """The first version of SMB."""
    dialect = fields.get("smb.dialect", "")
    if activity.protocol != "smb" or activity.status == "error" or not dialect.upper().startswith(_SMB_1):
        return None
    return Weak(f"dialect {dialect}")


_SMB_1: Final = tuple(word.upper() for word in SMB_1)


def old_tls(activity: Activity, fields: Fields) -> Weak | None:
    """A version of TLS that is deprecated, or a cipher that protects little."""
    if activity.status == "error":
        return None
    version, cipher = fields.get("tls.version", ""), fields.get("tls.cipher", "")
    weak = [word.strip("_") for word in WEAK_CIPHERS if word in f"{cipher}_"]
    if version in OLD_TLS:
        return Weak(version if version.startswith("SSL") else f"TLS {version}")
    return Weak(f"cipher {cipher}", None, f"{', '.join(weak)} is weak") if weak else None


def certificate(activity: Activity, fields: Fields) -> Weak | None:
    """A certificate that is expired, signed by nobody else, or valid for far too long."""
    first, last = _day(fields.get("tls.server.not_before", "")), _day(fields.get("tls.server.not_after", ""))
    seen = activity.first_time // 1_000_000_000
    faults = []
    if last is not None and last < seen:
        faults.append(f"expired on {_date(last)}")
    if first is not None and first > activity.last_time // 1_000_000_000:
        faults.append(f"valid from {_date(first)} only")
    if first is not None and last is not None and last - first > LONGEST_DAYS * 86_400:
        faults.append(f"valid for {(last - first) // 31_556_952} years")
    if fields.get("tls.server.self_signed") == "true":
        faults.append("signed by itself")
    if not faults:
        return None
    expired = faults[0].startswith("expired")
    name = fields.get("tls.server.x509.subject", "")
    reason = "expired: users learn to pass over the warning" if expired else ""
    return Weak(f"{name or 'certificate'}: {', '.join(faults)}", "medium" if expired else None, reason)


def _day(text: str) -> int | None:
    """Seconds since the epoch of an ISO 8601 time; none of what is no such time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _date(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def old_ssh(activity: Activity, fields: Fields) -> Weak | None:
    """SSH 1; a server of version 1.99 speaks both (RFC 4253, 5.1)."""
    version = fields.get("ssh.version", "")
    if activity.protocol != "ssh" or not version.startswith("1."):
        return None
    return Weak(
        f"version {version}", "low" if version == "1.99" else None, "speaks version 2, too" if version == "1.99" else ""
    )


def old_ntlm(activity: Activity, fields: Fields) -> Weak | None:
    """A logon whose proof can be turned into the password (MS-NLMP, 3.3.1)."""
    if fields.get("ntlm.version") not in ("NTLMv1", "LM"):
        return None
    return Weak(
        f"{fields['ntlm.version']} logon as {fields.get('user.name') or 'unknown user'} over {activity.protocol}"
    )


def open_screen(activity: Activity, fields: Fields) -> Weak | None:
    """A screen shown to whoever asks (RFC 6143, 7.2.1)."""
    shown = activity.protocol == "vnc" and fields.get("vnc.security_type") == "none" and activity.status != "error"
    return Weak("VNC without any authentication") if shown else None


def desktop(activity: Activity, fields: Fields) -> Weak | None:
    """RDP that shows its logon screen before anybody proved who they are (MS-RDPBCGR, 5.4)."""
    chosen = fields.get("rdp.security_protocol", "")
    if activity.protocol != "rdp" or activity.status == "error" or chosen not in ("standard", "tls"):
        return None
    return Weak("RDP with its own encryption only" if chosen == "standard" else "RDP over TLS, without CredSSP")


def _find(test: Test, context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    servers: defaultdict[tuple[str, str], list[tuple[Activity, Weak]]] = defaultdict(list)
    for activity in context.distinct:
        weak = test(activity, dict(reversed(activity.fields)))
        if weak is not None and not _is_outside(context, activity.server):
            servers[activity.server, activity.protocol].append((activity, weak))
    rest: defaultdict[tuple[str, str], list[tuple[Activity, Weak]]] = defaultdict(list)
    for (server, protocol), rows in sorted(servers.items()):
        if context.is_process(server):
            identity = (("server", server), ("protocol", protocol))
            yield Told(_finding(context, detector, rows, identity, context.name(server), lowered=False))
        else:
            rest[context.zone(server), protocol].extend(rows)
    for (zone, protocol), rows in sorted(rest.items()):
        names = {activity.server for activity, _ in rows}
        who = context.name(min(names)) if len(names) == 1 else times(len(names), "server")
        where = f"{who} in {f'zone {zone}' if zone else 'no zone'}"
        yield Told(_finding(context, detector, rows, (("zone", zone), ("protocol", protocol)), where, lowered=True))


def _is_outside(context: Context, end: str) -> bool:
    asset = context.assets.get(end)
    return asset.kind == "external" if asset is not None else is_public(end)


def _finding(
    context: Context,
    detector: Detector,
    rows: list[tuple[Activity, Weak]],
    identity: tuple[tuple[str, str], ...],
    where: str,
    *,
    lowered: bool,
) -> Finding:
    weak = [item for _, item in rows]
    severity = max((item.severity or detector.severity for item in weak), key=SEVERITIES.index)
    gravest = [item for item in weak if (item.severity or detector.severity) == severity]
    reasons = list(dict.fromkeys(item.reason for item in gravest if item.reason)) or [detector.title]
    clients = sorted({activity.client for activity, _ in rows})
    servers = sorted({activity.server for activity, _ in rows})
    if any(_is_outside(context, client) for client in clients):
        severity, reasons = higher(severity, "high"), [*reasons, "used from the internet"]
    if lowered:
        severity, reasons = lower(severity), [*reasons, "no part of the process side"]
    words = listing(dict.fromkeys(item.text for item in weak), 6)
    return detector.finding(
        identity,
        f"{detector.title}: {where}",
        severity,
        reasons,
        sentence(f"{words}, used by {context.names(clients)}"),
        [activity.evidence for activity, _ in rows],
        assets=(*servers[:20], *clients[:20]),
        protocol=rows[0][0].protocol,
        operation=", ".join(sorted({activity.operation for activity, _ in rows})),
        zones=dict.fromkeys(context.zone(server) for server in servers),
        count=sum(activity.count for activity, _ in rows),
        when=span((activity.first_time, activity.last_time) for activity, _ in rows),
    )


def _detector(
    name: str,
    title: str,
    severity: Severity,
    technique: tuple[str, ...],
    requirement: tuple[str, ...],
    remedy: str,
    test: Test,
) -> Detector:
    return Detector(f"exposure.{name}", title, severity, technique, requirement, "both", remedy, partial(_find, test))


WEAKNESSES: Final = (
    _detector(
        "default_credential",
        "Login with a default password",
        "critical",
        ("T1694.001", "T0812"),
        ("SR 1.5", "SR 1.7"),
        "Change the password now, and look for changes made since it could be used. Until then let nobody reach the "
        "service but the hosts that need it.",
        default_credential,
    ),
    _detector(
        "cleartext_login",
        "Password sent in the clear",
        "high",
        ("T0859",),
        ("SR 1.5", "SR 4.1"),
        "Use the encrypted variant of the service (SSH, HTTPS, FTPS, LDAPS), then change the password. Where the "
        "device has none, keep the way to it inside one zone.",
        readable_password,
    ),
    _detector(
        "snmp_community",
        "SNMP version 1 or 2c, which asks for a word in the clear",
        "medium",
        ("T1694.001", "T0812"),
        ("SR 1.5", "SR 4.3"),
        "Use SNMP version 3 with authentication and privacy. Where the device has none: a community of its own, "
        "read only, from the monitoring host only.",
        changed_by_community,
    ),
    _detector(
        "smb1",
        "SMB version 1",
        "high",
        ("T0866",),
        ("SR 3.2", "SR 7.7"),
        "Switch SMB version 1 off on both sides. Where an old host needs it, let only that host reach the share, "
        "with an end date.",
        smb_1,
    ),
    _detector(
        "old_tls",
        "Deprecated TLS version or weak cipher",
        "medium",
        ("T0830",),
        ("SR 4.3",),
        "Allow TLS 1.2 and 1.3 only, with ciphers of RFC 9325; update the device's firmware where it cannot.",
        old_tls,
    ),
    _detector(
        "certificate",
        "Certificate that proves little",
        "low",
        ("T0830",),
        ("SR 1.8",),
        "Give the device a certificate of the plant's own authority, and renew it before it ends.",
        certificate,
    ),
    _detector(
        "old_ssh",
        "SSH version 1",
        "medium",
        ("T0866",),
        ("SR 4.3",),
        "Allow SSH version 2 only.",
        old_ssh,
    ),
    _detector(
        "old_ntlm",
        "Logon by NTLM version 1",
        "medium",
        ("T0830",),
        ("SR 1.5", "SR 7.7"),
        "Refuse LM and NTLM version 1 by group policy; use Kerberos, or NTLM version 2 with signing.",
        old_ntlm,
    ),
    _detector(
        "open_screen",
        "Screen without a password",
        "critical",
        ("T0823",),
        ("SR 1.1",),
        "Set a password, and let the screen be reached through the jump host only.",
        open_screen,
    ),
    _detector(
        "rdp_without_nla",
        "Remote desktop without network level authentication",
        "medium",
        ("T0886",),
        ("SR 1.1",),
        "Require network level authentication (CredSSP) on the host.",
        desktop,
    ),
)
"""Detectors over activities, in the order in which they are told."""
