"""`docs/facts.md` is what the tables say."""

from __future__ import annotations

from pathlib import Path

from zonewatch.reports.facts.document import document

PAGE = Path(__file__).parents[3] / "docs" / "facts.md"


def test_the_page_is_made_from_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == document(), "python -m zonewatch.reports.facts.document > docs/facts.md"
