"""The chain of decisions: every change of it is found, at the first link it breaks."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonewatch.sensor.decisions import ledger
from zonewatch.sensor.decisions.chain import Broken, Decision, Head, first_broken, missing_heads, sealed, trusted

TIME = "2026-03-02T09:00:00.000000000Z"


def chain(count: int) -> list[Decision]:
    found: list[Decision] = []
    for number in range(1, count + 1):
        previous = found[-1].hash if found else ""
        found.append(
            sealed(Decision(number, TIME, "eva", "acceptance", f"finding {number}", TIME, "why", "{}", previous))
        )
    return found


def test_the_hash_is_that_of_the_canonical_json() -> None:
    """The same by nothing but the standard library, as an auditor would."""
    one = sealed(Decision(1, TIME, "Zoë", "exception", "rule x", "", "why", '{"most":"high"}', ""))
    text = (
        '{"document":"{\\"most\\":\\"high\\"}","kind":"exception","number":1,"previous":"","reason":"why",'
        '"subject":"rule x","time":"2026-03-02T09:00:00.000000000Z","until":"","who":"Zo\\u00eb"}'
    )
    assert json.loads(text)["who"] == "Zoë"
    assert one.hash == hashlib.sha256(text.encode()).hexdigest()


def changed(**more: object) -> Callable[[list[Decision]], list[Decision]]:
    return lambda rows: [*rows[:2], replace(rows[2], **more), *rows[3:]]  # type: ignore[arg-type]


def sealed_anew(rows: list[Decision]) -> list[Decision]:
    return [*rows[:2], sealed(replace(rows[2], reason="other")), *rows[3:]]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda rows: rows, None),
        (lambda rows: [], None),
        (changed(who="eve"), Broken(3, "was changed: its hash is not that of its fields")),
        (changed(until="2099-01-01T00:00:00.000000000Z"), Broken(3, "was changed: its hash is not that of its fields")),
        (changed(document='{"most":"critical"}'), Broken(3, "was changed: its hash is not that of its fields")),
        (changed(previous=""), Broken(3, "does not hold the hash of the decision before")),
        (sealed_anew, Broken(4, "does not hold the hash of the decision before")),
        (lambda rows: rows[:2] + rows[3:], Broken(3, "is missing: decision 4 comes where 3 is expected")),
        (lambda rows: rows[1:], Broken(1, "is missing: decision 2 comes where 1 is expected")),
        (lambda rows: [rows[0], *rows], Broken(2, "is missing: decision 1 comes where 2 is expected")),
    ],
)
def test_the_first_broken_link(change: Callable[[list[Decision]], list[Decision]], expected: Broken | None) -> None:
    rows = change(chain(5))
    assert first_broken(rows) == expected
    assert list(trusted(rows)) == (rows if expected is None else rows[: expected.number - 1])


@given(st.integers(0, 4), st.sampled_from(("time", "who", "subject", "until", "reason", "document")), st.text())
def test_no_field_can_be_changed(place: int, name: str, value: str) -> None:
    rows = chain(5)
    old = getattr(rows[place], name)
    rows[place] = replace(rows[place], **{name: value})
    assert (first_broken(rows) is None) == (value == old)


def test_an_end_that_was_cut_off_or_written_anew_is_found_by_its_head() -> None:
    rows = chain(5)
    head = Head(5, rows[4].hash)
    assert missing_heads(rows, [head, Head(2, rows[1].hash)]) is None
    assert first_broken(rows[:4]) is None  # the chain alone does not tell
    assert missing_heads(rows[:4], [head]) == Broken(5, f"is gone: it was seen once with hash {head.hash}")
    anew = [*rows[:4], sealed(replace(rows[4], reason="other"))]
    assert missing_heads(anew, [head]) == Broken(5, f"is not the one that was seen once with hash {head.hash}")


def added(folder: Path, count: int) -> None:
    for number in range(count):
        ledger.append(folder, lambda: 1_772_442_000_000_000_000, "eva", "acceptance", str(number), "why", until=2**60)


def test_what_is_read_is_what_was_added(tmp_path: Path) -> None:
    assert ledger.read(tmp_path) == ()
    added(tmp_path, 3)
    found = ledger.read(tmp_path)
    assert [one.number for one in found] == [1, 2, 3]
    assert found[0].time == TIME
    assert first_broken(found) is None
    assert ledger.missing_guards(tmp_path) == ()


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE decisions SET who = 'eve'", "decisions are not changed"),
        ("DELETE FROM decisions WHERE number = 3", "decisions are not removed"),
        ("DELETE FROM decisions", "decisions are not removed"),
        ("INSERT INTO decisions SELECT 9, time, who, kind, subject, until, reason, document, hash, hash FROM decisions"
         " WHERE number = 3", "decisions follow the last"),
        ("INSERT INTO decisions SELECT 4, time, who, kind, subject, until, reason, document, '', hash FROM decisions"
         " WHERE number = 3", "decisions follow the last"),
        ("INSERT OR REPLACE INTO decisions SELECT 3, time, who, kind, subject, until, reason, document, hash, hash"
         " FROM decisions WHERE number = 3", "decisions follow the last"),
    ],
)  # fmt: skip
def test_the_file_refuses_what_is_no_addition(statement: str, why: str, tmp_path: Path) -> None:
    added(tmp_path, 3)
    with sqlite3.connect(tmp_path / ledger.NAME) as db, pytest.raises(sqlite3.IntegrityError, match=why):
        db.execute(statement)
    assert len(ledger.read(tmp_path)) == 3


def test_who_adds_at_once_adds_one_after_the_other(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: added(tmp_path, 5), range(4)))
    found = ledger.read(tmp_path)
    assert [one.number for one in found] == list(range(1, 21))
    assert first_broken(found) is None


def test_an_export_logs_itself(tmp_path: Path) -> None:
    made = ledger.log_export(tmp_path, lambda: 1, "eva", "report", "/media/stick", "ab" * 32)
    assert ledger.read(tmp_path) == (made,)
    assert (made.kind, json.loads(made.document)) == ("export", {"target": "/media/stick", "sha256": "ab" * 32})
