"""Dashboards as saved objects that Kibana and OpenSearch Dashboards import: `zonewatch ship --dashboards kibana`.

They are made of two tables, panels and dashboards; the fields are those of the template. The panels are the
aggregation based ones, which both programs have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from zonewatch.sensor.shipping.template import FIELDS, Type

PATTERN: Final = "logs-zonewatch.alerts-*"
_PATTERN_ID: Final = "zonewatch-alerts"
_TIME: Final = "@timestamp"
Kind = Literal["metric", "pie", "histogram", "horizontal_bar", "table"]


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture: how many alerts, by which fields. A search (KQL) narrows them."""

    id: str
    title: str
    kind: Kind
    by: tuple[str, ...] = ()
    size: int = 10
    search: str = ""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page: rows of panels, each with its share of 48 columns."""

    id: str
    title: str
    about: str
    rows: tuple[tuple[tuple[str, int], ...], ...]


PANELS: Final = (
    Panel("open", "Alerts of open findings", "metric", search="zonewatch.state: open"),
    Panel("grave", "Critical and high", "metric", search="zonewatch.severity: (critical or high)"),
    Panel("incidents", "Incidents", "metric", search="event.dataset: zonewatch.incidents"),
    Panel("health", "Health of the sensor", "metric", search="event.dataset: zonewatch.health"),
    Panel("over-time", "Alerts over time, by severity", "histogram", (_TIME, "zonewatch.severity")),
    Panel("severities", "By severity", "pie", ("zonewatch.severity",)),
    Panel("owners", "Who has to act", "pie", ("zonewatch.owner",)),
    Panel("rules", "Rules", "table", ("rule.name", "zonewatch.severity"), 25),
    Panel("protocols", "Protocols", "horizontal_bar", ("network.protocol",)),
    Panel("latest", "What happened", "table", ("message.keyword", "zonewatch.severity", "zonewatch.state"), 50),
    Panel("zones", "Zones", "horizontal_bar", ("zonewatch.zones", "zonewatch.severity"), 20),
    Panel("zones-over-time", "Zones over time", "histogram", (_TIME, "zonewatch.zones"), 10),
    Panel("zone-rules", "Zones and rules", "table", ("zonewatch.zones", "rule.name"), 50),
    Panel("verdicts", "Verdicts of the policy", "pie", ("zonewatch.verdict",)),
    Panel("assets", "Assets", "horizontal_bar", ("zonewatch.assets", "zonewatch.severity"), 20),
    Panel("asset-rules", "Assets and rules", "table", ("zonewatch.assets", "rule.name"), 50),
    Panel("pairs", "Client, server, protocol", "table", ("source.ip", "destination.ip", "network.protocol"), 50),
    Panel("operations", "Operations", "pie", ("zonewatch.operation",)),
    Panel("techniques", "Techniques (ATT&CK for ICS)", "horizontal_bar", ("threat.technique.id",), 25),
    Panel("techniques-over-time", "Techniques over time", "histogram", (_TIME, "threat.technique.id"), 10),
    Panel("technique-assets", "Techniques and assets", "table", ("threat.technique.id", "zonewatch.assets"), 50),
    Panel("requirements", "Requirements (IEC 62443-3-3)", "horizontal_bar", ("zonewatch.requirement",), 25),
)
DASHBOARDS: Final = (
    Dashboard(
        "overview",
        "zonewatch: overview",
        "What the sensor told, how grave it is, and who has to act.",
        (
            (("open", 12), ("grave", 12), ("incidents", 12), ("health", 12)),
            (("over-time", 32), ("severities", 16)),
            (("rules", 24), ("owners", 12), ("protocols", 12)),
            (("latest", 48),),
        ),
    ),
    Dashboard(
        "zones",
        "zonewatch: by zone",
        "Alerts by the zones of IEC 62443-3-2.",
        ((("zones", 24), ("zones-over-time", 24)), (("zone-rules", 32), ("verdicts", 16))),
    ),
    Dashboard(
        "assets",
        "zonewatch: by asset",
        "Alerts by device, and between which addresses.",
        ((("assets", 24), ("asset-rules", 24)), (("pairs", 32), ("operations", 16))),
    ),
    Dashboard(
        "techniques",
        "zonewatch: attack techniques",
        "Techniques of MITRE ATT&CK for ICS, and the requirements that stand against them.",
        ((("techniques", 24), ("techniques-over-time", 24)), (("technique-assets", 24), ("requirements", 24))),
    ),
)
_HEIGHTS: Final[Mapping[Kind, int]] = {"metric": 8, "pie": 15, "histogram": 15, "horizontal_bar": 15, "table": 18}
_KIBANA: Final = {
    "index-pattern": {"coreMigrationVersion": "8.8.0", "typeMigrationVersion": "8.0.0"},
    "visualization": {"coreMigrationVersion": "8.8.0", "typeMigrationVersion": "8.5.0"},
    "dashboard": {"coreMigrationVersion": "8.8.0", "typeMigrationVersion": "8.9.0"},
}
_OPENSEARCH: Final = {
    "index-pattern": {"migrationVersion": {"index-pattern": "7.6.0"}},
    "visualization": {"migrationVersion": {"visualization": "7.10.0"}},
    "dashboard": {"migrationVersion": {"dashboard": "7.9.3"}},
}
FLAVOURS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {"kibana": _KIBANA, "opensearch": _OPENSEARCH}
"""What each program writes beside an object to say by which version it was made."""
_JAVASCRIPT: Final[Mapping[Type, str]] = {
    "keyword": "string",
    "text": "string",
    "ip": "ip",
    "integer": "number",
    "date": "date",
}


def dashboards(flavour: str) -> str:
    """The saved objects, one a line."""
    versions = FLAVOURS[flavour]
    lines = []
    for kind, name, attributes, references in _objects():
        made = {"type": kind, "id": name, "attributes": attributes, "references": references, **versions[kind]}
        lines.append(json.dumps(made, sort_keys=True, separators=(",", ":")) + "\n")
    return "".join(lines)


def _objects() -> Iterator[tuple[str, str, dict[str, Any], list[dict[str, str]]]]:
    yield "index-pattern", _PATTERN_ID, {"title": PATTERN, "timeFieldName": _TIME, "fields": _text(_fields())}, []
    reference = {"name": "kibanaSavedObjectMeta.searchSourceJSON.index", "type": "index-pattern", "id": _PATTERN_ID}
    for panel in PANELS:
        attributes = {
            "title": f"zonewatch: {panel.title}",
            "description": "",
            "version": 1,
            "uiStateJSON": "{}",
            "visState": _text(_visual(panel)),
            "kibanaSavedObjectMeta": {
                "searchSourceJSON": _text(
                    {
                        "query": {"query": panel.search, "language": "kuery"},
                        "filter": [],
                        "indexRefName": reference["name"],
                    }
                )
            },
        }
        yield "visualization", f"zonewatch-{panel.id}", attributes, [reference]
    for dashboard in DASHBOARDS:
        yield _page(dashboard)


def _fields() -> list[dict[str, Any]]:
    found = []
    for field in FIELDS:
        found.append(_field(field.name, field.type, field.type != "text"))
        if field.type == "text":
            found.append(_field(f"{field.name}.keyword", "keyword", True))
    return found


def _field(name: str, kind: Type, aggregates: bool) -> dict[str, Any]:
    return {
        "name": name,
        "type": _JAVASCRIPT[kind],
        "esTypes": ["long" if kind == "integer" else kind],
        "searchable": True,
        "aggregatable": aggregates,
        "readFromDocValues": aggregates,
        "scripted": False,
        "count": 0,
    }


def _visual(panel: Panel) -> dict[str, Any]:
    aggregations: list[dict[str, Any]] = [
        {"id": "1", "enabled": True, "type": "count", "schema": "metric", "params": {}}
    ]
    for number, field in enumerate(panel.by, 2):
        aggregations.append(_bucket(panel, number, field))
    params = dict(_PARAMS[panel.kind])
    params["type"] = panel.kind
    return {"title": f"zonewatch: {panel.title}", "type": panel.kind, "aggs": aggregations, "params": params}


def _bucket(panel: Panel, number: int, field: str) -> dict[str, Any]:
    schema = "bucket" if panel.kind == "table" else "segment" if number == 2 else "group"
    if field == _TIME:
        by_time = {"field": field, "interval": "auto", "min_doc_count": 1, "useNormalizedEsInterval": True}
        return {"id": str(number), "enabled": True, "type": "date_histogram", "schema": schema, "params": by_time}
    params = {
        "field": field,
        "size": panel.size if number == 2 else 5,
        "orderBy": "1",
        "order": "desc",
        "otherBucket": False,
        "missingBucket": False,
    }
    return {"id": str(number), "enabled": True, "type": "terms", "schema": schema, "params": params}


def _axes(across: bool) -> dict[str, Any]:
    """What a bar chart has beside its data; `across`: the bars lie."""
    categories = {
        "id": "CategoryAxis-1",
        "type": "category",
        "position": "left" if across else "bottom",
        "show": True,
        "scale": {"type": "linear"},
        "labels": {"show": True, "filter": not across, "truncate": 100},
        "title": {},
    }
    values = {
        "id": "ValueAxis-1",
        "name": "Axis-1",
        "type": "value",
        "position": "bottom" if across else "left",
        "show": True,
        "scale": {"type": "linear", "mode": "normal"},
        "labels": {"show": True, "rotate": 0, "filter": across, "truncate": 100},
        "title": {"text": "Alerts"},
    }
    series = {
        "show": True,
        "type": "histogram",
        "mode": "stacked",
        "data": {"label": "Alerts", "id": "1"},
        "valueAxis": "ValueAxis-1",
        "drawLinesBetweenPoints": True,
        "showCircles": True,
    }
    return {
        "categoryAxes": [categories],
        "valueAxes": [values],
        "seriesParams": [series],
        "grid": {"categoryLines": False},
        "addTooltip": True,
        "addLegend": True,
        "legendPosition": "right",
        "times": [],
        "addTimeMarker": False,
        "labels": {},
        "thresholdLine": {"show": False, "value": 10, "width": 1, "style": "full", "color": "#E7664C"},
    }


_PARAMS: Final[Mapping[Kind, Mapping[str, Any]]] = {
    "metric": {
        "addTooltip": True,
        "addLegend": False,
        "metric": {
            "percentageMode": False,
            "useRanges": False,
            "colorSchema": "Green to Red",
            "metricColorMode": "None",
            "colorsRange": [{"from": 0, "to": 10_000}],
            "labels": {"show": True},
            "invertColors": False,
            "style": {"bgFill": "#000", "bgColor": False, "labelColor": False, "subText": "", "fontSize": 48},
        },
    },
    "pie": {
        "addTooltip": True,
        "addLegend": True,
        "legendPosition": "right",
        "isDonut": True,
        "labels": {"show": True, "values": True, "last_level": True, "truncate": 100},
    },
    "histogram": _axes(across=False),
    "horizontal_bar": _axes(across=True),
    "table": {
        "perPage": 15,
        "showPartialRows": False,
        "showMetricsAtAllLevels": False,
        "showTotal": False,
        "totalFunc": "sum",
        "percentageCol": "",
    },
}


def _page(dashboard: Dashboard) -> tuple[str, str, dict[str, Any], list[dict[str, str]]]:
    panels: list[dict[str, Any]] = []
    references: list[dict[str, str]] = []
    kinds = {panel.id: panel.kind for panel in PANELS}
    y = 0
    for row in dashboard.rows:
        x, height = 0, max(_HEIGHTS[kinds[name]] for name, _ in row)
        for name, width in row:
            number = str(len(panels) + 1)
            place = {"x": x, "y": y, "w": width, "h": height, "i": number}
            panels.append(
                {"panelIndex": number, "gridData": place, "embeddableConfig": {}, "panelRefName": f"panel_{number}"}
            )
            references.append({"name": f"panel_{number}", "type": "visualization", "id": f"zonewatch-{name}"})
            x += width
        y += height
    attributes = {
        "title": dashboard.title,
        "description": dashboard.about,
        "version": 1,
        "timeRestore": True,
        "timeFrom": "now-7d",
        "timeTo": "now",
        "refreshInterval": {"pause": True, "value": 0},
        "optionsJSON": _text({"useMargins": True, "hidePanelTitles": False}),
        "panelsJSON": _text(panels),
        "kibanaSavedObjectMeta": {
            "searchSourceJSON": _text({"query": {"query": "", "language": "kuery"}, "filter": []})
        },
    }
    return "dashboard", f"zonewatch-dashboard-{dashboard.id}", attributes, references


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
