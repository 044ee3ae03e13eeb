"""What devices are said to be, and what that does to their role."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from tests.inventory.network import Row, arp, claim, flow, network, talk
from zonewatch.inventory.build import build
from zonewatch.inventory.hints import HINTS, NO_ROLE, Hint
from zonewatch.inventory.roles import RULES

ENGINE = Path(__file__).resolve().parents[2] / "dissectors"
A, B = "10.0.0.1", "10.0.1.1"
DEVICES = {"banners.toml": ("devices",), "http.toml": ("paths", "servers", "realms", "titles", "cookies")}
"""Tables whose `kind` is vendor; model; role."""
TYPES = {
    "discovery.toml": ("types",),
    "dns.toml": ("service_types",),
    "neighbours.toml": ("lldp_capabilities", "cdp_capabilities"),
}
"""Tables whose `kind` is a role."""


def role(hints: list[tuple[str, str]], *, talks: list[Row], flows: list[Row]) -> tuple[str, str]:
    claims = [claim(B, "role_hint", word, protocol=protocol, frame=7) for word, protocol in hints]
    seen = [arp(B, "00:80:f4:00:00:20")]
    asset = next(
        row for row in build(network(talks=talks, flows=flows, claims=claims, seen=seen)).assets if row.id == B
    )
    return asset.role, asset.role_reasons[0] if asset.role_reasons else ""


@pytest.mark.parametrize(
    ("hints", "talks", "flows", "expected"),
    [
        ([("router", "ssdp")], [], [], "router"),
        ([("switch", "lldp")], [], [], "network_device"),
        ([("io-device", "profinet-dcp")], [], [], "io_device"),
        ([("io-device", "profinet-dcp"), ("switch", "lldp")], [talk(A, B)], [], "controller"),
        ([("plc", "http")], [], [flow(A, B, 80, "http")], "controller"),
        ([("router", "ssdp")], [], [flow(A, B, 80, "http")], "router"),
        ([("domain-controller", "netbios-ns")], [], [flow(B, A, 80, "http")], "it_server"),
        ([("printer", "mdns")], [], [], "it_host"),
        ([("master-browser", "netbios-dgm")], [], [], "unknown"),
    ],
)
def test_what_is_said_comes_after_what_was_done_in_the_process(
    hints: list[tuple[str, str]], talks: list[Row], flows: list[Row], expected: str
) -> None:
    assert role(hints, talks=talks, flows=flows)[0] == expected


def test_the_reason_names_who_says_it_and_the_frame() -> None:
    _, reason = role([("router", "ssdp")], talks=[], flows=[])
    assert reason == "is said to be router by ssdp, first in a.pcap frame 7"


def _words() -> set[str]:
    found = set(re.findall(r'RoleHint, "([^"]+)"', "\n".join(_sources())))
    for name, sections in (DEVICES | TYPES).items():
        table = tomllib.loads((ENGINE / "tables" / name).read_text(encoding="utf-8"))
        kinds = [entry.get("kind", "") for section in sections for entry in table[section].values()]
        found |= {kind.rpartition(";")[2].strip() for kind in kinds}
    profinet = tomllib.loads((ENGINE / "tables" / "profinet.toml").read_text(encoding="utf-8"))
    return (found | {entry["name"] for entry in profinet["roles"].values()}) - {""}


def _sources() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted((ENGINE / "src" / "protocols").rglob("*.rs"))]


def test_every_word_of_the_engine_is_known() -> None:
    assert _words() - set(HINTS) - NO_ROLE == set()


def test_no_word_has_two_meanings_and_each_hint_has_a_rule() -> None:
    assert not set(HINTS) & NO_ROLE
    assert set(get_args(Hint)) - {rule.fact for rule in RULES} == {"said_station"}
