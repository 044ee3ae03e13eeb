"""Ways and cuts in words, in rows, in the result, in the report and on the map."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
from rich.console import Console

from tests.reports import sample
from zonewatch.inventory.model import Evidence
from zonewatch.reports.graph import map_data
from zonewatch.reports.html import html_report
from zonewatch.reports.json_result import document, dumps, loads, result_schema
from zonewatch.reports.paths import choke_words, closing_words, names_of, paths_json, render_paths, way_rows
from zonewatch.reports.result import AuditResult
from zonewatch.reports.speech import english
from zonewatch.reports.terminal import render
from zonewatch.rules.findings import Step
from zonewatch.rules.paths import Choke, Closing, Paths, PathStep, Way

FRAME = Evidence("tap", "a.pcap", 7)
STEPS = (
    PathStep("10.20.1.77", "eng-1", "the zone itself", ("rdp",), (FRAME,)),
    PathStep("eng-1", "plc-3", "supervision-to-filtration", ("modbus read, write",), (FRAME,)),
)
WAY = Way("internet", STEPS, changes=True, buffered=False, reasons=("ends in state-changing operations", "2 steps"))
HOSTS = Paths(
    "seen",
    "hosts",
    ("10.20.1.77",),
    ("plc-3",),
    (WAY,),
    more=False,
    chokes=(Choke("eng-1", 1),),
    closable=True,
    close=(Closing("eng-1", ("supervision-to-filtration/poll",)),),
)
ZONES = replace(HOSTS, level="zones", ways=(), chokes=(), close=(), notes=("A note.",))
NAMES = str


def result(*paths: Paths) -> AuditResult:
    return replace(sample.sample(), paths=paths)


def test_what_to_close_is_said_with_what_it_costs() -> None:
    assert closing_words(HOSTS, NAMES, english()) == (
        "Closing 1 host cuts the way:",
        "eng-1: costs 1 legitimate flow: supervision-to-filtration/poll",
    )
    free = replace(HOSTS, close=(Closing("eng-1", ()),))
    assert closing_words(free, NAMES, english())[1] == "eng-1: costs no legitimate flow"
    assert closing_words(replace(HOSTS, closable=False, close=()), NAMES, english()) == (
        "No closing of hosts cuts all ways: on some there is none.",
    )
    assert closing_words(ZONES, NAMES, english()) == (
        "No way from the internet, the enterprise or remote access to a controller or safety system.",
    )
    assert choke_words(HOSTS, NAMES, english()) == "Choke points: eng-1 (1 target)."
    assert choke_words(ZONES, NAMES, english()) == ""


def test_a_row_for_each_way() -> None:
    (row,) = way_rows([HOSTS, ZONES], NAMES).rows
    told = (
        "10.20.1.77 to eng-1 by the zone itself (rdp); eng-1 to plc-3 by supervision-to-filtration (modbus read, write)"
    )
    assert row == (1, "seen", "hosts", "internet", "10.20.1.77", "plc-3", 2, True, told, "a.pcap frame 7")


def test_json_holds_all() -> None:
    (found,) = json.loads(paths_json((HOSTS,)))["paths"]
    assert found["close"] == [{"name": "eng-1", "costs": ["supervision-to-filtration/poll"]}]
    assert found["ways"][0]["steps"][1]["evidence"] == [{"source": "tap", "capture": "a.pcap", "frame": 7}]


def test_the_result_comes_back_with_its_ways_and_steps() -> None:
    made = result(HOSTS, ZONES)
    step = Step("eng-1", "plc-3", "modbus", "write", (FRAME,), 5, 6)
    made = replace(made, findings=(replace(made.findings[0], steps=(step,)), *made.findings[1:]))
    jsonschema.validate(document(made), result_schema())
    back = loads(dumps(made))
    assert back.paths == (HOSTS, ZONES)
    assert [finding.steps for finding in back.findings if finding.steps] == [(step,)]


def test_the_map_knows_the_nodes_and_lines_of_a_way() -> None:
    data = map_data(result(HOSTS, ZONES), english())
    (way,) = data["ways"]
    labels = {node["id"]: node["label"] for node in data["nodes"]}
    assert [labels[node].partition("\n")[0] for node in way["close"]] == ["eng-1"]
    assert len(way["nodes"]) == 3
    ends = {line["id"]: (line["source"], line["target"]) for line in data["lines"]}
    assert {ends[line] for line in way["lines"]} <= set(zip(way["nodes"], way["nodes"][1:], strict=False))
    assert way["lines"]


def test_a_way_through_what_is_not_drawn_draws_what_there_is() -> None:
    hub = replace(WAY, steps=(PathStep("any host of office", "plc-3", "in", ()),))
    (way,) = map_data(result(replace(HOSTS, ways=(hub,))), english())["ways"]
    assert len(way["nodes"]) == 1
    assert way["lines"] == []


def test_the_report_and_the_terminal_say_it() -> None:
    made = result(HOSTS, ZONES)
    page = html_report(made)
    assert 'id="ways"' in page
    assert "costs 1 legitimate flow" in page
    console = Console(width=100, record=True, force_terminal=False)
    render(made, console)
    text = console.export_text()
    assert "As seen, by hosts: 1 way." in text
    assert "A note." in text
    assert 'id="ways"' not in html_report(result())


def test_each_way_is_printed_with_its_rank() -> None:
    console = Console(width=100, record=True, force_terminal=False)
    render_paths((HOSTS, ZONES), names_of(sample.sample().inventory.assets), console)
    text = console.export_text()
    assert "ends in state-changing" in text
    assert "Choke points: eng-1" in text


def test_hostile_names_stay_text() -> None:
    step = PathStep("</script><b>", "plc-3", "\x1b[31m<i>", ("<u>",))
    page = html_report(result(replace(HOSTS, ways=(replace(WAY, steps=(step,)),))))
    assert "<b>plc" not in page
    assert "</script><b>" not in page
    assert "\x1b" not in page
