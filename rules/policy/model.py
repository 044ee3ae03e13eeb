"""The zone policy as values: zones, assets, conduits and the flows that they allow (IEC 62443-3-2 ZCR 3 and 6.4).

    policy = Policy.model_validate({"policy_version": 1, "suc": {"id": "riverside"}, "zones": [], ...})

Everything is frozen. Fields that no verdict reads are the record of ZCR 6.4: the static check and the report read them.
References between the parts (zone ids, clients, ties between members) are checked by `load`, which knows where in the
file they stand.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from zonewatch.dissectors.vocabulary import Operation
from zonewatch.rules.policy.records import Location, Owner, Part, Rating, Record, Safety, SafetyRecord, Signature
from zonewatch.rules.policy.times import Day, End, Schedule, Span, Start, WeekTimes, nanoseconds
from zonewatch.rules.policy.values import (
    Address,
    Code,
    Finite,
    Flag,
    Id,
    Mac,
    Network,
    ObjectRange,
    Objects,
    PortRange,
    Ports,
    Positive,
    Protocol,
    Purdue,
    RoleWord,
    Subnet,
    Vlan,
    parse_mac,
    parse_network,
    wrong,
)
from zonewatch.rules.policy.words import ANY, TRANSPORTS

__all__ = ["Network", "ObjectRange", "PortRange", "parse_mac", "parse_network"]

Action = Literal["allow", "report", "deny"]
ZoneKind = Literal["business", "dmz", "supervisory", "control", "safety", "wireless", "remote", "temporary", "external"]
Criticality = Literal["low", "medium", "high", "critical"]


def _no_flag(value: object) -> object:
    return str(value) if isinstance(value, bool) else value  # to Python, True is 1


class System(Part):
    """The system under consideration."""

    id: Id
    name: str = ""
    owner: Owner | None = None
    approval: Signature | None = None
    tolerable_risk: str | None = None
    """Where the tolerable risk is stated (ZCR 6.8)."""
    regulations: tuple[str, ...] = ()
    """Legal requirements (ZCR 6.9)."""
    policies: tuple[str, ...] = ()
    """Organizational security policies (ZCR 6.7)."""
    threat_environment: str | None = None
    """Where the threat environment is stated (ZCR 6.6)."""


class Defaults(Part):
    """What becomes of traffic that no flow names."""

    between_zones: Action = "deny"
    within_zone: Action = "allow"
    unknown_asset: Action = "report"


class Members(Part):
    """Who belongs to a zone. The most specific member wins: asset, MAC address, address, longest subnet, VLAN."""

    subnets: tuple[Subnet, ...] = ()
    vlans: tuple[Vlan, ...] = ()
    include: tuple[str, ...] = ()
    """Ids or names of assets, addresses, subnets, MAC addresses."""
    exclude: tuple[str, ...] = ()
    """The same, of what is not a member though a subnet or a VLAN holds it."""


class Zone(Record):
    """A zone. One of kind `external` without members takes every public address that is in no other zone."""

    kind: ZoneKind | None = None
    purdue: Purdue | None = None
    """Level of the Purdue model, for drawings; 3.5 is the DMZ."""
    members: Members = Members()
    trust: Rating | None = None
    parent: Id | None = None
    """The zone that this is a sub-zone of; it inherits the SL-T unless it sets a higher one."""
    location: Location | None = None
    safety: Safety = SafetyRecord()

    @property
    def nature(self) -> ZoneKind | None:
        """Its kind; where that is not said, what its Purdue level stands for."""
        if self.kind is not None or self.purdue is None:
            return self.kind
        return next(kind for least, kind in _KINDS_BY_LEVEL if self.purdue >= least)


_KINDS_BY_LEVEL: Final[tuple[tuple[float, ZoneKind], ...]] = (
    (4, "business"),
    (3.5, "dmz"),
    (2, "supervisory"),
    (0, "control"),
)


class PolicyAsset(Part):
    """A declared device. Its zone and addresses win over every subnet."""

    id: Id
    name: str = ""
    zone: Id | None = None
    addresses: tuple[Address, ...] = ()
    mac: Mac | None = None
    role: RoleWord | None = None
    criticality: Criticality | None = None
    vendor: str | None = None
    model: str | None = None
    owner: Owner | None = None
    purpose: str = ""
    classification: str | None = None
    business_value: Rating | None = None
    consequence: str | None = None
    """What its loss or misuse leads to."""
    safety: Safety = SafetyRecord()
    location: Location | None = None


class Values(Part):
    """Limits of written values, inclusive."""

    min: Finite | None = None
    max: Finite | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise wrong(f"min {self.min:g} is above max {self.max:g}")
        return self


class Approval(Part):
    """Who answers for a flow, and until when (the last day, UTC)."""

    by: str | None = None
    on: Day | None = None
    until: Day | None = None
    document: str | None = None


class Traffic(Part):
    """What a flow or an exception is about. An empty list means: no limit of that sort."""

    protocol: Protocol = ANY
    ports: tuple[Ports, ...] = ()
    clients: tuple[str, ...] = ()
    """Ids of assets or zones, addresses, subnets, MAC addresses."""
    servers: tuple[str, ...] = ()
    operations: tuple[Operation, ...] = ()
    function_codes: tuple[Code, ...] = ()
    """Raw codes, where operations are too coarse."""
    objects: tuple[Objects, ...] = ()
    """Zero-based: `holding-register 100-139`."""
    values: Values | None = None

    @model_validator(mode="after")
    def _ports_of_transport(self) -> Self:
        wrong_ports = [
            ports for ports in self.ports if self.protocol in TRANSPORTS and ports.transport not in ("", self.protocol)
        ]
        if wrong_ports:
            raise wrong(f"port {wrong_ports[0]} in a flow of protocol {self.protocol!r}")
        return self


class Flow(Traffic):
    """What may pass."""

    id: Id
    protocol: Protocol
    rate_max_per_s: Positive | None = None
    """Events per second of one client and one server, on average over the quarter of an hour that is counted together,
    or over the time that they took in it."""
    schedule: WeekTimes = Schedule()
    purpose: str = ""
    approved: Approval | None = None
    expires: Day | None = None
    """The last day (UTC)."""
    data_classification: str | None = None

    @property
    def last_day(self) -> dt.date | None:
        """The last day (UTC) on which it is valid: the earlier of `expires` and `approved.until`."""
        days = [day for day in (self.expires, self.approved.until if self.approved else None) if day is not None]
        return min(days, default=None)


class Match(Traffic):
    """What an exception is for."""

    client: str | None = None
    """One client; short for `clients`."""
    server: str | None = None

    @property
    def all_clients(self) -> tuple[str, ...]:
        """From both keys."""
        return (*self.clients, *((self.client,) if self.client else ()))

    @property
    def all_servers(self) -> tuple[str, ...]:
        """From both keys."""
        return (*self.servers, *((self.server,) if self.server else ()))


def _in_order(start: dt.datetime | None, end: dt.datetime | None) -> None:
    if start is not None and end is not None and end <= start:
        raise wrong("ends before it begins")


class PolicyException(Part):
    """Traffic that is let pass for a while beside the flows. Without an end it lets nothing pass."""

    id: Id
    match: Match
    approved_by: str | None = None
    ticket: str | None = None
    reason: str = ""
    from_: Annotated[Start | None, Field(alias="from")] = None
    to: End | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _in_order(self.from_, self.to)
        return self

    @property
    def span(self) -> Span | None:
        """When it holds; None where no end is given."""
        if self.to is None:
            return None
        return Span(nanoseconds(self.from_) if self.from_ is not None else 0, nanoseconds(self.to))


class Enforcement(Part):
    """What holds a conduit's traffic to its flows."""

    device: str | None = None
    ruleset_ref: str | None = None
    deny_by_default: Flag | None = None


