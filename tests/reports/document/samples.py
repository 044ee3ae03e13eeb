"""A small document with every kind of block, documents of hostile texts, and what reads a page as a browser does."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

from hypothesis import strategies as st

from zonewatch.reports.document.model import (
    Block,
    Bullets,
    Column,
    Document,
    Field,
    Figure,
    Note,
    PageBreak,
    Paragraph,
    Record,
    Section,
    Signature,
    SignOff,
    Span,
    Table,
    text,
)
from zonewatch.reports.drawings.svg import drawing, label, rect

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "</title></style><!--",
    '"><a href="javascript:alert(3)">',
    '#eval("1") #import "x.typ": * $x^2$ *b* _i_ `c` @ref <label> = head // c \\ #panic()',
    '#let data = 1; ]) #read("/etc/passwd")',
    "{{ 7*7 }}{% raw %}",
    "=1+1",
    "+SUM(A1)",
    "-2",
    "@cmd",
    "a\x00b\x1b[31m\x07\ttab\r\nline",
    "\u202eright to left\u202c \u2066isolate\u2069 \ufeff\u200b\u2028",
    "W" * 3_000,
    "中文 العربية \U0001f600 \ud800",
    "",
)


def small() -> Document:
    """Every kind of block, links, numbers, a foreign text."""
    inside = [rect(1, 1, 98, 38, stroke="ink"), label("in", 8, 24)]
    svg = drawing("box", 100, 40, "A box", "One box with a word", inside)
    inner = Section("inner", "Inner", (Note("question", text("Why?")), PageBreak()))
    columns = (Column("Name", "left", 2.0), Column("Count", "right", 1.0), Column("Where", "left", 1.5))
    rows = (
        (text("pump"), text(Span("1,200", value=1200)), text(Span("plant.pcap frame 8", "frame"))),
        (text(Span("valve", "asset", "record-valve")), text(Span("0.5", value=0.5)), ()),
    )
    blocks: tuple[Block, ...] = (
        Paragraph(text("Words, ", Span("strong", "strong"), " and ", Span("quoted", language="de"), ".")),
        Bullets((text("one"), text("two"))),
        Bullets((text("first"), text("second")), ordered=True),
        Note("limit", text("Not seen: the rest.")),
        Table("table-things", columns, rows, "Things", text("All of them."), heads=True),
        Table("table-none", columns, (), "Nothing"),
        Figure("figure-box", svg, "A box", "One box with a word"),
    )
    record = Record(
        "record-valve",
        text("Valve"),
        (
            Field("Zone", text("filters"), "declared"),
            Field("Owner", text("–"), "open", 2),
            Field("Seen", (), "observed"),
        ),
    )
    return Document(
        "small",
        "A small report",
        "Riverside",
        "en",
        (Field("Made of", text(Span("ab" * 32, "code"))),),
        (
            Section("one", "First", blocks, (inner,)),
            Section("two", "Second", (record, Note("finding", text("See ", Span("valve", "finding", "record-valve"))))),
            Section("sign", "Sign-off", (SignOff((Signature("Prepared", "Made it."),)),)),
        ),
        "Made by hand.",
        1_772_438_400 * 10**9,
    )


def of(words: str, target: str = "") -> Document:
    """The same kinds of blocks, with one text everywhere."""
    span = Span(words, "finding", target or words)
    columns = (Column(words, "left", 1.0), Column(words, "right", 0.5))
    rows = (((span,), (Span(words, value=3),)), ((Span(words, "code"),), (span, span)))
    blocks: tuple[Block, ...] = (
        Paragraph((span,)),
        Bullets(((span,), (span,))),
        Note("limit", (span,)),
        Table(words, columns, rows, words, (span,), True),
        Figure(words, drawing("box", 100, 40, words, words, [label(words, 8, 24, room=80)]), words, words),
        Record(words, (span,), (Field(words, (span,), "declared"),)),
        SignOff((Signature(words, words),)),
    )
    inner = Section(words, words, (Paragraph((Span(words, language=words),)),))
    sections = (Section(words, words, blocks, (inner,)), Section(words, words))
    return Document(words, words, words, "en", (Field(words, (span,)),), sections, words)


SYNTAX = "#$*_`<>@[]{}\\/=+-\"' ;:\u202e"
hostile = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60), st.text(alphabet=SYNTAX, max_size=40))


class Page(HTMLParser):
    """Elements, attributes, text, and whether everything that was opened is closed."""

    VOID = frozenset(("meta", "col", "br"))

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.headings: list[int] = []
        self._stack: list[str] = []
        self.feed(page)
        self.close()
        assert self._stack == []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in self.VOID:
            self._stack.append(tag)
        if tag[0] == "h" and tag[1:].isdigit():
            self.headings.append(int(tag[1:]))

    def handle_endtag(self, tag: str) -> None:
        assert self._stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self._stack):
            self.words.append(data)

    @property
    def text(self) -> str:
        return "".join(self.words)

    def values(self, name: str) -> list[str]:
        return [value for _, own, value in self.attributes if own == name]
