"""Every text of a result, and what becomes of it: one table by row type and field.

A field that is not in the table is refused, so that a new one cannot leave unseen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final

from zonewatch.dissectors.vocabulary import OPERATIONS, PROTOCOLS, SERVICES
from zonewatch.inventory.model import ROLES, Inventory
from zonewatch.reports.pseudonyms.words import Words
from zonewatch.reports.result import EXTERNAL, AuditResult, EvidenceFile
from zonewatch.rules.findings import Finding

__all__ = [
    "ATTRIBUTES",
    "FIELDS",
    "VALUES",
    "gather",
    "incident_id",
    "plain_words",
    "pseudonymised",
    "pseudonymised_finding",
]

KEEP: Final = "keep"
SENTENCE: Final = "sentence"
VALUE: Final = "value"
TELLS: Final = ("asset", "host", "user", "serial", "text", "tag", "person", "site", "capture", "point", "file")
"""Kinds of names; each is a treatment: the whole text is such a name."""

_T: Final[Mapping[str, Mapping[str, str]]] = {
    "AuditResult": {"version": KEEP, "title": "site", "limits": SENTENCE, "looked_for": KEEP},
    "Capture": {
        "source": "point", "name": "capture", "format": KEEP, "sha256": KEEP, "problem": SENTENCE, "status": KEEP,
    },
    "Inventory": {"unseen": "asset"},
    "UnknownProtocol": {
        "name": SENTENCE, "fingerprint": KEEP, "ports": KEEP, "capture": "capture", "source": "point",
    },
    "SecondOpinion": {"tool": KEEP, "version": KEEP, "problem": SENTENCE},
    "Compared": {"source": "point", "capture": "capture", "problem": SENTENCE},
    "Count": {
        "protocol": KEEP, "fact": KEEP, "code": KEEP, "name": KEEP, "operation": KEEP, "sender": SENTENCE,
        "receiver": SENTENCE,
    },
    "Difference": {
        "source": "point", "capture": "capture", "protocol": KEEP, "fact": KEEP, "code": KEEP, "name": KEEP,
        "sender": SENTENCE, "receiver": SENTENCE, "reason": KEEP,
    },
    "Named": {"transport": KEEP, "ours": KEEP, "theirs": KEEP, "capture": "capture"},
    "PolicyInfo": {
        "name": "file", "sha256": KEEP, "system": "site", "owner": "person", "proposal": SENTENCE, "reasons": SENTENCE,
        "approved_by": "person", "approved_on": KEEP, "valid_until": KEEP,
    },
    "ZoneInfo": {
        "id": SENTENCE, "name": "site", "target": KEEP, "members": SENTENCE, "kind": KEEP, "safety": KEEP,
        "levels": KEEP, "declared": "asset", "parent": SENTENCE,
    },
    "VerdictRow": {
        "client": SENTENCE, "server": SENTENCE, "protocol": KEEP, "function": KEEP, "operation": KEEP, "verdict": KEEP,
        "client_zone": SENTENCE, "server_zone": SENTENCE, "conduit": SENTENCE, "flow": SENTENCE, "reason": SENTENCE,
        "differs": KEEP, "state": KEEP, "by": KEEP,
    },
    "MatrixCell": {
        "from_zone": SENTENCE, "to_zone": SENTENCE, "protocol": KEEP, "operation": KEEP, "verdict": KEEP,
    },
    "Finding": {
        "rule": KEEP, "identity": SENTENCE, "title": SENTENCE, "severity": KEEP, "reasons": SENTENCE,
        "description": SENTENCE, "remedy": SENTENCE, "owner": KEEP, "assets": SENTENCE, "protocol": KEEP,
        "operation": KEEP, "verdict": KEEP, "zones": SENTENCE, "technique": KEEP, "requirement": KEEP,
        "suggestion": SENTENCE, "state": KEEP, "uuid": KEEP, "false_positives": KEEP,
    },
    "Incident": {
        "id": KEEP, "title": SENTENCE, "severity": KEEP, "reasons": SENTENCE, "owner": KEEP, "assets": SENTENCE,
        "findings": KEEP, "technique": KEEP, "pattern": KEEP, "state": KEEP,
    },
    "StoryStep": {"text": SENTENCE, "client": SENTENCE, "servers": SENTENCE, "findings": KEEP},
    "FindingFlow": {"finding": KEEP, "transport": KEEP, "client": SENTENCE, "server": SENTENCE},
    "EvidenceFile": {"finding": KEEP},
    "OddityCount": {"protocol": KEEP, "layer": KEEP, "code": KEEP, "expected": SENTENCE},
    "UnusedFlow": {
        "conduit": SENTENCE, "flow": SENTENCE, "from_zone": SENTENCE, "to_zone": SENTENCE, "protocol": KEEP,
        "operations": KEEP, "purpose": "text", "until": KEEP,
    },
    "Paths": {"basis": KEEP, "level": KEEP, "sources": SENTENCE, "targets": SENTENCE, "notes": SENTENCE},
    "Way": {"origin": SENTENCE, "reasons": SENTENCE},
    "Choke": {"name": SENTENCE},
    "Closing": {"name": SENTENCE, "costs": SENTENCE},
    "PathStep": {"start": SENTENCE, "end": SENTENCE, "by": SENTENCE, "uses": SENTENCE},
    "Undecoded": {"protocol": KEEP},
    "Unknown": {"transport": KEEP},
    "Asset": {
        "id": "asset", "name": "asset", "role": KEEP, "role_confidence": KEEP, "role_reasons": SENTENCE,
        "vendor": SENTENCE, "model": SENTENCE, "firmware": SENTENCE, "serial": "serial", "operating_system": SENTENCE,
        "users": "user", "criticality": KEEP, "declared": "asset", "zone": SENTENCE, "kind": KEEP,
    },
    "Interface": {"source": "point", "address": SENTENCE, "mac": SENTENCE},
    "Claim": {"attribute": KEEP, "value": VALUE, "protocol": KEEP, "confidence": KEEP},
    "SubAsset": {"protocol": KEEP, "unit": SENTENCE},
    "Service": {"protocol": KEEP, "transport": KEEP, "posture": KEEP, "reason": SENTENCE},
    "Edge": {
        "client": SENTENCE, "server": SENTENCE, "client_address": SENTENCE, "server_address": SENTENCE,
        "protocol": KEEP, "transport": KEEP, "operations": KEEP, "state": KEEP,
    },
    "Function": {"name": KEEP, "operation": KEEP, "unit": SENTENCE, "statuses": KEEP},
    "Target": {"kind": KEEP, "property_name": KEEP, "names": "tag"},
    "Activity": {
        "client": SENTENCE, "server": SENTENCE, "protocol": KEEP, "transport": KEEP, "action": KEEP, "operation": KEEP,
        "status": KEEP, "code": SENTENCE, "fields": VALUE,
    },
    "ConduitInfo": {
        "id": SENTENCE, "name": "site", "from_zone": SENTENCE, "to_zone": SENTENCE, "kind": KEEP, "direction": KEEP,
        "levels": KEEP, "device": "asset", "compensating": "text", "owner": "person",
        "ruleset": "text", "minimum": KEEP,
    },
    "PermitInfo": {
        "id": SENTENCE, "kind": KEEP, "zones": SENTENCE, "conduit": SENTENCE, "operations": KEEP,
        "approved_by": "person", "ticket": "text", "reason": "text", "sort": KEEP,
    },
    "RemoteInfo": {
        "id": SENTENCE, "entry_zone": SENTENCE, "target_zone": SENTENCE, "user_group": "user", "jump_host": "asset",
        "protocols": KEEP, "approval": "text", "purpose": "text",
    },
    "RequirementInfo": {"id": KEEP, "status": KEEP, "compensating": "text", "owner": "person", "due": KEEP},
    "FlowInfo": {
        "id": SENTENCE, "protocol": KEEP, "operations": KEEP, "clients": SENTENCE, "servers": SENTENCE,
        "purpose": "text", "approved_by": "person", "until": KEEP, "ports": KEEP, "objects": SENTENCE,
    },
    "Command": {
        "client": SENTENCE, "server": SENTENCE, "protocol": KEEP, "function": KEEP, "operation": KEEP,
        "target": SENTENCE, "name": "tag", "before": VALUE, "after": VALUE, "least": VALUE, "greatest": VALUE,
        "client_zone": SENTENCE, "server_zone": SENTENCE, "verdict": KEEP, "conduit": SENTENCE, "flow": SENTENCE,
        "by": KEEP, "reason": SENTENCE,
    },
    "RecordInfo": dict.fromkeys(
        (
            "purpose", "owner", "trust", "location", "logical", "physical", "policies", "assumptions", "dependencies",
            "points",
        ),
        "text",
    ),
    "AssetInfo": {
        "id": "asset", "classification": SENTENCE, "value": "text", "consequence": "text", "owner": "person",
    },
    "BasisInfo": dict.fromkeys(
        ("tolerable_risk", "regulations", "policies", "threat_environment", "approval_document"), "text"
    ),
    "Evidence": {"source": "point", "capture": "capture"},
    "Change": {"target": SENTENCE, "before": VALUE, "after": VALUE, "name": "tag"},
    "Step": {"client": SENTENCE, "server": SENTENCE, "protocol": KEEP, "what": SENTENCE},
}  # fmt: skip
FIELDS: Final = _T
"""Treatment by the name of the row type and of the field."""

ATTRIBUTES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "vendor", "vendor_id", "model", "product", "firmware", "hardware", "instance", "protocol_revision", "state",
            "slot", "operating_system", "version", "port", "role", "role_hint", "purdue", "criticality", "address",
            "mac", "zone",
        ),
        SENTENCE,
    ),
    "serial": "serial",
    "name": "host",
    "hostname": "host",
    "domain": "host",
    "user": "user",
}  # fmt: skip
"""Claims by their attribute. All others are texts."""

VALUES: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "dns.question.type", "dhcp.message_type", "dhcp.lease_time", "dhcp.parameter_list", "dhcp.enterprise",
            "tls.version", "tls.cipher", "tls.next_protocol", "tls.client.version", "tls.client.next_protocols",
            "tls.established", "tls.server.not_before", "tls.server.not_after", "tls.server.self_signed",
            "quic.version", "http.request.method", "http.response.status_code", "http.authentication",
            "http.response.mime_type", "http.authentication_offered", "authentication.mechanism", "credential.kind",
            "credential.default", "file.action", "file.size", "smb.dialect", "smb.share_type", "smb.signing",
            "smb.session", "dce_rpc.interface", "dce_rpc.operation", "ntlm.version", "kerberos.cipher",
            "ldap.authentication", "ldap.scope", "ssh.version", "ssh.key_exchange", "ssh.cipher", "ssh.mac",
            "rdp.requested_protocols", "rdp.security_protocol", "rdp.client.build", "rdp.client.keyboard",
            "rdp.encryption", "ike.version", "ike.encryption", "ike.group", "openvpn.protection", "socks.version",
            "vnc.version", "vnc.security_type", "vnc.security_offered", "snmp.version", "snmp.pdu",
            "snmp.community_class", "snmp.object", "snmp.security_level", "ntp.version", "ntp.stratum", "ntp.mode",
            "log.syslog.facility", "log.syslog.severity", "mqtt.version", "db.encryption", "db.authentication",
            "email.authentication", "telnet.terminal_type", "tftp.mode", "radius.nas_port", "arp.sender.ip",
            "arp.sender.mac", "arp.target.ip", "icmp.type", "icmp.code", "icmp.gateway", "icmp.target",
            "icmpv6.prefix", "icmpv6.router_lifetime", "icmpv6.link_address", "icmpv6.flags", "igmp.group",
            "igmp.version", "igmp.source", "redundancy.virtual_ip", "redundancy.group", "redundancy.priority",
            "redundancy.state", "stp.version", "stp.root_path_cost", "stp.flags", "stp.vlan", "neighbour.vlan",
            "neighbour.capabilities", "neighbour.duplex", "lacp.key", "lacp.port", "lacp.state", "ptp.domain",
            "ptp.version", "ptp.clock_class", "ptp.clock_accuracy", "ptp.time_source", "ptp.priority",
            "ptp.steps_removed", "ring.domain", "ring.role", "ring.state", "netbios.name_type", "vtp.revision",
            "dtp.mode", "eap.method", "eapol.version", "icmp.original_destination", "icmp.original_port",
            "routing.area", "routing.autonomous_system", "routing.network", "routing.router_id", "routing.version",
            "dhcp.assigned_ip", "dhcp.requested_ip", "dhcp.server", "dhcp.router", "dhcp.dns", "dhcp.client.mac",
            "profinet.ip_address", "service.version", "profinet.vendor", "profinet.device_id",
        ),
        SENTENCE,
    ),
    **dict.fromkeys(("user.name", "user.client", "rdp.cookie", "email.from", "email.to", "sip.from", "sip.to"), "user"),
    **dict.fromkeys(("file.name", "file.new_name", "url.path", "smb.share", "dhcp.boot_file"), "file"),
    **dict.fromkeys(
        (
            "dns.question.name", "dhcp.hostname", "dhcp.fqdn", "dhcp.domain", "tls.client.server_name", "url.domain",
            "user.domain", "host.name", "source.host.name", "netbios.name", "neighbour.system", "log.syslog.hostname",
            "profinet.station_name", "rdp.client.name", "kerberos.realm", "ntlm.target",
        ),
        "host",
    ),
    "tls.server.x509.serial_number": "serial",
}  # fmt: skip
"""Fields of activities by their name. All others are texts."""

_MEASURED: Final = re.compile(
    r"[-+]?[0-9][0-9.,eE+-]*(?: ?\S{1,10})?|unknown|on|off|true|false|active|inactive|null|open|closed"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(?:Z| UTC)?"
    # commands of a control relay output block (IEEE 1815, A.8.1)
    r"|(?:nul|pulse_on|pulse_off|latch_on|latch_off)"
    r"(?: (?:trip=(?:trip|close|nul|reserved)|clear|queue|count=[0-9]+|(?:on|off)=[0-9]+ms))*"
)
Treat = Callable[[str, str], str]
"""Treatment and text to the text that is told."""


def treatment(row: str, field: str) -> str:
    """Raises KeyError for a field that nobody weighed."""
    return _T[row][field]


def value_treatment(row: str, name: str, text: str) -> str:
    """Of a value by what names it: an attribute of a claim, a field of an activity; or a value before or after."""
    if row == "Claim":
        return ATTRIBUTES.get(name, SENTENCE if name.startswith("declared_") else "text")
    if row == "Activity":
        return VALUES.get(name, "text")
    return SENTENCE if _MEASURED.fullmatch(text) else "text"


def walked(value: Any, treat: Treat) -> Any:
    """The same rows with each text treated, at every depth. What is no text stays."""
    kind = type(value).__name__
    if isinstance(value, tuple):
        return tuple(walked(item, treat) for item in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed: dict[str, Any] = {}
    for field in fields(value):
        old = getattr(value, field.name)
        new = _field(kind, field.name, value, old, treat)
        if new is not old:
            changed[field.name] = new
    return replace(value, **changed) if changed else value


def _field(kind: str, name: str, row: Any, old: Any, treat: Treat) -> Any:
    if isinstance(old, str):
        what = treatment(kind, name)
        if what == VALUE:
            what = value_treatment(kind, getattr(row, "attribute", name), old)
        return treat(what, old)
    if not isinstance(old, tuple) or not old:
        return walked(old, treat)
    if all(isinstance(item, str) for item in old):
        what = treatment(kind, name)
        return tuple(treat(what, item) for item in old)
    if all(isinstance(item, tuple) for item in old):  # pairs of a name and a value
        what = treatment(kind, name)
        if what == VALUE:
            return tuple((first, treat(value_treatment(kind, first, second), second)) for first, second in old)
        return old if what == KEEP else tuple((first, treat(what, second)) for first, second in old)
    return walked(old, treat)


def plain_words(result: AuditResult) -> set[str]:
    """Words that stay: ids of zones, conduits, flows, exceptions, remote accesses; those of the program itself."""
    found: set[str] = {"capture", "stdin", "internet", EXTERNAL, *PROTOCOLS, *SERVICES, *OPERATIONS, *ROLES}
    found |= {zone.id for zone in result.zones}
    for conduit in result.policy.conduits:
        found |= {conduit.id, *(flow.id for flow in conduit.flows)}
    return found | {permit.id for permit in result.policy.permits} | {one.id for one in result.policy.remote_access}


def gather(result: AuditResult, words: Words) -> None:
    """Tells all names that the result's fields hold."""

    def treat(what: str, text: str) -> str:
        if what in TELLS:
            tell_by(words, what, text)
        return text

    walked(result, treat)


