"""The remote access that a policy declares: who may come in, where, through which jump host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zonewatch.rules.policy.model import Policy
from zonewatch.rules.policy.words import canonical_service


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of `remote_access`; what is empty does not limit."""

    id: str
    entry_zone: str  # where the jump host stands
    jump_host: str
    target_zone: str
    protocols: frozenset[str]


def declared_entries(policy: Policy) -> tuple[Entry, ...]:
    """The lines of a policy, in its order."""
    return tuple(_line(entry) for entry in policy.remote_access)


def jump_hosts(policy: Policy) -> frozenset[str]:
    """Ids or addresses of the jump hosts that it declares."""
    return frozenset(line.jump_host for line in declared_entries(policy) if line.jump_host)


def _line(entry: Any) -> Entry:
    return Entry(
        _text(entry, "id"),
        _text(entry, "entry_zone"),
        _text(entry, "jump_host"),
        _text(entry, "target_zone"),
        frozenset(canonical_service(str(word)) for word in _items(_value(entry, "protocols"))),
    )


def _value(entry: Any, key: str) -> Any:
    return entry.get(key) if isinstance(entry, Mapping) else getattr(entry, key, None)


def _text(entry: Any, key: str) -> str:
    value = _value(entry, key)
    return "" if value is None else str(value)


def _items(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) or not isinstance(value, Iterable) else value
