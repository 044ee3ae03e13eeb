"""What a pass costs the store: 500 findings, 300 assets, 3,000 edges.

python bench/store.py [--folder DIR] [--passes N]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.reports import sample
from zonewatch.reports.result import AuditResult
from zonewatch.rules.findings import Finding
from zonewatch.sensor.decisions import ledger
from zonewatch.sensor.store.settings import StoreSettings
from zonewatch.sensor.store.store import NAME, Store

FINDINGS, ASSETS, EDGES = 500, 300, 3_000
SECOND = 1_000_000_000


def made(number: int) -> AuditResult:
    """The `number`th pass: every edge and finding counted on."""
    crowd = sample.crowd(ASSETS, EDGES)
    base = sample.FINDINGS[0]
    findings = tuple(
        replace(base, identity=(("number", str(place)),), count=number, last_time=base.last_time + number * SECOND)
        for place in range(FINDINGS)
    )
    edges = tuple(replace(edge, packets=edge.packets + number) for edge in crowd.inventory.edges)
    return replace(crowd, findings=findings, inventory=replace(crowd.inventory, edges=edges))


def timed(store: Store, period: int, result: AuditResult, at: int) -> tuple[float, float]:
    """Milliseconds of the processor, and by the clock."""
    begun, worked = time.perf_counter(), time.process_time()
    store.record(period, result, at)
    return (time.process_time() - worked) * 1_000, (time.perf_counter() - begun) * 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description="What a pass costs the store.")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--passes", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.folder) as place:
        folder, at = Path(place), time.time_ns()
        settings = StoreSettings.model_validate({"reserve": "1 MiB"})
        with Store.open(folder, settings) as store:
            period = store.begin(("tap",), "bench", "", "", at)
            first = timed(store, period, made(0), at)
            steady = [timed(store, period, made(number), at + number * SECOND) for number in range(1, given.passes + 1)]
            refresh = timed(store, period, made(1_000), at + 61 * SECOND)
            finding: Finding = made(0).findings[0]
            begun = time.perf_counter()
            for _ in range(10):
                ledger.append(folder, time.time_ns, "bench", "acceptance", finding.id, "why", until=2**62)
            decision = (time.perf_counter() - begun) * 100
        begun = time.perf_counter()
        Store.open(folder, settings).close()
        again = (time.perf_counter() - begun) * 1_000
        size = (folder / NAME).stat().st_size
    print(f"{FINDINGS} findings, {ASSETS} assets, {EDGES} edges; milliseconds of the processor, and by the clock:")
    median = (statistics.median(one[place] for one in steady) for place in range(2))
    for what, (worked, passed) in (
        ("first pass, all of it new and told", first),
        ("a pass in which only counts go on", median),
        ("a pass that writes the counts", refresh),
    ):
        print(f"  {what}: {worked:.0f}, {passed:.0f}")
    print(f"a decision: {decision:.0f} ms; opening again: {again:.0f} ms; store.db: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
