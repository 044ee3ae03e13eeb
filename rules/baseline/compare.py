"""A baseline and new traffic: what deviates, and what cannot be said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import pyarrow as pa

from zonewatch.dissectors.vocabulary import PROTOCOLS
from zonewatch.inventory.addresses import subnet
from zonewatch.inventory.model import Asset, Evidence, Inventory
from zonewatch.rules.baseline.deviation import Deviation, judged
from zonewatch.rules.baseline.known import Known, surprise
from zonewatch.rules.baseline.learn import Observed, is_said
from zonewatch.rules.baseline.merge import with_pending
from zonewatch.rules.baseline.messages import messages
from zonewatch.rules.baseline.model import SEVERAL, STAGES, Baseline, EdgeKey, Stage
from zonewatch.rules.baseline.rows import Talk, oriented
from zonewatch.rules.baseline.silence import pauses
from zonewatch.rules.baseline.tell import Tell
from zonewatch.rules.context import DEVICE_ROLES, OPERATOR_ROLES, bounded, listing, span, times
from zonewatch.rules.policy.words import REMOTE_SERVICES
from zonewatch.rules.seen import limits as blind_spots

ALIKE: Final = 3
"""So many hosts of one role in one subnet at one service speak for the next one of them."""
MOST_SINGLE: Final = 4
"""More new connections of one client than this are told as one; remote sessions always one by one."""


_ANY: Final = "several"
"""In place of the server, where new connections to several are told as one."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found."""

    deviations: tuple[Deviation, ...]
    limits: tuple[str, ...]  # what was not judged, and why
    assets: Mapping[str, str] = field(default_factory=dict)  # names of the baseline to ids of the inventory

    @property
    def told(self) -> tuple[Deviation, ...]:
        """Those beyond the learning stage."""
        return tuple(one for one in self.deviations if one.stage != "learning")


def compare(baseline: Baseline, seen: Observed, inventory: Inventory, coverage: pa.Table) -> Comparison:
    """All deviations, with their stages. `seen` is named by the assets of the baseline."""
    known = Known(baseline)
    blind = blind_spots(coverage)
    found, limits = _deviations(known, seen, inventory, blind)
    waiting: frozenset[tuple[object, ...]] = frozenset()
    if baseline.pending:
        rest, _ = _deviations(Known(with_pending(baseline)), seen, inventory, blind)
        waiting = frozenset(one.key for one in found) - frozenset(one.key for one in rest)
    stages = _Stages(baseline, seen)
    limits = (*limits, *(f"at {source}: {text}" for source, text in sorted(blind.items())))
    return Comparison(judged(found, stages.of, waiting), limits, seen.names.ids())


def _deviations(
    known: Known, seen: Observed, inventory: Inventory, blind: Mapping[str, str]
) -> tuple[list[Deviation], tuple[str, ...]]:
    tell = Tell(inventory, seen.names)
    assets: dict[str, Asset] = {}
    for name, asset in seen.names.assets(inventory):
        assets.setdefault(name, asset)
    heard = _heard(assets, seen)
    silent, limits = pauses(known, seen, tell, blind)
    found = [
        *_new_assets(known, assets, heard, tell),
        *_identities(known, assets, tell),
        *_connections(known, seen.talks, assets, tell),
        *messages(known, seen, tell),
        *silent,
    ]
    return found, limits


class _Stages:
    """The stage of a deviation: the furthest of the devices that it is about.

    Of a new device it is the furthest of its subnet; where that is new too, of those that it speaks with.
    """

    def __init__(self, baseline: Baseline, seen: Observed) -> None:
        self._peers: defaultdict[str, set[str]] = defaultdict(set)
        ends = {(row.client, row.server) for row in seen.rows} | {(talk.client, talk.server) for talk in seen.talks}
        for client, server in ends:
            self._peers[client].add(server)
            self._peers[server].add(client)
        self._stages: dict[str, Stage] = {asset.id: asset.stage for asset in baseline.assets}
        self._subnets: dict[str, Stage] = {}
        for asset in baseline.assets:
            for address in asset.addresses:
                place = subnet(address)
                self._subnets[place] = max(self._subnets.get(place, "learning"), asset.stage, key=STAGES.index)

    def of(self, one: Deviation) -> Stage:
        if one.kind == "new_asset":
            place = next((value for key, value in one.identity if key == "subnet"), "")
            return self._subnets.get(place) or self._furthest(sorted(self._peers[one.server]))
        return self._furthest(one.assets)

    def _furthest(self, ends: Iterable[str]) -> Stage:
        return max((self._stages.get(end, "learning") for end in ends), default="learning", key=STAGES.index)


