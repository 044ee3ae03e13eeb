"""A mini capture with pseudonyms."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from zonewatch.reports.proof.pcapng import COMMENT, IF_FCSLEN, IF_NAME, Interface, MiniCapture, Packet, dumps, loads
from zonewatch.reports.pseudonyms.fields import treated
from zonewatch.reports.pseudonyms.packets import rewritten
from zonewatch.reports.pseudonyms.payloads import Known, carried
from zonewatch.reports.pseudonyms.words import Words

__all__ = ["pseudonymised"]

_COMMENT: Final = re.compile(r"(frame [0-9]+) of (.*)", re.DOTALL)


def pseudonymised(octets: bytes, words: Words, secret: Known) -> bytes:
    """The same packets at the same times. Raises PcapngError."""
    capture = loads(octets)
    packets = (_packet(one, capture.interfaces[one.interface], words, secret) for one in capture.packets)
    interfaces = (_interface(one, words) for one in capture.interfaces)
    return dumps(MiniCapture(tuple(interfaces), tuple(packets), capture.options))


def _interface(one: Interface, words: Words) -> Interface:
    kept = [(code, value) for code, value in one.options if code not in (IF_FCSLEN, IF_NAME)]
    name = treated(words, "point", one.name).encode()
    return replace(one, options=((IF_NAME, name), *kept) if one.name else tuple(kept))


def _packet(one: Packet, interface: Interface, words: Words, secret: Known) -> Packet:
    check = dict(interface.options).get(IF_FCSLEN, b"\0")[0] // 8  # a check sequence would tell the old octets
    data = one.data[: max(one.length - check, 0)] if len(one.data) == one.length else one.data
    told, cut = rewritten(interface.link, data, words.keyed, lambda part: carried(part, secret, words.keyed))
    was_cut = len(one.data) < one.length
    length = max(one.length, len(told)) if cut or was_cut else len(told)
    options = tuple((code, _comment(value, words)) for code, value in one.options if code == COMMENT)
    return replace(one, data=told, length=length, options=options)


def _comment(value: bytes, words: Words) -> bytes:
    found = _COMMENT.fullmatch(value.decode("utf-8", errors="replace"))
    return f"{found[1]} of {treated(words, 'capture', found[2])}".encode() if found is not None else b""
