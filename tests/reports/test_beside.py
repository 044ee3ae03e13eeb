"""A task in a forked process: its value, its errors, its end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from zonewatch.reports import beside as module
from zonewatch.reports.beside import beside

pytestmark = pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="nothing can be forked")
HERE = os.getpid()


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with one processor, and beside the threads of those who run tests."""
    monkeypatch.setattr(module, "_forks", lambda: True)


def _done_at() -> int:
    return os.getpid()


@pytest.mark.usefixtures("forks")
def test_the_value_is_made_in_another_process_and_is_whole() -> None:
    large = b"x" * 3_000_000  # more than a pipe holds
    with beside(lambda: (_done_at(), large)) as made:
        where, value = made()
    assert where != HERE
    assert value == large


@pytest.mark.usefixtures("forks")
def test_it_goes_on_while_the_first_process_works() -> None:
    with beside(lambda: time.monotonic()) as made:
        time.sleep(0.5)
        now = time.monotonic()
        assert made() < now


def _raises() -> int:
    raise ValueError("zone 7: not what it should be")


def _dies() -> int:
    if os.getpid() != HERE:
        os.kill(os.getpid(), signal.SIGKILL)
    return 7


def _cannot_be_carried() -> Callable[[], int]:
    return lambda: 7


@pytest.mark.usefixtures("forks")
def test_an_error_is_raised_here_in_its_own_words(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="zone 7: not what it should be"), beside(_raises) as made:
        made()
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("forks")
def test_what_a_process_did_not_bring_is_made_here(capfd: pytest.CaptureFixture[str]) -> None:
    with beside(_dies) as died, beside(_cannot_be_carried) as kept:
        assert died() == 7
        assert kept()() == 7
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_left_early_nothing_stays(error: type[BaseException]) -> None:
    others = multiprocessing.active_children()
    begun_here: list[int] = []

    def left() -> None:
        with beside(lambda: time.sleep(60)):
            begun_here.extend(child.pid or 0 for child in multiprocessing.active_children() if child not in others)
            raise error

    begun = time.monotonic()
    with pytest.raises(error):
        left()
    assert multiprocessing.active_children() == others
    (process,) = begun_here
    with pytest.raises(ChildProcessError):  # its end was taken note of
        os.waitpid(process, os.WNOHANG)
    assert time.monotonic() - begun < 30


@pytest.mark.usefixtures("forks")
def test_ctrl_c_ends_the_second_process_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> int:
        if os.getpid() != HERE:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(60)
        return 7

    with beside(interrupted) as made:
        assert made() == 7
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("forks")
def test_where_no_process_can_be_begun_it_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any) -> None:
        raise OSError("Resource temporarily unavailable")

    monkeypatch.setattr(multiprocessing.get_context("fork").Process, "start", refused)
    with beside(_done_at) as made:
        assert made() == HERE


def test_what_is_not_worth_it_and_what_runs_beside_threads_is_done_here() -> None:
    with beside(_done_at, worth_it=False) as made:
        assert made() == HERE
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    try:
        with beside(_done_at) as made:
            assert made() == HERE
    finally:
        ended.set()
        thread.join()