class Encryption(Part):
    """Whether traffic is to be encrypted, and how well at least."""

    required: Flag = False
    minimum: str | None = None
    """The least version of TLS or SSH: `TLS 1.2`."""


class Authentication(Part):
    """Whether clients are to authenticate, or what stands in for it."""

    required: Flag = False
    compensating: str | None = None


class Conduit(Record):
    """What connects two zones: from the zone of the protocol client to the zone of the server."""

    from_: Annotated[Id, Field(alias="from")]
    to: Id
    initiator: Id | None = None
    """The zone that opens the connection, where it is not the client's."""
    kind: Literal["network", "remote-access", "wireless", "file-transfer", "one-way", "serial"] = "network"
    enforcement: Enforcement = Enforcement()
    encryption: Encryption = Encryption()
    authentication: Authentication = Authentication()
    direction: Literal["bidirectional", "from-to-only"] = "bidirectional"
    """`from-to-only`: nothing comes back, as with a diode."""
    flows: tuple[Flow, ...] = ()
    exceptions: tuple[PolicyException, ...] = ()


class MaintenanceWindow(Part):
    """A time in which more may be done at the servers of some zones, by whoever a conduit lets reach them."""

    id: Id
    zones: Annotated[tuple[Id, ...], Field(min_length=1)]
    from_: Annotated[Start, Field(alias="from")]
    to: End
    allow: Annotated[tuple[Operation, ...], Field(min_length=1)]
    clients: tuple[str, ...] = ()
    """Who may; without it everyone of a zone with a conduit to these zones, and of the zones themselves."""
    protocols: tuple[Protocol, ...] = ()
    ticket: str | None = None
    approved_by: str | None = None
    purpose: str = ""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _in_order(self.from_, self.to)
        return self

    @property
    def span(self) -> Span:
        """When it holds."""
        return Span(nanoseconds(self.from_), nanoseconds(self.to))


class RemoteAccess(Part):
    """How people outside reach a zone. It allows nothing by itself: it narrows what the conduits' flows allow."""

    id: Id
    user_group: str = ""
    entry_zone: Id
    jump_host: str | None = None
    """Id or address of the host in the entry zone from which sessions into the target zone start."""
    target_zone: Id
    protocols: tuple[Protocol, ...] = ()
    mfa: Flag | None = None
    max_minutes: Positive | None = None
    """The longest session."""
    approval: str | None = None
    """How a session is approved: by a ticket, a call …"""
    purpose: str = ""


class UnknownProtocol(Part):
    """A name for traffic that no decoder knows (`docs/unknown.md`)."""

    name: Annotated[str, Field(pattern=r"^x-[a-z0-9-]{1,40}$")]
    is_: Annotated[tuple[str, ...], Field(alias="is", min_length=1)]
    """What it is known by: the name of its profile (`unknown-4821`), a port (`tcp/4711`), an EtherType."""
    purpose: str = ""


class Policy(Part):
    """The whole file."""

    policy_version: Annotated[Literal[1], BeforeValidator(_no_flag)]
    suc: System
    defaults: Defaults = Defaults()
    zones: tuple[Zone, ...] = ()
    assets: tuple[PolicyAsset, ...] = ()
    conduits: tuple[Conduit, ...] = ()
    maintenance_windows: tuple[MaintenanceWindow, ...] = ()
    remote_access: tuple[RemoteAccess, ...] = ()
    unknown_protocols: tuple[UnknownProtocol, ...] = ()
