"""What a device was seen to do, counted: the facts that roles are inferred from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from zonewatch.dissectors.vocabulary import OT_SERVICES, STATE_CHANGING
from zonewatch.inventory.addresses import is_public
from zonewatch.inventory.claims import Statement, Units, behind
from zonewatch.inventory.flows import Link
from zonewatch.inventory.hints import HINTS, Hint
from zonewatch.inventory.identity import Host
from zonewatch.inventory.model import Evidence
from zonewatch.inventory.traffic import ANSWERS, Conversation, Place

Deed = Literal[
    "answered_process",
    "answered_identity",
    "answered_error",
    "obeyed",
    "outstation",
    "announced",
    "units",
    "networks",
    "ot_service",
    "outstation_service",
    "ot_client",
    "reads",
    "polls_outstations",
    "subscribes",
    "fed",
    "writes",
    "engineering",
    "configures",
    "discovers",
    "identify_and_write",
    "router",
    "public",
    "bridge",
    "cdp",
    "lldp",
    "served_content",
    "served_port",
    "used_content",
    "used_port",
]
Fact = Deed | Hint
"""What a device was seen to do, or what it is said to be."""

OT_FACTS: Final[tuple[Fact, ...]] = (
    "answered_process",
    "answered_identity",
    "answered_error",
    "obeyed",
    "outstation",
    "announced",
    "units",
    "networks",
    "ot_service",
    "outstation_service",
    "ot_client",
    "reads",
    "subscribes",
    "fed",
    "writes",
    "engineering",
    "configures",
    "discovers",
)
"""Facts that make an OT asset of a device."""

FEW_SERVERS: Final = 2

OUTSTATION_SERVICES: Final = frozenset(("iec-104", "iec104", "synchrophasor", "dnp3-tls"))
"""Those of devices in the field: telecontrol and measurement of the grid."""

AMBIENT_SERVICES: Final = frozenset(
    (
        "arp",
        "icmp",
        "icmpv6",
        "dhcp",
        "dhcpv6",
        "bootp",
        "dns",
        "mdns",
        "llmnr",
        "nbns",
        "netbios-ns",
        "ssdp",
        "ntp",
        "igmp",
        "lldp",
        "stp",
        "cdp",
    )
)
"""What every device with an IP stack uses, a controller too."""

_OF_GROUP: Final[Mapping[tuple[str, int], Fact]] = {
    ("01:00:0c:cc:cc:cc", 0): "cdp",
    ("01:00:0c:cc:cc:cd", 0): "bridge",  # PVST+
    ("01:80:c2:00:00:00", 0): "bridge",  # IEEE 802.1D, 7.12.3
    ("", 0x88CC): "lldp",
}
"""Destination and EtherType of what network devices send at layer 2; empty or 0 where the other tells enough."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something was seen, with whom, in which words, and where first."""

    events: int = 0
    peers: int = 0
    words: tuple[str, ...] = ()
    evidence: Evidence | None = None

    def __bool__(self) -> bool:
        return self.events > 0


class _Sight(NamedTuple):
    """One contribution to a tally."""

    time: int
    evidence: Evidence | None
    events: int
    peer: str
    word: str


Facts = Mapping[Fact, Tally]
NOTHING: Final = Tally()


class _Talk(NamedTuple):
    """What the facts need of conversations."""

    source: str
    client: str
    server: str
    protocol: str
    kind: str
    operation: str
    status: str
    device: bool  # about the BACnet device object: what it is, rather than what it does


def _is_answered(talk: _Talk) -> bool:
    return talk.status in ("ok", "response_only")


def _tells_a_device(talk: _Talk) -> bool:
    """Who answers DNP3 is an outstation, whatever it answers; OPC UA is served by controllers and by any program."""
    return talk.protocol not in ("dnp3", "opcua")


def _is_asked(talk: _Talk) -> bool:
    return talk.status in ANSWERS or talk.status == "one_way"


_PROCESS: Final = ("read", "subscribe")
_IDENTITY: Final = ("discover", "diagnose", "session")
_ENGINEERING: Final = ("program_download", "program_upload", "firmware", "mode", "stop", "start", "file")
_CONFIGURING: Final = ("configure", "restart")

