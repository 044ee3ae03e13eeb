"""axe-core in Chromium finds nothing in the pages of a report, light and dark, wide and narrow.

`npm install --no-save axe-core` in the repository's folder brings axe; ZONEWATCH_AXE may name its file elsewhere.
"""

from __future__ import annotations

import html as escapes
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.reports import sample
from tests.reports.document.samples import small
from tests.reports.packs.test_nis2 import AWARE, ENTITY, watched, with_incident
from zonewatch.reports.document.html import html
from zonewatch.reports.html import html_report
from zonewatch.reports.packs.case import Case
from zonewatch.reports.packs.iec62443 import iec62443
from zonewatch.reports.packs.material import Material
from zonewatch.reports.packs.nis2 import nis2
from zonewatch.reports.packs.requirements import PACKS
from zonewatch.reports.texts import load_texts

ROOT = Path(__file__).resolve().parents[2]
AXE = Path(os.environ.get("ZONEWATCH_AXE", ROOT / "node_modules" / "axe-core" / "axe.min.js"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
RUN = """
axe.run(document, {resultTypes: ['violations']}).then(found => {
  const told = found.violations.map(row => [row.id, row.nodes.length, row.nodes[0].html.slice(0, 200)]);
  const place = document.createElement('pre');
  place.id = 'told';
  place.textContent = JSON.stringify({told, passes: found.passes.length});
  document.body.append(place);
});
"""

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm install --no-save axe-core"),
]


def report(language: str) -> str:
    texts = load_texts(language)
    return html(iec62443(Material(sample.sample(), texts)), texts)


def evidence_pack(language: str) -> str:
    """With an entity, an incident and a sensor, so that every kind of line is there."""
    result = with_incident()
    texts, incident = load_texts(language), result.incidents[0].id
    case = Case(result, texts, watched=watched(), entity=ENTITY, aware=AWARE, incident=incident)
    return html(nis2(case), texts)


def requirements(name: str) -> str:
    texts = load_texts("en")
    return html(PACKS[name](Case(sample.sample(), texts)), texts)


PAGES: dict[str, Callable[[], str]] = {
    "en": lambda: report("en"),
    "de": lambda: report("de"),
    "nis2": lambda: evidence_pack("en"),
    "nis2 in German": lambda: evidence_pack("de"),
    "csf": lambda: requirements("csf"),
    "audit": lambda: html_report(sample.sample()),
    "audit in German": lambda: html_report(sample.sample(), "de"),
    "every block": lambda: html(small(), load_texts("en")),
}


@pytest.mark.parametrize("width", [390, 1400])
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing(page: str, theme: str, width: int, tmp_path: Path) -> None:
    # The content policy would not let axe in; the page is otherwise as it is.
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", PAGES[page]())
    text = text.replace("<html ", f'<html data-theme="{theme}" ', 1)
    script = f"<script>{AXE.read_text(encoding='utf-8')}</script><script>{RUN}</script></body>"
    path = tmp_path / "page.html"
    path.write_text(text.replace("</body>", script), encoding="utf-8")
    size = f"--window-size={width},1200"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000", size, "--dump-dom"]
    done = subprocess.run(
        [str(CHROMIUM), *options, f"--user-data-dir={tmp_path / 'profile'}", path.as_uri()],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    told = re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.DOTALL)
    assert told, done.stderr[-2_000:]
    found = json.loads(escapes.unescape(told[1]))
    assert found["told"] == []
    assert found["passes"] > 10
