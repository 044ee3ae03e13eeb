"""The dissection without secrets.

Three nets, one behind the other. Fields that are secrets by their name are masked in every frame (`masks.toml`). Of a
message that may carry a secret, or of which the engine does not say that it carries none (`reports.evidence.shown`,
which cuts mini captures), texts and octets are masked but for a list of names, and so is every number that tells a
length; of control protocols, whatever lies behind the octets that a mini capture would show. At last every line is
searched for the octets of the secrets, in all encodings. A mask tells neither a secret nor its length.
"""

from __future__ import annotations

import base64
import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import translate
from functools import cache
from importlib.resources import files
from typing import Final

from zonewatch.reports.explain import Line
from zonewatch.reports.words import visible
from zonewatch.sensor.wireshark.dictionary import Dictionary, is_text
from zonewatch.sensor.wireshark.pdml import Node

__all__ = ["MASK", "Trust", "Vault", "masked", "names_of"]

MASK: Final = "[masked]"
MOST_TEXT: Final = 400
_PART: Final = 6
"""Characters of a secret that give it away wherever they stand together."""
_MOST_SECRETS: Final = 1 << 16
_CONTROL_LAYERS: Final = frozenset(("mbtcp", "modbus", "mbrtu", "umas", "bvlc", "bacnet", "bacapp", "dnp3", "s7comm"))
_CARRIERS: Final = frozenset(("ip", "ipv6", "eapol", "vtp", "hsr", "ppp", "pppoes", "mpls", "ieee8021ah"))
"""What has none of these layers has no secret but by its name, as with mini captures."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a frame may be shown."""

    keep: int | None  # octets of what TCP or UDP carries; none: all

    @property
    def is_whole(self) -> bool:
        """Whether nothing in it can be a secret but what is one by its name."""
        return self.keep is None


@cache
def _tables() -> dict[str, re.Pattern[str]]:
    text = (files("zonewatch.sensor.wireshark") / "masks.toml").read_text(encoding="utf-8")
    return {
        name: re.compile("|".join(translate(pattern) for pattern in patterns), re.IGNORECASE)
        for name, patterns in tomllib.loads(text).items()
    }


@cache
def _is(table: str, name: str) -> bool:
    return bool(name) and _tables()[table].match(name) is not None


def names_of(nodes: Iterable[Node]) -> set[str]:
    """The names of all fields and layers."""
    found: set[str] = set()
    for node in _walk(nodes):
        found.add(node.name)
    return found


def _walk(nodes: Iterable[Node]) -> Iterator[Node]:
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        yield node
        waiting += node.below


class Vault:
    """Octets of secrets, to be found again in any text."""

    def __init__(self, secrets: Iterable[bytes]) -> None:
        self._whole: set[str] = set()
        self._parts: set[str] = set()
        room = _MOST_SECRETS
        self.is_full = False
        for secret in sorted(set(secrets)):
            room -= len(secret)
            if room < 0:
                self.is_full = True  # then nothing but the names of fields is shown
                break
            for form in _forms(secret):
                if len(form) >= _PART:
                    self._parts.update(form[at : at + _PART] for at in range(len(form) - _PART + 1))
                elif len(form) > 2:
                    self._whole.add(form)

    def holds(self, text: str) -> bool:
        """Whether a text holds a secret, or so much of one that it is given away."""
        if self.is_full:
            return True
        for form in {text.lower(), _without_signs(text)}:
            if any(form[at : at + _PART] in self._parts for at in range(len(form) - _PART + 1)):
                return True
            if any(secret in form for secret in self._whole):
                return True
        return False


def _without_signs(text: str) -> str:
    """Digits of octets are written with colons, blanks, `0x` or `\\x` between them, or without."""
    return re.sub(r"(?i)(\\x|0x|[^0-9a-z])", "", text).lower()


