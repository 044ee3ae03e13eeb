from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.reports import sample
from zonewatch.reports.json_result import ResultError
from zonewatch.reports.write import PAGE, RENDERERS, read_result, write_manifest, write_result


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_folder_is_written_and_read_again(tmp_path: Path) -> None:
    result = sample.sample()
    written = write_result(result, tmp_path / "new" / "out")
    assert {path.name for path in written} == {*RENDERERS, PAGE, "manifest.json"}
    assert read_result(tmp_path / "new" / "out") == result
    assert read_result(tmp_path / "new" / "out" / "result.json") == result


def test_two_runs_are_equal_and_name_no_place_of_this_machine(tmp_path: Path) -> None:
    write_result(sample.sample(), tmp_path / "a")
    write_result(sample.sample(), tmp_path / "elsewhere" / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "elsewhere" / "b")
    assert not any(str(tmp_path).encode() in data for data in contents(tmp_path / "a").values())


def test_a_language_changes_the_page_alone(tmp_path: Path) -> None:
    for language in ("en", "de"):
        write_result(sample.sample(), tmp_path / language, language=language)
    one, other = contents(tmp_path / "en"), contents(tmp_path / "de")
    assert {name for name in one if one[name] != other[name]} == {PAGE, "manifest.json"}


@pytest.mark.parametrize("make", [sample.hostile, sample.empty, sample.without_policy])
def test_every_result_can_be_written(make: object, tmp_path: Path) -> None:
    write_result(make(), tmp_path)  # type: ignore[operator]
    assert read_result(tmp_path).version == "0.1.0"


def test_the_manifest_names_inputs_and_all_outputs(tmp_path: Path) -> None:
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "f-1.pcap").write_bytes(b"mini")
    (tmp_path / "events.parquet").write_bytes(b"PAR1")
    (tmp_path / "notes.txt").write_text("not ours")
    result = sample.sample()
    write_result(result, tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert [row["name"] for row in manifest["inputs"]] == [*(row.name for row in result.captures), "riverside.yaml"]
    names = [row["name"] for row in manifest["outputs"]]
    assert names == sorted([*RENDERERS, PAGE, "events.parquet", "evidence/f-1.pcap"])
    for row in manifest["outputs"]:
        data = (tmp_path / row["name"]).read_bytes()
        assert (row["bytes"], row["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    before = (tmp_path / "manifest.json").read_bytes()
    write_manifest(result, tmp_path)
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_no_half_file_stays(tmp_path: Path) -> None:
    write_result(sample.sample(), tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "result.json").mkdir()
    with pytest.raises(OSError, match=r"result\.json"):
        write_result(sample.sample(), tmp_path / "x")
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["result.json"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "no such file"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"", "not JSON"),
        (b'{"a": 1}', "not a result of zonewatch"),
        (b'{"result_version": 9}', "result_version 9"),
    ],
)
def test_other_folders_get_one_clear_line(data: bytes | None, said: str, tmp_path: Path) -> None:
    if data is not None:
        (tmp_path / "result.json").write_bytes(data)
    with pytest.raises(ResultError) as raised:
        read_result(tmp_path)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
