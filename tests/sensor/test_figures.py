"""Figures served to Prometheus."""

from __future__ import annotations

import http.client
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from zonewatch.sensor.figures import Server, joined
from zonewatch.sensor.usage import UsageError
from zonewatch.sensor.watch.settings import MetricsSettings

TOKEN = "a-token-of-some-length"


@pytest.fixture
def plain() -> Iterator[Server]:
    server = Server(_anywhere(MetricsSettings()), lambda: "zonewatch_assets 3\n")
    yield server
    server.close()


def _anywhere(settings: MetricsSettings) -> MetricsSettings:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return settings.model_copy(update={"listen": f"127.0.0.1:{port}"})


def ask(connection: http.client.HTTPConnection, path: str = "/metrics", token: str = "") -> tuple[int, bytes]:
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_the_text_is_served_and_nothing_else(plain: Server) -> None:
    assert ask(http.client.HTTPConnection("127.0.0.1", plain.port)) == (200, b"zonewatch_assets 3\n")
    assert ask(http.client.HTTPConnection("127.0.0.1", plain.port), "/etc/passwd")[0] == 404


def test_a_reader_that_says_nothing_holds_up_nobody(plain: Server) -> None:
    with socket.create_connection(("127.0.0.1", plain.port)):
        assert ask(http.client.HTTPConnection("127.0.0.1", plain.port))[0] == 200


@pytest.mark.parametrize("listen", ["0.0.0.0:9487", "[::]:9487", "10.0.0.5:9487"])
def test_beyond_loopback_it_is_guarded_or_refused(listen: str) -> None:
    with pytest.raises(ValidationError, match="certificate, key and token are needed"):
        MetricsSettings(listen=listen)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl, which makes the certificate, is not here")
def test_with_tls_and_a_token(tmp_path: Path) -> None:
    certificate, key, token = tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "token"
    subject = ("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1")
    made = (
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        key,
        "-out",
        certificate,
    )
    subprocess.run((*made, *subject), check=True, capture_output=True)
    token.write_text(f"{TOKEN}\n")
    settings = _anywhere(MetricsSettings(certificate=certificate, key=key, token=token))
    server = Server(settings, lambda: "zonewatch_assets 3\n")
    trusted = ssl.create_default_context(cafile=str(certificate))
    try:
        with socket.create_connection(("127.0.0.1", server.port)):  # never shakes hands
            for given, status in ((TOKEN, 200), ("", 401), ("another", 401)):
                one = http.client.HTTPSConnection("127.0.0.1", server.port, context=trusted, timeout=10)
                assert ask(one, token=given)[0] == status
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(http.client.HTTPConnection("127.0.0.1", server.port, timeout=10), token=TOKEN)
    finally:
        server.close()


def test_a_token_that_anybody_guesses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("abc")
    with pytest.raises(UsageError, match="fewer than 16"):
        Server(MetricsSettings(token=tmp_path / "token"), lambda: "")


def test_texts_of_processes_that_run(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("a 1\n")
    assert joined((tmp_path / "one", tmp_path / "two"), "b 2\n") == "a 1\nb 2\n"
