"""`zonewatch compare` as a user runs it: results beside each other, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.command import run
from tests.reports import sample
from tests.sensor.store.made import HOUR, Hands, begin, open_store
from zonewatch.reports.proof import manifest
from zonewatch.reports.write import write_result


@pytest.fixture(scope="module")
def editions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same network twice; in the later one a finding is gone."""
    folder = tmp_path_factory.mktemp("editions")
    spring, autumn = folder / "spring", folder / "autumn"
    result = sample.sample()
    write_result(result, spring)
    write_result(replace(result, findings=result.findings[1:]), autumn)
    return spring, autumn


def test_what_vanished_is_told_for_people_and_for_programs(editions: tuple[Path, Path], tmp_path: Path) -> None:
    done = run("compare", *editions, "--out", tmp_path / "told")
    assert done.returncode in (0, 3), done.stderr
    assert "spring → autumn" in done.stdout
    gone = sample.sample().findings[0].title
    assert gone.split()[0] in done.stdout
    read = manifest.loads((tmp_path / "told" / "manifest.json").read_bytes())
    assert [row.name for row in read.inputs] == ["spring", "autumn"]
    assert {row.name for row in read.outputs} >= {"report.html", "report.json"}
    assert all((tmp_path / "told" / row.name).stat().st_size == row.bytes for row in read.outputs)
    told = json.loads(run("compare", *editions, "--json").stdout)
    assert gone in json.dumps(told, ensure_ascii=False)


def test_a_result_and_itself_differ_in_nothing(editions: tuple[Path, Path]) -> None:
    told = json.loads(run("compare", editions[0], editions[0], "--json").stdout)
    assert [step["changes"] for step in told["steps"]] == [[]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("{spring}",), "spring"),
        (("{spring}", "nowhere"), "nowhere"),
        (("{spring}", "{spring}", "--out", "{spring}"), "folder of an audit"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    editions: tuple[Path, Path], arguments: tuple[str, ...], said: str
) -> None:
    done = run("compare", *(one.format(spring=editions[0]) for one in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_periods_of_a_store_are_editions(tmp_path: Path) -> None:
    clock, result = Hands(), sample.sample()
    with open_store(tmp_path / "store", clock) as store:
        for found in (result, replace(result, findings=result.findings[1:])):
            period = begin(store, clock)
            store.end(period, found, clock.go(HOUR))
    both = run("compare", f"{tmp_path / 'store'}@1", f"{tmp_path / 'store'}@2")
    assert both.returncode == 0, both.stderr
    assert "store@1 → store@2" in both.stdout
    assert run("compare", tmp_path / "store").stdout == both.stdout
    none = run("compare", f"{tmp_path / 'store'}@1", f"{tmp_path / 'store'}@9")
    assert (none.returncode, none.stderr.count("\n")) == (2, 1)
    assert "there are: 1, 2" in none.stderr
