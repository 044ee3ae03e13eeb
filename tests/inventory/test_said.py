"""Users and names that show in what was done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.inventory.network import arp, network
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.dissectors.vocabulary import FIELDS, SERVICES
from zonewatch.inventory.build import build
from zonewatch.inventory.said import SAID, STATED_BY_THE_ENGINE, said

CLIENT, SERVER = "10.0.0.7", "10.0.0.5"


def activity(protocol: str, fields: Mapping[str, str], status: str = "ok", **more: Any) -> Mapping[str, Any]:
    row = {"source": "tap", "capture": "a.pcap", "protocol": protocol, "client": CLIENT, "server": SERVER}
    told = [{"name": name, "value": value} for name, value in fields.items()]
    return row | {"status": status, "fields": told, "count": 1, "first_frame": 9, "request_frame": 4} | more


def told(*activities: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    found = said(rows(schemas.ACTIVITIES, activities))
    return [(row.address, row.attribute, row.value) for row in found]


@pytest.mark.parametrize(
    ("protocol", "fields", "status", "expected"),
    [
        ("ftp", {"user.name": "eva"}, "ok", (CLIENT, "user", "eva")),
        ("mssql", {"user.name": "eva", "user.domain": "PLANT"}, "ok", (CLIENT, "user", "PLANT\\eva")),
        ("ftp", {"user.name": "eva"}, "error", None),
        ("ftp", {"user.name": "anonymous"}, "ok", None),
        ("smb", {"user.name": "eva"}, "ok", None),
        ("radius", {"radius.nas": "switch-3"}, "no_response", (CLIENT, "hostname", "switch-3")),
        ("radius", {"radius.nas": "10.0.0.7"}, "ok", None),
        ("syslog", {"log.syslog.hostname": "plc-7"}, "one_way", (CLIENT, "hostname", "plc-7")),
        ("tls", {"tls.client.server_name": "web.plant.example"}, "ok", (SERVER, "hostname", "web.plant.example")),
        ("tls", {"tls.client.server_name": "web.plant.example"}, "no_response", None),
        ("tls", {"tls.server.x509.subject": "CN=web,O=Plant"}, "ok", (SERVER, "hostname", "web")),
        ("tls", {"tls.server.x509.subject": "O=Plant,CN=Plant CA"}, "ok", None),
        ("tls", {"tls.server.x509.subject": "CN=*.plant.example"}, "ok", None),
        ("http", {"url.domain": "plc.example:8080"}, "ok", (SERVER, "hostname", "plc.example")),
        ("http", {"url.domain": "10.0.0.5"}, "ok", None),
        ("rtsp", {"url.domain": "plc.example"}, "ok", None),
    ],
)
def test_what_fields_say(
    protocol: str, fields: dict[str, str], status: str, expected: tuple[str, str, str] | None
) -> None:
    assert told(activity(protocol, fields, status)) == ([expected] if expected else [])


def test_the_same_is_counted_together_with_its_first_frame() -> None:
    earlier, later = activity("ftp", {"user.name": "eva"}), activity("ftp", {"user.name": "eva"}, first_frame=70)
    (row,) = said(rows(schemas.ACTIVITIES, [earlier, {**later, "request_frame": None}]))
    assert (row.times, row.frame, row.capture) == (2, 4, "a.pcap")
    assert said(schemas.ACTIVITIES.empty_table()) == ()


def test_users_and_names_reach_the_assets() -> None:
    tables = network(seen=[arp(CLIENT, "00:80:f4:00:00:07"), arp(SERVER, "00:80:f4:00:00:05")])
    done = rows(schemas.ACTIVITIES, [activity("ftp", {"user.name": "eva"}), activity("http", {"url.domain": "files"})])
    assets = {asset.id: asset for asset in build(replace(tables, activities=done)).assets}
    assert assets[CLIENT].users == ("eva",)
    assert assets[SERVER].name == "files"
    (name,) = (claim for claim in assets[SERVER].claims if claim.attribute == "hostname")
    assert (name.confidence, name.evidence and name.evidence.frame) == ("low", 4)


def test_the_words_are_the_engines() -> None:
    assert {row.field for row in SAID} <= set(FIELDS)
    assert {name for row in SAID for name in row.protocols} | STATED_BY_THE_ENGINE <= set(SERVICES)
