"""What is told of web, files, mail, messages and databases, beside what tshark says of the same public captures.

A row is (protocol, from, to, what); counts of rows are compared. What differs is listed with its reason in
`differences_web.csv`; `CAPTURES_OF` names the captures.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.oracles.compare import CAPTURES
from tests.services.told import activities

DIFFERENCES: Final = Path(__file__).with_name("differences_web.csv")
CAPTURES_OF: Final = Path(__file__).with_name("captures_web.csv")
TSHARK: Final = shutil.which("tshark")
Row = tuple[str, ...]
Fields = list[list[str]]
_BETWEEN: Final = "\x1f"
"""Between the values of one field in one frame."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How one protocol is compared: the other's filter and fields, and the rows of both."""

    wanted: str
    fields: tuple[str, ...]
    theirs: Callable[[str, str, Fields], Iterator[Row]]
    ours: Callable[[dict[str, Any], dict[str, str]], Iterator[Row]]


def _http_theirs(source: str, destination: str, fields: Fields) -> Iterator[Row]:
    methods, paths, codes = fields
    for method, path in zip(methods, paths, strict=False):
        path = "" if method == "CONNECT" else path
        yield (source, destination, method, path.split("?")[0].split(";")[0][:255])
    for code in codes:
        yield (source, destination, code)


def _http_ours(row: dict[str, Any], told: dict[str, str]) -> Iterator[Row]:
    if "http.request.method" in told:
        yield (row["client"], row["server"], told["http.request.method"], told.get("url.path", ""))
    if "http.response.status_code" in told:
        yield (row["server"], row["client"], told["http.response.status_code"])


def _ftp_theirs(source: str, destination: str, fields: Fields) -> Iterator[Row]:
    commands, arguments = fields
    for place, command in enumerate(commands):
        argument = arguments[place] if place < len(arguments) else ""
        if command in _FTP_FILES:
            yield (source, destination, command, argument)
        elif command == "PASS":
            yield (source, destination, command)


_FTP_FILES: Final = {
    "RETR": "retrieve",
    "STOR": "store",
    "DELE": "delete",
    "MKD": "make_directory",
    "RMD": "remove_directory",
    "SIZE": "size",
}


def _ftp_ours(row: dict[str, Any], told: dict[str, str]) -> Iterator[Row]:
    for command, action in _FTP_FILES.items():
        if row["action"] == action:
            yield (row["client"], row["server"], command, told.get("file.name", ""))
    if told.get("credential.kind") == "password":
        yield (row["client"], row["server"], "PASS")


def _mqtt_theirs(source: str, destination: str, fields: Fields) -> Iterator[Row]:
    kinds, clients, topics, users = fields
    for kind in kinds:
        if kind == "1":
            yield (source, destination, "connect", *clients, *users)
        elif kind == "3":
            yield (source, destination, "publish", *topics)
        elif kind == "8":
            yield (source, destination, "subscribe", *topics)


def _mqtt_ours(row: dict[str, Any], told: dict[str, str]) -> Iterator[Row]:
    ends = (row["client"], row["server"])
    topic = [told["mqtt.topic"]] if "mqtt.topic" in told else []
    match row["action"]:
        case "connect":
            yield (*ends, "connect", *(told[name] for name in ("mqtt.client_id", "user.name") if name in told))
        case "publish" | "subscribe" as action:
            yield (*ends, action, *topic)
        case "receive":
            yield (*reversed(ends), "publish", *topic)


def _syslog_theirs(source: str, destination: str, fields: Fields) -> Iterator[Row]:
    for facility, level in zip(*fields, strict=True):
        yield (source, destination, facility, level)


def _syslog_ours(row: dict[str, Any], told: dict[str, str]) -> Iterator[Row]:
    facility = _FACILITIES.index(told["log.syslog.facility"])
    level = _SEVERITIES.index(told["log.syslog.severity"])
    yield (row["client"], row["server"], str(facility), str(level))


_FACILITIES: Final = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp"),
    *("audit", "alert", "clock", *(f"local{number}" for number in range(8))),
)
_SEVERITIES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


def _ssdp_theirs(source: str, destination: str, fields: Fields) -> Iterator[Row]:
    methods, codes = fields
    for method in methods:
        yield (source, destination, method)
    for code in codes:
        yield (source, destination, code)


def _ssdp_ours(row: dict[str, Any], _: dict[str, str]) -> Iterator[Row]:
    if row["status"] == "ok":
        yield (row["server"], row["client"], row["code"])
    else:
        yield (row["client"], row["server"], "M-SEARCH" if row["action"] == "search" else "NOTIFY")


def _vnc_theirs(source: str, destination: str, fields: Fields) -> Iterator[Row]:
    versions, chosen, results = fields
    for version in versions:
        yield (source, destination, "version", version)
    for kind in chosen:
        yield (source, destination, "chosen", kind)
    for result in results:
        yield (source, destination, "ok" if result in ("0", "False") else "error")


