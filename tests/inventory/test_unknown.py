"""Names for traffic that no decoder knows: the same in every capture, given or made."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source
from zonewatch.dissectors.schemas import FLOWS
from zonewatch.inventory.unknown import MOST_PROFILES, named, takes_part

CAPTURE: Final = Path(__file__).parents[2] / "pcaps" / "unknown" / "private.pcap"
A, B = ("point", "10.0.0.1"), ("point", "10.0.0.2")


def _flows(*rows: dict[str, Any]) -> pa.Table:
    empty = {field.name: (None if field.nullable else _zero(field.type)) for field in FLOWS}
    usual = {
        **empty,
        **{"source": "point", "capture": "a.pcap", "transport": "udp", "client": A[1], "server": B[1]},
        **{"client_port": 40_000, "server_port": 4711, "packets_out": 10, "bytes_out": 900, "flows": 1},
        **{"size_low": 10, "size_middle": 64, "size_high": 90, "entropy": 4.0, "first_frame": 1},
    }
    return pa.Table.from_pylist([{**usual, **row} for row in rows], schema=FLOWS)


def _zero(kind: pa.DataType) -> Any:
    if pa.types.is_boolean(kind):
        return False
    return "" if pa.types.is_string(kind) or pa.types.is_dictionary(kind) else 0


def _words(table: pa.Table) -> list[str]:
    return [str(word) for word in table["service"].to_pylist()]


def test_only_what_nobody_knows_between_devices_of_the_control_system_has_a_name() -> None:
    rows: tuple[dict[str, Any], ...] = (
        {},
        {"service": "ntp"},
        {"server": "10.0.0.9"},
        {"size_middle": None},
        {"client": B[1], "server": A[1]},
    )
    table, profiles = named(_flows(*rows), {A, B}, {})
    (profile,) = profiles
    assert _words(table) == [profile.name, "ntp", "", "", profile.name]
    assert (profile.fingerprint, profile.pairs, profile.packets, profile.bytes) == ("udp/4711", 2, 20, 1800)
    assert named(_flows({"service": "ntp"}), {A, B}, {})[1] == ()


def test_a_name_is_made_of_what_the_traffic_is_and_not_of_what_else_is_there() -> None:
    (alone,) = named(_flows({}), {A, B}, {})[1]
    among = {
        item.fingerprint: item.name
        for item in named(_flows({"server_port": 99}, {}, {"server_port": 5}), {A, B}, {})[1]
    }
    assert among["udp/4711"] == alone.name
    assert len(set(among.values())) == 3


def test_a_port_that_anybody_gets_tells_nothing_and_the_profile_does() -> None:
    alike = [{"server_port": 50_000}, {"server_port": 61_000, "size_middle": 90}]
    other = [{"server_port": 50_001, "size_middle": 700}, {"server_port": 50_002, "entropy": 7.9}]
    table, profiles = named(_flows(*alike, *other), {A, B}, {})
    one, two, *rest = _words(table)
    assert one == two
    assert len({one, *rest}) == 3
    assert {item.ports for item in profiles} >= {("udp/50000", "udp/61000")}
    assert all("any" in item.fingerprint for item in profiles)


def test_names_of_people_take_the_place_by_number_by_port_and_by_profile() -> None:
    (made,) = named(_flows({}), {A, B}, {})[1]
    for word in (made.name, "udp/4711"):
        table, profiles = named(_flows({}), {A, B}, {word: "x-pump"})
        assert _words(table) == ["x-pump"]
        assert profiles[0].name == "x-pump"


def test_there_are_so_many_names_and_no_more() -> None:
    rows = [{"server_port": port, "bytes_out": port} for port in range(1, MOST_PROFILES + 50)]
    table, profiles = named(_flows(*rows), {A, B}, {})
    assert len(profiles) == MOST_PROFILES
    assert len({item.name for item in profiles}) == MOST_PROFILES
    assert [not word for word in _words(table)].count(True) == 49
    assert not _words(table)[0], "those with least octets keep their ports"


@given(st.permutations(range(6)))
def test_the_order_of_flows_changes_nothing(order: list[int]) -> None:
    rows = [{"server_port": 4000 + at % 4, "bytes_out": 100 * at, "first_frame": at} for at in range(6)]
    plain, first = named(_flows(*rows), {A, B}, {})
    turned, second = named(_flows(*(rows[at] for at in order)), {A, B}, {})
    assert first == second
    assert _words(turned) == [_words(plain)[at] for at in order]


def test_the_engine_tells_sizes_pace_and_evenness() -> None:
    decoder = Decoder([Source("point", (CaptureFile("private", CAPTURE),))])
    while decoder.advance():
        pass
    flows, aggregates = decoder.take("flows"), decoder.take("aggregates")
    table, profiles = named(flows, takes_part(aggregates), {})
    assert table.schema == flows.schema
    records = next(item for item in profiles if item.fingerprint == "udp/4711")
    assert (records.size_low, records.size_middle, records.size_high) == (6, 32, 32)
    assert records.period == 250_000_000
    assert 2 < records.entropy < 3
    assert records.client_share > 0.8
    samples = next(item for item in profiles if item != records)
    assert samples.ports == ("udp/50011", "udp/61007")
    assert samples.entropy > 7
    assert [row["size_middle"] for row in flows.to_pylist() if row["service"] == "modbus"] == [None]
