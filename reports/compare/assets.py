"""Changes of assets and their services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from zonewatch.inventory.model import Asset, Evidence, Posture, Service
from zonewatch.reports.compare.model import Change, Move
from zonewatch.reports.compare.pairs import Pairs
from zonewatch.reports.compare.sight import Sight
from zonewatch.reports.words import named

__all__ = ["asset_changes", "service_changes"]

ASPECTS: Final[tuple[tuple[str, Callable[[Asset], str]], ...]] = (
    ("address", lambda asset: ", ".join(asset.addresses)),
    (
        "hardware",
        lambda asset: ", ".join(sorted({row.mac for row in asset.interfaces if not row.behind_router} - {""})),
    ),
    ("role", lambda asset: "" if asset.role == "unknown" else asset.role),
    ("vendor", lambda asset: asset.vendor),
    ("model", lambda asset: asset.model),
    ("firmware", lambda asset: asset.firmware),
    ("serial", lambda asset: asset.serial),
    ("system", lambda asset: asset.operating_system),
    ("zone", lambda asset: asset.zone),
    ("criticality", lambda asset: asset.criticality),
)
"""What is compared. A property that is not known in one of them is no change: it was only not said this time."""
_POSTURES: Final[tuple[Posture, ...]] = ("none", "offered", "used")
"""From the worst to the best; what is unknown is none of them."""


def asset_changes(pairs: Pairs, before: Sight, after: Sight) -> Iterator[Change]:
    """`before` and `after` tell what the editions could have shown."""
    for asset in pairs.new:
        reason = before.asset(_proof(asset), asset.zone)
        yield Change("asset", "appeared", asset.id, named(asset), place=asset.zone, reason=reason or "")
    for asset in pairs.gone:
        reason = after.asset(_proof(asset), asset.zone)
        move: Move = "unclear" if reason else "vanished"
        yield Change("asset", move, asset.id, named(asset), place=asset.zone, reason=reason or "")
    planned = before.result.policy.given and after.result.policy.given  # else zones are proposals, each time anew
    for old, new in pairs.both:
        for aspect, value in ASPECTS:
            was, now = value(old), value(new)
            proposed = aspect == "zone" and not planned
            if was and now and was != now and not proposed:
                yield Change("asset", "changed", new.id, named(new), aspect, was, now, new.zone)


def _proof(asset: Asset) -> tuple[Evidence, ...]:
    return (asset.first_evidence,) if asset.first_evidence else ()


def service_changes(pairs: Pairs, before: Sight, after: Sight) -> Iterator[Change]:
    """Of the assets that are in both editions."""
    for old, new in pairs.both:
        was, now = _services(old), _services(new)
        for key in sorted({*was, *now}):
            name = f"{named(new)}: {key[0]} {key[1]}/{key[2]}"
            change = f"{new.id} {key[0]} {key[1]}/{key[2]}"
            if key not in was:
                reason = before.of(_of(now[key]), (old.id,), (old.zone,))
                yield Change("service", "appeared", change, name, place=new.zone, reason=reason or "")
            elif key not in now:
                reason = after.of(_of(was[key]), (new.id,), (new.zone,))
                move: Move = "unclear" if reason else "vanished"
                yield Change("service", move, change, name, place=new.zone, reason=reason or "")
            else:
                yield from _posture(change, name, was[key], now[key], new.zone)


def _services(asset: Asset) -> dict[tuple[str, str, int], Service]:
    return {(row.protocol, row.transport, row.port): row for row in asset.services}


def _of(service: Service) -> tuple[Evidence, ...]:
    return (service.evidence,) if service.evidence else ()


def _posture(change: str, name: str, was: Service, now: Service, zone: str) -> Iterator[Change]:
    if was.posture in _POSTURES and now.posture in _POSTURES and was.posture != now.posture:
        better = _POSTURES.index(now.posture) > _POSTURES.index(was.posture)
        move: Move = "better" if better else "worse"
        yield Change("service", move, change, name, "authentication", was.posture, now.posture, zone)
