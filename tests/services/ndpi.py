"""Service, packets and octets per flow, beside what nDPI's expected outputs say of the same public captures.

A difference is of one flow and of one thing about it (`WHATS`). What differs is listed with its reason in
`differences_ndpi.csv`; the reasons are explained in `docs/services.md`. A word with `?` behind it is a guess by port.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from tests.oracles.compare import CAPTURES
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

DIFFERENCES: Final = Path(__file__).with_name("differences_ndpi.csv")
FOLDER: Final = "ntop__nDPI/tests/cfgs/default/pcap"
WHATS: Final = ("service", "packets", "octets")
GUESS: Final = "?"
NONE: Final = "none"

VOCABULARY_OF: Final = {
    "ATG": "atg",
    "BACnet": "bacnet",
    "CIP": "enip-io",
    "DCERPC.PROFINET_IO": "profinet-cm",
    "DNS": "dns",
    "FINS": "fins",
    "FTP_CONTROL": "ftp",
    "FTP_DATA": "ftp-data",
    "HART-IP": "hart-ip",
    "HTTP": "http",
    "ICMPV6": "icmpv6",
    "IEC60870": "iec104",
    "IMAPS": "imaps",
    "ISO9506-1-MMS": "mms",
    "KNXnet_IP": "knx",
    "Kerberos": "kerberos",
    "LDAP": "ldap",
    "MQTT": "mqtt",
    "Modbus": "modbus",
    "NetBIOS.SMBv1": "smb",
    "NetBIOS.SMBv23": "smb",
    "NordVPN": "nordvpn",
    "OpenVPN": "openvpn",
    "QUIC": "quic",
    "RDP": "rdp",
    "RTPS": "rtps",
    "S7Comm": "s7comm",
    "S7CommPlus": "s7comm-plus",
    "SMBv23": "smb",
    "SMTPS": "smtps",
    "SSH": "ssh",
    "Syslog": "syslog",
    "TLS": "tls",
    "TLS.RDP": "rdp",
    "TLS?": "https?",
    "TeamViewer": "teamviewer",
    "Unknown": NONE,
    "WireGuard": "wireguard",
    "udp RDP": "rdpeudp",
}
"""Our words for theirs: for both of their words where it is here, else for the first, which is the protocol (the second
is who is at the other end); with `?` for what they guess by the port, with the transport where it matters."""

_FLOW: Final = re.compile(
    r"^\t\d+\t(?P<transport>\S+) (?P<one>\S+):(?P<one_port>\d+) <?-> (?P<other>\S+):(?P<other_port>\d+) "
    r"(?:\[VLAN: \d+\])?\[proto: (?:GTP:)?[\d.]+/(?P<words>[^]]+)\].*?"
    r"\[Confidence: (?P<confidence>[^]]+)\].*?"
    r"\[(?P<packets>\d+) pkts/(?P<octets>\d+) bytes <?-> (?P<packets_back>\d+) pkts/(?P<octets_back>\d+) bytes\]"
)
_COLUMNS: Final = (
    *("transport", "client", "server", "client_port", "server_port", "service", "basis"),
    *("packets_out", "packets_in", "bytes_out", "bytes_in"),
)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which flow: its transport and its two ends in order, so that both ways have the same."""

    transport: str
    ends: tuple[str, str]

    def __str__(self) -> str:
        return " ".join((self.transport, *self.ends))


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a flow; counts are those of either end's sending, in the order of the ends."""

    service: str
    packets: tuple[int, int]
    octets: tuple[int, int]

    def of(self, what: str) -> str:
        """One of `WHATS` as text."""
        return self.service if what == "service" else "{}/{}".format(*getattr(self, what))


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """What is told otherwise of a flow; `absent` where one side has no such flow."""

    flow: str
    what: str
    ours: str
    theirs: str


def _end(address: str, port: int) -> str:
    ip = ip_address(address.strip("[]"))
    return f"[{ip}]:{port}" if ip.version == 6 else f"{ip}:{port}"


def _told(
    transport: str, service: str, ends: tuple[str, str], packets: tuple[int, int], octets: tuple[int, int]
) -> tuple[Key, Told]:
    if ends[0] <= ends[1]:
        return Key(transport, ends), Told(service, packets, octets)
    return Key(transport, (ends[1], ends[0])), Told(service, (packets[1], packets[0]), (octets[1], octets[0]))