_OF_SERVER: Final[tuple[tuple[Fact, Callable[[_Talk], bool]], ...]] = (
    (
        "answered_process",
        lambda t: _tells_a_device(t) and t.operation in _PROCESS and not t.device and _is_answered(t),
    ),
    (
        "answered_identity",
        lambda t: (
            _tells_a_device(t)
            and (t.operation in _IDENTITY or (t.operation == "read" and t.device))
            and _is_answered(t)
            and t.kind != "unconfirmed"
        ),
    ),
    ("answered_error", lambda t: _tells_a_device(t) and t.status == "error"),
    ("obeyed", lambda t: _tells_a_device(t) and t.operation in STATE_CHANGING and _is_answered(t)),
    ("outstation", lambda t: t.protocol == "dnp3" and (t.status in ANSWERS or t.kind == "unsolicited")),
)
_OF_CLIENT: Final[tuple[tuple[Fact, Callable[[_Talk], bool]], ...]] = (
    ("reads", lambda t: t.operation == "read" and not t.device and _is_asked(t)),
    ("polls_outstations", lambda t: t.protocol == "dnp3" and t.operation == "read" and _is_asked(t)),
    ("subscribes", lambda t: t.operation == "subscribe" and _is_asked(t)),
    ("fed", lambda t: t.kind == "unsolicited"),
    ("writes", lambda t: t.operation in ("write", "operate") and _is_asked(t)),
    ("engineering", lambda t: t.operation in _ENGINEERING and _is_asked(t)),
    ("configures", lambda t: t.operation in _CONFIGURING and _is_asked(t)),
    ("discovers", lambda t: t.operation in ("discover", "diagnose") and t.kind != "unconfirmed" and _is_asked(t)),
)


def gather(
    hosts: Sequence[tuple[str, Host]],
    ids: Mapping[Place, str],
    talks: Iterable[Conversation],
    links: Iterable[Link],
    stated: Iterable[Statement],
    units: Units,
) -> Mapping[str, Facts]:
    """Facts of each asset id. `ids` leads from source and address to the asset id."""
    seen: defaultdict[str, defaultdict[Fact, list[_Sight]]] = defaultdict(lambda: defaultdict(list))
    for asset, fact, sight in (
        *_of_talks(talks, ids),
        *_of_links(links, ids),
        *_of_claims(stated, ids),
        *_of_hints(stated, ids),
        *_of_units(units, ids),
        *(entry for name, host in hosts for entry in _of_host(name, host)),
    ):
        seen[asset][fact].append(sight)
    return {asset: _with_derived({fact: _tally(rows) for fact, rows in facts.items()}) for asset, facts in seen.items()}


def _tally(rows: Sequence[_Sight]) -> Tally:
    first = min((row for row in rows if row.evidence), key=lambda row: (row.time, row.evidence), default=None)
    return Tally(
        events=sum(row.events for row in rows),
        peers=len({row.peer for row in rows if row.peer}),
        words=tuple(sorted({row.word for row in rows if row.word})),
        evidence=first.evidence if first else None,
    )


def _with_derived(facts: dict[Fact, Tally]) -> Facts:
    """Adds what only two facts together show."""
    asked, wrote = facts.get("discovers", NOTHING), facts.get("writes", NOTHING)
    if asked and wrote and wrote.peers <= FEW_SERVERS:
        facts["identify_and_write"] = wrote
    return facts


_Entry = tuple[str, Fact, _Sight]


def _of_talks(talks: Iterable[Conversation], ids: Mapping[Place, str]) -> list[_Entry]:
    merged: dict[_Talk, tuple[int, int, Evidence]] = {}
    for row in talks:
        device = row.object_kind == "device"
        key = _Talk(row.source, row.client, row.server, row.protocol, row.kind, row.operation, row.status, device)
        events, time, evidence = merged.get(key) or (0, row.first_time, row.evidence)
        merged[key] = (events + row.events, time, evidence)  # rows come by first time
    entries: list[_Entry] = []
    for talk, (events, time, evidence) in merged.items():
        client, server = ids.get((talk.source, talk.client), ""), ids.get((talk.source, talk.server), "")
        for asset, peer, signs in ((server, client, _OF_SERVER), (client, server, _OF_CLIENT)):
            # A peer that is no asset is a broadcast.
            sight = _Sight(time, evidence, events, peer, talk.protocol)
            entries.extend((asset, fact, sight) for fact, holds in signs if asset and holds(talk))
    return entries


