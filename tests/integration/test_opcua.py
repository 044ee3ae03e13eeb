"""OPC UA between a real server and its clients, as the decoder, the rules and a policy see it; no secret is told."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest

from tests.command import octets as run
from tests.servers.parts import free_port, program
from tests.services.leaks import SECRET, leaks
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source

pytest.importorskip("asyncua")
pytestmark = pytest.mark.integration

SESSIONS: Final = {
    "anonymous": "done",
    "wrong password": "BadUserAccessDenied",
    "user": "done",
    "in the clear": "done",
    "signed": "done",
    "encrypted": "done",
    "not trusted": "BadCertificateInvalid",
}
POLICY: Final = """\
policy_version: 1
suc: {{id: loopback}}
defaults: {{between_zones: deny, within_zone: deny, unknown_asset: report}}
zones:
  - {{id: all, purdue: 2, members: {{subnets: [127.0.0.0/8]}}}}
conduits:
  - id: inside
    from: all
    to: all
    flows:
      - id: opc
        protocol: opc-ua
        operations: [read, write, operate, discover]
        objects: [{objects}]
        purpose: trial
        approved: {{by: somebody, on: 2020-01-01, until: 2099-01-01}}
"""


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What passed on loopback."""
    if os.geteuid() != 0:
        pytest.skip("capturing on loopback needs root")
    folder = tmp_path_factory.mktemp("opcua")
    path, port = folder / "loopback.pcap", free_port()
    listening = f"tcp portrange {port}-{port + 1}"
    command = [str(program("tcpdump", "tcpdump")), "-q", "-U", "-Z", "root", "-i", "lo", "-w", str(path), listening]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as sniffer:
        assert sniffer.stderr is not None
        first = sniffer.stderr.readline()
        assert "listening" in first, first
        asked = [sys.executable, "-m", "tests.servers.opcua_plant", str(port), str(folder)]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=300, check=False)
        time.sleep(1)  # the kernel hands the last packets over
        sniffer.terminate()
    told = dict(json.loads(line) for line in done.stdout.splitlines())
    assert told == SESSIONS, done.stderr
    assert SECRET in path.read_bytes()
    return path


@pytest.fixture(scope="module")
def events(capture: Path) -> list[dict[str, Any]]:
    """All events of it."""
    decoder = Decoder([Source("lo", (CaptureFile(capture.name, capture),))], detail="events", hash_inputs=False)
    while decoder.advance():
        pass
    return [event for event in decoder.take("events").to_pylist() if event["protocol"] == "opcua"]


def _objects(events: list[dict[str, Any]], function: str) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (event["status"], tuple(f"{part['kind']} {part['property_name']}" for part in event["objects"]))
        for event in events
        if event["function_name"] == function
    ]


def test_each_session_shows_who_and_how(events: list[dict[str, Any]]) -> None:
    assert _objects(events, "activate_session") == [
        ("ok", ("security-mode none", "user-token anonymous")),
        ("error", ("security-mode none", "user-token user_name", "password encrypted")),
        ("ok", ("security-mode none", "user-token user_name", "password encrypted")),
        ("ok", ("security-mode none", "user-token user_name", "password clear")),
        ("ok", ("security-mode sign", "user-token user_name", "password encrypted")),
    ]
    policies = {names[-1] for _, names in _objects(events, "open_secure_channel")}
    assert policies == {"security-policy None", "security-policy Basic256Sha256"}
    assert sum(event["function_name"] == "encrypted" for event in events) >= 12


def test_nodes_values_and_methods(events: list[dict[str, Any]]) -> None:
    written = [
        (part["property_name"], part["before"], part["values"])
        for event in events
        if event["function_name"] == "write"
        for part in event["objects"]
    ]
    values = (1450.5, 1500.0, 1510.0, 1515.0, 1520.0)
    assert written == [("ns=2;s=Pump.Speed", [old], [new]) for old, new in itertools.pairwise(values)]
    assert _objects(events, "call") == [("ok", ("method ns=2;s=Pump.Reset",))] * 4
    assert _objects(events, "browse") == [("ok", ("node i=85",))] * 4
    assert not any(event["oddities"] for event in events if "oddities" in event)


@pytest.mark.parametrize(
    ("objects", "violated"),
    [
        ("node ns=2;s=Pump.*, 'node ns=0;*', 'node-attribute ns=0;*', method ns=2;s=Pump.Reset", ""),
        ("node ns=2;s=Pump.*, 'node ns=0;*', 'node-attribute ns=0;*'", "method ns=2;s=Pump.Reset"),
        ("node ns=2;s=Tank.*, 'node ns=0;*', 'node-attribute ns=0;*', method", "node ns=2;s=Pump.Speed"),
    ],
)
def test_a_policy_of_nodes_and_no_secret_in_any_output(
    capture: Path, tmp_path: Path, objects: str, violated: str
) -> None:
    quoted = ", ".join(f"'{item.strip(chr(39))}'" for item in objects.split(", "))
    (tmp_path / "policy.yaml").write_text(POLICY.format(objects=quoted), encoding="utf-8")
    out = tmp_path / "out"
    done = run("audit", capture, "--policy", tmp_path / "policy.yaml", "--out", out)
    assert done.returncode in (0, 3), done.stderr
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    findings = {finding["rule"]: finding for finding in result["findings"]}
    told = json.dumps(findings.get("policy.violation", ""))
    assert (violated in told) if violated else (told == '""'), told
    assert "policy.cannot_conclude" in findings, "what encrypted messages do is not known"
    expected = {"no_security", "anonymous_session", "anonymous_write", "password_in_clear", "sign_only"}
    assert {name.removeprefix("opcua.") for name in findings if name.startswith("opcua.")} == expected
    written = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    written |= {"stdout": done.stdout, "stderr": done.stderr}
    assert {name: found for name, octets in written.items() if (found := leaks(octets))} == {}
