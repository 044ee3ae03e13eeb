"""`zonewatch policy export` from the outside."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests import command

POLICY = Path(__file__).with_name("policy.yaml")
GOLDEN = Path(__file__).parent / "golden"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return command.run("policy", "export", *arguments, env={**os.environ, "COLUMNS": "200"})


def test_rules_go_to_standard_output_and_limits_to_standard_error() -> None:
    done = run(POLICY, "--format", "nftables", "--as-of", "2026-03-02")
    assert (done.returncode, done.stdout) == (0, (GOLDEN / "mill.nft").read_text("utf-8"))
    told = [line.removeprefix("#   ") for line in done.stdout.splitlines() if line.startswith("#   ")]
    assert done.stderr.splitlines() == told


def test_several_files_need_a_folder(tmp_path: Path) -> None:
    refused = run(POLICY, "--format", "aerleon", "--as-of", "2026-03-02")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "name a folder with --out" in refused.stderr
    done = run(POLICY, "--format", "aerleon", "--as-of", "2026-03-02", "--out", tmp_path)
    assert done.returncode == 0
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.yaml")} == {
        "def/networks.yaml", "def/services.yaml", "policies/pol/list.yaml", "policies/pol/zones.yaml",
    }  # fmt: skip


def test_what_is_not_approved_needs_draft() -> None:
    line = (POLICY, "--format", "suricata", "--as-of", "2027-01-05")
    refused = run(*line)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines()[1:] == ["zonewatch: flow scada-to-control/setpoints ended on 2026-12-31"]
    done = run(*line, "--draft")
    assert done.returncode == 0
    assert "# DRAFT, not approved: flow scada-to-control/setpoints ended on 2026-12-31\n" in done.stdout
    assert "scada-to-control/setpoints: " not in done.stdout.partition("# What a flow permits whole")[2]


def test_a_shield_names_an_asset() -> None:
    refused = run(POLICY, "--format", "nftables", "--as-of", "2026-03-02", "--shield", "plc-9")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--shield plc-9" in refused.stderr
