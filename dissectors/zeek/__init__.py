"""Zeek's logs as input: lines of text to the same tables that the engine makes of packets.

A log file is a capture there, a line's number its frame: `capture` is `zeek:` and the file's name, so that nobody takes
a line for a packet. `decoder` is the face; `logs/` has one file for each family of logs.
"""

from __future__ import annotations

from typing import Final

PREFIX: Final = "zeek:"
"""In front of the name of every log, in the column `capture`."""

NOT_READ: Final = "not read"
"""At the end of `format` in the coverage of a log that nothing is taken from."""
