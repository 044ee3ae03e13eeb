"""A baseline as its file: sorted, a line or a short block for each thing learned, with the comments that people wrote.

Each line has an anchor: the thing that it is of, and its key. Comments are kept by it, so that they stay where they
were when the file is written anew.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Final, NamedTuple, TypeVar

from zonewatch.rules.baseline.model import (
    Baseline,
    Capture,
    Edge,
    Function,
    KnownAsset,
    Objects,
    Review,
    Signature,
    number,
)
from zonewatch.rules.policy.document import Document, Place
from zonewatch.rules.policy.written import scalar, sequence

Anchor = tuple[object, ...]
T = TypeVar("T")
HEAD: Final = (
    "# Baseline of a network: what was seen on it. Read it, strike out what should not be, write `limits` and `note`",
    "# where you know better, and move each asset from learning to review and enforcing:",
    "#   zonewatch baseline review FILE --asset ID --to enforcing --by NAME",
)
_BLOCK_SCALAR: Final = re.compile(r":\s+[|>][-+0-9]*\s*$")


class Line(NamedTuple):
    """A line of the file."""

    anchor: Anchor
    margin: str
    text: str


class Comments(NamedTuple):
    """What people wrote: above a line, and behind it."""

    above: Mapping[Anchor, tuple[str, ...]]
    behind: Mapping[Anchor, str]
    end: tuple[str, ...]


NONE: Final = Comments({}, {}, ())
NEW: Final = Comments({("baseline_version",): HEAD}, {}, ())
"""Of a new file."""


def written(baseline: Baseline, comments: Comments = NONE) -> str:
    """The whole file."""
    above, behind = dict(comments.above), dict(comments.behind)
    text = []
    for line in lines(baseline):
        text += [f"{line.margin}{comment}" for comment in _taken(above, line.anchor, ())]
        tail = _taken(behind, line.anchor, "")
        text.append(f"{line.margin}{line.text}" + (f"  {tail}" if tail else ""))
    # Of lines that are no longer there.
    text += [comment for comments_ in above.values() for comment in comments_]
    text += [*behind.values(), *comments.end]
    return "\n".join(text) + "\n"


def _taken(found: dict[Anchor, T], anchor: Anchor, default: T) -> T:
    """What waited is found under its place among the rest, too, when it was reviewed."""
    if anchor in found:
        return found.pop(anchor)
    if anchor and anchor[0] == "edges":
        return found.pop(("pending", *anchor[1:]), default)
    return default


def lines(baseline: Baseline) -> Iterator[Line]:
    """Every line, sorted."""
    yield Line(("baseline_version",), "", f"baseline_version: {baseline.baseline_version}")
    if baseline.signed is not None:
        yield Line(("signed",), "", f"signed: {_signature(baseline.signed)}")
    yield from _list("learned", [_capture(capture) for capture in baseline.learned])
    yield from _list("assets", [_asset(asset) for asset in baseline.assets])
    yield from _list("edges", [_edge(edge, "edges") for edge in baseline.edges])
    if baseline.pending:
        yield from _list("pending", [_edge(edge, "pending") for edge in baseline.pending])


def _list(name: str, items: Iterable[Iterable[Line]]) -> Iterator[Line]:
    listed = list(items)
    yield Line((name,), "", f"{name}:" if listed else f"{name}: []")
    for item in listed:
        yield from _item(item, "  ")


def _item(entries: Iterable[Line], margin: str) -> Iterator[Line]:
    """The entries of a mapping as an item of a list."""
    for number_, entry in enumerate(entries):
        if number_ == 0:
            yield Line(entry.anchor, margin, f"- {entry.text}")
        else:
            yield Line(entry.anchor, f"{margin}  {entry.margin}", entry.text)


def _flow(entries: Iterable[tuple[str, str]]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in entries) + "}"


def _signature(signed: Signature) -> str:
    return _flow((("by", scalar(signed.by)), ("on", str(signed.on)), ("digest", scalar(signed.digest))))


def _capture(capture: Capture) -> Iterator[Line]:
    entries = [("capture", scalar(capture.capture))]
    if capture.sha256:
        entries.append(("sha256", scalar(capture.sha256)))
    entries.append(("packets", str(capture.packets)))
    entries += [(key, _time(time)) for key, time in (("first", capture.first), ("last", capture.last)) if time]
    yield Line(("learned", capture.capture, capture.sha256), "", _flow(entries))


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _review(review: Review) -> str:
    return _flow((("by", scalar(review.by)), ("on", str(review.on))))


def _asset(asset: KnownAsset) -> Iterator[Line]:
    entries = [("id", scalar(asset.id)), ("stage", asset.stage), ("role", asset.role)]
    if asset.addresses:
        entries.append(("addresses", sequence(asset.addresses)))
    if asset.macs:
        entries.append(("macs", sequence(asset.macs)))
    if asset.identity:
        entries.append(("identity", _flow((key, scalar(value)) for key, value in sorted(asset.identity.items()))))
    entries.append(("seen", str(asset.seen)))
    if asset.reviewed is not None:
        entries.append(("reviewed", _review(asset.reviewed)))
    if asset.note:
        entries.append(("note", scalar(asset.note)))
    for key, value in entries:
        yield Line(("assets", asset.id, key), "", f"{key}: {value}")


def _edge(edge: Edge, room: str) -> Iterator[Line]:
    own = (room, *edge.key)
    entries = [("client", scalar(edge.client)), ("server", scalar(edge.server)), ("protocol", scalar(edge.protocol))]
    if not edge.answered:
        entries.append(("answered", "false"))
    if edge.client_units:
        entries.append(("client_units", sequence(edge.client_units)))
    entries.append(("seen", str(edge.seen)))
    habit = edge.select_before_operate
    if habit is not None:
        entries.append(
            ("select_before_operate", _flow((("selected", str(habit.selected)), ("direct", str(habit.direct)))))
        )
    if edge.note:
        entries.append(("note", scalar(edge.note)))
    for key, value in entries:
        yield Line((*own, key), "", f"{key}: {value}")
    if edge.functions:
        yield Line((*own, "functions"), "", "functions:")
        for function in edge.functions:
            yield from _item(_function(function, own), "  ")
    if edge.transitions:
        yield Line((*own, "transitions"), "", "transitions:")
        for item in edge.transitions:
            pair = (("before", scalar(item.before)), ("after", scalar(item.after)), ("times", str(item.times)))
            yield Line((*own, "transitions", item.before, item.after), "  ", f"- {_flow(pair)}")


def _function(function: Function, edge: Anchor) -> Iterator[Line]:
    own = (*edge, *function.key)
    entries = [] if function.code is None else [("code", str(function.code))]
    if function.name:
        entries.append(("name", scalar(function.name)))
    entries.append(("operation", function.operation))
    if function.unit:
        entries.append(("unit", scalar(function.unit)))
    entries.append(("seen", str(function.seen)))
    if function.note:
        entries.append(("note", scalar(function.note)))
    for key, value in entries:
        yield Line((*own, key), "", f"{key}: {value}")
    if function.objects:
        yield Line((*own, "objects"), "", "objects:")
        for item in function.objects:
            yield Line((*own, "objects", str(item.range)), "  ", f"- {_objects(item)}")


def _objects(item: Objects) -> str:
    entries = [("range", scalar(str(item.range))), ("times", str(item.times))]
    if item.values is not None:
        entries += [("values", str(item.values)), ("changes", str(item.changes))]
    if item.limits is not None:
        entries.append(("limits", str(item.limits)))
    if item.period is not None:
        entries += [
            (key, number(value or 0.0))
            for key, value in (("period", item.period), ("mad", item.mad), ("longest", item.longest))
        ]
        entries.append(("gaps", str(item.gaps)))
    if item.note:
        entries.append(("note", scalar(item.note)))
    return _flow(entries)


def comments_of(text: str, document: Document, baseline: Baseline) -> Comments:
    """The comments of a file, each by the line that it is above or behind."""
    if "#" not in text:
        return NONE
    anchors = _Anchors(document, baseline)
    above: defaultdict[Anchor, list[str]] = defaultdict(list)
    behind: dict[Anchor, str] = {}
    waiting: list[str] = []
    block = -1  # margin of a text over several lines
    for number_, line in enumerate(text.splitlines(), 1):
        margin = len(line) - len(line.lstrip())
        if block >= 0 and (margin > block or not line.strip()):
            continue
        block = margin if _BLOCK_SCALAR.search(line) else -1
        if line.lstrip().startswith("#"):
            waiting.append(line.strip())
            continue
        if waiting and (here := anchors.at(number_)) is not None:
            above[here] += waiting
            waiting = []
        comment = _comment(line) if "#" in line else ""
        if comment and (last := anchors.before(number_)) is not None:
            behind[last] = f"{behind[last]} {comment}" if last in behind else comment
    return Comments({key: tuple(found) for key, found in above.items() if found}, behind, tuple(waiting))


def _comment(line: str) -> str:
    """What is behind a value: from a # that is led by a blank and not in quotes."""
    quote = ""
    for place, mark in enumerate(line):
        if quote:
            if mark == quote and not (quote == '"' and line[place - 1] == "\\"):
                quote = ""
        elif mark in "\"'" and (place == 0 or line[place - 1] in " [{,:"):
            quote = mark
        elif mark == "#" and place and line[place - 1] in " \t":
            return line[place:].rstrip()
    return ""


