from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests import command
from tests.reports import sample
from zonewatch.reports.write import write_result
from zonewatch.rules.incidents import incidents

MAIN = "from zonewatch.sensor.cli import main; main()"
LACKING = "import sys; sys.modules['typst'] = None; "


def run(*arguments: str | Path, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    if not before and "PYTHONHASHSEED" not in environment:
        return command.run(*arguments, env={**os.environ, **environment})
    return subprocess.run(
        [sys.executable, "-c", before + MAIN, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    write_result(sample.sample(), folder)
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_octets_in_every_surrounding_and_a_manifest_of_them(result: Path, tmp_path: Path) -> None:
    pytest.importorskip("typst", reason="the package typst is not installed")
    told = []
    for name, seed, zone in (("one", "1", "Pacific/Auckland"), ("b/two", "4711", "America/St_Johns")):
        done = run("report", result, "--framework", "iec62443", "--out", tmp_path / name, PYTHONHASHSEED=seed, TZ=zone)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip().endswith("report.pdf")
        told.append(files(tmp_path / name))
    one, other = told
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []
    assert {
        "report.html",
        "report.pdf",
        "report.json",
        "tables.xlsx",
        "manifest.json",
        "tables/assets.csv",
    } <= one.keys()
    manifest = json.loads(one["manifest.json"])
    hashes = {row["name"]: row["sha256"] for row in manifest["outputs"]}
    assert hashes == {
        name: hashlib.sha256(octets).hexdigest() for name, octets in one.items() if name != "manifest.json"
    }
    inputs = {row["kind"]: row["sha256"] for row in manifest["inputs"]}
    assert inputs["result"] == hashlib.sha256((result / "result.json").read_bytes()).hexdigest()
    assert inputs["policy"] == sample.sample().policy.sha256


def test_without_typst_the_rest_is_written_and_an_old_pdf_goes(result: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    (out / "tables").mkdir(parents=True)
    for name in ("report.pdf", "tables/old.csv", "notes.txt", "tables/mine.csv"):
        (out / name).write_text("old", encoding="utf-8")
    named = [{"name": name} for name in ("report.pdf", "tables/old.csv", "notes.txt", "../outside", 7)]
    (out / "manifest.json").write_text(json.dumps({"outputs": named}), encoding="utf-8")
    done = run("report", result / "result.json", "--framework", "iec62443", "--out", out, before=LACKING)
    assert done.returncode == 3
    assert done.stderr == "zonewatch: report.pdf needs the package typst: pip install 'zonewatch[reports]'\n"
    assert done.stdout.strip().endswith("report.html")
    found = files(out)
    assert {"report.html", "report.json", "tables.xlsx", "notes.txt", "tables/mine.csv"} <= found.keys()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report", "{tmp}", "--framework", "iec62443"), "no such file; RESULT is the folder that an audit writes"),
        (("report", "{result}", "--framework", "iec62443", "--out", "{result}"), "is the folder of an audit"),
        (("report", "{result}", "--framework", "iec62443", "--out", "{result}/result.json"), "is a file"),
        (("report", "{result}", "--framework", "other"), "'other' is not"),
        (("report", "{result}", "--framework", "iec62443", "--lang", "xx"), "'xx' is not"),
        (("report", "{result}", "--framework", "nis2", "--from", "2026-01-01"), "is the result of one audit: --from"),
        (("report", "{result}", "--framework", "csf", "--to", "2026-01-01"), "is the result of one audit: --from"),
        (("report", "{result}", "--framework", "nis2", "--aware", "noon"), "--aware noon: an ISO 8601 time expected"),
        (
            ("report", "{result}", "--framework", "nis2", "--incident", "zz"),
            "--incident zz: no such incident; the result",
        ),
        (("report", "{result}", "--framework", "csf", "--aware", "2026-01-01"), "--aware is for --framework nis2"),
        (("report", "{result}", "--framework", "tsa", "--entity", "{tmp}/no"), "--entity is for --framework nis2"),
        (("report", "{result}", "--framework", "nis2", "--entity", "{tmp}/no.yaml"), "no.yaml: No such file"),
    ],
)
def test_wrong_use_is_one_clear_line(arguments: tuple[str, ...], said: str, result: Path, tmp_path: Path) -> None:
    done = run(*(word.format(tmp=tmp_path, result=result) for word in arguments), NO_COLOR="1", COLUMNS="300")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_german_report_is_german(result: Path, tmp_path: Path) -> None:
    done = run("report", result, "--framework", "iec62443", "--out", tmp_path, "--lang", "de", before=LACKING)
    assert done.returncode == 3
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<html lang="de">' in page
    assert "Umfang, Methode und Grenzen" in page


@pytest.mark.parametrize("framework", ["nis2", "nist-800-82", "csf", "cpg", "tsa", "nerc-cip"])
def test_each_framework_is_the_same_twice_and_names_its_inputs(framework: str, result: Path, tmp_path: Path) -> None:
    pytest.importorskip("typst", reason="the package typst is not installed")
    entity = tmp_path / "entity.yaml"
    entity.write_text("name: Riverside Water\nmember_state: DE\n", encoding="utf-8")
    beside = ("--entity", entity, "--aware", "2026-03-02T10:40+01:00") if framework == "nis2" else ()
    told = []
    for name, seed in (("one", "1"), ("two", "4711")):
        done = run("report", result, "--framework", framework, "--out", tmp_path / name, *beside, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
        told.append(files(tmp_path / name))
    assert [name for name in told[0] if told[0][name] != told[1][name]] == []
    manifest = json.loads(told[0]["manifest.json"])
    assert manifest["report"]["id"] == framework
    inputs = {row["kind"]: row["sha256"] for row in manifest["inputs"]}
    if framework == "nis2":
        assert inputs["entity"] == hashlib.sha256(entity.read_bytes()).hexdigest()
        page = told[0]["report.html"].decode()
        assert "2026-03-03 09:40:00 UTC" in page  # 24 hours after 10:40 in Berlin


def test_an_incident_is_named_by_its_id_or_its_beginning(tmp_path: Path) -> None:
    whole = sample.sample()
    stories = incidents(whole.findings)
    write_result(replace(whole, incidents=stories), tmp_path / "audit")
    wanted = ("--framework", "nis2", "--out", tmp_path / "out", "--incident", stories[0].id[:5])
    done = run("report", tmp_path / "audit", *wanted, before=LACKING)
    assert done.returncode == 3, done.stderr
    assert "✓ this one" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    done = run("report", tmp_path / "audit", *wanted[:-1], f"{stories[0].id[:-1]}x", before=LACKING)
    assert done.returncode == 2
    assert f"did you mean '{stories[0].id}'?" in done.stderr
