"""The assets of a policy as a declared list, for the inventory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from zonewatch.inventory.declared import DeclaredAsset
from zonewatch.rules.policy.model import Policy


def unknown_names(policy: Policy | None) -> dict[str, str]:
    """The policy's names of unknown protocols, by what they are known by."""
    entries = policy.unknown_protocols if policy is not None else ()
    return {word: entry.name for entry in entries for word in entry.is_}


def declared_assets(policy: Policy, listed: Iterable[DeclaredAsset] = ()) -> tuple[DeclaredAsset, ...]:
    """The asset list with the policy's assets: of one id, the policy says what it says and the list the rest.

    An address of a listed asset that the policy gives to another one is the other's.
    """
    known = {asset.id: asset for asset in listed}
    for asset in policy.assets:
        before = known.get(asset.id, DeclaredAsset(asset.id))
        known[asset.id] = replace(
            before,
            name=asset.name or before.name,
            addresses=tuple(dict.fromkeys((*asset.addresses, *before.addresses))),
            mac=asset.mac or before.mac,
            role=asset.role or before.role,
            zone=asset.zone or before.zone,
            vendor=asset.vendor or before.vendor,
            model=asset.model or before.model,
            criticality=asset.criticality or before.criticality,
        )
    owners = {address: asset.id for asset in policy.assets for address in asset.addresses}
    return tuple(
        replace(asset, addresses=tuple(text for text in asset.addresses if owners.get(text, asset.id) == asset.id))
        for asset in known.values()
        if asset.addresses or asset.mac
    )
