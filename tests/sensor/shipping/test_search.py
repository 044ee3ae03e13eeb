"""The clients of Elasticsearch and OpenSearch, against a server that answers like one."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from tests.sensor.shipping.outbox import row
from tests.sensor.shipping.servers import Authority, Web, web
from zonewatch.sensor.shipping.receiver import TooMuch, Unreachable
from zonewatch.sensor.shipping.receivers import connector, secrets
from zonewatch.sensor.shipping.settings import Receiver

SETTINGS: TypeAdapter[Any] = TypeAdapter(Receiver)
PRODUCTS = pytest.mark.parametrize("to", ["elasticsearch", "opensearch"])
PASSWORD = "hunter2-hunter2"


def created(_: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    items = [{"create": {"status": 201}} for _ in range(body.count(b"\n") // 2)]
    answer = json.dumps({"errors": False, "items": items}).encode()
    return 200, {"content-type": "application/json", "x-elastic-product": "Elasticsearch"}, answer


def fails(status: int) -> Any:
    answer = {"error": {"type": "some_exception", "reason": "because"}, "status": status}
    headers = {"content-type": "application/json", "x-elastic-product": "Elasticsearch"}
    return lambda *_: (status, headers, json.dumps(answer).encode())


def opened(to: str, *hosts: str, **given: Any) -> Any:
    base = {"to": to, "hosts": [host.removesuffix("/hook") for host in hosts], "install": False, "timeout": "5 s"}
    return connector(SETTINGS.validate_python(base | given))()


@PRODUCTS
def test_what_is_sent(to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZW_PASSWORD", PASSWORD)
    with web(Web(created)) as server:
        found = opened(to, server.url, user="shipper", password={"environment": "ZW_PASSWORD"})
        assert [one.kind for one in found.deliver([row("a"), row("b")])] == ["delivered"] * 2
        found.close()
    ((headers, body),) = server.got
    assert headers["authorization"] == "Basic " + base64.b64encode(f"shipper:{PASSWORD}".encode()).decode()
    assert "ndjson" in headers["content-type"]
    assert body.count(b"\n") == 4


def test_elasticsearch_is_spoken_to_by_version_8_and_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 9 speaks version 8 too; the other way round it does not."""
    monkeypatch.setenv("ZW_KEY", "aWQ6a2V5")
    with web(Web(created)) as server:
        opened("elasticsearch", server.url, api_key={"environment": "ZW_KEY"}).deliver([row("a")])
    ((headers, _),) = server.got
    assert headers["authorization"] == "ApiKey aWQ6a2V5"
    assert headers["content-type"] == "application/vnd.elasticsearch+x-ndjson; compatible-with=8"
    assert headers["accept"] == "application/vnd.elasticsearch+json; compatible-with=8"


@PRODUCTS
@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_answers_to_the_whole_request(to: str, status: int) -> None:
    with web(Web(fails(status))) as server, pytest.raises(Unreachable, match=f"{status} some_exception: because"):
        opened(to, server.url).deliver([row("a")])
    assert len(server.got) == 1, "attempts are the worker's alone"


@PRODUCTS
def test_a_request_that_is_too_large(to: str) -> None:
    with web(Web(fails(413))) as server, pytest.raises(TooMuch):
        opened(to, server.url).deliver([row("a"), row("b")])


@PRODUCTS
def test_another_node_where_one_does_not_answer(to: str) -> None:
    with web(Web(created)) as dead:
        pass
    with web(Web(created)) as server:
        found = opened(to, dead.url, server.url)
        kinds = set()
        for name in "abcd":
            try:
                kinds |= {one.kind for one in found.deliver([row(name)])}
            except Unreachable:
                kinds.add("again")
        assert "delivered" in kinds
        assert len(server.got) >= 2


@PRODUCTS
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"\xff\xfe"])
def test_an_answer_that_is_not_understood(to: str, body: bytes) -> None:
    headers = {"content-type": "application/json", "x-elastic-product": "Elasticsearch"}
    with web(Web(lambda *_: (200, headers, body))) as server, pytest.raises(Unreachable):
        opened(to, server.url).deliver([row("a")])


@PRODUCTS
def test_the_authority_that_is_named_and_no_other(to: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key, pin = authority.issue("127.0.0.1")
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    with web(Web(created), certificate, key) as server:
        for tls in ({"ca": authority.file}, {"fingerprint": pin}, {"ca": authority.file, "fingerprint": pin}):
            assert opened(to, server.url, tls=tls).deliver([row("a")])[0].kind == "delivered"
        for tls in ({"ca": other.file}, {}, {"fingerprint": "0" * 64}, {"ca": other.file, "minimum": "1.3"}):
            with pytest.raises(Unreachable, match=r"(?i)certificate verify failed|fingerprint"):
                opened(to, server.url, tls=tls).deliver([row("a")])
    assert len(server.got) == 3


def test_every_secret_of_a_receiver_is_known_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZW_A", "ZW_B"):
        monkeypatch.setenv(name, f"secret-{name}")
    given = {"to": "elasticsearch", "hosts": ["https://siem"], "api_key": {"environment": "ZW_A"}}
    tls = {"certificate": "c", "key": "k", "key_password": {"environment": "ZW_B"}}
    assert secrets(SETTINGS.validate_python(given | {"tls": tls})) == ("secret-ZW_A", "secret-ZW_B")
