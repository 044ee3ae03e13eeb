"""What activities say of who takes part: users, and the names by which hosts are called and call themselves.

The engine's claims are what hosts state of themselves. Here is what shows in what was done: who logged in from where,
which name a client has for a server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute

from zonewatch.inventory.addresses import parse
from zonewatch.inventory.claims import Statement
from zonewatch.inventory.tables import in_order, plain

pc: Final[Any] = pyarrow.compute  # its stubs refuse a plain number or word beside a column

MOST_ROWS: Final = 200_000
"""Rows of activities looked at."""


class Said(NamedTuple):
    """A field of an activity, whom it is about, and what it says of him."""

    field: str
    about: Literal["client", "server"]
    attribute: str
    protocols: tuple[str, ...] = ()  # those alone; empty: all
    statuses: tuple[str, ...] = ("ok",)


SAID: Final = (
    # Who was refused has not been there.
    Said("user.name", "client", "user"),
    Said("rdp.client.name", "client", "hostname", ("rdp",)),
    Said("radius.nas", "client", "hostname", ("radius",), ("ok", "error", "no_response")),
    Said("log.syslog.hostname", "client", "hostname", ("syslog",), ("ok", "one_way")),
    Said("tls.client.server_name", "server", "hostname", ("tls", "quic", "dtls"), ("ok", "cut")),
    Said("tls.server.x509.subject", "server", "hostname", ("tls", "dtls"), ("ok", "cut", "error", "response_only")),
    Said("url.domain", "server", "hostname", ("http", "winrm"), ("ok", "error")),
)
"""What is read of which field."""

STATED_BY_THE_ENGINE: Final = frozenset(("smb", "kerberos", "ldap", "dce-rpc", "rlogin", "rsh", "eapol", "snmp"))
"""Protocols whose users the engine's claims have; a user of SNMP is a device's, not a person."""

NOBODY: Final = frozenset(("", "-", "anonymous", "ftp", "guest"))

_COMMON_NAME: Final = re.compile(r"(?:^|[,/] ?)CN=([^,/]+)")
_HOST: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")


def said(activities: pa.Table) -> tuple[Statement, ...]:
    """The distinct statements, by time."""
    fields = [row.field for row in SAID]
    table = plain(activities)
    if not table.num_rows:
        return ()
    names = pc.struct_field(pc.list_flatten(table["fields"]), "name")
    wanted = pc.list_parent_indices(table["fields"]).filter(pc.is_in(names, value_set=pa.array(fields)))
    ordered = in_order(table.take(pc.unique(wanted)), "first_time", "source", "capture", "first_frame")
    found: dict[tuple[str, ...], Statement] = {}
    for row in ordered.slice(0, MOST_ROWS).to_pylist():
        for statement in _statements(row):
            key = statement[:2] + statement[3:6]
            known = found.get(key)
            found[key] = known._replace(times=known.times + statement.times) if known else statement
    return tuple(found.values())


def _statements(row: Mapping[str, Any]) -> Iterator[Statement]:
    told = {field["name"]: field["value"] for field in row["fields"]}
    for rule in SAID:
        value = _value(rule, told, row["protocol"])
        holds = row["status"] in rule.statuses and (not rule.protocols or row["protocol"] in rule.protocols)
        if value and holds:
            frame = row["request_frame"] or row["first_frame"]
            yield Statement(
                source=row["source"],
                address=row[rule.about],
                unit=None,
                protocol=row["protocol"],
                attribute=rule.attribute,
                value=value,
                times=row["count"],
                time=row["first_time"],
                capture=row["capture"],
                frame=frame,
            )


def _value(rule: Said, told: Mapping[str, str], protocol: str) -> str:
    value = told.get(rule.field, "")
    if rule.attribute == "user":
        if protocol in STATED_BY_THE_ENGINE or value.lower() in NOBODY:
            return ""
        return f"{told['user.domain']}\\{value}" if told.get("user.domain") else value
    if rule.field == "tls.server.x509.subject":
        match = _COMMON_NAME.search(value)
        value = match[1].strip() if match else ""
    value = value.partition(":")[0] if rule.field == "url.domain" else value
    # An address is no name, nor is a wildcard, or a text.
    return value if _HOST.fullmatch(value) and parse(value) is None else ""
