"""Layer 2, addresses, time and routers: our activities beside tshark's fields, on public captures.

A row is a protocol and what both say of one message; counted per capture. `facts_link.csv` has all rows with both
counts (those of tshark 4.0.17, default preferences), and a reason of `docs/services.md` where they differ. Packets that
errors quote are left out: tshark dissects them. `python -m tests.services.link` writes it anew, where tshark is
installed.
"""

from __future__ import annotations

import csv
import re
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

from tests.oracles.compare import CAPTURES
from tests.services.told import activities

FACTS: Final = Path(__file__).with_name("facts_link.csv")
Row = tuple[str, ...]
Fields = dict[str, str]


def listed() -> dict[tuple[str, str], tuple[int, int, str]]:
    """The committed rows: by capture and row, how often ours and theirs hold, and the reason where these differ."""
    with FACTS.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    return {(line["capture"], line["row"]): (int(line["ours"]), int(line["theirs"]), line["reason"]) for line in lines}


def _first(fields: Fields, *names: str) -> str:
    return next((fields[name] for name in names if fields.get(name)), "")


def _number(text: str) -> str:
    return str(int(text, 0)) if text else ""


def _is(text: str) -> bool:
    return text in ("1", "True")


def _their_arp(f: Fields) -> Row | None:
    sender = f["arp.src.hw_mac"]
    return (sender, f["arp.src.proto_ipv4"], f["arp.dst.proto_ipv4"]) if sender else None


def _their_dhcp(f: Fields) -> Row:
    given = f["dhcp.ip.your"] if f["dhcp.ip.your"] != "0.0.0.0" else f["dhcp.ip.client"]
    given = "" if given == "0.0.0.0" else given
    mac = f["dhcp.hw.mac_addr"]
    mac = "" if mac == "00:00:00:00:00:00" else mac
    return (_number(f["dhcp.option.dhcp"]), mac, f["dhcp.option.hostname"], given)


def _their_stp(f: Fields) -> Row:
    if int(f["stp.type"], 0) == 0x80:
        return ("change",)
    bridge = _first(f, "mstp.cist_bridge.hw", "stp.bridge.hw")
    return (f["stp.root.hw"], f["stp.root.cost"], bridge, f["stp.port"].removeprefix("0x"))


def _their_icmp(f: Fields) -> Row | None:
    kind = f["icmp.type"]
    return None if kind in ("0", "8") else (kind, f["icmp.redir_gw"])


def _their_icmpv6(f: Fields) -> Row | None:
    kind = f["icmpv6.type"]
    target = _first(f, "icmpv6.nd.ns.target_address", "icmpv6.nd.na.target_address")
    return (kind, target) if kind in _V6_TYPES else None


_V6_TYPES: Final = ("1", "2", "3", "4", "130", "131", "132", "133", "134", "135", "136", "137", "143")


def _their_ntp(f: Fields) -> Row | None:
    mode = f["ntp.flags.mode"]
    return (mode, f["ntp.flags.vn"], f["ntp.stratum"]) if mode in ("4", "5") else None


def _their_ptp(f: Fields) -> Row | None:
    if not f["ptp.v2.messagetype"]:
        return None
    clock = f["ptp.v2.clockidentity"].removeprefix("0x")
    return (_number(f["ptp.v2.messagetype"]), f["ptp.v2.domainnumber"], clock)


def _their_nbns(f: Fields) -> Row:
    opcode = int(f["nbns.flags"], 0) >> 11 & 15
    return (str(opcode), _plain(f["nbns.name"].rpartition("<")[0]))


def _plain(name: str) -> str:
    """A name without octets that are no text, and without what the other adds of its own."""
    return re.sub(r"<[0-9a-f]{2}>|\ufffd", "", name).strip()


def _their_eap(f: Fields) -> Row | None:
    return (f["eap.code"], f["eap.identity"]) if f["eap.code"] else None


