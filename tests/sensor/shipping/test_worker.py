"""What a receiver gets when it is down, slow to take, refusing, or breaks in the middle."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.sensor.shipping.outbox import put
from tests.sensor.shipping.scripted import LATER, NAME, REFUSED, SECOND, Bench, Scripted
from zonewatch.sensor.shipping.delivery import MIGRATIONS, Deliveries, DeliveryError, needed_after
from zonewatch.sensor.shipping.receiver import DELIVERED, TooMuch, Unreachable
from zonewatch.sensor.shipping.status import figures
from zonewatch.sensor.shipping.worker import FAULTS, Limits
from zonewatch.sensor.watch.health import Refused
from zonewatch.sensor.watch.running import delivered


def many(count: int, first: int = 0) -> list[tuple[str, str]]:
    return [(f"e{number}", f"s{number}") for number in range(first, first + count)]


def names(count: int) -> list[str]:
    return [f"e{number}" for number in range(count)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_nothing_to_do_before_the_store_is_there(bench: Bench) -> None:
    assert bench.worker.turn() == -1
    assert bench.receiver.batches == []
    assert figures(bench.folder)[0].waiting == 0


def test_all_is_delivered_once_and_in_order(bench: Bench) -> None:
    put(bench.folder, many(1200))
    bench.run()
    assert bench.receiver.got == names(1200)
    assert bench.receiver.batches == [500, 500, 200]
    bench.restart()
    bench.run()
    assert len(bench.receiver.got) == 1200
    (one,) = figures(bench.folder)
    assert (one.waiting, one.delivered, one.refused, one.attempts, one.oldest_at) == (0, 1200, 0, 0, 0)
    assert needed_after(bench.folder) == 1200


def test_a_receiver_that_is_down_for_an_hour_gets_all_and_is_asked_ever_more_seldom(bench: Bench) -> None:
    put(bench.folder, many(1200))
    bench.receiver.fail = lambda _: Unreachable("connection refused")
    bench.run(3600)
    assert bench.receiver.got == []
    attempts = len(bench.receiver.batches)
    assert 15 <= attempts <= 30, "1 s, 2 s, 4 s … 5 min, less a quarter"
    assert bench.receiver.closed == attempts, "each attempt connects anew"
    (one,) = figures(bench.folder)
    assert (one.waiting, one.attempts, one.error) == (1200, attempts, "connection refused")
    assert (bench.time.now - one.oldest_at) // SECOND == 3600
    assert len(bench.said) == 1, "told once, not at each attempt"
    bench.receiver.fail = lambda _: None
    bench.run(300)
    assert bench.receiver.got == names(1200)
    assert figures(bench.folder)[0].attempts == 0


def test_the_backlog_of_a_dead_receiver_is_not_copied(bench: Bench) -> None:
    put(bench.folder, many(3000))
    before = (bench.folder / "delivery.db").stat().st_size
    bench.receiver.fail = lambda _: Unreachable("gone")
    bench.run(3600)
    assert bench.deliveries.waiting(NAME) == 0
    assert (bench.folder / "delivery.db").stat().st_size <= before + 65_536


def test_what_the_receiver_asks_for_is_waited(bench: Bench) -> None:
    put(bench.folder, many(1))
    bench.receiver.fail = lambda _: Unreachable("503", wait=120 * SECOND)
    assert bench.worker.turn() == 0
    assert bench.worker.turn() == 120 * SECOND


def test_a_row_that_waits_holds_back_its_subject_alone(bench: Bench) -> None:
    put(bench.folder, [("a", "A"), ("b", "B"), ("a.2", "A"), ("c", "C"), ("a.3", "A"), ("b.2", "B")])
    bench.receiver.answer = lambda row: LATER if row.event_id == "a" else DELIVERED
    bench.run()
    assert bench.receiver.got == ["b", "c", "b.2"]
    assert figures(bench.folder)[0].waiting == 3
    bench.receiver.answer = lambda _: DELIVERED
    bench.run(10)
    assert bench.receiver.got[3:] == ["a", "a.2", "a.3"]
    assert needed_after(bench.folder) == 6


def test_a_refused_row_is_kept_with_its_answer_and_holds_nothing_back(bench: Bench) -> None:
    put(bench.folder, [("a", "A"), ("a.2", "A"), ("b", "B")])
    bench.receiver.answer = lambda row: REFUSED if row.event_id == "a" else DELIVERED
    bench.run()
    assert bench.receiver.got == ["a.2", "b"]
    (held,) = bench.deliveries.held(NAME, refused=True, most=10)
    assert (held.row.event_id, held.answer, held.attempts) == ("a", "400 no such field", 1)
    assert figures(bench.folder)[0].refused == 1
    bench.run(7200)
    assert bench.receiver.got == ["a.2", "b"], "a refused row is not tried again by itself"
    bench.receiver.answer = lambda _: DELIVERED
    assert bench.deliveries.retry(NAME) == 1
    bench.run()
    assert bench.receiver.got == ["a.2", "b", "a"]
    assert figures(bench.folder)[0].refused == 0


def test_of_refused_rows_the_newest_are_kept_and_those_that_go_are_counted_and_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Limits(rows=4, refused=10))
    put(tmp_path, many(32))
    bench.receiver.answer = lambda row: REFUSED if row.event_id != "e5" else DELIVERED
    bench.run()
    kept = [held.row.event_id for held in bench.deliveries.held(NAME, refused=True, most=100)]
    assert kept == [f"e{number}" for number in range(22, 32)]
    (one,) = figures(tmp_path)
    assert (one.refused, one.forgotten, one.delivered, one.waiting) == (10, 21, 1, 0)
    assert sum("here no longer" in line for line in bench.said) == 6
    assert delivered(tmp_path, configured=False).refused == (Refused(NAME, 10, 21),)
    bench.receiver.answer = lambda _: DELIVERED
    assert bench.deliveries.retry(NAME) == 10
    bench.run()
    assert bench.receiver.got == ["e5", *kept]
    (one,) = figures(tmp_path)
    assert (one.refused, one.forgotten) == (0, 21)
    assert delivered(tmp_path, configured=False).refused == ()


def test_a_file_of_the_version_before_goes_on(tmp_path: Path) -> None:
    put(tmp_path, many(3))
    with closing(sqlite3.connect(tmp_path / "delivery.db")) as old:
        old.executescript(MIGRATIONS[0])
        old.execute("INSERT INTO receiver (name, active, position, position_event) VALUES (?, 1, 2, 'e1')", (NAME,))
        old.execute("PRAGMA user_version = 1")
        old.commit()
    assert figures(tmp_path) == (), "whoever looks before it was brought up sees nothing"
    assert needed_after(tmp_path) == 0
    bench = Bench(tmp_path)
    bench.run()
    assert bench.receiver.got == ["e2"]


def test_a_file_that_is_none_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "delivery.db").write_bytes(b"this is no database" * 100)
    with pytest.raises(DeliveryError, match="is not a database; move it away"):
        Deliveries(tmp_path)
    with pytest.raises(DeliveryError, match="is not a database; move it away"):
        figures(tmp_path)


def test_a_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "delivery.db")) as later:
        later.execute("PRAGMA user_version = 99")
    with pytest.raises(DeliveryError, match="newer zonewatch"):
        Deliveries(tmp_path)


def test_a_row_that_always_waits_does_not_slow_the_others(bench: Bench) -> None:
    put(bench.folder, [("stuck", "S")])
    bench.receiver.answer = lambda row: LATER if row.subject == "S" else DELIVERED
    bench.run(3600)
    put(bench.folder, [("new", "N")])
    bench.run()
    assert bench.receiver.got == ["new"]


def test_a_receiver_that_is_full_bounds_what_is_held(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Limits(rows=10, held=30))
    put(bench.folder, many(200))
    bench.receiver.answer = lambda _: LATER
    bench.run(7200)
    assert 30 <= bench.deliveries.waiting(NAME) < 40
    assert figures(bench.folder)[0].waiting == 200
    bench.receiver.answer = lambda _: DELIVERED
    bench.run(300)
    assert sorted(bench.receiver.got, key=lambda name: int(name[1:])) == names(200)


def test_too_much_at_once_is_made_less(bench: Bench) -> None:
    put(bench.folder, many(100))
    bench.receiver.fail = lambda rows: TooMuch("413") if len(rows) > 7 else None
    bench.run()
    assert bench.receiver.got == names(100)
    assert max(bench.receiver.batches) == 100


def test_the_one_row_that_is_not_liked_is_found(bench: Bench) -> None:
    put(bench.folder, many(100))
    bench.receiver.fail = lambda rows: TooMuch("422") if any(row.event_id == "e42" for row in rows) else None
    bench.run()
    assert bench.receiver.got == [name for name in names(100) if name != "e42"]
    (held,) = bench.deliveries.held(NAME, refused=True, most=10)
    assert (held.row.event_id, held.answer) == ("e42", "422")


def test_a_row_that_makes_our_own_code_fail_is_put_aside(bench: Bench) -> None:
    put(bench.folder, many(20))
    bench.receiver.fail = lambda rows: ZeroDivisionError("x") if any(row.event_id == "e3" for row in rows) else None
    bench.run(60)
    assert bench.receiver.got == [name for name in names(20) if name != "e3"]
    (held,) = bench.deliveries.held(NAME, refused=False, most=10)
    assert held.answer == "ZeroDivisionError: x"
    assert bench.receiver.batches.count(1) >= FAULTS
    bench.receiver.fail = lambda _: None
    bench.run(300)
    assert bench.receiver.got[-1] == "e3"


def test_a_fault_with_every_row_refuses_none_and_copies_few(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Limits(rows=10, held=30))
    put(bench.folder, many(200))
    bench.receiver.fail = lambda _: AttributeError("a library changed")
    bench.run(3600)
    assert (figures(bench.folder)[0].refused, figures(bench.folder)[0].waiting) == (0, 200)
    assert bench.deliveries.waiting(NAME) <= 40
    bench.receiver.fail = lambda _: None
    bench.run(600)
    assert set(bench.receiver.got) == set(names(200))


def test_what_fails_while_connecting_is_about_no_row(bench: Bench) -> None:
    put(bench.folder, many(20))
    bench.worker._connect = lambda: (_ for _ in ()).throw(FileNotFoundError("ca.pem"))
    bench.run(36_000)
    assert (bench.deliveries.waiting(NAME), figures(bench.folder)[0].refused) == (0, 0)
    assert figures(bench.folder)[0].error == "FileNotFoundError: ca.pem"


def test_a_crash_after_sending_sends_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    put(bench.folder, many(3))
    with monkeypatch.context() as patch:
        patch.setattr(bench.deliveries, "settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            bench.worker.turn()
    bench.restart()
    bench.run()
    assert bench.receiver.got == [*names(3), *names(3)]


def test_secrets_are_blotted_out_of_what_is_kept_and_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path, secrets=("s3cr3t-of-siem", "s3cr3t"))
    put(bench.folder, many(1))
    bench.receiver.fail = lambda _: Unreachable("401 key s3cr3t-of-siem is not known")
    bench.run()
    assert figures(bench.folder)[0].error == "401 key *** is not known"
    for path in tmp_path.iterdir():
        assert b"s3cr3t" not in path.read_bytes()
    assert "s3cr3t" not in "".join(bench.said)


def test_an_older_outbox_put_back_is_sent_from_its_beginning(bench: Bench) -> None:
    put(bench.folder, many(5))
    bench.run()
    for path in bench.folder.glob("store.db*"):
        path.unlink()
    put(bench.folder, [("other", "O")])
    bench.run()
    assert bench.receiver.got == [*names(5), "other"]
    assert "older one" in bench.said[0]


def test_rows_that_were_forgotten_are_no_other_outbox(bench: Bench) -> None:
    put(bench.folder, many(5))
    bench.run()
    with closing(sqlite3.connect(bench.folder / "store.db")) as opened, opened:
        opened.execute("DELETE FROM outbox")
    put(bench.folder, [("next", "N")])
    bench.run()
    assert bench.receiver.got == [*names(5), "next"]
    assert bench.said == []


def test_a_wait_that_a_stepped_clock_made_endless_is_not_kept(bench: Bench) -> None:
    put(bench.folder, many(1))
    bench.receiver.fail = lambda _: Unreachable("down")
    bench.worker.turn()
    bench.time.now -= 10**9 * 86_400 * 365  # the next start finds the wall clock a year earlier
    bench.receiver.fail = lambda _: None
    bench.restart()
    bench.run()
    assert bench.receiver.got == ["e0"]


def test_a_store_that_cannot_be_read_is_waited_for(bench: Bench) -> None:
    (bench.folder / "store.db").write_bytes(b"no database" * 1000)
    assert bench.worker.turn() == 5 * SECOND
    assert "store.db" in bench.said[0]
    (bench.folder / "store.db").unlink()
    put(bench.folder, many(1))
    bench.run()
    assert bench.receiver.got == ["e0"]


def test_octets_bound_a_batch(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Limits(octets=5000))
    put(bench.folder, many(30), message="x" * 1000)
    bench.run()
    assert bench.receiver.got == names(30)
    assert max(bench.receiver.batches) <= 5


def test_one_row_larger_than_the_bound_goes_alone(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Limits(octets=100))
    put(bench.folder, many(3))
    bench.run()
    assert bench.receiver.batches == [1, 1, 1]


def test_receivers_that_are_gone_hold_nothing_in_the_outbox(bench: Bench) -> None:
    put(bench.folder, many(3))
    bench.run()
    bench.deliveries.begin([NAME, "new"])
    assert needed_after(bench.folder) == 0
    bench.deliveries.begin([NAME])
    assert needed_after(bench.folder) == 3
    assert [(one.receiver, one.active) for one in figures(bench.folder)] == [("new", False), (NAME, True)]


def test_a_row_behind_another_that_waits_wakes_nobody(tmp_path: Path) -> None:
    """Refused rows that wait again have times of their own; they come after the row before them all the same."""
    put(tmp_path, [("A.1", "A"), ("A.2", "A"), ("A.3", "A")])
    bench = Bench(tmp_path, Limits(rows=1), Scripted(lambda row: LATER if row.event_id == "A.3" else REFUSED))
    bench.run(60)
    assert bench.deliveries.retry(NAME) == 2
    bench.receiver.answer = lambda _: LATER
    assert bench.run(3600) < 100
