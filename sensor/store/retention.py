"""Rows that are too old, or too many."""

from __future__ import annotations

import logging
import sqlite3
from typing import Final

from zonewatch.sensor.store.settings import StoreSettings

__all__ = ["forget_old"]

_LOG: Final = logging.getLogger("zonewatch.store")


def forget_old(db: sqlite3.Connection, settings: StoreSettings, at: int) -> dict[str, tuple[str, ...]]:
    """Removes them, inside the transaction at hand; ids of findings and incidents that went, by their table.

    Open and accepted findings stay whatever their age.
    """
    unseen = at - settings.unseen_age
    counts = {
        "whole results": db.execute(
            "UPDATE periods SET result = NULL, rest = NULL WHERE ended < ? AND coalesce(result, rest) IS NOT NULL",
            (at - settings.results_age,),
        ).rowcount,
        "assets": db.execute("DELETE FROM assets WHERE last < ?", (unseen,)).rowcount,
        "edges": db.execute("DELETE FROM edges WHERE last < ?", (unseen,)).rowcount,
        "edges beyond the most that are kept": _beyond(db, settings.most_edges),
    }
    gone = {
        table: tuple(
            row[0]
            for row in db.execute(
                f"DELETE FROM {table} WHERE state = 'resolved' AND changed < ? RETURNING id", (unseen,)
            )
        )
        for table in ("findings", "incidents")
    }
    counts |= {f"resolved {table}": len(names) for table, names in gone.items()}
    rows = [
        (at, f"{count} {what}", 0, "older or more than the settings keep") for what, count in counts.items() if count
    ]
    db.executemany("INSERT INTO removed (at, name, bytes, why) VALUES (?, ?, ?, ?)", rows)
    for row in rows:
        _LOG.info("%s removed: %s", row[1], row[3])
    return gone


def _beyond(db: sqlite3.Connection, most: int) -> int:
    over = int(db.execute("SELECT count(*) FROM edges").fetchone()[0]) - most
    if over <= 0:
        return 0
    columns = "client, server, protocol, transport, server_port, client_address, server_address"
    return db.execute(
        f"DELETE FROM edges WHERE ({columns}) IN (SELECT {columns} FROM edges ORDER BY last, {columns} LIMIT ?)",
        (over,),
    ).rowcount