_Theirs = tuple[tuple[str, ...], Callable[[Fields], Row | None]]
THEIRS: Final[dict[str, _Theirs]] = {
    "arp": (
        ("arp.opcode", "arp.src.hw_mac", "arp.src.proto_ipv4", "arp.dst.proto_ipv4"),
        _their_arp,
    ),
    "lldp": (("lldp.tlv.system.name", "lldp.port.id", "lldp.port.id.mac"), lambda f: (f["lldp.tlv.system.name"],)),
    "cdp": (("cdp.deviceid", "cdp.portid"), lambda f: (f["cdp.deviceid"], f["cdp.portid"])),
    "stp": (
        ("stp.type", "stp.root.hw", "stp.root.cost", "stp.bridge.hw", "mstp.cist_bridge.hw", "stp.port"),
        _their_stp,
    ),
    "ptp": (("ptp.v2.messagetype", "ptp.v2.domainnumber", "ptp.v2.clockidentity"), _their_ptp),
    "pn_dcp": (
        ("pn_dcp.service_id", "pn_dcp.service_type", "pn_dcp.suboption_device_nameofstation"),
        lambda f: (_number(f["pn_dcp.service_id"]),) if f["pn_dcp.service_id"] else None,
    ),
    "eapol": (("eap.code", "eap.identity"), _their_eap),
    "dhcp": (
        ("dhcp.option.dhcp", "dhcp.hw.mac_addr", "dhcp.option.hostname", "dhcp.ip.your", "dhcp.ip.client"),
        _their_dhcp,
    ),
    "dhcpv6": (("dhcpv6.msgtype",), lambda f: (f["dhcpv6.msgtype"],)),
    "nbns": (("nbns.flags", "nbns.name"), _their_nbns),
    "ntp": (("ntp.flags.mode", "ntp.flags.vn", "ntp.stratum"), _their_ntp),
    "icmp": (("icmp.type", "icmp.redir_gw"), _their_icmp),
    "icmpv6": (
        ("icmpv6.type", "icmpv6.nd.ns.target_address", "icmpv6.nd.na.target_address"),
        _their_icmpv6,
    ),
    "igmp": (("igmp.type", "igmp.maddr"), lambda f: (_number(f["igmp.type"]),)),
    "vrrp": (("vrrp.virt_rtr_id", "vrrp.prio"), lambda f: (f["vrrp.virt_rtr_id"], f["vrrp.prio"])),
    "hsrp": (("hsrp.virt_ip", "hsrp2.virt_ip"), lambda f: (_first(f, "hsrp.virt_ip", "hsrp2.virt_ip"),)),
    "ospf": (("ospf.msg", "ospf.srcrouter"), lambda f: (f["ospf.msg"], f["ospf.srcrouter"])),
    "eigrp": (("eigrp.opcode", "eigrp.as"), lambda f: (f["eigrp.opcode"], f["eigrp.as"])),
    "rip": (("rip.command", "rip.version"), lambda f: (f["rip.command"], f["rip.version"])),
}
"""What the other dissector calls a protocol, the fields asked for, and the row that they make."""

_BELOW: Final = {
    "eth", "ethertype", "vlan", "llc", "ip", "ipv6", "udp", "data", "sll", "null", "raw", "loop", "linux",
    "ipv6.hopopts", "hsr", "pn_rt", "pn_rtc", "gre", "erspan", "vxlan", "geneve", "pppoes", "ppp", "mpls",
}  # fmt: skip


