"""Zeek's logs as input: lines of text to the same tables that the engine makes of packets.

A log file is a capture there, a line's number its frame: `capture` is `zeek:` and the file's name, so that nobody takes
a line for a packet. `decoder` is the face for logs that lie there, `follow` for a folder that Zeek keeps writing.

The way of a line: `names` tells which log a file is, `streams` unpacks it, `reading` makes columns of its text a block
at a time, `rows` gives them types. The `Kind` of the log (`logs/`, one file for each family) says what a block tells
(`told.Found`). `exchanges` pairs requests with answers and adds the objects of other logs; `counting`, `activities`,
`claims` and `flows` add up what is told, each with its bounds, and `point` makes the tables of them.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "zeek:"
"""In front of the name of every log, in the column `capture`."""

NOT_READ: Final = "not read"
"""At the end of `format` in the coverage of a log that nothing is taken from."""
