from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.reports import sample
from zonewatch.reports.result import AuditResult
from zonewatch.reports.terminal import render

RESULTS = (sample.sample, sample.without_policy, sample.hostile, sample.empty)


def shown(result: AuditResult, width: int, encoding: str = "utf-8", **options: Any) -> str:
    buffer = io.BytesIO()
    file = io.TextIOWrapper(buffer, encoding=encoding, newline="\n")
    limits = {name: options.pop(name) for name in ("assets", "findings") if name in options}
    render(result, Console(file=file, width=width, **options), folder="out", **limits)
    file.flush()
    return buffer.getvalue().decode(encoding)


@pytest.mark.parametrize("make", RESULTS)
@pytest.mark.parametrize("width", [40, 60, 100, 140, 200])
def test_it_fits_every_width(make: Any, width: int) -> None:
    assert max(map(cell_len, shown(make(), width).split("\n"))) <= width


def test_without_colour_nothing_is_lost() -> None:
    plain = shown(sample.sample(), 100)
    coloured = shown(sample.sample(), 100, force_terminal=True, color_system="truecolor")
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain


def test_no_color_is_respected() -> None:
    text = shown(sample.sample(), 100, force_terminal=True, no_color=True)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", text)


def test_an_ascii_terminal_gets_ascii_symbols() -> None:
    text = shown(sample.sample(), 100, encoding="ascii", assets=3)
    assert "x modbus" in text
    assert "120 -> 310" in text
    assert "-" * 100 in text


@pytest.mark.parametrize("width", [60, 120])
def test_packets_cannot_paint_the_terminal(width: int) -> None:
    assert not set(shown(sample.hostile(), width)) & {"\x1b", "\u202e", "\u2028", "\r"}


def test_a_policy_without_control_traffic_has_a_whole_last_sentence() -> None:
    result = sample.sample()
    connections = tuple(replace(cell, operation="") for cell in result.matrix)
    text = shown(replace(result, matrix=connections), 100)
    assert "Control-protocol exchanges by verdict: none was judged." in text


def test_coverage_stands_before_the_findings() -> None:
    text = shown(sample.sample(), 100)
    places = [text.index(word) for word in ("riverside-0800", "What this covers", "Assets", "From zone", "Findings")]
    assert places == sorted(places)
    assert text.rstrip().endswith("out/report.html")


def test_a_finding_is_told_with_proof_change_and_remedy() -> None:
    text = shown(sample.sample(), 140)
    assert "riverside-0800.pcapng frames 44120, 44121, 44388" in text
    assert "holding-register 100 (40101)  120 → 310" in text
    assert "Stop the writes at the firewall" in text


def test_long_lists_end_in_a_count() -> None:
    text = shown(sample.sample(), 100, assets=10, findings=3)
    assert "… 20 more in assets.csv" in text
    assert "… 7 more in findings.json" in text


@pytest.mark.parametrize("make", RESULTS)
def test_it_never_says_compliant(make: Any) -> None:
    assert "complian" not in shown(make(), 100).lower()


def test_without_a_policy_nothing_is_called_a_violation() -> None:
    text = shown(sample.without_policy(), 100)
    assert "none given" in text
    assert "✗" not in text.split("Findings")[0].split("From zone")[1]
