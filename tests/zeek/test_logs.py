"""What single logs become: made rows in, rows of the tables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest

from tests.zeek.written import START, header
from zonewatch.dissectors.zeek.decoder import LogFile, decode

Row = Mapping[str, object]
HMI, PLC, ELSEWHERE = "10.0.0.5", "10.0.0.10", "10.0.0.99"
BETWEEN: Final = {"uid": "C1", "id.orig_h": HMI, "id.orig_p": 40_000, "id.resp_h": PLC, "id.resp_p": 44_818}
FROM_CLIENT: Final = {
    "is_orig": "T",
    "source_h": HMI,
    "source_p": 40_000,
    "destination_h": PLC,
    "destination_p": 44_818,
}
FROM_SERVER: Final = {
    "is_orig": "F",
    "source_h": PLC,
    "source_p": 44_818,
    "destination_h": HMI,
    "destination_p": 40_000,
}


def written(folder: Path, name: str, rows: Sequence[Row]) -> LogFile:
    """A log with tabs with these rows, a second apart unless they say."""
    kind = name.partition(".")[0]
    columns = list(dict.fromkeys(("ts", *(column for row in rows for column in row))))
    lines = [
        "\t".join(str({"ts": START + at, **row}.get(name, "-")) for name in columns) for at, row in enumerate(rows)
    ]
    path = folder / f"{name}.log"
    path.write_text(header(kind, columns) + "".join(line + "\n" for line in lines))
    return LogFile(path.name, path)


def read(folder: Path, **logs: Sequence[Row]) -> Mapping[str, pa.Table]:
    """The tables of logs with these rows."""
    return decode("x", [written(folder, name, rows) for name, rows in logs.items()])


def plain(tables: Mapping[str, pa.Table], table: str, *columns: str) -> list[tuple[Any, ...]]:
    """These columns of a table."""
    return [tuple(row[name] for name in columns) for row in tables[table].select(list(columns)).to_pylist()]


def claimed(tables: Mapping[str, pa.Table]) -> set[tuple[Any, ...]]:
    return set(plain(tables, "claims", "protocol", "address", "attribute", "value"))


def cip(direction: str, service: str, **more: object) -> Row:
    way = FROM_CLIENT if direction == "request" else FROM_SERVER
    return {**BETWEEN, **way, "direction": direction, "cip_service_code": service, "cip_service": "x", **more}


def test_services_of_cip_are_activities(tmp_path: Path) -> None:
    tables = read(
        tmp_path,
        cip=[
            cip("request", "0x10", cip_sequence_count=1, class_id="0x04", class_name="Assembly"),
            cip("response", "0x10", cip_sequence_count=1, cip_status_code="0x00", cip_status="Success"),
            cip("request", "0x10", cip_sequence_count=2, class_id="0xf5", class_name="TCP/IP Interface"),
            cip("response", "0x90", cip_sequence_count=2, cip_status_code="0x0f", cip_status="Privilege Violation"),
            cip("request", "0x05", cip_sequence_count=3, class_id="0x01"),
            cip("request", "0x4d", cip_sequence_count=4, class_id="0x6b"),
            cip("response", "0x4d", cip_sequence_count=4, cip_status_code="0x00", cip_status="Success"),
            cip("request", "0x54", cip_sequence_count=5, class_id="0x06"),
            cip("response", "0x54", cip_sequence_count=5, cip_status_code="0x00", cip_status="Success"),
            cip("request", "0x7f", cip_sequence_count=6),
        ],
    )  # fmt: skip
    found = plain(tables, "activities", "protocol", "client", "server", "action", "operation", "status", "code")
    assert sorted(found) == [
        ("enip", HMI, PLC, "forward_open", "session", "ok", ""),
        ("enip", HMI, PLC, "reset", "restart", "no_response", ""),
        ("enip", HMI, PLC, "service_0x7f", "unknown", "no_response", ""),
        ("enip", HMI, PLC, "set_attribute_single", "configure", "error", "Privilege Violation"),
        ("enip", HMI, PLC, "set_attribute_single", "write", "ok", ""),
        ("enip", HMI, PLC, "write_tag", "write", "ok", ""),
    ]
    assert plain(tables, "flows", "client", "server", "service") == [(HMI, PLC, "enip")]
    assert not tables["aggregates"].num_rows


def test_commands_of_enip_and_identities(tmp_path: Path) -> None:
    tables = read(
        tmp_path,
        enip=[
            {**BETWEEN, **FROM_CLIENT, "enip_command_code": "0x65", "enip_status": "Success"},
            {**BETWEEN, **FROM_SERVER, "enip_command_code": "0x65", "enip_status": "Success"},
            {**BETWEEN, **FROM_CLIENT, "enip_command_code": "0x70", "enip_status": "Success"},
            {**BETWEEN, **FROM_CLIENT, "enip_command_code": "0x66", "enip_status": "Success"},
        ],
        cip_identity=[
            {**BETWEEN, **FROM_SERVER, "socket_address": ELSEWHERE, "vendor_name": "Rockwell Automation/Allen-Bradley",
             "device_type_name": "Communications Adapter", "product_name": "1756-EN2T/B", "revision": "5.28",
             "serial_number": "0x00611ab0"},
            {**BETWEEN, **FROM_SERVER, "socket_address": "0.0.0.0", "product_name": "1756-L61"},
        ],
    )  # fmt: skip
    assert sorted(plain(tables, "activities", "action", "status")) == [
        ("register_session", "ok"),
        ("unregister_session", "ok"),
    ]
    assert claimed(tables) == {
        ("enip", ELSEWHERE, "vendor", "Rockwell Automation/Allen-Bradley"),
        ("enip", ELSEWHERE, "description", "Communications Adapter"),
        ("enip", ELSEWHERE, "model", "1756-EN2T/B"),
        ("enip", ELSEWHERE, "firmware", "5.28"),
        ("enip", ELSEWHERE, "serial", "0x00611ab0"),
        ("enip", PLC, "model", "1756-L61"),
    }


UA: Final = {**BETWEEN, "id.resp_p": 4_840}


def ua(asks: int, answers: int | None, link: str, **more: object) -> Row:
    response = {} if answers is None else {"res_identifier": answers, "res_opcua_link_id": f"r{link}"}
    return {**UA, "msg_type": "MSG", "req_identifier": asks, "req_opcua_link_id": link, **response, **more}


def test_services_of_opcua(tmp_path: Path) -> None:
    tables = read(
        tmp_path,
        opcua_binary=[
            {**UA, "msg_type": "HEL", "endpoint_url": "opc.tcp://plc:4840"},
            {**UA, "msg_type": "ACK"},
            ua(446, 449, "L1", msg_type="OPN", sec_policy_uri="http://opcfoundation.org/UA/SecurityPolicy#None"),
            ua(467, 470, "L2", status_code_link_id="S0"),
            ua(631, 634, "L3"),
            ua(673, 676, "L4"),
            ua(673, 676, "L5"),
            ua(712, 397, "L6", status_code_link_id="S1"),
            ua(826, 829, "L7"),
            ua(826, None, "L8"),
            ua(452, None, "L9", msg_type="CLO"),
        ],
        opcua_binary_opensecure_channel=[
            {**UA, "opcua_link_id": "L1", "message_security_mode": 1, "sec_token_request_type": 0},
            {**UA, "opcua_link_id": "rL1", "server_proto_ver": 0},
        ],
        opcua_binary_activate_session=[
            {**UA, "opcua_link_id": "L2", "ext_obj_type_id_numeric": 324, "ext_obj_user_name": "operator",
             "ext_obj_password": "plant7"},
        ],
        opcua_binary_read=[{**UA, "opcua_link_id": "L3", "nodes_to_read_link_id": "N1"}],
        opcua_binary_read_nodes_to_read=[
            {**UA, "nodes_to_read_link_id": "N1", "node_id_namespace_idx": 2, "node_id_string": "Pump",
             "attribute_id": 13},
            {**UA, "nodes_to_read_link_id": "N1", "node_id_numeric": 2_258, "attribute_id": 13},
        ],
        opcua_binary_write=[
            {**UA, "opcua_link_id": "L4", "node_id_namespace_idx": 1, "node_id_numeric": 7, "attribute_id": 13},
            {**UA, "opcua_link_id": "rL4"},
            {**UA, "opcua_link_id": "L5", "node_id_namespace_idx": 1, "node_id_numeric": 8, "attribute_id": 13},
            {**UA, "opcua_link_id": "rL5", "res_status_code_link_id": "S2"},
        ],
        opcua_binary_status_code_detail=[
            {**UA, "status_code_link_id": "S0", "status_code": "0x00000000"},
            {**UA, "status_code_link_id": "S1", "status_code": "0x80330000"},
            {**UA, "status_code_link_id": "S2", "status_code": "0x803b0000"},
        ],
        opcua_binary_create_session=[{**UA, **FROM_CLIENT, "opcua_link_id": "L", "application_uri": "urn:hmi"}],
        opcua_binary_get_endpoints_description=[{**UA, "application_uri": "urn:plc", "text": "PLC",
                                                 "product_uri": "urn:p"}],
    )  # fmt: skip
    columns = ("function", "function_name", "operation", "kind", "status", "object_kind", "property", "property_name")
    assert sorted(plain(tables, "aggregates", *columns), key=str) == sorted([
        (None, "hello", "session", "request", "ok", "endpoint", None, ""),
        (446, "open_secure_channel", "session", "request", "ok", "security-mode", None, "none"),
        (446, "open_secure_channel", "session", "request", "ok", "security-policy", None, "None"),
        (467, "activate_session", "authenticate", "request", "ok", "user-token", None, "user_name"),
        (467, "activate_session", "authenticate", "request", "ok", "password", None, "clear"),
        (631, "read", "read", "request", "ok", "node", 13, "ns=2;s=Pump"),
        (631, "read", "read", "request", "ok", "node", 13, "i=2258"),
        (673, "write", "write", "request", "ok", "node", 13, "ns=1;i=7"),
        (673, "write", "write", "request", "error", "node", 13, "ns=1;i=8"),
        (712, "call", "operate", "request", "error", None, None, ""),
        (829, "publish", "report", "unsolicited", "one_way", None, None, ""),
        (452, "close_secure_channel", "session", "unconfirmed", "one_way", None, None, ""),
    ], key=str)  # fmt: skip
    failed = {row for row in plain(tables, "events", "function", "status_code", "status_name") if row[1] is not None}
    assert failed == {(712, 0x8033, "bad_node_id_invalid"), (673, 0x803B, "bad_not_writable")}
    assert claimed(tables) == {
        ("opcua", HMI, "user", "operator"),
        ("opcua", HMI, "application", "urn:hmi"),
        ("opcua", PLC, "application", "urn:plc"),
        ("opcua", PLC, "name", "PLC"),
        ("opcua", PLC, "software", "urn:p"),
    }
    assert "plant7" not in str({name: table.to_pylist() for name, table in tables.items()})


def test_hosts_that_are_known(tmp_path: Path) -> None:
    tables = read(
        tmp_path,
        known_hosts=[{"host": PLC}],
        known_certs=[{"host": PLC, "port_num": 443, "subject": "CN=plc-7", "issuer_subject": "CN=ca"}],
        known_modbus=[
            {"host": HMI, "device_type": "Known::MODBUS_MASTER"},
            {"host": PLC, "device_type": "Known::MODBUS_SLAVE"},
        ],
    )
    assert claimed(tables) == {
        ("tcp", PLC, "address", PLC),
        ("tls", PLC, "certificate", "CN=plc-7"),
        ("modbus", HMI, "address", HMI),
        ("modbus", PLC, "port", "tcp/502"),
    }


@pytest.mark.parametrize(("link", "names"), [("cert_chain_fps", "fingerprint"), ("cert_chain_fuids", "id")])
def test_a_session_has_the_certificate_that_another_log_has(tmp_path: Path, link: str, names: str) -> None:
    certificate = {
        "certificate.serial": "59EB", "certificate.subject": "CN=plc-7", "certificate.issuer": "CN=plc-7",
        "certificate.not_valid_before": "1423664106.000000", "certificate.not_valid_after": "1431388800.000000",
        "san.dns": "plc-7,plc-7.example", names: "F1",
    }  # fmt: skip
    session = {**BETWEEN, "id.resp_p": 443, "version": "TLSv12", "established": "T", link: "F1,F2"}
    tables = read(tmp_path, ssl=[session, {**session, link: "F3"}], x509=[certificate])
    fields = [{one["name"]: one["value"] for one in row} for row in tables["activities"]["fields"].to_pylist()]
    told = {"tls.version": "1.2", "tls.established": "true"}
    assert fields == [
        {
            **told,
            "tls.server.x509.subject": "CN=plc-7",
            "tls.server.x509.issuer": "CN=plc-7",
            "tls.server.x509.serial_number": "59EB",
            "tls.server.not_before": "2015-02-11T14:15:06Z",
            "tls.server.not_after": "2015-05-12T00:00:00Z",
            "tls.server.x509.alternative_names": "plc-7, plc-7.example",
            "tls.server.self_signed": "true",
        },
        told,
    ]


def test_commands_of_smb_tell_what_was_refused(tmp_path: Path) -> None:
    between = {**BETWEEN, "id.resp_p": 445, "version": "SMB2"}
    tables = read(
        tmp_path,
        smb_cmd=[
            {**between, "command": "NEGOTIATE_PROTOCOL", "status": "SUCCESS"},
            {**between, "command": "SESSION_SETUP", "status": "MORE_PROCESSING_REQUIRED"},
            {**between, "command": "SESSION_SETUP", "status": "LOGON_FAILURE", "username": "admin"},
            {**between, "command": "TREE_CONNECT", "status": "ACCESS_DENIED", "tree": "\\\\\\\\plc\\\\C$"},
            {**between, "command": "CREATE", "status": "SUCCESS", "referenced_file.name": "a.txt"},
            {**between, "command": "CLOSE", "status": "FILE_CLOSED"},
        ],
    )
    assert sorted(plain(tables, "activities", "action", "operation", "status", "code")) == [
        ("logon", "authenticate", "error", "STATUS_LOGON_FAILURE"),
        ("negotiate", "session", "ok", ""),
        ("tree_connect", "session", "error", "STATUS_ACCESS_DENIED"),
    ]


def test_what_zeek_found_odd(tmp_path: Path) -> None:
    over_dnp3 = {**BETWEEN, "id.resp_p": 20_000}
    tables = read(
        tmp_path,
        weird=[
            {**over_dnp3, "name": "binpac exception: out_of_bound: CROB: 11 > 2"},
            {**over_dnp3, "name": "dnp3_corrupt_header_checksum", "source": "DNP3"},
            {**BETWEEN, "name": "modbus_diag_unknown_request_subfunction", "addl": "77"},
            {**BETWEEN, "name": "fragment_inconsistency"},
            {**BETWEEN, "name": "bad_TCP_checksum"},
            {**BETWEEN, "name": "data_before_established"},
            {**BETWEEN, "name": "dns_unmatched_msg", "source": "DNS"},
        ],
    )
    assert plain(tables, "oddities", "protocol", "layer", "code") == [
        ("dnp3", "zeek", "truncated"),
        ("dnp3", "zeek", "bad_checksum"),
        ("modbus", "zeek", "invalid_value"),
        ("", "zeek", "conflicting_overlap"),
        ("", "zeek", "bad_header"),
    ]
    assert tables["oddities"]["expected"].to_pylist()[2].endswith("modbus_diag_unknown_request_subfunction (77)")
    assert tables["coverage"]["oddities"].to_pylist() == [7]


def test_a_log_that_ends_as_its_accounts_are_put_away(tmp_path: Path) -> None:
    """More combinations than are held at once, in one block."""
    clients = [f"10.1.{number >> 8}.{number & 0xFF}" for number in range(10_000)]
    row = {**BETWEEN, "id.resp_p": 502, "func": "READ_COILS", "address": 1, "quantity": 1, "matched": "T"}
    tables = read(tmp_path, modbus_detailed=[{**row, "id.orig_h": client, "ts": START} for client in clients])
    assert tables["aggregates"].num_rows == len(clients)


def s7(rosctr: int, pdu: int, **more: object) -> Row:
    way = FROM_CLIENT if rosctr == 1 else FROM_SERVER
    return {**BETWEEN, **way, "id.resp_p": 102, "rosctr_code": rosctr, "pdu_reference": pdu, "function_code": "0x1d",
            **more}  # fmt: skip


def test_an_answer_in_the_next_rotated_log_is_its_requests(tmp_path: Path) -> None:
    block = {**BETWEEN, **FROM_CLIENT, "id.resp_p": 102, "rosctr": "Job-Request", "function_code": "0x1d",
             "block_type": "Data Block", "block_number": 7, "filename": "_0A00007A"}  # fmt: skip
    first, second = "11:00:00-12:00:00", "12:00:00-13:00:00"
    files = [
        written(tmp_path, f"s7comm.{first}", [s7(1, 1), s7(3, 1), {**s7(1, 2), "ts": START + 9}, s7(1, 3)]),
        written(tmp_path, f"s7comm_upload_download.{first}", [{**block, "ts": START + 9, "pdu_reference": 2}]),
        written(tmp_path, f"s7comm.{second}", [{**s7(3, 2), "ts": START + 10}, {**s7(1, 4), "ts": START + 11}]),
    ]
    tables = decode("x", files)
    names = ("capture", "request_frames", "response_capture", "response_frames", "status")
    line = len(header("s7comm", ["x"]).splitlines())
    one, two = (f"zeek:s7comm.{part}.log" for part in (first, second))
    assert set(map(str, plain(tables, "events", *names))) == set(
        map(
            str,
            [
                (one, [line + 1], one, [line + 2], "ok"),
                (one, [line + 3], two, [line + 1], "ok"),
                (one, [line + 4], None, [], "no_response"),
                (two, [line + 2], None, [], "no_response"),
            ],
        )
    )
    objects = {row[0]: row[1] for row in plain(tables, "events", "status", "objects") if row[1]}
    assert [(status, [one["start"] for one in told]) for status, told in objects.items()] == [("ok", [7])]
    assert sum(tables["aggregates"]["events"].to_pylist()) == 4
