"""Flows and activities of the public captures, field by field against Zeek's logs (see tests/services/zeek.py)."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

import pytest

from tests.oracles.compare import CAPTURES, ROOT
from tests.services.zeek import compare, compared, listed
from tests.services.zeek_conn import conn_ours, conn_theirs
from tests.services.zeek_logs import Log

if not CAPTURES.is_dir():
    pytest.skip("the public captures are not here", allow_module_level=True)

LOGS = compared()
SECTION = (ROOT / "docs" / "services.md").read_text(encoding="utf-8").partition("## Zeek")[2].partition("\n## ")[0]


@pytest.mark.parametrize("log", LOGS, ids=lambda log: f"{log.capture.rpartition('/')[2]}-{log.path.stem}")
def test_fields_equal_zeeks_but_for_the_listed_differences(log: Log) -> None:
    """An unlisted difference fails, and so does a listed one that is gone."""
    expected = sorted(row for row in listed() if (row.capture, row.log) == (log.capture, log.name))
    assert sorted(compare(log).differences) == expected


def test_every_difference_is_of_a_log_and_every_reason_is_explained() -> None:
    rows = listed()
    assert {(row.capture, row.log) for row in rows} <= {(log.capture, log.name) for log in LOGS}
    assert set(rows.values()) == set(re.findall(r"^\| `(\w+)` \| [^|]*[a-z][^|]*\|$", SECTION, re.MULTILINE))


def test_the_documents_figures_are_true() -> None:
    found: Counter[tuple[str, str]] = Counter()
    for log in LOGS:
        comparison = compare(log)
        figures = {"logs": 1, "rows": comparison.lines, "facts": comparison.facts}
        found.update({(log.name, name): figure for name, figure in figures.items()})
        found[log.name, "listed"] += len(comparison.differences)
    names = sorted({name for name, _ in found})
    columns = ("logs", "rows", "facts", "listed")
    table = [f"| `{name}` | {' | '.join(f'{found[name, column]:,}' for column in columns)} |" for name in names]
    assert [line for line in SECTION.splitlines() if line in table] == table


FLOW: Final = {
    "transport": "tcp",
    "client": "10.0.0.1",
    "client_port": 4000,
    "server": "10.0.0.2",
    "server_port": 502,
    "vlan": None,
    "service": "modbus",
    "state": "closed",
    "packets_out": 2,
    "packets_in": 1,
    "bytes_out": 120,
    "bytes_in": 74,
}
LINE: Final = {
    "id.orig_h": "10.0.0.1",
    "id.orig_p": "4000",
    "id.resp_h": "10.0.0.2",
    "id.resp_p": "502",
    "proto": "tcp",
    "service": "modbus",
    "history": "ShADFf",
    "conn_state": "SF",
    "orig_pkts": "2",
    "orig_ip_bytes": "82",
    "resp_pkts": "1",
    "resp_ip_bytes": "60",
}


@pytest.mark.parametrize(
    ("field", "value", "fact"),
    [
        ("state", "reset", "state"),
        ("service", "enip", "service"),
        ("packets_in", 3, "packets of 10.0.0.2/502"),
        ("bytes_out", 203, "octets of 10.0.0.1/4000"),
        ("bytes_in", 73, "octets of 10.0.0.2/502"),
    ],
)
def test_a_flow_that_is_otherwise_differs(field: str, value: object, fact: str) -> None:
    theirs = conn_theirs([LINE])
    assert conn_ours([FLOW], theirs, 14) == theirs
    ours = conn_ours([FLOW | {field: value}], theirs, 14)
    assert fact in {found[1] for found in ours - theirs}
