"""What is told of flows and activities, field by field beside Zeek's logs of the same public captures.

A fact is who (the ends of a row of the log), a field of the row, and its value; both sides give facts with how often
each holds, and the two counts are compared. A field that Zeek leaves unset says nothing: where no row of these ends has
it, facts of ours are not compared. What differs is in `differences_zeek.csv` with one of the reasons of
`docs/services.md`.
"""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from tests.oracles.compare import CAPTURES
from tests.services.zeek_conn import HEADERS, conn_ours, conn_theirs
from tests.services.zeek_logs import Log, lines, logs
from tests.services.zeek_services import SERVICES, our_facts, their_facts
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

DIFFERENCES: Final = Path(__file__).with_name("differences_zeek.csv")
OF_ANOTHER_CAPTURE: Final = (
    # Another capture of the same name: the log's connection is not in it.
    "ntop__nDPI/tests/cfgs/default/pcap/IEC104.pcap.truth/automayt-zeek-logs/conn.log",
    # Three of 48 connections are left in it; the log is compared with the whole, `icsnpp-hart-ip`'s.
    "ntop__nDPI/tests/cfgs/default/pcap/hart_ip.pcap.truth/automayt-zeek-logs/conn.log",
    # Of the same tests as `tests/traces`, and lacks packets.
    "cisagov__icsnpp-opcua-binary/pcaps/open62541_client-server_mainloop.pcap.truth/analyzer.basic/conn.log",
    # The test reads two captures; this is the log of the other.
    "zeek__zeek/testing/btest/Traces/modbus/modbus-eit.pcap.truth/scripts.base.protocols.modbus.events/conn-first.log",
)
"""Logs that lie beside a capture and are not of it."""
Row = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """A fact that holds another number of times."""

    capture: str
    log: str
    row: str
    ours: int
    theirs: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """One log, compared."""

    lines: int
    facts: int
    differences: tuple[Difference, ...]


def compared() -> list[Log]:
    """Every log that is compared."""
    there = logs(("conn", *SERVICES))
    return [log for log in there if str(log.path.relative_to(CAPTURES)) not in OF_ANOTHER_CAPTURE]


@lru_cache(maxsize=4)
def tables(capture: str) -> dict[str, list[Row]]:
    """Our flows and activities of a capture, without their times."""
    path = CAPTURES / capture
    decoder = Decoder([Source("x", (CaptureFile(path.name, path),))], hash_inputs=False)
    found: dict[str, list[Row]] = {"flows": [], "activities": []}
    going = True
    while going:
        going = decoder.advance()
        for name, rows in found.items():
            rows += decoder.take(name).drop_columns(["first_time", "last_time"]).to_pylist()
    return found


@lru_cache(maxsize=1)
def _headers() -> dict[str, int]:
    """Octets of the link layer before the packets of each capture."""
    with (CAPTURES / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        return {line["file"]: HEADERS.get(line["linktype"], 0) for line in csv.DictReader(file)}


def compare(log: Log) -> Comparison:
    """The facts of a log, and what holds otherwise here."""
    there = lines(log)
    if log.name == "conn":
        theirs = conn_theirs(there)
        ours = conn_ours(tables(log.capture)["flows"], theirs, _headers()[log.capture])
    else:
        theirs = their_facts(SERVICES[log.name], there)
        has_ends = any("id.orig_h" in line for line in there)
        ours = our_facts(SERVICES[log.name], tables(log.capture)["activities"], has_ends=has_ends)
    said = {fact[:2] for fact in theirs}
    has_all = {fact[1] for fact in theirs} & {"seen"}
    ours = Counter({fact: count for fact, count in ours.items() if fact[:2] in said or fact[1] in has_all})
    absent = {who for who, field, _ in theirs if field == "seen" and (who, "seen", "yes") not in ours}
    theirs = Counter({fact: count for fact, count in theirs.items() if fact[0] not in absent or fact[1] == "seen"})
    differ = (fact for fact in sorted({*ours, *theirs}) if ours[fact] != theirs[fact])
    found = (Difference(log.capture, log.name, " ".join(fact), ours[fact], theirs[fact]) for fact in differ)
    return Comparison(len(there), len({*ours, *theirs}), tuple(found))


def listed() -> dict[Difference, str]:
    """The committed differences with their reasons."""
    with DIFFERENCES.open(encoding="utf-8", newline="") as file:
        rows = [(line["capture"], line["log"], line["row"], line) for line in csv.DictReader(file)]
    return {Difference(*row, int(line["ours"]), int(line["theirs"])): line["reason"] for *row, line in rows}
