"""The Suricata export: its text, what Suricata says of it, and what its rules say of packets."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import subprocess
from pathlib import Path
from typing import Literal

import pytest
from builders import dnp3, modbus

from tests.enforce.wire import alerts, configure, connection
from zonewatch.rules.enforce.plan import planned, shielded
from zonewatch.rules.enforce.suricata import suricata
from zonewatch.rules.policy.load import parse_policy

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
POLICY = HERE / "policy.yaml"
PLANT = ROOT / "pcaps" / "waterworks"
DAY = dt.date(2026, 3, 2)
needs_suricata = pytest.mark.skipif(shutil.which("suricata") is None, reason="suricata is not installed")

SCADA, HMI, PLC, RTU = "10.1.0.10", "10.1.0.15", "10.2.0.11", "10.2.0.21"


def exported(text: str = "", shield: str = "", action: Literal["alert", "drop"] = "alert") -> str:
    plan = planned(parse_policy(text or POLICY.read_text("utf-8")), DAY)
    return suricata(shielded(plan, shield) if shield else plan, action).files["zonewatch.rules"]


def test_golden() -> None:
    """Of the functions of Modbus, one stands for all."""
    lines = exported().splitlines(keepends=True)
    kept = [line for line in lines if not re.search(r"modbus: function (?!5;)[0-9]+;", line)]
    assert "".join(kept) == (HERE / "golden" / "mill.rules").read_text("utf-8")


def test_numbers_stay_when_other_flows_are_added() -> None:
    text = POLICY.read_text("utf-8")
    web = "{id: web, protocol: https, servers: [scada-1], purpose: reports}"
    conduit = f"  - id: more\n    from: office\n    to: supervision\n    flows: [{web}]\n"
    more = text.replace("  - id: time\n", f"{conduit}  - id: time\n")
    before, after = (set(re.findall(r"sid:([0-9]+)", exported(each))) for each in (text, more))
    assert len(before) == len(re.findall("sid:", exported(text)))
    assert before < after


@needs_suricata
@pytest.mark.parametrize("shield", ["", "plc-3", "rtu-1"])
@pytest.mark.parametrize("action", ["alert", "drop"])
def test_suricata_takes_it(tmp_path: Path, shield: str, action: Literal["alert", "drop"]) -> None:
    rules = tmp_path / "zonewatch.rules"
    rules.write_text(exported((PLANT / "policy.yaml").read_text("utf-8"), shield, action))
    check(tmp_path, rules)


@needs_suricata
def test_suricata_takes_hostile_names_and_every_protocol(tmp_path: Path) -> None:
    text = (
        POLICY.read_text("utf-8")
        .replace("id: poll", "id: 'po;ll\");|#`$(x)é\\\\'")
        .replace("name: Paper mill", 'name: "Paper\\nmill"')
    )
    more = "".join(
        f"      - {{id: f{number}, {flow}, servers: [clock-1]}}\n"
        for number, flow in enumerate(
            (
                "protocol: enip, function_codes: [101, 111]",
                "protocol: cip, function_codes: [14]",
                "protocol: icmp",
                "protocol: gre",
                "protocol: any",
                "protocol: udp, ports: [1000-1010, 2000]",
                "protocol: modbus, function_codes: [3, 43, 90]",
                "protocol: modbus, operations: [diagnose, discover]",
            )
        )
    )
    rules = tmp_path / "zonewatch.rules"
    rules.write_text(exported(text + more))
    check(tmp_path, rules)


def check(folder: Path, rules: Path) -> None:
    command = ["suricata", "-T", "-c", configure(folder), "-S", rules, "-l", folder]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    told = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith(("Notice", "Info"))]
    assert (done.returncode, told) == (0, [])


def adu(*pdus: bytes) -> list[bytes]:
    return [modbus.tcp_adu(number + 1, 1, pdu) for number, pdu in enumerate(pdus)]


def fragments(*requests: bytes) -> list[bytes]:
    end = dnp3.Endpoint(10, 1, master=True)
    return [end.frames(request) for request in requests]


READ = modbus.read(3, 0, 10)
POLL = dnp3.request(1, 0, dnp3.classes(1))
CASES: list[tuple[str, str, str, int, list[bytes], str]] = [
    # what is sent, from, to, port, octets, the end of what is said (empty: nothing)
    ("polls", SCADA, PLC, 502, adu(READ), ""),
    ("set within", HMI, PLC, 502, adu(READ, modbus.write_register(100, 10), modbus.write_register(103, 1000)), ""),
    ("set below", HMI, PLC, 502, adu(modbus.write_register(99, 500)), "function 6, holding-register below 100"),
    ("set above", HMI, PLC, 502, adu(modbus.write_register(104, 500)), "function 6, holding-register above 103"),
    ("too much", HMI, PLC, 502, adu(modbus.write_register(101, 1001)), "function 6, holding-register 101 above 1000"),
    ("too little", HMI, PLC, 502, adu(modbus.write_register(102, 9)), "function 6, holding-register 102 below 10"),
    ("sets", SCADA, PLC, 502, adu(READ, modbus.write_register(100, 500)), "function 6 write_single_register"),
    ("sets many", HMI, PLC, 502, adu(READ, modbus.write_registers(100, [50])), "function 16 write_multiple_registers"),
    ("identifies", SCADA, PLC, 502, adu(modbus.read_device_identification()), "43 encapsulated_interface_transport"),
    ("web on 502", SCADA, PLC, 502, [b"GET / HTTP/1.0\r\n\r\n"] * 2, "no modbus"),
    ("hides", SCADA, PLC, 502, adu(bytes((70, 0)), modbus.write_register(1, 1)), "no modbus"),
    ("polls", SCADA, RTU, 20000, fragments(POLL), ""),
    ("pump", SCADA, RTU, 20000, fragments(dnp3.request(5, 0, dnp3.control_relay_output(1, 3))), ""),
    ("level", SCADA, RTU, 20000, fragments(dnp3.request(5, 0, dnp3.analog_output_block(1, 3))), "analog-output g41v2"),
    ("restarts", SCADA, RTU, 20000, fragments(POLL, dnp3.request(13, 0)), "33 authenticate_request_no_ack"),
    ("another client", "10.1.0.99", PLC, 502, adu(READ), "denied into zone control"),
    ("another flow's client", HMI, RTU, 20000, fragments(POLL), "denied into zone control"),
    ("another server", SCADA, "10.2.0.77", 502, adu(READ), "denied into zone control"),
    ("another port", SCADA, PLC, 80, [b"GET / HTTP/1.0\r\n\r\n"], "denied into zone control"),
    ("exception", SCADA, PLC, 8443, [b"x"], ""),
    ("the other way", PLC, SCADA, 502, adu(READ), "denied into zone supervision"),
    ("inside", "10.2.0.77", PLC, 502, adu(modbus.write_register(1, 1)), ""),
    ("from nowhere", "192.0.2.1", PLC, 502, adu(READ), "denied into zone control"),
    ("to nowhere", SCADA, "192.0.2.1", 443, [b"x"], "denied out of all zones"),
]


@needs_suricata
def test_what_is_said_of_packets(tmp_path: Path) -> None:
    rules = tmp_path / "zonewatch.rules"
    rules.write_text(exported())
    packets = []
    for number, (_, client, server, port, octets, _) in enumerate(CASES):
        packets += connection(client, server, port, octets, 20_000 + number)
    said = alerts(tmp_path, rules, packets)
    assert {port - 20_000 for port in said} == {number for number, case in enumerate(CASES) if case[-1]}
    for number, (name, *_, end) in enumerate(CASES):
        if end:
            assert len(said[20_000 + number]) == 1, (name, said[20_000 + number])
            assert next(iter(said[20_000 + number])).endswith(end), (name, said[20_000 + number])


@needs_suricata
def test_a_shield_speaks_of_its_asset_alone(tmp_path: Path) -> None:
    rules = tmp_path / "zonewatch.rules"
    rules.write_text(exported(shield="plc-1"))
    cases = [
        (SCADA, PLC, 502, adu(READ), ""),
        (HMI, PLC, 502, adu(modbus.write_register(104, 500)), "function 6, holding-register above 103"),
        ("10.1.0.99", PLC, 502, adu(READ), "denied to plc-1"),
        ("192.0.2.1", PLC, 80, [b"x"], "denied to plc-1"),
        (PLC, "10.9.0.50", 80, [b"x"], "denied from plc-1 to zone office"),
        (PLC, "192.0.2.1", 443, [b"x"], "denied from plc-1 out of all zones"),
        ("10.2.0.77", PLC, 80, [b"x"], ""),  # in its own zone
        ("10.1.0.99", "10.2.0.77", 502, adu(READ), ""),  # not this asset
    ]
    packets = []
    for number, (client, server, port, octets, _) in enumerate(cases):
        packets += connection(client, server, port, octets, 20_000 + number)
    said = alerts(tmp_path, rules, packets)
    told = [next(iter(said.get(20_000 + number, {""}))) for number in range(len(cases))]
    assert [text.removeprefix("zonewatch ").rpartition(": ")[2] for text in told] == [case[-1] for case in cases]


@needs_suricata
@pytest.mark.parametrize(
    ("said_of_flow", "permitted"),
    [
        ("operations: [read]", {1, 2, 3, 4, 24}),
        ("operations: [discover]", {17, 43}),
        ("function_codes: [3, 8]", {3, 8}),
        ("objects: [input-register]", {4}),
    ],
)
def test_every_function_of_modbus_is_denied_that_is_not_permitted(
    tmp_path: Path, said_of_flow: str, permitted: set[int]
) -> None:
    """After a first message by which Suricata knows the protocol. Codes from 128 on are those of errors."""
    rules = tmp_path / "zonewatch.rules"
    rules.write_text(
        exported(POLICY.read_text("utf-8").replace("operations: [read], clients", f"{said_of_flow}, clients"))
    )
    first = {4: modbus.read(4, 0, 1), 17: modbus.report_server_id()}.get(max(permitted - {24, 43, 8}), READ)
    packets = []
    for code in range(1, 128):
        packets += connection(SCADA, PLC, 502, adu(first, bytes((code, 0, 0, 0, 1))), 20_000 + code)
    said = alerts(tmp_path, rules, packets)
    assert set(range(1, 128)) - {port - 20_000 for port in said} == permitted


@needs_suricata
def test_a_message_that_goes_beyond_the_objects_is_denied(tmp_path: Path) -> None:
    """Where it begins, where it ends, and in the gap between two ranges."""
    text = POLICY.read_text("utf-8").replace("function_codes: [6]", "function_codes: [16]")
    text = text.replace("[holding-register 100-103]", "[holding-register 100-103, holding-register 106-110]")
    rules = tmp_path / "zonewatch.rules"
    rules.write_text(exported(text))
    packets, beyond = [], set()
    for start in range(98, 113):
        for count in range(1, 6):
            number = start * 10 + count
            packets += connection(HMI, PLC, 502, adu(modbus.write_registers(start, [50] * count)), 20_000 + number)
            if not {*range(start, start + count)} <= {*range(100, 104), *range(106, 111)}:
                beyond.add(20_000 + number)
    assert alerts(tmp_path, rules, packets).keys() == beyond


@needs_suricata
def test_a_flow_that_sets_the_clock_lets_nothing_else_be_written(tmp_path: Path) -> None:
    text = POLICY.read_text("utf-8").replace("operations: [read, operate]", "operations: [time]")
    rules = tmp_path / "zonewatch.rules"
    rules.write_text(exported(text.replace("        objects: [binary-input, class, control-relay-output 0-7]\n", "")))
    packets = []
    for number, objects in enumerate((dnp3.recorded_time(1), bytes((34, 1, 0, 0, 0, 1, 0)))):
        packets += connection(SCADA, RTU, 20000, fragments(dnp3.request(2, 0, objects)), 20_000 + number)
    said = alerts(tmp_path, rules, packets)
    assert {port: {text.rpartition(": ")[2] for text in texts} for port, texts in said.items()} == {
        20_001: {"write of groups other than 50, 51"}
    }


@needs_suricata
def test_the_bundled_plant_breaks_just_what_the_audit_says(tmp_path: Path) -> None:
    """Its normal traffic is silent; a scan, writes from the engineering station and the internet are not."""
    rules = tmp_path / "zonewatch.rules"
    rules.write_text(exported((PLANT / "policy.yaml").read_text("utf-8")))
    said = alerts(tmp_path, rules, capture=PLANT / "waterworks.pcap", by="src_ip")
    scanner = set(said.pop("10.20.1.77"))
    assert scanner == {f"zonewatch denied into zone {zone}" for zone in ("filtration", "distribution", "building")}
    assert {client: {text.rpartition(": ")[2] for text in texts} for client, texts in said.items()} == {
        "10.20.1.20": {
            "function 5 write_single_coil",
            "function 6 write_single_register",
            "function 16 write_multiple_registers",
        },
        "45.83.64.10": {"zonewatch denied into zone filtration"},
    }