def _forms(secret: bytes) -> Iterator[str]:
    """The texts that tell a secret: as it is, in two octets a character, in hexadecimal, Base64, turned round."""
    texts = {secret.decode("latin-1")}
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        try:
            texts.add(secret.decode(encoding))
        except UnicodeDecodeError:
            continue
    for text in sorted(texts):
        lower = text.strip("\r\n\0 ").lower()
        yield lower
        yield lower[::-1]
        yield _without_signs(lower)
    if len(secret) > 2:
        yield secret.hex()
        yield secret[::-1].hex()
        for shift in range(3):
            encoded = base64.b64encode(bytes(shift) + secret).decode()
            yield encoded[-(-8 * shift // 6) : 8 * (shift + len(secret)) // 6].lower()
        try:
            yield base64.b64decode(secret, validate=True).decode("latin-1").lower()
        except ValueError:
            return


def secrets_of(layers: Sequence[Node]) -> Iterator[bytes]:
    """The octets of fields that are secrets by their name, and the texts below them."""
    waiting = [(node, False) for node in layers]
    while waiting:
        node, inside = waiting.pop()
        is_secret = inside or _is("secret", node.name)
        if is_secret and node.octets:
            yield node.octets
        if is_secret and not node.octets and (said := _value(node.text)):
            yield said.encode()
        waiting += [(child, is_secret) for child in node.below]


def _value(text: str) -> str:
    return text.partition(": ")[2].removesuffix("\\r\\n")


def masked(
    layers: Sequence[Node], known: Dictionary, trust: Trust, vault: Vault | None = None
) -> tuple[tuple[Line, ...], Vault]:
    """The lines of a frame, and the secrets that were found in it. `vault` are those of frames beside it."""
    vault = vault or Vault(secrets_of(layers))
    start = next((node.position for node in _walk(layers) if node.name in ("tcp.payload", "udp.payload")), None)
    may_carry = any(layer.name in _CARRIERS for layer in layers) and (
        start is not None or any(not _is("below", layer.name) for layer in layers)
    )
    reader = _Reader(known, vault, trust if may_carry else Trust(None), start, _is_joined(layers))
    return tuple(reader.layer(layer) for layer in layers if not layer.is_hidden), vault


def _is_joined(layers: Sequence[Node]) -> bool:
    """Whether the message came in several packets, so that positions are those of another buffer."""
    return any(node.name in ("tcp.segments", "ip.fragments", "ipv6.fragments") for node in _walk(layers))


class _Reader:
    """Turns nodes of one frame into lines."""

    def __init__(self, known: Dictionary, vault: Vault, trust: Trust, start: int | None, joined: bool) -> None:
        self._known, self._vault, self._trust = known, vault, trust
        self._end = None if start is None or joined or not trust.keep else start + trust.keep

    def layer(self, layer: Node) -> Line:
        is_below = _is("below", layer.name)
        return self._line(layer, is_below=is_below, is_control=layer.name in _CONTROL_LAYERS)

    def _line(self, node: Node, *, is_below: bool, is_control: bool) -> Line:
        below = [child for child in node.below if not child.is_hidden]
        if _is("secret", node.name):
            return Line(node.name, f"{self._title(node)}: {MASK}", True, ())
        told = self._text(node, is_below=is_below, is_control=is_control)
        if told is not None and self._vault.holds(told):
            told = None
        is_layer = node.is_layer and told is None
        text = self._title(node) if is_layer else MASK if told is None else told
        if told is None and not is_layer and node.name:
            text = f"{self._title(node)}: {MASK}"
        lines = tuple(self._line(child, is_below=is_below, is_control=is_control) for child in below)
        return Line(node.name, visible(text, MOST_TEXT), told is None and not is_layer, lines)

    def _text(self, node: Node, *, is_below: bool, is_control: bool) -> str | None:
        """What is told of a node; none where it is masked."""
        if self._trust.is_whole:
            return node.text
        if _is("length", node.name) or _is("payload", node.name):
            return None
        if node.is_layer:
            return self._title(node) if not is_below or node.name in ("frame", "tcp", "udp") else node.text
        if is_below:
            return node.text if node.name else None
        if is_control and (self._end is None or node.position + max(node.size, 1) > self._end):
            return None
        if _is("shown", node.name):
            return node.text
        if _is("verb", node.name):
            return node.text if _is("verbs", _value(node.text)) else None
        field = self._known.fields.get(node.name)
        if field is None:
            return self._title(node) if node.name in self._known.protocols else None
        if field.kind in ("FT_NONE", "FT_PROTOCOL"):
            return field.title
        return None if is_text(field.kind) else node.text

    def _title(self, node: Node) -> str:
        field = self._known.fields.get(node.name)
        return field.title if field is not None else self._known.protocols.get(node.name, node.name)
