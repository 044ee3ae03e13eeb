"""The bulk protocol that Elasticsearch and OpenSearch share, and what their answers mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from zonewatch.sensor.shipping.formats import as_json
from zonewatch.sensor.shipping.receiver import (
    DELIVERED,
    Outcome,
    Row,
    TooMuch,
    Unreachable,
    filled,
    rendered,
)
from zonewatch.sensor.shipping.template import VERSION, templates


class Call(Protocol):
    """One request: status and the answer's JSON. Raises Unreachable where there is no answer."""

    def __call__(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """Sends the request."""
        ...


_FOR_GOOD: Final = frozenset((400, 413))
"""What an item is refused with for what it is. Everything else is about the node's state or rights."""


class Search:
    """A data stream, written to by `create`: an alert that is there already is not written again."""

    def __init__(self, call: Call, stream: str, install: bool, close: Callable[[], None] = lambda: None) -> None:
        self._call = call
        self.close = close
        self._stream = stream
        self._install = install

    def deliver(self, rows: Sequence[Row]) -> Sequence[Outcome]:
        """One bulk request."""
        if self._install:
            self._install_templates()
            self._install = False
        outcomes, made = rendered(rows, lambda row: as_json(row.alert()))
        if not made:
            return filled(outcomes)
        lines = [line for place, body in made for line in (as_json({"create": {"_id": rows[place].event_id}}), body)]
        status, answer = self._call("POST", f"/{self._stream}/_bulk", b"\n".join((*lines, b"")))
        if status == 413:
            raise TooMuch("the request is too large for the node")
        if status != 200:
            raise Unreachable(_told(status, answer))
        items = answer.get("items") if isinstance(answer, dict) else None
        if not isinstance(items, list) or len(items) != len(made):
            raise Unreachable("the answer to a bulk request does not tell what became of each item")
        for (place, _), item in zip(made, items, strict=True):
            outcomes[place] = _outcome(item)
        return filled(outcomes)

    def _install_templates(self) -> None:
        """Puts each template that is missing or older."""
        for kind, name, made in templates(self._stream):
            status, found = self._call("GET", f"/_{kind}_template/{name}")
            if status == 200 and _version(found, kind) >= VERSION:
                continue
            if status not in (200, 404):
                raise Unreachable(_told(status, found))
            status, answer = self._call("PUT", f"/_{kind}_template/{name}", as_json(made))
            if status != 200:
                raise Unreachable(f"template {name}: {_told(status, answer)}")


def _version(found: Any, kind: str) -> int:
    try:
        return int(found[f"{kind}_templates"][0][f"{kind}_template"]["version"])
    except (KeyError, IndexError, TypeError, ValueError):
        return 0


def _outcome(item: Any) -> Outcome:
    about = item.get("create") if isinstance(item, dict) else None
    status = about.get("status") if isinstance(about, dict) else None
    if not isinstance(status, int) or not isinstance(about, dict):
        return Outcome("later", "the answer does not tell what became of it")
    if status in (200, 201, 409):  # 409: created before, by an attempt whose answer was lost
        return DELIVERED
    return Outcome("refused" if status in _FOR_GOOD else "later", _told(status, about))


def _told(status: int, answer: Any) -> str:
    error = answer.get("error", answer) if isinstance(answer, dict) else answer
    if isinstance(error, dict):
        causes = [error, error.get("caused_by")]
        words = [f"{cause.get('type')}: {cause.get('reason')}" for cause in causes if isinstance(cause, dict)]
        return f"{status} {'; '.join(words)}"
    return f"{status} {json.dumps(error)[:300] if error is not None else ''}".strip()
