"""The zone policy as values: zones, assets, conduits and the flows that they allow (IEC 62443-3-2 ZCR 3 and 6.4).

    policy = Policy.model_validate({"policy_version": 1, "suc": {"id": "riverside"}, "zones": [], ...})

Everything is frozen. Fields that no check reads are kept as they are, for the report. References between the parts
(zone ids, clients, ties between members) are checked by `load`, which knows where in the file they stand.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from zonewatch.dissectors.vocabulary import Operation
from zonewatch.inventory.declared import ROLE_WORDS, role_of
from zonewatch.inventory.model import Role
from zonewatch.rules.policy.words import OBJECT_KINDS, PROTOCOL_WORDS, TRANSPORTS, hint, is_protocol

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Action = Literal["allow", "report", "deny"]
FOUNDATIONAL_REQUIREMENTS: Final = ("IAC", "UC", "SI", "DC", "RDF", "TRE", "RA")
MOST_ADDRESS: Final = 2**32 - 1

_MAC = re.compile(r"(?:mac:)?((?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2})", re.IGNORECASE)
_OBJECTS = re.compile(r"([a-z][a-z0-9-]*)(?:\s+(?:(\d+)(?:\s*-\s*(\d+))?|(\*)))?")
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp))?")


def _wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("policy", "{message}", {"message": message})


@dataclass(frozen=True, slots=True, order=True)
class ObjectRange:
    """Objects of one kind, zero-based and inclusive; `start` is None where all of the kind are meant.

    Written `holding-register 100-139`, `coil 5`, `analog-value *` or `analog-value`.
    """

    kind: str
    start: int | None = None
    end: int | None = None

    @classmethod
    def parse(cls, text: str) -> ObjectRange:
        """Raises ValueError with what is wrong."""
        match = _OBJECTS.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"{text!r} is no object range; write 'holding-register 100-139', 'coil 5' or 'analog-value'"
            )
        kind, first, last, _ = match.groups()
        if kind not in OBJECT_KINDS:
            raise ValueError(f"unknown object kind {kind!r}{hint(kind, OBJECT_KINDS)}")
        if first is None:
            return cls(kind)
        start, end = int(first), int(last or first)
        if end < start or end > MOST_ADDRESS:
            raise ValueError(f"{text!r} ends before it starts" if end < start else f"{text!r} is beyond {MOST_ADDRESS}")
        return cls(kind, start, end)

    def __str__(self) -> str:
        if self.start is None or self.end is None:
            return self.kind
        return f"{self.kind} {self.start}" + (f"-{self.end}" if self.end != self.start else "")


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """Ports of a server, inclusive; an empty transport means any. Written `1433/tcp`, `50000-50100/udp` or `502`."""

    first: int
    last: int
    transport: str = ""

    @classmethod
    def parse(cls, text: str) -> PortRange:
        """Raises ValueError with what is wrong."""
        match = _PORTS.fullmatch(text.strip().lower())
        if match is None:
            raise ValueError(f"{text!r} is no port; write '1433/tcp' or '50000-50100/udp'")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 0 <= first <= last <= 65535:
            raise ValueError(f"{text!r} is no port range within 0-65535")
        return cls(first, last, match[3] or "")

    def __str__(self) -> str:
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{ports}/{self.transport}" if self.transport else ports


def parse_mac(text: str) -> str | None:
    """A MAC address in lower case with colons; None where the text is none. A leading `mac:` is allowed."""
    match = _MAC.fullmatch(text.strip())
    return match[1].lower().replace("-", ":") if match else None


def parse_network(text: str) -> Network | None:
    """An address or a subnet; None where the text is neither, or has bits set beyond its prefix."""
    try:
        return ipaddress.ip_network(text.strip().removeprefix("ip:"))
    except ValueError:
        return None


def _subnet(value: object) -> object:
    if not isinstance(value, str):
        return value
    network = parse_network(value)
    if network is not None:
        return value.strip()
    try:
        fixed = ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        raise _wrong(f"{value!r} is no subnet; write it like '10.20.1.0/24'") from None
    raise _wrong(f"{value!r} has bits set beyond its prefix; did you mean '{fixed}'?")


def _address(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return str(ipaddress.ip_address(value.strip()))
    except ValueError:
        raise _wrong(f"{value!r} is no IP address") from None


def _mac(value: object) -> object:
    if not isinstance(value, str):
        return value
    mac = parse_mac(value)
    if mac is None:
        raise _wrong(f"{value!r} is no MAC address; write it like '00:80:f4:00:00:20'")
    return mac


def _objects(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return ObjectRange.parse(value)
    except ValueError as error:
        raise _wrong(str(error)) from None


def _ports(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return value
    try:
        return PortRange.parse(str(value))
    except ValueError as error:
        raise _wrong(str(error)) from None


def _protocol(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not is_protocol(value):
        raise _wrong(f"unknown protocol {value!r}{hint(value, PROTOCOL_WORDS)}")
    return value


def _role(value: object) -> object:
    if not isinstance(value, str):
        return value
    role = role_of(value)
    if role is None:
        raise _wrong(f"unknown role {value!r}{hint(value, ROLE_WORDS)}")
    return role


def _security_levels(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return dict.fromkeys(FOUNDATIONAL_REQUIREMENTS, value)
    return value


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s,]+$")]
Subnet = Annotated[str, BeforeValidator(_subnet)]
Address = Annotated[str, BeforeValidator(_address)]
Mac = Annotated[str, BeforeValidator(_mac)]
Protocol = Annotated[str, BeforeValidator(_protocol)]
RoleWord = Annotated[Role, BeforeValidator(_role, json_schema_input_type=str)]
Objects = Annotated[ObjectRange, BeforeValidator(_objects, json_schema_input_type=str), PlainSerializer(str)]
Ports = Annotated[PortRange, BeforeValidator(_ports, json_schema_input_type=str | int), PlainSerializer(str)]
Level = Annotated[int, Field(ge=0, le=4)]
Purdue = Annotated[float, Field(ge=0, le=5)]
Owner = Annotated[dict[str, str | None], BeforeValidator(_named, json_schema_input_type=str | dict[str, str | None])]
Kept = Any
"""Documentary: kept for the report, read by no check."""


class Part(BaseModel):
    """A part of the file. An empty value (`purpose:`) is as good as none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_empty_values(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        required = {field.alias or name for name, field in cls.model_fields.items() if field.is_required()}
        return {key: value for key, value in data.items() if value is not None or key in required}


class SecurityLevels(Part):
    """SL-T for each foundational requirement (IEC 62443-3-3, 0 to 4)."""

    IAC: Level
    UC: Level
    SI: Level
    DC: Level
    RDF: Level
    TRE: Level
    RA: Level


SecurityLevelTarget = Annotated[
    SecurityLevels, BeforeValidator(_security_levels, json_schema_input_type=int | SecurityLevels)
]


class System(Part):
    """The system under consideration."""

    id: Id
    name: str = ""
    owner: Owner | None = None
    approval: Kept = None
    tolerable_risk: Kept = None
    regulations: Kept = None
    policies: Kept = None
    threat_environment: Kept = None


class Defaults(Part):
    """What becomes of traffic that no flow names."""

    between_zones: Action = "deny"
    within_zone: Action = "allow"
    unknown_asset: Action = "report"


class Members(Part):
    """Who belongs to a zone. `include` and `exclude` take asset ids, addresses, subnets and MAC addresses."""

    subnets: tuple[Subnet, ...] = ()
    vlans: tuple[Annotated[int, Field(ge=0, le=4095)], ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


class Zone(Part):
    """A zone. One of kind `external` without members takes every public address that is in no other zone."""

    id: Id
    name: str = ""
    purpose: str = ""
    kind: (
        Literal["business", "dmz", "supervisory", "control", "safety", "wireless", "remote", "temporary", "external"]
        | None
    ) = None
    purdue: Purdue | None = None
    sl_t: SecurityLevelTarget | None = None
    owner: Owner | None = None
    members: Members = Members()
    trust: Kept = None
    parent: Id | None = None
    location: Kept = None
    safety: Kept = None
    access_points: Kept = None
    requirements: Kept = None
    policies: Kept = None
    assumptions: Kept = None
    dependencies: Kept = None
    coverage: Kept = None


class PolicyAsset(Part):
    """A declared device. Its zone and addresses win over every subnet."""

    id: Id
    name: str = ""
    zone: Id | None = None
    addresses: tuple[Address, ...] = ()
    mac: Mac | None = None
    role: RoleWord | None = None
    criticality: Literal["low", "medium", "high"] | None = None
    vendor: str | None = None
    model: str | None = None
    owner: Owner | None = None
    purpose: str = ""
    classification: Kept = None
    business_value: Kept = None
    consequence: Kept = None
    safety: Kept = None
    location: Kept = None


class Values(Part):
    """Limits of written values, inclusive."""

    min: Annotated[float, Field(allow_inf_nan=False)] | None = None
    max: Annotated[float, Field(allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Values:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise _wrong(f"min {self.min:g} is above max {self.max:g}")
        return self


class Approval(Part):
    """Who answers for a flow, and until when (the last day, UTC)."""

    by: str | None = None
    on: dt.date | None = None
    until: dt.date | None = None
    document: Kept = None


class Flow(Part):
    """What may pass. An empty list means: no limit of that sort."""

    id: Id
    protocol: Protocol
    ports: tuple[Ports, ...] = ()
    clients: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    operations: tuple[Operation, ...] = ()
    function_codes: tuple[Annotated[int, Field(ge=0, le=65535)], ...] = ()
    objects: tuple[Objects, ...] = ()
    values: Values | None = None
    rate_max_per_s: Annotated[float, Field(gt=0)] | None = None
    schedule: str = "always"
    purpose: str = ""
    approved: Approval | None = None
    expires: dt.date | None = None
    data_classification: Kept = None

    @model_validator(mode="after")
    def _ports_of_transport(self) -> Flow:
        wrong = [
            ports for ports in self.ports if self.protocol in TRANSPORTS and ports.transport not in ("", self.protocol)
        ]
        if wrong:
            raise _wrong(f"port {wrong[0]} in a flow of protocol {self.protocol!r}")
        return self

    @property
    def last_day(self) -> dt.date | None:
        """The last day (UTC) on which it is valid: the earlier of `expires` and `approved.until`."""
        days = [day for day in (self.expires, self.approved.until if self.approved else None) if day is not None]
        return min(days, default=None)


class Conduit(Part):
    """What connects two zones: from the zone of the protocol client to the zone of the server."""

    id: Id
    name: str = ""
    purpose: str = ""
    from_: Annotated[Id, Field(alias="from")]
    to: Id
    initiator: Id | None = None
    flows: tuple[Flow, ...] = ()
    kind: Kept = None
    owner: Owner | None = None
    sl_t: SecurityLevelTarget | None = None
    enforcement: Kept = None
    encryption: Kept = None
    authentication: Kept = None
    direction: Kept = None
    exceptions: tuple[Kept, ...] = ()


class Policy(Part):
    """The whole file."""

    policy_version: Literal[1]
    suc: System
    defaults: Defaults = Defaults()
    zones: tuple[Zone, ...] = ()
    assets: tuple[PolicyAsset, ...] = ()
    conduits: tuple[Conduit, ...] = ()
    maintenance_windows: tuple[Kept, ...] = ()
    remote_access: tuple[Kept, ...] = ()

    @property
    def not_judged(self) -> tuple[str, ...]:
        """What the policy says and no check of this version reads."""
        flows = [flow for conduit in self.conduits for flow in conduit.flows]
        counts = (
            ("exceptions", sum(len(conduit.exceptions) for conduit in self.conduits)),
            ("maintenance_windows", len(self.maintenance_windows)),
            ("remote_access", len(self.remote_access)),
            ("rate_max_per_s", sum(flow.rate_max_per_s is not None for flow in flows)),
            ("schedule", sum(flow.schedule != "always" for flow in flows)),
        )
        return tuple(f"{name}: {count} not judged" for name, count in counts if count)
