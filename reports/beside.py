"""Work on a second processor: a task in a forked process, which has all values without their being copied.

with beside(task, worth_it) as made:
    …  # what else there is to do
    value = made()

Python does one thing at a time in a process, so what takes seconds and is Python alone needs a second one. A task is a
pure function: where nothing can be forked, and where the process ended without its value (it raised, or the system
ended it), the task is done here, so that an error is raised here and in its own words.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

__all__ = ["beside"]

Value = TypeVar("Value")


@contextmanager
def beside(task: Callable[[], Value], worth_it: bool = True) -> Iterator[Callable[[], Value]]:
    """Begins a task, and gives what waits for its value. Left early, the process is ended.

    The value is pickled: octets and texts are cheap. Not `worth_it`: the task waits until its value is asked for.
    """
    if not (worth_it and _forks()):
        yield task
        return
    import multiprocessing  # takes longer to load than small reports have to spare

    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(task, here, there), daemon=True)
    try:
        process.start()
    except OSError:  # no memory, or no process more: one after the other is slower, and as good
        here.close()
        there.close()
        yield task
        return
    there.close()
    try:
        yield lambda: _received(here, task)
    finally:
        process.kill()
        process.join()
        process.close()
        here.close()


def _forks() -> bool:
    """Whether a process may be forked, and has a processor. A fork has none of the threads, but the locks they hold."""
    if sys.platform != "linux":
        return False
    return len(os.sched_getaffinity(0)) > 1 and threading.active_count() == 1


def _serve(task: Callable[[], Any], here: Any, there: Any) -> None:
    """The forked process: sends the value, or ends without a word."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ended by Ctrl-C at once; the first process is who says so
    gc.disable()  # a search touches, and so copies, all that both processes share
    here.close()  # else nobody would notice that the first process is gone
    try:
        there.send(task())
    except Exception:
        os._exit(1)  # raised again where it can be told


def _received(here: Any, task: Callable[[], Value]) -> Value:
    try:
        value: Value = here.recv()
    except (EOFError, OSError):  # nothing came, or half of it
        return task()
    return value
