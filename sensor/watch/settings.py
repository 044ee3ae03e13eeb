"""What is captured and how it is judged: the parts of the sensor's settings that `zonewatch watch` reads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from zonewatch.rules.policy.records import Part
from zonewatch.rules.policy.values import wrong
from zonewatch.sensor.measures import Duration, Size
from zonewatch.sensor.shipping.settings import is_loopback

_INTERFACE: Final = re.compile(r"[^\s/:]{1,15}")


def _interface(name: str) -> str:
    if not _INTERFACE.fullmatch(name):
        raise wrong(f"{name!r} is no name of an interface (at most 15 characters, no space, no slash)")
    return name


Interface = Annotated[str, AfterValidator(_interface)]


class CaptureSettings(Part):
    """One capture point: the interfaces that hear one network."""

    source: Annotated[str, Field(min_length=1, max_length=64)] = "span"
    """Its name in every table. Equal addresses at two points are two assets."""
    interfaces: Annotated[tuple[Interface, ...], Field(min_length=1)]
    """Mirror ports or the two sides of a tap: together they are one stream."""
    ring: Size = 64 << 20
    """The kernel's ring of each socket."""
    threads: Annotated[int, Field(ge=1, le=16)] = 1
    """Sockets an interface; the kernel spreads flows over them."""
    remember: Size = 256 << 20
    """The last packets, kept in memory for the mini captures of findings."""


class ZeekSettings(Part):
    """One capture point whose packets Zeek sees: the folder of its logs."""

    source: Annotated[str, Field(min_length=1, max_length=64)] = "zeek"
    """Its name in every table."""
    folder: Path
    """The folder that Zeek keeps writing; folders of days and a link `current` in it are followed."""


class JudgeSettings(Part):
    """By what the traffic is judged, and how often."""

    policy: Path | None = None
    """Zone policy (YAML)."""
    assets: Path | None = None
    """Known assets (CSV)."""
    tags: Path | None = None
    """Tag list (CSV)."""
    baseline: Path | None = None
    """What was learned before."""
    rules: tuple[Path, ...] = ()
    """Rule files of the site, or folders of them."""
    detection: Path | None = None
    """What the site changes of the rules (YAML)."""
    interval: Duration = 1_000_000_000
    """The least time from one pass to the next. One that takes long makes it longer: judging has two thirds at most."""
    period: Duration = 86_400 * 1_000_000_000
    """What is judged together; at its end the result is kept whole and tables begin anew."""
    most_rows: Annotated[int, Field(ge=10_000)] = 500_000
    """Rows of all tables at which a period ends early. A pass, and an alert by it, takes six seconds a million rows."""


class HealthSettings(Part):
    """When the sensor's own state is told as a finding."""

    silence: Duration = 300 * 1_000_000_000
    """No packet for so long."""
    drops: Annotated[float, Field(gt=0, le=1)] = 0.02
    """The share of packets that the kernel dropped within a minute."""
    one_sided: Annotated[float, Field(gt=0, le=1)] = 0.9
    """The share of connections of which only one direction came, of at least twenty."""
    backlog: Duration = 900 * 1_000_000_000
    """The age of the oldest alert that waits for a receiver."""


class MetricsSettings(Part):
    """Prometheus metrics, served by `zonewatch ship`, for the process that captures has no network."""

    listen: str = "127.0.0.1:9487"
    certificate: Path | None = None
    """PEM, for TLS; needed beyond loopback."""
    key: Path | None = None
    token: Path | None = None
    """File with the bearer token that a reader must send; needed beyond loopback."""

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        host, port = self.address
        if not 0 < port < 65_536:
            raise wrong(f"listen: {self.listen!r}: HOST:PORT expected, such as 127.0.0.1:9487")
        if not is_loopback(host) and not (self.certificate and self.key and self.token):
            raise wrong(f"listen: {self.listen!r} is beyond loopback: certificate, key and token are needed")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port; port 0 where there is none."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port) if port.isdecimal() else 0
