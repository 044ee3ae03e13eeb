"""Signed requests to a real HTTPS server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.sensor.shipping.outbox import row
from tests.sensor.shipping.servers import Authority, Web, web
from zonewatch.sensor.shipping.receiver import Outcome, Row, TooMuch, Unreachable
from zonewatch.sensor.shipping.receivers.webhook import Webhook, connect, key_of, signature
from zonewatch.sensor.shipping.secret import SecretError
from zonewatch.sensor.shipping.settings import Webhook as Settings

KEY = "hunter2-hunter2-hunter2-hunter2"


def ok(*_: Any) -> tuple[int, dict[str, str], bytes]:
    return 204, {}, b""


def answers(status: int, body: bytes = b"", **headers: str) -> Callable[..., tuple[int, dict[str, str], bytes]]:
    return lambda *_: (status, headers, body)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(KEY)
    path.chmod(0o600)
    return path


def settings(url: str, secret: Path, **given: Any) -> Settings:
    return Settings.model_validate({"to": "webhook", "url": url, "secret": {"file": secret}, "timeout": "5 s", **given})


def test_the_vector_of_the_specification() -> None:
    """Of the Standard Webhooks specification's reference tests."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["hunter2", "whsec_MfKQ", "whsec_!!!!"])
def test_secrets_that_are_none(secret: str) -> None:
    with pytest.raises(SecretError) as error:
        key_of(secret)
    assert secret not in str(error.value)


def test_a_batch_is_one_signed_request(authority: Authority, secret: Path) -> None:
    certificate, key, _ = authority.issue("127.0.0.1")
    with web(Web(ok), certificate, key) as server:
        receiver = Webhook(settings(server.url, secret, tls={"ca": authority.file}), now=lambda: 1_767_600_000.9)
        found = receiver.deliver([row("a"), Row(2, "b", "b", 0, "broken"), row("c")])
        receiver.close()
    assert [one.kind for one in found] == ["delivered", "refused", "delivered"]
    ((headers, body),) = server.got
    assert [one["event"]["id"] for one in json.loads(body)["alerts"]] == ["a", "c"]
    signed = f"{headers['webhook-id']}.1767600000.".encode() + body
    expected = base64.b64encode(hmac.new(KEY.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-timestamp"] == "1767600000"


def test_the_same_batch_has_the_same_id(secret: Path) -> None:
    with web(Web(ok)) as server:
        receiver = connect(settings(server.url, secret))
        for rows in ([row("a")], [row("a")], [row("b")]):
            receiver.deliver(rows)
    ids = [headers["webhook-id"] for headers, _ in server.got]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize(
    ("status", "told"), [(500, "500 oops"), (503, "503 oops"), (429, "429 oops"), (401, "401 oops"), (404, "404 oops")]
)
def test_what_is_tried_again(secret: Path, status: int, told: str) -> None:
    with web(Web(answers(status, b"oops", **{"Retry-After": "7"}))) as server, pytest.raises(Unreachable) as error:
        connect(settings(server.url, secret)).deliver([row("a")])
    assert str(error.value) == told
    assert error.value.wait == 7_000_000_000


def test_what_is_refused_for_its_content(secret: Path) -> None:
    with web(Web(answers(422, b"no such field"))) as server:
        receiver = connect(settings(server.url, secret))
        with pytest.raises(TooMuch):
            receiver.deliver([row("a"), row("b")])
        assert receiver.deliver([row("a")]) == [Outcome("refused", "422 no such field")]


def test_a_redirect_is_not_followed(secret: Path) -> None:
    with web(Web(ok)) as other, web(Web(lambda *_: (307, {"Location": other.url}, b""))) as server:
        with pytest.raises(Unreachable, match="307: a redirect, which is not followed"):
            connect(settings(server.url, secret)).deliver([row("a")])
        assert other.got == []


def test_an_answer_of_any_length_is_not_read(secret: Path) -> None:
    with web(Web(answers(500, b"x" * 20_000_000))) as server, pytest.raises(Unreachable) as error:
        connect(settings(server.url, secret)).deliver([row("a")])
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("names", "expired", "trusted", "problem"),
    [
        (("127.0.0.1",), True, True, "certificate has expired"),
        (("elsewhere.example",), False, True, "127.0.0.1"),
        (("127.0.0.1",), False, False, "unable to get local issuer|self-signed"),
    ],
)
def test_certificates_that_are_refused(
    authority: Authority, secret: Path, names: tuple[str, ...], expired: bool, trusted: bool, problem: str
) -> None:
    certificate, key, _ = authority.issue(*names, expired=expired)
    tls = {"ca": authority.file} if trusted else {}
    with web(Web(ok), certificate, key) as server, pytest.raises(Unreachable, match=problem) as error:
        connect(settings(server.url, secret, tls=tls)).deliver([row("a")])
    assert server.got == []
    assert KEY not in str(error.value)


def test_a_pinned_certificate_alone_is_trusted(authority: Authority, secret: Path) -> None:
    certificate, key, pin = authority.issue("elsewhere.example")
    with web(Web(ok), certificate, key) as server:
        assert connect(settings(server.url, secret, tls={"fingerprint": pin})).deliver([row("a")])
        with pytest.raises(Unreachable, match=r"(?i)fingerprint"):
            connect(settings(server.url, secret, tls={"fingerprint": "0" * 64})).deliver([row("a")])
    assert len(server.got) == 1


def test_nobody_there(secret: Path) -> None:
    with web(Web(ok)) as server:
        pass
    with pytest.raises(Unreachable, match="refused"):
        connect(settings(server.url, secret)).deliver([row("a")])
