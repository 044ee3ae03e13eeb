"""Copies of a store's databases, made while it is in use."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from zonewatch.reports.words import iso_time
from zonewatch.sensor.decisions import ledger
from zonewatch.sensor.store.database import StoreError, copy, read_only, refuse_damaged
from zonewatch.sensor.store.files import digest
from zonewatch.sensor.store.recovery import RESTORED
from zonewatch.sensor.store.store import NAME
from zonewatch.sensor.usage import UsageError

__all__ = ["back_up"]

_COPIED: Final = (NAME, ledger.NAME)


def back_up(folder: Path, out: Path, who: str, now: Callable[[], int] = time.time_ns) -> int:
    """Writes the copy, checks it and adds it to the log of decisions; octets. Raises StoreError and OSError.

    Events and mini captures are files that never change: they are copied by whatever copies files.
    """
    if out.exists():
        raise UsageError(f"{out}: exists already; name a folder that is not there")
    if not (folder / NAME).is_file():
        raise StoreError(f"{folder / NAME}: no such file; STORE is the folder of a sensor")
    out.mkdir(mode=0o750, parents=True)
    copied = [out / name for name in _COPIED if _copied(folder / name, out / name)]
    with closing(sqlite3.connect(out / NAME)) as db:
        with db:
            db.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (RESTORED, iso_time(now())))
        refuse_damaged(db, out / NAME)
    ledger.log_export(folder, now, who or ledger.who_runs_this(), "backup", str(out), digest(out / NAME))
    return sum(path.stat().st_size for path in copied)


def _copied(source: Path, target: Path) -> bool:
    if not source.exists():
        return False
    with closing(read_only(source)) as db:
        copy(db, target)
    return True