def tell_by(words: Words, what: str, text: str) -> None:
    """A name of a kind; where it may be made of others, these too."""
    if what == "tag":
        for part in text.split(", "):
            words.tell(what, part)
    elif what in ("host", "user", "asset"):
        words.tell_parts(what, text)
    words.tell(what, text)


def treated(words: Words, what: str, text: str) -> str:
    """A text by its treatment."""
    if what == KEEP:
        return text
    if what == SENTENCE:
        return words.sentence(text)
    if what == "tag":
        return ", ".join(words.name(what, part) for part in text.split(", "))
    if what == "asset" and words.sentence(text) != text:
        return words.sentence(text)  # "point/address", or a name that was told
    if what == "capture":
        return f"{words.name(what, text)}.pcap" if text else text
    return words.name(what, text)


def pseudonymised_finding(finding: Finding, words: Words) -> Finding:
    """One of them."""
    made: Finding = walked(finding, lambda what, text: treated(words, what, text))
    return made


def incident_id(name: str, words: Words) -> str:
    """The id of an incident, in a result with pseudonyms."""
    return words.keyed.word("incident", name).removeprefix("incident-")


def pseudonymised(result: AuditResult, words: Words) -> AuditResult:
    """The result with pseudonyms. Ids of findings follow from their identity; what refers to them follows too."""
    made: AuditResult = walked(result, lambda what, text: treated(words, what, text))
    ids = {old.id: new.id for old, new in zip(result.findings, made.findings, strict=True)}
    inventory: Inventory = replace(made.inventory, by_address={})
    evidence = tuple(
        EvidenceFile(ids[row.finding], row.packets, row.left_out) for row in made.evidence if row.finding in ids
    )
    flows = tuple(replace(row, finding=ids[row.finding]) for row in made.flows if row.finding in ids)
    incidents = tuple(
        replace(
            one,
            id=incident_id(one.id, words),
            findings=tuple(ids.get(name, "") for name in one.findings),
            steps=tuple(
                replace(step, findings=tuple(ids.get(name, "") for name in step.findings)) for step in one.steps
            ),
        )
        for one in made.incidents
    )
    return replace(made, inventory=inventory, evidence=evidence, flows=flows, incidents=incidents)
