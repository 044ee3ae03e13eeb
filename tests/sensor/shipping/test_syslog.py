"""Syslog over TLS, TCP and UDP, to servers that read, break, reject or keep silent."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.sensor.shipping.outbox import row, sample_rows
from tests.sensor.shipping.servers import Authority, Lines, split_counted, stream
from zonewatch.sensor.shipping.receiver import DELIVERED, Row, Unreachable
from zonewatch.sensor.shipping.receivers.syslog import connect
from zonewatch.sensor.shipping.secured import acknowledged
from zonewatch.sensor.shipping.settings import Syslog


def read_all(opened: socket.socket, lines: Lines) -> None:
    octets = b""
    while found := opened.recv(65_536):
        octets += found
    lines.got += split_counted(octets)
    if isinstance(opened, ssl.SSLSocket):
        opened.unwrap()


def read_some(opened: socket.socket, lines: Lines) -> None:
    """Reads a little, and breaks."""
    opened.recv(100)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


def read_all_and_vanish(opened: socket.socket, lines: Lines) -> None:
    """Reads everything, but ends the connection without saying so in TLS."""
    while opened.recv(65_536):
        pass


def settings(port: int, **given: Any) -> Syslog:
    return Syslog.model_validate(
        {"to": "syslog", "host": "127.0.0.1", "port": port, "timeout": "3 s", "name": "sensor-1", **given}
    )


def sent(port: int, rows: Sequence[Row], **given: Any) -> list[str]:
    return [one.kind for one in connect(settings(port, **given)).deliver(rows)]


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def server_context(authority: Authority, names: tuple[str, ...] = ("127.0.0.1",), **given: Any) -> ssl.SSLContext:
    certificate, key, _ = authority.issue(*names, **given)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def test_tcp_counts_octets() -> None:
    with stream(read_all) as lines:
        assert sent(lines.port, [row("a"), row("b")], transport="tcp") == ["delivered"] * 2
    assert len(lines.got) == 2
    assert lines.got[0].startswith(b"<163>1 2026-01-05T08:00:00.000Z sensor-1 zonewatch - findings [origin ")
    assert b"] CEF:0|zonewatch|zonewatch|0.1.0|" in lines.got[0]


def test_every_alert_arrives_whole_over_tls(authority: Authority) -> None:
    rows = sample_rows()
    with stream(read_all, server_context(authority)) as lines:
        for form in ("cef", "leef", "ecs", "ocsf"):
            found = connect(settings(lines.port, form=form, tls={"ca": authority.file})).deliver(rows)
            assert found == [DELIVERED] * len(rows)
    assert len(lines.got) == 4 * len(rows)
    assert all(len(one) <= 8192 for one in lines.got)


@pytest.mark.parametrize("secured", [False, True])
def test_a_server_that_breaks_in_the_middle_took_nothing(authority: Authority, secured: bool) -> None:
    context = server_context(authority) if secured else None
    given = {"tls": {"ca": authority.file}} if secured else {"transport": "tcp"}
    rows = [row(f"e{number}", message="x" * 3000) for number in range(300)]
    with stream(read_some, context) as lines, pytest.raises(Unreachable):
        sent(lines.port, rows, **given)


def test_a_server_that_ends_without_saying_so_in_tls(authority: Authority) -> None:
    """As rsyslog's gtls driver does."""
    with stream(read_all_and_vanish, server_context(authority)) as lines:
        assert sent(lines.port, [row("a")], tls={"ca": authority.file}) == ["delivered"]
        with pytest.raises(Unreachable):
            sent(lines.port, [row("a")], tls={"ca": authority.file}, confirm="close_notify")


def test_a_server_that_ends_in_tls_is_taken_at_its_word(authority: Authority) -> None:
    with stream(read_all, server_context(authority)) as lines:
        assert sent(lines.port, [row("a")], tls={"ca": authority.file}, confirm="close_notify") == ["delivered"]


@pytest.mark.parametrize("wait", [0.0, 0.05])
@pytest.mark.parametrize("read", [0, 1])
def test_a_server_that_closes_after_the_handshake_took_nothing(authority: Authority, wait: float, read: int) -> None:
    """As rsyslog's gtls driver does with a certificate that it does not like: no alert, and no word."""

    def close(opened: socket.socket, lines: Lines) -> None:
        time.sleep(wait)
        opened.recv(read) if read else None

    with stream(close, server_context(authority)) as lines:
        for _ in range(20):
            with pytest.raises(Unreachable):
                sent(lines.port, [row(f"e{number}") for number in range(50)], tls={"ca": authority.file})


