"""What is told of a capture, and of Zeek's logs of the same packets: who speaks what with whom, which operations on
which points, and what devices say that they are.

`python -m tests.zeek.compare` writes `differences.csv` anew and keeps the reasons that are there; a row without one has
to get it by hand. The reasons are explained in `docs/zeek.md`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pyarrow as pa

from tests.oracles.compare import CAPTURES
from tests.services.zeek import OF_ANOTHER_CAPTURE
from tests.zeek.written import header
from zonewatch.dissectors.decoder import CaptureFile, Source
from zonewatch.dissectors.zeek.decoder import LogFile, decode
from zonewatch.dissectors.zeek.logs import BESIDE, KINDS
from zonewatch.dissectors.zeek.names import is_log
from zonewatch.sensor.decoding import decode as decode_captures

DIFFERENCES: Final = Path(__file__).with_name("differences.csv")
_SAME_SERVICE: Final = ("llmnr", "mdns", "netbios-ns")
"""What is one service to Zeek, and told apart here by its port alone."""
Fact = tuple[str, ...]
_ENDS: Final = "ts uid id.orig_h id.orig_p id.resp_h id.resp_p"
_WAY: Final = "is_orig source_h source_p destination_h destination_p"
_NODE: Final = "encoding_mask namespace_idx numeric string guid opaque"
BARE: Final = {
    "opcua_binary": f"{_ENDS} msg_type is_final total_size error reason version rcv_buf_size snd_buf_size max_msg_size "
    "max_chunk_cnt endpoint_url sec_channel_id sec_policy_uri_len sec_policy_uri snd_cert_len snd_cert rcv_cert_len "
    "rcv_cert request_id req_msg_size req_seq_number req_encoding_mask req_namespace_idx req_identifier "
    "req_identifier_str req_hdr_node_id_type req_hdr_node_id_namespace_idx req_hdr_node_id_numeric "
    "req_hdr_node_id_string req_hdr_node_id_guid req_hdr_node_id_opaque req_hdr_timestamp req_hdr_request_handle "
    "req_hdr_return_diag req_hdr_audit_entry_id req_hdr_timeout_hint req_hdr_add_hdr_type_id "
    "req_hdr_add_hdr_enc_mask res_msg_size res_seq_number res_encoding_mask res_namespace_idx res_identifier "
    "res_identifier_str res_hdr_timestamp res_hdr_request_handle res_hdr_service_diag_encoding "
    "res_hdr_add_hdr_type_id res_hdr_add_hdr_enc_mask",
    "opcua_binary_get_endpoints_description": f"{_ENDS} {_WAY} endpoint_url application_uri product_uri encoding_mask "
    "locale text application_type",
    "opcua_binary_create_session": f"{_ENDS} {_WAY} application_uri product_uri encoding_mask locale text",
    "opcua_binary_activate_session": f"{_ENDS} {_WAY} client_algorithm client_signature ext_obj_type_id_encoding_mask "
    "ext_obj_type_id_namespace_idx ext_obj_type_id_numeric ext_obj_type_id_string ext_obj_type_id_guid "
    "ext_obj_type_id_opaque ext_obj_type_id_str ext_obj_encoding ext_obj_policy_id ext_obj_user_name",
}
"""Fields of logs whose rows alone were kept, without those that link logs; the last may be missing."""


@dataclass(frozen=True, slots=True, order=True)
class Logs:
    """The logs of one run of Zeek over a capture."""

    capture: str
    folder: str
    names: tuple[str, ...]

    @property
    def files(self) -> list[LogFile]:
        """Its files. The run of one test is told by a suffix (`conn-second.log`), which is no part of the name."""
        return [
            LogFile(f"{name.partition('-')[0]}.log", _with_header(CAPTURES / self.folder / f"{name}.log"))
            for name in self.names
        ]

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of logs that are there."""
        return frozenset(name.partition("-")[0] for name in self.names)


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """A fact that only one side tells."""

    capture: str
    fact: str
    told_by: str  # packets, logs


