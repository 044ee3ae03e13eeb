"""The whole inventory: empty input, any order, any words, many rows."""

from __future__ import annotations

import random
import time
from dataclasses import asdict
from typing import Any

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.inventory.network import Row, arp, claim, flow, network, seen, talk
from tests.tables import rows
from zonewatch.dissectors import schemas
from zonewatch.inventory.build import build
from zonewatch.inventory.model import Inventory
from zonewatch.inventory.tables import Tables

PLANT: dict[str, Any] = {
    "talks": [
        talk("10.0.0.1", f"10.0.1.{server}", operation, frame=10 * server + n, object_start=n)
        for server in range(1, 5)
        for n, operation in enumerate(("read", "read", "write"))
    ],
    "flows": [
        *(flow("10.0.0.1", f"10.0.1.{server}", 502, "modbus", frame=server) for server in range(1, 5)),
        *(flow("10.0.0.9", "10.0.1.1", port, state="refused", frame=port) for port in range(100)),
        *(flow("10.0.0.9", f"10.0.7.{n}", 502, state="attempted", frame=n) for n in range(1, 40)),
    ],
    "claims": [claim("10.0.1.1", "model", name, frame=n) for n, name in enumerate("abca")],
    "seen": [arp(f"10.0.1.{n}", f"00:80:f4:00:00:0{n}") for n in range(5)] + [seen("10.0.0.1", "00:d0:c9:00:00:01")],
}


def test_no_rows_no_assets() -> None:
    assert build(Tables()) == Inventory((), ())


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(shuffler: random.Random) -> None:
    shuffled = {name: shuffler.sample(given_rows, len(given_rows)) for name, given_rows in PLANT.items()}
    assert build(network(**shuffled)) == build(network(**PLANT))


def test_chunks_with_dictionaries_of_their_own() -> None:
    whole = network(**PLANT)
    parts = [network(**{only: PLANT[only]}) for only in PLANT]
    joined = Tables(
        **{
            name: pa.concat_tables([getattr(part, name) for part in parts])
            for name in ("aggregates", "flows", "claims", "addresses")
        }
    )
    assert build(joined) == build(whole)


def test_every_edge_ends_at_an_asset_or_at_many() -> None:
    inventory = build(network(**PLANT))
    known = {asset.id for asset in inventory.assets}
    ends = {end for edge in inventory.edges for end in (edge.client, edge.server)}
    assert {end for end in ends - known if not end.startswith("broadcast:")} == set()
    assert set(inventory.by_address.values()) == known


ADDRESSES = "10.0.0.1 10.0.0.2 10.0.0.255 8.8.8.8 :: fe80::1 fd00::1 224.0.0.1 0.0.0.0"
MACS = "00:80:f4:00:00:01 ff:ff:ff:ff:ff:ff"
WORDS = st.sampled_from(["", *f"{ADDRESSES} {MACS} modbus dnp3 read write ok tcp udp ethernet 🦊 x".split()])


def _any_row(schema: pa.Schema) -> st.SearchStrategy[Row]:
    def column(kind: Any) -> st.SearchStrategy[Any]:
        if pa.types.is_dictionary(kind) or pa.types.is_string(kind):
            return WORDS
        if pa.types.is_list(kind):
            return st.just([])
        return st.booleans() if pa.types.is_boolean(kind) else st.integers(0, 200)

    return st.fixed_dictionaries({field.name: column(field.type) for field in schema})


@settings(max_examples=60, deadline=None)
@given(
    *(
        st.lists(_any_row(schema), max_size=6)
        for schema in (schemas.AGGREGATES, schemas.FLOWS, schemas.CLAIMS, schemas.ADDRESSES)
    )
)
def test_any_words_make_an_inventory(
    aggregates: list[Row], flows: list[Row], claims: list[Row], addresses: list[Row]
) -> None:
    tables = Tables(
        rows(schemas.AGGREGATES, aggregates),
        rows(schemas.FLOWS, flows),
        rows(schemas.CLAIMS, claims),
        rows(schemas.ADDRESSES, addresses),
    )
    inventory = build(tables)
    names = [asset.id for asset in inventory.assets]
    assert len(names) == len(set(names))
    assert asdict(inventory) == asdict(build(tables))


def test_a_large_scan_is_quick() -> None:
    """200,000 flows of a scan, CPU time; the bound is loose because machines are busy."""
    count = 200_000
    template = flow("10.0.0.9", "10.0.0.1", 0, state="refused")
    flows = rows(schemas.FLOWS, [template])
    columns = {name: pa.repeat(flows[name][0], count) for name in flows.column_names}
    columns["server_port"] = pa.array([n % 65536 for n in range(count)], pa.uint16())
    columns["server"] = pa.array([f"10.0.{n % 4}.{n % 200}" for n in range(count)])
    table = pa.table(columns).cast(schemas.FLOWS)
    start = time.process_time()
    inventory = build(Tables(flows=table))
    assert time.process_time() - start < 8
    assert len(inventory.edges) <= 800
