"""Results made by hand, for facts: a plant of five zones that was watched for two days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from zonewatch.inventory.model import Activity, Asset, Claim, Edge, Evidence, Function, Interface, Inventory, Service
from zonewatch.reports.declared import ConduitInfo, FlowInfo, PermitInfo, RemoteInfo
from zonewatch.reports.facts.measure import MEASURED
from zonewatch.reports.result import AuditResult, Capture, PolicyInfo, VerdictRow, ZoneInfo
from zonewatch.rules.findings import Finding

SECOND = 1_000_000_000
START = 1_772_438_400 * SECOND  # 2026-03-02 08:00
END = START + 48 * 3600 * SECOND
MIDDLE = START + 24 * 3600 * SECOND

HOSTS = {
    "pc-1": ("office", "10.1.0.1", "it_host", "it"),
    "dc-1": ("office", "10.1.0.2", "it_server", "it"),
    "mirror-1": ("dmz", "10.2.0.1", "historian", "it"),
    "jump-1": ("dmz", "10.2.0.2", "it_server", "it"),
    "scada-1": ("control-room", "10.3.0.1", "hmi_scada", "ot"),
    "eng-1": ("control-room", "10.3.0.2", "engineering_station", "ot"),
    "plc-1": ("cell", "10.4.0.1", "controller", "ot"),
    "plc-2": ("cell", "10.4.0.2", "controller", "ot"),
    "sis-1": ("safety", "10.5.0.1", "controller", "ot"),
    "8.8.4.4": ("", "8.8.4.4", "external", "external"),
    "laptop-7": ("cell", "10.4.0.77", "it_host", "it"),  # the only one that nobody declared
}
KINDS = {"office": "business", "dmz": "dmz", "control-room": "supervisory", "cell": "control", "safety": "safety"}
LEVELS = tuple((name, 2) for name in ("IAC", "UC", "SI", "DC", "RDF", "TRE", "RA"))
SAFE = ZoneInfo("safety", kind="safety", safety="sis", levels=LEVELS, declared=("sis-1",))
RULES = tuple(sorted({rule for how in MEASURED.values() for rule in how.rules}))


def frame(number: int) -> Evidence:
    return Evidence("tap", "a.pcap", number)


def asset(name: str, **more: Any) -> Asset:
    zone, address, role, kind = HOSTS[name]
    known: dict[str, Any] = {
        "role": role,
        "role_confidence": "declared",
        "kind": kind,
        "zone": zone,
        "declared": "" if name == "laptop-7" or kind == "external" else name,
        "first_time": START,
        "last_time": END,
        "first_evidence": frame(1),
    }
    known["interfaces"] = (Interface("tap", address, "", None, behind_router=False),)
    return Asset(name, name, **{**known, **more})


def edge(client: str, server: str, protocol: str, port: int = 0, **more: Any) -> Edge:
    known: dict[str, Any] = {
        "ot": False,
        "packets": 100,
        "bytes": 10_000,
        "state": "established",
        "first_time": MIDDLE,
        "last_time": MIDDLE + SECOND,
        "evidence": (frame(7),),
    }
    transport = more.pop("transport", "tcp")
    ends = (HOSTS[client][1] if client in HOSTS else client, HOSTS[server][1] if server in HOSTS else server)
    return Edge(client, server, *ends, protocol, transport, port, **{**known, **more})


def function(operation: str, name: str = "", **statuses: int) -> Function:
    told = statuses or {"ok": 1}
    rows = tuple(sorted(told.items()))
    return Function(None, name or operation, operation, "", sum(told.values()), (), rows, (frame(9),))  # type: ignore[arg-type]


def ot(client: str, server: str, *functions: Function, protocol: str = "modbus") -> Edge:
    events = sum(one.events for one in functions)
    return edge(client, server, protocol, 502, ot=True, functions=functions, events=events)


def verdict(client: str, server: str, protocol: str, verdict: str = "allowed", **more: Any) -> VerdictRow:
    known: dict[str, Any] = {
        "function": "",
        "operation": "",
        "client_zone": HOSTS[client][0] if client in HOSTS else "",
        "server_zone": HOSTS[server][0] if server in HOSTS else "",
        "events": 5,
        "evidence": (frame(11),),
        "by": "flow" if verdict == "allowed" else "",
        "first_time": MIDDLE,
        "last_time": MIDDLE + SECOND,
    }
    if not more.get("operation"):
        known["state"] = "established"
    return VerdictRow(client, server, protocol, verdict=verdict, **{**known, **more})  # type: ignore[arg-type]


def activity(client: str, server: str, protocol: str, action: str, **more: Any) -> Activity:
    fields = tuple((name.replace("__", "."), value) for name, value in more.pop("fields", {}).items())
    known: dict[str, Any] = {"operation": "session", "status": "ok", "code": "", "coalesced": False, "count": 1}
    times = {"first_time": MIDDLE, "last_time": MIDDLE + SECOND, "evidence": frame(13)}
    values = {**known, **times, **more}
    return Activity(client, server, protocol, "tcp", 0, action, fields=fields, **values)


def finding(rule: str, *assets: str, zones: tuple[str, ...] = ("cell",)) -> Finding:
    return Finding(
        rule=rule,
        identity=(("asset", ",".join(assets)),),
        title=rule,
        severity="medium",
        reasons=(),
        description="",
        remedy="",
        owner="OT",
        assets=assets,
        zones=zones,
        count=1,
        first_time=MIDDLE,
        last_time=MIDDLE,
        evidence=(frame(15),),
    )


def service(protocol: str, posture: str) -> Service:
    return Service(protocol, "tcp", 502, posture, "", frame(17))  # type: ignore[arg-type]


def claim(attribute: str, value: str) -> Claim:
    return Claim(attribute, value, "modbus", "high", frame(19))


def conduit(start: str, end: str, **more: Any) -> ConduitInfo:
    flows = more.pop("flows", (FlowInfo("poll", "modbus", ("read",)),))
    return ConduitInfo(f"{start}-to-{end}", "", start, end, flows=flows, **more)


EXCEPTION = PermitInfo("x1", "exception", ("cell",), "control-room-to-cell", approved_by="plant manager")
WINDOW = PermitInfo("mw1", "maintenance", ("cell",), approved_by="plant manager")
ACCESS = RemoteInfo("ra1", "dmz", "cell", jump_host="jump-1", max_minutes=60.0)
CONDUITS = (conduit("control-room", "cell"), conduit("office", "dmz"), conduit("dmz", "control-room"))


def zones(*more: ZoneInfo, **changes: Any) -> tuple[ZoneInfo, ...]:
    found = []
    for name, kind in list(KINDS.items())[:4]:
        declared = tuple(host for host, (zone, *_) in HOSTS.items() if zone == name and host != "laptop-7")
        found.append(ZoneInfo(name, kind=kind, levels=LEVELS, declared=declared, **changes))
    return (*found, *more)


def result(
    *,
    assets: Iterable[Asset] = (),
    edges: Iterable[Edge] = (),
    activities: Iterable[Activity] = (),
    unseen: tuple[str, ...] = (),
    policy: dict[str, Any] | None = None,
    given: bool = True,
    capture: dict[str, Any] | None = None,
    **more: Any,
) -> AuditResult:
    """All hosts but the laptop are there; named assets come instead of those with their ids."""
    others = {one.id: one for one in assets}
    names = [name for name in HOSTS if name not in ("laptop-7", "sis-1") and name not in unseen]
    found = {name: asset(name) for name in names} | others
    known = PolicyInfo(
        name="policy.yaml" if given else "",
        conduits=CONDUITS,
        approved_by="plant manager",
        approved_on="2026-01-01",
        valid_until="2027-01-01",
    )
    row = Capture("tap", "a.pcap", packets=1000, bytes=100_000, first_time=START, last_time=END, flows=10)
    return AuditResult(
        version="0",
        title="plant",
        as_of=END,
        captures=(replace(row, **(capture or {})),),
        inventory=Inventory(tuple(found.values()), tuple(edges), unseen, {}, tuple(activities)),
        policy=replace(known, **(policy or {})),
        **{"zones": zones(), "looked_for": RULES, **more},
    )
