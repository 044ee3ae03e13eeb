"""Every rule as a Lucene query on a real node hits the records that it hits here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.servers.search import node
from zonewatch.rules.siem.convert import Converted, convert
from zonewatch.rules.siem.index import documents, stream, template
from zonewatch.rules.sigma.detect import BUNDLED
from zonewatch.rules.sigma.files import files
from zonewatch.rules.sigma.load import load
from zonewatch.rules.sigma.model import Rule
from zonewatch.rules.sigma.run import judge

elasticsearch = pytest.importorskip("elasticsearch")
pytest.importorskip("sigma.backends.elasticsearch")
from elasticsearch.helpers import bulk  # noqa: E402

from tests.siem.traffic import tables  # noqa: E402

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with TemporaryDirectory() as folder, node(Path(folder)) as found:
        client = elasticsearch.Elasticsearch(found.url, request_timeout=120, retry_on_timeout=True, max_retries=5)
        client.cluster.health(wait_for_status="yellow", timeout="120s")
        client.indices.put_index_template(name="zonewatch-records", **template())
        yield client


@pytest.fixture(scope="module")
def converted() -> dict[str, Converted]:
    return {one.name: one for one in convert(files(BUNDLED), "lucene")}


def test_a_converted_rule_hits_what_the_sensor_hits(client: Any, converted: dict[str, Converted]) -> None:
    records = tables()
    rules = [rule for rule in load([BUNDLED]).rules if not rule.seed and rule.category in records]
    ids: dict[str, list[str]] = {category: [] for category in records}
    actions = []
    for place, document in documents(records):
        category = document["event.dataset"].partition(".")[2]
        ids[category].append(document["event.id"])
        actions.append({"_op_type": "create", "_index": place, "_id": document["event.id"], "_source": document})
    assert bulk(client, actions, refresh=True)[0] == len(actions)
    hits = {hit.rule.name: hit for hit in judge(rules, records)}
    differing = {}
    for rule in rules:
        query = converted[rule.name].query
        assert query, converted[rule.name].reason
        found = _found(client, rule, query)
        here = {ids[rule.category][row] for row in hits[rule.name].rows.to_pylist()} if rule.name in hits else set()
        if found != here:
            differing[rule.name] = (len(found - here), len(here - found), query)
    assert not differing, json.dumps(differing, indent=1)
    assert len(hits) >= 20, "the traffic hits too few rules to show anything"


def _found(client: Any, rule: Rule, query: str) -> set[str]:
    answer = client.search(
        index=stream(rule.category),
        query={"query_string": {"query": query, "analyze_wildcard": True}},
        size=10_000,
        source=False,
    )
    return {hit["_id"] for hit in answer["hits"]["hits"]}


def test_every_rule_is_converted_or_says_why(converted: dict[str, Converted]) -> None:
    found = load([BUNDLED])
    told = {rule.name for rule in found.rules if not rule.seed}
    inner = {name for one in found.correlations for name in one.rules}
    told |= {one.name for one in found.correlations} - inner
    assert converted.keys() == told
    correlations = {one.name for one in found.correlations} & told
    assert {name for name, one in converted.items() if one.reason} == correlations