def _of_links(links: Iterable[Link], ids: Mapping[Place, str]) -> list[_Entry]:
    entries: list[_Entry] = []
    for link in links:
        client, server = ids.get((link.source, link.client), ""), ids.get((link.source, link.server), "")
        word = link.protocol
        if link.transport == "ethernet":
            fact = _OF_GROUP.get((link.server, 0)) or _OF_GROUP.get(("", link.server_port))
            entries.extend((client, of, _Sight(link.first_time, link.evidence, 1, "", word)) for of in (fact,) if of)
            continue
        if link.ot or link.many or not link.answered or not link.basis:
            continue
        served, used = _service_facts(link)
        for asset, peer, facts in ((server, client, served), (client, server, used)):
            sight = _Sight(link.first_time, link.evidence, 1, peer or link.server, word)
            entries.extend((asset, fact, sight) for fact in facts if asset)
    return entries


def _service_facts(link: Link) -> tuple[tuple[Fact, ...], tuple[Fact, ...]]:
    """Facts of the server and of the client; an OT service known by its port alone says nothing."""
    by_content = link.basis == "content"
    if link.protocol in OT_SERVICES:
        of_server: Fact = "outstation_service" if link.protocol in OUTSTATION_SERVICES else "ot_service"
        return ((of_server,), ("ot_client",)) if by_content else ((), ())
    served: tuple[Fact, ...] = ("served_content",) if by_content else ("served_port",)
    if link.protocol in AMBIENT_SERVICES:
        return served, ()
    return served, ("used_content",) if by_content else ("used_port",)


def _of_claims(stated: Iterable[Statement], ids: Mapping[Place, str]) -> list[_Entry]:
    """A device that states its identity in an OT protocol, to everybody or to whoever asks."""
    return [
        (
            ids[row.source, row.address],
            "announced",
            _Sight(row.time, Evidence(row.source, row.capture, row.frame), row.times, "", row.protocol),
        )
        for row in stated
        if row.protocol in OT_SERVICES and not row.unit and (row.source, row.address) in ids
    ]


def _of_hints(stated: Iterable[Statement], ids: Mapping[Place, str]) -> list[_Entry]:
    """What a device is said to be, with who says it."""
    return [
        (
            ids[row.source, row.address],
            hint,
            _Sight(
                row.time, Evidence(row.source, row.capture, row.frame), row.times, "", f"{row.value} by {row.protocol}"
            ),
        )
        for row in stated
        if row.attribute == "role_hint" and (row.source, row.address) in ids and (hint := HINTS.get(row.value))
    ]


def _of_units(units: Units, ids: Mapping[Place, str]) -> list[_Entry]:
    entries: list[_Entry] = []
    for (source, address, protocol), heard in units.items():
        asset = ids.get((source, address), "")
        if not asset:
            continue
        # BACnet units carry the number of a network that is not this one.
        fact: Fact = "networks" if protocol == "bacnet" else "units"
        entries.extend((asset, fact, _Sight(0, None, 1, "", f"{protocol} {unit}")) for unit in behind(protocol, heard))
    return entries


def _of_host(name: str, host: Host) -> list[_Entry]:
    first = host.sightings[0].evidence if host.sightings else None
    public = [interface for interface in host.interfaces if is_public(interface.address)]
    far = [row for row in public if ":" not in row.address and row.address not in host.on_link]
    # Hosts have global IPv6 addresses of their own; only one without any other address is far away.
    if all(":" in interface.address for interface in host.interfaces):
        far += [row for row in public if row is host.interfaces[0] and not row.mac]
    facts: list[tuple[Fact, str]] = [("public", interface.address) for interface in far]
    if host.router and not host.router.disguised:
        facts.insert(0, ("router", host.router.reason))
    return [(name, fact, _Sight(0, first, 1, "", word)) for fact, word in facts]
