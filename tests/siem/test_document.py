"""What docs/siem.md says of the targets is what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("sigma.backends.elasticsearch")
pytest.importorskip("sigma.backends.sqlite")
from zonewatch.rules.siem.document import BEGIN, END, tables

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "siem.md"


def test_the_tables_of_the_document_are_current() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    written = text[text.index(BEGIN) + len(BEGIN) : text.index(END)]
    assert written == tables(), "python -m zonewatch.rules.siem.document"
