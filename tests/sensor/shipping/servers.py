"""Small servers on loopback, and certificates, for what needs no real product."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme


@dataclass
class Authority:
    """An authority, and the files of what it issued."""

    folder: Path
    name: str = "authority"

    def __post_init__(self) -> None:
        self._ca = trustme.CA()
        self.file = self.folder / f"{self.name}.pem"
        self._ca.cert_pem.write_to_path(str(self.file))

    def issue(self, *names: str, expired: bool = False) -> tuple[Path, Path, str]:
        """Certificate, key, and the certificate's SHA-256."""
        ended = datetime.now(UTC) - timedelta(days=1) if expired else None
        begun = datetime.now(UTC) - timedelta(days=9) if expired else None
        made = self._ca.issue_cert(*names, common_name=names[0], not_after=ended, not_before=begun)
        stem = f"{self.name}-{names[0]}{'-expired' if expired else ''}"
        certificate, key = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        certificate.write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
        made.private_key_pem.write_to_path(str(key))
        key.chmod(0o600)
        der = ssl.PEM_cert_to_DER_cert(made.cert_chain_pems[0].bytes().decode())
        return certificate, key, hashlib.sha256(der).hexdigest()


@dataclass
class Web:
    """An HTTP server whose answers a test says."""

    answer: Callable[[dict[str, str], bytes], tuple[int, dict[str, str], bytes]]
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@contextmanager
def web(server: Web, certificate: Path | None = None, key: Path | None = None) -> Iterator[Web]:
    """Runs while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            server.got.append((headers, body))
            status, more, answer = server.answer(headers, body)
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    scheme = "http"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
        scheme = "https"
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    server.url = f"{scheme}://127.0.0.1:{listener.server_address[1]}/hook"
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


@dataclass
class Lines:
    """What a syslog server of a test read, connection by connection."""

    port: int = 0
    got: list[bytes] = field(default_factory=list)


@contextmanager
def stream(handle: Callable[[socket.socket, Lines], None], context: ssl.SSLContext | None = None) -> Iterator[Lines]:
    """A TCP or TLS server: `handle` is called for each connection."""
    listener = socket.create_server(("127.0.0.1", 0))
    lines = Lines(listener.getsockname()[1])

    def serve() -> None:
        while True:
            try:
                opened, _ = listener.accept()
            except OSError:
                return
            with opened, suppress(OSError):
                opened.settimeout(10)
                if context is None:
                    handle(opened, lines)
                else:
                    with context.wrap_socket(opened, server_side=True, suppress_ragged_eofs=False) as secured:
                        handle(secured, lines)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield lines
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(15)


def split_counted(octets: bytes) -> list[bytes]:
    """The messages of a stream that counts octets."""
    found = []
    while octets:
        length, _, rest = octets.partition(b" ")
        found.append(rest[: int(length)])
        octets = rest[int(length) :]
    return found