def test_for_servers_that_do_not_close_written_is_delivered(authority: Authority) -> None:
    with stream(read_all_and_vanish, server_context(authority)) as lines:
        assert sent(lines.port, [row("a")], tls={"ca": authority.file}, confirm="none") == ["delivered"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("confirm", ["close", "none"])
def test_a_rejected_certificate_of_ours_is_noticed(
    authority: Authority, tmp_path: Path, version: ssl.TLSVersion, confirm: str
) -> None:
    """Under TLS 1.3 our handshake ends well, and only what is read after it tells."""
    other = Authority(tmp_path, "other")
    certificate, key, _ = other.issue("sensor-1")
    context = server_context(authority)
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    tls = {"ca": authority.file, "certificate": certificate, "key": key}
    rows = [row(f"e{number}") for number in range(3)]
    with stream(read_all, context) as lines:
        if confirm == "close" or version is ssl.TLSVersion.TLSv1_2:
            with pytest.raises(Unreachable):
                sent(lines.port, rows, tls=tls, confirm=confirm)
    assert lines.got == []


def test_mutual_tls(authority: Authority) -> None:
    context = server_context(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(authority.file)
    certificate, key, _ = authority.issue("sensor-1")
    with stream(read_all, context) as lines:
        tls = {"ca": authority.file, "certificate": certificate, "key": key}
        assert sent(lines.port, [row("a")], tls=tls) == ["delivered"]
        with pytest.raises(Unreachable):
            sent(lines.port, [row("b")], tls={"ca": authority.file})
    assert len(lines.got) == 1


@pytest.mark.parametrize(
    ("names", "expired", "problem"),
    [(("127.0.0.1",), True, "expired"), (("elsewhere.example",), False, "127.0.0.1")],
)
def test_certificates_that_are_refused(
    authority: Authority, names: tuple[str, ...], expired: bool, problem: str
) -> None:
    context = server_context(authority, names, expired=expired)
    with stream(read_all, context) as lines, pytest.raises(Unreachable, match=problem):
        sent(lines.port, [row("a")], tls={"ca": authority.file})
    assert lines.got == []


def test_a_name_other_than_the_hosts(authority: Authority) -> None:
    context = server_context(authority, ("logs.example",))
    with stream(read_all, context) as lines:
        assert sent(lines.port, [row("a")], tls={"ca": authority.file, "name": "logs.example"}) == ["delivered"]


@pytest.mark.parametrize(("digit", "problem"), [("", ""), ("0", "not the pinned one")])
def test_a_pin(authority: Authority, digit: str, problem: str) -> None:
    certificate, key, pin = authority.issue("elsewhere.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with stream(read_all, context) as lines:
        if not problem:
            assert sent(lines.port, [row("a")], tls={"fingerprint": pin}) == ["delivered"]
        else:
            with pytest.raises(Unreachable, match=problem):
                sent(lines.port, [row("a")], tls={"fingerprint": digit * 64})
            assert lines.got == []


def test_what_is_not_acknowledged_was_not_read() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as ours, listener.accept()[0] as theirs:
            ours.settimeout(0.1)
            ours.sendall(b"read or not")
            acknowledged(ours)
            theirs.shutdown(socket.SHUT_WR)
            ours.setblocking(False)
            with suppress(BlockingIOError):
                while ours.send(b"x" * 65_536):
                    pass
            ours.settimeout(0.1)
            with pytest.raises(TimeoutError, match="not acknowledged"):
                acknowledged(ours)
        with socket.create_connection(listener.getsockname()) as ours:
            listener.accept()[0].close()
            assert ours.recv(1) == b"", "it ends properly, having read nothing of what comes now"
            ours.send(b"too late")
            with pytest.raises(ConnectionResetError):
                acknowledged(ours)


@pytest.mark.parametrize("secured", [False, True])
def test_an_end_is_looked_at(authority: Authority, monkeypatch: pytest.MonkeyPatch, secured: bool) -> None:
    def broken(_: socket.socket) -> None:
        raise ConnectionResetError("not all of it")

    monkeypatch.setattr("zonewatch.sensor.shipping.secured.acknowledged", broken)
    monkeypatch.setattr("zonewatch.sensor.shipping.receivers.syslog.acknowledged", broken)
    given = {"tls": {"ca": authority.file}} if secured else {"transport": "tcp"}
    context = server_context(authority) if secured else None
    with stream(read_all_and_vanish, context) as lines, pytest.raises(Unreachable, match="not all of it"):
        sent(lines.port, [row("a")], **given)


def test_udp_is_a_datagram_for_each() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        assert sent(listener.getsockname()[1], [row("a"), row("b")], transport="udp") == ["delivered"] * 2
        found = [listener.recv(65_536) for _ in range(2)]
    assert [b"externalId=a " in found[0], b"externalId=b " in found[1]] == [True, True]


def test_a_message_that_cannot_be_short_enough_is_refused() -> None:
    with stream(read_all) as lines:
        found = connect(settings(lines.port, transport="tcp", longest="600 B", form="ecs")).deliver(
            [row("a"), row("b")]
        )
    assert {one.kind for one in found} == {"refused"}
    assert "octets where 200 are allowed" in found[0].answer


def test_nobody_there() -> None:
    with stream(read_all) as lines:
        pass
    with pytest.raises(Unreachable, match="refused"):
        sent(lines.port, [row("a")], transport="tcp")


def test_a_server_that_never_ends_is_not_waited_for_longer_than_was_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(Unreachable, match=r"(?i)time"):
        sent(listener.getsockname()[1], [row("a")], transport="tcp", timeout="200 ms")
