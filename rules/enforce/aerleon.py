"""The plan as definitions and policies of aerleon, which writes the rules of commercial firewalls.

    aclgen --base_directory DIR/policies --definitions_directory DIR/def --output_directory OUT

`zones.yaml` is for firewalls with zones (Palo Alto, Juniper SRX), `list.yaml` for one access list (Cisco ASA).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Final

from zonewatch.rules.enforce.plan import Export, Limit, Permit, Plan, by_port_alone, midnight, unexpressed
from zonewatch.rules.enforce.services import Service
from zonewatch.rules.enforce.space import Space, texts
from zonewatch.rules.enforce.text import Names, header, plain

_ZONED: Final = ("paloalto", "srx")
_LISTED: Final = ("ciscoasa",)
_PROTOCOLS: Final = {"47": "gre", "50": "esp", "2": "igmp", "89": "ospf", "112": "vrrp", "103": "pim"}
_TOKEN: Final = 60
_RULE: Final = 31
"""Most letters of a name of a zone or a rule that the firewalls take."""


def aerleon(plan: Plan) -> Export:
    """`def/networks.yaml`, `def/services.yaml`, `policies/pol/zones.yaml` and `policies/pol/list.yaml`."""
    writer = _Writer(plan)
    permits = [permit for permit in plan.permits if writer.taken(permit)]
    zones, whole = [*writer.zones(permits)], [*writer.whole(permits)]
    limits = (*plan.limits, *writer.limits)
    head = [f"# {line}" for line in header(plan, "aerleon", limits)]
    files = {
        "def/networks.yaml": [*head[:1], "networks:", *writer.networks()],
        "def/services.yaml": [*head[:1], "services:", *writer.services()],
        "policies/pol/zones.yaml": [*head, "filters:", *zones],
        "policies/pol/list.yaml": [*head, "filters:", *whole],
    }
    return Export({name: "\n".join(lines) + "\n" for name, lines in files.items()}, limits)


class _Writer:
    """Terms, and the networks and services that they name."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.limits: list[Limit] = []
        self._tokens = Names("A-Z0-9_", _TOKEN)
        self._zone_names = Names("A-Za-z0-9-", _RULE)
        self._networks: dict[str, Space] = {}
        self._services: dict[str, tuple[str, int, int]] = {}

    def taken(self, permit: Permit) -> bool:
        """False for one that has not begun."""
        if permit.start is not None and permit.start >= midnight(self.plan.day) + 86_400:
            self.limits.append(Limit("narrower", permit.label, "has not begun; left out: export again then"))
            return False
        self.limits += unexpressed(permit, frozenset(), by_port_alone(permit))
        for service in permit.services:
            if service.transport.isdigit() and service.transport not in _PROTOCOLS:
                text = f"protocol {service.transport} of IP has no name in aerleon; left out"
                self.limits.append(Limit("narrower", permit.label, text))
        return True

    def zones(self, permits: list[Permit]) -> Iterator[str]:
        """One filter for each pair of zones that a permit joins."""
        for pair in dict.fromkeys((permit.source_zone, permit.destination_zone) for permit in permits):
            ways = " ".join(
                f"{word} {self._zone_names.of(zone)}" for word, zone in zip(("from-zone", "to-zone"), pair, strict=True)
            )
            own = [permit for permit in permits if (permit.source_zone, permit.destination_zone) == pair]
            yield from _head(dict.fromkeys(_ZONED, f"{ways} mixed"))
            yield from self._terms(own)
        told = "pairs of zones without a flow are left to the firewall's default between zones: it must be deny"
        self.limits.append(Limit("wider", "zones.yaml", told))

    def whole(self, permits: list[Permit]) -> Iterator[str]:
        """One filter for all."""
        if any(texts(permit.source, 6) and texts(permit.destination, 6) for permit in permits):
            self.limits.append(
                Limit("narrower", "list.yaml", "addresses of IP version 6 are not written for Cisco ASA")
            )
        yield from _head(dict.fromkeys(_LISTED, "zonewatch"))
        yield from self._terms(permits)

    def _terms(self, permits: list[Permit]) -> Iterator[str]:
        names = Names("A-Za-z0-9-", _RULE)
        for permit in permits:
            for number, (service, version) in enumerate(_each(permit)):
                name = permit.label if not number else f"{permit.label}-{number}"
                yield from _term(names.of(name), "accept", permit.told, [*self._match(permit, service, version)])
        if not self.plan.shield:
            yield from _term(names.of("denied"), "deny", "not in the policy", [])
            return
        token = self._network(f"ASSET_{self.plan.shield}", self.plan.shielded)
        for side in ("destination", "source"):
            told = f"{self.plan.shield} is shielded"
            yield from _term(names.of(f"denied-{side}"), "deny", told, [f"{side}-address: {token}"])

    def _match(self, permit: Permit, service: Service, version: int) -> Iterator[str]:
        for side, space, zone in (
            ("source", permit.source, permit.source_zone),
            ("destination", permit.destination, permit.destination_zone),
        ):
            whole = space == self.plan.zones[zone]
            name = f"ZONE_{zone}" if whole else f"{permit.label}_{side}"
            yield f"{side}-address: {self._network(name, space)}"
        if service.transport == "icmp":
            yield f"protocol: {'icmp' if version == 4 else 'icmpv6'}"
        elif service.transport != "any":
            yield f"protocol: {_PROTOCOLS.get(service.transport, service.transport)}"
        if service.ports:
            ports = [self._service(service.transport, *span) for span in service.ports]
            yield f"destination-port: [{', '.join(ports)}]"
        if permit.end is not None:
            yield f"expiration: {dt.datetime.fromtimestamp(permit.end, dt.UTC):%Y-%m-%d}"

    def _network(self, text: str, space: Space) -> str:
        name = self._tokens.of(text.upper())
        self._networks[name] = space
        return name

    def _service(self, transport: str, first: int, last: int) -> str:
        name = self._tokens.of(
            f"{transport}_{first}_{last}".upper() if last > first else f"{transport}_{first}".upper()
        )
        self._services[name] = (transport, first, last)
        return name

    def networks(self) -> Iterator[str]:
        """Those that terms name."""
        for name, space in self._networks.items():
            yield f"  {name}:"
            yield "    values:"
            for text in texts(space):
                yield f'      - address: "{text}"'

    def services(self) -> Iterator[str]:
        """Those that terms name."""
        for name, (transport, first, last) in self._services.items():
            yield f"  {name}:"
            yield f"    - protocol: {transport}"
            yield f"      port: {first if first == last else f'{first}-{last}'}"


def _each(permit: Permit) -> Iterator[tuple[Service, int]]:
    """A term for each service; of ICMP one for each version of IP."""
    for service in permit.services:
        if service.transport.isdigit() and service.transport not in _PROTOCOLS:
            continue
        versions = (4, 6) if service.transport == "icmp" else (4,)
        for version in versions:
            if service.transport != "icmp" or (texts(permit.source, version) and texts(permit.destination, version)):
                yield service, version


def _head(targets: dict[str, str]) -> Iterator[str]:
    yield "- header:"
    yield "    targets:"
    for target, options in targets.items():
        yield f"      {target}: {options}"
    yield "  terms:"


def _term(name: str, action: str, told: str, lines: Iterable[str]) -> Iterator[str]:
    yield f'  - name: "{name}"'
    yield f'    comment: "{plain(told, 100)}"'
    for line in lines:
        yield f"    {line}"
    yield f"    action: {action}"
