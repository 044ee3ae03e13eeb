"""The written forms of single values in a policy: ranges of objects and ports, addresses, roles, levels.

Each is a type that pydantic reads, tells mistakes of in words, and describes in the JSON Schema.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from zonewatch.inventory.declared import ROLE_WORDS, role_of
from zonewatch.inventory.model import Role
from zonewatch.rules.policy import nodes
from zonewatch.rules.policy.words import NAMED_KINDS, OBJECT_KINDS, PORT_PROTOCOL, PROTOCOL_WORDS, hint, is_protocol

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MOST_ADDRESS: Final = 2**32 - 1

_MAC = re.compile(r"(?:mac:)?((?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2})", re.IGNORECASE)
_OBJECTS = re.compile(r"([a-z][a-z0-9-]*)(?:\s+(?:([0-9]{1,10})(?:\s*-\s*([0-9]{1,10}))?|(\*)))?")
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?(?:/(tcp|udp))?")


def wrong(message: str) -> PydanticCustomError:
    """What a validator raises: the message is told as it is."""
    return PydanticCustomError("policy", "{message}", {"message": message})


@dataclass(frozen=True, slots=True, order=True)
class ObjectRange:
    """Objects of one kind, zero-based and inclusive; `start` is None where all of the kind are meant.

    Written `holding-register 100-139`, `coil 5`, `analog-value *` or `analog-value`. Of kinds whose objects have names
    (`NAMED_KINDS`), `name` is that of the object, or what it begins with; see `nodes`.
    """

    kind: str
    start: int | None = None
    end: int | None = None
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> ObjectRange:
        """Raises ValueError with what is wrong."""
        kind, _, rest = text.strip().partition(" ")
        if kind in NAMED_KINDS and rest.strip() not in ("", "*"):
            found = nodes.parse(rest.strip())
            return cls(kind, found.first, found.last, found.name)
        match = _OBJECTS.fullmatch(text.strip())
        if match is None:
            raise ValueError(
                f"{text!r} is no object range; write 'holding-register 100-139', 'coil 5' or 'analog-value'"
            )
        kind, first, last, _ = match.groups()
        if kind not in OBJECT_KINDS:
            raise ValueError(f"unknown object kind {kind!r}{hint(kind, OBJECT_KINDS)}")
        if first is None:
            return cls(kind)
        start, end = int(first), int(last or first)
        if end < start or end > MOST_ADDRESS:
            raise ValueError(f"{text!r} ends before it starts" if end < start else f"{text!r} is beyond {MOST_ADDRESS}")
        return cls(kind, start, end)

    @classmethod
    def of(cls, kind: str, start: int | None, count: int, name: str) -> ObjectRange:
        """The range of what was addressed; all of the kind where no policy could say which."""
        if kind in NAMED_KINDS:
            found = nodes.seen(name)
            return cls(kind, found.first, found.last, found.name)
        last = (start or 0) + max(count, 1) - 1
        return cls(kind) if start is None or last > MOST_ADDRESS else cls(kind, start, last)

    @property
    def is_all(self) -> bool:
        """True where all of the kind are meant."""
        return self.start is None and not self.name

    def covers(self, other: ObjectRange) -> bool:
        """True where all of the other is in this one."""
        if self.kind != other.kind:
            return False
        if self.is_all or other.is_all:
            return self.is_all
        return nodes.covers(
            nodes.Nodes(self.name, self.start, self.end), nodes.Nodes(other.name, other.start, other.end)
        )

    def __str__(self) -> str:
        if self.is_all:
            return self.kind
        return f"{self.kind} {nodes.text(nodes.Nodes(self.name, self.start, self.end))}"


def merged(objects: Iterable[ObjectRange]) -> tuple[ObjectRange, ...]:
    """The same objects in as few ranges as can be, sorted: what overlaps or touches is one."""
    given = sorted(
        set(objects), key=lambda item: (item.kind, not item.is_all, item.name, item.start or 0, item.end or 0)
    )
    patterns = [item for item in given if item.is_all or item.name.endswith(nodes.WILD)]
    found: list[ObjectRange] = []
    for item in given:
        if any(pattern != item and pattern.covers(item) for pattern in patterns):
            continue
        last = found[-1] if found and (found[-1].kind, found[-1].name) == (item.kind, item.name) else None
        if last is None or last.end is None or item.start is None or item.end is None or item.start > last.end + 1:
            found.append(item)
        else:
            found[-1] = ObjectRange(item.kind, last.start, max(last.end, item.end), item.name)
    return tuple(found)


def widened(objects: Iterable[ObjectRange]) -> tuple[ObjectRange, ...]:
    """One range of each kind that holds all of them; of named ones, the whole namespaces."""
    kinds: dict[str, list[ObjectRange]] = {}
    for item in objects:
        kinds.setdefault(item.kind, []).append(item)
    return merged(item for kind, items in kinds.items() for item in _wide(kind, items))


def _wide(kind: str, items: list[ObjectRange]) -> Iterable[ObjectRange]:
    if any(item.is_all for item in items):
        return (ObjectRange(kind),)
    if kind in NAMED_KINDS:
        return (ObjectRange(kind, name=found.name) for found in nodes.namespaces([item.name for item in items]))
    return (ObjectRange(kind, min(item.start or 0 for item in items), max(item.end or 0 for item in items)),)


@dataclass(frozen=True, slots=True, order=True)
class PortRange:
    """Ports of a server, inclusive; an empty transport means any. Written `1433/tcp`, `50000-50100/udp` or `502`."""

    first: int
    last: int
    transport: str = ""

    @classmethod
    def parse(cls, text: str) -> PortRange:
        """Raises ValueError with what is wrong."""
        match = _PORTS.fullmatch(text.strip().lower())
        if match is None:
            raise ValueError(f"{text!r} is no port; write '1433/tcp' or '50000-50100/udp'")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 0 <= first <= last <= 65535:
            raise ValueError(f"{text!r} is no port range within 0-65535")
        return cls(first, last, match[3] or "")

    def __str__(self) -> str:
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{ports}/{self.transport}" if self.transport else ports


def parse_mac(text: str) -> str | None:
    """A MAC address in lower case with colons; None where the text is none. A leading `mac:` is allowed."""
    match = _MAC.fullmatch(text.strip())
    return match[1].lower().replace("-", ":") if match else None


def parse_network(text: str) -> Network | None:
    """An address or a subnet; None where the text is neither, or has bits set beyond its prefix."""
    try:
        return ipaddress.ip_network(text.strip().removeprefix("ip:"))
    except ValueError:
        return None


def inside(network: Network, wide: Network) -> bool:
    """True where all of the one is in the other."""
    if isinstance(network, ipaddress.IPv4Network) and isinstance(wide, ipaddress.IPv4Network):
        return network.subnet_of(wide)
    if isinstance(network, ipaddress.IPv6Network) and isinstance(wide, ipaddress.IPv6Network):
        return network.subnet_of(wide)
    return False


def _subnet(value: object) -> object:
    if not isinstance(value, str):
        return value
    network = parse_network(value)
    if network is not None:
        return value.strip()
    try:
        fixed = ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        raise wrong(f"{value!r} is no subnet; write it like '10.20.1.0/24'") from None
    raise wrong(f"{value!r} has bits set beyond its prefix; did you mean '{fixed}'?")


def _address(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return str(ipaddress.ip_address(value.strip()))
    except ValueError:
        raise wrong(f"{value!r} is no IP address") from None


def _mac(value: object) -> object:
    if not isinstance(value, str):
        return value
    mac = parse_mac(value)
    if mac is None:
        raise wrong(f"{value!r} is no MAC address; write it like '00:80:f4:00:00:20'")
    return mac


def _objects(value: object) -> object:
    if isinstance(value, ObjectRange):
        return value
    if not isinstance(value, str):
        raise wrong("must be text such as 'holding-register 100-139'")
    try:
        return ObjectRange.parse(value)
    except ValueError as error:
        raise wrong(str(error)) from None


def _ports(value: object) -> object:
    if isinstance(value, PortRange):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise wrong("must be a port such as '1433/tcp'")
    try:
        return PortRange.parse(str(value))
    except ValueError as error:
        raise wrong(str(error)) from None


def _protocol(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not is_protocol(value):
        raise wrong(f"unknown protocol {value!r}{hint(value, PROTOCOL_WORDS)}")
    return value


def _role(value: object) -> object:
    if not isinstance(value, str):
        return value
    role = role_of(value)
    if role is None:
        raise wrong(f"unknown role {value!r}{hint(value, ROLE_WORDS)}")
    return role


def _text(pattern: str, *examples: str) -> Any:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


def _words(words: Iterable[str], pattern: str) -> Any:
    """A word of a list, offered by editors, or something of another form."""
    return WithJsonSchema({"anyOf": [{"enum": sorted(words)}, {"type": "string", "pattern": pattern}]})


_OBJECT_SCHEMA: Final = _words(
    OBJECT_KINDS,
    rf"^\s*(({'|'.join(sorted(OBJECT_KINDS - NAMED_KINDS))})(\s+([0-9]{{1,10}}(\s*-\s*[0-9]{{1,10}})?|\*))?"
    rf"|({'|'.join(sorted(NAMED_KINDS))})(\s+({nodes.SCHEMA}|\*))?)\s*$",
)
_PORT_SCHEMA: Final = WithJsonSchema(
    {
        "anyOf": [
            {"type": "integer", "minimum": 0, "maximum": 65535},
            {"type": "string", "pattern": r"^\s*[0-9]{1,5}(-[0-9]{1,5})?(/[tTuU][cCdD][pP])?\s*$"},
        ],
        "examples": ["502/tcp", "50000-50100/udp"],
    }
)


def any_case(word: str) -> str:
    """A pattern for a word in capitals or not."""
    return "".join(f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in word)


def _spelled(word: str) -> str:
    """A word of any case, its parts joined by spaces, hyphens or underscores, as `role_of` takes it."""
    return r"[\s_-]+".join(map(any_case, word.split("_")))


_ROLE_SCHEMA: Final = _words(
    ROLE_WORDS, rf"^[\s_-]*({'|'.join(_spelled(word) for word in sorted(ROLE_WORDS))})[\s_-]*$"
)

_ADDRESS: Final = r"([0-9]{1,3}(\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]+(%\w+)?)"

Id = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s,]+$")]
Subnet = Annotated[str, BeforeValidator(_subnet), _text(rf"^\s*(ip:)?{_ADDRESS}(/[0-9.]+)?\s*$", "10.20.1.0/24")]
Address = Annotated[str, BeforeValidator(_address), _text(rf"^\s*{_ADDRESS}\s*$", "10.20.1.15")]
Mac = Annotated[
    str,
    BeforeValidator(_mac),
    _text(r"^\s*([mM][aA][cC]:)?([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\s*$", "00:80:f4:00:00:20"),
]
Protocol = Annotated[str, BeforeValidator(_protocol), _words(PROTOCOL_WORDS, f"^({PORT_PROTOCOL})$")]
RoleWord = Annotated[Role, BeforeValidator(_role), _ROLE_SCHEMA]
Objects = Annotated[ObjectRange, BeforeValidator(_objects), PlainSerializer(str), _OBJECT_SCHEMA]
Ports = Annotated[PortRange, BeforeValidator(_ports), PlainSerializer(str), _PORT_SCHEMA]
Level = Annotated[int, Field(strict=True, ge=0, le=4)]
Purdue = Annotated[float, Field(strict=True, ge=0, le=5)]
Code = Annotated[int, Field(strict=True, ge=0, le=65535)]
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Vlan = Annotated[int, Field(strict=True, ge=0, le=4095)]
Flag = Annotated[bool, Field(strict=True)]
