"""The record that IEC 62443-3-2 ZCR 6.4 asks of a zone or a conduit, part by part, and the parts that assets share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from zonewatch.rules.policy.times import Day
from zonewatch.rules.policy.values import Id, Level

Designation = Literal["none", "related", "sis"]
FOUNDATIONAL_REQUIREMENTS: Final = ("IAC", "UC", "SI", "DC", "RDF", "TRE", "RA")


class Part(BaseModel):
    """A part of the file. An empty value (`purpose:`) is as good as none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_empty_values(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        required = {field.alias or name for name, field in cls.model_fields.items() if field.is_required()}
        return {key: value for key, value in data.items() if value is not None or key in required}


def _number_as_text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


class OwnerRecord(Part):
    """Who answers for it (ZCR 6.4 b)."""

    name: str = ""
    organization: str = ""
    role: str = ""
    contact: str = ""
    ot: str = ""
    """The team on the plant's side."""
    it: str = ""
    """The team on the side of information technology."""

    def __str__(self) -> str:
        return ", ".join(str(value) for _, value in sorted(self) if value)


class LocationRecord(Part):
    """The physical boundary (ZCR 6.4 d)."""

    site: str = ""
    building: str = ""
    room: str = ""
    cabinet: str = ""
    description: str = ""


class SafetyRecord(Part):
    """The safety designation (ZCR 6.4 e)."""

    designation: Designation = "none"
    sil: Annotated[int, Field(strict=True, ge=1, le=4)] | None = None


def _short(key: str) -> Callable[[object], object]:
    """A part of which one key is enough may be written as that value alone."""

    def whole(value: object) -> object:
        return {key: value} if isinstance(value, str) else value

    return whole


Owner = Annotated[OwnerRecord, BeforeValidator(_short("name"), json_schema_input_type=str | OwnerRecord)]
Location = Annotated[
    LocationRecord, BeforeValidator(_short("description"), json_schema_input_type=str | LocationRecord)
]
Safety = Annotated[
    SafetyRecord, BeforeValidator(_short("designation"), json_schema_input_type=Designation | SafetyRecord)
]


Rating = Annotated[str, BeforeValidator(_number_as_text, json_schema_input_type=int | float | str)]
"""A word or a number of the owner's own scale."""


class SecurityLevels(Part):
    """SL-T for each foundational requirement (IEC 62443-3-3, 0 to 4)."""

    IAC: Level
    """Identification and authentication control."""
    UC: Level
    """Use control."""
    SI: Level
    """System integrity."""
    DC: Level
    """Data confidentiality."""
    RDF: Level
    """Restricted data flow."""
    TRE: Level
    """Timely response to events."""
    RA: Level
    """Resource availability."""


def _security_levels(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        return dict.fromkeys(FOUNDATIONAL_REQUIREMENTS, value)
    return value


SecurityLevelTarget = Annotated[
    SecurityLevels, BeforeValidator(_security_levels, json_schema_input_type=Level | SecurityLevels)
]
"""One number for all seven foundational requirements, or one for each."""


class Signature(Part):
    """The asset owner's approval (ZCR 7.1)."""

    approved_by: str | None = None
    approved_on: Day | None = None
    valid_until: Day | None = None
    document: str | None = None


class AccessPoints(Part):
    """The ways in (ZCR 6.4 f and g)."""

    logical: tuple[str, ...] = ()
    physical: tuple[str, ...] = ()


class Requirement(Part):
    """A security requirement that applies (ZCR 6.4 l)."""

    id: str
    status: Literal["open", "planned", "in_place", "compensated", "excepted", "not_applicable"] = "open"
    compensating: str | None = None
    """The measure that stands in for it."""
    owner: Owner | None = None
    due: Day | None = None


class Visibility(Part):
    """Where the traffic is captured, and how much of it."""

    sensor_points: tuple[str, ...] = ()
    expected_visibility: Annotated[float, Field(strict=True, ge=0, le=1)] | None = None


class Record(Part):
    """What ZCR 6.4 asks of zones and conduits alike."""

    id: Id
    name: str = ""
    purpose: str = ""
    owner: Owner | None = None
    sl_t: SecurityLevelTarget | None = None
    access_points: AccessPoints = AccessPoints()
    requirements: tuple[Requirement, ...] = ()
    policies: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    coverage: Visibility | None = None