def _vnc_ours(row: dict[str, Any], told: dict[str, str]) -> Iterator[Row]:
    yield (row["client"], row["server"], "version", told["vnc.version"])
    # In version 3.3 the server chooses (RFC 6143, 7.1.2).
    if told.get("vnc.security_type") and told["vnc.version"] != "003.003":
        yield (row["client"], row["server"], "chosen", _VNC_TYPES[told["vnc.security_type"]])
    if row["status"] in ("ok", "error"):
        yield (row["server"], row["client"], row["status"])


_VNC_TYPES: Final = {"none": "1", "vnc": "2", "apple_diffie_hellman": "30"}


def _postgresql_theirs(source: str, destination: str, fields: Fields) -> Iterator[Row]:
    names, values, kinds = fields
    if "Startup message" in kinds:
        said = dict(zip(names, values, strict=False))
        yield (source, destination, said.get("user", ""), said.get("database", ""))


def _postgresql_ours(row: dict[str, Any], told: dict[str, str]) -> Iterator[Row]:
    if row["action"] == "login":
        yield (row["client"], row["server"], told.get("user.name", ""), told.get("db.name", ""))


COMPARED: Final[dict[str, Compared]] = {
    "http": Compared(
        "http and not ssdp",
        ("http.request.method", "http.request.uri", "http.response.code"),
        _http_theirs,
        _http_ours,
    ),
    "ftp": Compared("ftp", ("ftp.request.command", "ftp.request.arg"), _ftp_theirs, _ftp_ours),
    "mqtt": Compared(
        "mqtt", ("mqtt.msgtype", "mqtt.clientid", "mqtt.topic", "mqtt.username"), _mqtt_theirs, _mqtt_ours
    ),
    "syslog": Compared("syslog", ("syslog.facility", "syslog.level"), _syslog_theirs, _syslog_ours),
    "ssdp": Compared("ssdp", ("http.request.method", "http.response.code"), _ssdp_theirs, _ssdp_ours),
    "vnc": Compared(
        "vnc",
        ("vnc.client_proto_ver", "vnc.client_security_type", "vnc.auth_result"),
        _vnc_theirs,
        _vnc_ours,
    ),
    "postgresql": Compared(
        "pgsql",
        ("pgsql.parameter_name", "pgsql.parameter_value", "pgsql.type"),
        _postgresql_theirs,
        _postgresql_ours,
    ),
}


def theirs(path: Path, protocol: str) -> Counter[Row]:
    """The other dissector's rows."""
    compared = COMPARED[protocol]
    names = ("_ws.col.Source", "_ws.col.Destination", *compared.fields)
    command = [TSHARK or "tshark", "-n", "-r", str(path), "-Y", compared.wanted, "-T", "fields"]
    command += [f"-Eaggregator={_BETWEEN}", *(part for name in names for part in ("-e", name))]
    lines = subprocess.run(command, capture_output=True, check=True).stdout.decode(errors="replace").splitlines()
    rows: Counter[Row] = Counter()
    for line in lines:
        source, destination, *cells = line.split("\t")
        fields = [cell.split(_BETWEEN) if cell else [] for cell in cells]
        rows.update(compared.theirs(source, destination, fields))
    return rows


def ours(path: Path, protocol: str) -> Counter[Row]:
    """Our rows, each as often as its activity was seen."""
    rows: Counter[Row] = Counter()
    for row in activities(path):
        if row["protocol"] == protocol or (protocol == "http" and row["protocol"] == "winrm"):
            told = {field["name"]: field["value"] for field in reversed(row["fields"])}
            for key in COMPARED[protocol].ours(row, told):
                rows[key] += row["count"]
    return rows


def spell(row: Row) -> str:
    """A row as text."""
    return " ".join(row)


def differences(capture: str, protocol: str) -> dict[str, tuple[int, int]]:
    """What is counted otherwise: ours and theirs."""
    here, there = ours(CAPTURES / capture, protocol), theirs(CAPTURES / capture, protocol)
    return {spell(row): (here[row], there[row]) for row in sorted({*here, *there}) if here[row] != there[row]}


def captures() -> list[tuple[str, str]]:
    """Which capture is compared for which protocol."""
    with CAPTURES_OF.open(encoding="utf-8", newline="") as file:
        return [(line["capture"], line["protocol"]) for line in csv.DictReader(file)]


def listed(capture: str, protocol: str) -> dict[str, tuple[int, int]]:
    """The committed differences."""
    with DIFFERENCES.open(encoding="utf-8", newline="") as file:
        lines = [line for line in csv.DictReader(file) if (line["capture"], line["protocol"]) == (capture, protocol)]
    return {line["row"]: (int(line["ours"]), int(line["theirs"])) for line in lines}
