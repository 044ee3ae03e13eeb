"""What persons state beside a result, with pseudonyms: the entity's file, attestations.

Every text has its treatment here, as those of a result have in `fields`; a field without one is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from zonewatch.reports.attestations import Attestation
from zonewatch.reports.entity import MEASURES, Entity
from zonewatch.reports.pseudonyms.fields import KEEP, SENTENCE, TELLS, Treat, tell_by, treated
from zonewatch.reports.pseudonyms.words import Words

__all__ = ["ATTESTED", "ENTITY", "attested_with_pseudonyms", "entity_with_pseudonyms", "tell_beside"]

ENTITY: Final[Mapping[str, str]] = {
    "name": "site",
    "registration": "text",
    "sector": KEEP,
    "classification": KEEP,
    "member_state": KEEP,
    "national_act": KEEP,
    "services": KEEP,
    "authority.name": KEEP,
    "authority.portal": KEEP,
    "authority.phone": KEEP,
    "authority.email": KEEP,
    "contacts.role": "text",
    "contacts.name": "person",
    "contacts.phone": "text",
    "contacts.email": "user",
    "measures.owner": "person",
    "measures.reference": KEEP,
    "measures.review": KEEP,
}
"""Texts of the entity's file. The authority is public, and an act and its clauses are; the sector and the Member State
stay too, as the report is about what follows from them."""
ATTESTED: Final[Mapping[str, str]] = {
    "requirement": KEEP,
    "framework": KEEP,
    "zone": SENTENCE,
    "by": "person",
    "on": KEEP,
    "document": "file",
    "sha256": KEEP,
}
"""Texts of an attestation. The hash lets those who have the document find it again."""


def tell_beside(words: Words, entity: Entity, attested: Iterable[Attestation]) -> None:
    """Tells the names that stand in them, so that they are hidden everywhere."""

    def tell(what: str, text: str) -> str:
        if what in TELLS:
            tell_by(words, what, text)
        return text

    _entity(entity, tell)
    for one in attested:
        _attestation(one, tell)


def entity_with_pseudonyms(entity: Entity, words: Words) -> Entity:
    """The same entity under other names."""
    return _entity(entity, lambda what, text: treated(words, what, text))


def attested_with_pseudonyms(attested: Iterable[Attestation], words: Words) -> tuple[Attestation, ...]:
    """The same statements by other names."""
    return tuple(_attestation(one, lambda what, text: treated(words, what, text)) for one in attested)


def _attestation(one: Attestation, treat: Treat) -> Attestation:
    return replace(one, **{row.name: treat(ATTESTED[row.name], getattr(one, row.name)) for row in fields(one)})


def _entity(entity: Entity, treat: Treat) -> Entity:
    told = _walked(entity.model_dump(mode="json"), "", treat)
    return Entity.model_validate(told)


def _walked(value: Any, place: str, treat: Callable[[str, str], str]) -> Any:
    if isinstance(value, dict):
        return {name: _walked(item, _place(place, name), treat) for name, item in value.items()}
    if isinstance(value, list):
        return [_walked(item, place, treat) for item in value]
    return treat(ENTITY[place], value) if isinstance(value, str) else value


def _place(outer: str, name: str) -> str:
    """Names of fields by a dot; letters of measures are none."""
    return outer if outer == "measures" and name in MEASURES else f"{outer}.{name}".lstrip(".")
