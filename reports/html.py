"""`report.html`: one file, everything inside, that opens offline and prints.

Texts reach the page escaped by the template, or as JSON that scripts put into text nodes only. The content policy of
the page names its scripts by hash, so nothing that came in with a packet can run.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from zonewatch.inventory.model import Asset, Edge
from zonewatch.reports.evidence import file_name
from zonewatch.reports.graph import map_data
from zonewatch.reports.palette import PALETTES
from zonewatch.reports.paths import choke_words, closing_words, has_ways, head, names_of, step_words
from zonewatch.reports.result import (
    EXTERNAL,
    AuditResult,
    VerdictRow,
    edge_key,
    edge_verdicts,
    matrix_lines,
    matrix_zones,
    ordered,
    totals,
    worst,
)
from zonewatch.reports.second_opinion import opinion_tables
from zonewatch.reports.speech import Speech, speech
from zonewatch.reports.summary import summarise
from zonewatch.reports.tables import by_place
from zonewatch.reports.words import SEVERITY_MARKS, VERDICT_MARKS, beside, label, posture, spoken, visible
from zonewatch.rules.findings import Verdict

__all__ = ["html_report", "script_json"]

CYTOSCAPE: Final = "vendor/cytoscape-3.34.4.min.js"
MAX_ASSET_ROWS: Final = 1_000
MAX_EDGE_ROWS: Final = 1_500
MAX_FINDINGS: Final = 400
MAX_ACTIVITIES: Final = 500
MAX_WAYS: Final = 60
MAX_GRID_ZONES: Final = 10
_ATTENTION: Final[dict[Verdict | None, int]] = {
    "violation": 0,
    "unzoned": 1,
    "cannot_conclude": 2,
    "allowed": 3,
    None: 3,
}
_ESCAPES: Final = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


@dataclass(frozen=True, slots=True)
class _EdgeRow:
    edge: Edge
    verdict: Verdict | None
    why: str


@cache
def _file(name: str) -> str:
    return (files("zonewatch.reports") / name).read_text(encoding="utf-8").replace("\r\n", "\n")


def script_json(value: Any) -> Markup:
    """JSON that cannot end the script element it stands in."""
    return Markup(json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).translate(_ESCAPES))


def _code(text: str) -> Markup:
    """Several lines of code, each made printable."""
    return Markup("\n").join(escape(visible(line)) for line in text.rstrip("\n").split("\n"))


def _finalize(value: Any) -> Any:
    return visible(value) if type(value) is str else value


def _environment(said: Speech) -> Environment:
    environment = Environment(
        autoescape=True,
        finalize=_finalize,
        loader=FunctionLoader(lambda name: _file(f"templates/{name}")),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {**said.filters(), "as_code": _code}
    environment.globals |= {"language": said.texts.language, "say": said.say, "word": said.word}
    return environment


def html_report(result: AuditResult, language: str = "en") -> str:
    """The whole report as one HTML document, in a language of the catalogue. Raises TextError."""
    result, said = ordered(result), speech(language)
    drawing = map_data(result, said)
    scripts = tuple(Markup(_file(f"static/{name}").strip()) for name in (CYTOSCAPE, "map.js", "page.js"))
    verdicts = edge_verdicts(result)
    edges = [_edge_row(edge, verdicts.get(edge_key(edge), ())) for edge in result.inventory.edges]
    edges.sort(key=lambda row: (_ATTENTION[row.verdict], not row.edge.ot, -row.edge.events, -row.edge.bytes))
    zones = matrix_zones(result)
    called = names_of(result.inventory.assets)
    return (
        _environment(said)
        .get_template("report.html.j2")
        .render(
            result=result,
            total=totals(result.captures),
            summary=summarise(result, said),
            style=Markup(_file("static/report.css")),
            palettes=PALETTES,
            scripts=scripts,
            hashes=" ".join(f"'sha256-{_sha256(script)}'" for script in scripts),
            data=script_json({**drawing, "palettes": PALETTES, "judged": result.policy.given}),
            drawing=drawing,
            choices=_choices(drawing),
            findings=result.findings[:MAX_FINDINGS],
            # By the id alone: a name that came with a result could lead elsewhere.
            evidence={file.finding: (file_name(file.finding), file.packets) for file in result.evidence},
            assets=by_place(result)[:MAX_ASSET_ROWS],
            edges=edges[:MAX_EDGE_ROWS],
            activities=result.inventory.activities[:MAX_ACTIVITIES],
            names={asset.id: label(asset) for asset in result.inventory.assets},
            beside={asset.id: beside(asset) for asset in result.inventory.assets},
            short_names={asset.id: visible(asset.short_name) for asset in result.inventory.assets},
            find=drawing["find"],
            has_ways=has_ways(result.paths),
            path_heads=[
                (found, head(found, said), closing_words(found, called, said), choke_words(found, called, said))
                for found in result.paths
            ],
            max_ways=MAX_WAYS,
            step_words=lambda step: step_words(step, called, said),
            speaks=spoken(result.inventory.edges),
            posture_text=lambda asset: _posture_text(asset, said),
            zones=zones,
            grid=len(zones) <= MAX_GRID_ZONES,
            cells=matrix_lines(result),
            zone_names={EXTERNAL: said.say("page.external")}
            | {zone.id: zone.name for zone in result.zones if zone.name},
            severity_marks=SEVERITY_MARKS,
            verdict_marks=VERDICT_MARKS,
            opinion_tables=opinion_tables(result.second_opinion, said),
        )
    )


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _choices(drawing: dict[str, Any]) -> dict[str, list[str]]:
    """What the map can be filtered by."""
    return {
        "protocol": sorted({word for line in drawing["lines"] for word in line["protocols"]}),
        "operation": sorted({word for line in drawing["lines"] for word in line["operations"]}),
        "verdict": sorted({line["verdict"] for line in drawing["lines"] if line["verdict"]}),
    }


def _edge_row(edge: Edge, rows: tuple[VerdictRow, ...]) -> _EdgeRow:
    verdict = worst(row.verdict for row in rows)
    flows = dict.fromkeys(
        "/".join(part for part in (row.conduit, row.flow) if part) for row in rows if row.verdict == verdict
    )
    return _EdgeRow(edge, verdict, ", ".join(flow for flow in flows if flow))


def _posture_text(asset: Asset, said: Speech) -> tuple[str, str, str]:
    """Class, words and reason of the weakest service's posture."""
    weakest = posture(asset)
    if weakest is None or weakest.posture == "unknown":
        return ("", "", "")
    return (weakest.posture, said.word("posture", weakest.posture), said.quoted(weakest.reason))
