"""OpenSearch 2 and 3. Its own client would bring gRPC for what are two kinds of request."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import urllib3

from zonewatch.sensor.shipping import settings
from zonewatch.sensor.shipping.receiver import Unreachable
from zonewatch.sensor.shipping.receivers.bulk import Search
from zonewatch.sensor.shipping.receivers.http import Http


class _Nodes:
    """Asks one node, and another one next time where that does not answer."""

    def __init__(self, wanted: settings.OpenSearch) -> None:
        secured = any(host.startswith("https:") for host in wanted.hosts)
        self._http = Http(wanted.tls, wanted.timeout, secured=secured)
        self._hosts = deque(host.rstrip("/") for host in wanted.hosts)
        self._headers = {"accept": "application/json"}
        if wanted.user is not None and wanted.password is not None:
            self._headers |= urllib3.make_headers(basic_auth=f"{wanted.user}:{wanted.password.read()}")
        self.close = self._http.close

    def __call__(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        kind = "application/x-ndjson" if path.endswith("/_bulk") else "application/json"
        headers = self._headers | ({"content-type": kind} if body is not None else {})
        for left in range(len(self._hosts), 0, -1):
            try:
                status, _, data = self._http.ask(method, self._hosts[0] + path, headers, body)
            except Unreachable:
                self._hosts.rotate(-1)
                if left == 1:
                    raise
            else:
                return status, _read(data)
        raise AssertionError("there is a node at least")


def _read(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data[:300].decode("utf-8", "replace")


def connect(wanted: settings.OpenSearch) -> Search:
    """The receiver."""
    nodes = _Nodes(wanted)
    return Search(nodes, wanted.stream, wanted.install, nodes.close)
