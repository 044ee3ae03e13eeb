"""What the ICSNPP logs of two captures say of OPC UA, as the facts of `opcua`.

The logs come without their heads; the columns are those of icsnpp-opcua-binary at the commit in `captures.csv`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.oracles.compare import CAPTURES
from tests.oracles.opcua import IDENTITIES, MODES, PUBLIC, Facts

FOLDERS: Final = {
    f"{PUBLIC}open62541_client-server_mainloop.pcap": "analyzer.basic",
    f"{PUBLIC}open62541_client-server_mainloop-no-handshake.pcap": "analyzer.no-handshake",
}
"""Capture → the folder of its logs beside it."""
_SOURCES: Final = {"Read": "read", "Write": "write", "Browse": "browse", "CreateMonitoredItems": "monitor"}
Row = list[str]
Told = Iterator[tuple[str, str]]


def _node(row: Row, at: int = 12) -> str:
    """Namespace, number, text, GUID and opaque octets stand side by side, all but one of them empty."""
    namespace, *identifiers = row[at : at + 5]
    where = "" if namespace in ("-", "0") else f"ns={namespace};"
    return next(f"{where}{letter}={word}" for letter, word in zip("isgb", identifiers, strict=True) if word != "-")


def _services(row: Row) -> Told:
    yield from (("service", row[place]) for place in (29, 48) if row[place] != "-")


def _endpoint(row: Row) -> Told:
    if row[11] != "-":
        yield "endpoint", f"{MODES[int(row[23])]} {row[11]} {row[24].rpartition('#')[2]}"


def _channel(row: Row) -> Told:
    if row[6] == "T":
        yield "channel", MODES[int(row[13])]


def _user(row: Row) -> Told:
    if row[6] == "T":
        yield "user", f"{IDENTITIES[row[15]]} {row[22]}"


def _result(row: Row) -> Told:
    if row[12] in _SOURCES:
        yield f"result of {_SOURCES[row[12]]}", f"{int(row[14], 16) >> 16:#06x}"


def _asked(fact: str, attribute: bool = True) -> Callable[[Row], Told]:
    def of(row: Row) -> Told:
        if row[6] == "T":
            code = {"Value": "13"}.get(row[17], row[17])
            yield fact, _node(row) + (f" {code}" if attribute else "")

    return of


_LOGS: Final[dict[str, Callable[[Row], Told]]] = {
    "": _services,
    "_activate_session": _user,
    "_browse_description": _asked("browse", attribute=False),
    "_create_monitored_items_create_item": _asked("monitor"),
    "_create_session_endpoints": _endpoint,
    "_get_endpoints_description": _endpoint,
    "_opensecure_channel": _channel,
    "_read_nodes_to_read": _asked("read"),
    "_status_code_detail": _result,
    "_write": _asked("write"),
}


def _rows(path: Path) -> Iterator[Row]:
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        if not line.startswith("#"):
            yield line.split("\t")


def logged(capture: str) -> Facts:
    """What the logs of a capture say."""
    folder = CAPTURES / f"{capture}.truth" / FOLDERS[capture]
    facts: Facts = Counter()
    for name, told in _LOGS.items():
        for row in _rows(folder / f"opcua_binary{name}.log"):
            facts.update(told(row))
    return facts


def as_logged(facts: Facts) -> Facts:
    """The same facts of ours, as coarse as the logs."""
    coarse: Facts = Counter()
    for (fact, word), count in facts.items():
        if fact == "channel":
            word = word.split()[0]
        elif fact == "endpoint":
            word = word.rpartition(": ")[0]
        elif fact == "write":
            word = word.partition(" = ")[0]
        coarse[fact, word] += count
    return coarse
