"""Figures served to Prometheus: the text that the sensor's processes keep, over HTTP or HTTPS.

Only `GET /metrics` is answered. Beyond loopback TLS and a bearer token are needed (`MetricsSettings` refuses else).
"""

from __future__ import annotations

import hmac
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from zonewatch.sensor.usage import UsageError
from zonewatch.sensor.watch.settings import MetricsSettings

__all__ = ["Server", "joined"]

log: Final = logging.getLogger("zonewatch.figures")

_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_PATIENCE: Final = 10.0
"""Seconds that a reader may take; one that is slower is let go."""
_LEAST_TOKEN: Final = 16


class Server:
    """Serves until it is closed, in threads of its own. `read` gives the text at each request."""

    def __init__(self, settings: MetricsSettings, read: Callable[[], str]) -> None:
        """Raises UsageError for a certificate or token that cannot be used, OSError for an address in use."""
        token = _token(settings.token) if settings.token is not None else ""
        context = _context(settings)
        host, _ = settings.address
        kind = _Six if ":" in host else ThreadingHTTPServer
        self._server = kind(settings.address, _handler(token, read, context))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that it listens at."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Six(ThreadingHTTPServer):
    address_family = socket.AF_INET6


def joined(files: Iterable[Path], more: str = "") -> str:
    """The texts of several processes as one; a file that is not there is a process that does not run."""
    texts = [path.read_text("utf-8") for path in files if path.is_file()]
    return "".join((*texts, more))


def _token(path: Path) -> str:
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"metrics: token: {path}: {getattr(error, 'strerror', None) or 'no text'}") from None
    if len(token) < _LEAST_TOKEN:
        raise UsageError(f"metrics: token: {path}: holds fewer than {_LEAST_TOKEN} characters")
    return token


def _context(settings: MetricsSettings) -> ssl.SSLContext | None:
    if settings.certificate is None or settings.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.certificate, settings.key)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"metrics: {settings.certificate}: {getattr(error, 'strerror', None) or error}") from None
    return context


def _handler(token: str, read: Callable[[], str], context: ssl.SSLContext | None) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _PATIENCE
        server_version = "zonewatch"
        sys_version = ""

        def setup(self) -> None:
            # In the thread of the connection: a reader that never shakes hands holds up nobody else.
            self.request.settimeout(_PATIENCE)
            if context is not None:
                self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def do_GET(self) -> None:
            if self.path != "/metrics":
                self.send_error(404)
            elif token and not hmac.compare_digest(self.headers.get("Authorization", ""), f"Bearer {token}"):
                self.send_error(401)
            else:
                body = read().encode()
                self.send_response(200)
                self.send_header("Content-Type", _TYPE)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            log.debug(format, *args)

    return Handler
