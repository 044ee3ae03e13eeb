"""The sensor's own state as findings: what it cannot hear, and what it lost.

A value in, findings out: the daemon asks once a minute, and tells the store what began and what ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from zonewatch.dissectors.live import Counts, Interface
from zonewatch.reports.words import counted
from zonewatch.rules.findings import Severity
from zonewatch.sensor.measures import DURATIONS
from zonewatch.sensor.mirror.ways import Ways
from zonewatch.sensor.watch.settings import HealthSettings

LEAST_FLOWS: Final = 20
"""Connections by which a mirror port is judged."""
LEAST_PAIRS: Final = 5
"""The same of pairs of hosts and a protocol over UDP, each with some packets."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What a capture point counted of packets since it was opened."""

    packets: int = 0
    drops: int = 0  # by the kernel: its ring was full
    shed: tuple[tuple[str, int], ...] = ()  # by class of traffic: decoding was too slow

    @classmethod
    def of(cls, counts: Counts) -> Lost:
        """The same out of all counts."""
        return cls(counts.packets, counts.drops, tuple((row.packet_class, row.packets) for row in counts.shed))


_NOTHING: Final = Ways()


@dataclass(frozen=True, slots=True)
class Heard:
    """What a capture point heard since it was looked at last."""

    source: str
    before: Lost
    now: Lost
    interfaces: tuple[Interface, ...]
    silence: int  # nanoseconds since the last packet
    flows: int = 0  # of the period
    one_sided: int = 0  # of them, only one direction came: TCP alone tells
    udp: Ways = _NOTHING


@dataclass(frozen=True, slots=True)
class Refused:
    """What a receiver did not take."""

    receiver: str
    kept: int  # alerts that can be sent again
    forgotten: int  # refused before, and kept no longer


@dataclass(frozen=True, slots=True)
class State:
    """All that health is judged by."""

    heard: tuple[Heard, ...] = ()
    backlog: int = 0  # age of the oldest alert that waits, nanoseconds
    waiting: int = 0  # alerts that wait
    delivery_unreadable: str = ""  # why nobody knows what waits
    refused: tuple[Refused, ...] = ()
    reload_failed: str = ""  # why the settings in force are the old ones


@dataclass(frozen=True, slots=True)
class Health:
    """Something that keeps the sensor from its work.

    `subject` makes it the same one in a minute; `title` says the same as long as it lasts, for it is told again where
    that changes.
    """

    subject: str
    severity: Severity
    title: str
    text: str
    remedy: str


def judge(state: State, settings: HealthSettings) -> tuple[Health, ...]:
    """What is wrong, by subject."""
    found = [health for heard in state.heard for test in _TESTS for health in test(heard, settings)]
    return tuple(sorted((*found, *_own(state, settings)), key=lambda health: health.subject))


def _silent(heard: Heard, settings: HealthSettings) -> Iterator[Health]:
    if heard.silence >= settings.silence:
        yield Health(
            f"silence.{heard.source}",
            "high",
            f"No traffic at {heard.source} for {_long(settings.silence)}",
            f"The last packet came {_long(heard.silence)} ago: nothing is heard there, so nothing can be judged.",
            "Look whether the mirror session is still configured and the cable plugged; zonewatch doctor says more.",
        )


def _down(heard: Heard, _settings: HealthSettings) -> Iterator[Health]:
    for interface in heard.interfaces:
        if interface.state != "up":
            yield Health(
                f"interface.{heard.source}.{interface.name}",
                "high",
                f"Interface {interface.name} of {heard.source} is {interface.state}",
                "It hears nothing until it is there again; the sensor goes on by itself then.",
                f"Plug the cable, or bring it up: ip link set dev {interface.name} up",
            )


def _dropped(heard: Heard, settings: HealthSettings) -> Iterator[Health]:
    came, lost = heard.now.packets - heard.before.packets, heard.now.drops - heard.before.drops
    if lost > 0 and lost >= settings.drops * (came + lost):
        yield Health(
            f"drops.{heard.source}",
            "medium",
            f"The kernel dropped packets at {heard.source}",
            f"{counted(lost, 'packet')} of {came + lost:,} ({100 * lost / (came + lost):.1f} %) since the last look: "
            "what they carried was not judged.",
            "Give the source a larger ring or more threads (capture: ring, threads), or mirror less traffic.",
        )


