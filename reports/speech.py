"""How values of a result are said in the language of a report, as `words.py` says them in English.

What rules and the audit wrote themselves is quoted: in the language where its file has it, else as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from markupsafe import Markup

from zonewatch.inventory.model import Activity, Evidence
from zonewatch.reports import words
from zonewatch.reports.quoted import translated
from zonewatch.reports.texts import Texts, load_texts
from zonewatch.reports.words import visible

__all__ = ["Speech", "english", "speech"]

_SIZES: Final = ((10**9, "GB"), (10**6, "MB"), (10**3, "kB"))


@dataclass(frozen=True, slots=True)
class Speech:
    """The words of one language for values. Text from packets stays as it is: a page escapes it."""

    texts: Texts

    @property
    def foreign(self) -> bool:
        """True where what rules say has to be translated."""
        return self.texts.language != "en"

    def say(self, key: str, **values: str | int) -> str:
        """The text of a key. Raises TextError."""
        return self.texts.say(key, **values)

    def word(self, family: str, name: str) -> str:
        """A word of a vocabulary, or the word itself."""
        return self.texts.word(family, name)

    def quoted(self, said: str) -> str:
        """What a rule or the audit says."""
        return (translated(said, self.texts.language) if self.foreign else "") or said

    def marked(self, said: str) -> str | Markup:
        """The same for a page: what is left in English says so, for screen readers."""
        told = self.quoted(said)
        return Markup('<span lang="en">{}</span>').format(visible(said)) if self.foreign and told is said else told

    def number(self, value: int) -> str:
        """With thousands set apart."""
        return self.texts.number(value)

    def fixed(self, value: float, places: int = 1) -> str:
        """With so many decimal places."""
        whole, _, part = f"{value:.{places}f}".partition(".")
        return self.texts.number(int(whole)) + (f"{self.word('language', 'decimal')}{part}" if part else "")

    def general(self, value: float) -> str:
        """With as many decimal places as it needs, three digits at most."""
        return f"{value:.3g}".replace(".", self.word("language", "decimal"))

    def short_number(self, value: int) -> str:
        """At most five characters: `950`, `12.3k`, `4.6M`."""
        return words.short_number(value).replace(".", self.word("language", "decimal"))

    def size(self, octets: int) -> str:
        """Octets for people, in powers of ten."""
        for unit, word in _SIZES:
            if octets >= unit:
                return f"{octets / unit:.1f} {word}".replace(".", self.word("language", "decimal"))
        return self.counted(octets, "byte")

    def counted(self, count: int, unit: str) -> str:
        """`1 packet`, `2 packets`, by the unit's key."""
        return self.say(f"unit.{unit}", count=count)

    def duration(self, nanoseconds: int) -> str:
        """A length of time, in its two largest units."""
        return self.texts.duration(nanoseconds)

    def clock(self, nanoseconds: int) -> str:
        """A moment, in UTC."""
        return self.texts.time(nanoseconds)

    def period(self, first: int, last: int) -> str:
        """A span of time; the day is said once where it is the same."""
        if not first or not last:
            return self.say("unknown")
        start, end = words.clock(first), words.clock(last)
        return self.say("period", start=start[:19], end=end[11:] if start[:10] == end[:10] else end)

    def listed(self, items: Iterable[str], limit: int = 0) -> str:
        """`a, b and c`; a long list ends in a count."""
        told = list(items)
        if limit and len(told) > limit:
            told = [*told[: limit - 1], self.say("list.more", more=str(len(told) - limit + 1))]
        return self.say("list.and", first=", ".join(told[:-1]), last=told[-1]) if len(told) > 1 else "".join(told)

    def frames(self, rows: Iterable[Evidence], limit: int = 0) -> str:
        """Evidence by capture: `plant.pcap frames 812, 813`."""
        return self.texts.frames(rows, limit)

    def operation(self, name: str) -> str:
        """An operation for people; the rest is traffic."""
        return self.word("operation", name) if name else self.say("page.traffic")

    def tally(self, head: str, counts: Sequence[tuple[str, int]], limit: int = 4) -> str:
        """A cell's line after its head: `read 12, write 3`; for other traffic, the services with the most packets."""
        if not head:
            return words.tally(head, counts, limit)
        return ", ".join(f"{self.operation(word)} {self.short_number(count)}" for word, count in counts)

    def details(self, activity: Activity) -> str:
        """What is known of an activity besides its user, in one line."""
        return self.say("page.many") if activity.coalesced else words.details(activity)

    def outcome(self, activity: Activity) -> str:
        """How an activity ended."""
        word = words.outcome_word(activity)
        return visible(" ".join(part for part in (self.word("ended", word) if word else "", activity.code) if part))

    def port(self, transport: str, number: int | None) -> str:
        """Where traffic goes."""
        return self.say("page.other_ports") if number is None else words.port(transport, number)

    def filters(self) -> dict[str, Callable[..., object]]:
        """What a template calls, each as `as_…`."""
        own: tuple[Callable[..., object], ...] = (
            self.clock,
            self.counted,
            self.details,
            self.duration,
            self.fixed,
            self.frames,
            self.general,
            self.listed,
            self.marked,
            self.number,
            self.operation,
            self.outcome,
            self.period,
            self.port,
            self.size,
            self.tally,
            words.product,
            words.user,
        )
        return {f"as_{function.__name__}": function for function in own}


@cache
def speech(language: str) -> Speech:
    """Of a language that there is. Raises TextError."""
    return Speech(load_texts(language))


def english() -> Speech:
    """That of the terminal and of programs."""
    return speech("en")
