"""Identities that a person finds in public captures with Wireshark, beside those of the inventory.

`identities.csv` was read from the captures packet by packet, a row for each value with its frame. Rows of the first
look were written before the inventory's were; after that only the spelling of systems and versions, and one MAC address
that had been misread, were put right. Those of the second look were found by looking after what the inventory tells
beyond the first, and hold because Wireshark shows the same. What the inventory misses has its reason there.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.oracles.compare import CAPTURES
from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.inventory.build import Tables, build
from zonewatch.inventory.model import Asset
from zonewatch.sensor.decoding import decode

TABLE: Final = Path(__file__).with_name("identities.csv")
ATTRIBUTES: Final[Mapping[str, str]] = {
    "hostname": "hostname",
    "name": "name",
    "domain": "domain",
    "vendor": "vendor",
    "vendor_id": "vendor_id",
    "model": "model",
    "product": "model",
    "firmware": "firmware",
    "serial": "serial",
    "operating_system": "operating_system",
    "software": "software",
    "application": "application",
    "instance": "instance",
    "location": "location",
    "description": "description",
    "user": "user",
    "role_hint": "role_hint",
}
"""Attributes of claims that are compared, and what the table calls them."""

Fact = tuple[str, str, str]
"""A device's first place, what of it, and the value in its plainest form."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A row of the table."""

    capture: str
    place: str
    attribute: str
    value: str
    frame: int
    seen: str
    look: int
    missed: str

    def fact(self, places: Mapping[str, str]) -> Fact:
        """The same as a fact of a device."""
        return places.get(self.place, self.place), self.attribute, plain(self.attribute, self.value)


@dataclass(frozen=True, slots=True)
class Compared:
    """What was found of one capture."""

    missed: tuple[Identity, ...]
    found: tuple[Identity, ...]
    extra: tuple[Fact, ...]  # told by the inventory, and in no row


def table() -> tuple[Identity, ...]:
    """All rows."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)  # the names of the columns
        return tuple(
            Identity(capture, place, attribute, value, int(frame), seen, int(look), missed)
            for capture, place, attribute, value, frame, seen, look, missed in rows
        )


def captures() -> tuple[str, ...]:
    """Names of the captures, in the table's order."""
    return tuple(dict.fromkeys(row.capture for row in table()))


def plain(attribute: str, value: str) -> str:
    """A value without what is a matter of taste: case; of makers, the form of the company and how it is spelled."""
    if attribute == "vendor":
        return "".join(letter for letter in value.casefold().split()[0] if letter.isalnum()) if value else ""
    return " ".join(value.casefold().split())


@cache
def compared(capture: str) -> Compared:
    """The rows of a capture beside its inventory."""
    rows = [row for row in table() if row.capture == capture]
    tables = decode([Source("point", (CaptureFile(Path(capture).name, CAPTURES / capture),))])
    wanted = ("aggregates", "flows", "claims", "addresses", "coverage", "activities")
    assets = build(Tables(**{name: tables[name] for name in wanted})).assets
    places = {place: asset.id for asset in assets for place in (*asset.macs, *asset.addresses)}
    facts = {fact for asset in assets for fact in _facts(asset)}
    truth = {row: row.fact(places) for row in rows}
    # A role is compared where somebody said one, and devices that nobody looked at are not.
    judged = {(device, attribute) for device, attribute, _ in truth.values()}
    devices = {device for device, _ in judged}
    told = {fact for fact in facts if fact[0] in devices and (fact[1] != "role" or fact[:2] in judged)}
    return Compared(
        missed=tuple(row for row in rows if truth[row] not in facts),
        found=tuple(row for row in rows if truth[row] in facts),
        extra=tuple(sorted(told - set(truth.values()))),
    )


def _facts(asset: Asset) -> Iterable[Fact]:
    for claim in asset.claims:
        if claim.attribute in ATTRIBUTES:
            attribute = ATTRIBUTES[claim.attribute]
            yield asset.id, attribute, plain(attribute, claim.value)
    yield from ((asset.id, "mac", mac) for mac in asset.macs)
    # The address that it goes by is no news.
    yield from ((asset.id, "address", address) for address in asset.addresses[1:])
    if asset.role != "unknown":
        yield asset.id, "role", asset.role
