"""The doctor names each defect of a mirror port, and no other, by a capture of it and by listening."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from tests.netns import frames_of
from tests.sensor import defects
from tests.sensor.defects import Caught, Defect
from zonewatch.dissectors.decoder import CaptureFile, Decoder, Source
from zonewatch.sensor.answers import worst
from zonewatch.sensor.cli import app
from zonewatch.sensor.doctor import Point, answers_of, heard_on
from zonewatch.sensor.interfaces.model import Interface
from zonewatch.sensor.mirror.checks import examine
from zonewatch.sensor.mirror.figures import Seen
from zonewatch.sensor.watch.period import Rows

CASES: list[tuple[Defect, str, str]] = [
    (defects.nothing, "nothing", "wrong"),
    (defects.group_only, "mirror", "wrong"),
    (defects.one_direction, "directions", "wrong"),
    (defects.partly_one_direction, "directions", "wrong"),
    (defects.twice, "twice", "wrong"),
    (defects.lossy, "lost", "wrong"),
    (defects.cut, "cut", "wrong"),
    (defects.joined, "joined", "wrong"),
    (defects.unfilled_checksums, "checksums", "wrong"),
    (defects.clock_set_back, "clock", "wrong"),
    (defects.tags_taken_off, "vlans", "note"),
    (defects.long_pause, "silence", "note"),
    (defects.one_port, "one-port", "note"),
    (defects.offices_only, "protocols", "note"),
    (defects.garbled, "undecoded", "note"),
]
FOLLOWS: Mapping[str, set[str]] = {
    "group_only": {"protocols"},
    "garbled": {"lost", "checksums"},
}
"""What else must be told, for the one defect brings the other about."""


def asked(path: Path, *words: str) -> tuple[int, dict[str, str]]:
    """The exit code, and the state by question."""
    ended = CliRunner().invoke(app, ["doctor", str(path), "--format", "json", *words])
    answers = json.loads(ended.stdout)["answers"]
    assert all(answer["because"] for answer in answers), "no figures"
    assert all(answer["remedy"] for answer in answers if answer["state"] != "good"), "nobody is told what to do"
    return ended.exit_code, {answer["id"]: answer["state"] for answer in answers}


def test_a_mirror_port_as_it_should_be(tmp_path: Path) -> None:
    path = tmp_path / "good.pcapng"
    defects.write(path, defects.plant(), dropped=0)
    code, states = asked(path)
    assert (code, set(states.values())) == (0, {"good"}), states
    assert set(states) == {
        "mirror", "directions", "twice", "lost", "drops", "cut", "joined", "checksums", "clock", "silence", "protocols",
    }  # fmt: skip


@pytest.mark.parametrize(("defect", "question", "state"), CASES, ids=lambda case: getattr(case, "__name__", None))
def test_each_defect_is_named_and_no_other(tmp_path: Path, defect: Defect, question: str, state: str) -> None:
    path = tmp_path / "mirror.pcapng"
    defects.write(path, defect(defects.plant()))
    code, states = asked(path)
    assert states[question] == state
    others = {name for name, found in states.items() if found != "good"} - {question}
    assert others == FOLLOWS.get(defect.__name__, set()), states
    assert code == (1 if "wrong" in states.values() else 0)


@pytest.mark.parametrize(("dropped", "state"), [(None, None), (0, "good"), (1, "note"), (500, "wrong")])
def test_what_the_capturing_machine_dropped(tmp_path: Path, dropped: int | None, state: str | None) -> None:
    path = tmp_path / "mirror.pcapng"
    defects.write(path, defects.plant(), dropped=dropped)
    assert asked(path)[1].get("drops") == state


@pytest.mark.parametrize("name", ["bacnet/read_property_multiple", "modbus/rtu_over_udp", "services/dns"])
@pytest.mark.parametrize(("kept", "state"), [("both", "good"), ("asking", "wrong"), ("answering", "wrong")])
def test_one_direction_of_protocols_over_udp(tmp_path: Path, name: str, kept: str, state: str) -> None:
    """By their requests alone, or their answers alone; three times, for a single packet says nothing."""
    frames = [frame for frame in frames_of(PCAPS / f"{name}.pcap") if frame[23] == UDP] * 3
    chosen = [frame for frame in frames if kept == "both" or (frame[6:12] == frames[0][6:12]) == (kept == "asking")]
    path = tmp_path / "mirror.pcapng"
    defects.write(path, [Caught(number * 1_000_000, frame, len(frame)) for number, frame in enumerate(chosen)])
    assert asked(path)[1]["directions"] == state


def test_tags_that_arrive_are_told(tmp_path: Path) -> None:
    tagged = [
        Caught(frame.time, frame.data[:12] + bytes.fromhex("8100 0007") + frame.data[12:], frame.length + 4)
        for frame in defects.plant()
    ]
    path = tmp_path / "mirror.pcapng"
    defects.write(path, tagged)
    assert asked(path)[1]["vlans"] == "good"


def test_points_are_told_apart(tmp_path: Path) -> None:
    for name, frames in (("a", defects.plant()), ("b", defects.group_only(defects.plant()))):
        defects.write(tmp_path / f"{name}.pcapng", frames)
    words = [word for name in "ab" for word in ("--source", f"{name}={tmp_path / name}.pcapng")]
    ended = CliRunner().invoke(app, ["doctor", *words])
    first, second = ended.stdout.split("\nb: ")
    assert "as it should be" not in first
    assert ended.exit_code == 1
    assert "✗" not in first
    assert "✗" in second
    assert "this is no mirror port" in second


def test_a_damaged_capture_is_judged_and_said(tmp_path: Path) -> None:
    path = tmp_path / "mirror.pcapng"
    defects.write(path, defects.plant())
    path.write_bytes(path.read_bytes()[:-7])
    ended = CliRunner().invoke(app, ["doctor", str(path)])
    assert ended.exit_code == 3
    assert "can be used" in ended.stdout or "as it should be" in ended.stdout


@pytest.mark.parametrize(
    "words", [[], ["x.pcap", "--interface", "eth1"], ["--interface", "eth1", "--config", "x.yaml"]]
)
def test_one_way_in_is_named(words: list[str]) -> None:
    ended = CliRunner().invoke(app, ["doctor", *words])
    assert "one of them" in str(ended.exception)


PCAPS = Path(__file__).parents[2] / "pcaps"
UDP = 17
OWN = "02:00:00:00:00:01"
BUSY = Seen(
    packets=1000, unicast=900, group=100, stations=9, busiest="a", busiest_packets=400, protocols=(("dnp3", 2),)
)


@pytest.mark.parametrize(
    ("change", "question", "state"),
    [
        ({}, "mirror", "good"),
        ({"own": 880}, "mirror", "wrong"),
        ({"unicast": 0, "group": 1000}, "mirror", "note"),
        ({"unicast": 0, "group": 1000, "protocols": ()}, "mirror", "wrong"),
        ({"unicast": 30, "own": 20, "protocols": ()}, "mirror", "wrong"),
        ({"busiest_packets": 899}, "one-port", "note"),
        ({"one_way": 1, "both_ways": 9}, "directions", "wrong"),
        ({"one_way": 1, "both_ways": 10}, "directions", "good"),
        ({"udp_both_ways": 9}, "directions", "good"),
        ({"udp_both_ways": 9, "udp_answers": 1}, "directions", "wrong"),
        ({"udp_both_ways": 2, "udp_asked": 7}, "directions", "good"),  # seven are switched off
        ({"udp_asked": 7}, "directions", "wrong"),
        ({"udp_asked": 1, "both_ways": 99}, "directions", "good"),
        ({"duplicates": 9}, "twice", "good"),
        ({"duplicates": 10}, "twice", "note"),
        ({"duplicates": 300}, "twice", "wrong"),
        ({"gaps": 1}, "lost", "note"),
        ({"drops": 1}, "drops", "note"),
        ({"checksums_tried": 1000, "checksums_wrong": 1}, "checksums", "note"),
        ({"untimed": 1}, "clock", "wrong"),
        ({"last_time": 10**18, "now": 10**18 + 9 * 10**9}, "silence", "good"),
        ({"last_time": 10**18, "now": 10**18 + 10 * 10**9}, "silence", "note"),
        ({"last_time": 10**18, "now": 10**18 - 5}, "silence", "good"),
    ],
)
def test_where_the_lines_are(change: dict[str, object], question: str, state: str) -> None:
    (answer,) = [answer for answer in examine(replace(BUSY, **change)) if answer.id == question]  # type: ignore[arg-type]
    assert answer.state == state


def test_long_frames_of_a_network_that_is_set_for_them_are_a_note() -> None:
    states = [worst(examine(replace(BUSY, long=5), jumbo=jumbo)) for jumbo in (False, True)]
    assert states == ["wrong", "note"]


@dataclass(frozen=True)
class Counts:
    drops: int


class Replayed:
    """A capture point that hears a file, as one that is live does."""

    def __init__(self, path: Path, drops: int = 0) -> None:
        self._decoder, self._drops = Decoder([Source("span", (CaptureFile(path.name, path),))]), drops

    def advance(self, milliseconds: int) -> bool:
        return self._decoder.advance(500)

    def take(self, table: str) -> pa.Table:
        return self._decoder.take(table)

    def snapshot(self) -> Rows:
        return self

    def counts(self) -> Counts:
        return Counts(drops=self._drops)


def ticking(step: int) -> Callable[[], int]:
    now = iter(range(0, 10**12, step))
    return lambda: next(now)


def test_listening_is_judged_as_a_file_is(tmp_path: Path) -> None:
    path = tmp_path / "mirror.pcapng"
    defects.write(path, defects.plant())
    end = (defects.START + 61) * 10**9
    interface = Interface("span0", mac=OWN, egress_dropped=True)
    (heard,) = heard_on([Point("span", Replayed(path, 40), (interface,))], 10**9, ticking(1), lambda: end)
    states = {answer.id: answer.state for answer in answers_of(heard)}
    assert states.pop("drops") == "wrong"
    assert states.pop("interface.silence") == states.pop("interface.capture") == "good"
    assert set(states.values()) == {"good"}, states


def test_the_traffic_of_this_machine_is_no_mirror(tmp_path: Path) -> None:
    path = tmp_path / "own.pcapng"
    defects.write(path, defects.one_port(defects.plant()))
    interface = Interface("eth0", mac=defects.HMI.mac, egress_dropped=True)
    point = Point("span", Replayed(path), (interface,))
    (heard,) = heard_on([point], 10**9, ticking(1), lambda: defects.START * 10**9)
    assert [answer.what for answer in answers_of(heard) if answer.id == "mirror"] == [
        "Only this machine's own traffic arrives"
    ]


def test_listening_ends_with_its_time(tmp_path: Path) -> None:
    path = tmp_path / "mirror.pcapng"
    defects.write(path, defects.plant())
    (heard,) = heard_on([Point("span", Replayed(path))], 100, ticking(60), lambda: 0)
    assert heard.tables["coverage"]["packets"].to_pylist() != [len(defects.plant())]
