"""rsyslog with mutual TLS: what arrives, whom it lets in, and a restart in the middle."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.integration.shipping.delivering import deliver_all, receiver
from tests.sensor.shipping.outbox import put, row, sample_rows
from tests.sensor.shipping.servers import Authority
from tests.servers.rsyslog import TLS_1_2, TLS_1_3, rsyslog
from zonewatch.sensor.shipping.formats import Form
from zonewatch.sensor.shipping.receiver import Unreachable

pytestmark = pytest.mark.integration
VERSIONS = pytest.mark.parametrize("priority", [TLS_1_2, TLS_1_3], ids=["1.2", "1.3"])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def server(tmp_path: Path, authority: Authority, *names: str, expired: bool = False, priority: str = TLS_1_3) -> Any:
    certificate, key, _ = authority.issue(*(names or ("127.0.0.1",)), expired=expired)
    return rsyslog(tmp_path, authority.file, certificate, key, "sensor-1.example", priority)


def given(port: int, authority: Authority, signer: Authority | None = None, **more: Any) -> dict[str, Any]:
    certificate, key, _ = (signer or authority).issue("sensor-1.example")
    tls = {"ca": authority.file, "certificate": certificate, "key": key}
    return {
        "to": "syslog",
        "host": "127.0.0.1",
        "port": port,
        "name": "sensor-1",
        "tls": tls,
        "timeout": "20 s",
        **more,
    }


@VERSIONS
@pytest.mark.parametrize("form", ["cef", "leef", "ecs", "ocsf"])
def test_every_alert_arrives_whole(tmp_path: Path, authority: Authority, form: Form, priority: str) -> None:
    rows = sample_rows()
    with server(tmp_path, authority, priority=priority) as found:
        opened = receiver(**given(found.port, authority, form=form, longest="64 KiB"))
        assert {one.kind for one in opened.deliver(rows)} == {"delivered"}
        assert len(found.got()) == len(rows), "read and written when it counts as delivered"
        events = [
            re.search(rb'(?:externalId=|eventId=|"id":"|"uid":")([0-9a-f]{16}-\d+)', line) for line in found.got()
        ]
    assert [event and event[1].decode() for event in events] == [row.event_id for row in rows]


def test_a_restart_in_the_middle_loses_nothing(tmp_path: Path, authority: Authority) -> None:
    put(tmp_path, [(f"event-{number}", f"s{number % 40}") for number in range(1000)])
    done: list[str] = []
    with server(tmp_path, authority) as found:

        def between(figures: Any) -> None:
            if not done and figures.delivered >= 300:
                found.server.stop(signal.SIGKILL)
                done.append("killed")
            elif done == ["killed"] and figures.attempts >= 2:
                found.server.start()
                done.append("back")

        figures = deliver_all(tmp_path, rows=20, between=between, **given(found.port, authority))
        arrived = [re.search(rb"externalId=(event-\d+) ", line) for line in found.got()]
    assert done == ["killed", "back"]
    assert figures.delivered == 1000
    assert {one[1].decode() for one in arrived if one} == {f"event-{number}" for number in range(1000)}


@VERSIONS
@pytest.mark.parametrize("who", ["unknown authority", "another name", "no certificate"])
def test_a_sensor_that_is_rejected_learns_of_it(tmp_path: Path, authority: Authority, who: str, priority: str) -> None:
    (tmp_path / "other").mkdir()
    with server(tmp_path, authority, priority=priority) as found:
        if who == "unknown authority":
            settings = given(found.port, authority, Authority(tmp_path / "other"))
        else:
            settings = given(found.port, authority)
            certificate, key, _ = authority.issue("sensor-2.example")
            mine = {"certificate": certificate, "key": key} if who == "another name" else {}
            settings["tls"] = {"ca": authority.file, **mine}
        with pytest.raises(Unreachable):
            receiver(**settings).deliver([row(f"e{number}") for number in range(5)])
        assert found.got() == []


@pytest.mark.parametrize(
    ("names", "expired", "problem"),
    [(("127.0.0.1",), True, "expired"), (("logs.example",), False, "127.0.0.1")],
)
def test_a_server_that_is_not_trusted_gets_nothing(
    tmp_path: Path, authority: Authority, names: tuple[str, ...], expired: bool, problem: str
) -> None:
    with server(tmp_path, authority, *names, expired=expired) as found:
        with pytest.raises(Unreachable, match=problem):
            receiver(**given(found.port, authority)).deliver([row("a")])
        assert found.got() == []