def read(path: Path) -> Iterator[tuple[Key, Told]]:
    """The flows of one expected output."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if (match := _FLOW.match(line)) is not None:
            yield _told(
                match["transport"].lower(),
                word(match["transport"].lower(), match["words"], is_guess=match["confidence"].startswith("Match by")),
                (_end(match["one"], int(match["one_port"])), _end(match["other"], int(match["other_port"]))),
                (int(match["packets"]), int(match["packets_back"])),
                (int(match["octets"]), int(match["octets_back"])),
            )


def word(transport: str, words: str, *, is_guess: bool) -> str:
    """Our word for what they call a service."""
    mark = GUESS if is_guess else ""
    if words + GUESS in VOCABULARY_OF and is_guess:
        return VOCABULARY_OF[words + GUESS]
    own = (name for name in (f"{transport} {words}", words) if name in VOCABULARY_OF)
    return VOCABULARY_OF[next(own, words.split(".")[0])] + mark


def _row(row: dict[str, Any]) -> tuple[Key, Told]:
    is_v6 = ":" in row["client"]
    transport = "icmpv6" if row["transport"] == "icmp" and is_v6 else row["transport"]
    # They have no ports for ICMP: all its messages between two hosts are one flow.
    ports = (0, 0) if row["transport"] == "icmp" else (row["client_port"], row["server_port"])
    return _told(
        transport,
        (row["service"] + (GUESS if row["basis"] == "port" else "")) or NONE,
        (_end(row["client"], ports[0]), _end(row["server"], ports[1])),
        (row["packets_out"], row["packets_in"]),
        (row["bytes_out"], row["bytes_in"]),
    )


def _is_of_theirs(row: dict[str, Any]) -> bool:
    """They leave out what has no ports, and what goes between stations of a link."""
    return row["transport"] in ("tcp", "udp", "icmp")


@cache
def ours(capture: str) -> dict[Key, Told]:
    """Our flows; several connections of the same ends are counted together, as theirs are."""
    decoder = Decoder([Source("x", (CaptureFile(capture, CAPTURES / capture),))], hash_inputs=False)
    while decoder.advance():
        pass
    found: dict[Key, list[Told]] = defaultdict(list)
    for row in decoder.take("flows").select(_COLUMNS).to_pylist():
        if _is_of_theirs(row):
            key, told = _row(row)
            found[key].append(told)
    return {key: _together(rows) for key, rows in found.items()}


def _together(rows: list[Told]) -> Told:
    services = sorted({row.service for row in rows} - {NONE}) or [NONE]
    packets, octets = ([sum(way) for way in zip(*counts, strict=True)] for counts in _counts(rows))
    return Told("+".join(services), (packets[0], packets[1]), (octets[0], octets[1]))


def _counts(rows: list[Told]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    return [row.packets for row in rows], [row.octets for row in rows]


@cache
def theirs(capture: str) -> dict[Key, Told]:
    """Their flows; those of the same ends in different virtual networks are counted together, as ours are."""
    found: dict[Key, list[Told]] = defaultdict(list)
    for key, told in read(CAPTURES / f"{capture}.truth" / f"{Path(capture).name}.out"):
        found[key].append(told)
    return {key: _together(rows) for key, rows in found.items()}


def captures() -> list[str]:
    """Every capture with an expected output."""
    return sorted(str(path.parent.relative_to(CAPTURES)).removesuffix(".truth") for path in _outputs())


def _outputs() -> Iterator[Path]:
    return (CAPTURES / FOLDER).glob("*.truth/*.out")


def agrees(what: str, here: Told, there: Told) -> bool:
    """True where both say the same. What they guess by the port we may know."""
    if what != "service":
        return here.of(what) == there.of(what)
    return here.service == there.service or here.service + GUESS == there.service


def differences(capture: str) -> list[Difference]:
    """What is told otherwise."""
    here, there = ours(capture), theirs(capture)
    found = []
    for key in sorted({*here, *there}):
        one, other = here.get(key), there.get(key)
        if one is None or other is None:
            seen = one or other
            counted = "absent" if seen is None else seen.of("packets")
            found.append(Difference(str(key), "flow", *(("absent", counted) if one is None else (counted, "absent"))))
            continue
        found += [
            Difference(str(key), what, one.of(what), other.of(what)) for what in WHATS if not agrees(what, one, other)
        ]
    return found


def figures() -> dict[str, tuple[int, int]]:
    """Of each thing about a flow: flows compared, and those of which both say the same."""
    compared = {capture: {*ours(capture)} & {*theirs(capture)} for capture in captures()}
    count = sum(map(len, compared.values()))
    return {
        what: (
            count,
            sum(agrees(what, ours(name)[key], theirs(name)[key]) for name, keys in compared.items() for key in keys),
        )
        for what in WHATS
    }


def listed() -> dict[str, dict[Difference, str]]:
    """The committed differences of each capture, and their reasons."""
    found: dict[str, dict[Difference, str]] = defaultdict(dict)
    with DIFFERENCES.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            difference = Difference(line["flow"], line["what"], line["ours"], line["theirs"])
            found[f"{FOLDER}/{line['capture']}"][difference] = line["reason"]
    return found
