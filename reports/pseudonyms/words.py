"""Names and addresses in texts, replaced by their pseudonyms.

Names are known in advance: all that fields of the result and of its tables hold as names. Addresses are found by their
form. What is neither stays.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import Final

from zonewatch.reports.pseudonyms.keyed import Keyed
from zonewatch.reports.words import visible

__all__ = ["SHORTEST", "Words"]

SHORTEST: Final = 3
"""Characters of a name that is looked for in sentences. A shorter one is replaced where a field holds nothing else."""
_MAC: Final = r"(?<![0-9A-Fa-f:-])[0-9A-Fa-f]{2}(?:[:-][0-9A-Fa-f]{2}){5}(?![0-9A-Fa-f:-])"
_V4: Final = r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?:/[0-9]{1,2})?(?![0-9]|\.[0-9])"
_V6: Final = (
    r"(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:[0-9.]*[0-9])?(?:/[0-9]{1,3})?(?![0-9A-Za-z:])"
)
_ADDRESS: Final = re.compile(f"(?P<mac>{_MAC})|(?P<v4>{_V4})|(?P<v6>{_V6})")
_TOKEN: Final = re.compile(r"\w+|\S")
_INSIDE: Final = re.compile(r"[\\@/|]+")
_NUMBER: Final = re.compile(r"[0-9.,:+-]*")


class Words:
    """The pseudonyms of names that were told to it, and of all addresses. Names are told before texts are asked for."""

    def __init__(self, keyed: Keyed, plain: Iterable[str] = ()) -> None:
        """`plain` are words that stay whatever is told: ids of zones, protocols, words of the program."""
        self.keyed = keyed
        self._plain = {word.casefold() for word in plain}
        self._names: dict[str, str] = {}
        self._by_start: dict[str, list[str]] = {}

    def tell(self, kind: str, text: str) -> None:
        """A name, of a kind that its pseudonym shows; the first kind counts."""
        folded = text.casefold()
        if not text.strip() or folded in self._plain or self.address(text) is not None or folded in self._names:
            return
        self._names[folded] = made = self.keyed.word(kind, text)
        for shown in {_folded(text), _folded(visible(text))}:
            self._names.setdefault(shown, made)
            if len(shown) >= SHORTEST and (token := _TOKEN.search(shown)) is not None and token.start() == 0:
                known = self._by_start.setdefault(token.group(), [])
                known.append(shown)
                known.sort(key=len, reverse=True)

    def tell_parts(self, kind: str, text: str) -> None:
        """A name with a domain or a user in it: its parts are names too."""
        self.tell(kind, text)
        parts = _INSIDE.split(text)
        if "." in text and len(parts) == 1 and not _NUMBER.fullmatch(text):
            parts = [text.partition(".")[0], text.partition(".")[2]]
        for part in parts:
            if part != text and len(part) > SHORTEST and not _NUMBER.fullmatch(part):
                self.tell(kind, part)

    @property
    def names(self) -> tuple[str, ...]:
        """All that was told, folded."""
        return tuple(self._names)

    def name(self, kind: str, text: str) -> str:
        """The pseudonym of a text that is a name as a whole; an address's own where it is one."""
        if not text.strip() or text.casefold() in self._plain:
            return text
        found = self.address(text)
        if found is not None:
            return found
        self.tell(kind, text)
        return self._names[text.casefold()]

    def address(self, text: str) -> str | None:
        """The pseudonym of an address or network; none where the text is neither."""
        match = _ADDRESS.fullmatch(text)
        return self._replaced(match) if match is not None else None

    def _replaced(self, match: re.Match[str]) -> str | None:
        text = match.group()
        if match.lastgroup == "mac":
            octets = self.keyed.mac(bytes.fromhex(text.replace(":", "").replace("-", "")))
            made = octets.hex("-" if "-" in text else ":")
            return made.upper() if text.upper() == text and text.lower() != text else made
        try:
            if "/" in text:
                return self.keyed.network(text)
            if match.lastgroup == "v4":
                return str(self.keyed.ipv4(ipaddress.IPv4Address(text)))
            return str(self.keyed.ipv6(ipaddress.IPv6Address(text)))
        except ValueError:
            return None

    def sentence(self, text: str) -> str:
        """A text with every name and address in it replaced."""
        if not text or text.casefold() in self._plain:
            return text
        if (whole := self._names.get(text.casefold())) is not None:
            return whole
        made, end = [], 0
        for begin, after, name in self._found(_folded(text)):
            made += [self._addresses(text[end:begin]), self._names[name]]
            end = after
        return "".join([*made, self._addresses(text[end:])])

    def _found(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Names in a text, from where to where; of those that begin at one place the longest."""
        end = 0
        for token in _TOKEN.finditer(text):
            begin = token.start()
            if begin < end:
                continue
            for name in self._by_start.get(token.group(), ()):
                after = begin + len(name)
                if text.startswith(name, begin) and not (_is_word(name[-1:]) and _is_word(text[after : after + 1])):
                    yield begin, after, name
                    end = after
                    break

    def _addresses(self, text: str) -> str:
        return _ADDRESS.sub(lambda match: self._replaced(match) or match.group(), text)


def _folded(text: str) -> str:
    """In lower case, each character at its place."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(one if len(one.lower()) > 1 else one.lower() for one in text)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