def theirs(path: Path) -> Counter[Row]:
    """Rows of the other dissector."""
    fields = ["frame.protocols", *dict.fromkeys(name for names, _ in THEIRS.values() for name in names)]
    options = [option for name in fields for option in ("-e", name)]
    command = ["tshark", "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=f", "-E", "separator=/t", *options]
    found: Counter[Row] = Counter()
    run = subprocess.run(command, capture_output=True, check=False)
    # A capture that ends in the middle of a packet is read up to there; a field that is not known is our mistake.
    assert b"valid" not in run.stderr, run.stderr
    for line in run.stdout.decode("utf-8", "replace").split("\n"):
        frame = dict(zip(fields, line.split("\t"), strict=False))
        protocol = _protocol(frame["frame.protocols"])
        if protocol and len(frame) == len(fields):
            row = THEIRS[protocol][1](frame)
            if row is not None:
                found[(protocol, *row)] += 1
    return found


def _protocol(layers: str) -> str | None:
    stack = layers.split(":")
    place = next((place for place, layer in enumerate(stack) if layer not in _BELOW), None)
    return None if place is None or stack[place] not in THEIRS else stack[place]


def _value(fields: list[dict[str, str]], name: str) -> str:
    return next((field["value"] for field in fields if field["name"] == name), "")


def _our_stp(row: dict[str, Any], value: Callable[[str], str]) -> Iterator[Row]:
    if row["action"] == "topology_change":
        yield ("change",)
        return
    ends = [value(name).partition("/")[2] for name in ("stp.root", "stp.bridge")]
    yield (ends[0], value("stp.root_path_cost"), ends[1], value("stp.port"))


def _our_ntp(row: dict[str, Any], value: Callable[[str], str]) -> Iterator[Row]:
    if row["status"] in ("ok", "error") and row["action"] == "time":
        yield ("4", value("ntp.version"), value("ntp.stratum"))
    elif row["action"] == "broadcast":
        yield ("5", value("ntp.version"), value("ntp.stratum"))


def _our_nbns(row: dict[str, Any], value: Callable[[str], str]) -> Iterator[Row]:
    name = _plain(value("netbios.name").rpartition("<")[0])
    opcode = _OPCODES[row["action"]]
    yield (opcode, name)
    # A request and its answer are one activity.
    if row["request_frame"] is not None and row["status"] in ("ok", "error"):
        yield (opcode, name)


def _our_dcp(row: dict[str, Any], value: Callable[[str], str]) -> Iterator[Row]:
    service = {"get": "3", "set": "4", "identify": "5", "hello": "6"}.get(row["action"], "")
    yield (service,)
    if row["request_frame"] is not None and row["status"] in ("ok", "error"):
        yield (service,)


def _our_eap(row: dict[str, Any], value: Callable[[str], str]) -> Iterator[Row]:
    if row["action"] == "authenticate":
        yield ("3" if row["status"] == "ok" else "4", "")
    elif row["action"] == "identify":
        yield ("2" if value("user.name") else "1", value("user.name"))


_OPCODES: Final = {
    "query": "0", "node_status": "0", "registration": "5", "release": "6", "wait": "7", "refresh": "8", "unknown": "?",
}  # fmt: skip


def _our_arp(_: dict[str, Any], value: Callable[[str], str]) -> Iterator[Row]:
    yield (value("arp.sender.mac"), value("arp.sender.ip") or "0.0.0.0", value("arp.target.ip"))


def _our_icmp(row: dict[str, Any], value: Callable[[str], str]) -> Iterator[Row]:
    yield (value("icmp.type"), value("icmp.gateway") if row["action"] == "redirect" else "")


def _our_icmpv6(row: dict[str, Any], value: Callable[[str], str]) -> Iterator[Row]:
    yield (value("icmp.type"), value("icmp.target") if row["action"].startswith("neigh") else "")


_PTP: Final = (
    "sync", "delay_request", "peer_delay_request", "peer_delay_response", "", "", "", "", "follow_up", "delay_response",
    "peer_delay_follow_up", "announce", "signaling",
)  # fmt: skip


def _our_ptp(row: dict[str, Any], value: Callable[[str], str]) -> Iterator[Row]:
    if value("ptp.version") == "1":
        return
    kind = 13 if row["action"].startswith("management") else _PTP.index(row["action"])
    yield (str(kind), value("ptp.domain"), value("ptp.port_identity").partition("/")[0])


