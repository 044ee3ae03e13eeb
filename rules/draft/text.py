"""The draft as text: a new policy file, or the change of an existing one."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

from zonewatch.rules.context import listing, times
from zonewatch.rules.draft.make import Length, Line, Made
from zonewatch.rules.policy.edit import Add, Edit, EditError, edited
from zonewatch.rules.policy.load import PolicyErrors, parse_policy
from zonewatch.rules.policy.times import SECOND
from zonewatch.rules.policy.written import scalar, sequence
from zonewatch.rules.propose import head_lines

WIDTH: Final = 116
ENOUGH: Final = 0.02
"""At most this share of new combinations in the last tenth: longer capture would add little."""
LEAST_DAYS: Final = 7


def new_file(made: Made) -> str:
    """The whole policy. It loads as it is; what is to be reviewed is in comments at its end."""
    lines = [
        "# Draft of a zone policy, made from observed traffic. Nobody approved this yet.",
        "# It allows what was seen and answered, wanted or not: read each flow, remove what should not be, give a",
        "# purpose and an owner. Behind each flow is what it rests on.",
        *(f"# {text}" for text in length_notes(made.length)),
        *head_lines(made.policy),
        "conduits:" if made.lines else "conduits: []",
    ]
    for _, group in groupby(made.lines, key=lambda line: line.conduit):
        listed = list(group)
        lines += _conduit(listed[0])
        for line in listed:
            lines += _flow(line, "      ")
    return "\n".join((*lines, *review_lines(made.review))) + "\n"


def change(text: str, made: Made, name: str, known_assets: Iterable[str] = ()) -> tuple[str, str]:
    """The existing file with the flows added, and the difference as a unified diff.

    Raises EditError where the form of the file cannot take them.
    """
    known = list(known_assets)
    for comments in (True, False):
        for block in (True, False):
            try:
                new = edited(text, _edits(made, comments, block))
                parse_policy(new, name, known)
            except (EditError, PolicyErrors):
                continue
            return new, "".join(
                difflib.unified_diff(
                    text.splitlines(keepends=True), new.splitlines(keepends=True), name, f"{name} (draft)"
                )
            )
    raise EditError("the form of its conduits cannot take new flows; write them as a block list")


def _edits(made: Made, comments: bool, block: bool) -> Iterator[Edit]:
    numbers = {conduit.id: number for number, conduit in enumerate(made.policy.conduits)}
    # What is added to the last conduit stands before a new one.
    ordered = sorted(made.lines, key=lambda line: (line.conduit not in numbers, line.conduit))
    for conduit, group in groupby(ordered, key=lambda line: line.conduit):
        listed = list(group)
        flows = [f"{{{', '.join(_entries(line))}}}" for line in listed]
        told = [f"{flow} # {_usage(line)}" if comments else flow for flow, line in zip(flows, listed, strict=True)]
        number = numbers.get(conduit)
        if number is not None and made.policy.conduits[number].flows:
            yield from (Add(("conduits", number, "flows"), "", text) for text in told)
        elif number is not None:
            yield Add(("conduits", number), "flows", f"[{', '.join(flows)}]")
        elif made.policy.conduits and block:
            head = (
                f"id: {scalar(conduit)}",
                f"from: {scalar(listed[0].from_zone)}",
                f"to: {scalar(listed[0].to_zone)}",
            )
            yield Add(("conduits",), "", "\n".join((*head, "flows:", *(f"  - {text}" for text in told))))
        else:
            ends = f"from: {scalar(listed[0].from_zone)}, to: {scalar(listed[0].to_zone)}"
            yield Add(("conduits",), "", f"{{id: {scalar(conduit)}, {ends}, flows: [{', '.join(flows)}]}}")


def _conduit(line: Line) -> Iterator[str]:
    yield f"  - id: {scalar(line.conduit)}"
    yield f"    from: {scalar(line.from_zone)}"
    yield f"    to: {scalar(line.to_zone)}"
    yield "    flows:"


def _entries(line: Line) -> Iterator[str]:
    draft = line.draft
    yield f"id: {scalar(line.id)}"
    yield f"protocol: {scalar(draft.protocol)}"
    if draft.ports:
        yield f"ports: {sequence(draft.ports)}"
    if draft.operations:
        yield f"operations: {sequence(draft.operations)}"
    if draft.codes:
        yield f"function_codes: [{', '.join(map(str, draft.codes))}]"
    if draft.clients:
        yield f"clients: {sequence(draft.clients)}"
    if draft.servers:
        yield f"servers: {sequence(draft.servers)}"
    if draft.objects:
        yield f"objects: {sequence(map(str, draft.objects))}"
    purpose = scalar(line.purpose) if line.purpose else '""'
    yield f"purpose: {purpose}"


def _flow(line: Line, margin: str) -> Iterator[str]:
    """In as few lines as its width needs."""
    rows = [f"{margin}- {{"]
    entries = list(_entries(line))
    for number, entry in enumerate(entries):
        piece = entry + ("}" if number == len(entries) - 1 else ",")
        opened = rows[-1].endswith("{")
        if opened or len(rows[-1]) + 1 + len(piece) <= WIDTH:
            rows[-1] += piece if opened else f" {piece}"
        else:
            rows.append(f"{margin}   {piece}")
    yield from (*rows[:-1], f"{rows[-1]} # {_usage(line)}")


def _usage(line: Line) -> str:
    draft = line.draft
    return f"{times(draft.events, 'time')} on {times(len(draft.days), 'day')}, last {moment(draft.last)}"


def review_lines(lines: Iterable[Line]) -> Iterator[str]:
    """What is to be reviewed, as comments."""
    listed = list(lines)
    if not listed:
        return
    yield "# Review: seen and not drafted. Each flow needs a purpose, typed by somebody who answers for it:"
    yield '#   zonewatch policy draft … --purpose CONDUIT/FLOW="why it is needed"'
    for line in listed:
        yield f"# {line.name}: {', '.join(line.draft.reasons)}"
        yield f"#   from {line.from_zone} to {line.to_zone}"
        yield from (f"# {text}" for text in _flow(line, "  "))


def length_notes(length: Length) -> Iterator[str]:
    """Whether what was seen is likely to be all."""
    if not length.combinations:
        yield "Nothing was seen."
        return
    span = f"{moment(length.first)} to {moment(length.last)}"
    new = f"{length.late:,} of {times(length.combinations, 'combination')} came in the last tenth ({length.share:.1%})"
    if length.share > ENOUGH:
        yield f"Seen {span}: too short, {new}."
    else:
        yield f"Seen {span}: long enough for what goes on all the time, {new}."
    if (length.last - length.first) // SECOND < LEAST_DAYS * 86_400:
        yield f"It is less than {LEAST_DAYS} days: what happens weekly, or in an outage only, was not seen."


def summary(made: Made) -> Iterator[str]:
    """What was drafted and what was not, in words."""
    yield from length_notes(made.length)
    yield f"{times(len(made.lines), 'flow')} for {times(made.combinations, 'combination')}."
    if made.review:
        yield f"{times(len(made.review), 'flow')} to review, not drafted: {listing(line.name for line in made.review)}."
    if made.attempts:
        yield f"{times(made.attempts, 'connection')} only attempted: not drafted."
    if made.narrowed:
        yield f"{times(made.narrowed, 'combination')} beyond a limit of values or times that a flow sets: not drafted."
    if made.unzoned:
        yield f"In no zone, so without flows: {listing(made.unzoned)}."


def moment(nanoseconds: int) -> str:
    """`2026-03-02T08:00:00Z`."""
    return dt.datetime.fromtimestamp(nanoseconds // SECOND, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
