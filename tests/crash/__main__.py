"""Kills a store many times.

python -m tests.crash --rounds 1000 --seed 1
"""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from pathlib import Path

from tests.crash.rounds import run

ROUNDS_A_STORE = 100


def main() -> None:
    parser = argparse.ArgumentParser(description="Kills a store at random moments and looks what is left.")
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    logging.getLogger("zonewatch.store").setLevel(logging.CRITICAL)  # what it notes is counted below
    given = parser.parse_args()
    begun = time.monotonic()
    left, seed = given.rounds, given.seed
    while left > 0:
        with tempfile.TemporaryDirectory() as folder:
            told = run(Path(folder) / "store", min(left, ROUNDS_A_STORE), seed)
        left -= told.rounds
        promises = ", ".join(f"{count:,} {kind}" for kind, count in sorted(told.promises.items()))
        notes = ", ".join(f"{count} {note}" for note, count in sorted(told.notes.items()))
        print(f"seed {seed}: {told.rounds} rounds, {told.killed} killed; promised {promises}; said {notes}", flush=True)
        seed += 1
    print(f"{given.rounds:,} rounds in {time.monotonic() - begun:.0f} s: nothing lost, nothing twice")


if __name__ == "__main__":
    main()