class _Anchors:
    """Anchors by the number of the line; of several on one line the first, keys before items of lists.

    They are made when they are asked for: few lines have a comment.
    """

    def __init__(self, document: Document, baseline: Baseline) -> None:
        self._baseline = baseline
        self._last: tuple[int, Anchor | None] = (0, None)
        self._paths: defaultdict[int, list[tuple[int, int, Place]]] = defaultdict(list)
        for path, (line, column) in document.keys.items():
            self._paths[line].append((0, column, path))
        for path, (line, column) in document.places.items():
            if path and isinstance(path[-1], int):
                self._paths[line].append((1, column, path))

    def at(self, line: int) -> Anchor | None:
        """The anchor of a line."""
        paths = sorted(self._paths.get(line, ()), key=itemgetter(0, 1))
        return next((found for *_, path in paths if (found := _anchor(path, self._baseline)) is not None), None)

    def before(self, line: int) -> Anchor | None:
        """The anchor of a line, or of the nearest one above that has one. Lines are asked for in their order."""
        known, last = self._last
        near = (found for number_ in range(line, known, -1) if (found := self.at(number_)) is not None)
        self._last = line, next(near, last)
        return self._last[1]


def _anchor(path: Place, baseline: Baseline) -> Anchor | None:
    """The anchor of a key or item of a file; none for parts of a line."""
    room, *rest = path
    if not rest:
        return (room,)
    index, *inner = rest
    if not isinstance(index, int):
        return None
    if room == "learned":
        capture = baseline.learned[index]
        return ("learned", capture.capture, capture.sha256)
    if room == "assets":
        return ("assets", baseline.assets[index].id, inner[0]) if len(inner) == 1 else None
    if room not in ("edges", "pending"):
        return None
    edge = (baseline.edges if room == "edges" else baseline.pending)[index]
    own = (room, *edge.key)
    match inner:
        case [str(key)]:
            return (*own, key)
        case ["transitions", int(number_), *_]:
            item = edge.transitions[number_]
            return (*own, "transitions", item.before, item.after)
        case ["functions", int(number_), str(key)]:
            return (*own, *edge.functions[number_].key, key)
        case ["functions", int(number_), "objects", int(place), *_]:
            function = edge.functions[number_]
            return (*own, *function.key, "objects", str(function.objects[place].range))
    return None