def _heard(assets: Mapping[str, Asset], seen: Observed) -> frozenset[str]:
    """Devices that were seen to send."""
    found = {name for name, asset in assets.items() if asset.macs}
    found.update(talk.client for talk in seen.talks)
    found.update(talk.server for talk in seen.talks if talk.answered and talk.transport != "udp")
    found.update(row.client for row in seen.rows)
    found.update(row.server for row in seen.rows if row.answered)
    return frozenset(found)


def _new_assets(known: Known, assets: Mapping[str, Asset], heard: frozenset[str], tell: Tell) -> Iterator[Deviation]:
    sightings = sum(asset.seen.days for asset in known.assets.values())
    days = max((asset.seen.days for asset in known.assets.values()), default=0)
    for name, asset in sorted(assets.items()):
        if name in known.assets or name not in heard:
            continue
        place = subnet(asset.addresses[0]) if asset.addresses else ""
        yield Deviation(
            kind="new_asset",
            identity=(("asset", name), ("subnet", place)),
            text=f"{tell.name(name)} is new: {times(len(known.assets), 'device')} known on {times(days, 'day')}"
            + (f"; it is of {asset.vendor}" if asset.vendor else ""),
            bits=surprise(0, sightings),
            days=days,
            learned=sightings,
            count=1,
            first_time=asset.first_time,
            last_time=asset.last_time,
            evidence=(asset.first_evidence,) if asset.first_evidence else (),
            server=name,
        )


def _identities(known: Known, assets: Mapping[str, Asset], tell: Tell) -> Iterator[Deviation]:
    for name, asset in sorted(assets.items()):
        old = known.assets.get(name)
        if old is None:
            continue
        for attribute, value in sorted(old.identity.items()):
            said = [claim for claim in asset.claims if claim.attribute == attribute and is_said(claim.protocol)]
            if said and value not in {claim.value for claim in said}:
                evidence = [claim.evidence for claim in said if claim.evidence is not None]
                now = listing(sorted({claim.value for claim in said}))
                yield _changed(name, attribute, value, now, old.seen.days, asset, evidence, tell)
        macs = asset.macs
        if old.macs and macs and not set(old.macs) & set(macs):
            evidence = [asset.first_evidence] if asset.first_evidence else []
            yield _changed(name, "mac", listing(old.macs), listing(macs), old.seen.days, asset, evidence, tell)


def _changed(
    name: str, attribute: str, old: str, new: str, days: int, asset: Asset, evidence: Sequence[Evidence], tell: Tell
) -> Deviation:
    word = {"mac": "MAC address"}.get(attribute, attribute)
    return Deviation(
        kind="identity_changed",
        identity=(("asset", name), ("attribute", attribute)),
        text=f"{tell.name(name)} has another {word}: {new}, where {old} was learned on {times(days, 'day')}",
        bits=surprise(0, days),
        days=days,
        learned=days,
        count=1,
        first_time=asset.first_time,
        last_time=asset.last_time,
        evidence=bounded(evidence),
        server=name,
        target=attribute,
    )


