"""A real broker of Kafka."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.integration.shipping.delivering import deliver_all, receiver
from tests.sensor.shipping.outbox import put, row, sample_rows
from tests.sensor.shipping.servers import Authority
from tests.servers.kafka import Broker, broker
from zonewatch.sensor.shipping.receiver import Unreachable

confluent_kafka = pytest.importorskip("confluent_kafka")
pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def running() -> Iterator[Broker]:
    with TemporaryDirectory() as folder, broker(Path(folder)) as found:
        yield found


def given(found: Broker, topic: str, **more: Any) -> dict[str, Any]:
    return {
        "to": "kafka",
        "brokers": [found.address],
        "topic": topic,
        "security": "plaintext",
        "timeout": "20 s",
        **more,
    }


def read(found: Broker, topic: str) -> list[Any]:
    """Every message of the topic: of each partition up to its end."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": found.address, "group.id": "test", "log_level": 0})
    messages = []
    try:
        numbers = consumer.list_topics(topic, 30).topics[topic].partitions
        places = [confluent_kafka.TopicPartition(topic, number, 0) for number in numbers]
        missing = sum(consumer.get_watermark_offsets(place, 30)[1] for place in places)
        consumer.assign(places)
        end = time.monotonic() + 120
        while len(messages) < missing:
            assert time.monotonic() < end, f"{len(messages)} of {missing}"
            message = consumer.poll(1)
            if message is not None and not message.error():
                messages.append(message)
    finally:
        consumer.close()
    return messages


@pytest.mark.parametrize("form", ["ecs", "ocsf"])
def test_every_alert_arrives_under_its_subject(running: Broker, form: str) -> None:
    rows = sample_rows()
    opened = receiver(**given(running, f"alerts-{form}", form=form))
    assert {one.kind for one in opened.deliver(rows)} == {"delivered"}
    opened.close()
    found = read(running, f"alerts-{form}")
    arrived = [(message.key().decode(), dict(message.headers())["event.id"].decode()) for message in found]
    assert sorted(arrived) == sorted((one.subject, one.event_id) for one in rows)
    for message in found:
        json.loads(message.value())


def test_a_message_that_is_too_large_is_refused_and_holds_up_no_other(running: Broker) -> None:
    opened = receiver(**given(running, "large"))
    noise = "".join(f"{number * 2654435761 % 2**32:08x}" for number in range(100_000))
    found = opened.deliver([row("a"), row("huge", message=noise), row("b")])
    assert [one.kind for one in found] == ["delivered", "refused", "delivered"]
    assert "too large" in found[1].answer.lower()


def test_a_broker_that_is_killed_in_the_middle(running: Broker, tmp_path: Path) -> None:
    put(tmp_path, [(f"s{number % 40}.{number}", f"s{number % 40}") for number in range(800)])
    done: list[str] = []

    def between(figures: Any) -> None:
        if not done and figures.delivered >= 300:
            running.server.stop(signal.SIGKILL)
            done.append("killed")
        elif done == ["killed"] and figures.attempts >= 1:
            running.server.start()
            done.append("back")

    figures = deliver_all(tmp_path, rows=20, between=between, **given(running, "killed", timeout="5 s"))
    assert done == ["killed", "back"]
    assert figures.delivered == 800
    order: defaultdict[str, list[int]] = defaultdict(list)
    for message in read(running, "killed"):
        event = dict(message.headers())["event.id"].decode()
        number = int(event.partition(".")[2])
        if number not in order[message.key().decode()]:
            order[message.key().decode()].append(number)
    assert sum(map(len, order.values())) == 800
    assert all(numbers == sorted(numbers) for numbers in order.values())


def test_mutual_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key, _ = authority.issue("127.0.0.1")
    store = tmp_path / "server.p12"
    command = [
        "openssl",
        "pkcs12",
        "-export",
        "-in",
        certificate,
        "-inkey",
        key,
        "-out",
        store,
        "-passout",
        "pass:secret",
    ]
    subprocess.run(command, check=True, capture_output=True)
    settings = {
        "ssl.keystore.type": "PKCS12",
        "ssl.keystore.location": str(store),
        "ssl.keystore.password": "secret",
        "ssl.key.password": "secret",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority.file),
        "ssl.client.auth": "required",
    }
    mine, my_key, _ = authority.issue("sensor-1")
    (tmp_path / "other").mkdir()
    other, other_key, _ = Authority(tmp_path / "other").issue("sensor-1")
    with broker(tmp_path, settings, "SSL") as found:
        tls = {"ca": authority.file, "certificate": mine, "key": my_key}
        opened = receiver(**given(found, "alerts", security="tls", tls=tls))
        assert opened.deliver([row("a")])[0].kind == "delivered"
        for refused in (
            {"ca": authority.file},
            {"ca": authority.file, "certificate": other, "key": other_key},
            {"ca": tmp_path / "other" / "authority.pem", "certificate": mine, "key": my_key},
        ):
            with pytest.raises(Unreachable):
                receiver(**given(found, "alerts", security="tls", tls=refused, timeout="3 s")).deliver([row("b")])
