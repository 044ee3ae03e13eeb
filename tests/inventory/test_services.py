"""Services, and whether they were seen to ask who is asking."""

from __future__ import annotations

import pytest

from tests.inventory.network import Row, flow, network, talk
from zonewatch.inventory.build import build
from zonewatch.inventory.model import Service

A, B = "10.0.0.1", "10.0.1.1"


def served(talks: list[Row], flows: list[Row] | None = None) -> tuple[Service, ...]:
    inventory = build(network(talks=talks, flows=flows or []))
    return next(asset.services for asset in inventory.assets if asset.id == B)


def activated(token: str, frame: int, status: str = "ok") -> Row:
    told = {"object_kind": "user-token", "property_name": token, "function_name": "activate_session", "status": status}
    return talk(A, B, "authenticate", "opcua", frame=frame, **told)


WRITTEN = talk(A, B, "write", "opcua", frame=9, function_name="write")
MODE = talk(A, B, "authenticate", "opcua", frame=2, object_kind="security-mode", function_name="activate_session")


@pytest.mark.parametrize(
    ("talks", "posture", "reason"),
    [
        (
            [talk(A, B, frame=3), talk(A, B, "write", frame=812)],
            "none",
            "obeyed write_multiple_registers without authentication, frame 812",
        ),
        ([talk(A, B, frame=3)], "none", "answered read_holding_registers without authentication, frame 3"),
        (
            [talk(A, B, "write", status="error", frame=5)],
            "unknown",
            "was not seen to obey an operation; first heard in frame 5",
        ),
        ([talk(A, B, status="no_response", events=4)], "unknown", "was asked 4 times and not seen to answer"),
        ([talk(A, B, "discover", frame=2)], "unknown", "was not seen to obey an operation; first heard in frame 2"),
        (
            [talk(A, B, "operate", "dnp3"), talk(A, B, "authenticate", "dnp3", frame=9)],
            "used",
            "answered authenticate_request, frame 9",
        ),
        (
            [talk(A, B, "authenticate", "dnp3", status="error", frame=9)],
            "offered",
            "authenticate_request was seen, frame 9, but no positive answer to it",
        ),
        (
            [talk(A, B, "write", function_name="", function=77)],
            "none",
            "obeyed function 77 without authentication, frame 1",
        ),
        ([activated("user_name", 2), MODE, WRITTEN], "used", "answered activate_session, frame 2"),
        ([activated("anonymous", 2), MODE, WRITTEN], "none", "let an anonymous client in by activate_session, frame 2"),
        (
            [activated("user_name", 1), activated("anonymous", 2), MODE, WRITTEN],
            "none",
            "let an anonymous client in by activate_session, frame 2",
        ),
        (
            [activated("anonymous", 2, "error"), MODE],
            "unknown",
            "was not seen to obey an operation; first heard in frame 2",
        ),
    ],
)
def test_posture(talks: list[Row], posture: str, reason: str) -> None:
    (service,) = served(talks)
    assert (service.posture, service.reason) == (posture, reason)
    assert service.evidence is not None


def test_other_services_are_listed_where_they_answered() -> None:
    flows = [
        flow(A, B, 443, "https"),
        flow(A, B, 4711),
        flow(A, B, 80, "http", basis="port"),
        flow(A, B, 22, "ssh", "refused"),
    ]
    assert [(s.protocol, s.port, s.posture, s.reason) for s in served([talk(A, B)], flows)] == [
        ("http", 80, "unknown", "named by its port alone"),
        ("https", 443, "unknown", "recognised by content"),
        ("modbus", 502, "none", "answered read_holding_registers without authentication, frame 1"),
        ("tcp/4711", 4711, "unknown", "not known"),
    ]


def test_who_is_only_told_something_serves_nothing() -> None:
    told = talk(A, B, "discover", "bacnet", kind="unconfirmed", status="one_way")
    assert served([told]) == ()
