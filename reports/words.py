"""How values are put into words, the same in every renderer. Nothing here knows a medium."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import Final, Literal

from zonewatch.inventory.model import Activity, Asset, Edge, Evidence, Posture, Service, Target
from zonewatch.inventory.targets import reference
from zonewatch.rules.findings import Severity, Verdict

SECOND: Final = 1_000_000_000
_USER: Final = ("user.name", "user.domain")
_SCOPES: Final = ("credential", "email", "file", "source", "user")
"""First parts of fields' names that are no protocol."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A word with its symbols, so that nothing rests on colour alone."""

    word: str
    symbol: str
    ascii: str
    meaning: str


VERDICT_MARKS: Final[dict[Verdict, Mark]] = {
    "violation": Mark("violation", "✗", "x", "no flow of the policy allows it"),
    "unzoned": Mark("unzoned", "?", "?", "one end is in no zone of the policy"),
    "cannot_conclude": Mark("cannot conclude", "~", "~", "what was kept is too coarse to decide"),
    "allowed": Mark("allowed", "✓", "+", "a flow of the policy allows it"),
}
SEVERITY_MARKS: Final[dict[Severity, Mark]] = {
    "critical": Mark("critical", "▲▲", "!!!", "act now"),
    "high": Mark("high", "▲", "!!", "act soon"),
    "medium": Mark("medium", "◆", "!", "plan a change"),
    "low": Mark("low", "●", "-", "put in order when it fits"),
    "info": Mark("info", "○", ".", "good to know"),
}
POSTURE_MARKS: Final[dict[Posture, Mark]] = {
    "none": Mark("none", "✗", "x", "obeys without authentication"),
    "offered": Mark("offered", "~", "~", "authentication is offered, and not seen in use"),
    "used": Mark("used", "✓", "+", "authentication is used"),
    "unknown": Mark("unknown", "?", "?", "not known from this traffic"),
}
LEVEL_WORDS: Final[dict[float, str]] = {
    5.0: "enterprise",
    4.0: "business",
    3.5: "DMZ",
    3.0: "operations",
    2.0: "supervision",
    1.0: "control",
    0.0: "process",
}
_POSTURE_ORDER: Final[tuple[Posture, ...]] = ("none", "offered", "unknown", "used")


