"""What is known of a network: assets, claims, edges. Rows are frozen; times are UTC nanoseconds since the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from zonewatch.dissectors.vocabulary import Operation, Status
from zonewatch.dissectors.zeek import PREFIX

Role = Literal[
    "controller",  # PLC, DDC: answers process reads and obeys writes
    "rtu",  # outstation in the field
    "io_device",
    "gateway",  # several units or networks behind one address
    "hmi_scada",  # polls many servers and operates them
    "engineering_station",
    "historian",
    "router",
    "network_device",
    "it_host",
    "it_server",
    "external",  # a public address
    "unknown",
]
ROLES: Final[tuple[Role, ...]] = get_args(Role)

Confidence = Literal["low", "medium", "high", "declared"]
Posture = Literal["none", "offered", "used", "unknown"]
"""Authentication of a service: obeyed without any; offered; used; not known."""


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """The frame that a statement rests on; of Zeek's logs, the line."""

    source: str
    capture: str
    frame: int

    @property
    def unit(self) -> Literal["frame", "line"]:
        """What `frame` counts: packets of a capture, lines of one of Zeek's logs."""
        return "line" if self.capture.startswith(PREFIX) else "frame"


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement about an asset, where it came from and how sure it is."""

    attribute: str  # vocabulary.Attribute, or: role, declared_*
    value: str
    protocol: str  # modbus, dnp3, bacnet, arp, oui, asset-list …
    confidence: Confidence
    evidence: Evidence | None  # none only for a declared list or the vendor registry
    count: int = 1
    winner: bool = False  # shown as the asset's field


@dataclass(frozen=True, slots=True)
class Interface:
    """An address of an asset. `mac` is empty where only a router's was seen in front of it."""

    source: str
    address: str  # IPv4 or IPv6; empty for a device seen at layer 2 only
    mac: str
    vlan: int | None
    behind_router: bool


@dataclass(frozen=True, slots=True)
class SubAsset:
    """A device behind an asset's address: Modbus unit, DNP3 outstation, BACnet device on another network."""

    protocol: str
    unit: str
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """A service that an asset was seen to serve, with its authentication posture."""

    protocol: str  # modbus … or the flow's service, or tcp/8080
    transport: str
    port: int
    posture: Posture
    reason: str
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A device. Its id is given at first sight and stays."""

    id: str  # stable: declared id, else "<source>/<address or mac>" (without the source where there is one only)
    name: str  # best human name: declared, device name, else the address
    interfaces: tuple[Interface, ...]
    role: Role = "unknown"
    role_confidence: Confidence = "low"
    role_reasons: tuple[str, ...] = ()
    purdue: float | None = None  # 0 … 5, 3.5 the DMZ
    vendor: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    operating_system: str = ""
    users: tuple[str, ...] = ()  # names of users seen, sorted
    criticality: str = ""  # declared only
    declared: str = ""  # id in the declared list or policy; empty: not declared
    zone: str = ""  # set by the policy, or the proposal
    kind: Literal["ot", "it", "external", "unknown"] = "unknown"
    claims: tuple[Claim, ...] = ()
    units: tuple[SubAsset, ...] = ()
    services: tuple[Service, ...] = ()
    first_time: int = 0
    last_time: int = 0
    first_evidence: Evidence | None = None

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its IP addresses."""
        return tuple(interface.address for interface in self.interfaces if interface.address)

    @property
    def short_name(self) -> str:
        """Its name in sentences: the id it is declared by comes before a longer name."""
        return self.declared or self.name or self.id

    @property
    def macs(self) -> tuple[str, ...]:
        """Its own MAC addresses."""
        return tuple(dict.fromkeys(interface.mac for interface in self.interfaces if interface.mac))


@dataclass(frozen=True, slots=True)
class Target:
    """What an edge's events were about: a range of points."""

    kind: str
    start: int | None
    count: int
    property_name: str = ""
    names: str = ""  # what the tag list or the devices call these points: "LSHH-101, LT-101"


@dataclass(frozen=True, slots=True)
class Function:
    """One function of an edge with what it addressed."""

    code: int | None
    name: str
    operation: Operation
    unit: str  # of the server
    events: int
    targets: tuple[Target, ...]  # merged ranges, bounded
    statuses: tuple[tuple[str, int], ...]  # status → events, sorted
    evidence: tuple[Evidence, ...]  # at most 4


@dataclass(frozen=True, slots=True)
class Edge:
    """Who speaks what to whom. OT edges have functions; others have traffic only."""

    client: str  # asset id; broadcast and multicast destinations are "broadcast:<address>"
    server: str
    client_address: str
    server_address: str
    protocol: str  # modbus, dnp3, bacnet, or the flow's service, else transport/port ("tcp/4711"), or "ethernet/0x88cc"
    transport: str
    server_port: int
    ot: bool
    functions: tuple[Function, ...] = ()
    operations: tuple[Operation, ...] = ()  # sorted
    events: int = 0
    packets: int = 0
    bytes: int = 0
    state: str = ""  # best flow state seen (established over attempted)
    first_time: int = 0
    last_time: int = 0
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Activity:
    """What one host did at a service of another: a login, a remote session, a file, a change."""

    client: str  # asset id, or the address where it is none
    server: str
    protocol: str
    transport: str
    server_port: int
    action: str  # the protocol's word
    operation: Operation
    status: Status
    code: str  # the protocol's word or number for the outcome
    fields: tuple[tuple[str, str], ...]  # what is known of it, by the names of vocabulary.FIELDS
    coalesced: bool  # stands for many that differ in their fields
    count: int
    first_time: int
    last_time: int
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Inventory:
    """The whole of it, in a stable order."""

    assets: tuple[Asset, ...]
    edges: tuple[Edge, ...]
    unseen: tuple[str, ...] = ()  # ids of declared assets that no packet showed
    by_address: dict[tuple[str, str], str] = field(default_factory=dict)  # (source, address) → asset id
    activities: tuple[Activity, ...] = ()  # by first time
