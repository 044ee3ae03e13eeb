from __future__ import annotations

import pytest

from zonewatch.inventory.model import Asset, Role
from zonewatch.rules.exposure.devices import looks_like


@pytest.mark.parametrize(
    ("role", "vendor", "model", "words"),
    [
        ("hmi_scada", "Dell Inc.", "", "Looks like: HMI / SCADA by Dell Inc."),
        ("rtu", "Moxa", "W5", "Looks like: RTU by Moxa W5."),
        ("it_host", "", "", "Looks like: IT host."),
        ("unknown", "", "", "Looks like: unknown."),
    ],
)
def test_a_device_is_told_in_words(role: Role, vendor: str, model: str, words: str) -> None:
    assert looks_like(Asset("x", "x", (), role=role, vendor=vendor, model=model)) == words
