"""The engine keeps its contract: schemas and vocabularies of Rust and Python are the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from zonewatch.dissectors import vocabulary
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source
from zonewatch.dissectors.schemas import TABLES

ROOT = Path(__file__).resolve().parents[2]
SMALL = ROOT / "pcaps" / "modbus" / "read_write.pcap"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_tables_have_the_published_schema(name: str) -> None:
    decoder = Decoder(
        [Source("point", (CaptureFile(SMALL.name, SMALL),))], detail="pdus" if name == "pdus" else "events"
    )
    while decoder.advance():
        pass
    table = decoder.take(name)
    assert table.schema.equals(TABLES[name]), table.schema
    assert table.num_rows > 0 or name in ("activities", "oddities")
    table.validate(full=True)


@pytest.mark.parametrize(
    ("rust", "python"),
    [
        ("Protocol", (*vocabulary.PROTOCOLS, *vocabulary.SERVICES)),
        ("Operation", vocabulary.OPERATIONS),
        ("Kind", vocabulary.KINDS),
        ("Attribute", vocabulary.ATTRIBUTES),
        ("OddityCode", vocabulary.ODDITY_CODES),
        ("Status", vocabulary.STATUSES),
    ],
)
def test_vocabularies_are_the_same(rust: str, python: tuple[str, ...]) -> None:
    source = "exchange.rs" if rust == "Status" else "model.rs"
    text = (ROOT / "dissectors" / "src" / source).read_text(encoding="utf-8")
    body = re.search(rf"vocabulary! {{[^{{]*?\b{rust} {{(.*?)\n?\s*}}\n}}", text, re.S)
    assert body is not None
    assert tuple(re.findall(r'= "([\w-]+)"', body[1])) == python


def test_an_unknown_table_is_refused() -> None:
    decoder = Decoder([Source("point", (CaptureFile(SMALL.name, SMALL),))])
    with pytest.raises(KeyError, match="no table"):
        decoder.take("nothing")
