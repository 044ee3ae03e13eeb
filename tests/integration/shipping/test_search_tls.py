"""Elasticsearch with TLS and users: who is trusted, and who is let in."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.integration.shipping.delivering import receiver
from tests.sensor.shipping.outbox import row
from tests.sensor.shipping.servers import Authority
from tests.servers.search import Node, node
from zonewatch.sensor.shipping.receiver import Unreachable

pytestmark = pytest.mark.integration
PASSWORD = "hunter2-hunter2"


@pytest.fixture(scope="module")
def secured() -> Iterator[tuple[Node, Authority, str]]:
    with TemporaryDirectory() as kept, TemporaryDirectory() as folder:
        authority = Authority(Path(kept))
        certificate, key, pin = authority.issue("127.0.0.1")
        key.chmod(0o644)
        settings = {
            "xpack.security.enabled": "true",
            "xpack.security.http.ssl.enabled": "true",
            "xpack.security.http.ssl.certificate": certificate.name,
            "xpack.security.http.ssl.key": key.name,
        }
        user = ("shipper", PASSWORD)
        with node(Path(folder), "elasticsearch-9", settings, (certificate, key), user) as found:
            yield found, authority, pin


@pytest.fixture
def given(secured: tuple[Node, Authority, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    found, authority, _ = secured
    monkeypatch.setenv("ZW_PASSWORD", PASSWORD)
    return {
        "to": "elasticsearch",
        "hosts": [f"https://127.0.0.1:{found.port}"],
        "user": "shipper",
        "password": {"environment": "ZW_PASSWORD"},
        "tls": {"ca": authority.file},
    }


def test_by_the_authority(given: dict[str, Any]) -> None:
    assert receiver(**given).deliver([row("a")])[0].kind == "delivered"


@pytest.mark.parametrize("with_ca", [True, False])
def test_by_a_pin(given: dict[str, Any], secured: tuple[Node, Authority, str], with_ca: bool) -> None:
    tls = {"fingerprint": secured[2]} | ({"ca": secured[1].file} if with_ca else {})
    assert receiver(**given | {"tls": tls}).deliver([row("b")])[0].kind == "delivered"
    with pytest.raises(Unreachable, match=r"(?i)fingerprint"):
        receiver(**given | {"tls": tls | {"fingerprint": "0" * 64}}).deliver([row("c")])


def test_an_authority_that_is_another(given: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"(?i)certificate verify failed"):
        receiver(**given | {"tls": {"ca": Authority(tmp_path).file}}).deliver([row("c")])
    with pytest.raises(Unreachable, match=r"(?i)certificate verify failed"):
        receiver(**given | {"tls": {}}).deliver([row("c")])


def test_no_authority_is_added_to_the_one_that_is_named(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    contexts: list[ssl.SSLContext] = []
    whole = ssl.create_default_context

    def made(*arguments: Any, **named: Any) -> ssl.SSLContext:
        contexts.append(whole(*arguments, **named))
        return contexts[-1]

    monkeypatch.setattr(ssl, "create_default_context", made)
    receiver(**given).deliver([row("d")])
    assert [len(context.get_ca_certs()) for context in contexts] == [1]


def test_a_password_that_is_another(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZW_PASSWORD", "hunter3-hunter3")
    with pytest.raises(Unreachable, match="401 security_exception") as error:
        receiver(**given).deliver([row("e")])
    assert "hunter3" not in str(error.value)


def test_an_api_key_is_sent_and_one_that_is_not_known_is_told(
    given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """This build of the node can make none, so only the refusal of one can be seen."""
    monkeypatch.setenv("ZW_KEY", "bm8tc3VjaDprZXk=")
    del given["user"], given["password"]
    with pytest.raises(Unreachable, match="401 security_exception") as error:
        receiver(**given, api_key={"environment": "ZW_KEY"}).deliver([row("f")])
    assert "bm8tc3VjaDprZXk=" not in str(error.value)
