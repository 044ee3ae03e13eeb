"""Devices that nobody declared, or that are in no zone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from zonewatch.inventory.model import Asset, Edge, Evidence
from zonewatch.inventory.roles import ROLE_NAMES
from zonewatch.rules.context import Context, Detector, Fact, Told, listing, sentence, span, times
from zonewatch.rules.exposure.edges import answered
from zonewatch.rules.findings import Finding


def unknown_asset(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """A device that is in no list: each that takes part in the process, the rest together for each zone."""
    action = context.policy.defaults.unknown_asset
    if action == "allow":
        return
    rest: defaultdict[str, list[Asset]] = defaultdict(list)
    peers: defaultdict[str, dict[str, tuple[Evidence, ...]]] = defaultdict(dict)
    for edge in context.inventory.edges:
        if edge.ot or (answered(edge) and context.is_process(edge.server)):
            _meets(peers[edge.client], edge.server, edge)
        if edge.ot or (answered(edge) and context.is_process(edge.client)):
            _meets(peers[edge.server], edge.client, edge)
    heard = {edge.client for edge in context.inventory.edges}
    heard |= {edge.server for edge in context.inventory.edges if answered(edge) or edge.state == "refused"}
    for asset in context.inventory.assets:
        if not context.is_unknown(asset) or not (asset.macs or asset.id in heard):
            continue  # known, or an address that was asked and never answered
        if peers[asset.id] or action == "deny":
            yield Told(_unknown(context, detector, asset, peers[asset.id], denied=action == "deny"))
        else:
            rest[asset.zone].append(asset)
    for zone, assets in sorted(rest.items()):
        where = f"zone {zone}" if zone else "no zone"
        finding = detector.finding(
            (("zone", zone),),
            f"{times(len(assets), 'unknown device')} in {where}",
            detector.severity,
            ["in no list of known assets", "no part in the process was seen"],
            sentence(context.names(asset.id for asset in assets)),
            [asset.first_evidence for asset in assets if asset.first_evidence],
            assets=(asset.id for asset in assets[:50]),
            zones=(zone,),
            count=len(assets),
            when=span((asset.first_time, asset.last_time) for asset in assets),
        )
        yield Told(finding)


def _meets(peers: dict[str, tuple[Evidence, ...]], name: str, edge: Edge) -> None:
    peers[name] = peers.get(name) or edge.evidence[:1]


def looks_like(asset: Asset) -> str:
    """What a device seems to be, as a sentence."""
    made = " ".join(text for text in (asset.vendor, asset.model) if text)
    return sentence(f"Looks like: {ROLE_NAMES[asset.role]}{f' by {made}' if made else ''}")


def _unknown(
    context: Context, detector: Detector, asset: Asset, peers: dict[str, tuple[Evidence, ...]], *, denied: bool
) -> Finding:
    reasons = ["in no list of known assets" if context.listed else "in no zone of the policy"]
    if peers:
        reasons.append(f"takes part in the process: talks with {context.names(sorted(peers))}")
    if denied:
        reasons.append("the policy denies unknown assets")
    return detector.finding(
        (("asset", asset.id),),
        f"Unknown device {context.name(asset.id)}{f' in zone {asset.zone}' if asset.zone else ''}",
        "high" if denied else "medium",
        reasons,
        f"{looks_like(asset)} MAC {listing(asset.macs, 4) or 'not seen'}.",
        [
            *([asset.first_evidence] if asset.first_evidence else []),
            *(row for name in sorted(peers)[:7] for row in peers[name]),
        ],
        assets=(asset.id,),
        zones=(asset.zone,),
        count=1,
        when=(asset.first_time, asset.last_time),
    )


def unzoned_asset(context: Context, detector: Detector, _told: frozenset[Fact]) -> Iterator[Told]:
    """Known devices that the policy puts in no zone."""
    assets = [
        asset
        for asset in context.inventory.assets
        if not asset.zone and asset.addresses and asset.kind != "external" and not context.is_unknown(asset)
    ]
    if context.proposed or not assets:
        return
    finding = detector.finding(
        (),
        f"{times(len(assets), 'device')} in no zone of the policy",
        detector.severity,
        ["traffic of a device in no zone cannot be judged"],
        sentence(context.names(asset.id for asset in assets)),
        [asset.first_evidence for asset in assets if asset.first_evidence],
        assets=(asset.id for asset in assets[:50]),
        count=len(assets),
        when=span((asset.first_time, asset.last_time) for asset in assets),
    )
    yield Told(finding)
