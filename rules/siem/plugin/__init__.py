"""Installed as `sigma.pipelines.zonewatch`, where pySigma looks for pipelines: `sigma convert -p zonewatch …`."""

from zonewatch.rules.siem.pipeline import zonewatch, zonewatch_icsnpp

pipelines = {"zonewatch": zonewatch, "zonewatch_icsnpp": zonewatch_icsnpp}
