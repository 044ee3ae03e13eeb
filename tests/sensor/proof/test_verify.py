from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.command import run
from tests.reports.facts import made
from zonewatch.reports.codec import _dataclasses, _hints
from zonewatch.reports.proof import manifest, pcapng
from zonewatch.reports.proof.kinds import KINDS, kind_of
from zonewatch.reports.proof.manifest import ManifestError
from zonewatch.reports.pseudonyms.fields import FIELDS
from zonewatch.reports.result import AuditResult
from zonewatch.rules.sigma.detect import load_detection
from zonewatch.sensor.proof import rerun

ROOT = Path(__file__).resolve().parents[3]
PLANT = ROOT / "pcaps" / "waterworks"
SMALL = ROOT / "pcaps" / "modbus"


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A signed report of a small capture, its keys beside it."""
    pytest.importorskip("cryptography", reason="the package cryptography is not installed")
    folder = tmp_path_factory.mktemp("proof")
    capture = sorted(SMALL.glob("*.pcap"))[0]
    assert run("audit", capture, "--out", folder / "audit").returncode == 0
    (folder / "phrase").write_text("a long phrase\n")
    assert run("keygen", folder / "key", "--pass-file", folder / "phrase").returncode == 0
    assert b"ENCRYPTED" in (folder / "key").read_bytes()
    done = run(
        "report", folder / "audit", "--framework", "iec62443", "--out", folder / "report", "--sign", folder / "key",
        "--pass-file", folder / "phrase",
    )  # fmt: skip
    assert done.returncode in (0, 3), done.stderr
    return folder


def verify(folder: Path, *more: str | Path) -> tuple[int, dict[str, Any]]:
    done = run("verify", folder, "--json", *more)
    return done.returncode, json.loads(done.stdout)


def test_a_signed_report_is_as_it_was_told(signed: Path) -> None:
    code, told = verify(signed / "report", "--key", signed / "key.pub")
    assert (code, told["signature"]["state"], told["files"]["differing"]) == (0, "valid", [])
    text = (signed / "report" / "manifest.json").read_text()
    jsonschema.validate(json.loads(text), manifest.manifest_schema())
    kept = json.loads((ROOT / "reports" / "schemas" / "manifest.schema.json").read_text())
    assert kept == manifest.manifest_schema()


def test_it_is_said_in_the_language_asked_for(signed: Path) -> None:
    done = run("verify", signed / "report", "--key", signed / "key.pub", "--lang", "de")
    assert done.returncode == 0, done.stderr
    assert "Signatur: gültig: signiert mit dem Schlüssel von " in done.stdout
    assert "Befunde, an ihren Paketen erneut beurteilt" in done.stdout
    assert "Files:" not in done.stdout


@pytest.mark.parametrize("state", ["changed", "missing", "extra"])
def test_what_is_not_as_it_was_told_is_named(signed: Path, state: str, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "report"
    shutil.copytree(signed / "report", folder)
    path = folder / ("notes.txt" if state == "extra" else "report.json")
    if state == "missing":
        path.unlink()
    else:
        path.write_bytes(b"other")
    code, told = verify(folder, "--key", signed / "key.pub")
    assert code == 1
    assert [(row["name"], row["state"]) for row in told["files"]["differing"]] == [(path.name, state)]


def test_another_key_and_another_manifest_are_refused(signed: Path, tmp_path: Path) -> None:
    import shutil

    assert run("keygen", tmp_path / "other").returncode == 0
    code, told = verify(signed / "report", "--key", tmp_path / "other.pub")
    assert (code, told["signature"]["state"]) == (1, "other key")
    folder = tmp_path / "report"
    shutil.copytree(signed / "report", folder)
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"language": "en"', '"language": "de"'))
    code, told = verify(folder)
    assert (code, told["signature"]["state"]) == (1, "wrong")
    (folder / "manifest.sig").unlink()
    for key in ((), ("--key", signed / "key.pub")):
        code, told = verify(folder, *key)
        assert (code, told["signature"]["state"]) == (1, "missing")


@pytest.mark.parametrize("is_signed", [True, False])
@pytest.mark.parametrize(("octets", "words"), [(None, "No such file"), (b"no key", "is no public key as PEM")])
def test_a_key_that_is_none_is_told_whatever_the_report_has(
    signed: Path, tmp_path: Path, octets: bytes | None, words: str, is_signed: bool
) -> None:
    import shutil

    folder, key = tmp_path / "report", tmp_path / "my.pub"
    shutil.copytree(signed / "report", folder)
    if not is_signed:
        (folder / "manifest.sig").unlink()
    if octets is not None:
        key.write_bytes(octets)
    done = run("verify", folder, "--key", key)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_key_that_is_encrypted_asks_for_its_phrase(signed: Path) -> None:
    done = run("report", signed / "audit", "--framework", "iec62443", "--out", signed / "x", "--sign", signed / "key")
    assert done.returncode == 2
    assert "is encrypted; give its pass phrase with --pass-file" in done.stderr
    assert run("verify", signed).returncode == 2


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../b", "", "a//b", ".hidden", "a\\b", "manifest.json"])
def test_a_manifest_leads_nowhere_else(name: str) -> None:
    row = {"name": name, "bytes": 0, "sha256": "0" * 64}
    told = {"manifest_version": 1, "tool": {"name": "zonewatch", "version": "1"}, "inputs": [], "outputs": [row]}
    with pytest.raises(ManifestError):
        manifest.loads(json.dumps(told).encode())


def test_each_kind_is_of_a_rule_and_reached() -> None:
    names = [one.name for one in (*load_detection().rules.rules, *load_detection().rules.correlations)]
    reached = {kind for name in names if (kind := kind_of(name)) is not None}
    assert [kind.rules for kind in KINDS if kind not in reached] == []


def test_every_text_of_a_result_has_its_treatment() -> None:
    seen, waiting = set(), [AuditResult]
    while waiting:
        kind = waiting.pop()
        if kind in seen:
            continue
        seen.add(kind)
        for field in fields(kind):
            hint = _hints(kind)[field.name]
            waiting += _dataclasses(hint)
            if not _dataclasses(hint) and ("str" in str(hint) or "Literal" in str(hint)) and field.name != "by_address":
                assert field.name in FIELDS.get(kind.__name__, {}), f"{kind.__name__}.{field.name}"


def test_a_mini_capture_is_the_same_when_written_again(signed: Path) -> None:
    found = sorted((signed / "audit" / "evidence").glob("*.pcapng"))
    assert found
    for path in found:
        assert pcapng.dumps(pcapng.loads(path.read_bytes())) == path.read_bytes()


@pytest.mark.parametrize(
    ("operation", "service", "state", "less"),
    [
        ("", "mms", "attempted", True),
        ("", "iso-tsap", "established", True),
        ("", "mms", "established", False),
        ("write", "mms", "attempted", False),
    ],
)
def test_a_mini_capture_may_show_less_of_a_connection(operation: str, service: str, state: str, *, less: bool) -> None:
    """Of a connection without decoded messages it holds the first packet: whether it was answered is in the others."""
    told = replace(made.finding("policy.level_skip", "pc-1", "plc-1"), operation=operation)
    whole = made.result(edges=[made.edge("pc-1", "plc-1", "mms", state="established")])
    again = made.result(edges=[made.edge("pc-1", "plc-1", service, state=state)])
    assert rerun.shows_less(told, whole, again) is less
