"""Lines in a file: whole, on disk, rotated."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.sensor.shipping.outbox import row
from zonewatch.sensor.shipping.receiver import Unreachable
from zonewatch.sensor.shipping.receivers.file import connect
from zonewatch.sensor.shipping.settings import File


def settings(path: Path, **given: Any) -> File:
    return File.model_validate({"to": "file", "path": path, **given})


def events(path: Path) -> list[str]:
    return [json.loads(line)["event"]["id"] for line in path.read_text().splitlines()]


def test_lines_are_added(tmp_path: Path) -> None:
    path = tmp_path / "alerts.ndjson"
    receiver = connect(settings(path))
    receiver.deliver([row("a"), row("b")])
    receiver.deliver([row("c")])
    assert events(path) == ["a", "b", "c"]
    assert path.stat().st_mode & 0o007 == 0


@pytest.mark.parametrize("before", [b"", b'{"event":{"id":"z"}}\n'])
def test_a_line_that_a_crash_cut_is_taken_away(tmp_path: Path, before: bytes) -> None:
    path = tmp_path / "alerts.ndjson"
    path.write_bytes(before + b'{"event":' + b"x" * 100_000)
    connect(settings(path)).deliver([row("a")])
    assert events(path) == [*(["z"] if before else []), "a"]


def test_full_files_are_kept_up_to_a_number(tmp_path: Path) -> None:
    path = tmp_path / "alerts.ndjson"
    receiver = connect(settings(path, size="1 B", keep=2))
    for name in "abcd":
        receiver.deliver([row(name)])
    assert [events(tmp_path / f"alerts.ndjson{end}") for end in ("", ".1", ".2")] == [["d"], ["c"], ["b"]]
    assert len(list(tmp_path.iterdir())) == 3


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "alerts.ndjson"
    receiver = connect(settings(path))
    receiver.deliver([row("a")])
    whole = os.pwrite
    with monkeypatch.context() as patch:

        def some(handle: int, data: Any, at: int) -> int:
            if len(data) > 50:
                return whole(handle, bytes(data[:50]), at)
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(os, "pwrite", some)
        with pytest.raises(Unreachable, match="No space left"):
            receiver.deliver([row("b")])
    assert events(path) == ["a"]
    receiver.deliver([row("b")])
    assert events(path) == ["a", "b"]


def test_it_is_on_disk_before_it_is_delivered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
    with pytest.raises(Unreachable, match="Input/output"):
        connect(settings(tmp_path / "alerts.ndjson")).deliver([row("a")])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="No such file"):
        connect(settings(tmp_path / "none" / "alerts.ndjson")).deliver([row("a")])


def test_a_row_that_is_no_alert_holds_up_no_other(tmp_path: Path) -> None:
    from zonewatch.sensor.shipping.receiver import Row

    path = tmp_path / "alerts.ndjson"
    found = connect(settings(path, form="ocsf")).deliver([Row(1, "x", "x", 0, "{"), row("a")])
    assert [one.kind for one in found] == ["refused", "delivered"]
    assert len(path.read_text().splitlines()) == 1