def _shed(heard: Heard, _settings: HealthSettings) -> Iterator[Health]:
    before, now = dict(heard.before.shed), dict(heard.now.shed)
    lost = {name: count - before.get(name, 0) for name, count in now.items() if count > before.get(name, 0)}
    if lost:
        told = ", ".join(f"{count:,} of {name}" for name, count in sorted(lost.items()))
        yield Health(
            f"overload.{heard.source}",
            "medium",
            f"More traffic came at {heard.source} than this machine decodes",
            f"Left out since the last look, the least important first: {told} packets.",
            "Mirror less office traffic to the sensor, or give it a faster machine.",
        )


def _one_sided(heard: Heard, settings: HealthSettings) -> Iterator[Health]:
    pairs = heard.udp.both + heard.udp.answers + heard.udp.asked
    # Who is asked and is off does not answer either; only where no answer at all is heard it is the mirror.
    alone = heard.udp.answers + (0 if heard.udp.both or heard.udp.tcp else heard.udp.asked)
    by_tcp = heard.flows >= LEAST_FLOWS and heard.one_sided >= settings.one_sided * heard.flows
    if by_tcp or (pairs >= LEAST_PAIRS and alone >= settings.one_sided * pairs):
        figures = (
            f"Of {heard.one_sided:,} of {counted(heard.flows, 'connection')}"
            if by_tcp
            else f"Of {alone:,} of {counted(pairs, 'conversation')} over UDP"
        )
        yield Health(
            f"one_sided.{heard.source}",
            "medium",
            f"The mirror at {heard.source} delivers one direction only",
            f"{figures} only one side was heard: questions or answers, and whether a command succeeded, are not seen.",
            "Mirror both directions (rx and tx) of the ports, or give the source both sides of the tap.",
        )


_TESTS: Final[tuple[Callable[[Heard, HealthSettings], Iterable[Health]], ...]] = (
    _silent,
    _down,
    _dropped,
    _shed,
    _one_sided,
)


def _own(state: State, settings: HealthSettings) -> Iterator[Health]:
    if state.backlog >= settings.backlog:
        yield Health(
            "backlog",
            "medium",
            "Alerts are not delivered",
            f"{counted(state.waiting, 'alert')} in the outbox, the oldest for {_long(state.backlog)}; none is lost.",
            "Look at the receiver: zonewatch ship --status says what it answers.",
        )
    for one in state.refused:
        gone = f" {one.forgotten:,} older ones are gone; the store has their findings." if one.forgotten else ""
        yield Health(
            f"refused.{one.receiver}",
            "high" if one.forgotten else "medium",
            f"{one.receiver} refused more alerts than are kept" if one.forgotten else f"{one.receiver} refused alerts",
            f"{counted(one.kept, 'alert')} can be sent again.{gone}",
            "zonewatch ship --status says what the receiver answered; mend that, then: zonewatch ship --retry "
            f"{one.receiver}",
        )
    if state.delivery_unreadable:
        yield Health(
            "delivery",
            "medium",
            "What was delivered cannot be read",
            f"{state.delivery_unreadable}. Alerts are kept in the outbox; nobody knows which of them receivers have.",
            "Look at the process that ships: journalctl -u zonewatch-ship says what is wrong with its file.",
        )
    if state.reload_failed:
        yield Health(
            "settings",
            "medium",
            "New settings are wrong; the old ones are in force",
            state.reload_failed,
            "Mend the file and reload again: systemctl reload zonewatch-watch",
        )


def _long(nanoseconds: int) -> str:
    """In whole units of the largest that leaves more than one: `5 min`, `90 s`."""
    least = nanoseconds // 2
    fitting = [(unit, name) for name, unit in DURATIONS.items() if unit <= least]
    unit, name = max(fitting, default=(DURATIONS["ms"], "ms"))
    return f"{nanoseconds // unit} {name}"
