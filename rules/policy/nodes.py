"""Node ids of OPC UA as a policy writes them (OPC 10000-6, 5.1.12): one, a range of numbers, or all that
begin with the same text.

`ns=2;s=Pump.Speed` and `i=2258` are one node, `ns=2;i=1000-1999` numbers from the first to the last, `ns=2;s=Pump.*`
texts that begin so, `ns=2;*` a whole namespace. Namespace 0, that of OPC UA itself, is written without `ns=`.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

MOST_NUMBER: Final = 2**32 - 1
WILD: Final = "*"
_WRITTEN: Final = re.compile(r"(?:ns=([0-9]{1,5});)?(?:([isgb])=(.+)|(\*))", re.DOTALL)
_NUMBERS: Final = re.compile(r"([0-9]{1,10})(?:\s*-\s*([0-9]{1,10}))?")
_SEEN_NUMBER: Final = re.compile(r"((?:ns=[0-9]{1,5};)?i=)([0-9]{1,10})")
_SEEN_NAMESPACE: Final = re.compile(r"(?:ns=([0-9]{1,5});)?[isgb]=", re.DOTALL)
_EXAMPLES: Final = "'ns=2;s=Pump.Speed', 'ns=2;s=Pump.*', 'ns=2;i=1000-1999' or 'ns=2;*'"
SCHEMA: Final = r"(ns=[0-9]{1,5};)?(i=([0-9]{1,10}(\s*-\s*[0-9]{1,10})?|\*)|[sgb]=.+|\*)"
"""The same as a pattern of a JSON Schema."""


class Nodes(NamedTuple):
    """Nodes that a policy names; of numbers `name` is what stands before them."""

    name: str
    first: int | None = None
    last: int | None = None


def parse(text: str) -> Nodes:
    """Raises ValueError with what is wrong."""
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no node id; write {_EXAMPLES}")
    namespace, letter, identifier, whole = match.groups()
    if int(namespace or 0) > 0xFFFF:
        raise ValueError(f"{text!r} is beyond namespace 65535")
    where = f"ns={int(namespace)};" if int(namespace or 0) else ""
    if whole:
        if namespace is None:
            raise ValueError(f"{text!r} names no namespace; write {_EXAMPLES}")
        return Nodes(f"{where or 'ns=0;'}{WILD}")
    if letter != "i":
        return Nodes(f"{where}{letter}={identifier.lower() if letter == 'g' else identifier}")
    if identifier == WILD:
        return Nodes(f"{where}i=", 0, MOST_NUMBER)
    numbers = _NUMBERS.fullmatch(identifier)
    if numbers is None:
        raise ValueError(f"{identifier!r} is no number of a node; write 'i=85' or 'i=1000-1999'")
    first, last = int(numbers[1]), int(numbers[2] or numbers[1])
    if last < first or last > MOST_NUMBER:
        raise ValueError(f"{text!r} ends before it starts" if last < first else f"{text!r} is beyond {MOST_NUMBER}")
    return Nodes(f"{where}i=", first, last)


def seen(name: str) -> Nodes:
    """A node id as the decoder writes it."""
    match = _SEEN_NUMBER.fullmatch(name)
    return Nodes(match[1], int(match[2]), int(match[2])) if match else Nodes(name)


def namespace(name: str) -> int | None:
    """The index of a node id's namespace; none where it has a URI in its place, or another server has the node."""
    match = _SEEN_NAMESPACE.match(name)
    return int(match[1] or 0) if match else None


def text(nodes: Nodes) -> str:
    """As it is written in a policy."""
    if nodes.first is None or nodes.last is None:
        return nodes.name
    if (nodes.first, nodes.last) == (0, MOST_NUMBER):
        return f"{nodes.name}{WILD}"
    return f"{nodes.name}{nodes.first}" + (f"-{nodes.last}" if nodes.last != nodes.first else "")


def covers(wide: Nodes, narrow: Nodes) -> bool:
    """True where all of the one is in the other."""
    if wide.first is not None and wide.last is not None:
        if narrow.first is None or narrow.last is None:
            return False
        return wide.name == narrow.name and wide.first <= narrow.first and narrow.last <= wide.last
    if wide.name == f"ns=0;{WILD}":
        return narrow.name == wide.name or namespace(narrow.name) == 0
    if wide.name.endswith(WILD):
        return narrow.name.startswith(wide.name[:-1])
    return wide.name == narrow.name


def namespaces(names: list[str]) -> list[Nodes]:
    """The whole namespaces that these node ids are of; ids without a namespace index stay what they are."""
    found = {Nodes(f"ns={index};{WILD}") if (index := namespace(name)) is not None else Nodes(name) for name in names}
    return sorted(found)
