"""Addresses beyond the limits are told by their kind; devices keep their names."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.inventory import network
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.inventory.addresses import GROUPS, OTHERS, PUBLIC
from zonewatch.inventory.crowd import MOST, kind_of, without_crowds

SERVER = "10.0.0.5"


def tables(flows: list[network.Row]) -> dict[str, pa.Table]:
    given = {name: rows(schema, []) for name, schema in schemas.TABLES.items() if name != "pdus"}
    return given | {"flows": rows(schemas.FLOWS, flows)}


def flood(count: int, state: str = "one_way") -> list[network.Row]:
    return [network.flow(f"8.8.{number >> 8}.{number & 255}", SERVER, 80, state=state) for number in range(count)]


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("8.8.8.8", PUBLIC),
        ("8.8.8.0/24", PUBLIC),
        ("0.0.0.0/0", PUBLIC),
        ("::/0", PUBLIC),
        ("10.0.0.0/8", OTHERS),
        ("fc00::/7", OTHERS),
        ("stations/0", OTHERS),
        ("any/0", OTHERS),
        ("00:80:f4:00:00:01", OTHERS),
        ("224.0.0.0/4", GROUPS),
        ("239.1.2.3", GROUPS),
        ("ff:ff:ff:ff:ff:ff", GROUPS),
    ],
)
def test_the_kind_of_an_address(address: str, kind: str) -> None:
    assert kind_of(address) == kind


def test_few_addresses_stay_as_they_are() -> None:
    given = tables(flood(MOST[PUBLIC]))
    assert without_crowds(given) == (given, {})


def test_a_flood_is_told_as_one_and_who_was_answered_keeps_its_name() -> None:
    answered = network.flow("9.9.9.9", SERVER, 80, frame=9)
    found, crowd = without_crowds(tables([*flood(MOST[PUBLIC] + 9), answered]))
    clients = found["flows"]["client"].to_pylist()
    assert crowd == {PUBLIC: 10}
    assert (clients.count(PUBLIC), clients[-1], clients[0]) == (10, "9.9.9.9", "8.8.0.0")
    assert set(found["flows"]["server"].to_pylist()) == {SERVER}
    assert found["flows"].schema == schemas.FLOWS


def test_networks_of_the_engine_are_always_told_as_one() -> None:
    found, crowd = without_crowds(tables([network.flow("8.8.8.0/24", SERVER, 80)]))
    assert (found["flows"]["client"].to_pylist(), crowd) == ([PUBLIC], {PUBLIC: 1})
