"""The lists of the noise budget are well-formed, it holds on some small captures, and the document has the figures."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path
from typing import Final, get_args

import pytest

from tests.detection.budget import Kind, argued, argument, attacks, captures, judged, kind_of, kinds, rules
from tests.oracles.compare import CAPTURES
from zonewatch.rules.detectors import DETECTORS
from zonewatch.rules.sigma.check import check
from zonewatch.rules.sigma.model import Correlation
from zonewatch.rules.sigma.settings import parse_settings
from zonewatch.sensor.rules import telling

DOCUMENT: Final = (Path(__file__).parents[2] / "docs" / "detection.md").read_text(encoding="utf-8")
TOLD: Final = tuple(telling(rules().rules))
NAMES: Final = {one.name for one in TOLD} | {one.id for one in DETECTORS}
LABELS: Final = {one.label for one in attacks()}

SMALL: Final = (
    "ITI__ICS-Security-Tools/pcaps/dnp3/file_write.pcap",
    "ITI__ICS-Security-Tools/pcaps/openics/DNP3-Read.pcap",
    "ITI__ICS-Security-Tools/pcaps/openics/DNP3-SelectOperate.pcap",
    "ITI__ICS-Security-Tools/pcaps/s7/step7_s300_stop.pcapng",
    "cisagov__icsnpp-bacnet/testing/traces/bacnet_error_reject_abort.pcap",
    "kb221svs__modbus-anomaly-detection/modbus_scada.pcap",
    "kb221svs__modbus-anomaly-detection/live_attacks_captured.pcap",
    "idaholab__Malcolm-Test-Artifacts/pcap/plugins/CVE-2021-38647/CVE-2021-38647-exploit-craigmunsw-omigod-lab.pcap",
    "idaholab__Malcolm-Test-Artifacts/pcap/plugins/bro-simple-scan/445_scan.pcap",
    "idaholab__Malcolm-Test-Artifacts/pcap/plugins/bro-simple-scan/multiport_scan.pcap",
    "idaholab__Malcolm-Test-Artifacts/pcap/plugins/bro-simple-scan/port_scan.pcap",
    "idaholab__Malcolm-Test-Artifacts/pcap/plugins/bro-simple-scan/scan_with_zero_windows.pcap",
    "idaholab__Malcolm-Test-Artifacts/pcap/plugins/zeek-EternalSafety/eternalromance-success-2008r2.pcap",
)

needs_captures = pytest.mark.skipif(not CAPTURES.is_dir(), reason="the folder of public captures is not here")


def test_kinds_are_known_and_everything_has_one() -> None:
    assert {kind for _, kind in kinds()} <= set(get_args(Kind))
    assert kinds()[-1] == ("*", "benign")
    assert len({pattern for pattern, _ in kinds()}) == len(kinds())


def test_attacks_name_rules_that_there_are() -> None:
    for one in attacks():
        assert 0 <= one.first <= one.last
        assert any(fnmatch.filter(NAMES, name) for name in one.rules), one.label


def test_an_argument_is_one_of_a_rule_or_a_label_and_a_sentence() -> None:
    for pattern, what, why in argued():
        assert what in NAMES | LABELS, what
        assert why.endswith(".")
        assert len(why) > 40
        assert argument(pattern, what) == why, "each is reached"


@needs_captures
def test_every_line_of_the_lists_is_about_some_capture() -> None:
    present = tuple(captures(CAPTURES))
    for pattern in (*(one for one, _ in kinds()), *(one.capture for one in attacks()), *(one for one, *_ in argued())):
        assert fnmatch.filter(present, pattern), pattern
    for one in attacks():
        assert "attack" in map(kind_of, fnmatch.filter(present, one.capture)), one.label


@needs_captures
@pytest.mark.parametrize("capture", SMALL)
def test_the_budget_holds(capture: str) -> None:
    outcome = judged(CAPTURES, capture)
    assert outcome is not None
    assert [finding for finding in outcome.grave if not argument(capture, finding[0])] == []
    assert [one.label for one, rule in outcome.attacks if not rule and not argument(capture, one.label)] == []
    assert bool(outcome.attacks) == (outcome.kind == "attack")


def test_the_document_counts_what_there_is() -> None:
    correlations = sum(isinstance(one, Correlation) for one in TOLD)
    counted = f"{len(TOLD) - correlations} rules, {correlations} correlations and {len(DETECTORS)} native detectors"
    assert counted in " ".join(DOCUMENT.split())


def test_the_document_has_every_argument() -> None:
    table = [re.split(r" \| ", line.strip("| ")) for line in DOCUMENT.splitlines() if line.startswith("| `")]
    assert [(pattern.strip("`"), what.strip("`"), why) for pattern, what, why in table] == list(argued())


def test_the_examples_of_the_document_are_good(tmp_path: Path) -> None:
    settings, rule = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert parse_settings(settings, "site.yaml", NAMES).suppress
    file = tmp_path / "dosing_rate.yml"
    file.write_text(rule, encoding="utf-8")
    report = check([file])
    assert (report.errors, report.rules) == ((), 1)
