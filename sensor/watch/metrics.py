"""The sensor's figures in the text form of Prometheus, as a file: the process that captures serves nothing.

`zonewatch ship` serves the file, with its own figures; node_exporter's textfile collector can read it too.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from zonewatch import __version__
from zonewatch.dissectors.live import Counts
from zonewatch.reports.result import AuditResult
from zonewatch.rules.findings import SEVERITIES

FILE: Final = "metrics.prom"
_SECOND: Final = 1e9
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Figures:
    """What is told of the daemon."""

    counts: Mapping[str, Counts]  # by source
    last_packet: Mapping[str, int]  # by source, UTC nanoseconds
    result: AuditResult | None
    rows: int  # finished rows of the period
    passes: int
    pass_seconds: float  # what the last one took
    alerts: int  # put in the outbox since the start
    forgotten: int  # of them or older ones, for want of a receiver
    unhealthy: tuple[str, ...]  # subjects


class _Told(Collector):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        yield from _capture(self._figures)
        yield from _judged(self._figures)
        yield from _process(self._figures)


def text(figures: Figures) -> str:
    """The exposition, in the order of the names' declaration."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(figures))
    return generate_latest(registry).decode()


def write(figures: Figures, folder: Path) -> None:
    """Writes the file whole, or leaves the one before. Raises OSError."""
    part = folder / f".{FILE}.part"
    part.write_text(text(figures), encoding="utf-8")
    part.replace(folder / FILE)


def _capture(figures: Figures) -> Iterator[Metric]:
    counts = sorted(figures.counts.items())
    for name, about, field in (
        ("packets", "Packets decoded.", "packets"),
        ("octets", "Octets of these packets.", "octets"),
        ("kernel_drops", "Packets that the kernel dropped, because its ring was full.", "drops"),
    ):
        metric = CounterMetricFamily(f"zonewatch_capture_{name}", about, labels=("source",))
        for source, each in counts:
            metric.add_metric((source,), getattr(each, field))
        yield metric
    shed = CounterMetricFamily(
        "zonewatch_capture_shed_packets", "Packets left out, because decoding was too slow.", labels=("source", "kind")
    )
    queued = GaugeMetricFamily("zonewatch_capture_queued_octets", "Octets that wait.", labels=("source",))
    down = GaugeMetricFamily("zonewatch_capture_interfaces_down", "Interfaces down or gone.", labels=("source",))
    last = GaugeMetricFamily("zonewatch_capture_last_packet_seconds", "When the last packet came.", labels=("source",))
    for source, each in counts:
        for row in each.shed:
            shed.add_metric((source, row.packet_class), row.packets)
        queued.add_metric((source,), each.waiting_octets)
        down.add_metric((source,), sum(interface.state != "up" for interface in each.interfaces))
        last.add_metric((source,), figures.last_packet.get(source, 0) / _SECOND)
    yield from (shed, queued, down, last)


def _judged(figures: Figures) -> Iterator[Metric]:
    if (result := figures.result) is not None:
        yield GaugeMetricFamily("zonewatch_assets", "Assets of the period.", len(result.inventory.assets))
        yield GaugeMetricFamily("zonewatch_edges", "Connections between assets.", len(result.inventory.edges))
        found = GaugeMetricFamily("zonewatch_findings", "Findings of the period.", labels=("severity", "state"))
        tally = Counter((finding.severity, finding.state) for finding in result.findings)
        for severity in SEVERITIES:
            for state in ("open", "accepted", "resolved"):
                found.add_metric((severity, state), tally[severity, state])
        yield found
    yield CounterMetricFamily("zonewatch_alerts", "Alerts put in the outbox.", figures.alerts)
    yield CounterMetricFamily(
        "zonewatch_alerts_forgotten", "Alerts that left the outbox for want of a receiver.", figures.forgotten
    )
    health = GaugeMetricFamily("zonewatch_unhealthy", "What keeps the sensor from its work.", labels=("subject",))
    for subject in figures.unhealthy:
        health.add_metric((subject,), 1)
    yield health


def _process(figures: Figures) -> Iterator[Metric]:
    yield GaugeMetricFamily("zonewatch_period_rows", "Rows held of the period.", figures.rows)
    yield CounterMetricFamily("zonewatch_passes", "Times that everything was judged.", figures.passes)
    yield GaugeMetricFamily("zonewatch_pass_seconds", "What the last of them took.", figures.pass_seconds)
    yield GaugeMetricFamily("zonewatch_resident_bytes", "Memory of the process.", resident())
    about = GaugeMetricFamily("zonewatch_build_info", "The version that runs.", labels=("version",))
    about.add_metric((__version__,), 1)
    yield about


def resident() -> int:
    """Octets of memory that the process holds; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0
