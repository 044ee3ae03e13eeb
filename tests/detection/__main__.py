"""The noise budget, printed.

python -m tests.detection FOLDER    # the folder of public captures, with its MANIFEST.csv
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.detection.budget import Outcome, argument, captures, judged


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    with ProcessPoolExecutor(given.processes) as pool:
        outcomes = [one for one in pool.map(partial(judged, given.folder), captures(given.folder)) if one is not None]
    raise SystemExit(told(outcomes))


def told(outcomes: list[Outcome]) -> int:
    """Prints what was found; 1 where something is neither right nor argued."""
    benign = [one for one in outcomes if one.kind == "benign"]
    grave = [(one.capture, *finding) for one in benign for finding in one.grave]
    labelled = [(attack, one.capture, rule) for one in outcomes for attack, rule in one.attacks]
    false = [row for row in grave if not argument(row[0], row[1])]
    missed = [(attack, capture) for attack, capture, rule in labelled if not rule]
    print(f"benign captures: {len(benign)}; findings of high or critical severity on them: {len(grave)}")
    for capture, rule, severity, title in grave:
        print(f"  {severity:8} {rule}: {title}\n           {capture}\n           {_why(capture, rule)}")
    print(f"labelled attacks: {len(labelled)}; found: {len(labelled) - len(missed)}")
    for attack, capture, rule in labelled:
        print(f"  {'found  ' if rule else 'missed '} {attack.label}: {rule or _why(capture, attack.label)}")
        print(f"          {capture}")
    unargued = [row for row in missed if not argument(row[1], row[0].label)]
    print(f"false: {len(false)}; missed and not argued: {len(unargued)}")
    return int(bool(false or unargued))


def _why(capture: str, what: str) -> str:
    return argument(capture, what) or "NOT ARGUED"


if __name__ == "__main__":
    main()
