"""`docs/facts.md`, made from the tables.

python -m zonewatch.reports.facts.document > docs/facts.md
"""

from __future__ import annotations

from collections.abc import Iterator

from zonewatch.reports.catalogue.load import fact_kinds
from zonewatch.reports.catalogue.model import FactKind
from zonewatch.reports.facts.measure import MEASURED, NOT_YET, Measure
from zonewatch.reports.facts.model import HOUR, MINIMUM, MOST_OBSERVATIONS, REASONS

_HEAD = f"""\
# Facts

A fact is one thing that traffic can show, with a fixed name. Compliance reports are made of facts: the requirements of
a standard name the facts that speak against them, for them, or raise a question. This page is made from the tables of
`reports/facts`.

## What is said of a fact

| status | meaning |
|---|---|
| observed | it was measured, with count, first and last time, frames and the findings that tell more |
| not observed | enough was seen, and it did not occur |
| not observable | nothing may be said; the reason stands beside it |

It is said zone by zone, and of the whole system. What crosses a boundary is told for the zones on both of its sides, so
counts of zones are never added. More than {MOST_OBSERVATIONS} observations of a fact in a zone: the rest is one line,
with `*` for words that differ.

Enough was seen of a zone where the captures span {MINIMUM.window // HOUR} hours, {MINIMUM.seen:.0%} of its declared
assets sent something, {MINIMUM.both_ways:.0%} of its TCP connections were captured in both directions,
{MINIMUM.decoded:.0%} of all octets were recognised, and nothing was dropped. These are `MINIMUM` of
`reports/facts/model.py`; a report prints them.

What an approved exception or maintenance window of the policy let pass is observed all the same, and carries its id. An
exception that nobody approved covers nothing. A command counts where it was neither refused nor left without an answer
that was due. A port that was only tried carries nothing of its service.

Why nothing may be said:

| reason | in words |
|---|---|
"""


def document() -> str:
    """The text of the page."""
    reasons = "".join(f"| `{key}` | {text} |\n" for key, text in REASONS.items())
    return _HEAD + reasons + "".join(_groups())


def _groups() -> Iterator[str]:
    group = ""
    for kind in fact_kinds().values():
        if kind.group != group:
            group = kind.group
            yield f"\n## {group[:1].upper()}{group[1:]}\n"
        yield from _fact(kind)


def _fact(kind: FactKind) -> Iterator[str]:
    yield f"\n### {kind.title} (`{kind.id}`)\n\n{kind.measured}. Polarity: {kind.polarity}.\n\n"
    how = MEASURED.get(kind.id)
    if how is None:
        yield f"- Not measured yet. {NOT_YET[kind.id]}\n"
    else:
        yield f"- Measured as: {_words(how)}\n"
        yield f"- Its absence: {_absence(how)}\n"
    if kind.limits:
        yield f"- Limits: {kind.limits}.\n"


def _words(how: Measure) -> str:
    return " ".join((how.find.__doc__ or "").split())


def _absence(how: Measure) -> str:
    if how.never:
        return f"never told, for {REASONS[how.never]}."
    told = "told wherever packets were captured" if how.coverage else "told where enough was seen"
    needs = [f"not where {REASONS[reason]}" for reason in how.needs]
    rules = [f"its rules have to be on: {', '.join(f'`{rule}`' for rule in how.rules)}"] if how.rules else []
    return "; ".join((told, *needs, *rules)) + "."


if __name__ == "__main__":
    print(document(), end="")
