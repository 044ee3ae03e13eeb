"""The neutral tree of a document: what every form renders. Nothing here knows a medium, and every text is data.

A text is a tuple of spans. Ids are anchors: `anchor` makes one of a name, and a span whose target is an anchor of the
document becomes a link wherever the form has links.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

__all__ = [
    "Block",
    "Bullets",
    "Column",
    "Document",
    "Field",
    "Figure",
    "Note",
    "PageBreak",
    "Paragraph",
    "Record",
    "Section",
    "SignOff",
    "Signature",
    "Span",
    "Table",
    "Text",
    "anchor",
    "anchors",
    "blocks",
    "plain",
    "rows_each",
    "tables",
    "text",
]

SpanKind = Literal["", "finding", "frame", "asset", "requirement", "fact", "code", "strong"]
Align = Literal["left", "right"]
Origin = Literal["", "declared", "proposed", "observed", "open"]
NoteKind = Literal["limit", "finding", "question"]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text, and what it names."""

    text: str
    kind: SpanKind = ""
    target: str = ""  # an anchor of the document; empty: no link
    value: int | float | None = None  # the number that the text shows, for forms that calculate
    language: str = ""  # where it is not the document's


Text = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: Text
    block: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list whose order says nothing, or with `ordered` one whose order does."""

    items: tuple[Text, ...]
    ordered: bool = False
    block: Literal["bullets"] = "bullets"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    align: Align = "left"
    width: float = 1.0  # its share of the table's width


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns. With `heads` the first cell names its row."""

    id: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Text, ...], ...]
    caption: str
    note: Text = ()
    heads: bool = False
    block: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing, with a title and a description for those who do not see it."""

    id: str
    svg: str
    title: str
    description: str
    block: Literal["figure"] = "figure"


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a record, and where its value comes from."""

    label: str
    cell: Text
    origin: Origin = ""
    lines: int = 0  # empty ones below it, for a person to write on


@dataclass(frozen=True, slots=True)
class Record:
    """A thing with its fields: a finding, a zone, a conduit."""

    id: str
    title: Text
    rows: tuple[Field, ...]
    block: Literal["record"] = "record"


@dataclass(frozen=True, slots=True)
class Note:
    """What a reader must not miss: a limit, a finding, a question to answer."""

    kind: NoteKind
    text: Text
    block: Literal["note"] = "note"


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signs for what; the rest is blank."""

    role: str
    statement: str


@dataclass(frozen=True, slots=True)
class SignOff:
    """Lines to be signed by people."""

    rows: tuple[Signature, ...]
    block: Literal["sign_off"] = "sign_off"


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows begins a page, in forms that have pages."""

    block: Literal["page_break"] = "page_break"


Block = Paragraph | Bullets | Table | Figure | Record | Note | SignOff | PageBreak


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter, with its blocks before its sections."""

    id: str
    title: str
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report."""

    id: str
    title: str
    subtitle: str
    language: str
    cover: tuple[Field, ...]
    sections: tuple[Section, ...]
    footer: str
    as_of: int = 0  # what counts as its date


_SAFE: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def anchor(kind: str, name: str) -> str:
    """The id of a thing: readable where its name is, and never the same for two names."""
    slug = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:40].strip("-")
    if slug != name or not _SAFE.fullmatch(slug):
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        slug = f"{slug}-{digest}" if slug else digest
    return f"{kind}-{slug}"


def text(*parts: str | Span) -> Text:
    """A text of strings and spans."""
    return tuple([_span(part) if isinstance(part, str) else part for part in parts])


_span: Callable[[str], Span] = lru_cache(maxsize=1 << 14)(Span)
"""Names of zones, protocols and words come again in every row of a large table."""


def plain(spans: Text) -> str:
    """A text without its marks."""
    return spans[0].text if len(spans) == 1 else "".join([span.text for span in spans])


def blocks(document: Document) -> Iterator[Block]:
    """Every block, in reading order."""

    def walk(sections: tuple[Section, ...]) -> Iterator[Block]:
        for section in sections:
            yield from section.blocks
            yield from walk(section.sections)

    return walk(document.sections)


def tables(document: Document) -> tuple[Table, ...]:
    """Every table, in reading order."""
    return tuple(block for block in blocks(document) if isinstance(block, Table))


FEWEST: Final = 10
"""Rows of a table that every form shows."""


def rows_each(counts: Iterable[int], most: int, in_all: int) -> int:
    """How many rows of each table are shown: at most `most`, and of all tables together `in_all`.

    Short tables stay whole, and what they leave is the long ones'. Never fewer than FEWEST.
    """
    left, waiting = in_all, sorted(min(count, most) for count in counts)
    for place, count in enumerate(waiting):
        share = left // (len(waiting) - place)
        if count > share:
            return max(share, FEWEST)
        left -= count
    return most


def anchors(document: Document) -> frozenset[str]:
    """Every id that a span may point to."""

    def walk(sections: tuple[Section, ...]) -> Iterator[str]:
        for section in sections:
            yield section.id
            yield from walk(section.sections)

    named = (block.id for block in blocks(document) if isinstance(block, Table | Figure | Record))
    return frozenset((*walk(document.sections), *named))
