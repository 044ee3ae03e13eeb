"""No secret that captures hold is in anything that is told of them: not in tables, results, reports, mini captures,
lines on the terminal; however the packets were captured."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Final

import pytest

from tests.command import octets as run
from tests.services.leaks import SECRET, leak, leaks
from tests.services.planted import CAPTURES, leaking, told
from tests.services.variants import VARIANTS, read, write

PLANTED: Final = {
    *("ftp", "http", "imap", "mqtt", "mssql", "mysql", "pop3", "postgresql", "radius", "rlogin-rsh", "rtsp", "sip"),
    *("smtp", "ssdp", "syslog", "telnet", "vnc", "control", "opcua"),
    *("secrets-directories", "secrets-ike", "secrets-mail", "secrets-networks", "secrets-openvpn", "secrets-tacacs"),
    *("secrets-terminals", "secrets-web"),
}
FEW: Final = 40
POLICY: Final = """
policy_version: 1
suc: {id: trial, name: Trial}
defaults: {between_zones: deny, within_zone: allow, unknown_asset: report}
zones:
  - {id: desk, name: Desk, purdue: 3, sl_t: 1, members: {subnets: [192.168.20.10/32, 192.168.10.10/32]}}
  - {id: plant, name: Plant, purdue: 1, sl_t: 1, members: {subnets: [192.168.20.0/29, 192.168.20.40/32]}}
  - {id: cell, name: Cell, purdue: 1, sl_t: 1, members: {subnets: [192.168.10.16/28, 192.168.10.32/27]}}
"""


def test_secrets_are_planted() -> None:
    assert {capture.stem for capture in CAPTURES} >= PLANTED


@pytest.mark.parametrize(
    "octets",
    [
        b"password=" + SECRET,
        SECRET.upper(),
        b"..." + SECRET[4:12] + b"...",
        SECRET.decode().encode("utf-16-le"),
        SECRET.hex().encode(),
        b"Basic ZXZhOldxNy1wbGFudGVkLVp4NA==",  # eva and the secret
        b"V3E3LXBsYW50ZWQtWng0",
        b"%57%71%37%2d%70%6c%61%6e%74%65%64",
        SECRET[::-1],
    ],
)
def test_a_leak_is_found_in_any_form(octets: bytes) -> None:
    assert leak(b"before" + octets + b"behind")
    assert not leak(b"zone.plant.example, planning, 7-plan")


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_no_table_holds_a_secret(capture: Path, tmp_path: Path) -> None:
    assert list(leaking(capture, tmp_path, FEW)) == []
    assert not any(map(leak, told(capture, "pdus").values()))


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("variant", VARIANTS)
def test_no_output_holds_a_secret(variant: str, tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(POLICY)
    options: list[str] = []
    for capture in CAPTURES:
        path = write(tmp_path / f"{capture.stem}.pcap", VARIANTS[variant](read(capture)))
        options += ["--source", f"{capture.stem}={path}"]
    out = tmp_path / "out"
    done = run("audit", *options, "--policy", tmp_path / "policy.yaml", "--out", out, "--json", tmp_path / "copy.json")
    assert done.returncode in (0, 3), done.stderr
    written = {**outputs(out), "stdout": done.stdout, "stderr": done.stderr}
    written["copy"] = (tmp_path / "copy.json").read_bytes()
    commands: list[tuple[str | Path, ...]] = [
        (name, out, "--format", form)
        for name, form in product(("inventory", "map", "findings"), ("table", "csv", "jsonl"))
    ]
    if variant in ("as_it_is", "in_segments"):
        kinds, forms = ((), ("--activities",), ("--pdus",)), ("table", "csv", "jsonl", "parquet")
        commands += [("events", *options, *kind, "--format", form) for kind, form in product(kinds, forms)]
    for command in commands:
        ran = run(*command)
        assert ran.returncode in (0, 3), ran.stderr
        name = " ".join(map(str, (command[0], *command[-3:])))
        written |= {name: ran.stdout, f"{name}: stderr": ran.stderr}
    assert {name: found for name, octets in written.items() if (found := leaks(octets))} == {}
    evidence = [name for name in written if name.startswith("evidence/")]
    findings = json.loads(written["result.json"])["findings"]
    assert len(evidence) > (5 if variant not in ("short_70", "server_only") else 0), [row["rule"] for row in findings]
