"""How far every receiver is, in the text form of Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from zonewatch.sensor.shipping.status import Figures, figures

_SECOND: Final = 1e9
_Family = GaugeMetricFamily | CounterMetricFamily
_ROWS: Final[tuple[tuple[type[_Family], str, str, Callable[[Figures], float]], ...]] = (
    (GaugeMetricFamily, "waiting", "Alerts that a receiver has not got.", lambda one: one.waiting),
    (
        GaugeMetricFamily,
        "oldest_seconds",
        "When the oldest of them was promised; 0: none waits.",
        lambda one: one.oldest_at / _SECOND,
    ),
    (CounterMetricFamily, "delivered", "Alerts that a receiver took.", lambda one: one.delivered),
    (GaugeMetricFamily, "refused", "Alerts that it refused for good.", lambda one: one.refused),
    (
        CounterMetricFamily,
        "refused_forgotten",
        "Refused alerts that are kept no longer, because there were too many.",
        lambda one: one.forgotten,
    ),
    (GaugeMetricFamily, "attempts_in_vain", "Attempts since it last took something.", lambda one: one.attempts),
    (
        GaugeMetricFamily,
        "last_delivery_seconds",
        "When it last took something; 0: never.",
        lambda one: one.delivered_at / _SECOND,
    ),
)


class _Told(Collector):
    def __init__(self, found: tuple[Figures, ...]) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        yield from _metrics(self._found)


def _metrics(found: tuple[Figures, ...]) -> Iterator[Metric]:
    for kind, name, about, value in _ROWS:
        metric = kind(f"zonewatch_receiver_{name}", about, labels=("receiver",))
        for one in found:
            if one.active:
                metric.add_metric((one.receiver,), value(one))
        yield metric


def text(folder: Path) -> str:
    """The figures of a store's receivers."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Told(figures(folder)))
    return generate_latest(registry).decode()
