"""The template has a type for what alerts hold, and the dashboards read nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.sensor.shipping.outbox import sample_alerts
from zonewatch.rules.siem.index import template
from zonewatch.rules.sigma.taxonomy import FIELDS as TAXONOMY
from zonewatch.sensor.shipping.command import _test_row
from zonewatch.sensor.shipping.dashboards import DASHBOARDS, FLAVOURS, PANELS, PATTERN, dashboards
from zonewatch.sensor.shipping.settings import Elasticsearch
from zonewatch.sensor.shipping.template import FIELDS, templates

NAMES = {field.name for field in FIELDS}
NOT_INDEXED = {
    "zonewatch.changes": "a list of objects, each with its own before and after",
    "zonewatch.frames": "the evidence again, for people",
}


def leaves(value: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for key, item in value.items():
        name = f"{before}{key}"
        if isinstance(item, Mapping):
            yield from leaves(item, f"{name}.")
        else:
            yield name


def test_every_field_of_an_alert_has_a_type_or_a_reason() -> None:
    told = {name for one in (*sample_alerts(), _test_row(10**18).alert()) for name in leaves(one)}
    assert told - NAMES - set(NOT_INDEXED) == set()
    assert set(NOT_INDEXED) <= told


def test_fields_that_records_have_too_are_of_one_type() -> None:
    records = {field.name: field.type for fields in TAXONOMY.values() for field in fields.values()}
    shared = [field for field in FIELDS if field.name in records]
    assert len(shared) > 15
    assert [field.name for field in shared if field.type not in (records[field.name], "text")] == []


def test_fields_stand_once_and_in_order() -> None:
    assert [field.name for field in FIELDS] == sorted(NAMES)


def test_the_template_is_above_that_of_records_and_apart_from_it() -> None:
    *components, (_, name, index) = templates("logs-zonewatch.alerts-default")
    assert index["index_patterns"] == [name]
    assert index["priority"] > template()["priority"]
    assert index["composed_of"] == [component for _, component, _ in components]


def test_the_stream_by_default_is_what_the_dashboards_read() -> None:
    stream = Elasticsearch(to="elasticsearch", hosts=("https://siem",)).stream
    assert stream.startswith(PATTERN.removesuffix("*"))


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_dashboards_read_fields_of_the_template(flavour: str) -> None:
    objects = {one["id"]: one for one in map(json.loads, dashboards(flavour).splitlines())}
    fields = {field["name"]: field for field in json.loads(objects["zonewatch-alerts"]["attributes"]["fields"])}
    assert {name.removesuffix(".keyword") for name in fields} == NAMES
    used = set()
    for one in objects.values():
        for reference in one["references"]:
            assert objects[reference["id"]]["type"] == reference["type"]
        if one["type"] == "visualization":
            aggregations = json.loads(one["attributes"]["visState"])["aggs"]
            for field in (found["params"]["field"] for found in aggregations if found["type"] != "count"):
                assert fields[field]["aggregatable"], field
                used.add(field)
            search = json.loads(one["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"]
            if search:
                assert search.partition(":")[0] in fields
        if one["type"] == "dashboard":
            placed = json.loads(one["attributes"]["panelsJSON"])
            assert [panel["panelRefName"] for panel in placed] == [found["name"] for found in one["references"]]
    assert len(used) > 12


def test_panels_fill_their_rows_and_each_is_shown() -> None:
    for dashboard in DASHBOARDS:
        for row in dashboard.rows:
            assert sum(width for _, width in row) == 48, dashboard.id
    shown = [name for dashboard in DASHBOARDS for row in dashboard.rows for name, _ in row]
    assert sorted(shown) == sorted(panel.id for panel in PANELS)
