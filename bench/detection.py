"""Rules over flat events: generated code, the judging of tables, and a plain walk of pySigma's condition trees.

    python bench/detection.py [--events 200000] [--walked 20000]

The rules are all that zonewatch has of control operations; the events are made up, all distinct, by a fixed seed. CPU
time; hits are compared. The plain walk sees a part of the events, as it takes its time.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from sigma.collection import SigmaCollection
from sigma.rule import SigmaRule

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.rules.sigma.naive import walk
from zonewatch.rules.sigma.compile import predicates
from zonewatch.rules.sigma.files import files
from zonewatch.rules.sigma.load import load
from zonewatch.rules.sigma.run import judge
from zonewatch.rules.sigma.taxonomy import FIELDS, TAXONOMY

ROOT: Final = Path(__file__).parents[1]
CATEGORY: Final = "ot_operation"
RULES: Final = ROOT / "rules" / "detections"
GOAL: Final = 4.0
ROLES: Final = ("controller", "hmi_scada", "engineering_station", "historian", "gateway", None)
OPERATIONS: Final = ("read", "write", "control", "stop", "start", "program", "restart", "configure", "identify")
PROTOCOLS: Final[dict[str, dict[str, tuple[Any, ...]]]] = {
    "modbus": {"modbus.function_code": (1, 3, 4, 5, 6, 8, 15, 16, 22, 43), "modbus.unit_id": tuple(range(8))},
    "dnp3": {
        "dnp3.function_code": (0, 1, 2, 3, 4, 5, 13, 14, 18, 20, 21, 129, 130),
        "dnp3.source": tuple(range(20)),
        "dnp3.destination": tuple(range(40)),
        "dnp3.control_code": ("latch_on", "pulse_on", None),
    },
    "bacnet": {
        "bacnet.service": ("read_property", "write_property", "reinitialize_device", "who_is", "i_am"),
        "bacnet.object_type": ("analog-value", "binary-output", "device"),
        "bacnet.priority": (None, 8, 16),
        "bacnet.instance": tuple(range(100)),
    },
    "s7comm": {
        "s7comm.function": ("read_var", "write_var", "plc_stop", "request_download", "read_szl"),
        "s7comm.area": ("data-block", "flag", "input"),
        "s7comm.db": tuple(range(30)),
    },
}
START: Final = 1_700_000_000_000_000_000


def events(count: int) -> Iterator[dict[str, Any]]:
    """Operations of a plant, each at its own time and with its own value."""
    chance = random.Random(62443)
    pick = chance.choice
    for number in range(count):
        protocol = pick(tuple(PROTOCOLS))
        client, server = chance.randrange(40), chance.randrange(200)
        yield {
            "@timestamp": START + number * 1_000_000,
            "source.ip": f"10.1.0.{client}",
            "source.asset.id": f"asset-{client}",
            "source.asset.role": ROLES[client % len(ROLES)],
            "source.asset.declared": client % 3 > 0,
            "source.zone.name": f"zone-{client % 5}",
            "destination.ip": f"10.2.0.{server}",
            "destination.asset.id": f"plc-{server}",
            "destination.asset.role": "controller",
            "destination.asset.declared": True,
            "destination.zone.name": f"zone-{server % 7}",
            "conduit.crosses_zone": client % 5 != server % 7,
            "conduit.level_gap": float(client % 4),
            "conduit.verdict": pick(("allowed", "allowed", "allowed", "violation", "unzoned")),
            "policy.approved": True,
            "baseline.new_edge": pick((True, False, False, False)),
            "network.protocol": protocol,
            "network.direction": "internal",
            "ot.protocol": protocol,
            "ot.message": pick(("request", "request", "request", "response", "unsolicited")),
            "ot.operation": pick(OPERATIONS),
            "ot.changes_state": pick((True, False, False)),
            "ot.status": pick(("ok", "ok", "ok", "error", "no_response")),
            "ot.target.kind": pick(("holding-register", "coil", "analog-value", "data-block")),
            "ot.target.address": chance.randrange(10_000),
            "ot.value": round(chance.random() * 100 + number, 3),
            **{field: pick(values) for field, values in PROTOCOLS[protocol].items()},
        }


def as_table(rows: list[dict[str, Any]]) -> pa.Table:
    """The same as the audit has them: words in dictionaries, times as times."""
    names = sorted({name for row in rows for name in row})
    columns: dict[str, Any] = {name: pa.array([row.get(name) for row in rows]) for name in names}
    for name, column in columns.items():
        if pa.types.is_string(column.type):
            columns[name] = column.dictionary_encode()
    columns["@timestamp"] = columns["@timestamp"].cast(pa.timestamp("ns", "UTC"))
    return pa.table(columns)


def trees() -> list[tuple[str, Any]]:
    """pySigma's condition trees of the rules of the category, by name."""
    found: list[tuple[str, Any]] = []
    for path in files(RULES):
        for rule in SigmaCollection.from_yaml(path.read_text(), resolve_references=False).rules:
            if isinstance(rule, SigmaRule) and rule.logsource.category == CATEGORY:
                assert rule.taxonomy == TAXONOMY
                found += [(str(rule.name), condition.parse()) for condition in rule.detection.parsed_condition]
    return found


def timed(work: Callable[[], dict[str, int]]) -> tuple[float, dict[str, int]]:
    """CPU seconds, and hits by rule."""
    begin = time.process_time()
    found = work()
    return time.process_time() - begin, {name: count for name, count in found.items() if count}


def main() -> None:
    """Reads the command line and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--walked", type=int, default=20_000)
    given = parser.parse_args()
    rules = [rule for rule in load([RULES]).rules if rule.category == CATEGORY]
    made = list(events(given.events))
    assert set().union(*made[:1000]) <= FIELDS[CATEGORY].keys()
    part, table = made[: given.walked], as_table(made)
    plain = trees()
    coded = list(zip((rule.name for rule in rules), predicates(tuple(rule.condition for rule in rules)), strict=True))

    def walked() -> dict[str, int]:
        return {name: sum(walk(tree, event) for event in part) for name, tree in plain}

    def generated(rows: list[dict[str, Any]]) -> dict[str, int]:
        return {name: sum(map(holds, rows)) for name, holds in coded}

    def judged() -> dict[str, int]:
        return {hit.rule.name: len(hit.rows) for hit in judge(rules, {CATEGORY: table})}

    slow, by_walk = timed(walked)
    assert generated(part) == {name: by_walk.get(name, 0) for name, _ in coded}, "the plain walk hits otherwise"
    quick, by_code = timed(lambda: generated(made))
    batch, by_table = timed(judged)
    assert by_code == by_table, "tables are hit otherwise"
    walk_pace, code_pace, table_pace = len(part) / slow, len(made) / quick, len(made) / batch
    print(
        f"{len(rules)} rules, {len(made):,} distinct events, {sum(by_code.values()):,} hits of {len(by_code)} rules\n"
    )
    print("| Way | events/s (CPU) | times the plain walk | Goal |\n|---|--:|--:|--:|")
    print(f"| plain walk of pySigma's condition trees | {walk_pace:,.0f} | 1 | |")
    print(f"| generated code, event by event | {code_pace:,.0f} | {code_pace / walk_pace:.1f} | {GOAL:g} |")
    print(f"| tables, each question once a value | {table_pace:,.0f} | {table_pace / walk_pace:.1f} | {GOAL:g} |")


if __name__ == "__main__":
    main()