def visible(text: str, limit: int = 0) -> str:
    """Text from packets made safe to print: control, format and bidirectional characters become escapes."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _escape(char) for char in text)
    return text if not limit or len(text) <= limit else text[: limit - 1] + "…"


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def iso_time(nanoseconds: int) -> str:
    """UTC with all nine digits, as in RFC 3339; empty for 0."""
    if not nanoseconds:
        return ""
    seconds, rest = divmod(nanoseconds, SECOND)
    return f"{_second(seconds)}.{rest:09d}Z"


@lru_cache(maxsize=1 << 12)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def parse_time(text: str) -> int:
    """Nanoseconds of a time that `iso_time` wrote. Raises ValueError."""
    if not text:
        return 0
    told = _WRITTEN_TIME(text)
    if told is not None:
        minute, second, rest = told.groups()
        return _begun(minute) + int(second + rest)
    whole, _, rest = text.removesuffix("Z").partition(".")
    moment = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    return int(moment.timestamp()) * SECOND + int((rest or "0").ljust(9, "0")[:9])


_WRITTEN_TIME: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]):([0-5][0-9])\.([0-9]{9})Z"
).fullmatch


@lru_cache(maxsize=1 << 12)
def _begun(minute: str) -> int:
    return int(datetime.strptime(minute, "%Y-%m-%dT%H:%M").replace(tzinfo=UTC).timestamp()) * SECOND


def clock(nanoseconds: int) -> str:
    """A time for people: `2026-03-02 08:12:31 UTC`."""
    if not nanoseconds:
        return "unknown"
    minutes, second = divmod(nanoseconds // SECOND, 60)
    return f"{_minute(minutes)}:{second:02} UTC"


@lru_cache(maxsize=1 << 12)
def _minute(minutes: int) -> str:
    return f"{datetime.fromtimestamp(minutes * 60, UTC):%Y-%m-%d %H:%M}"


def period(first: int, last: int) -> str:
    """A span of time for people; the day is said once where it is the same."""
    if not first or not last:
        return "unknown"
    start, end = clock(first), clock(last)
    return f"{start[:19]} to {end[11:] if start[:10] == end[:10] else end}"


def duration(nanoseconds: int) -> str:
    """A length of time for people, in its two largest units."""
    seconds = max(nanoseconds, 0) // SECOND
    if seconds >= 600:  # seconds say nothing then
        seconds = (seconds + 30) // 60 * 60
    if seconds == 0:
        return "under a second"
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    parts = []
    for word, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(counted(count, word))
    return " ".join(parts[:2])


def number(value: int) -> str:
    """With thousands set apart."""
    return f"{value:,}"


def short_number(value: int) -> str:
    """At most five characters: `950`, `12.3k`, `4.6M`."""
    for size, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return (
                f"{value / size:.1f}".removesuffix(".0") + letter if value < 100 * size else f"{value // size}{letter}"
            )
    return str(value)


def size(octets: int) -> str:
    """Octets for people, in powers of ten."""
    for unit, word in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if octets >= unit:
            return f"{octets / unit:.1f} {word}"
    return counted(octets, "byte")


def counted(count: int, word: str, plural: str = "") -> str:
    """`1 asset`, `2 assets`."""
    return f"{number(count)} {word if count == 1 else plural or word + 's'}"


def listed(words: Iterable[str], limit: int = 0) -> str:
    """`a, b and c`; a long list ends in a count."""
    items = list(words)
    if limit and len(items) > limit:
        items = [*items[: limit - 1], f"{len(items) - limit + 1} more"]
    return " and ".join((", ".join(items[:-1]), items[-1])) if len(items) > 1 else "".join(items)


def level(purdue: float | None) -> str:
    """`Level 3.5`."""
    return "Level not known" if purdue is None else f"Level {purdue:g}"


def operation(word: str) -> str:
    """An operation for people: `program download`."""
    return word.replace("_", " ") or "traffic"


def tally(head: str, counts: Sequence[tuple[str, int]], limit: int = 4) -> str:
    """A cell's line after its head: `read 12, write 3`; for other traffic, the services with the most packets."""
    if head:
        return ", ".join(f"{operation(word)} {short_number(count)}" for word, count in counts)
    more = len(counts) - limit
    return ", ".join([visible(word) for word, _ in counts[:limit]] + ([f"+{more}"] if more > 0 else []))


def target(row: Target) -> str:
    """A range of points, zero-based, with Modbus' customary number: `holding-register 99 (40100)`."""
    words = [row.kind]
    if row.start is not None:
        last = row.start + max(row.count, 1) - 1
        words.append(str(row.start) if last == row.start else f"{row.start}-{last}")
        if numbers := reference(row.kind, row.start, last):
            words.append(f"({numbers})")
    if row.property_name:
        words.append(row.property_name.replace("_", " "))
    if row.names:
        words.append(f"[{row.names}]")
    return visible(" ".join(words))


_PLACE: Final = attrgetter("source", "capture", "frame")


def by_frame(rows: Iterable[Evidence]) -> list[Evidence]:
    """In their order. Comparing the rows themselves takes ten times as long."""
    return sorted(rows, key=_PLACE)


def first_frames(rows: Iterable[Evidence], most: int) -> tuple[Evidence, ...]:
    """The first frames, each once, in their order."""
    places = {_PLACE(row): row for row in rows}  # by what makes them equal
    return tuple([places[place] for place in sorted(places)[:most]])


def frames(rows: Iterable[Evidence], limit: int = 0) -> str:
    """Evidence by capture: `plant.pcap frames 812, 813`."""
    parts = []
    for capture, unit, kept in by_capture(rows):
        more = f" and {len(kept) - limit} more" if limit and len(kept) > limit else ""
        shown = ", ".join(map(str, kept[:limit] if limit else kept))
        parts.append(f"{visible(capture)} {unit}{'' if len(kept) == 1 else 's'} {shown}{more}")
    return "; ".join(parts)


