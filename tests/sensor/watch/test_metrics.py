"""The sensor's figures in the text form of Prometheus."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from zonewatch.dissectors.live import Counts, Interface, Shed
from zonewatch.sensor.watch.metrics import FILE, Figures, text, write

DOWN = Interface("eth1", "down", "eth1", packets=5, octets=300, drops=2, freezes=0, outages=1)
FIGURES = Figures(
    counts={"span": Counts(10, 640, 0, 0, 0, (Shed("it", 3, 180),), (DOWN,))},
    last_packet={"span": 1_772_445_600_500_000_000},
    result=None,
    rows=7,
    passes=4,
    pass_seconds=0.25,
    alerts=5,
    forgotten=2,
    unhealthy=("health.drops.span",),
)


def samples() -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text(FIGURES))
        for sample in family.samples
    }


def test_a_reader_of_prometheus_reads_them() -> None:
    found = samples()
    assert found["zonewatch_capture_packets_total", "span"] == 10
    assert found["zonewatch_capture_kernel_drops_total", "span"] == 2
    assert found["zonewatch_capture_shed_packets_total", "it", "span"] == 3
    assert found["zonewatch_capture_last_packet_seconds", "span"] == 1_772_445_600.5
    assert found["zonewatch_capture_interfaces_down", "span"] == 1
    assert found["zonewatch_unhealthy", "health.drops.span"] == 1
    assert found["zonewatch_alerts_total",] == 5
    assert found["zonewatch_alerts_forgotten_total",] == 2
    assert found["zonewatch_resident_bytes",] > 1_000_000


def test_the_file_is_whole(tmp_path: Path) -> None:
    write(FIGURES, tmp_path)
    write(FIGURES, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    assert (tmp_path / FILE).read_text("utf-8").endswith("\n")
