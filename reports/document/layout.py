"""A document made ready for pages: numbers given, links resolved, long tables cut, every text made visible.

HTML and PDF walk the same plain tree, so that they say the same and number alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from zonewatch.reports.document.model import (
    Block,
    Bullets,
    Document,
    Field,
    Figure,
    Note,
    PageBreak,
    Paragraph,
    Record,
    Section,
    SignOff,
    Span,
    Table,
    Text,
    anchor,
    anchors,
    rows_each,
    tables,
)
from zonewatch.reports.document.names import csv_names
from zonewatch.reports.document.picture import checked, measured
from zonewatch.reports.texts import Texts
from zonewatch.reports.words import visible

__all__ = ["WORKBOOK", "laid_out"]

NAMELESS: Final = "–"
"""A heading or a picture without a name: readers of screens need one."""
WORKBOOK: Final = "tables.xlsx"
MOST_LINES: Final = 12
"""Empty lines below one field."""
_WORDS: Final = (
    *("contents", "skip", "theme", "cover", "filter", "name", "date", "signature", "role", "origin", "table_empty"),
)
_SAFE: Final = re.compile(r"[a-z][a-z0-9-]*")
_LANGUAGE: Final = re.compile(r"[a-z]{2}")


@dataclass(slots=True)
class _Layout:
    texts: Texts
    most_rows: int
    anchors: frozenset[str]
    files: dict[int, str]
    clean: Callable[[str], str]
    taken: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=lambda: {"figure": 0, "table": 0})

    def spans(self, text: Text) -> list[dict[str, Any]]:
        return [
            {
                "text": self.clean(span.text),
                "kind": span.kind,
                "target": _safe(span.target) if span.target in self.anchors else "",
                "language": span.language if _LANGUAGE.fullmatch(span.language) else "",
                "value": span.value,
            }
            for span in text
            if span.text
        ]

    def named(self, name: str) -> str:
        """An id of safe characters that nothing before has: links go to the first of equal ones."""
        safe = found = _safe(name)
        place = 2
        while found in self.taken:
            found = f"{safe}--{place}"
            place += 1
        self.taken.add(found)
        return found

    def fields(self, rows: Iterable[Field]) -> list[dict[str, Any]]:
        return [
            {
                "label": self.clean(row.label),
                "cell": self.spans(row.cell),
                "origin": self._origin(row),
                "lines": min(max(row.lines, 0), MOST_LINES),
            }
            for row in rows
        ]

    def _origin(self, row: Field) -> dict[str, str] | None:
        return {"name": row.origin, "word": self.texts.word("origin", row.origin)} if row.origin else None

    def _numbered(self, kind: str, title: str) -> str:
        self.counts[kind] += 1
        return self.texts.say(f"form.{kind}", number=self.counts[kind], title=self.clean(title))

    def section(self, section: Section, number: str, level: int) -> dict[str, Any]:
        return {
            "id": self.named(section.id),
            "number": number,
            "title": self.clean(section.title) or NAMELESS,
            "level": level,
            "blocks": [self.block(block) for block in section.blocks],
            "sections": [
                self.section(inner, f"{number}.{place}", level + 1) for place, inner in enumerate(section.sections, 1)
            ],
        }

    def block(self, block: Block) -> dict[str, Any]:
        told: dict[str, Any]
        match block:
            case Paragraph():
                told = {"text": self.spans(block.text)}
            case Bullets():
                told = {"items": [self.spans(item) for item in block.items], "ordered": block.ordered}
            case Note():
                told = {
                    "kind": block.kind,
                    "word": self.texts.word("note", block.kind),
                    "text": self.spans(block.text),
                }
            case Table():
                told = self.table(block)
            case Figure():
                wide, high = measured(block.svg)
                told = {
                    "id": self.named(block.id),
                    "svg": self.clean(checked(block.svg)),
                    "width": wide,
                    "height": high,
                    "caption": self._numbered("figure", block.title),
                    "description": self.clean(block.description) or NAMELESS,
                }
            case Record():
                told = {
                    "id": self.named(block.id),
                    "title": self.spans(block.title) or self.spans((Span(NAMELESS),)),
                    "rows": self.fields(block.rows),
                }
            case SignOff():
                told = {
                    "rows": [
                        {"role": self.clean(row.role), "statement": self.clean(row.statement)} for row in block.rows
                    ]
                }
            case PageBreak():
                told = {}
        return {"block": block.block, **told}

    def table(self, table: Table) -> dict[str, Any]:
        shown, count = table.rows[: self.most_rows], len(table.rows)
        more = ""
        if count > len(shown):
            csv = self.files[id(table)]
            more = self.texts.say("form.table_rows", shown=len(shown), count=count, csv=csv, xlsx=WORKBOOK)
        return {
            "id": self.named(table.id),
            "caption": self._numbered("table", table.caption),
            "columns": [
                {"title": self.clean(column.title), "align": column.align, "width": max(column.width, 0.1)}
                for column in table.columns
            ],
            "rows": [[self.spans(cell) for cell in row] for row in shown],
            "note": self.spans(table.note),
            "heads": table.heads,
            "more": more,
        }


def _safe(name: str) -> str:
    return name if _SAFE.fullmatch(name) else anchor("id", name)


def laid_out(
    document: Document, texts: Texts, most_rows: int, rows_in_all: int, clean: Callable[[str], str] = visible
) -> dict[str, Any]:
    """The tree as JSON values. `clean` makes a text fit for the form. Raises PictureError.

    A page holds at most `most_rows` of one table, and `rows_in_all` of all of them.
    """
    each = rows_each((len(table.rows) for table in tables(document)), most_rows, rows_in_all)
    layout = _Layout(texts, each, anchors(document), csv_names(document), clean)
    return {
        "title": clean(document.title),
        "subtitle": clean(document.subtitle),
        "language": texts.language,
        "cover": layout.fields(document.cover),
        "sections": [layout.section(section, str(place), 1) for place, section in enumerate(document.sections, 1)],
        "footer": clean(document.footer),
        "words": {name: texts.say(f"form.{name}") for name in _WORDS},
    }
