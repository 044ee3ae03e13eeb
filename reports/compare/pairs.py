"""Which asset of one result is which of the other, wherever its address went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from zonewatch.inventory.model import Asset
from zonewatch.reports.result import AuditResult
from zonewatch.rules.findings import Finding
from zonewatch.rules.places import BROADCAST

__all__ = ["Pairs", "paired"]


def _declared(asset: Asset) -> Iterable[str]:
    return (asset.declared,) if asset.declared else ()


def _serial(asset: Asset) -> Iterable[str]:
    return (f"{asset.vendor}\x1f{asset.model}\x1f{asset.serial}",) if asset.serial else ()


def _hardware(asset: Asset) -> Iterable[str]:
    return sorted({row.mac for row in asset.interfaces if row.mac and not row.behind_router})


def _name(asset: Asset) -> Iterable[str]:
    return (asset.id,)


def _address(asset: Asset) -> Iterable[str]:
    return asset.addresses


KEYS: Final[tuple[Callable[[Asset], Iterable[str]], ...]] = (_declared, _serial, _hardware, _name, _address)
"""By what an asset is known again, the surest first: the list, what it says of itself, its hardware, its address."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """The assets of two results side by side."""

    both: tuple[tuple[Asset, Asset], ...]
    gone: tuple[Asset, ...]
    new: tuple[Asset, ...]
    later: Mapping[str, str]  # id before → id after, of those in both

    def end(self, name: str) -> str:
        """The later id of an end of an edge; broadcasts and what is gone keep theirs."""
        return self.later.get(name, name)

    def finding(self, finding: Finding) -> str:
        """The id that a finding would have with the later ids of its assets."""
        moved = tuple((key, self._moved(value)) for key, value in finding.identity)
        if moved == finding.identity:
            return finding.id
        return Finding(finding.rule, moved, "", finding.severity, (), "", "", finding.owner).id

    def _moved(self, value: str) -> str:
        return value if value.startswith(BROADCAST) else self.later.get(value, value)


def paired(before: AuditResult, after: AuditResult) -> Pairs:
    """Each asset at most once: a key ties two where it is that of one alone on both sides."""
    old = {asset.id: asset for asset in before.inventory.assets}
    new = {asset.id: asset for asset in after.inventory.assets}
    later: dict[str, str] = {}
    for keys in KEYS:
        free = set(new) - set(later.values())
        theirs = _owners((new[name] for name in new if name in free), keys)
        for key, name in _owners((old[name] for name in old if name not in later), keys).items():
            other = theirs.get(key, "")
            if name and other and name not in later and other in free and _may_be(old[name], new[other]):
                later[name] = other
                free.discard(other)
    taken = set(later.values())
    return Pairs(
        tuple((old[name], new[later[name]]) for name in old if name in later),
        tuple(asset for name, asset in old.items() if name not in later),
        tuple(asset for name, asset in new.items() if name not in taken),
        later,
    )


def _owners(assets: Iterable[Asset], keys: Callable[[Asset], Iterable[str]]) -> dict[str, str]:
    """The asset of each key; an empty one where several have it."""
    found: dict[str, str] = {}
    for asset in assets:
        for key in keys(asset):
            found[key] = asset.id if found.get(key, asset.id) == asset.id else ""
    return found


def _may_be(one: Asset, other: Asset) -> bool:
    """A device that says another serial number is another one. Another id in a list is a matter of the list."""
    return not (one.serial and other.serial and one.serial != other.serial)
