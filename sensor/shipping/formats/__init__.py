"""Forms that an alert may have on its way: ECS as it is, OCSF, CEF and LEEF.

render("cef")(row)       # octets without a line break
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from zonewatch.sensor.shipping.formats.cef import cef
from zonewatch.sensor.shipping.formats.leef import leef
from zonewatch.sensor.shipping.formats.ocsf import ocsf
from zonewatch.sensor.shipping.receiver import Row

Form = Literal["ecs", "ocsf", "cef", "leef"]
JsonForm = Literal["ecs", "ocsf"]


def as_json(document: Mapping[str, Any]) -> bytes:
    """One line of JSON, ASCII, the same for the same document."""
    return json.dumps(document, sort_keys=True, allow_nan=False, separators=(",", ":")).encode("ascii")


FORMS: Final[Mapping[Form, Callable[[Mapping[str, Any]], bytes]]] = {
    "ecs": as_json,
    "ocsf": lambda alert: as_json(ocsf(alert)),
    "cef": lambda alert: cef(alert).encode("utf-8", "replace"),
    "leef": lambda alert: leef(alert).encode("utf-8", "replace"),
}

_LONG: Final = (
    "zonewatch.evidence",
    "zonewatch.steps",
    "zonewatch.changes",
    "zonewatch.findings",
    "related",
    "zonewatch.frames",
    "zonewatch.assets",
    "rule.description",
    "event.reason",
    "zonewatch.remedy",
)
"""What is left out of an alert that is too long, in this order."""
SHORTENED: Final = "shortened"
"""Tag of an alert that is not whole."""


def render(form: Form, longest: int = 0) -> Callable[[Row], bytes]:
    """How a row is written. Where it is longer than `longest` octets, parts are left out and its tags say so."""
    write = FORMS[form]

    def rendered(row: Row) -> bytes:
        alert = row.alert()
        made = write(alert)
        if not longest or len(made) <= longest:
            return made
        alert["tags"] = [*alert.get("tags", ()), SHORTENED]
        for name in _LONG:
            outer, _, inner = name.partition(".")
            if inner and isinstance(alert.get(outer), dict):
                alert[outer].pop(inner, None)
            else:
                alert.pop(outer, None)
            made = write(alert)
            if len(made) <= longest:
                return made
        raise ValueError(f"{len(made)} octets where {longest} are allowed, with everything left out that may be")

    return rendered
