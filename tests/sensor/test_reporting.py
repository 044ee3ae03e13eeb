from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reports import sample
from zonewatch.reports.write import write_result

MAIN = "from zonewatch.sensor.cli import main; main()"
LACKING = "import sys; sys.modules['typst'] = None; "


def run(*arguments: str | Path, before: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
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