def _connections(known: Known, talks: Iterable[Talk], assets: Mapping[str, Asset], tell: Tell) -> Iterator[Deviation]:
    """New edges of which no messages are decoded, and remote sessions at unusual hours."""
    tried: defaultdict[str, list[Talk]] = defaultdict(list)
    answered: defaultdict[EdgeKey, list[Talk]] = defaultdict(list)
    for talk in talks:
        key = oriented(talk, known.edges)
        edge = known.edges.get(key)
        if not talk.answered and (talk.client, SEVERAL, talk.protocol) in known.edges:
            continue
        if edge is not None and (edge.answered or not talk.answered):
            if talk.protocol in REMOTE_SERVICES:
                yield from tell.off_hours(edge.seen, key, "session", talk.spans, talk.evidence)
            continue
        if talk.server.startswith("broadcast:") and talk.client not in known.assets:
            continue  # what a new device says to all is told with it
        if talk.answered:
            answered[key].append(talk)
        else:
            tried[talk.client].append(talk)
    clients: defaultdict[str, list[EdgeKey]] = defaultdict(list)
    for key in sorted(answered):
        if not _alike(known, key, assets):
            clients[key[0]].append(key)
    for client, keys in sorted(clients.items()):
        plain = [key for key in keys if key[2] not in REMOTE_SERVICES]
        for key in keys:
            if key not in plain or len(plain) <= MOST_SINGLE:
                one = _new_connection(known, key, answered[key], tell)
                ours = any(_is_process(end, known, assets) for end in key[:2])
                yield one if ours else replace(one, mild="neither of them takes part in the process")
        if len(plain) > MOST_SINGLE:
            yield _many(known, client, [talk for key in plain for talk in answered[key]], tell, "speaks with")
    for client, group in sorted(tried.items()):
        yield _many(known, client, group, tell, "tried in vain to reach")


def _is_process(end: str, known: Known, assets: Mapping[str, Asset]) -> bool:
    """True for an OT device, an operator's host, and who speaks a control protocol."""
    asset, old = assets.get(end), known.assets.get(end)
    roles = {asset.role if asset is not None else "", old.role if old is not None else ""}
    return bool(roles & (DEVICE_ROLES | OPERATOR_ROLES)) or (asset is not None and asset.kind == "ot")


def _alike(known: Known, key: EdgeKey, assets: Mapping[str, Asset]) -> bool:
    """True where enough hosts of the same kind use the service."""
    client, server, protocol = key
    asset = assets.get(client)
    if asset is None or protocol in REMOTE_SERVICES or protocol in PROTOCOLS or not asset.addresses:
        return False
    if asset.role in DEVICE_ROLES | OPERATOR_ROLES:
        return False
    place = subnet(asset.addresses[0])
    alike = 0
    for edge in known.of_server[server, protocol]:
        other = known.assets.get(edge.client)
        if other is not None and other.role == asset.role and place in {subnet(one) for one in other.addresses}:
            alike += 1
    return alike >= ALIKE


def _new_connection(known: Known, key: EdgeKey, group: Sequence[Talk], tell: Tell) -> Deviation:
    client, server, protocol = key
    text = f"{tell.name(client)} speaks {protocol} with {tell.name(server)}"
    return replace(_new_edge(known, key, group, tell, text), server=server, protocol=protocol)


def _new_edge(known: Known, key: EdgeKey, group: Sequence[Talk], tell: Tell, text: str) -> Deviation:
    """`key` is the client, the server or `_ANY`, and the protocol or what he does."""
    client, server, protocol = key
    one = "" if server == _ANY else server
    days, sightings = tell.sightings(known, client, one)
    first, last = span(moment for talk in group for moment in talk.spans)
    return Deviation(
        kind="new_edge",
        identity=(("client", client), ("server", server), ("protocol", protocol)),
        text=f"{text}: not among {tell.edges(known, client, one)}",
        bits=surprise(0, sightings),
        days=days,
        learned=sightings,
        count=sum(talk.connections for talk in group),
        first_time=first,
        last_time=last,
        evidence=bounded(item for talk in group for item in talk.evidence),
        client=client,
    )


def _many(known: Known, client: str, group: Sequence[Talk], tell: Tell, what: str) -> Deviation:
    """New connections of one client to several servers, as one."""
    servers = sorted({talk.server if talk.client == client else talk.client for talk in group})
    protocols = sorted({talk.protocol for talk in group})
    text = f"{tell.name(client)} {what} {listing(map(tell.name, servers), 4)} by {listing(protocols, 6)}"
    return replace(
        _new_edge(known, (client, _ANY, what), group, tell, text),
        several=tuple(servers),
        protocol=protocols[0] if len(protocols) == 1 else "",
    )
