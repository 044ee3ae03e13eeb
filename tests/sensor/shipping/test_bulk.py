"""What each answer to a bulk request means."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sensor.shipping.outbox import row
from zonewatch.sensor.shipping.receiver import Outcome, Row, TooMuch, Unreachable
from zonewatch.sensor.shipping.receivers.bulk import Search
from zonewatch.sensor.shipping.template import VERSION


class Node:
    """Answers as it is told."""

    def __init__(self, status: int = 200, statuses: tuple[int, ...] = (), answer: Any = None) -> None:
        self.status = status
        self.answer = answer
        self.statuses = statuses
        self.asked: list[tuple[str, str, bytes | None]] = []

    def __call__(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        self.asked.append((method, path, body))
        if self.answer is not None or self.status != 200:
            return self.status, self.answer
        error = {"type": "some_exception", "reason": "because"}
        return 200, {"items": [{"create": {"status": status, "error": error}} for status in self.statuses]}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (201, "delivered"),
        (409, "delivered"),
        (400, "refused"),
        (413, "refused"),
        (429, "later"),
        (503, "later"),
        (500, "later"),
        (403, "later"),
        (404, "later"),
    ],
)
def test_items(status: int, kind: str) -> None:
    (found,) = Search(Node(statuses=(status,)), "s", install=False).deliver([row("a")])
    assert found.kind == kind
    assert kind == "delivered" or found.answer == f"{status} some_exception: because"


def test_each_item_has_its_own_answer() -> None:
    node = Node(statuses=(201, 400, 429))
    broken = Row(2, "b", "b", 0, "[]")
    found = Search(node, "stream", install=False).deliver([row("a"), broken, row("c"), row("d")])
    assert [one.kind for one in found] == ["delivered", "refused", "refused", "later"]
    ((method, path, body),) = node.asked
    assert (method, path) == ("POST", "/stream/_bulk")
    lines = (body or b"").split(b"\n")
    assert lines[-1] == b"", "a bulk body ends with a line break"
    assert [json.loads(line) for line in lines[0:-1:2]] == [{"create": {"_id": name}} for name in "acd"]
    assert [json.loads(line)["event"]["id"] for line in lines[1::2]] == ["a", "c", "d"]


@pytest.mark.parametrize(
    ("status", "answer", "told"),
    [
        (401, {"error": {"type": "security_exception", "reason": "no"}}, "401 security_exception: no"),
        (429, {"error": "busy"}, '429 "busy"'),
        (503, None, "503"),
        (200, {"items": []}, "does not tell"),
        (200, "<html>", "does not tell"),
        (200, {"took": 1}, "does not tell"),
    ],
)
def test_answers_that_say_nothing_of_the_items(status: int, answer: Any, told: str) -> None:
    with pytest.raises(Unreachable, match=told):
        Search(Node(status, answer=answer), "s", install=False).deliver([row("a")])


def test_a_request_that_is_too_large() -> None:
    with pytest.raises(TooMuch):
        Search(Node(413), "s", install=False).deliver([row("a"), row("b")])


@pytest.mark.parametrize("item", [None, {}, {"create": {}}, {"create": {"status": "201"}}, {"index": {"status": 201}}])
def test_an_item_that_is_not_understood_is_sent_again(item: Any) -> None:
    found = Search(Node(answer={"items": [item]}), "s", install=False).deliver([row("a")])
    assert found == [Outcome("later", "the answer does not tell what became of it")]


class Templates:
    """A node that has templates of a version, or none."""

    def __init__(self, version: int | None, put: int = 200) -> None:
        self.version = version
        self.put = put
        self.asked: list[str] = []

    def __call__(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        self.asked.append(f"{method} {path}")
        if method == "POST":
            return 200, {"items": [{"create": {"status": 201}}]}
        if method == "PUT":
            return self.put, {"error": {"type": "security_exception", "reason": "no rights"}}
        if self.version is None:
            return 404, {}
        kind = "component" if "component" in path else "index"
        return 200, {f"{kind}_templates": [{f"{kind}_template": {"version": self.version}}]}


@pytest.mark.parametrize(("version", "put"), [(None, 3), (VERSION - 1, 3), (VERSION, 0), (VERSION + 1, 0)])
def test_templates_are_put_where_they_are_missing_or_older(version: int | None, put: int) -> None:
    node = Templates(version)
    search = Search(node, "stream", install=True)
    search.deliver([row("a")])
    search.deliver([row("b")])
    assert sum(one.startswith("PUT") for one in node.asked) == put
    assert sum(one.startswith("GET") for one in node.asked) == 3, "looked for once a connection"


def test_without_the_right_to_install_nothing_is_sent() -> None:
    with pytest.raises(Unreachable, match="zonewatch-alerts-mappings: 403 security_exception: no rights"):
        Search(Templates(None, put=403), "stream", install=True).deliver([row("a")])
