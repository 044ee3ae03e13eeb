"""As many packets of each kind as wanted.

python -m tests.hostile --size 1000000
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.hostile import KINDS, decoded


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1_000_000, help="packets of each kind")
    parser.add_argument("--only", metavar="KIND")
    given = parser.parse_args()
    print(f"| kind ({given.size} packets) | peak MB | rows | not kept |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as scratch:
        for kind in KINDS:
            name = kind.packets.__name__
            if given.only in (None, name):
                told = decoded(kind, given.size, Path(scratch))
                counters = ", ".join(f"{counter} {told[counter]}" for counter in kind.counters)
                print(f"| `{name}` | {told['peak']} | {told['rows']} | {counters} |", flush=True)


if __name__ == "__main__":
    main()
