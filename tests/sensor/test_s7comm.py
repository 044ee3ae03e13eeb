"""A Siemens controller from its packets to its asset, its edge and what was done to it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.dissectors.vocabulary import STATE_CHANGING
from zonewatch.inventory.build import build
from zonewatch.inventory.model import Inventory
from zonewatch.inventory.tables import Tables
from zonewatch.sensor.decoding import decode

PCAPS: Final = Path(__file__).resolve().parents[2] / "pcaps" / "s7comm"


def seen(name: str) -> Inventory:
    tables = decode([Source("point", (CaptureFile(name, PCAPS / name),))])
    return build(Tables(**{word: tables[word] for word in ("aggregates", "flows", "claims", "addresses", "coverage")}))


@pytest.mark.parametrize(
    ("capture", "address", "told"),
    [
        (
            "engineering.pcap",
            "192.168.10.50",
            ("FILTER-HALL", "Siemens", "6ES7 315-2EH14-0AB0", "V3.2.8", "S C-X4U421302009"),
        ),
        ("plus_session.pcap", "192.168.10.51", ("192.168.10.51", "Siemens", "6ES7 214-1HE30-0XB0", "V2.2", "")),
    ],
)
def test_the_controller_is_told_by_what_it_says(capture: str, address: str, told: tuple[str, ...]) -> None:
    (asset,) = (asset for asset in seen(capture).assets if address in asset.addresses)
    assert (asset.role, asset.kind) == ("controller", "ot")
    assert (asset.name, asset.vendor, asset.model, asset.firmware, asset.serial) == told


def test_what_was_done_to_it_is_an_edge() -> None:
    (edge,) = seen("engineering.pcap").edges
    changing = {item.name for item in edge.functions if item.operation in STATE_CHANGING}
    assert changing >= {
        "plc_stop",
        "request_download",
        "download_block",
        "activate_block",
        "start_program",
        "set_clock",
    }
    assert {
        target.property_name for item in edge.functions for target in item.targets if target.kind == "data-block"
    } == {
        "db7",
        "db99",
    }
