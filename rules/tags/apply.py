"""Tags at the assets of an inventory: which assets they mean, and names beside the points of each edge."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

from zonewatch.inventory.model import Asset, Edge, Function, Inventory, Target
from zonewatch.rules.tags.model import Tag, Tags
from zonewatch.rules.tags.written import target_names


def met(tags: Iterable[Tag], inventory: Inventory) -> tuple[tuple[Tag, ...], tuple[str, ...]]:
    """The tags by the ids of the assets that they mean, and of which assets no packet was seen, in words."""
    words: defaultdict[str, list[str]] = defaultdict(list)
    for asset in inventory.assets:
        for word in dict.fromkeys(map(str.casefold, _words(asset))):
            words[word].append(asset.id)
    found: list[Tag] = []
    missed: Counter[str] = Counter()
    for tag in tags:
        ids = words.get(tag.asset.casefold(), ())
        found += [replace(tag, asset=name) for name in ids]
        if not ids:
            missed[tag.asset] += 1
    return tuple(found), tuple(
        f"{count} tag{' is' if count == 1 else 's are'} of {asset}, an asset that was not seen"
        for asset, count in sorted(missed.items())
    )


def _words(asset: Asset) -> tuple[str, ...]:
    """What a tag list may call an asset."""
    return tuple(filter(None, (asset.id, asset.declared, asset.name, *asset.addresses, *asset.macs)))


def with_names(inventory: Inventory, tags: Tags) -> Inventory:
    """The inventory with the names of tags at what its edges are about."""
    if not tags:
        return inventory
    return replace(inventory, edges=tuple(_edge(edge, tags) if edge.functions else edge for edge in inventory.edges))


def _edge(edge: Edge, tags: Tags) -> Edge:
    return replace(edge, functions=tuple(_function(item, edge, tags) for item in edge.functions))


def _function(function: Function, edge: Edge, tags: Tags) -> Function:
    return replace(function, targets=tuple(_target(item, function.unit, edge, tags) for item in function.targets))


def _target(target: Target, unit: str, edge: Edge, tags: Tags) -> Target:
    return replace(target, names=target_names(target, unit, edge.protocol, edge.server, tags))
