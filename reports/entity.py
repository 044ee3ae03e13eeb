"""Who a report is about, for frameworks that are law: a file that the entity writes once.

    name: Riverside Water
    sector: drinking_water
    classification: essential
    member_state: DE
    national_act: BSIG
    contacts:
      - {role: incident desk, name: N. N., phone: "+49 ..."}
    measures:
      b: {owner: Head of OT, reference: "§ 30 (2) no. 2 BSIG", review: 2027-01-31}

All of it is optional: what is absent a report shows as to be filled in. `schemas/entity.schema.json` completes the file
in editors; `python -m zonewatch.reports.entity` writes it anew.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field, ValidationError

from zonewatch.rules.policy.document import Unreadable, read
from zonewatch.rules.policy.load import PolicyError, PolicyErrors, told
from zonewatch.rules.policy.records import Part
from zonewatch.rules.policy.schema import described
from zonewatch.rules.policy.times import Day

__all__ = [
    "CLASSES",
    "MEASURES",
    "NOBODY",
    "SECTORS",
    "SERVICES",
    "STATES",
    "Contact",
    "Entity",
    "Measure",
    "parse_entity",
]

CODE: Final = "ZE001"
SCHEMA_PATH: Final = Path(__file__).parent / "schemas" / "entity.schema.json"

Sector = Literal[
    "energy",
    "transport",
    "banking",
    "financial_market",
    "health",
    "drinking_water",
    "waste_water",
    "digital_infrastructure",
    "ict_services",
    "public_administration",
    "space",
    "postal",
    "waste",
    "chemicals",
    "food",
    "manufacturing",
    "digital_providers",
    "research",
]
"""Sectors of Annexes I and II of the directive."""
Service = Literal[
    "dns",
    "tld",
    "cloud",
    "data_centre",
    "content_delivery",
    "managed_service",
    "managed_security_service",
    "online_marketplace",
    "search_engine",
    "social_network",
    "trust_service",
]
"""Services whose providers Implementing Regulation (EU) 2024/2690 binds (its Article 1)."""
Classification = Literal["essential", "important"]
# fmt: off
State = Literal[
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
]
# fmt: on
"""Member States (ISO 3166-1)."""
Letter = Literal["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]
"""Measures of Art. 21(2)."""

SECTORS: Final[tuple[Sector, ...]] = get_args(Sector)
SERVICES: Final[tuple[Service, ...]] = get_args(Service)
CLASSES: Final[tuple[Classification, ...]] = get_args(Classification)
STATES: Final[tuple[str, ...]] = get_args(State)
MEASURES: Final[tuple[Letter, ...]] = get_args(Letter)
_Text = Annotated[str, Field(max_length=500)]


class Contact(Part):
    """A person or a desk."""

    role: _Text = ""
    name: _Text = ""
    phone: _Text = ""
    email: _Text = ""


class Authority(Part):
    """Where incidents are notified: the CSIRT or the competent authority."""

    name: _Text = ""
    portal: _Text = ""
    phone: _Text = ""
    email: _Text = ""


class Measure(Part):
    """What the entity says of one measure of Art. 21(2)."""

    owner: _Text = ""
    """Who answers for it."""
    reference: _Text = ""
    """Where the national act has it."""
    review: Day | None = None
    """When it is reviewed next."""


class Entity(Part):
    """The whole file."""

    name: _Text = ""
    registration: _Text = ""
    """The number under which it is registered with the authority."""
    sector: Sector | None = None
    """Sector of Annex I or II of Directive (EU) 2022/2555."""
    classification: Classification | None = None
    """Essential or important (Art. 3)."""
    member_state: State | None = None
    """Whose law applies (Art. 26)."""
    national_act: _Text = ""
    """The act that transposes the directive there."""
    services: tuple[Service, ...] | None = None
    """Services for which Implementing Regulation 2024/2690 binds the entity; an empty list: none of them."""
    authority: Authority = Authority()
    contacts: tuple[Contact, ...] = ()
    measures: dict[Letter, Measure] = Field(default_factory=dict)
    """By the letter of Art. 21(2)."""

    @property
    def bound(self) -> bool | None:
        """Whether Implementing Regulation 2024/2690 binds it; none where the file does not say."""
        return None if self.services is None else bool(self.services)


NOBODY: Final = Entity()
"""Where no file describes it."""


def parse_entity(text: str, name: str) -> Entity:
    """The entity of a file. Raises PolicyErrors with all that is wrong, each with its line and column."""
    try:
        document = read(text)
    except Unreadable as error:
        raise PolicyErrors([PolicyError(name, error.line, error.column, str(error), CODE)]) from None
    if not isinstance(document.values, dict):
        raise PolicyErrors([PolicyError(name, 1, 1, "describes no entity: it needs keys, as in name: ...", CODE)])
    try:
        return Entity.model_validate(document.values)
    except ValidationError as invalid:
        found = [told(name, document, error, Entity) for error in invalid.errors()]
        raise PolicyErrors([replace(one, message=_plain(one.message), code=CODE) for one in found]) from None


def _plain(message: str) -> str:
    """A letter that is no measure is a wrong key, as people see it."""
    return message.replace("unknown [key] ", "unknown key ")


def entity_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the file as it is written."""
    return described(
        Entity, title="zonewatch entity", description="Who a report under the NIS2 directive is about; all optional."
    )


if __name__ == "__main__":
    SCHEMA_PATH.write_text(json.dumps(entity_schema(), indent=1, sort_keys=True) + "\n", "utf-8")
