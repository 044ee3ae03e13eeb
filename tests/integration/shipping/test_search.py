"""Elasticsearch 9 and 8, and OpenSearch: real nodes."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import urllib3

from tests.integration.shipping.delivering import deliver_all, receiver
from tests.sensor.shipping.outbox import put, row, sample_rows
from tests.servers.search import DISTRIBUTIONS, Node, node
from zonewatch.sensor.shipping.dashboards import PANELS
from zonewatch.sensor.shipping.receiver import Outcome
from zonewatch.sensor.shipping.template import FIELDS

pytestmark = pytest.mark.integration
STREAM = "logs-zonewatch.alerts-default"


@pytest.fixture(scope="module", params=DISTRIBUTIONS)
def running(request: pytest.FixtureRequest) -> Iterator[tuple[str, Node]]:
    with TemporaryDirectory() as folder, node(Path(folder), request.param) as found:
        yield request.param.partition("-")[0], found


def ask(node: Node, method: str, path: str, body: Any = None) -> Any:
    headers = {"content-type": "application/json"}
    data = json.dumps(body) if body is not None else None
    answer = urllib3.request(method, node.url + path, body=data, headers=headers, timeout=60, retries=5)
    assert answer.status < 300, answer.data[:1000]
    return json.loads(answer.data)


def count(node: Node, stream: str = STREAM) -> int:
    ask(node, "POST", f"/{stream}/_refresh")
    return int(ask(node, "GET", f"/{stream}/_count")["count"])


def test_alerts_arrive_once_with_the_types_of_the_template(running: tuple[str, Node]) -> None:
    to, node = running
    opened = receiver(to=to, hosts=[node.url])
    rows = sample_rows()
    assert {one.kind for one in opened.deliver(rows)} == {"delivered"}
    assert {one.kind for one in opened.deliver(rows)} == {"delivered"}, "the same again is what it has"
    opened.close()
    assert count(node) == len(rows)
    mappings = ask(node, "GET", f"/{STREAM}/_mapping")
    assert all(name.startswith(".ds-") for name in mappings), "a data stream"
    fields = ask(node, "GET", f"/{STREAM}/_field_caps?fields=*")["fields"]
    kinds = {"integer": "long"}
    for field in FIELDS:
        assert kinds.get(field.type, field.type) in fields[field.name], field.name


def test_the_panels_of_the_dashboards_find_something(running: tuple[str, Node]) -> None:
    to, node = running
    receiver(to=to, hosts=[node.url]).deliver(sample_rows())
    ask(node, "POST", f"/{STREAM}/_refresh")
    for field in sorted({field for panel in PANELS for field in panel.by} - {"@timestamp"}):
        body = {"size": 0, "aggs": {"found": {"terms": {"field": field}}}}
        answer = ask(node, "POST", f"/{STREAM}/_search", body)
        assert answer["aggregations"]["found"]["buckets"], field


def test_each_item_has_its_own_answer(running: tuple[str, Node]) -> None:
    to, node = running
    stream = "logs-zonewatch.alerts-items"
    opened = receiver(to=to, hosts=[node.url], stream=stream)
    wrong = {"@timestamp": "not a moment"}
    found = opened.deliver([row("good"), row("wrong", **wrong), row("fine")])
    assert [one.kind for one in found] == ["delivered", "refused", "delivered"]
    assert found[1].answer.startswith("400 document_parsing_exception") or "mapper_parsing" in found[1].answer
    assert count(node, stream) == 2


def test_a_node_that_takes_no_more_is_waited_for(running: tuple[str, Node]) -> None:
    to, node = running
    stream = "logs-zonewatch.alerts-full"
    opened = receiver(to=to, hosts=[node.url], stream=stream)
    opened.deliver([row("before")])
    block = "index.blocks.read_only_allow_delete"  # what a node sets itself when its disk is full
    ask(node, "PUT", f"/{stream}/_settings", {block: True})
    (found,) = opened.deliver([row("during")])
    assert found.kind == "later"
    assert "cluster_block_exception" in found.answer
    ask(node, "PUT", f"/{stream}/_settings", {block: None})
    assert opened.deliver([row("during")]) == [Outcome("delivered")]
    assert count(node, stream) == 2


def test_a_node_that_is_killed_in_the_middle(running: tuple[str, Node], tmp_path: Path) -> None:
    to, node = running
    stream = "logs-zonewatch.alerts-killed"
    put(tmp_path, [(f"e{number}", f"s{number % 50}") for number in range(600)])
    done = []

    def between(found: Any) -> None:
        if not done and found.delivered >= 200:
            node.server.stop(signal.SIGKILL)
            done.append("killed")
        elif done == ["killed"] and found.attempts >= 2:
            node.server.start()
            done.append("back")

    found = deliver_all(tmp_path, rows=25, between=between, to=to, hosts=[node.url], stream=stream, timeout="20 s")
    assert done == ["killed", "back"]
    assert (found.delivered, found.refused) == (600, 0)
    assert count(node, stream) == 600
