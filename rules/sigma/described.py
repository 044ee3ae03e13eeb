"""The keys that rules and correlations share, read from a document; what is wrong with them is noted with its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, get_args
from uuid import UUID

from zonewatch.rules.findings import Owner
from zonewatch.rules.policy.document import Document, Place
from zonewatch.rules.policy.words import hint
from zonewatch.rules.sigma.model import LEVELS, RuleError
from zonewatch.rules.sigma.source import moment
from zonewatch.rules.sigma.taxonomy import TAXONOMY, Field

Taxonomy = Mapping[Any, Mapping[str, Field]]
"""Fields by category and name."""

STATUSES: Final = ("stable", "test", "experimental", "deprecated", "unsupported")
_TEXTS: Final = ("title", "id", "name", "status", "level", "description", "author", "license", "taxonomy")
_LISTS: Final = ("tags", "fields", "falsepositives", "references", "scope")
_MAPS: Final = ("logsource", "detection", "correlation", "zonewatch")
_KEYS: Final = (*_TEXTS, *_LISTS, *_MAPS, "related", "date", "modified")
_NOT_SUPPORTED: Final = ("action", "filter")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_OWN_TEXTS: Final = ("owner", "remedy", "reason")
_OWN_TRUTHS: Final = ("enabled", "seed")
_OWN_LISTS: Final = ("identity", "unless", "match", "differ")
_OWN: Final = (*_OWN_TEXTS, *_OWN_TRUTHS, *_OWN_LISTS)
_TECHNIQUE: Final = re.compile(r"attack\.(t[0-9]{4}(?:\.[0-9]{3})?)", re.IGNORECASE)
_REQUIREMENT: Final = re.compile(r"iec62443\.sr-([0-9]+\.[0-9]+)(?:-re-([0-9]+))?", re.IGNORECASE)


class Reader:
    """One document of a rule file, and what is wrong with it."""

    def __init__(self, name: str, document: Document) -> None:
        self.name = name
        self.document = document
        self.values: dict[str, Any] = document.values if isinstance(document.values, dict) else {}
        self.errors: list[RuleError] = []
        if not self.values:
            self.wrong((), "is no rule: it needs title, logsource and detection")

    def wrong(self, place: Place, message: str, *, key: bool = False) -> None:
        """Notes what is wrong with a value, or with its key."""
        self.errors.append(RuleError(self.name, *self.document.position(place, key=key), message))

    def word(self, place: Place, value: object, words: Iterable[str], noun: str) -> bool:
        """True for one of the words; another one is noted with the nearest right one."""
        known = tuple(words)
        if value in known:
            return True
        self.wrong(place, f"unknown {noun} {value!r}{hint(str(value), known) or _one_of(known)}")
        return False

    def keys(self, place: Place, found: Iterable[str], known: Iterable[str], where: str) -> None:
        """Notes keys that are not known."""
        known = tuple(known)
        for key in found:
            if key not in known:
                self.wrong(
                    (*place, key), f"unknown key {key!r} of {where}{hint(key, known) or _one_of(known)}", key=True
                )

    def field(
        self, place: Place, field: object, fields: Mapping[str, Field], category: str, *, key: bool = False
    ) -> None:
        """Notes a field that the category does not have."""
        if field not in fields:
            self.wrong(place, f"unknown field {field!r} of {category}{hint(str(field), fields)}", key=key)

    def described(self) -> dict[str, Any]:
        """The arguments of a `Described`."""
        values = self._shaped()
        own = self._own()
        tags = [str(tag) for tag in values.get("tags", ())]
        name = values.get("name") or values.get("id") or ""
        if not name:
            self.wrong((), "needs a name or an id, by which its findings are known")
        elif not _NAME.fullmatch(name):
            # It stands in lists and patterns, and names the file that a query is written to.
            self.wrong(("name",), f"name {name[:40]!r} has to be of letters, digits, '.', '_' and '-'")
        if not values.get("title"):
            self.wrong((), "needs a title")
        line, _ = self.document.position(())
        return {
            "name": name,
            "id": values.get("id", ""),
            "title": values.get("title", ""),
            "description": " ".join(str(values.get("description", "")).split()),
            "level": values.get("level", "medium"),
            "status": values.get("status", ""),
            "techniques": tuple(found[1].upper() for tag in tags if (found := _TECHNIQUE.fullmatch(tag))),
            "requirements": tuple(self._requirements(tags)),
            "false_positives": tuple(map(str, values.get("falsepositives", ()))),
            "shown": tuple(map(str, values.get("fields", ()))),
            "path": self.name,
            "line": line,
            **own,
        }

    def _shaped(self) -> dict[str, Any]:
        """The values without those of a wrong kind."""
        good: dict[str, Any] = {}
        for key, value in self.values.items():
            if key in _NOT_SUPPORTED:
                self.wrong((key,), f"documents with {key!r} are not supported", key=True)
            elif key not in _KEYS and (near := hint(key, _KEYS)):
                self.wrong((key,), f"unknown key {key!r}{near}", key=True)
            elif value is None:
                continue
            elif key in _TEXTS and not isinstance(value, str):
                self.wrong((key,), f"{key} has to be a text")
            elif key in _LISTS and not _texts(value):
                self.wrong((key,), f"{key} has to be a list of texts")
            elif key in _MAPS and not isinstance(value, dict):
                self.wrong((key,), f"{key} has to be a map")
            else:
                good[key] = value
        self._words(good)
        return good

    def _words(self, good: dict[str, Any]) -> None:
        for key, words in (("level", LEVELS), ("status", STATUSES)):
            if key in good and not self.word((key,), good[key], words, key):
                del good[key]
        if good.get("taxonomy", TAXONOMY) not in (TAXONOMY, "sigma"):
            self.wrong(("taxonomy",), f"unknown taxonomy {good['taxonomy']!r}; this is {TAXONOMY!r}")
        try:
            UUID(good.get("id", "00000000-0000-0000-0000-000000000000"))
        except ValueError:
            self.wrong(("id",), f"id {good.pop('id')!r} is no UUID")
        for number, tag in enumerate(good.get("tags", ())):
            if "." not in tag:
                self.wrong(("tags", number), f"tag {tag!r} has no namespace, as 'attack.' is one")

    def _requirements(self, tags: Iterable[str]) -> Iterable[str]:
        for tag in tags:
            if found := _REQUIREMENT.fullmatch(tag):
                yield f"SR {found[1]}" + (f" RE {found[2]}" if found[2] else "")

    def _own(self) -> dict[str, Any]:
        """What stands under `zonewatch:`."""
        values = self.values.get("zonewatch")
        values = values if isinstance(values, dict) else {}
        self.keys(("zonewatch",), values, _OWN, "zonewatch")
        good: dict[str, Any] = {}
        for key, value in values.items():
            place = ("zonewatch", key)
            if key in _OWN_TEXTS and not isinstance(value, str):
                self.wrong(place, f"{key} has to be a text")
            elif key in _OWN_TRUTHS and not isinstance(value, bool):
                self.wrong(place, f"{key} has to be true or false")
            elif key in ("identity", "unless") and not _texts(value):
                self.wrong(place, f"{key} has to be a list of {'fields' if key == 'identity' else 'names of rules'}")
            elif key in ("match", "differ") and not (
                isinstance(value, list) and all(isinstance(i, dict) for i in value)
            ):
                self.wrong(place, f"{key} has to be a list of records")
            elif key in _OWN:
                good[key] = value
        for key in ("match", "differ"):
            good[key] = tuple({name: _example(item) for name, item in record.items()} for record in good.get(key, ()))
        good |= {key: tuple(good[key]) for key in ("identity", "unless") if key in good}
        if "owner" in good and not self.word(("zonewatch", "owner"), good["owner"], get_args(Owner), "owner"):
            del good["owner"]
        if good.get("enabled") is False and not good.get("reason"):
            self.wrong(("zonewatch", "enabled"), "a rule that is not enabled needs a reason")
        return good


def _example(value: object) -> object:
    return tuple(map(moment, value)) if isinstance(value, list) else moment(value)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _one_of(words: tuple[str, ...]) -> str:
    return f"; one of {', '.join(words)}" if 0 < len(words) <= 12 else ""
