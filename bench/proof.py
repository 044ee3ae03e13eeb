"""How many findings of captures their mini captures prove: `python bench/proof.py CAPTURE…`, one line each, then sums.

Each capture is audited without a policy; what `zonewatch verify` then says of its findings is counted.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from zonewatch.reports.rows import Console
from zonewatch.sensor.proof.rerun import OUTCOMES
from zonewatch.sensor.proof.verify import verified


def measure(capture: Path) -> Counter[tuple[str, str, str]]:
    """Outcome, rule and reason of each finding."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "zonewatch.sensor.cli", "audit", str(capture), "--out", folder]
        subprocess.run(command, check=False, capture_output=True)
        if not (Path(folder) / "result.json").is_file():
            return Counter()
        found = verified(Path(folder), None, Console(stderr=True))
    assert not found.differing
    return Counter((one.outcome, one.rule, one.why) for one in found.findings)


def main() -> None:
    total: Counter[tuple[str, str, str]] = Counter()
    read = 0
    for name in sys.argv[1:]:
        found = measure(Path(name))
        read += bool(found)
        total += found
        counts = {outcome: sum(n for (o, _, _), n in found.items() if o == outcome) for outcome in OUTCOMES}
        print(name, counts, flush=True)
        for (outcome, rule, why), count in sorted(found.items()):
            if outcome in ("does not hold", "no evidence"):
                print("   ", outcome, rule, count, why, flush=True)
    print(f"{read} captures with findings of {len(sys.argv) - 1}")
    for outcome in OUTCOMES:
        print(f"{outcome}: {sum(n for (o, _, _), n in total.items() if o == outcome)}")
    for (outcome, rule, why), count in sorted(total.items()):
        print(f"{outcome}\t{rule}\t{count}\t{why}")


if __name__ == "__main__":
    main()
