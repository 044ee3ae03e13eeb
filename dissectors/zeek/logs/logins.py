"""`ssh`, `rdp`, `ntlm`, `kerberos`, `smb_cmd`, `smb_files`, `smb_mapping`: sessions, who logged in, and files that were
opened."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from zonewatch.dissectors.zeek.activities import activity
from zonewatch.dissectors.zeek.claims import claims
from zonewatch.dissectors.zeek.rows import mapped, pc
from zonewatch.dissectors.zeek.told import ENDS, Found, Kind, Lines

_NOTHING: Final = pa.scalar(None, pa.utf8())
_SECURITY: Final = {"RDP": "standard", "SSL": "tls", "HYBRID": "credssp", "HYBRID_EX": "credssp-early"}
_ENCRYPTED: Final = ("Success", "encrypted")
_CARRIERS: Final = {"445": "smb", "139": "smb", "3389": "rdp", "80": "http", "5985": "winrm", "389": "ldap"}
"""What carries a login by NTLM, by the server's port; else a remote procedure call."""
_FILES: Final = {
    "SMB::FILE_OPEN": ("open", "read"),
    "SMB::FILE_READ": ("read", "read"),
    "SMB::FILE_WRITE": ("write", "file"),
    "SMB::FILE_CLOSE": ("", ""),
    "SMB::FILE_RENAME": ("rename", "file"),
    "SMB::FILE_DELETE": ("delete", "file"),
    "SMB::FILE_SET_ATTRIBUTE": ("set_attributes", "file"),
    "SMB::PIPE_OPEN": ("open_pipe", "session"),
    "SMB::PIPE_READ": ("", ""),
    "SMB::PIPE_WRITE": ("", ""),
    "SMB::PIPE_CLOSE": ("", ""),
}
_SHARES: Final = {"DISK": "disk", "PIPE": "pipe", "PRINT": "printer", "PRINTER": "printer"}


def _ssh(lines: Lines) -> Found:
    rows = lines.rows
    client, server = rows.words("client"), rows.words("server")
    both = pc.and_(pc.is_valid(client), pc.is_valid(server))
    status = pc.if_else(both, "ok", pc.if_else(pc.is_valid(server), "response_only", "no_response"))
    fields = {
        "ssh.client": mapped(client, _software, pa.utf8()),
        "ssh.server": mapped(server, _software, pa.utf8()),
        "ssh.version": mapped(pc.coalesce(client, server), _version, pa.utf8()),
        "ssh.key_exchange": rows.text("kex_alg"),
        "ssh.host_key": rows.text("host_key_alg"),
        "ssh.cipher": rows.text("cipher_alg"),
        "ssh.mac": rows.text("mac_alg"),
    }
    return Found(activities=(activity(lines, "ssh", "connect", "session", status, fields=fields),))


def _software(banner: str) -> str:
    """`SSH-2.0-OpenSSH_9.6` → `OpenSSH_9.6`."""
    parts = banner.split("-", 2)
    return parts[2] if len(parts) == 3 and parts[0] == "SSH" else banner


