"""The tables of `store.db`. Times are UTC nanoseconds; documents are the JSON objects of `result.json`.

A migration is never changed once it was released: a later one alters what it made.
"""

from __future__ import annotations

from typing import Final

_TOLD: Final = """
CREATE TABLE {table} (
    id TEXT PRIMARY KEY,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    owner TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'resolved')),
    decision INTEGER,            -- number of the acceptance in decisions.db
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    period INTEGER NOT NULL REFERENCES periods (number),  -- the last that supports it
    earlier INTEGER REFERENCES periods (number),          -- the one before, which supports it as well
    gravity TEXT NOT NULL,       -- digest of what was told last: severity, verdict
    story TEXT NOT NULL,         -- digest of what was told last: all else
    told INTEGER NOT NULL,       -- how often
    told_at INTEGER NOT NULL,
    changed INTEGER NOT NULL,    -- when its state changed last
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

VERSION_1: Final = (
    """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    version TEXT NOT NULL,       -- of zonewatch
    started INTEGER NOT NULL,
    last INTEGER NOT NULL,       -- when it recorded last
    ended INTEGER,               -- none: it runs, or ended without closing
    notes TEXT NOT NULL          -- what it found at its start: JSON array of sentences
) STRICT;

CREATE TABLE texts (
    hash TEXT PRIMARY KEY,       -- SHA-256 of the text in UTF-8
    kind TEXT NOT NULL CHECK (kind IN ('policy', 'baseline')),
    at INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE periods (
    number INTEGER PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (number),
    version TEXT NOT NULL,
    sources TEXT NOT NULL,       -- JSON array
    policy TEXT REFERENCES texts (hash),
    baseline TEXT REFERENCES texts (hash),
    began INTEGER NOT NULL,
    last INTEGER NOT NULL,
    ended INTEGER,
    state TEXT NOT NULL CHECK (state IN ('running', 'whole', 'broken')),
    passes INTEGER NOT NULL,
    rest BLOB,                   -- of a running or broken one: what of its result no other table holds (zstd)
    result BLOB                  -- of a whole one: result.json (zstd); none once it is too old
) STRICT;

CREATE TABLE coverage (
    period INTEGER NOT NULL REFERENCES periods (number) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (period, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE assets (
    id TEXT PRIMARY KEY,
    period INTEGER NOT NULL REFERENCES periods (number),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE edges (
    client TEXT NOT NULL,
    server TEXT NOT NULL,
    protocol TEXT NOT NULL,
    transport TEXT NOT NULL,
    server_port INTEGER NOT NULL,
    client_address TEXT NOT NULL,
    server_address TEXT NOT NULL,
    period INTEGER NOT NULL REFERENCES periods (number),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (client, server, protocol, transport, server_port, client_address, server_address)
) STRICT, WITHOUT ROWID;
CREATE INDEX assets_by_period ON assets (period);
CREATE INDEX edges_by_period ON edges (period);
CREATE INDEX edges_by_last ON edges (last);
"""
    + _TOLD.format(table="findings")
    + _TOLD.format(table="incidents")
    + """
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    subject TEXT NOT NULL,
    at INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;

CREATE TABLE health (
    subject TEXT PRIMARY KEY,
    severity TEXT NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'resolved')),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    told INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE files (
    name TEXT PRIMARY KEY,       -- from the store's folder on
    kind TEXT NOT NULL CHECK (kind IN ('events', 'evidence')),
    subject TEXT NOT NULL,       -- the finding of a mini capture
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE removed (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    name TEXT NOT NULL,          -- a file, or what rows
    bytes INTEGER NOT NULL,
    why TEXT NOT NULL
) STRICT;

CREATE TABLE heads (
    number INTEGER PRIMARY KEY,  -- of the last decision seen
    hash TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
"""
)

VERSION_2: Final = """
CREATE TABLE inputs (
    hash TEXT PRIMARY KEY,       -- SHA-256 of the file
    at INTEGER NOT NULL,
    content BLOB NOT NULL        -- zstd
) STRICT, WITHOUT ROWID;

ALTER TABLE periods ADD COLUMN given TEXT NOT NULL DEFAULT '';
"""
"""`given` is `inputs/given.json` of an audit: names and hashes of what a period is judged by; empty before."""

MIGRATIONS: Final = (VERSION_1, VERSION_2)
"""The script that makes version n of version n - 1 stands at place n - 1."""
