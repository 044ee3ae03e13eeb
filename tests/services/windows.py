"""What Windows hosts say in public captures, beside tshark's fields.

A fact is a kind and a value: a share and its path. Both sides give the set of them for a capture. `facts_windows.csv`
has all of them (those of tshark 4.0.17, default preferences): what only one side has says why, with a reason of
`docs/services.md`. `python -m tests.services.windows` writes it anew, where tshark is installed.
"""

from __future__ import annotations

import csv
import subprocess
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from tests.oracles.compare import CAPTURES, ROOT
from tests.services.told import activities

FACTS: Final = Path(__file__).with_name("facts_windows.csv")
TABLES: Final = ROOT / "dissectors" / "tables"
TRACES: Final = "zeek__zeek/testing/btest/Traces"
FOLDERS: Final = (
    *(f"{TRACES}/{name}" for name in ("smb", "dce-rpc", "krb", "ldap", "snmp")),
    "sbousseaden__PCAP-ATTACK",
)
OTHERS: Final = tuple(
    f"ntop__nDPI/tests/cfgs/default/pcap/{name}.pcap"
    for name in ("kerberos", "kerberos-error", "smb_deletefile", "smbv1")
)
Fact = tuple[str, str]
_BETWEEN: Final = "\x1f"
"""Between the values of one field in one frame."""


def captures() -> list[str]:
    """The captures that are compared, by their path below the folder of captures."""
    found = {path for folder in FOLDERS for path in (CAPTURES / folder).rglob("*.*cap*") if path.is_file()}
    found = {path for path in found if ".truth" not in str(path) and path.suffix != ".gz"}
    return sorted({str(path.relative_to(CAPTURES)) for path in found} | {*OTHERS})


def _names(table: str, section: str, key: str = "") -> dict[str, str]:
    entries = tomllib.loads((TABLES / f"{table}.toml").read_text(encoding="utf-8"))[section]
    return {entry[key] if key else code: entry["name"] for code, entry in entries.items()}


_KERBEROS_ERRORS: Final = _names("kerberos", "errors")
_LDAP_RESULTS: Final = _names("ldap", "results")
_SNMP_ERRORS: Final = _names("snmp", "errors")
_SNMP_VERSIONS: Final = _names("snmp", "versions")
_INTERFACES: Final = _names("dce_rpc", "interfaces", "kind")


def _file(name: str) -> str:
    return name.strip("\\/").lower()


def _same(value: str) -> str:
    return value


_FIELDS: Final[dict[str, tuple[str, Callable[[str], str]]]] = {
    "ntlmssp.auth.username": ("user", _same),
    "ntlmssp.auth.hostname": ("workstation", _same),
    "smb2.tree": ("share", str.lower),
    "smb.path": ("share", str.lower),
    "smb2.filename": ("file", _file),
    "smb.file": ("file", _file),
    "kerberos.CNameString": ("principal", _same),
    "kerberos.error_code": ("kerberos error", lambda code: _KERBEROS_ERRORS.get(code, code)),
    "ldap.baseObject": ("ldap base", _same),
    "ldap.resultCode": ("ldap result", lambda code: _LDAP_RESULTS.get(code, code)),
    "snmp.version": ("snmp version", lambda code: _SNMP_VERSIONS.get(code, code)),
    "snmp.msgVersion": ("snmp version", lambda code: _SNMP_VERSIONS.get(code, code)),
    "snmp.msgUserName": ("snmp user", _same),
    "dcerpc.cn_bind_to_uuid": ("interface", lambda uuid: _INTERFACES.get(uuid.lower(), uuid.lower())),
}
"""tshark's fields, the kind of fact of each, and how its value is spelt here."""
_NO_FILES: Final = {
    "smb2.flags.response": {"1", "True"},
    "smb.flags.response": {"1", "True"},
    "smb.cmd": {"0x08", "0x32"},
}
"""Frames whose names may be entries of a directory, or of files that are asked about and not opened."""
_EMPTY: Final = ("", "NULL", "<ROOT>", "<MISSING>", "srvsvc::")


def theirs(path: Path) -> set[Fact]:
    """tshark's facts of a capture."""
    fields = [argument for field in (*_NO_FILES, *_FIELDS) for argument in ("-e", field)]
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", f"aggregator={_BETWEEN}", *fields]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    facts: set[Fact] = set()
    for line in done.stdout.split("\n"):
        cells = [cell.split(_BETWEEN) for cell in line.split("\t")]
        has_no_files = any(wanted & {*cell} for cell, wanted in zip(cells, _NO_FILES.values(), strict=False))
        for (kind, spell), cell in zip(_FIELDS.values(), cells[len(_NO_FILES) :], strict=False):
            if kind != "file" or not has_no_files:
                facts |= {(kind, spell(value)) for value in cell if value not in _EMPTY}
    return {fact for fact in facts if fact[1]}


def ours(rows: Iterable[dict[str, Any]]) -> set[Fact]:
    """The same facts out of our activities."""
    return {fact for row in rows for fact in _facts(row) if fact[1]}


def _facts(row: dict[str, Any]) -> Iterator[Fact]:
    told = [(field["name"], field["value"]) for field in row["fields"]]
    fields = dict(reversed(told))
    protocol, action = row["protocol"], row["action"]
    if fields.get("authentication.mechanism") == "ntlm":
        yield "user", fields.get("user.name", "")
        yield "workstation", fields.get("source.host.name", "")
    if action == "tree_connect":
        yield "share", fields.get("smb.share", "").lower()
    if action == "open_pipe":
        yield "file", _file(fields.get("dce_rpc.endpoint", ""))
    for name in ("file.name", "file.new_name"):
        yield "file", _file(fields.get(name, ""))
    if action == "bind" and protocol in ("dce-rpc", "smb"):
        yield from (("interface", value) for name, value in told if name == "dce_rpc.interface")
    if protocol == "kerberos":
        # tshark tells the parts of a name one by one.
        yield from (("principal", part) for part in fields.get("user.name", "").split("/"))
        yield "kerberos error", row["code"]
    if protocol in ("ldap", "cldap"):
        yield "ldap result", row["code"]
        if action == "search":
            yield "ldap base", fields.get("ldap.name", "")
    if protocol == "snmp":
        yield "snmp version", fields.get("snmp.version", "")
        yield "snmp user", fields.get("user.name", "")


Row = tuple[str, str, str, str]
"""Capture, kind, value, and which side alone has it."""


def facts(capture: str, here: set[Fact], there: set[Fact]) -> list[Row]:
    """All facts of a capture."""
    side = {fact: "" if fact in there else "ours" for fact in here} | dict.fromkeys(there - here, "theirs")
    return [(capture, *fact, only) for fact, only in sorted(side.items())]


def listed() -> dict[Row, str]:
    """The committed facts, with the reason of those that only one side has."""
    with FACTS.open(encoding="utf-8", newline="") as file:
        return {(row["capture"], row["kind"], row["value"], row["only"]): row["reason"] for row in csv.DictReader(file)}


def write() -> None:
    """Writes the facts anew; reasons are kept, new ones are to be given by hand."""
    reasons = listed()
    with FACTS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("capture", "kind", "value", "only", "reason"))
        for capture in captures():
            path = CAPTURES / capture
            for row in facts(capture, ours(activities(path)), theirs(path)):
                writer.writerow((*row, reasons.get(row, "")))


if __name__ == "__main__":
    write()
