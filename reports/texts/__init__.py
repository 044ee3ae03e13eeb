"""Every sentence of a report, by its key: one file a language. `Texts.say` puts values in; a language is one file.

A text with a parameter `count` may have two forms, `one` and `other`. Numbers are written as the language does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from string import Formatter
from typing import Any, Final

import yaml

from zonewatch.inventory.model import Evidence
from zonewatch.reports.document.model import Span, SpanKind, Text
from zonewatch.reports.words import SECOND, by_capture, clock, visible

__all__ = ["LANGUAGES", "TextError", "Texts", "load_texts"]

LANGUAGES: Final = ("en", "de")
PLURALS: Final = ("one", "other")
_UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SIZES: Final = (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))

Value = str | int | Span | Text
Parts = tuple[tuple[str, str], ...]
"""Literal text, and the parameter that follows it; the last has none."""


class TextError(KeyError):
    """A key that no text has, or values that are not its parameters: a mistake in the code or in a language's file."""


@dataclass(frozen=True)
class Template:
    """A text with its plural forms, taken apart."""

    one: Parts
    other: Parts

    @cached_property
    def literal(self) -> str:
        """Without its parameters."""
        return "".join(literal for literal, _ in self.other)

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names that must be given."""
        return frozenset(name for _, name in (*self.one, *self.other) if name)


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language."""

    language: str
    templates: Mapping[str, Template]

    def say(self, key: str, **values: str | int) -> str:
        """The text of a key with its values. Raises TextError."""
        return "".join(
            literal + (self._shown(values[name]) if name else "") for literal, name in self._parts(key, values)
        )

    def text(self, key: str, **values: Value) -> Text:
        """The same as spans, where values may be spans or texts. Raises TextError."""
        spans: list[Span] = []
        for literal, name in self._parts(key, values):
            if literal:
                spans.append(Span(literal))
            if name:
                value = values[name]
                spans += (
                    [value] if isinstance(value, Span) else value if isinstance(value, tuple) else [self.span(value)]
                )
        return tuple(spans)

    def word(self, family: str, name: str) -> str:
        """A word of a vocabulary: `word("severity", "high")`; of an unknown one the word itself."""
        template = self.templates.get(f"{family}.{name}")
        return template.literal if template else name.replace("_", " ")

    def number(self, value: int) -> str:
        """With thousands set apart as the language does."""
        return str(value) if -1000 < value < 1000 else f"{value:,}".replace(",", self.word("language", "thousands"))

    def decimal(self, value: float) -> str:
        """With one decimal place, none where it is zero."""
        whole, _, part = f"{value:.1f}".partition(".")
        return self.number(int(whole)) + (f"{self.word('language', 'decimal')}{part}" if part != "0" else "")

    def span(self, value: str | int, kind: SpanKind = "") -> Span:
        """A value as a span; a number is kept beside its words."""
        return Span(self.number(value), kind, value=value) if isinstance(value, int) else Span(value, kind)

    def size(self, octets: int) -> Span:
        """Octets for people, in powers of ten."""
        for word, unit in _SIZES:
            if octets >= unit:
                return Span(f"{self.decimal(octets / unit)} {word}", value=octets)
        return Span(self.say("unit.byte", count=octets), value=octets)

    def duration(self, nanoseconds: int) -> str:
        """A length of time for people, in its two largest units."""
        seconds = max(nanoseconds, 0) // SECOND
        if seconds >= 600:  # seconds say nothing then
            seconds = (seconds + 30) // 60 * 60
        parts = []
        for word, unit in _UNITS:
            count, seconds = divmod(seconds, unit)
            if count:
                parts.append(self.say(f"unit.{word}", count=count))
        return " ".join(parts[:2]) or self.say("unit.instant")

    def time(self, nanoseconds: int) -> str:
        """A moment, in UTC."""
        return clock(nanoseconds) if nanoseconds else self.say("unknown")

    def period(self, first: int, last: int) -> str:
        """A span of time; the day is said once where it is the same."""
        if not first or not last:
            return self.say("unknown")
        start, end = clock(first), clock(last)
        if start == end:
            return start
        return self.say("period", start=start[:19], end=end[11:] if start[:10] == end[:10] else end)

    def frames(self, rows: Iterable[Evidence], limit: int = 0) -> str:
        """Evidence by capture, as `words.frames` says it in English."""
        parts = []
        for capture, unit, kept in by_capture(rows):
            shown = ", ".join(map(str, kept[:limit] if limit else kept))
            if limit and len(kept) > limit:
                shown = self.say("frames.more", frames=shown, more=str(len(kept) - limit))
            word = self.word("unit", unit if len(kept) == 1 else f"{unit}s")
            parts.append(f"{visible(capture)} {word} {shown}")
        return "; ".join(parts)

    def _shown(self, value: str | int) -> str:
        return self.number(value) if isinstance(value, int) else value

    def _parts(self, key: str, values: Mapping[str, object]) -> Parts:
        template = self.templates.get(key)
        if template is None:
            raise TextError(f"{self.language}: no text {key!r}")
        if values.keys() != template.parameters:
            raise TextError(f"{self.language}: {key}: given {sorted(values)}, wanted {sorted(template.parameters)}")
        return template.one if values.get("count") == 1 else template.other


@cache
def load_texts(language: str) -> Texts:
    """The texts of a language that there is. Raises TextError."""
    if language not in LANGUAGES:
        raise TextError(f"no language {language!r}; there are {', '.join(LANGUAGES)}")
    text = (files("zonewatch.reports.texts") / f"{language}.yaml").read_text(encoding="utf-8")
    return Texts(language, {key: _template(key, value) for key, value in yaml.load(text, Loader=_LOADER).items()})


def _template(key: str, value: Any) -> Template:
    forms: dict[str, Any] = value if isinstance(value, dict) else dict.fromkeys(PLURALS, value)
    if tuple(forms) != PLURALS or not all(isinstance(form, str) for form in forms.values()):
        raise TextError(f"{key}: a text, or one with the forms {' and '.join(PLURALS)}")
    return Template(*(_taken_apart(key, forms[form]) for form in PLURALS))


def _taken_apart(key: str, text: str) -> Parts:
    parts = []
    for literal, name, form, conversion in Formatter().parse(text):
        if form or conversion or (name is not None and not name.isidentifier()):
            raise TextError(f"{key}: a parameter is a name in braces")
        parts.append((literal, name or ""))
    return tuple(parts)
