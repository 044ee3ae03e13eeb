"""The plan as one nftables table: what a conduit does not permit between zones is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zonewatch.rules.enforce.plan import Export, Limit, Permit, Plan, by_port_alone, unexpressed
from zonewatch.rules.enforce.services import Service, ports_text
from zonewatch.rules.enforce.space import Space, texts
from zonewatch.rules.enforce.text import Names, header, plain

_HELD: Final = frozenset(("end",))
_FAMILIES: Final = ((4, "ip", "ipv4_addr"), (6, "ip6", "ipv6_addr"))
_COMMENT: Final = 120  # nft takes 128 octets


def nftables(plan: Plan) -> Export:
    """`zonewatch.nft`, for `nft -f`. Loading it again replaces it whole."""
    limits = (*plan.limits, *(limit for permit in plan.permits for limit in _limits(permit)))
    table = _Table(plan)
    lines = [f"# {line}" for line in header(plan, "nftables", limits)]
    lines += ["", f"table inet {table.name}", f"delete table inet {table.name}", "", f"table inet {table.name} {{"]
    body = [*table.chains()]  # names the sets that it uses
    lines += [*table.sets(), *body, "}"]
    return Export({"zonewatch.nft": "\n".join(lines) + "\n"}, limits)


def _limits(permit: Permit) -> Iterator[Limit]:
    return unexpressed(permit, _HELD, by_port_alone(permit))


class _Table:
    """The table, with the sets that its rules name."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._names = Names("A-Za-z0-9_.-", 100)
        self._sets: dict[str, tuple[str, list[str]]] = {}  # name → type, elements
        self.name = self._names.of(f"zonewatch-shield-{plan.shield}" if plan.shield else "zonewatch")
        self._conduits: dict[str, list[Permit]] = {}
        for permit in plan.permits:
            self._conduits.setdefault(permit.conduit, []).append(permit)

    def sets(self) -> Iterator[str]:
        """Zones first, then the ends of flows."""
        for name, (kind, elements) in self._sets.items():
            yield f"\tset {name} {{"
            yield f"\t\ttype {kind}; flags interval"
            yield f"\t\telements = {{ {', '.join(elements)} }}"
            yield "\t}"
            yield ""

    def chains(self) -> Iterator[str]:
        """The conduits, and the chain that leads to them."""
        for zone, space in self.plan.zones.items():
            for version, _, _ in _FAMILIES:
                self._set(f"zone{version}.{zone}", space, version)
        for conduit, permits in self._conduits.items():
            yield f"\tchain {self._names.of(f'conduit.{conduit}')} {{"
            for permit in permits:
                yield from self._permit(permit)
            yield "\t}"
            yield ""
        yield from self._shield() if self.plan.shield else self._forward()

    def _forward(self) -> Iterator[str]:
        yield "\tchain forward {"
        yield "\t\ttype filter hook forward priority filter; policy drop;"
        yield from self._judged()
        yield "\t}"

    def _shield(self) -> Iterator[str]:
        yield "\tchain shielded {"
        yield from self._judged()
        yield "\t}"
        yield ""
        yield "\tchain forward {"
        yield "\t\ttype filter hook forward priority filter; policy accept;"
        for version, family, _ in _FAMILIES:
            name = self._set(f"asset{version}.{self.plan.shield}", self.plan.shielded, version)
            if name:
                yield f"\t\t{family} saddr @{name} jump shielded"
                yield f"\t\t{family} daddr @{name} jump shielded"
        yield "\t}"

    def _judged(self) -> Iterator[str]:
        """Open connections, traffic inside zones, conduits; the rest is dropped."""
        yield '\t\tct state established,related counter accept comment "open connections and their errors"'
        yield "\t\tct state invalid counter drop"
        if self.plan.policy.defaults.within_zone != "deny":
            for zone in self.plan.zones:
                yield from self._between(zone, zone, f'accept comment "{plain(f"within {zone}", _COMMENT)}"')
        seen: set[tuple[str, str, str]] = set()
        for permit in self.plan.permits:
            way = (permit.source_zone, permit.destination_zone, permit.conduit)
            if way not in seen:
                seen.add(way)
                yield from self._between(*way[:2], f"jump {self._names.of(f'conduit.{permit.conduit}')}")
        yield '\t\tlimit rate 10/second burst 20 packets log prefix "zonewatch denied: "'
        yield '\t\tcounter drop comment "not in the policy"'

    def _between(self, source: str, destination: str, verdict: str) -> Iterator[str]:
        for version, family, _ in _FAMILIES:
            ends = [
                self._set(f"zone{version}.{zone}", self.plan.zones[zone], version) for zone in (source, destination)
            ]
            if all(ends):
                yield f"\t\t{family} saddr @{ends[0]} {family} daddr @{ends[1]} {verdict}"

    def _permit(self, permit: Permit) -> Iterator[str]:
        yield f"\t\t# {plain(permit.name)}: {plain(permit.told)}"
        for limit in _limits(permit):
            yield f"\t\t#   {limit.effect}: {plain(limit.text)}"
        times = ""
        if permit.start is not None:
            times += f"meta time >= {permit.start} "
        if permit.end is not None:
            times += f"meta time < {permit.end} "
        for version, family, _ in _FAMILIES:
            source = self._end(permit, "from", permit.source, permit.source_zone, version)
            destination = self._end(permit, "to", permit.destination, permit.destination_zone, version)
            if not source or not destination:
                continue
            for service in permit.services:
                if (match := _match(service, version)) is not None:
                    yield (
                        f"\t\t{family} saddr @{source} {family} daddr @{destination} {match}{times}"
                        f'counter accept comment "{plain(permit.label, _COMMENT)}"'
                    )

    def _end(self, permit: Permit, side: str, space: Space, zone: str, version: int) -> str:
        if space == self.plan.zones[zone]:
            return self._set(f"zone{version}.{zone}", space, version)
        return self._set(f"{side}{version}.{permit.conduit}.{permit.name}", space, version)

    def _set(self, text: str, space: Space, version: int) -> str:
        """The name of the set with these addresses; empty where there are none of this family."""
        name = self._names.of(text)
        if name not in self._sets:
            elements = texts(space, version)
            if not elements:
                return ""
            self._sets[name] = (next(kind for number, _, kind in _FAMILIES if number == version), elements)
        return name


def _match(service: Service, version: int) -> str | None:
    if service.transport == "any":
        return ""
    if service.transport == "icmp":
        return "meta l4proto icmp " if version == 4 else "meta l4proto ipv6-icmp "
    if service.transport not in ("tcp", "udp"):
        return f"meta l4proto {service.transport} "
    if not service.ports:
        return f"meta l4proto {service.transport} "
    ports = ports_text(service.ports, "-")
    return f"{service.transport} dport {ports[0] if len(ports) == 1 else '{ ' + ', '.join(ports) + ' }'} "
