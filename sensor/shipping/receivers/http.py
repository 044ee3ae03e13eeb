"""HTTP by urllib3 with a receiver's TLS: no redirects, no attempts of its own, answers bounded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import urllib3

from zonewatch.sensor.measures import SECOND
from zonewatch.sensor.shipping.receiver import Unreachable
from zonewatch.sensor.shipping.tls import Tls

LONGEST: Final = 16 << 20
"""Octets of an answer that are read at most."""


class Http:
    """Connections to one or several addresses, kept open between requests."""

    def __init__(self, tls: Tls, timeout: int, *, secured: bool) -> None:
        self._pool = urllib3.PoolManager(
            retries=False,
            timeout=urllib3.Timeout(timeout / SECOND),
            ssl_context=tls.context() if secured else None,
            assert_fingerprint=tls.fingerprint,
            assert_hostname=tls.name,
        )

    def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, most: int = LONGEST
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and the first `most` octets of the answer. Raises Unreachable where there is none."""
        try:
            answer = self._pool.request(
                method, url, body=body, headers=headers, redirect=False, preload_content=False, decode_content=False
            )
            try:
                data = answer.read(most)
                if answer.read(1):
                    answer.close()  # the rest is not read, and the connection not used again
            finally:
                answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from None
        return answer.status, answer.headers, data

    def close(self) -> None:
        """Closes the connections."""
        self._pool.clear()