def _version(banner: str) -> str | None:
    parts = banner.split("-", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "SSH" else None


def _rdp(lines: Lines) -> Found:
    rows = lines.rows
    result, security = rows.text("result"), rows.text("security_protocol")
    fine = pc.or_(pc.is_in(result, value_set=pa.array(_ENCRYPTED)), pc.and_(pc.is_null(result), pc.is_valid(security)))
    status = pc.if_else(fine, "ok", pc.if_else(pc.is_valid(result), "error", "no_response"))
    cookie = rows.words("cookie")
    fields = {
        "rdp.cookie": cookie,
        "user.name": mapped(cookie, lambda word: word.rpartition("\\")[2], pa.utf8()),
        "user.domain": mapped(cookie, lambda word: word.rpartition("\\")[0] or None, pa.utf8()),
        "rdp.security_protocol": mapped(security, lambda word: _SECURITY.get(word, word.lower()), pa.utf8()),
        "rdp.client.name": rows.words("client_name"),
        "rdp.client.build": rows.text("client_build"),
        "rdp.client.keyboard": rows.text("keyboard_layout"),
        "rdp.encryption": rows.text("encryption_method"),
    }
    code = pc.if_else(fine, "", pc.fill_null(result, ""))
    return Found(activities=(activity(lines, "rdp", "connect", "session", status, code, fields=fields),))


def _ntlm(lines: Lines) -> Found:
    rows = lines.rows
    port = pc.fill_null(rows.whole("id.resp_p", most=65_535).cast(pa.utf8()), "")
    protocol = mapped(port, lambda word: _CARRIERS.get(word, "dce-rpc"), pa.utf8())
    success = rows.flag("success")
    status = pc.if_else(pc.is_null(success), "cut", pc.if_else(success, "ok", "error"))
    user, domain = rows.words("username"), rows.words("domainname")
    host = rows.words("hostname")
    server = rows.words("server_dns_computer_name", "server_nb_computer_name")
    fields = {
        "authentication.mechanism": pa.repeat(pa.scalar("ntlm"), len(lines)),
        "user.name": user,
        "user.domain": domain,
        "source.host.name": host,
        "ntlm.target": rows.words("server_nb_computer_name"),
    }
    whole = pc.if_else(pc.is_valid(domain), pc.binary_join_element_wise(domain, user, "\\"), user)
    fine = pc.fill_null(success, False)
    client, target = rows.text("id.orig_h"), rows.text("id.resp_h")
    return Found(
        activities=(activity(lines, protocol, "logon", "authenticate", status, rows.text("status"), fields=fields),),
        claims=(
            claims(lines, protocol, client, "user", whole, where=fine),
            claims(lines, protocol, client, "hostname", host, where=fine),
            claims(lines, protocol, target, "hostname", server),
        ),
    )


def _kerberos(lines: Lines) -> Found:
    rows = lines.rows
    asked, success = pc.fill_null(rows.text("request_type"), ""), rows.flag("success")
    status = pc.if_else(pc.is_null(success), "no_response", pc.if_else(success, "ok", "error"))
    principal = rows.words("client")
    user = mapped(principal, lambda word: word.rpartition("/")[0] or word, pa.utf8())
    realm = mapped(principal, lambda word: word.rpartition("/")[2] if "/" in word else None, pa.utf8())
    fields = {
        "user.name": user,
        "kerberos.realm": realm,
        "kerberos.service": rows.words("service"),
        "kerberos.cipher": rows.text("cipher"),
    }
    tickets = pc.equal(asked, "TGS")
    fine = pc.and_(pc.fill_null(success, False), pc.invert(tickets))
    action = pc.if_else(tickets, "service_ticket", "logon")
    whole = pc.if_else(pc.is_valid(realm), pc.binary_join_element_wise(realm, user, "\\"), user)
    code = pc.if_else(pc.equal(status, "error"), pc.fill_null(rows.text("error_msg"), ""), "")
    return Found(
        activities=(activity(lines, "kerberos", action, "authenticate", status, code, "udp", fields),),
        claims=(
            claims(lines, "kerberos", rows.text("id.orig_h"), "user", whole, where=fine),
            claims(
                lines, "kerberos", rows.text("id.resp_h"), "role_hint",
                pc.if_else(fine, "key distribution centre", _NOTHING),
            ),
        ),
    )  # fmt: skip


def _files(lines: Lines) -> Found:
    rows = lines.rows
    done = pc.fill_null(rows.text("action"), "")
    action = mapped(done, lambda word: _FILES.get(word, ("", ""))[0], pa.utf8())
    operation = mapped(done, lambda word: _FILES.get(word, ("", ""))[1], pa.utf8())
    name, before = rows.words("name"), rows.words("prev_name")
    pipe, renamed = pc.equal(action, "open_pipe"), pc.equal(action, "rename")
    fields = {
        "file.name": pc.if_else(pipe, _NOTHING, pc.if_else(renamed, pc.coalesce(before, name), name)),
        "file.action": pc.if_else(pipe, _NOTHING, action),
        "file.new_name": pc.if_else(renamed, name, _NOTHING),
        "dce_rpc.endpoint": pc.if_else(pipe, name, _NOTHING),
        "smb.share": rows.words("path"),
    }
    told = pc.and_(pc.not_equal(action, ""), pc.is_valid(name))  # the root of a share has no name
    return Found(activities=(activity(lines, "smb", action, operation, "ok", fields=fields, where=told),))


def _shares(lines: Lines) -> Found:
    rows = lines.rows
    fields = {
        "smb.share": rows.words("path"),
        "smb.share_type": mapped(rows.text("share_type"), lambda word: _SHARES.get(word, word.lower()), pa.utf8()),
    }
    return Found(activities=(activity(lines, "smb", "tree_connect", "session", "ok", fields=fields),))


def _commands(lines: Lines) -> Found:
    """What `smb_files`, `smb_mapping` and `ntlm` do not have: dialects agreed on, logins and shares refused, and files
    that could not be opened or deleted."""
    rows = lines.rows
    command = pc.utf8_upper(pc.fill_null(rows.text("command"), ""))
    status = pc.utf8_upper(pc.fill_null(rows.text("status"), ""))
    fine = pc.is_in(status, value_set=pa.array(_FINE))
    action = mapped(command, lambda word: _COMMANDS.get(word, ("", ""))[0], pa.utf8())
    operation = mapped(command, lambda word: _COMMANDS.get(word, ("", ""))[1], pa.utf8())
    outcome = pc.if_else(pc.equal(status, ""), "no_response", pc.if_else(fine, "ok", "error"))
    file, share = rows.words("referenced_file.name"), rows.words("tree", "referenced_file.path")
    is_file = pc.is_in(action, value_set=pa.array(["open", "delete"]))
    fields = {
        "file.name": pc.if_else(is_file, file, _NOTHING),
        "file.action": pc.if_else(is_file, action, _NOTHING),
        "smb.share": share,
        "user.name": rows.words("username"),
        "smb.dialect": pc.if_else(pc.equal(action, "negotiate"), rows.text("version"), _NOTHING),
    }
    told = pc.and_(pc.not_equal(action, ""), pc.or_(pc.equal(outcome, "error"), pc.equal(action, "negotiate")))
    code = pc.if_else(pc.equal(outcome, "error"), pc.binary_join_element_wise("STATUS_", status, ""), "")
    return Found(activities=(activity(lines, "smb", action, operation, outcome, code, fields=fields, where=told),))


_COMMANDS: Final = {
    "NEGOTIATE": ("negotiate", "session"),
    "NEGOTIATE_PROTOCOL": ("negotiate", "session"),
    "SESSION_SETUP": ("logon", "authenticate"),
    "SESSION_SETUP_ANDX": ("logon", "authenticate"),
    "TREE_CONNECT": ("tree_connect", "session"),
    "TREE_CONNECT_ANDX": ("tree_connect", "session"),
    "CREATE": ("open", "read"),
    "NT_CREATE_ANDX": ("open", "read"),
    "DELETE": ("delete", "file"),
}
_FINE: Final = ("SUCCESS", "MORE_PROCESSING_REQUIRED", "BUFFER_OVERFLOW", "PENDING")
"""Outcomes that refuse nothing; a login takes several rounds."""
_FILE: Final = (*ENDS, "action", "path", "name", "prev_name")
KINDS: Final = (
    Kind(
        "ssh", (*ENDS, "client", "server", "kex_alg", "host_key_alg", "cipher_alg", "mac_alg"), _ssh
    ),
    Kind(
        "rdp",
        (
            *ENDS, "cookie", "result", "security_protocol", "client_name", "client_build", "keyboard_layout",
            "encryption_method",
        ),
        _rdp,
    ),
    Kind(
        "ntlm",
        (
            *ENDS, "username", "hostname", "domainname", "server_nb_computer_name", "server_dns_computer_name",
            "success", "status",
        ),
        _ntlm,
    ),
    Kind("kerberos", (*ENDS, "request_type", "client", "service", "success", "error_msg", "cipher"), _kerberos),
    Kind("smb_files", _FILE, _files),
    Kind("smb_mapping", (*ENDS, "path", "share_type"), _shares),
    Kind(
        "smb_cmd",
        (*ENDS, "command", "status", "version", "username", "tree", "referenced_file.name", "referenced_file.path"),
        _commands,
    ),
)  # fmt: skip
