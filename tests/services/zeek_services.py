"""The fields of Zeek's logs of services, and those of our activities, as facts that can be compared."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tests.services.zeek_conn import ANY
from tests.services.zeek_logs import Fact, Line

Row = dict[str, Any]
Value = tuple[str, str]
"""A field and its value."""


@dataclass(frozen=True, slots=True)
class Service:
    """How one log is compared: the values of a line of it, and those of one of our activities of these protocols."""

    theirs: Callable[[Line], Iterator[Value]]
    ours: Callable[[Row, dict[str, str]], Iterator[Value]]
    protocols: tuple[str, ...]
    once: tuple[str, ...] = ()
    """Fields of a whole conversation: compared however often they are told."""


def _counted(service: Service, facts: Counter[Fact]) -> Counter[Fact]:
    return Counter({fact: 1 if fact[1] in service.once else count for fact, count in facts.items()})


def their_facts(service: Service, lines: Iterable[Line]) -> Counter[Fact]:
    """The facts of a log."""
    found: Counter[Fact] = Counter()
    for line in lines:
        ends = f"{line['id.orig_h']} {line['id.resp_h']}" if "id.orig_h" in line else ANY
        found.update((ends, *value) for value in service.theirs(line))
    return _counted(service, found)


def our_facts(service: Service, activities: Iterable[Row], *, has_ends: bool) -> Counter[Fact]:
    """The same facts of our activities, each as often as it was seen."""
    found: Counter[Fact] = Counter()
    for row in activities:
        if row["protocol"] in service.protocols:
            ends = f"{row['client']} {row['server']}" if has_ends else ANY
            told = {field["name"]: field["value"] for field in reversed(row["fields"])}
            for value in service.ours(row, told):
                found[(ends, *value)] += row["count"]
    return _counted(service, found)


def _fields(line: Line, names: dict[str, str]) -> Iterator[Value]:
    """The fields of a line that are the same here, by their names here."""
    for theirs, name in names.items():
        if theirs in line:
            yield name, line[theirs]


def _told(told: dict[str, str], names: dict[str, str]) -> Iterator[Value]:
    """The fields of an activity, by the names that they have in the comparison."""
    for ours, name in names.items():
        if ours in told:
            yield name, told[ours]


def _dns_theirs(line: Line) -> Iterator[Value]:
    yield from _fields(line, {"query": "query", "qtype_name": "type", "rcode_name": "outcome", "answers": "answers"})


def _dns_ours(row: Row, told: dict[str, str]) -> Iterator[Value]:
    yield "query", told["dns.question.name"] if "dns.question.name" in told else _netbios(told)
    yield "type", told.get("dns.question.type", _NETBIOS_TYPES.get(row["action"], ""))
    if row["status"] in ("ok", "error"):
        yield "outcome", row["code"] or "NOERROR"
        yield "answers", told.get("dns.answers", "").replace(", ", ",")


def _netbios(told: dict[str, str]) -> str:
    return told.get("netbios.name", "").rpartition("<")[0]


_NETBIOS_TYPES: Final = {"query": "NB", "node_status": "NBSTAT"}


def _ssl_theirs(line: Line) -> Iterator[Value]:
    yield "version", _VERSIONS.get(line.get("version", ""), "")
    yield "established", {"T": "true", "F": "false"}[line["established"]]
    names = {"cipher": "cipher", "server_name": "server name", "next_protocol": "next protocol"}
    yield from _fields(line, names | {"subject": "subject", "issuer": "issuer"})


_VERSIONS: Final = {"SSLv3": "3.0", "TLSv10": "1.0", "TLSv11": "1.1", "TLSv12": "1.2", "TLSv13": "1.3"}


def _ssl_ours(_: Row, told: dict[str, str]) -> Iterator[Value]:
    if "tls.version" in told or "tls.client.version" in told:
        names = {"tls.version": "version", "tls.cipher": "cipher", "tls.client.server_name": "server name"}
        names |= {"tls.next_protocol": "next protocol", "tls.established": "established"}
        yield from _told(told, names | _CERTIFICATE)


_CERTIFICATE: Final = {"tls.server.x509.subject": "subject", "tls.server.x509.issuer": "issuer"}


def _x509_theirs(line: Line) -> Iterator[Value]:
    names = {name: name for name in ("subject", "issuer")} | {"serial": "serial number"}
    yield from _fields(line, {f"certificate.{theirs}": name for theirs, name in names.items()})
    for name in ("before", "after"):
        seconds = float(line[f"certificate.not_valid_{name}"])
        yield f"not {name}", datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _x509_ours(_: Row, told: dict[str, str]) -> Iterator[Value]:
    names = {"tls.server.not_before": "not before", "tls.server.not_after": "not after"}
    yield from _told(told, _CERTIFICATE | names | {"tls.server.x509.serial_number": "serial number"})


def _rdp_theirs(line: Line) -> Iterator[Value]:
    yield from _fields(line, {"cookie": "cookie", "client_name": "client", "encryption_method": "encryption"})
    if "security_protocol" in line:
        yield "security", _SECURITY[line["security_protocol"]]
    if "result" in line:
        yield "result", "ok" if line["result"] in ("Success", "encrypted") else line["result"]
    if "client_build" in line:
        yield "build", line["client_build"]
    if "keyboard_layout" in line:
        guess = re.fullmatch(r"(.*) \(Best Guess for (\d+)\)", line["keyboard_layout"])
        yield "keyboard", f"{guess[1]} (0x{int(guess[2]):08x})" if guess else line["keyboard_layout"]


_SECURITY: Final = {"RDP": "standard", "SSL": "tls", "HYBRID": "credssp", "HYBRID_EX": "credssp-early"}


def _rdp_ours(row: Row, told: dict[str, str]) -> Iterator[Value]:
    names = {"rdp.cookie": "cookie", "rdp.client.name": "client", "rdp.encryption": "encryption"}
    yield from _told(told, names | {"rdp.security_protocol": "security"})
    yield "result", row["code"] or row["status"]
    if "rdp.client.build" in told:
        yield "build", told["rdp.client.build"].partition(" (")[0]
    if "rdp.client.keyboard" in told:
        yield "keyboard", re.sub(r" \(([A-Z].*)\)", r" - \1", told["rdp.client.keyboard"])


def _ssh_theirs(line: Line) -> Iterator[Value]:
    for side in ("client", "server"):
        if side in line:
            yield side, line[side].split("-", 2)[2]
    if "client" in line:
        yield "version", line["client"].split("-", 2)[1]
    names = {"cipher_alg": "cipher", "mac_alg": "mac", "kex_alg": "key exchange", "host_key_alg": "host key"}
    yield from _fields(line, names)


def _ssh_ours(_: Row, told: dict[str, str]) -> Iterator[Value]:
    names = {"ssh.client": "client", "ssh.server": "server", "ssh.version": "version", "ssh.cipher": "cipher"}
    yield from _told(told, names | {"ssh.mac": "mac", "ssh.key_exchange": "key exchange", "ssh.host_key": "host key"})


def _snmp_theirs(line: Line) -> Iterator[Value]:
    yield "version", line["version"]
    if line["version"] == "3":
        yield from _fields(line, {"community": "user"})
    for name in ("get", "get_bulk", "set"):
        for _ in range(int(line[f"{name}_requests"])):
            yield "request", name
    for _ in range(int(line["get_responses"])):
        yield "response", "yes"


def _snmp_ours(row: Row, told: dict[str, str]) -> Iterator[Value]:
    yield "version", told.get("snmp.version", "")
    yield from _told(told, {"user.name": "user"})
    if row["action"] in _SNMP:
        yield "request", _SNMP[row["action"]]
        if row["status"] in ("ok", "error"):
            yield "response", "yes"


_SNMP: Final = {"get": "get", "get_next": "get", "get_bulk": "get_bulk", "set": "set"}


def _smb_files_theirs(line: Line) -> Iterator[Value]:
    action = line["action"].removeprefix("SMB::FILE_").lower()
    yield "file", f"{action} {line.get('name', '')}"
    yield from _fields(line, {"path": "share", "prev_name": "name before"})


def _smb_files_ours(row: Row, told: dict[str, str]) -> Iterator[Value]:
    if "file.name" in told and row["status"] == "ok":
        action = {"create": "open"}.get(row["action"], row["action"])
        yield "file", f"{action} {told['file.name']}"
        yield from _told(told, {"smb.share": "share"})


def _smb_cmd_theirs(line: Line) -> Iterator[Value]:
    if line["command"] in _SMB_COMMANDS:
        yield "command", f"{line['command']} {line.get('status', '')}"
    yield from _fields(line, {"username": "user", "tree": "share"})


def _smb_cmd_ours(row: Row, told: dict[str, str]) -> Iterator[Value]:
    for command, actions in _SMB_COMMANDS.items():
        if row["action"] in actions:
            yield "command", f"{command} {row['code'].removeprefix('STATUS_') or 'SUCCESS'}"


_SMB_COMMANDS: Final = {
    "NEGOTIATE_PROTOCOL": ("negotiate",),
    "SESSION_SETUP": ("logon",),
    "TREE_CONNECT": ("tree_connect",),
    "CREATE": ("open", "create"),
}


def _files_theirs(line: Line) -> Iterator[Value]:
    yield "file", f"{'write' if line['is_orig'] == 'T' else 'read'} {line['filename']}"


def _files_ours(row: Row, told: dict[str, str]) -> Iterator[Value]:
    if row["action"] in ("read", "write"):
        yield "file", f"{row['action']} {told['file.name']}"


def _dce_rpc_theirs(line: Line) -> Iterator[Value]:
    yield from _fields(line, {"endpoint": "interface", "operation": "operation", "named_pipe": "pipe"})


def _dce_rpc_ours(row: Row, told: dict[str, str]) -> Iterator[Value]:
    if row["action"] == "call":
        names = {"dce_rpc.interface": "interface", "dce_rpc.operation": "operation", "dce_rpc.endpoint": "pipe"}
        yield from _told(told, names)


SERVICES: Final[dict[str, Service]] = {
    "dns": Service(_dns_theirs, _dns_ours, ("dns", "mdns", "llmnr", "netbios-ns")),
    "ssl": Service(_ssl_theirs, _ssl_ours, ("tls", "dtls", "quic", "rdp")),
    "x509": Service(_x509_theirs, _x509_ours, ("tls", "rdp")),
    "rdp": Service(_rdp_theirs, _rdp_ours, ("rdp",)),
    "ssh": Service(_ssh_theirs, _ssh_ours, ("ssh",)),
    "snmp": Service(_snmp_theirs, _snmp_ours, ("snmp",), ("version", "user")),
    "smb_files": Service(_smb_files_theirs, _smb_files_ours, ("smb",), ("share",)),
    "smb_cmd": Service(_smb_cmd_theirs, _smb_cmd_ours, ("smb",)),
    "files": Service(_files_theirs, _files_ours, ("smb",)),
    "dce_rpc": Service(_dce_rpc_theirs, _dce_rpc_ours, ("smb", "dce-rpc")),
}
