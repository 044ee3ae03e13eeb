"""The frame of a syslog message (RFC 5424) and its octet counting (RFC 5425 section 4.3, RFC 6587 section 3.4.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from zonewatch.sensor.shipping.formats.pick import grade, pick, text

FACILITIES: Final[Mapping[str, int]] = {
    "user": 1,
    "daemon": 3,
    "auth": 4,
    "security": 13,
    **{f"local{number}": 16 + number for number in range(8)},
}
SEVERITIES: Final[Mapping[str, int]] = {"info": 6, "low": 5, "medium": 4, "high": 3, "critical": 2}
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)")


def word(value: str, longest: int) -> str:
    """A word of the header (6.2): printable ASCII without blanks, or a hyphen."""
    kept = "".join(letter for letter in value if 33 <= ord(letter) <= 126)[:longest]
    return kept or "-"


def parameter(value: str) -> str:
    """The value of a parameter of structured data (6.3.3)."""
    plain = "".join(" " if ord(letter) < 32 or ord(letter) == 127 else letter for letter in value)
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def message(alert: Mapping[str, Any], body: bytes, facility: str, host: str) -> bytes:
    """One message. The body is MSG-ANY (6.4): a byte order mark before it would hide a CEF or LEEF header."""
    moment = text(pick(alert, "@timestamp"))
    dataset = text(pick(alert, "event.dataset")).removeprefix("zonewatch.")
    version = parameter(text(pick(alert, "observer.version")))
    head = (
        f"<{FACILITIES[facility] * 8 + grade(alert, SEVERITIES)}>1",
        moment if _MOMENT.fullmatch(moment) else "-",
        word(host, 255),
        "zonewatch",
        "-",
        word(dataset, 32),
        f'[origin software="zonewatch" swVersion="{version}"]',
    )
    return " ".join(head).encode() + b" " + body


def counted(octets: bytes) -> bytes:
    """A message with its length before it."""
    return b"%d %b" % (len(octets), octets)
