"""The list of known assets (`--assets CSV`).

    id,name,addresses,mac,role,zone,vendor,model,criticality
    plc-3,Filter PLC 3,10.20.11.13;fd00::13,00:80:f4:00:00:20,controller,filtration,Schneider Electric,M340,high

Only `id` and one of `addresses` and `mac` are needed; the columns may come in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from netaddr import EUI, AddrFormatError, mac_unix_expanded

from zonewatch.inventory.addresses import parse
from zonewatch.inventory.lists import Fault, ListError, nearest, records, word
from zonewatch.inventory.model import ROLES, Role

COLUMNS: Final = ("id", "name", "addresses", "mac", "role", "zone", "vendor", "model", "criticality")
_OTHER_WORDS: Final[Mapping[Role, str]] = {
    "controller": "plc ddc dcs dcs_controller sis",
    "rtu": "outstation ied relay",
    "io_device": "remote_io io drive sensor actuator meter instrument",
    "hmi_scada": "hmi scada scada_server operator_station operator_workstation",
    "engineering_station": "engineering engineering_workstation ews",
    "router": "firewall",
    "network_device": "switch access_point",
    "it_host": "workstation pc laptop printer camera phone",
    "it_server": "server file_server time_server jump_host domain_controller",
}
ROLE_WORDS: Final[Mapping[str, Role]] = {
    **{role: role for role in ROLES},
    **{word: role for role, words in _OTHER_WORDS.items() for word in words.split()},
}
"""The words for roles that asset lists and policies use."""

CRITICALITIES: Final = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True)
class DeclaredAsset:
    """An asset as its owner describes it. Empty text: not said."""

    id: str
    name: str = ""
    addresses: tuple[str, ...] = ()  # IP addresses in canonical form
    mac: str = ""  # lower case, colons
    role: Role | None = None
    zone: str = ""
    vendor: str = ""
    model: str = ""
    criticality: str = ""


def read_assets(path: Path) -> tuple[DeclaredAsset, ...]:
    """Reads the list, in the order of the file. Raises ListError at the first fault."""
    rows = records(path, COLUMNS, ("id",), "several addresses are separated by ';'")
    return tuple(_assets(rows, path))


def role_of(text: str) -> Role | None:
    """The role that a word stands for, however it is spelled: `PLC`, `jump-host`; none of a word that is not known."""
    return ROLE_WORDS.get("_".join(text.lower().replace("-", " ").replace("_", " ").split()))


def _assets(rows: Iterable[tuple[int, Mapping[str, str]]], path: Path) -> Iterator[DeclaredAsset]:
    taken: dict[tuple[str, str], int] = {}
    for line, cells in rows:
        values: dict[str, object] = {}
        for column in COLUMNS:
            try:
                values[column] = _READERS.get(column, _text)(cells.get(column, ""))
            except Fault as fault:
                raise ListError(str(fault), path, line, column) from fault
        asset = _asset(values)
        if not asset.addresses and not asset.mac:
            raise ListError(f"asset {asset.id!r} needs an address or a mac", path, line, "addresses")
        for column, value in (("id", asset.id), *(("addresses", item) for item in asset.addresses), ("mac", asset.mac)):
            if value and taken.setdefault((column, value), line) != line:
                raise ListError(f"{value!r} is also in line {taken[column, value]}", path, line, column)
        yield asset


def _asset(values: Mapping[str, object]) -> DeclaredAsset:
    return DeclaredAsset(**values)  # type: ignore[arg-type]  # each came from the reader of its column


def _text(cell: str) -> str:
    return cell


def _identifier(cell: str) -> str:
    if not cell:
        raise Fault("is empty")
    return cell


def _addresses(cell: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for item in filter(None, (part.strip() for part in cell.split(";"))):
        address = parse(item)
        if address is None:
            hint = "; a list names single addresses, no subnets" if "/" in item else ""
            raise Fault(f"{item!r} is no IPv4 or IPv6 address{hint}")
        found[str(address)] = None
    return tuple(found)


def _mac(cell: str) -> str:
    if not cell:
        return ""
    try:
        return str(EUI(cell, version=48, dialect=mac_unix_expanded))
    except (AddrFormatError, ValueError) as error:
        raise Fault(f"{cell!r} is no MAC address (like 00:80:f4:00:00:20)") from error


def _role(cell: str) -> Role | None:
    role = role_of(cell)
    if cell and role is None:
        raise Fault(f"unknown word {cell!r}{nearest(cell, tuple(ROLE_WORDS))}")
    return role


_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "id": _identifier,
    "addresses": _addresses,
    "mac": _mac,
    "role": _role,
    "criticality": partial(word, words=CRITICALITIES),
}