def by_capture(rows: Iterable[Evidence]) -> Iterator[tuple[str, Literal["frame", "line"], tuple[int, ...]]]:
    """Each capture, in order, with what its numbers count and the numbers, each once."""
    rows = list(rows)
    if len({(row.source, row.capture) for row in rows}) == 1:  # the rule: numbers are sorted in a quarter of the time
        yield rows[0].capture, rows[0].unit, tuple(sorted({row.frame for row in rows}))
        return
    found: dict[str, dict[int, None]] = {}
    for _, capture, frame in sorted(set(map(_PLACE, rows))):
        found.setdefault(capture, {})[frame] = None
    for capture, numbers in sorted(found.items()):
        yield capture, Evidence("", capture, 0).unit, tuple(numbers)


def posture(asset: Asset) -> Service | None:
    """The service of an asset whose authentication is weakest; none where it serves nothing."""
    return min(
        asset.services, key=lambda row: (_POSTURE_ORDER.index(row.posture), row.protocol, row.port), default=None
    )


def spoken(edges: Iterable[Edge]) -> dict[str, tuple[str, ...]]:
    """The protocols that each asset speaks, as client or server: control protocols first. A probe is no speech."""
    found: dict[str, set[tuple[bool, str]]] = {}
    for edge in edges:
        if edge.state in ("attempted", "refused") and not edge.functions:
            continue
        for end in (edge.client, edge.server):
            found.setdefault(end, set()).add((not edge.ot, edge.protocol))
    return {end: tuple(dict.fromkeys(protocol for _, protocol in sorted(rows))) for end, rows in sorted(found.items())}


def label(asset: Asset) -> str:
    """How people know an asset: its name; where that is only an address, the id it is declared by."""
    bare = not asset.name or asset.name in asset.addresses or asset.name in asset.macs
    return visible((asset.declared if bare else "") or asset.name or asset.id)


def beside(asset: Asset) -> str:
    """What is said beside its name, so that it can be found in a capture: its address; empty where the name has it."""
    places = asset.addresses or asset.macs
    return visible(places[0]) if places and places[0] not in label(asset) else ""


def named(asset: Asset) -> str:
    """An asset by its name and its address: `plc-3 (10.20.11.13)`."""
    place = beside(asset)
    return f"{label(asset)} ({place})" if place else label(asset)


def product(asset: Asset) -> str:
    """Vendor and model in one, without saying the vendor twice."""
    if asset.vendor and asset.model.lower().startswith(asset.vendor.lower()):
        return visible(asset.model)
    return visible(" ".join(part for part in (asset.vendor, asset.model) if part))


def user(activity: Activity) -> str:
    """Who did it: `PLANT\\eva`, or nothing where no name was seen."""
    said = dict(reversed(activity.fields))
    name, domain = said.get("user.name", ""), said.get("user.domain", "")
    return visible(f"{domain}\\{name}" if domain and name else name)


def details(activity: Activity) -> str:
    """What is known of an activity besides its user, in one line."""
    if activity.coalesced:
        return "many that differ"
    said = [f"{field_words(name)} {value}" for name, value in activity.fields if name not in _USER]
    return visible(", ".join(said), 160)


def field_words(name: str) -> str:
    """A field's name for people: `file`, `share`, `server name`; the protocol, which has a column, is left out."""
    scope, _, rest = name.partition(".")
    words = rest.removeprefix("client.").removeprefix("server.").removeprefix("x509.").replace(".", " ")
    if rest == "name":
        words = scope
    elif scope in _SCOPES:
        words = f"{scope} {words}"
    return words.replace("_", " ")


def outcome(activity: Activity) -> str:
    """How an activity ended: `ok`, `error STATUS_LOGON_FAILURE`, `no response`."""
    word = outcome_word(activity).replace("_", " ")
    return visible(" ".join(part for part in (word, activity.code) if part))


def outcome_word(activity: Activity) -> str:
    """Its status where that says something: nothing of one way, nor `ok` beside a code."""
    return {"one_way": "", "ok": "" if activity.code else "ok"}.get(activity.status, activity.status)


def port(transport: str, number: int | None) -> str:
    """Where traffic goes: `tcp 4444`, `ethernet 0x88cc`, `other ports`."""
    if number is None:
        return "other ports"
    if transport in ("tcp", "udp"):
        return f"{transport} {number}"
    return f"{transport} 0x{number:04x}" if number else transport
