"""What the configuration may say, what it may not, and that it never holds or shows a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from zonewatch.sensor.shipping import settings
from zonewatch.sensor.shipping.secret import Secret, SecretError, without
from zonewatch.sensor.shipping.settings import Receiver, ShippingSettings
from zonewatch.sensor.shipping.tls import Tls

RECEIVER: TypeAdapter[Any] = TypeAdapter(Receiver)
SECRET = {"environment": "ZW_SECRET"}


@pytest.mark.parametrize(
    "given",
    [
        {"to": "elasticsearch", "hosts": ["https://siem:9200"], "api_key": SECRET},
        {"to": "elasticsearch", "hosts": ["http://127.0.0.1:9200"]},
        {"to": "opensearch", "hosts": ["https://a", "https://b"], "user": "u", "password": SECRET},
        {"to": "syslog", "host": "logs.example", "form": "leef"},
        {"to": "syslog", "host": "::1", "transport": "udp"},
        {"to": "syslog", "host": "10.0.0.1", "transport": "tcp", "allow_plaintext": True},
        {"to": "kafka", "brokers": ["k1:9093", "[fd00::1]:9093"], "topic": "alerts"},
        {"to": "kafka", "brokers": ["[::1]:9092"], "topic": "alerts", "security": "plaintext"},
        {"to": "webhook", "url": "https://hook.example/x", "secret": SECRET},
        {"to": "file", "path": "/var/log/alerts.ndjson", "size": "1 MiB", "longest_wait": "10 min"},
    ],
)
def test_receivers(given: dict[str, Any]) -> None:
    assert RECEIVER.validate_python(given).to == given["to"]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"to": "carrier-pigeon"}, "tag 'carrier-pigeon'"),
        ({"to": "elasticsearch", "hosts": []}, "at least 1"),
        ({"to": "elasticsearch", "hosts": ["http://siem:9200"]}, "allow_plaintext"),
        ({"to": "elasticsearch", "hosts": ["https://u:hunter2@siem"]}, "no user or password in an address"),
        ({"to": "elasticsearch", "hosts": ["ftp://siem"]}, "http:// or https://"),
        ({"to": "elasticsearch", "hosts": ["https://s"], "user": "u"}, "go together"),
        ({"to": "elasticsearch", "hosts": ["https://s"], "api_key": SECRET, "user": "u", "password": SECRET}, "either"),
        ({"to": "elasticsearch", "hosts": ["https://s"], "api_key": "hunter2"}, "api_key"),
        ({"to": "opensearch", "hosts": ["https://s"], "stream": "Has Capitals"}, "stream"),
        ({"to": "syslog", "host": "logs.example", "transport": "tcp"}, "allow_plaintext"),
        ({"to": "syslog", "host": "logs.example", "transport": "udp"}, "allow_plaintext"),
        ({"to": "syslog", "host": "logs.example", "port": 70000}, "port"),
        ({"to": "kafka", "brokers": ["k1"], "topic": "t"}, "host:port"),
        ({"to": "kafka", "brokers": ["k1:9092"], "topic": "t", "security": "plaintext"}, "allow_plaintext"),
        ({"to": "kafka", "brokers": ["k:1"], "topic": "t", "tls": {"fingerprint": "ab" * 32}}, "not possible"),
        ({"to": "webhook", "url": "http://hook.example", "secret": SECRET}, "allow_plaintext"),
        ({"to": "webhook", "url": "https://hook.example"}, "secret"),
        ({"to": "file", "path": "x", "colour": "red"}, "colour"),
        ({"to": "file", "path": "x", "first_wait": "3"}, "first_wait"),
    ],
)
def test_what_is_refused(given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        RECEIVER.validate_python(given)


def test_every_setting_is_explained() -> None:
    for model in (*settings.Receiver.__args__[0].__args__, ShippingSettings):  # type: ignore[attr-defined]
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key"
    path.write_text("hunter2\n")
    path.chmod(0o640)
    return path


def test_a_secret_of_a_file(key: Path) -> None:
    secret = Secret(file=key)
    assert secret.read() == "hunter2"
    assert "hunter2" not in repr(secret)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o777])
def test_a_secret_that_all_may_read_is_refused(key: Path, mode: int) -> None:
    key.chmod(mode)
    with pytest.raises(SecretError, match="everybody may") as error:
        Secret(file=key).read()
    assert "hunter2" not in str(error.value)


def test_a_secret_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZW_SECRET", "hunter2")
    assert Secret(environment="ZW_SECRET").read() == "hunter2"
    monkeypatch.delenv("ZW_SECRET")
    with pytest.raises(SecretError, match="ZW_SECRET: no secret there"):
        Secret(environment="ZW_SECRET").read()


@pytest.mark.parametrize(("data", "problem"), [(b"", "no secret"), (b"\xff\xfe", "UTF-8"), (b"x" * 70_000, "longer")])
def test_what_is_no_secret(key: Path, data: bytes, problem: str) -> None:
    key.write_bytes(data)
    with pytest.raises(SecretError, match=problem):
        Secret(file=key).read()


def test_a_secret_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="No such file"):
        Secret(file=tmp_path / "none").read()


@pytest.mark.parametrize("given", [{}, {"file": "a", "environment": "b"}, {"value": "hunter2"}])
def test_a_secret_is_a_reference(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Secret.model_validate(given)


def test_blotting_out() -> None:
    assert without("a secret and secretly", ["secret", "secretly", ""]) == "a *** and ***"


def test_tls_verifies_by_default() -> None:
    import ssl

    made = Tls().context()
    assert (made.verify_mode, made.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert made.minimum_version is ssl.TLSVersion.TLSv1_2
    assert Tls(minimum="1.3").context().minimum_version is ssl.TLSVersion.TLSv1_3
    with pytest.raises(ValidationError):
        Tls.model_validate({"minimum": "1.1"})


@pytest.mark.parametrize("given", ["zz", "ab" * 31, "AB:" * 31 + "AB"])
def test_fingerprints(given: str) -> None:
    if len(given) == 95:
        assert Tls(fingerprint=given).fingerprint == "ab" * 32
    else:
        with pytest.raises(ValidationError, match="64 hexadecimal"):
            Tls(fingerprint=given)


def test_a_key_that_all_may_read_is_refused(key: Path) -> None:
    key.chmod(0o644)
    with pytest.raises(SecretError, match="everybody may"):
        Tls(certificate=key, key=key).context()