def there() -> Iterator[Logs]:
    """Every folder with logs that are read, beside a capture."""
    folders = sorted({path.parent for path in CAPTURES.glob("**/*.truth/**/*.log")})
    for folder in folders:
        capture = next(parent for parent in (folder, *folder.parents) if parent.suffix == ".truth").with_suffix("")
        names = tuple(
            path.stem
            for path in sorted(folder.glob("*.log"))
            if path.stem.partition("-")[0] in {*KINDS, *BESIDE}
            and str(path.relative_to(CAPTURES)) not in OF_ANOTHER_CAPTURE
            and (is_log(path) or path.stem in BARE)
        )
        if names and capture.is_file():
            yield Logs(str(capture.relative_to(CAPTURES)), str(folder.relative_to(CAPTURES)), names)


@lru_cache(maxsize=1)
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory()


def _with_header(path: Path) -> Path:
    """The log, with the header that was left out."""
    text = path.read_text("utf-8")
    if "\n#fields" in text or path.stem not in BARE:
        return path
    rows = [line for line in text.splitlines() if line and not line.startswith("#")]
    names = BARE[path.stem].split()
    names += [f"field_{number}" for number in range(len(names), rows[0].count("\t") + 1)]
    copy = Path(_folder().name) / f"{path.stem}-{sha256(text.encode()).hexdigest()[:8]}.log"
    copy.write_text(header(path.stem, names) + "".join(f"{row}\n" for row in rows), "utf-8")
    return copy


def told(logs: Logs) -> tuple[frozenset[Fact], frozenset[Fact]]:
    """The facts of the capture, and those of its logs."""
    protocols = frozenset(KINDS[BESIDE.get(kind, kind)].protocol for kind in logs.kinds)
    has_connections = "conn" in logs.kinds
    ours = _facts(_of_capture(logs.capture), protocols, connections=has_connections)
    theirs = _facts(decode("x", logs.files), protocols, connections=has_connections)
    return ours, theirs


def differences(logs: Logs) -> list[Difference]:
    """What one side tells and the other not."""
    ours, theirs = told(logs)
    return sorted(
        Difference(logs.capture, " ".join(fact), by)
        for by, facts in (("packets", ours - theirs), ("logs", theirs - ours))
        for fact in facts
    )


@lru_cache(maxsize=2)
def _of_capture(capture: str) -> Mapping[str, pa.Table]:
    path = CAPTURES / capture
    return decode_captures([Source("x", (CaptureFile(path.name, path),))])


def _facts(tables: Mapping[str, pa.Table], protocols: frozenset[str], *, connections: bool) -> frozenset[Fact]:
    found = {fact for row in _rows(tables["aggregates"]) if row["protocol"] in protocols for fact in _events(row)}
    found |= {
        ("identity", row["protocol"], row["address"], row["attribute"], row["value"])
        for row in _rows(tables["claims"])
        if row["protocol"] in protocols
    }
    if connections:
        found |= {
            ("edge", row["transport"], row["client"], row["server"], _service(row["service"]))
            for row in _rows(tables["flows"])
            if row["transport"] in ("tcp", "udp") and row["service"]
        }
    return frozenset(found)


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    times = [name for name in table.column_names if pa.types.is_timestamp(table.schema.field(name).type)]
    return table.drop_columns(times).to_pylist()


def _events(row: Mapping[str, Any]) -> Iterator[Fact]:
    ends = (row["protocol"], row["transport"], row["client"], row["server"], str(row["server_port"]))
    name = row["function_name"] or f"function-{row['function']}"
    if row["events"]:
        yield ("operation", *ends, row["kind"], name, row["operation"])
        yield ("outcome", *ends, name, row["status"])
    if row["object_kind"] is not None:
        target = (row["object_kind"], str(row["object_start"]), str(row["object_count"]), row["property_name"])
        yield ("target", *ends, name, *(word for word in target if word))


def _service(name: str) -> str:
    return "dns" if name in _SAME_SERVICE else name


def listed() -> dict[Difference, str]:
    """The committed differences with their reasons."""
    if not DIFFERENCES.is_file():
        return {}
    with DIFFERENCES.open(encoding="utf-8", newline="") as file:
        return {Difference(row["capture"], row["fact"], row["told_by"]): row["reason"] for row in csv.DictReader(file)}


def write() -> None:
    """Writes the differences of today, with the reasons that are known."""
    known = listed()
    found = sorted({row for logs in there() for row in differences(logs)})
    with DIFFERENCES.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("capture", "fact", "told_by", "reason"))
        for row in found:
            writer.writerow((row.capture, row.fact, row.told_by, known.get(row, "?")))


if __name__ == "__main__":
    write()