def _one(*names: str) -> Callable[[dict[str, Any], Callable[[str], str]], Iterator[Row]]:
    return lambda row, value: iter([tuple(value(name) for name in names)])


_Ours = Callable[[dict[str, Any], Callable[[str], str]], Iterator[Row]]
OURS: Final[dict[str, tuple[str, _Ours]]] = {
    "arp": ("arp", _our_arp),
    "lldp": ("lldp", _one("neighbour.system")),
    "cdp": ("cdp", _one("neighbour.chassis", "neighbour.port")),
    "stp": ("stp", _our_stp),
    "ptp": ("ptp", _our_ptp),
    "profinet-dcp": ("pn_dcp", _our_dcp),
    "eapol": ("eapol", _our_eap),
    "dhcp": ("dhcp", _one("dhcp.message_type", "dhcp.client.mac", "dhcp.hostname", "dhcp.assigned_ip")),
    "dhcpv6": ("dhcpv6", _one("dhcp.message_type")),
    "netbios-ns": ("nbns", _our_nbns),
    "ntp": ("ntp", _our_ntp),
    "icmp": ("icmp", _our_icmp),
    "icmpv6": ("icmpv6", _our_icmpv6),
    "igmp": ("igmp", lambda row, value: iter([(_igmp(row["action"], value("igmp.version")),)])),
    "vrrp": ("vrrp", _one("redundancy.group", "redundancy.priority")),
    "carp": ("vrrp", _one("redundancy.group", "redundancy.priority")),
    "hsrp": ("hsrp", _one("redundancy.virtual_ip")),
    "ospf": ("ospf", lambda row, value: iter([(_OSPF[row["action"]], value("routing.router_id"))])),
    "eigrp": ("eigrp", lambda row, value: iter([(_EIGRP[row["action"]], value("routing.autonomous_system"))])),
    "rip": ("rip", lambda row, value: iter([("1" if row["action"] == "request" else "2", value("routing.version"))])),
}  # fmt: skip
"""Our protocol, the other's name for it, and the rows that one activity makes."""

_OSPF: Final = {
    "hello": "1", "database_description": "2", "link_state_request": "3", "link_state_update": "4",
    "link_state_acknowledgement": "5",
}  # fmt: skip
_EIGRP: Final = {
    "update": "1", "request": "2", "query": "3", "reply": "4", "hello": "5", "sia_query": "10", "sia_reply": "11",
    "unknown": "?",
}  # fmt: skip


def _igmp(action: str, version: str) -> str:
    reports = {"1": "18", "2": "22", "3": "34"}
    return {"group_query": "17", "group_leave": "23"}.get(action) or reports[version]


def ours(rows: list[dict[str, Any]]) -> Counter[Row]:
    """Our activities, counted as the other's messages are."""
    found: Counter[Row] = Counter()
    for row in rows:
        if row["protocol"] not in OURS:
            continue
        name, make = OURS[row["protocol"]]
        for made in make(row, partial(_value, row["fields"])):
            found[(name, *made)] += row["count"]
    return found


def spell(row: Row) -> str:
    """A row as it stands in the list."""
    return " ".join(cell or "-" for cell in row)


def write() -> None:
    """Writes the rows of the listed captures anew; reasons are kept, new ones are to be given by hand."""
    rows = listed()
    with FACTS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("capture", "row", "ours", "theirs", "reason"))
        for capture in sorted({capture for capture, _ in rows}):
            here, there = ours(activities(CAPTURES / capture)), theirs(CAPTURES / capture)
            for row in sorted({*here, *there}):
                reason = rows.get((capture, spell(row)), (0, 0, ""))[2]
                writer.writerow((capture, spell(row), here[row], there[row], reason if here[row] != there[row] else ""))


if __name__ == "__main__":
    write()
