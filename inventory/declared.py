"""The list of known assets (`--assets CSV`). The only module of the inventory that reads a file.

    id,name,addresses,mac,role,zone,vendor,model,criticality
    plc-3,Filter PLC 3,10.20.11.13;fd00::13,00:80:f4:00:00:20,controller,filtration,Schneider Electric,M340,high

Only `id` and one of `addresses` and `mac` are needed; the columns may come in any order.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from netaddr import EUI, AddrFormatError, mac_unix_expanded

from zonewatch.inventory.addresses import parse
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


class AssetListError(ValueError):
    """The list cannot be used: what is wrong, and the file, line (1-based) and column where it is."""

    def __init__(self, problem: str, path: Path, line: int = 0, column: str = "") -> None:
        place = f"{path}:{line}" if line else f"{path}"
        super().__init__(f"{place}: {f'column {column}: ' if column else ''}{problem}")
        self.problem = problem
        self.path = path
        self.line = line
        self.column = column


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


class _Fault(Exception):
    """What is wrong with one cell."""


def read_assets(path: Path) -> tuple[DeclaredAsset, ...]:
    """Reads the list, in the order of the file. Raises AssetListError at the first fault."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise AssetListError(error.strerror or "cannot be read", path) from error
    except UnicodeDecodeError as error:
        raise AssetListError("is not UTF-8 text", path) from error
    return tuple(_assets(_records(text, path), path))


def role_of(text: str) -> Role | None:
    """The role that a word stands for, however it is spelled: `PLC`, `jump-host`; none of a word that is not known."""
    return ROLE_WORDS.get("_".join(text.lower().replace("-", " ").replace("_", " ").split()))


def _records(text: str, path: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line number and cells by column of each row that is not blank."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = tuple(cell.strip().lower() for cell in next(reader, []))
        _check_header(header, path)
        for row in reader:
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if len(cells) > len(header):
                raise AssetListError(
                    f"{len(cells)} cells, the header has {len(header)} (several addresses are separated by ';')",
                    path,
                    reader.line_num,
                )
            yield reader.line_num, dict(zip(header, cells, strict=False))
    except csv.Error as error:
        raise AssetListError(f"is not a CSV file: {error}", path, reader.line_num) from error


def _check_header(header: tuple[str, ...], path: Path) -> None:
    if not any(header):
        raise AssetListError(f"is empty; the first line must name columns: {','.join(COLUMNS)}", path, 1)
    for index, name in enumerate(header):
        if name not in COLUMNS:
            raise AssetListError(f"unknown column {name!r}{_nearest(name, COLUMNS)}", path, 1, name)
        if name in header[:index]:
            raise AssetListError(f"column {name!r} is there twice", path, 1, name)
    if "id" not in header:
        raise AssetListError(f"column 'id' is missing; the columns are {','.join(COLUMNS)}", path, 1, "id")


def _assets(records: Iterable[tuple[int, Mapping[str, str]]], path: Path) -> Iterator[DeclaredAsset]:
    taken: dict[tuple[str, str], int] = {}
    for line, cells in records:
        values: dict[str, object] = {}
        for column in COLUMNS:
            try:
                values[column] = _READERS.get(column, _text)(cells.get(column, ""))
            except _Fault as fault:
                raise AssetListError(str(fault), path, line, column) from fault
        asset = _asset(values)
        if not asset.addresses and not asset.mac:
            raise AssetListError(f"asset {asset.id!r} needs an address or a mac", path, line, "addresses")
        for column, value in (("id", asset.id), *(("addresses", item) for item in asset.addresses), ("mac", asset.mac)):
            if value and taken.setdefault((column, value), line) != line:
                raise AssetListError(f"{value!r} is also in line {taken[column, value]}", path, line, column)
        yield asset


def _asset(values: Mapping[str, object]) -> DeclaredAsset:
    return DeclaredAsset(**values)  # type: ignore[arg-type]  # each came from the reader of its column


def _text(cell: str) -> str:
    return cell


def _identifier(cell: str) -> str:
    if not cell:
        raise _Fault("is empty")
    return cell


def _addresses(cell: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for item in filter(None, (part.strip() for part in cell.split(";"))):
        address = parse(item)
        if address is None:
            hint = "; a list names single addresses, no subnets" if "/" in item else ""
            raise _Fault(f"{item!r} is no IPv4 or IPv6 address{hint}")
        found[str(address)] = None
    return tuple(found)


def _mac(cell: str) -> str:
    if not cell:
        return ""
    try:
        return str(EUI(cell, version=48, dialect=mac_unix_expanded))
    except (AddrFormatError, ValueError) as error:
        raise _Fault(f"{cell!r} is no MAC address (like 00:80:f4:00:00:20)") from error


def _word(words: tuple[str, ...]) -> Callable[[str], str]:
    def read(cell: str) -> str:
        if cell and cell.lower() not in words:
            raise _Fault(f"unknown word {cell!r}{_nearest(cell, words)}")
        return cell.lower()

    return read


def _role(cell: str) -> Role | None:
    role = role_of(cell)
    if cell and role is None:
        raise _Fault(f"unknown word {cell!r}{_nearest(cell, tuple(ROLE_WORDS))}")
    return role


_READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "id": _identifier,
    "addresses": _addresses,
    "mac": _mac,
    "role": _role,
    "criticality": _word(CRITICALITIES),
}


def _nearest(word: str, words: tuple[str, ...]) -> str:
    close = get_close_matches(word.lower(), words, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(words)}"
