"""What a site changes of the rules, each with a reason: off or on, another threshold, and what is known and accepted.

    detection_version: 1
    rules:
      modbus.function_sweep: {threshold: 12, reason: the historian asks for ten functions at its start}
      modbus.read_device_identification: {enabled: false, reason: the asset scanner does it every night}
    suppress:
      - {id: weekly-scan, rules: [reconnaissance.*], assets: [scanner-1], schedule: "sun 02:00-04:00", reason: T 4711}

A finding that is suppressed is counted, with its reason; nothing is dropped in silence.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from zonewatch.rules.findings import Finding
from zonewatch.rules.policy.model import Policy
from zonewatch.rules.policy.records import Part
from zonewatch.rules.policy.times import End, Schedule, Span, Start, WeekTimes, nanoseconds
from zonewatch.rules.policy.values import Id, wrong
from zonewatch.rules.policy.words import hint

if TYPE_CHECKING:
    from zonewatch.rules.policy.document import Document, Place
    from zonewatch.rules.policy.load import PolicyError

CODE: Final = "ZD001"


class RuleSetting(Part):
    """What is changed of one rule."""

    enabled: bool | None = None
    threshold: Annotated[int, Field(gt=0)] | None = None
    """In place of the number in a correlation's condition."""
    reason: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.enabled is None and self.threshold is None:
            raise wrong("changes nothing: give enabled or threshold")
        return self


class Suppression(Part):
    """Findings that are known and accepted. Every key that is given must fit."""

    id: Id
    rules: Annotated[tuple[str, ...], Field(min_length=1)]
    """Names of rules; `*` stands for anything."""
    assets: tuple[str, ...] = ()
    """Ids: one of the finding's assets is among them."""
    zones: tuple[str, ...] = ()
    """All zones of the finding are among them."""
    conduits: tuple[str, ...] = ()
    """The finding is about traffic between the zones of one of them."""
    schedule: WeekTimes | None = None
    """All of it was seen in these hours of the week."""
    from_: Annotated[Start | None, Field(alias="from")] = None
    until: End | None = None
    reason: Annotated[str, Field(min_length=1)]
    by: str = ""
    """Who accepted it."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not (self.assets or self.zones or self.conduits or self.schedule or self.until):
            raise wrong(
                "suppresses all of it for ever: name assets, zones, conduits, a schedule or an end, or disable the rule"
            )
        if self.from_ is not None and self.until is not None and nanoseconds(self.from_) >= nanoseconds(self.until):
            raise wrong("ends before it begins")
        return self


class Settings(Part):
    """The whole file."""

    detection_version: Literal[1]
    rules: dict[str, RuleSetting] = Field(default_factory=dict)
    suppress: tuple[Suppression, ...] = ()


NOTHING: Final = Settings(detection_version=1)


def load_settings(path: Path, known: Iterable[str], counting: Iterable[str] | None = None) -> Settings:
    """Reads a settings file. Raises PolicyErrors with all that is wrong.

    `known` are the names of all rules, `counting` of those that have a threshold.
    """
    # What reads YAML is loaded where there is some.
    from zonewatch.rules.policy.load import read_text

    return parse_settings(read_text(path), str(path), known, counting)


def parse_settings(text: str, name: str, known: Iterable[str], counting: Iterable[str] | None = None) -> Settings:
    """The same from text."""
    from zonewatch.rules.policy.document import Unreadable, read
    from zonewatch.rules.policy.load import PolicyError, PolicyErrors

    try:
        document = read(text)
    except Unreadable as error:
        raise PolicyErrors([PolicyError(name, error.line, error.column, str(error), CODE)]) from None
    if not isinstance(document.values, dict):
        raise PolicyErrors([PolicyError(name, 1, 1, "holds no settings: it needs detection_version: 1", CODE)])
    try:
        settings = Settings.model_validate(document.values)
    except ValidationError as invalid:
        raise PolicyErrors([_told(name, document, error) for error in invalid.errors()]) from None
    names = sorted(known)
    errors = [
        PolicyError(name, *document.position(place, key=True), f"no rule {word!r}{hint(word, names)}", CODE)
        for place, word, is_pattern in _named(settings)
        if not (fnmatch.filter(names, word) if is_pattern else word in names)
    ]
    numbers = None if counting is None else frozenset(counting)
    errors += [
        PolicyError(name, *document.position(("rules", rule, "threshold"), key=True), f"{rule} counts nothing", CODE)
        for rule, change in settings.rules.items()
        if change.threshold is not None and numbers is not None and rule in names and rule not in numbers
    ]
    if errors:
        raise PolicyErrors(errors)
    return settings


def _named(settings: Settings) -> Iterator[tuple[Place, str, bool]]:
    """Names of rules, and patterns of such names, with their places."""
    for name in settings.rules:
        yield ("rules", name), name, False
    for number, item in enumerate(settings.suppress):
        for place, name in enumerate(item.rules):
            yield ("suppress", number, "rules", place), name, True


_KEYS: Final[dict[str, type[Part]]] = {"rules": RuleSetting, "suppress": Suppression}


def _told(name: str, document: Document, error: Any) -> PolicyError:
    from zonewatch.rules.policy.load import PolicyError

    path: Place = error["loc"]
    last = str(path[-1]) if path else "file"
    model = _KEYS.get(str(path[0])) if len(path) > 1 else Settings
    keys = [field.alias or key for key, field in (model or Settings).model_fields.items()]
    kinds = {"extra_forbidden": f"unknown key {last!r}{hint(last, keys)}", "missing": f"key {last!r} is missing"}
    message = kinds.get(error["type"]) or f"{last}: {str(error['msg']).replace('Input should be', 'must be')}"
    return PolicyError(name, *document.position(path, key=error["type"] == "extra_forbidden"), message, CODE)


def suppressed(
    findings: Iterable[Finding], settings: Settings, policy: Policy
) -> tuple[list[Finding], tuple[str, ...]]:
    """The findings that are left, and a sentence for each suppression."""
    left: list[Finding] = []
    taken: dict[str, int] = {}
    pairs = {conduit.id: frozenset((conduit.from_, conduit.to)) for conduit in policy.conduits}
    for finding in findings:
        item = next((item for item in settings.suppress if _fits(item, finding, pairs)), None)
        if item is None:
            left.append(finding)
        else:
            taken[item.id] = taken.get(item.id, 0) + 1
    return left, tuple(_said(item, taken.get(item.id, 0)) for item in settings.suppress)


def _said(item: Suppression, count: int) -> str:
    if not count:
        return f"suppression {item.id} met no finding: {item.reason}"
    return f"{count} finding{'s' if count > 1 else ''} suppressed by {item.id}: {item.reason}"


def _fits(item: Suppression, finding: Finding, pairs: dict[str, frozenset[str]]) -> bool:
    if not any(fnmatch.fnmatchcase(finding.rule, rule) for rule in item.rules):
        return False
    if item.assets and not set(item.assets) & set(finding.assets):
        return False
    if item.zones and not (finding.zones and set(finding.zones) <= set(item.zones)):
        return False
    if item.conduits and frozenset(finding.zones) not in (pairs.get(name) for name in item.conduits):
        return False
    times: list[Schedule | Span] = [item.schedule] if item.schedule is not None else []
    if item.from_ is not None or item.until is not None:
        start = nanoseconds(item.from_) if item.from_ is not None else 0
        times.append(Span(start, nanoseconds(item.until) if item.until is not None else 2**63 - 1))
    return all(each.held(finding.first_time, finding.last_time) == "in" for each in times)
