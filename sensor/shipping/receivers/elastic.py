"""Elasticsearch 8 and 9, by its own client."""

from __future__ import annotations

import ssl
from typing import Any, Final

import elastic_transport
from elasticsearch import Elasticsearch

from zonewatch.sensor.measures import SECOND
from zonewatch.sensor.shipping import settings
from zonewatch.sensor.shipping.receiver import Unreachable
from zonewatch.sensor.shipping.receivers.bulk import Search

_JSON: Final = "application/vnd.elasticsearch+json; compatible-with=8"
_NDJSON: Final = "application/vnd.elasticsearch+x-ndjson; compatible-with=8"
"""Version 8 and version 9 both speak version 8."""


class _Node(elastic_transport.Urllib3HttpNode):
    """A node that trusts the authorities of its context alone: the client would add its bundled ones."""

    def __init__(self, config: elastic_transport.NodeConfig) -> None:
        super().__init__(config)
        if config.ssl_context is not None:
            pool: Any = self.pool
            pool.ca_certs = None


def connect(wanted: settings.Elasticsearch) -> Search:
    """The receiver."""
    seconds = wanted.timeout / SECOND
    given: dict[str, Any] = {}
    if any(host.startswith("https:") for host in wanted.hosts):
        context = wanted.tls.context()
        given = {
            "ssl_context": context,
            "ssl_version": context.minimum_version,
            "ssl_assert_fingerprint": wanted.tls.fingerprint,
            "verify_certs": context.verify_mode is not ssl.CERT_NONE,
            "ssl_show_warn": False,
        }
    if wanted.api_key is not None:
        given["api_key"] = wanted.api_key.read()
    elif wanted.user is not None and wanted.password is not None:
        given["basic_auth"] = (wanted.user, wanted.password.read())
    client = Elasticsearch(
        list(wanted.hosts), node_class=_Node, request_timeout=seconds, retry_on_timeout=False, max_retries=0, **given
    )

    def call(method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        headers = {"accept": _JSON}
        if body is not None:
            headers["content-type"] = _NDJSON if path.endswith("/_bulk") else _JSON
        try:
            answer = client.perform_request(method, path, headers=headers, body=body)
        except elastic_transport.TransportError as error:
            raise Unreachable(f"{type(error).__name__}: {error.message}") from None
        except Exception as error:
            status = getattr(getattr(error, "meta", None), "status", None)
            if status is None:
                raise
            return int(status), getattr(error, "body", None)
        return answer.meta.status, answer.body

    return Search(call, wanted.stream, wanted.install, client.close)
