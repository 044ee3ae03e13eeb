from __future__ import annotations

from typing import Any

import pytest

from tests.tables import rows
from zonewatch.dissectors.schemas import EVENTS, FLOWS
from zonewatch.inventory.model import Evidence
from zonewatch.reports.evidence import MOST_PACKETS, Behind, file_name, limits, packets_behind
from zonewatch.rules.findings import Finding


def finding(name: str, *evidence: Evidence) -> Finding:
    return Finding("rule", (("name", name),), name, "high", (), "", "", "OT", evidence=evidence)


def frame(number: int, capture: str = "a.pcap", source: str = "span") -> Evidence:
    return Evidence(source, capture, number)


def event(request: list[int], response: list[int], **values: Any) -> dict[str, Any]:
    return {
        "source": "span",
        "capture": "a.pcap",
        "request_frames": request,
        "response_frames": response,
        "response_capture": "a.pcap" if response else None,
    } | values


def behind(events: list[dict[str, Any]], *evidence: Evidence) -> list[tuple[str, int]]:
    (found,) = packets_behind([finding("one", *evidence)], {"events": rows(EVENTS, events)})
    assert found.left_out == 0
    return [(packet.capture, packet.frame) for packet in found.packets]


@pytest.mark.parametrize(
    ("events", "frames"),
    [
        pytest.param([], [10], id="no event was kept whole"),
        pytest.param([event([10], [12])], [10, 12], id="request named"),
        pytest.param([event([7], [10])], [7, 10], id="response named"),
        pytest.param([event([], [10, 11])], [10, 11], id="only the response was captured"),
        pytest.param([event([10], [])], [10], id="no response"),
        pytest.param([event([8, 9, 10], [20, 21])], [8, 9, 10, 20, 21], id="messages of several frames"),
        pytest.param([event([11, 10], [12])], [10, 11, 12], id="segments out of order"),
        pytest.param([event([10], [12]), event([10], [14])], [10, 12, 14], id="two requests in one frame"),
        pytest.param([event([20], [21])], [10], id="another exchange"),
        pytest.param(
            [event([10], [12], capture="b.pcap", response_capture="b.pcap")], [10], id="the same number in another file"
        ),
        pytest.param([event([10], [12], source="tap")], [10], id="the same number at another point"),
        pytest.param([event([90_000, 10], [12])], [10, 12], id="begun in the file before"),
    ],
)
def test_exchanges_are_whole(events: list[dict[str, Any]], frames: list[int]) -> None:
    assert behind(events, frame(10)) == [("a.pcap", number) for number in frames]


@pytest.mark.parametrize("named", [frame(10), frame(2, "b.pcap")], ids=["request", "response"])
@pytest.mark.parametrize("response", [[2], [2, 3], [90_000, 2]], ids=["one frame", "two", "begun in the file before"])
def test_an_answer_in_the_next_file_is_of_the_exchange(named: Evidence, response: list[int]) -> None:
    answer = [("b.pcap", number) for number in response if number < 90_000]
    assert behind([event([10], response, response_capture="b.pcap")], named) == [("a.pcap", 10), *answer]


def test_a_frame_of_the_same_number_is_not_the_answer() -> None:
    assert behind([event([10], [12], response_capture="b.pcap")], frame(12)) == [("a.pcap", 12)]


def test_findings_keep_their_order_and_those_without_packets_have_none() -> None:
    findings = [finding("b", frame(3)), finding("none"), finding("a", frame(1, "b.pcap"), frame(2), frame(2))]
    found = packets_behind(findings, {"events": EVENTS.empty_table()})
    assert found == (
        Behind(findings[0].id, (frame(3),)),
        Behind(findings[2].id, (frame(2), frame(1, "b.pcap"))),
    )


def test_what_is_named_comes_first_where_there_are_too_many() -> None:
    named = [frame(10 + 10 * number) for number in range(10)]
    events = [
        event([row.frame], list(range(1_000 + 32 * number, 1_032 + 32 * number))) for number, row in enumerate(named)
    ]
    (found,) = packets_behind([finding("one", *named)], {"events": rows(EVENTS, events)})
    assert found.packets == (*named, *(frame(1_000 + number) for number in range(MOST_PACKETS - 10)))
    assert found.left_out == 10 + 320 - MOST_PACKETS


def test_files_are_named_by_the_finding() -> None:
    assert file_name(finding("a").id) == f"evidence/{finding('a').id}.pcapng"


def test_what_is_missing_is_said() -> None:
    assert limits((), 0) == ()
    assert limits([("a\x1b.pcap", "gone")], 1_200) == (
        "evidence/ lacks packets of a\\x1b.pcap: gone.",
        "evidence/ lacks 1,200 packets behind findings: it holds at most 200 packets a finding and 32.0 MB in all.",
    )


ENDS = {
    "transport": "tcp", "client": "10.0.0.1", "server": "10.0.0.2", "client_port": 40_000, "server_port": 4840,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "more"),
    [
        pytest.param({}, [1, 3, 4], id="the same connection"),
        pytest.param({"client_port": 40_001}, [], id="another port"),
        pytest.param({"source": "tap"}, [], id="another point"),
        pytest.param({"server": "10.0.0.3"}, [], id="another server"),
    ],
)
def test_how_a_conversation_began_is_in_the_mini_capture(changed: dict[str, Any], more: list[int]) -> None:
    flow = {"source": "span", "capture": "a.pcap", "first_frame": 1, "last_frame": 90, **ENDS, **changed}
    opened = event([3], [4], operation="session", **ENDS) | changed
    read = event([7], [8], operation="read", **ENDS) | changed
    tables = {
        "events": rows(EVENTS, [opened, read, event([10], [12], operation="write", **ENDS)]),
        "flows": rows(FLOWS, [flow]),
    }
    (found,) = packets_behind([finding("one", frame(10))], tables)
    assert [packet.frame for packet in found.packets] == [*more, 10, 12]
    assert found.left_out == 0, "what is not named is nothing that lacks"


def test_a_conversation_begins_by_few_frames() -> None:
    opened = [event([number], [], operation="session", **ENDS) for number in range(1, 100)]
    tables = {"events": rows(EVENTS, [*opened, event([500], [], operation="write", **ENDS)])}
    (found,) = packets_behind([finding("one", frame(500))], tables)
    assert [packet.frame for packet in found.packets] == [1, 2, 3, 4, 5, 6, 500]
