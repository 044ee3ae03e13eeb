"""What tshark says of its own fields: their titles and types."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from zonewatch.sensor.wireshark.tshark import Tshark, running

__all__ = ["Dictionary", "Field", "dictionary"]

_SECONDS: Final = 120
_MOST_OCTETS: Final = 256_000_000


@dataclass(frozen=True, slots=True)
class Field:
    """A field of tshark: its title (`Community`) and its type (`FT_STRING`)."""

    title: str
    kind: str


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Fields and protocols by their filter names."""

    fields: dict[str, Field]
    protocols: dict[str, str]


def dictionary(tshark: Tshark, names: Collection[str]) -> Dictionary:
    """The fields and protocols of these names. Where two fields share one, that of text or octets counts.

    Raises OSError where tshark cannot be started.
    """
    wanted = frozenset(name.encode() for name in names)
    fields: dict[str, Field] = {}
    protocols: dict[str, str] = {}
    with running(tshark.path, ("-G", "fields"), seconds=_SECONDS, most_octets=_MOST_OCTETS) as output:
        for line in output:
            cells = line.split(b"\t", 4)
            if cells[0] == b"P" and len(cells) > 2 and cells[2].strip() in wanted:
                protocols[cells[2].strip().decode()] = cells[1].decode(errors="replace")
            elif cells[0] == b"F" and len(cells) > 3 and cells[2] in wanted:
                name, found = cells[2].decode(), Field(cells[1].decode(errors="replace"), cells[3].decode())
                if name not in fields or is_text(found.kind):
                    fields[name] = found
    return Dictionary(fields, protocols)


_PLAIN: Final = frozenset((
    "FT_BOOLEAN", "FT_FRAMENUM", "FT_IEEE_11073_SFLOAT", "FT_IEEE_11073_FLOAT", "FT_DOUBLE", "FT_FLOAT",
    "FT_ABSOLUTE_TIME", "FT_RELATIVE_TIME", "FT_IPv4", "FT_IPv6", "FT_IPXNET", "FT_ETHER", "FT_EUI64", "FT_GUID",
    "FT_OID", "FT_REL_OID", "FT_NONE", "FT_PROTOCOL", "FT_UINT8", "FT_UINT16", "FT_UINT24", "FT_UINT32", "FT_INT8",
    "FT_INT16", "FT_INT24", "FT_INT32",
))  # fmt: skip
"""Types of small numbers, times and addresses. Numbers of more than four octets may be octets of a secret, and so may a
character."""


def is_text(kind: str) -> bool:
    """Whether a field of this type holds text or octets; so does one of a type that is not known."""
    return kind not in _PLAIN
