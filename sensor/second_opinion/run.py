"""The second opinion on the inputs of an audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.reports.second_opinion import Compared, SecondOpinion
from zonewatch.reports.words import visible
from zonewatch.sensor.second_opinion import ours, theirs
from zonewatch.sensor.second_opinion.compare import Pair, opinion
from zonewatch.sensor.wireshark.tshark import TsharkMissing, find

__all__ = ["second_opinion"]

_PIPED: Final = "standard input cannot be read twice"


def second_opinion(points: Iterable[Source], tell: Callable[[str], None] = lambda _: None) -> SecondOpinion:
    """Every file read by tshark and once more by the engine. What fails is said in the opinion, never raised.

    `tell` is called with the name of each file before it is read.
    """
    try:
        tshark = find()
    except TsharkMissing as error:
        return SecondOpinion(problem=visible(str(error)))
    pairs: list[Pair] = []
    unread: list[Compared] = []
    for point in points:
        for file in point.files:
            if not isinstance(file.path, Path):
                unread.append(Compared(point.name, file.name, 0, _PIPED))
                continue
            tell(file.name)
            try:
                there = theirs.count(tshark, file.path)
            except OSError as error:
                unread.append(Compared(point.name, file.name, 0, visible(error.strerror or str(error))))
                continue
            here = ours.count(CaptureFile(file.name, file.path), there.frames)
            pairs.append(Pair(point.name, file.name, here, there))
    return opinion(tshark.version, pairs, unread)
